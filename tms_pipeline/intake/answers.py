"""Answers: which later row says again what a rejected row said, so that reconciliation knows what is still to be done.

Two ties are kept, and only what is known for certain: the natural keys of a rejected row, with the rows of later files
that have the same key; and the column "Row in your file" of a corrected sheet, when the workbook says whose result it
is. Whether a tied row was taken is looked up when it is asked for (``sql/reconcile/sheets.sql``).

Keys are kept as keyed marks: in a row that was rejected anything may stand where a code belongs, a person's name too.
After the index key was rotated older ties are lost, and those rows are shown until they are too old.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence

from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.intake.evaluation import Evaluation, Place
from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.opening import OpenedFile
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.upload_result import FIX_SHEET, MARK_SHEET, ROW_IN_FILE
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query

# (table, row, kind, mark of the key); none where the key cannot be read, which nothing then answers.
_Line = tuple[int, int, str, bytes | None]


def corrected_upload(opened: OpenedFile) -> str | None:
    """The upload whose result workbook this file is, None for a file of another make."""
    for grid in opened.grids:
        if grid.sheet == MARK_SHEET and len(grid.numbers):
            said = grid.line(0)[0]
            return said if isinstance(said, str) else None
    return None


def keep(
    connection: Connection, rings: KeyRings, upload_id: str, tables: Sequence[Table], evaluation: Evaluation, *,
    corrects: str | None,
) -> None:
    """Keep the keys of the rejected rows of an upload, and what its rows may answer in earlier ones."""
    connection.execute("DELETE FROM intake.row_key WHERE upload_id = %s", (upload_id,))
    connection.execute("DELETE FROM intake.row_corrects WHERE upload_id = %s", (upload_id,))
    wanted = {
        (kind, bytes(mark))
        for kind, mark in connection.execute(query("intake/unanswered_keys"), {"upload_id": upload_id}).fetchall()
    }
    copy_rows(
        connection, "intake.row_key", ("upload_id", "table_no", "row_number", "kind", "key_mark"),
        ((upload_id, *line) for line in _lines(evaluation, wanted, bytes(rings.index.key))),
    )
    if corrects is not None:
        for number, row, theirs in _rows_in_their_file(tables):
            connection.execute(
                query("intake/keep_correction"),
                {"upload_id": upload_id, "table_no": number, "row": row, "corrects": corrects, "theirs": theirs,
                 "kinds": list(tables[number].kinds)},
            )
    evaluation.said = []  # as long as the file is, and not needed any more


def _lines(evaluation: Evaluation, wanted: set[tuple[str, bytes]], secret: bytes) -> Iterator[_Line]:
    rejected: set[Place] = set(evaluation.rejected())
    for kind, places, keys in evaluation.said:
        theirs = {mark for name, mark in wanted if name == kind}
        if not rejected and not theirs:
            continue
        lead = f"row key|{kind}|".encode()
        for place, key in zip(places, keys, strict=True):
            if place in rejected and not _readable(kind, key):
                yield (*place, kind, None)
            elif place in rejected or theirs:
                mark = hmac.digest(secret, lead + key.encode(), "sha256")
                if place in rejected or mark in theirs:
                    yield (*place, kind, mark)
    # A row of which no record could even be made out.
    for place in rejected.difference(*(places for _, places, _ in evaluation.said)):
        yield (*place, "", None)


def _readable(kind: str, key: str) -> bool:
    """Whether every part of the key is there."""
    fields = [KINDS[kind].field(name) for name in KINDS[kind].key]
    parts = key.split("|")
    return len(parts) == len(fields) and all(
        part or not item.required for part, item in zip(parts, fields, strict=True)
    )


def _rows_in_their_file(tables: Sequence[Table]) -> Iterator[tuple[int, int, int]]:
    """Table, row and "Row in your file" of each row of the corrected sheets."""
    for number, table in enumerate(tables):
        if not table.sheet.strip().casefold().startswith(FIX_SHEET.casefold()):
            continue
        names = [heading_key(heading) for heading in table.headings]
        if heading_key(ROW_IN_FILE) not in names:
            continue
        # The last of that name: it is ours, whatever the file had before.
        column = table.columns[len(names) - 1 - names[::-1].index(heading_key(ROW_IN_FILE))].tolist()
        for row, theirs in zip(table.rows.tolist(), column, strict=True):
            if type(theirs) is int:  # the reader makes one of every whole number
                yield number, row, theirs
