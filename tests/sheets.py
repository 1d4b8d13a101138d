"""Small workbooks made from canonical records, with the project's own titles as headings."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import openpyxl

from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.workplace import Workplace

Record = Mapping[str, str | None]


def workbook(author: str = "", **sheets: Sequence[Record]) -> bytes:
    """A workbook with one sheet a kind. Another author gives other bytes with the same rows."""
    tables: dict[str, list[Sequence[Any]]] = {}
    for name, records in sheets.items():
        kind = kind_named(name)
        tables[kind.plural] = [
            [field.title for field in kind.fields],
            *([record.get(field.name) for field in kind.fields] for record in records),
        ]
    return book_of(tables, author=author or "ops")


def book_of(tables: Mapping[str, Sequence[Sequence[Any]]], *, author: str = "ops", epoch: datetime | None = None) -> bytes:
    """A workbook of these sheets by title, row by row as they stand; ``epoch`` is the day from which it counts days."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    book.properties.creator = author
    if epoch is not None:
        book.epoch = epoch
    for title, rows in tables.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def drop(place: Workplace, content: bytes, name: str = "rows.xlsx", *, by: str = "", hold: bool = True) -> Taken:
    """Receive and take in these bytes."""
    actor = place.actor(name=by or None)
    upload_id, new = receive(place, name, content, source="inbox", actor=actor)
    assert new, "these bytes came before"
    return take_in(place, upload_id, actor=actor, hold=hold)
