"""Landing rows: every sheet row as it was typed, sealed, so that nothing that ops sent is ever lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.identity.data_keys import data_keys, replace_data_key
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place, seal
from tms_pipeline.intake.framing import LENGTH, Encoded, decode_column, encode_codes, encode_column, frames
from tms_pipeline.intake.grid import Cell, Grid
from tms_pipeline.intake.opening import OpenedFile
from tms_pipeline.intake.tables import Table
from tms_pipeline.store.database import Connection

# What the reader calls the one sheet of a text file, whose cells have no types.
TEXT_SHEETS = frozenset({"CSV", "TSV", "TXT"})
BLOCK_ROWS = 20_000


def subject_of(upload_id: str) -> str:
    """Whose data key seals the rows and the original of an upload."""
    return f"upload:{upload_id}"


def land(
    connection: Connection,
    rings: KeyRings,
    upload_id: str,
    tables: list[Table],
    statuses: Mapping[tuple[int, int], tuple[str, bool]],
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
        with connection.cursor().copy(
            "COPY intake.landing_block (upload_id, table_no, block_no, rows_sealed) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.set_types(("text", "int4", "int4", "bytea"))
            for block, content in enumerate(_blocks(table)):
                copy.write_row((upload_id, number, block, seal(key, content, _where(upload_id, number, block))))
        _land_rows(connection, upload_id, number, table, statuses)


def _land_rows(
    connection: Connection,
    upload_id: str,
    number: int,
    table: Table,
    statuses: Mapping[tuple[int, int], tuple[str, bool]],
) -> None:
    """The rows with their status, as text for COPY: ids, numbers and words of ours, in which nothing is to escape."""
    begin = f"{upload_id}\t{number}\t"
    after = {said: f"\t{said[0]}\t{'t' if said[1] else 'f'}\n" for said in set(statuses.values())}
    rows = table.rows.tolist()
    with connection.cursor().copy(
        "COPY intake.landing_row (upload_id, table_no, row_number, status, waiting) FROM STDIN"
    ) as copy:
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            ends = map(after.__getitem__, map(statuses.__getitem__, zip(repeat(number), block)))
            copy.write("".join([f"{begin}{row}{end}" for row, end in zip(block, ends, strict=True)]))


@opening_for("own rows")
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
        epoch_1904 = False
        for block, sealed in connection.execute(
            "SELECT block_no, rows_sealed FROM intake.landing_block WHERE upload_id = %s AND table_no = %s "
            "ORDER BY block_no",
            (upload_id, number),
        ):
            content = memoryview(open_sealed(key, bytes(sealed), _where(upload_id, number, block)))
            rows += _rows(content)
            epoch_1904 = _counts_from_1904(content)
        grids.append((number, Grid.of_rows(sheet, rows, text=sheet in TEXT_SHEETS, epoch_1904=epoch_1904), mapping))
    return grids


@opening_for("shredding")
def blank_rows(connection: Connection, rings: KeyRings, upload_id: str, theirs: Callable[[list[Cell]], bool]) -> int:
    """Empty the cells of the rows that ``theirs`` names; returns how many. What stays is sealed with a fresh data key:
    the old one is gone, so that a backup's rows and the original cannot be opened either."""
    subject = subject_of(upload_id)
    key = data_keys(connection, rings.data, [subject], make=False)[subject]
    blocks, blanked = [], []
    for number, block, sealed in connection.execute(
        "SELECT table_no, block_no, rows_sealed FROM intake.landing_block WHERE upload_id = %s ORDER BY 1, 2",
        (upload_id,),
    ).fetchall():
        content = memoryview(open_sealed(key, bytes(sealed), _where(upload_id, number, block)))
        rows = list(_rows(content))
        for row, cells in rows:
            if theirs(cells):
                cells[:] = [None] * len(cells)
                blanked.append((number, row))
        blocks.append((number, block, rows, _counts_from_1904(content)))
    if not blanked:
        return 0
    fresh = replace_data_key(connection, rings.data, subject)
    for number, block, rows, epoch_1904 in blocks:
        columns = [encode_column(list(column)) for column in zip(*(cells for _, cells in rows), strict=True)]
        kept = _content([row for row, _ in rows], columns, epoch_1904=epoch_1904)
        connection.execute(
            "UPDATE intake.landing_block SET rows_sealed = %s WHERE upload_id = %s AND table_no = %s AND block_no = %s",
            (seal(fresh, kept, _where(upload_id, number, block)), upload_id, number, block),
        )
    connection.cursor().executemany(
        "UPDATE intake.landing_row SET waiting = false, note = 'removed by the rule of retention' "
        "WHERE upload_id = %s AND table_no = %s AND row_number = %s",
        [(upload_id, number, row) for number, row in blanked],
    )
    return len(blanked)


def as_file(grid: Grid) -> OpenedFile:
    """One landed table as an opened file, for the table finder."""
    return OpenedFile(format="landing", grids=[grid], warnings=[])


def _where(upload_id: str, table_no: int, block: int) -> bytes:
    return place("intake.landing_block", "rows", f"{upload_id}|{table_no}|{block}")


def _blocks(table: Table) -> Iterator[bytes]:
    """The rows by column, in the form in which they came from the reading process: no cell is converted twice."""
    for start in range(0, len(table.rows), BLOCK_ROWS):
        end = start + BLOCK_ROWS
        columns = [
            encode_codes(table.coded[index].values, table.coded[index].codes[start:end])
            if index in table.coded
            else encode_column(column[start:end].tolist())
            for index, column in enumerate(table.columns)
        ]
        yield _content(table.rows[start:end].tolist(), columns, epoch_1904=table.epoch_1904)


def _content(rows: list[int], columns: list[Encoded], *, epoch_1904: bool) -> bytes:
    """Some rows as they are sealed. When the days of the workbook began is kept, as plain numbers may be dates."""
    head: dict[str, Any] = {"rows": rows, "columns": [[parts, len(blocks)] for parts, blocks in columns]}
    if epoch_1904:
        head["epoch_1904"] = True
    return b"".join(frames([json.dumps(head).encode(), *(block for _, blocks in columns for block in blocks)]))


def _counts_from_1904(content: memoryview) -> bool:
    return bool(json.loads(bytes(next(_pieces(content)))).get("epoch_1904"))


def _rows(content: memoryview) -> Iterator[tuple[int, list[Cell]]]:
    pieces = _pieces(content)
    head = json.loads(bytes(next(pieces)))
    numbers = head["rows"]
    columns = [
        decode_column(parts, iter([next(pieces) for _ in range(count)]), len(numbers)).tolist()
        for parts, count in head["columns"]
    ]
    yield from zip(numbers, map(list, zip(*columns, strict=True)), strict=True)


def _pieces(content: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(content):
        (size,) = LENGTH.unpack_from(content, at)
        at += LENGTH.size
        yield content[at : at + size]
        at += size
