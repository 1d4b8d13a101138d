"""Grid: the cells of one sheet as they were typed, with what else is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt

Cell = str | int | float | bool | datetime | date | time | None
Cells = npt.NDArray[np.object_]
Area = tuple[int, int, int, int]


@dataclass(frozen=True)
class Coded:
    """A column as its different cells, and for each row which of them stands there: ``values[codes]``."""

    values: Cells
    codes: npt.NDArray[Any]

    def at(self, places: Any) -> Coded:
        """The same column with only these rows; values that then stand nowhere may be left."""
        return Coded(self.values, self.codes[places])


@dataclass(kw_only=True)
class Grid:
    """One sheet. Rows are numbered from 1 as in the spreadsheet, columns from 0; wholly blank rows are left out.

    Cells are kept by column, as arrays of objects, which is what the checks work on; ``rows`` shows them by row.
    ``merged`` holds (first row, first column, last row, last column). ``problems`` maps (row, column) to a fault
    code: an error cell or a formula that was never worked out. ``coded`` has the columns of texts that come again and
    again a second time, in another form: what is true of no value there is true of no cell.
    """

    sheet: str
    hidden: bool = False
    numbers: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    columns: list[Cells] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: list[Area] = field(default_factory=list)
    problems: dict[tuple[int, int], str] = field(default_factory=dict)
    epoch_1904: bool = False  # what day zero of plain serial numbers is
    coded: dict[int, Coded] = field(default_factory=dict)
    text: bool = False  # from a text file: cells have no types, and a row can be longer than the headings

    @property
    def rows(self) -> list[tuple[int, list[Cell]]]:
        """(row number, cells) of every row that is not blank."""
        if not self.columns:
            return []
        lines = map(list, zip(*(column.tolist() for column in self.columns), strict=True))
        return list(zip(self.numbers.tolist(), lines, strict=True))

    def line(self, place: int) -> list[Cell]:
        """The cells of the row at that place (not: row number)."""
        return [column[place] for column in self.columns]

    @classmethod
    def of_rows(cls, sheet: str, rows: list[tuple[int, list[Any]]], **facts: Any) -> Grid:
        """A grid of rows, for tests and for whoever has no file. Rows may be ragged."""
        width = max((len(cells) for _, cells in rows), default=0)
        columns = []
        for index in range(width):
            column = np.full(len(rows), None, dtype=object)
            for place, (_, cells) in enumerate(rows):
                if index < len(cells) and cells[index] != "":
                    column[place] = cells[index]
            columns.append(column)
        numbers = np.array([number for number, _ in rows], dtype=np.int64)
        return cls(sheet=sheet, numbers=numbers, columns=columns, **facts)
