"""Rows apart: lines under the headings that are no records (notes, totals, empty numbered lines, headings again)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake.sheet_look import UNCACHED
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS

if TYPE_CHECKING:
    from tms_pipeline.intake.grid import Grid
    from tms_pipeline.intake.layout import Layout

_TOTAL = re.compile(
    r"\s*(grand\s+|sub-?\s*)?total\b|\s*(sum|count|end of (list|file|report)|page \d+)\b", re.IGNORECASE
)
_NOTE = re.compile(
    r"\s*(notes?|remarks?|legend|prepared by|checked by|approved by|updated|generated|printed|source)\b|\s*\*",
    re.IGNORECASE,
)


# numpy's stubs know no comparison with None.
NOTHING: Any = None


def rows_of_records(
    grid: Grid, layout: Layout, header: int, places: npt.NDArray[np.int64], fields: dict[str, int]
) -> tuple[npt.NDArray[np.int64], list[Fault]]:
    """The places of the rows that are records, and a warning for each kind of row left out."""
    mapped = set(fields.values())
    keys = {column for name, column in fields.items() if any(name in KINDS[kind].key for kind in layout.kinds)}
    if layout.wide:
        mapped |= {session.column for session in layout.sessions}
    if layout.mapping is not None:
        mapped |= layout.mapping.source_columns(layout)
    faults: list[Fault] = []
    filled = np.zeros(len(places), dtype=np.int64)
    for column in mapped:
        filled += grid.columns[column][places] != NOTHING
    kept = np.ones(len(places), dtype=bool)
    # Only rows with little in them are looked at one by one.
    suspects = np.flatnonzero(filled <= 2)
    bare: list[int] = []
    for at in suspects.tolist():
        place = int(places[at])
        row = int(grid.numbers[place])
        cells = [(column, grid.columns[column][place]) for column in range(len(grid.columns))]
        given = [(column, cell) for column, cell in cells if _given(cell)]
        known = [cell for column, cell in given if column in mapped]
        telling = [cell for column, cell in given if column in keys]
        problem = any((row, column) in grid.problems for column in mapped)
        if not known:
            if not problem and given:
                bare.append(row)
            kept[at] = problem
        elif (
            (not telling and _is_sum(known))
            or _is_count(given, len(mapped))
            or _is_note(known, len(mapped), given)
            or _is_legend(given, len(mapped), fields.get("nric"))
        ):
            kept[at] = False
            faults.append(fault("NOTE_ROW", sheet=grid.sheet, row=row))
    kept &= ~_repeated_headings(grid, layout, header, places, kept, faults)
    if bare:
        faults.append(fault("ROWS_WITHOUT_VALUES", sheet=grid.sheet, row=bare[0], rows=spans(bare)))
    return places[kept], faults


def _given(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _is_sum(known: list[Any]) -> bool:
    """A lone number below the rows, in no column that tells records apart."""
    return len(known) == 1 and (isinstance(known[0], (int, float)) or known[0] == UNCACHED)


def _is_count(given: list[tuple[int, Any]], columns: int) -> bool:
    """Nothing in the whole line but one number: how many there are."""
    return columns >= 4 and len(given) == 1 and isinstance(given[0][1], (int, float))


def _is_legend(given: list[tuple[int, Any]], columns: int, nric: int | None) -> bool:
    """Two words such as 'Green' and 'paid', one of them where a number of identity would be."""
    if columns < 4 or nric is None or len(given) > 2:
        return False
    words = [cell for _, cell in given]
    return any(column == nric for column, _ in given) and all(
        isinstance(word, str) and not any(letter.isdigit() for letter in word) for word in words
    )


def _is_note(known: list[Any], columns: int, given: list[tuple[int, Any]]) -> bool:
    """A note or total: one or two cells of four or more, and words that say so, or a sentence."""
    if columns < 4 or len(given) > 4:
        return False
    words = [cell for _, cell in given if isinstance(cell, str)]
    if any(_TOTAL.match(word) for word in words):
        return True
    if len(known) > 1 or not words:
        return False
    return bool(_NOTE.match(words[0])) or (len(given) == 1 and len(words[0].split()) >= 4)


def _repeated_headings(
    grid: Grid,
    layout: Layout,
    header: int,
    places: npt.NDArray[np.int64],
    kept: npt.NDArray[np.bool_],
    faults: list[Fault],
) -> npt.NDArray[np.bool_]:
    """Rows that say the same as the header row."""
    same = kept.copy()
    for column in layout.headings:
        if not same.any():
            return same
        same &= np.equal(grid.columns[column][places], grid.columns[column][header])
    faults += [
        fault("HEADING_REPEATED", sheet=grid.sheet, row=int(grid.numbers[places[at]])) for at in np.flatnonzero(same)
    ]
    return same


def spans(rows: Iterable[int], most: int = 8) -> str:
    """Row numbers in short: 'row 3', 'rows 3, 5 to 9 and 12'."""
    runs: list[tuple[int, int]] = []
    for row in sorted(rows):
        if runs and row == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    words = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:most]]
    if len(runs) > most:
        words.append(f"{len(runs) - most} more places")
    said = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return f"rows {said}" if len(runs) > 1 or runs[0][0] != runs[0][1] else f"row {said}"
