"""Building a table: rows below a header row become a frame by field, and what is odd about them becomes faults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tms_pipeline.intake import mapping_use
from tms_pipeline.intake.grid import Cells, Grid
from tms_pipeline.intake.headings import heading_key, stated_order, suggestion
from tms_pipeline.intake.layout import WIDE, Layout
from tms_pipeline.intake.mappings import Resolve
from tms_pipeline.intake.rows_apart import rows_of_records
from tms_pipeline.intake.sheet_look import column_letters
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.wide_attendance import numbered, unpivot
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS

MERGED_CELL = "MERGED_CELL"
# Merged areas never overlap in an honest file, so that their cells are fewer than the cells of the sheet.
MOST_MERGED = 2_000_000
KNOWN_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#ERROR!"})


class NotATable(Exception):
    """The headings contradict each other, so that no row of the table can be taken."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].sentence)
        self.faults = list(faults)


@dataclass(kw_only=True)
class _Draft:
    """What the tables of one header row share."""

    grid: Grid
    layout: Layout
    header: int
    places: npt.NDArray[np.int64]
    fields: dict[str, int]
    faults: list[Fault]

    @property
    def row(self) -> int:
        return int(self.grid.numbers[self.header])


def build_tables(grid: Grid, layout: Layout, header: int, places: npt.NDArray[np.int64],
                 resolve: Resolve | None) -> list[Table]:
    """The tables under one header row: one for all kinds with a line a row, and one for wide attendance.

    Raises NotATable when two columns of one field or session contradict each other.
    """
    draft = _Draft(grid=grid, layout=layout, header=header, places=places, fields={}, faults=[])
    _single_columns(draft)
    _note_headings(draft)
    draft.places, apart = rows_of_records(grid, layout, header, draft.places, draft.fields)
    draft.faults += apart
    tables = []
    kinds = _kinds_taken(draft)
    if kinds:
        tables.append(_long(draft, kinds, resolve))
    if layout.wide:
        tables.append(_wide(draft, first=not kinds))
    return tables


def _single_columns(draft: _Draft) -> None:
    """One column a field: of several that say the same the first, else the table is refused."""
    grid, layout = draft.grid, draft.layout
    for name, columns in layout.columns.items():
        if len(columns) > 1 and not (layout.mapping and layout.mapping.joins(name)):
            words = {"columns": _named([layout.headings[column] for column in columns], columns), "title": _title(name)}
            filled = [column for column in columns if any(_given(value) for value in grid.columns[column][draft.places])]
            if len(filled) > 1:
                first = grid.columns[filled[0]][draft.places]
                if any(not np.array_equal(first, grid.columns[other][draft.places]) for other in filled[1:]):
                    raise NotATable(fault("HEADING_DOUBLED", sheet=grid.sheet, row=draft.row, **words))
            draft.faults.append(fault("HEADING_DOUBLED_SAME", sheet=grid.sheet, row=draft.row, **words))
            columns = filled or columns
        draft.fields[name] = columns[0]


def _named(headings: list[str], columns: list[int]) -> str:
    return ", ".join(f"'{heading[:40]}' ({column_letters(column)})" for heading, column in zip(headings, columns, strict=True))


def _title(name: str) -> str:
    for kind in KINDS.values():
        if name in kind.names:
            return kind.field(name).title
    return name


def _given(value: Any) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _note_headings(draft: _Draft) -> None:
    grid, layout = draft.grid, draft.layout
    kinds = (*layout.kinds, WIDE) if layout.wide else layout.kinds
    sessions = {session.column for session in layout.sessions} if layout.wide else set()
    for column in layout.unknown:
        if column in sessions:
            continue
        heading = layout.headings[column][:60]
        close = suggestion(heading, kinds)
        if close and not any(heading_key(close) == heading_key(layout.headings[other]) for other in layout.headings):
            draft.faults.append(fault("HEADING_SIMILAR", sheet=grid.sheet, row=draft.row, column=heading, suggestion=close))
        else:
            draft.faults.append(fault("HEADING_UNKNOWN", sheet=grid.sheet, row=draft.row, column=heading))
    for column, cells in enumerate(grid.columns):
        if column in layout.headings or column in sessions or grid.text:
            continue
        if any(_given(value) for value in cells[draft.places]):
            draft.faults.append(fault("COLUMN_WITHOUT_HEADING", sheet=grid.sheet, row=draft.row, letter=column_letters(column)))
    for name, column in draft.fields.items():
        if column in grid.hidden_columns:
            heading = layout.headings[column]
            draft.faults.append(fault("HIDDEN_COLUMN", sheet=grid.sheet, column=heading))
            draft.fields[name] = column


