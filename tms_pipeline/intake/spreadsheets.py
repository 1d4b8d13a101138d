"""Spreadsheets: the values of .xlsx, .xls and .ods by the fast reader (calamine). Runs in the reading process only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import python_calamine as calamine

from tms_pipeline.intake.packing import Packed, pack
from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import UNCACHED, SheetLook
from tms_pipeline.intake.table_rows import Emit

# The name of a sheet, the sheet, and what it was packed to.
Early = tuple[str, calamine.CalamineSheet, Packed]


def open_workbook(source: Any) -> calamine.CalamineWorkbook:
    """The workbook, ready to read. Raises Refusal when the fast reader finds it damaged or locked."""
    try:
        return calamine.CalamineWorkbook.from_object(source)
    except calamine.PasswordError:
        raise Refusal("FILE_PASSWORD") from None
    except (calamine.CalamineError, OSError, ValueError):
        raise Refusal("FILE_DAMAGED", part="the workbook") from None


def sheet_of(workbook: calamine.CalamineWorkbook, name: str) -> calamine.CalamineSheet | None:
    """The sheet of that name, None when the fast reader knows of none. Raises Refusal for damage."""
    try:
        return workbook.get_sheet_by_name(name)
    except calamine.WorksheetNotFound:
        return None
    except (calamine.CalamineError, OSError, ValueError):
        raise Refusal("FILE_DAMAGED", part="a sheet") from None


def read_sheets(
    workbook: calamine.CalamineWorkbook, looks: list[SheetLook], emit: Emit, early: Early | None = None
) -> None:
    """Hands each sheet's columns and row numbers to ``emit``, with the text of its error cells put back.

    ``early`` is a sheet that was packed before it was known which cells to put back.
    """
    for look in looks:
        marks: dict[tuple[int, int], str] = dict.fromkeys(look.uncached, UNCACHED)
        marks.update(look.errors)
        if early is not None and look.name == early[0]:
            _, sheet, done = early
            columns, numbers = packed(sheet, marks) if marks else done
            early = None
        else:
            found = sheet_of(workbook, look.name)
            if found is None:
                continue
            columns, numbers = packed(found, marks)
        emit({"name": look.name, "hidden": look.hidden, **look.facts()}, columns, numbers)


def packed(sheet: calamine.CalamineSheet, marks: dict[tuple[int, int], str] | None = None) -> Packed:
    """The columns and row numbers of a sheet. ``marks`` is the text of cells that the fast reader shows as empty."""
    return pack(_rows(sheet, marks or {}))


def _rows(sheet: calamine.CalamineSheet, marks: dict[tuple[int, int], str]) -> Iterator[list[Any]]:
    """The rows from the first of the sheet on, all of one width, with error cells as typed and formulas without a
    value, whose rows would else read as blank."""
    rows = sheet.iter_rows() if sheet.end is not None else iter(())
    left = [""] * sheet.start[1] if sheet.start is not None else []
    if not marks:
        yield from (left + row for row in rows) if left else rows
        return
    of_row: dict[int, list[tuple[int, str]]] = {}
    for (number, column), text in marks.items():
        of_row.setdefault(number, []).append((column, text))
    width = max(sheet.end[1] + 1 if sheet.end is not None else 0, max(column for _, column in marks) + 1)
    height = max(of_row)
    for number in count(1):
        found = next(rows, None)
        if found is None and number > height:
            return
        row: list[Any] = left + (found or [])
        row += [""] * (width - len(row))
        for column, text in of_row.get(number, ()):
            if row[column] == "":
                row[column] = text
        yield row
