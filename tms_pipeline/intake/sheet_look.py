"""What the fast reader hides about a sheet, in one form for every file format. Rows count from 1, columns from 0."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tms_pipeline.intake.refusal import Refusal

# A dense block that the fast reader would fill costs it about this much a cell, measured with calamine 0.9.1.
BYTES_A_CELL = 48
CELL_ERROR = "CELL_ERROR"
FORMULA_WITHOUT_VALUE = "FORMULA_WITHOUT_VALUE"
CELL_STRUCK_OUT = "CELL_STRUCK_OUT"
# What such a cell shows, as it has no value and its row must not read as blank.
UNCACHED = "(formula)"
# A hostile file can make every cell an error; a person needs to hear of the first ones only.
MOST_PROBLEMS = 200_000
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,7})\$?([0-9]{1,12})")


def column_index(letters: str) -> int:
    """The index, from 0, of a column by its letters: A is 0, AA is 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def column_letters(index: int) -> str:
    """The letters of a column by its index from 0."""
    letters = ""
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_place(reference: str) -> tuple[int, int] | None:
    """(row from 1, column from 0) of a reference such as B12, or None when it is none."""
    found = _REFERENCE.fullmatch(reference)
    return (int(found[2]), column_index(found[1])) if found else None


def area_places(reference: str) -> tuple[int, int, int, int] | None:
    """(first row, first column, last row, last column) of a reference such as B3:B9, or None."""
    first, _, last = reference.partition(":")
    begin, end = cell_place(first), cell_place(last or first)
    if begin is None or end is None:
        return None
    return min(begin[0], end[0]), min(begin[1], end[1]), max(begin[0], end[0]), max(begin[1], end[1])


@dataclass(kw_only=True)
class SheetLook:
    """One sheet as the look over its bytes found it."""

    name: str
    hidden: bool = False
    epoch_1904: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    uncached: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)  # values that are crossed out
    last_row: int = 0
    last_column: int = -1
    last_row_at: tuple[int, int] = (0, 0)
    last_column_at: tuple[int, int] = (0, 0)
    valued_rows: int = 0

    def check_extent(self, *, max_rows: int, max_columns: int, memory_bytes: int) -> None:
        """Refuses a sheet that would be larger than the limits, before a reader fills its area."""
        if self.valued_rows > max_rows:
            raise Refusal("FILE_TOO_MANY_ROWS", sheet=self.name, limit=max_rows)
        if self.last_column >= max_columns:
            code = "FILE_TOO_WIDE" if self.last_column < 4 * max_columns else "FILE_FAR_CELL"
            raise Refusal(
                code, sheet=self.name, limit=column_letters(max_columns - 1), cell=self._cell(self.last_column_at)
            )
        if self.last_row > max_rows and self.last_row > 2 * self.valued_rows:
            raise Refusal("FILE_FAR_CELL", sheet=self.name, cell=self._cell(self.last_row_at))
        if self.last_row > max_rows:
            raise Refusal("FILE_TOO_MANY_ROWS", sheet=self.name, limit=max_rows)
        if self.last_row * (self.last_column + 1) * BYTES_A_CELL > memory_bytes:
            raise Refusal("FILE_FAR_CELL", sheet=self.name, cell=self._cell(self.last_row_at))

    @staticmethod
    def _cell(place: tuple[int, int]) -> str:
        return f"{column_letters(place[1])}{place[0]}"

    def facts(self) -> dict[str, Any]:
        """The look as plain values for the pipe."""
        # The last one told of a cell counts, and an error matters more than that it is crossed out.
        problems = [[row, column, CELL_STRUCK_OUT] for row, column in sorted(self.struck)]
        problems += [[row, column, CELL_ERROR] for row, column in self.errors]
        problems += [[row, column, FORMULA_WITHOUT_VALUE] for row, column in self.uncached]
        return {
            "hidden_rows": sorted(self.hidden_rows),
            "hidden_columns": sorted(self.hidden_columns),
            "merged": self.merged,
            "epoch_1904": self.epoch_1904,
            "problems": problems[:MOST_PROBLEMS],
        }
