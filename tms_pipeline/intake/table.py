"""Table: the rows under one header row, as typed and by field."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from tms_pipeline.intake.grid import Cell, Cells, Coded
    from tms_pipeline.records.fault import Fault


@dataclass(kw_only=True)
class Table:
    """One table of one sheet.

    ``kinds`` are the record kinds that it holds, in plan order. ``headings`` are all non-empty headings as typed,
    ``columns`` the cells under them; ``cells`` shows these by sheet row. ``frame`` has raw cells by field name with the
    sheet row as its index; a wide attendance sheet gives several lines of one row. ``coded`` has the columns that the
    reader sent so a second time, by their place, and ``field_coded`` those fields of ``frame`` that stand as they were
    sent. ``titles`` names the heading of each field. ``problems`` holds, by field, the fault codes of single lines,
    which canonicalise takes as said; ``kind_lines`` the lines that hold a kind at all, when a mapping says that not all
    do.
    """

    sheet: str
    header_row: int
    kinds: tuple[str, ...]
    headings: list[str]
    rows: npt.NDArray[np.int64]
    columns: list[Cells]
    frame: pd.DataFrame
    titles: dict[str, str]
    faults: list[Fault] = field(default_factory=list)
    mapping: str | None = None
    problems: dict[str, dict[int, str]] = field(default_factory=dict)
    line_titles: dict[str, Cells] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    epoch_1904: bool = False
    bad_lines: npt.NDArray[np.bool_] | None = None
    coded: dict[int, Coded] = field(default_factory=dict)
    field_coded: dict[str, Coded] = field(default_factory=dict)
    kind_lines: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    canonical_memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def cells(self) -> dict[int, list[Cell]]:
        """Sheet row to all its cells as typed, in the order of ``headings``."""
        lines = map(list, zip(*(column.tolist() for column in self.columns), strict=True))
        return dict(zip(self.rows.tolist(), lines, strict=True))

    def title_at(self, name: str, line: int, otherwise: str) -> str:
        """The heading over the cell of that field in that line, or ``otherwise`` when the column is missing."""
        if name in self.line_titles:
            return str(self.line_titles[name][line])
        return self.titles.get(name, otherwise)

    def some_lines(self, kind: str, wanted: npt.NDArray[np.bool_]) -> Table:
        """The same table with only these lines, for a kind that not every row holds."""
        lines = np.flatnonzero(wanted)
        place = {int(line): at for at, line in enumerate(lines)}
        problems = {
            name: {place[line]: code for line, code in told.items() if line in place}
            for name, told in self.problems.items()
        }
        return replace(
            self,
            frame=self.frame.iloc[lines],
            problems=problems,
            canonical_memory={},
            field_coded={name: coded.at(lines) for name, coded in self.field_coded.items()},
            line_titles={name: titles[lines] for name, titles in self.line_titles.items()},
            bad_lines=None if self.bad_lines is None else self.bad_lines[lines],
            kind_lines={name: mask for name, mask in self.kind_lines.items() if name != kind},
        )
