"""Ditto marks: cells that say 'same as above', read as the cell above them and told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tms_pipeline.intake.rows_apart import spans
from tms_pipeline.records.fault import fault

if TYPE_CHECKING:
    from tms_pipeline.intake.table_faults import Draft

_WORDS = ("ditto", "-ditto-", "-do-", "same as above", "as above", "(same as above)", "(as above)", "same above")
# 'Do' alone is a surname.
MARKS = frozenset(
    {'"', '""', "''", "“", "”", "„", "″", "〃", "〞"}
    | {form(word) for word in _WORDS for form in (str.lower, str.upper, str.capitalize, str.title)}
)


def fill_dittos(draft: Draft) -> Draft:
    """The draft with every ditto mark under its headings replaced by the nearest cell above it among the records.

    Replaced for good: in the sheet of rows to correct, another row may stand above. A mark with nothing above stays.
    """
    grid, places = draft.grid, draft.places
    columns, coded = list(grid.columns), dict(grid.coded)
    rows: set[int] = set()
    for column in {*draft.layout.headings, *(session.column for session in draft.layout.sessions)}:
        if column in grid.coded and MARKS.isdisjoint(grid.coded[column].values.tolist()):
            continue
        cells = grid.columns[column][places].tolist()
        if MARKS.isdisjoint(cells):
            continue
        filled = grid.columns[column].copy()
        above = None
        for place, cell in zip(places.tolist(), cells, strict=True):
            if not (isinstance(cell, str) and cell in MARKS):
                above = cell
            elif above is not None:
                filled[place] = above
                rows.add(int(grid.numbers[place]))
        columns[column] = filled
        coded.pop(column, None)
    if not rows:
        return draft
    faults = [*draft.faults, fault("DITTO_READ", sheet=grid.sheet, row=min(rows), rows=spans(rows))]
    return replace(draft, grid=replace(grid, columns=columns, coded=coded), faults=faults)
