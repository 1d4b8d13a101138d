"""Rows of text on their way to the pipe, brought to one width and packed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tms_pipeline.intake.framing import Encoded
from tms_pipeline.intake.packing import pack
from tms_pipeline.intake.sheet_look import SheetLook

# Takes the facts of a sheet, its columns, and the row number of each line.
Emit = Callable[[dict[str, Any], list[Encoded], list[int]], None]


def emit_rows(look: SheetLook, rows: list[list[Any]], emit: Emit) -> None:
    """Fills short rows up, packs them, hands them on."""
    width = max(map(len, rows), default=0)
    blanks = [[""] * size for size in range(width + 1)]
    columns, numbers = pack(row + blanks[width - len(row)] if len(row) < width else row for row in rows)
    emit({"name": look.name, "hidden": look.hidden, **look.facts()}, columns, numbers)