def _kinds_taken(draft: _Draft) -> tuple[str, ...]:
    """The kinds with all required headings; when there is none, all, so that their rows are rejected with reasons."""
    layout, found = draft.layout, draft.layout.found
    lacking: dict[str, list[str]] = {}
    for name in layout.kinds:
        lacking[name] = [item.title for item in KINDS[name].fields if item.required and item.default is None
                         and item.name not in found]
    whole = tuple(name for name in layout.kinds if not lacking[name])
    unused = [] if not whole else [name for name in layout.kinds if lacking[name]]
    for name in layout.kinds:
        if not lacking[name]:
            continue
        words = {"headings": ", ".join(f"'{title}'" for title in lacking[name]), "kind": KINDS[name].plural.lower()}
        code = "KIND_LEFT_OUT" if name in unused else "REQUIRED_HEADINGS_MISSING"
        draft.faults.append(fault(code, sheet=draft.grid.sheet, row=draft.row, **words))
    taken = whole or layout.kinds
    used = {item for name in (*taken, *((WIDE,) if layout.wide else ())) for item in KINDS[name].names}
    spare = [layout.headings[column] for name, column in draft.fields.items()
             if name not in used and not (layout.mapping and layout.mapping.needs(name))]
    if spare:
        words = {"columns": ", ".join(f"'{heading[:40]}'" for heading in spare)}
        draft.faults.append(fault("HEADING_UNUSED", sheet=draft.grid.sheet, row=draft.row, **words))
    return taken


def _long(draft: _Draft, kinds: tuple[str, ...], resolve: Resolve | None) -> Table:
    """The table with one line a row."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    data: dict[str, Cells] = {name: grid.columns[column][places] for name, column in draft.fields.items()}
    titles = {name: layout.headings[column] for name, column in draft.fields.items()}
    _fill_from_above(draft, data, titles, kinds)
    table = _table(draft, kinds, data, titles, np.arange(len(places)))
    if layout.mapping is not None:
        mapping_use.apply(layout.mapping, table, mapping_use.columns_of(grid, layout, places), resolve)
    return table


def _fill_from_above(draft: _Draft, data: dict[str, Cells], titles: dict[str, str], kinds: tuple[str, ...]) -> None:
    """Fields that only the lines above the table give, for kinds that must have them."""
    needed = {item.name for kind in kinds for item in KINDS[kind].fields
              if item.required or item.name in KINDS[kind].signature}
    given = set(draft.layout.mapping.given_fields(draft.layout.headings.values())) if draft.layout.mapping else set()
    for name, (label, value) in draft.layout.above.items():
        if name in needed and name not in data and name not in given:
            column = np.empty(len(draft.places), dtype=object)
            column[:] = [value] * len(draft.places)
            data[name], titles[name] = column, label
            draft.faults.append(fault("VALUE_FROM_TITLE", sheet=draft.grid.sheet, column=label))


def _wide(draft: _Draft, *, first: bool) -> Table:
    """The attendance table with one line a mark. Faults of the sheet are told once, by the first table."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    sessions = layout.sessions
    if any(session.number is not None for session in sessions):
        sessions = [session for session in sessions if session.number is not None]
    numbers = numbered(sessions)
    for number in numbers:
        if numbers.count(number) > 1:
            same = [session for session, other in zip(sessions, numbers, strict=True) if other == number]
            words = _named([session.heading for session in same], [session.column for session in same])
            raise NotATable(fault("SESSION_DOUBLED", sheet=grid.sheet, row=draft.row, columns=words))
    faults = draft.faults if first else []
    if sessions[0].number is None:
        told = "; ".join(f"'{session.heading}' is session {number}" for session, number in zip(sessions, numbers, strict=True))
        faults.append(fault("SESSIONS_BY_ORDER", sheet=grid.sheet, row=draft.row, sessions=told[:200]))
    marks = unpivot([grid.columns[session.column][places] for session in sessions], sessions, numbers)
    data = {name: grid.columns[column][places][marks.places] for name, column in draft.fields.items()}
    titles = {name: layout.headings[column] for name, column in draft.fields.items()}
    shorter = replace(draft, faults=faults)
    base = {name: grid.columns[column][places] for name, column in draft.fields.items()}
    before = set(base)
    _fill_from_above(shorter, base, titles, (WIDE,))
    data.update({name: base[name][marks.places] for name in base.keys() - before})
    data["session_no"], data["mark"] = marks.numbers, marks.marks
    table = _table(shorter, (WIDE,), data, titles, marks.places, marks.columns)
    table.line_titles = {"session_no": marks.headings, "mark": marks.headings}
    marked = set(marks.places.tolist())
    if len(marked) < len(places):
        bare = [int(grid.numbers[place]) for at, place in enumerate(places.tolist()) if at not in marked]
        table.faults.append(fault("ROWS_WITHOUT_VALUES", sheet=grid.sheet, rows=_spans(bare)))
        kept = np.array(sorted(marked), dtype=np.int64)
        table.rows = table.rows[kept]
        table.columns = [column[kept] for column in table.columns]
    return table


