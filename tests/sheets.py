"""Small workbooks made from canonical records, with the project's own titles as headings."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import openpyxl

from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.workplace import Workplace

Record = Mapping[str, str | None]


def workbook(author: str = "", **sheets: Sequence[Record]) -> bytes:
    """A workbook with one sheet a kind. Another author gives other bytes with the same rows."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    book.properties.creator = author or "ops"
    for name, records in sheets.items():
        kind = kind_named(name)
        page = book.create_sheet(kind.plural)
        page.append([field.title for field in kind.fields])
        for record in records:
            page.append([record.get(field.name) for field in kind.fields])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def drop(place: Workplace, content: bytes, name: str = "rows.xlsx", *, by: str = "", hold: bool = True) -> Taken:
    """Receive and take in these bytes."""
    actor = place.actor(name=by or None)
    upload_id, new = receive(place, name, content, source="inbox", actor=actor)
    assert new, "these bytes came before"
    return take_in(place, upload_id, actor=actor, hold=hold)
