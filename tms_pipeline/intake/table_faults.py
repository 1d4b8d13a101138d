"""What is odd about a table: headings, hidden rows and single cells, each as a fault at its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake.grid import Grid
from tms_pipeline.intake.headings import heading_key, suggestion
from tms_pipeline.intake.layout import WIDE, Layout
from tms_pipeline.intake.sheet_look import CELL_STRUCK_OUT, column_letters
from tms_pipeline.intake.table import Table
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS

MERGED_CELL = "MERGED_CELL"
# Columns that only count the lines: everybody has one, and nobody needs to hear of it.
SERIAL_NUMBERS = frozenset({"", "no", "sn", "sno", "serialno", "serialnumber", "item", "itemno"})


# Merged areas never overlap in an honest file, so that their cells are fewer than the cells of the sheet.
MOST_MERGED = 2_000_000


KNOWN_ERRORS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#ERROR!"}
)


REMARKS = frozenset({"remark", "remarks", "comment", "comments", "note", "notes", "备注"})
_TAKES_BACK = re.compile(
    r"\b(?:withdr[ae]w|cancel|drop(?:ped)?\b|no.?show|refund|void|pull(?:ed)? out|not (?:attend|com)ing|replaced by)",
    re.IGNORECASE,
)


@dataclass(kw_only=True)
class Draft:
    """What the tables of one header row share."""

    grid: Grid
    layout: Layout
    header: int
    places: npt.NDArray[np.int64]
    fields: dict[str, int]
    faults: list[Fault]

    @property
    def row(self) -> int:
        """The sheet row of the headings."""
        return int(self.grid.numbers[self.header])


def named(headings: list[str], columns: list[int], hidden: frozenset[int] = frozenset()) -> str:
    """Headings with the letters of their columns, and which of them are hidden, for a sentence."""
    return ", ".join(
        f"'{heading[:40]}' ({column_letters(column)}{', hidden' if column in hidden else ''})"
        for heading, column in zip(headings, columns, strict=True)
    )


def title_of(name: str) -> str:
    """The title of a field, whichever kind it belongs to."""
    for kind in KINDS.values():
        if name in kind.names:
            return kind.field(name).title
    return name


def is_given(value: Any) -> bool:
    """Whether a cell says something."""
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def note_headings(draft: Draft) -> None:
    """Keep what there is to say of the headings: unknown, unused, left out."""
    grid, layout = draft.grid, draft.layout
    kinds = (*layout.kinds, WIDE) if layout.wide else layout.kinds
    sessions = {session.column for session in layout.sessions} if layout.wide else set()
    for session in layout.unmarked if layout.wide else ():
        draft.faults.append(
            fault("SESSION_WITHOUT_MARKS", sheet=grid.sheet, row=draft.row, column=session.heading[:60])
        )
    unmarked = {session.column for session in layout.unmarked} if layout.wide else set()
    for column in layout.unknown:
        if column in sessions | unmarked or heading_key(layout.headings[column]) in SERIAL_NUMBERS:
            continue
        heading = layout.headings[column][:60]
        close = suggestion(heading, kinds)
        if close and not any(heading_key(close) == heading_key(layout.headings[other]) for other in layout.headings):
            draft.faults.append(
                fault("HEADING_SIMILAR", sheet=grid.sheet, row=draft.row, column=heading, suggestion=close)
            )
        else:
            draft.faults.append(fault("HEADING_UNKNOWN", sheet=grid.sheet, row=draft.row, column=heading))
    for column, cells in enumerate(grid.columns):
        if column in layout.headings or column in sessions or grid.text:
            continue
        if any(is_given(value) for value in cells[draft.places]):
            draft.faults.append(
                fault("COLUMN_WITHOUT_HEADING", sheet=grid.sheet, row=draft.row, letter=column_letters(column))
            )
    for name, column in draft.fields.items():
        if column in grid.hidden_columns:
            heading = layout.headings[column]
            draft.faults.append(fault("HIDDEN_COLUMN", sheet=grid.sheet, row=draft.row, column=heading))
            draft.fields[name] = column


def note_hidden_rows(table: Table, grid: Grid) -> None:
    """Keep a warning for each hidden row that was taken in."""
    if not grid.hidden_rows:
        return
    for row in table.rows.tolist():
        if row in grid.hidden_rows:
            table.faults.append(fault("HIDDEN_ROW", sheet=table.sheet, row=row))


def note_remarks(table: Table, draft: Draft) -> None:
    """Keep a warning where a remark takes back what its row says, as remarks are not read."""
    for column in draft.layout.unknown:
        heading = draft.layout.headings[column]
        if heading_key(heading) not in REMARKS:
            continue
        coded = draft.grid.coded.get(column)
        if coded is not None and not any(_takes_back(value) for value in coded.values.tolist()):
            continue
        cells = draft.grid.columns[column][draft.places].tolist()
        for row, cell in zip(table.rows.tolist(), cells, strict=True):
            if _takes_back(cell):
                table.faults.append(fault("REMARK_NOT_READ", sheet=table.sheet, row=row, column=heading[:60]))


def _takes_back(cell: Any) -> bool:
    return isinstance(cell, str) and _TAKES_BACK.search(cell) is not None


def note_problems(
    table: Table, draft: Draft, lines: npt.NDArray[np.int64], mark_columns: npt.NDArray[np.int64] | None
) -> None:
    """Error cells, formulas without a value, merged cells and rows that are too long, told cell by cell."""
    grid = draft.grid
    place_of = {int(row): at for at, row in enumerate(table.rows.tolist())} if grid.problems or grid.merged else {}
    wanted = {column: name for name, column in draft.fields.items() if name in table.titles}
    if draft.layout.wide and mark_columns is not None:
        wanted.update({session.column: "mark" for session in draft.layout.sessions})
    found = {
        (place_of[row], column): code
        for (row, column), code in grid.problems.items()
        if row in place_of and column in wanted
    }
    for place, column in _merged_places(grid, table, place_of, set(wanted)):
        found.setdefault((place, column), MERGED_CELL)
    by_place: dict[int, list[int]] = {}
    if found:
        for line, place in enumerate(lines.tolist()):
            by_place.setdefault(place, []).append(line)
    crossed: set[int] = set()
    for (place, column), code in sorted(found.items()):
        name = wanted[column]
        again = code == CELL_STRUCK_OUT and place in crossed  # a row is crossed out from end to end: once is enough
        if code == CELL_STRUCK_OUT:
            crossed.add(place)
        row = int(table.rows[place])
        heading = draft.layout.headings.get(column) or next(
            (session.heading for session in draft.layout.sessions if session.column == column), ""
        )
        shown = grid.columns[column][draft.places[place]]
        shown = shown if shown in KNOWN_ERRORS else "(an error)"
        if not again:
            table.faults.append(fault(code, sheet=table.sheet, row=row, column=heading, value=shown))
        for line in by_place.get(place, ()):
            if mark_columns is None or name != "mark" or mark_columns[line] == column:
                table.problems.setdefault(name, {})[line] = code
    if grid.text:
        _note_long_rows(table, draft)


def _merged_places(grid: Grid, table: Table, place_of: dict[int, int], wanted: set[int]) -> list[tuple[int, int]]:
    """Cells inside merged areas that have no value of their own, in the columns wanted."""
    places: list[tuple[int, int]] = []
    steps = 0
    if not grid.merged or not len(table.rows):
        return places
    first_row, last_row = int(table.rows[0]), int(table.rows[-1])
    for top, left, bottom, right in grid.merged:
        columns = [column for column in wanted if left <= column <= right]
        for row in range(max(top, first_row), min(bottom, last_row) + 1) if columns else ():
            steps += len(columns)
            if steps > MOST_MERGED:
                return places
            if row in place_of:
                places += [(place_of[row], column) for column in columns if (row, column) != (top, left)]
    return places


def _note_long_rows(table: Table, draft: Draft) -> None:
    """In a text file, values past the last heading mean that a separator stood inside a value."""
    last = max(draft.layout.headings, default=-1)
    long = np.zeros(len(draft.places), dtype=bool)
    for column in draft.grid.columns[last + 1 :]:
        long |= np.fromiter(map(is_given, column[draft.places]), dtype=bool, count=len(draft.places))
    if long.any():
        table.faults += [
            fault("ROW_TOO_LONG", sheet=table.sheet, row=int(table.rows[place])) for place in np.flatnonzero(long)
        ]
        table.bad_lines = np.isin(table.frame.index.to_numpy(), table.rows[long])
