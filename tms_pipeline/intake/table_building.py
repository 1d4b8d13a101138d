"""Building a table: rows below a header row become a frame by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from tms_pipeline.intake import mapping_use
from tms_pipeline.intake.cells import canonical_column
from tms_pipeline.intake.day_sessions import match_days
from tms_pipeline.intake.ditto_marks import fill_dittos
from tms_pipeline.intake.grid import Cells, Grid
from tms_pipeline.intake.headings import stated_order
from tms_pipeline.intake.layout import WIDE, Layout
from tms_pipeline.intake.mappings import KnownSession, LookUp, Resolve
from tms_pipeline.intake.rows_apart import rows_of_records, spans
from tms_pipeline.intake.session_dates import HeadingDate, date_of_day, date_of_heading, in_words, match
from tms_pipeline.intake.sheet_look import column_letters
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.table_faults import (
    Draft,
    is_given,
    named,
    note_headings,
    note_hidden_rows,
    note_problems,
    note_remarks,
    title_of,
)
from tms_pipeline.intake.wide_attendance import SessionColumn, numbered, unpivot, with_marks
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS


class NotATable(Exception):
    """The headings contradict each other, so that no row of the table can be taken."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].sentence)
        self.faults = list(faults)


def build_tables(
    grid: Grid, layout: Layout, header: int, places: npt.NDArray[np.int64], resolve: Resolve | None
) -> list[Table]:
    """The tables under one header row: one for all kinds with a line a row, and one for wide attendance.

    Raises NotATable when two columns of one field or session contradict each other.
    """
    draft = Draft(grid=grid, layout=layout, header=header, places=places, fields={}, faults=[])
    _single_columns(draft)
    note_headings(draft)
    draft.places, apart = rows_of_records(grid, layout, header, draft.places, draft.fields)
    draft.faults += apart
    draft = fill_dittos(draft)
    tables = []
    kinds = _kinds_taken(draft)
    if kinds:
        tables.append(_long(draft, kinds, resolve))
    if layout.wide:
        tables.append(_wide(draft, resolve, first=not kinds))
    return tables


def _single_columns(draft: Draft) -> None:
    """One column a field: of several that say the same the first, else the table is refused."""
    grid, layout = draft.grid, draft.layout
    for name, columns in layout.columns.items():
        if len(columns) > 1 and not (layout.mapping and layout.mapping.joins(name)):
            words = {
                "columns": named([layout.headings[column] for column in columns], columns, grid.hidden_columns),
                "title": title_of(name),
            }
            filled = [
                column for column in columns if any(is_given(value) for value in grid.columns[column][draft.places])
            ]
            if len(filled) > 1:
                first = grid.columns[filled[0]][draft.places]
                if any(not np.array_equal(first, grid.columns[other][draft.places]) for other in filled[1:]):
                    if _apart(draft, filled[0], filled[-1]):
                        raise NotATable(fault("TABLES_SIDE_BY_SIDE", sheet=grid.sheet, row=draft.row, **words))
                    raise NotATable(fault("HEADING_DOUBLED", sheet=grid.sheet, row=draft.row, **words))
            draft.faults.append(fault("HEADING_DOUBLED_SAME", sheet=grid.sheet, row=draft.row, **words))
            columns = filled or columns
        draft.fields[name] = columns[0]


def _apart(draft: Draft, left: int, right: int) -> bool:
    """Whether a column without heading and values stands between the two, as between tables side by side."""
    return any(
        column not in draft.layout.headings
        and not any(is_given(value) for value in draft.grid.columns[column][draft.places])
        for column in range(left + 1, right)
    )


def _kinds_taken(draft: Draft) -> tuple[str, ...]:
    """The kinds with all required headings; when there is none, all, so that their rows are rejected with reasons."""
    layout, found = draft.layout, draft.layout.found
    lacking: dict[str, list[str]] = {}
    for name in layout.kinds:
        lacking[name] = [
            item.title
            for item in KINDS[name].fields
            if item.required and item.default is None and item.name not in found
        ]
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
    spare = [
        layout.headings[column]
        for name, column in draft.fields.items()
        if name not in used and not (layout.mapping and layout.mapping.needs(name))
    ]
    if spare:
        words = {"columns": ", ".join(f"'{heading[:40]}'" for heading in spare)}
        draft.faults.append(fault("HEADING_UNUSED", sheet=draft.grid.sheet, row=draft.row, **words))
    return taken


