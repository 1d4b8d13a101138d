"""Spreadsheets: the values of .xlsx, .xls and .ods by the fast reader (calamine). Runs in the reading process only."""

from __future__ import annotations

from typing import Any

import python_calamine as calamine

from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import UNCACHED, SheetLook
from tms_pipeline.intake.table_rows import Emit, emit_rows


def open_workbook(source: Any) -> calamine.CalamineWorkbook:
    """The workbook, ready to read. Raises Refusal when the fast reader finds it damaged or locked."""
    try:
        return calamine.CalamineWorkbook.from_object(source)
    except calamine.PasswordError:
        raise Refusal("FILE_PASSWORD") from None
    except (calamine.CalamineError, OSError, ValueError):
        raise Refusal("FILE_DAMAGED", part="the workbook") from None


def rows_of(workbook: calamine.CalamineWorkbook, name: str) -> list[list[Any]] | None:
    """The rows of the sheet of that name, None when the fast reader knows of none. Raises Refusal for damage."""
    try:
        sheet = workbook.get_sheet_by_name(name)
        return sheet.to_python(skip_empty_area=False) if sheet.end is not None else []
    except calamine.WorksheetNotFound:
        return None
    except (calamine.CalamineError, OSError, ValueError):
        raise Refusal("FILE_DAMAGED", part="a sheet") from None


def read_sheets(
    workbook: calamine.CalamineWorkbook,
    looks: list[SheetLook],
    emit: Emit,
    early: dict[str, list[list[Any]]] | None = None,
) -> None:
    """Hands each sheet's columns and row numbers to ``emit``, with the text of its error cells put back.

    ``early`` holds the rows of sheets that were read already, and loses them here.
    """
    known = early or {}
    for look in looks:
        rows = known.pop(look.name) if look.name in known else rows_of(workbook, look.name)
        if rows is None:
            continue
        _put_back(rows, look)
        emit_rows(look, rows, emit)


def _put_back(rows: list[list[Any]], look: SheetLook) -> None:
    """Shows error cells as typed and keeps formulas without a value from reading as blank rows."""
    marks: dict[tuple[int, int], str] = dict.fromkeys(look.uncached, UNCACHED)
    marks.update(look.errors)
    if not marks:
        return
    height = max(len(rows), max(row for row, _ in marks))
    width = max(len(rows[0]) if rows else 0, max(column for _, column in marks) + 1)
    for row in rows:
        row.extend([""] * (width - len(row)))
    rows.extend([""] * width for _ in range(height - len(rows)))
    for (number, column), text in marks.items():
        if rows[number - 1][column] == "":
            rows[number - 1][column] = text