def _spans(rows: list[int]) -> str:
    from tms_pipeline.intake.rows_apart import spans

    return spans(rows)


def _table(draft: _Draft, kinds: tuple[str, ...], data: dict[str, Cells], titles: dict[str, str],
           lines: npt.NDArray[np.int64], mark_columns: npt.NDArray[np.int64] | None = None) -> Table:
    """The table, with the faults of its single cells. ``lines`` says of which row (by place) each line is."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    rows = grid.numbers[places]
    shown = [*layout.headings]
    extra = [session.column for session in layout.sessions if layout.wide and session.column not in layout.headings]
    heading_of = {**layout.headings, **{session.column: session.heading for session in layout.sessions}}
    shown = sorted({*shown, *extra})
    index = pd.Index(rows[lines], name="row")
    frame = pd.DataFrame(data, index=index, dtype=object) if data else pd.DataFrame(index=index)
    table = Table(
        sheet=grid.sheet, header_row=draft.row, kinds=kinds, headings=[heading_of[column] for column in shown], rows=rows,
        columns=[grid.columns[column][places] for column in shown], frame=frame, titles=titles, faults=draft.faults,
        mapping=layout.mapping.name if layout.mapping else None, epoch_1904=grid.epoch_1904,
    )
    for name, heading in titles.items():
        order = stated_order(heading)
        if order:
            table.orders[name] = order
    _note_hidden_rows(table, grid)
    _note_problems(table, draft, lines, mark_columns)
    return table


def _note_hidden_rows(table: Table, grid: Grid) -> None:
    if not grid.hidden_rows:
        return
    for row in table.rows.tolist():
        if row in grid.hidden_rows:
            table.faults.append(fault("HIDDEN_ROW", sheet=table.sheet, row=row))


def _note_problems(table: Table, draft: _Draft, lines: npt.NDArray[np.int64],
                   mark_columns: npt.NDArray[np.int64] | None) -> None:
    """Error cells, formulas without a value, merged cells and rows that are too long, told cell by cell."""
    grid = draft.grid
    place_of = {int(row): at for at, row in enumerate(table.rows.tolist())} if grid.problems or grid.merged else {}
    wanted = {column: name for name, column in draft.fields.items() if name in table.titles}
    if draft.layout.wide and mark_columns is not None:
        wanted.update({session.column: "mark" for session in draft.layout.sessions})
    found = {(place_of[row], column): code for (row, column), code in grid.problems.items()
             if row in place_of and column in wanted}
    for place, column in _merged_places(grid, table, place_of, set(wanted)):
        found.setdefault((place, column), MERGED_CELL)
    by_place: dict[int, list[int]] = {}
    if found:
        for line, place in enumerate(lines.tolist()):
            by_place.setdefault(place, []).append(line)
    for (place, column), code in sorted(found.items()):
        name = wanted[column]
        row = int(table.rows[place])
        heading = draft.layout.headings.get(column) or next(
            (session.heading for session in draft.layout.sessions if session.column == column), "")
        shown = grid.columns[column][draft.places[place]]
        shown = shown if shown in KNOWN_ERRORS else "(an error)"
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


def _note_long_rows(table: Table, draft: _Draft) -> None:
    """In a text file, values past the last heading mean that a separator stood inside a value."""
    last = max(draft.layout.headings, default=-1)
    long = np.zeros(len(draft.places), dtype=bool)
    for column in draft.grid.columns[last + 1 :]:
        long |= np.fromiter(map(_given, column[draft.places]), dtype=bool, count=len(draft.places))
    if long.any():
        table.faults += [fault("ROW_TOO_LONG", sheet=table.sheet, row=int(table.rows[place])) for place in np.flatnonzero(long)]
        table.bad_lines = np.isin(table.frame.index.to_numpy(), table.rows[long])
