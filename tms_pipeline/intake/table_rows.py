"""Rows on their way to the pipe: blank ones left out, turned into columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tms_pipeline.intake.sheet_look import SheetLook

# Takes the facts of a sheet, its columns, as cells or encoded already, and the row number of each line.
Emit = Callable[[dict[str, Any], list[Any], list[int]], None]


def emit_rows(look: SheetLook, rows: list[list[Any]], emit: Emit) -> None:
    """Leaves out blank rows and trailing blank columns, turns rows to columns, hands them on."""
    width = max(map(len, rows), default=0)
    blanks = [[""] * size for size in range(width + 1)]
    numbers = [number for number, row in enumerate(rows, 1) if row != blanks[len(row)]]
    if len(numbers) != len(rows):
        rows = [rows[number - 1] for number in numbers]
    if any(len(row) != width for row in rows):
        rows = [row + blanks[width - len(row)] for row in rows]
    columns = [list(column) for column in zip(*rows, strict=True)]
    while columns and not any(cell != "" for cell in columns[-1]):
        columns.pop()
    emit({"name": look.name, "hidden": look.hidden, **look.facts()}, columns, numbers)
