"""Landing rows: every sheet row as it was typed, sealed, so that nothing that ops sent is ever lost."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.opening import open_sealed
from tms_pipeline.identity.sealing import place, seal
from tms_pipeline.intake.grid import Cell, Grid
from tms_pipeline.intake.opening import OpenedFile
from tms_pipeline.intake.tables import Table
from tms_pipeline.store.database import Connection, copy_rows

# What the reader calls the one sheet of a text file, whose cells have no types.
TEXT_SHEET = "CSV"


def subject_of(upload_id: str) -> str:
    """Whose data key seals the rows and the original of an upload."""
    return f"upload:{upload_id}"


def land(
    connection: Connection,
    rings: KeyRings,
    upload_id: str,
    tables: list[Table],
    statuses: dict[tuple[int, int], tuple[str, bool]],
) -> None:
    """Keep every row of every table with its status and whether it waits for a parent."""
    subject = subject_of(upload_id)
    key = data_keys(connection, rings.data, [subject], make=True)[subject]
    for number, table in enumerate(tables):
        connection.execute(
            "INSERT INTO intake.landing_table "
            "(upload_id, table_no, sheet, header_row, headings, titles, kinds, mapping) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                upload_id,
                number,
                table.sheet,
                table.header_row,
                Jsonb(table.headings),
                Jsonb(table.titles),
                list(table.kinds),
                table.mapping,
            ),
        )
    copy_rows(
        connection,
        "intake.landing_row",
        ("upload_id", "table_no", "row_number", "cells_sealed", "status", "waiting"),
        (
            (upload_id, number, row, seal(key, _dump(cells), _where(upload_id, number, row)), *statuses[number, row])
            for number, table in enumerate(tables)
            for row, cells in table.cells.items()
        ),
    )


def landed(connection: Connection, rings: KeyRings, upload_id: str) -> list[tuple[int, Grid, str | None]]:
    """The tables of an upload as grids, as if read from the file again: (table number, grid, mapping)."""
    subject = subject_of(upload_id)
    key = data_keys(connection, rings.data, [subject], make=False)[subject]
    grids = []
    for number, sheet, header_row, headings, mapping in connection.execute(
        "SELECT table_no, sheet, header_row, headings, mapping FROM intake.landing_table WHERE upload_id = %s "
        "ORDER BY table_no",
        (upload_id,),
    ).fetchall():
        rows: list[tuple[int, list[Cell]]] = [(header_row, list(headings))]
        for row, sealed in connection.execute(
            "SELECT row_number, cells_sealed FROM intake.landing_row WHERE upload_id = %s AND table_no = %s "
            "ORDER BY row_number",
            (upload_id, number),
        ):
            rows.append((row, _load(open_sealed(key, bytes(sealed), _where(upload_id, number, row)))))
        grids.append((number, Grid.of_rows(sheet, rows, text=sheet == TEXT_SHEET), mapping))
    return grids


def as_file(grid: Grid) -> OpenedFile:
    """One landed table as an opened file, for the table finder."""
    return OpenedFile(format="landing", grids=[grid], warnings=[])


def _where(upload_id: str, table_no: int, row: int) -> bytes:
    return place("intake.landing_row", "cells", f"{upload_id}|{table_no}|{row}")


def _dump(cells: list[Cell]) -> bytes:
    return json.dumps(cells, ensure_ascii=False, default=_tagged, separators=(",", ":")).encode()


def _tagged(value: Any) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, time):
        return {"$time": value.isoformat()}
    if hasattr(value, "item"):  # a numpy number from the reader
        return value.item()  # type: ignore[no-any-return]
    raise TypeError(f"a cell cannot be a {type(value).__name__}")


def _load(raw: bytes) -> list[Cell]:
    return [_untagged(value) if isinstance(value, dict) else value for value in json.loads(raw)]


def _untagged(value: dict[str, str]) -> Cell:
    if "$moment" in value:
        return datetime.fromisoformat(value["$moment"])
    if "$date" in value:
        return date.fromisoformat(value["$date"])
    return time.fromisoformat(value["$time"])