def _long(draft: Draft, kinds: tuple[str, ...], resolve: Resolve | None) -> Table:
    """The table with one line a row."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    data: dict[str, Cells] = {name: grid.columns[column][places] for name, column in draft.fields.items()}
    titles = {name: layout.headings[column] for name, column in draft.fields.items()}
    _fill_from_above(draft, data, titles, kinds)
    table = _table(draft, kinds, data, titles, np.arange(len(places)))
    if layout.mapping is None:
        table.field_coded = {
            name: grid.coded[column].at(places) for name, column in draft.fields.items() if column in grid.coded
        }
    else:
        mapping_use.apply(layout.mapping, table, mapping_use.columns_of(grid, layout, places), resolve)
    if WIDE in kinds and resolve is not None:
        match_days(table, resolve)
    return table


def _fill_from_above(draft: Draft, data: dict[str, Cells], titles: dict[str, str], kinds: tuple[str, ...]) -> None:
    """Fields that only the lines above the table give, for kinds that must have them."""
    needed = {
        item.name
        for kind in kinds
        for item in KINDS[kind].fields
        if item.required or item.name in KINDS[kind].signature
    }
    given = set(draft.layout.mapping.given_fields(draft.layout.headings.values())) if draft.layout.mapping else set()
    for name, (label, value) in draft.layout.above.items():
        if name in needed and name not in data and name not in given:
            column = np.empty(len(draft.places), dtype=object)
            column[:] = [value] * len(draft.places)
            data[name], titles[name] = column, label
            draft.faults.append(fault("VALUE_FROM_TITLE", sheet=draft.grid.sheet, row=draft.row, column=label))


def _wide(draft: Draft, resolve: Resolve | None, *, first: bool) -> Table:
    """The attendance table with one line a mark. Faults of the sheet are told once, by the first table."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    sessions = layout.sessions
    if any(session.number is not None for session in sessions):
        sessions = [session for session in sessions if session.number is not None]
    _refuse_bare_sessions(draft)
    numbers = numbered(sessions)
    by_date = resolve is not None and (sessions[0].number is None or all(session.day for session in sessions))
    for number in () if by_date else numbers:
        if numbers.count(number) > 1:
            same = [session for session, other in zip(sessions, numbers, strict=True) if other == number]
            words = named([session.heading for session in same], [session.column for session in same])
            raise NotATable(fault("SESSION_DOUBLED", sheet=grid.sheet, row=draft.row, columns=words))
    faults = draft.faults if first else []
    if sessions[0].number is None and not by_date:
        told = "; ".join(
            f"'{session.heading}' is session {number}" for session, number in zip(sessions, numbers, strict=True)
        )
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
    if by_date and resolve is not None:
        _match_sessions(table, sessions, marks.columns, resolve)
    marked = set(marks.places.tolist())
    if len(marked) < len(places):
        bare = [int(grid.numbers[place]) for at, place in enumerate(places.tolist()) if at not in marked]
        table.faults.append(fault("ROWS_WITHOUT_VALUES", sheet=grid.sheet, row=bare[0], rows=spans(bare)))
        kept = np.array(sorted(marked), dtype=np.int64)
        table.rows = table.rows[kept]
        table.columns = [column[kept] for column in table.columns]
        table.coded = {index: coded.at(kept) for index, coded in table.coded.items()}
    return table


