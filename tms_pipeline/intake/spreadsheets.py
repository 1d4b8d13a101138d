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


def read_sheets(workbook: calamine.CalamineWorkbook, looks: list[SheetLook], emit: Emit) -> None:
    """Hands each sheet's columns and row numbers to ``emit``, with the text of its error cells put back."""
    for look in looks:
        try:
            sheet = workbook.get_sheet_by_name(look.name)
            width = 0 if sheet.end is None else sheet.end[1] + 1
            rows = sheet.to_python(skip_empty_area=False) if width else []
        except calamine.WorksheetNotFound:
            continue
        except (calamine.CalamineError, OSError, ValueError):
            raise Refusal("FILE_DAMAGED", part="a sheet") from None
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