def _match_sessions(
    table: Table, sessions: list[SessionColumn], columns: npt.NDArray[np.int64], resolve: Resolve
) -> None:
    """Gives every mark the number of the session that its date names in its run; else its row says which there are."""
    runs = (
        canonical_column(KINDS[WIDE].field("run_code"), table.frame["run_code"].to_numpy(dtype=object))
        if "run_code" in table.frame.columns
        else [None] * len(table.frame)
    )
    known = sorted({run for run in runs if run})
    answers = resolve(LookUp(into="session_no", by={"run_code": "Course Run"}), [(run,) for run in known])
    listed = {run: answer.sessions for run, answer in zip(known, answers, strict=True)}
    found = {run: match(_dates_of(sessions, listed[run]), listed[run]) for run in known}
    numbers = np.full(len(table.frame), None, dtype=object)
    rows = table.frame.index.to_numpy()
    heading_of = {session.column: session.heading for session in sessions}
    for line, (run, column) in enumerate(zip(runs, columns.tolist(), strict=True)):
        if run is None:  # told by its own cell
            continue
        numbers[line] = found[run].numbers.get(column)
        if numbers[line] is None:
            near = found[run].unclear.get(column, listed[run])
            table.faults.append(
                fault(
                    "SESSION_DATE_UNMATCHED",
                    sheet=table.sheet,
                    row=int(rows[line]),
                    column=heading_of[column],
                    run=run,
                    sessions=in_words(near),
                )
            )
            table.problems.setdefault("session_no", {})[line] = "SESSION_DATE_UNMATCHED"
    table.frame["session_no"] = pd.Series(numbers, index=table.frame.index, dtype=object)
    as_counted = {session.column: session.number for session in sessions}
    for run, matched in found.items():
        if any(number != as_counted[column] for column, number in matched.numbers.items()):
            pairs = [f"'{heading_of[column]}' is session {number}" for column, number in matched.numbers.items()]
            told = "; ".join(pairs)
            table.faults.append(
                fault("SESSIONS_BY_DATE", sheet=table.sheet, row=table.header_row, run=run, sessions=told[:300])
            )


def _dates_of(sessions: list[SessionColumn], known: Sequence[KnownSession]) -> dict[int, HeadingDate]:
    """The dates of the columns; of 'Day 2 PM' the second day on which this run has sessions."""
    dates = {
        session.column: date_of_day(session.number or 0, session.half, known)
        if session.day
        else date_of_heading(session.cell)
        for session in sessions
    }
    return {column: day for column, day in dates.items() if day is not None}


def _refuse_bare_sessions(draft: Draft) -> None:
    """A column of marks beside session columns, with no heading of its own (AM and PM below one heading)."""
    grid, layout = draft.grid, draft.layout
    taken = {session.column for session in layout.sessions}
    for column in range(min(taken) + 1, len(grid.columns)):
        if column in taken or column in layout.headings or column - 1 not in taken:
            continue
        cells = grid.columns[column][draft.places]
        bare = SessionColumn(column=column, heading="", number=None)
        if any(is_given(cell) for cell in cells) and with_marks([bare], [cells]):
            words = {"letter": column_letters(column), "heading": layout.headings.get(column - 1, "")[:40]}
            raise NotATable(fault("SESSION_WITHOUT_HEADING", sheet=grid.sheet, row=draft.row, **words))


def _table(
    draft: Draft,
    kinds: tuple[str, ...],
    data: dict[str, Cells],
    titles: dict[str, str],
    lines: npt.NDArray[np.int64],
    mark_columns: npt.NDArray[np.int64] | None = None,
) -> Table:
    """The table, with the faults of its single cells. ``lines`` says of which row (by place) each line is."""
    grid, layout, places = draft.grid, draft.layout, draft.places
    rows = grid.numbers[places]
    shown = [*layout.headings]
    extra = [session.column for session in layout.sessions if layout.wide and session.column not in layout.headings]
    heading_of = {**layout.headings, **{session.column: session.heading for session in layout.sessions}}
    shown = sorted({*shown, *extra})
    index = pd.Index(rows[lines], name="row")
    frame = pd.DataFrame(data, index=index, dtype=object) if data else pd.DataFrame(index=index)
    # Values of the lines above go back to ops as columns: the rows to fix must stand by themselves.
    above = [said for name, said in layout.above.items() if name not in draft.fields and titles.get(name) == said[0]]
    table = Table(
        sheet=grid.sheet,
        header_row=draft.row,
        kinds=kinds,
        headings=[*(heading_of[column] for column in shown), *(label for label, _ in above)],
        rows=rows,
        columns=[
            *(grid.columns[column][places] for column in shown),
            *(np.full(len(places), value, dtype=object) for _, value in above),
        ],
        frame=frame,
        titles=titles,
        faults=draft.faults,
        mapping=layout.mapping.name if layout.mapping else None,
        epoch_1904=grid.epoch_1904,
        coded={index: grid.coded[column].at(places) for index, column in enumerate(shown) if column in grid.coded},
    )
    for name, heading in titles.items():
        order = stated_order(heading)
        if order:
            table.orders[name] = order
    note_hidden_rows(table, grid)
    note_problems(table, draft, lines, mark_columns)
    note_remarks(table, draft)
    return table
