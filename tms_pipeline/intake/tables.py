"""Tables: where in the sheets the tables are, and which record kinds they hold, told by their headings alone."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake.foreign_exports import foreign_export
from tms_pipeline.intake.grid import Cell, Grid
from tms_pipeline.intake.headings import fields_of, rough_key, rough_keys
from tms_pipeline.intake.headings_astray import similar_headings, unclear_headings
from tms_pipeline.intake.layout import Layout, nearest, understand
from tms_pipeline.intake.mappings import Mapping, Resolve, choose, shipped_mappings
from tms_pipeline.intake.opening import FileRefused, OpenedFile, refused
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.table_building import NotATable, build_tables
from tms_pipeline.intake.table_faults import named
from tms_pipeline.intake.wide_attendance import with_marks
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS

__all__ = ["Table", "find_tables"]

# Titles, logos and addresses above the headings take fewer lines than this.
LINES_TO_HEADINGS = 40
LINES_OF_LABELS = 4
FIX_SHEET = "fix these rows"
# Sheets that are there to be read by people, and of which nobody needs to hear: our own template's, Apple Numbers'.
QUIET_SHEETS = frozenset({"guidance", "instructions", "instruction", "read me", "readme", "export summary"})
# What forms about a course ask, and no record does.
_FEEDBACK = re.compile(
    r"\b(?:rat(?:e|ing|ings)|satisf\w+|feedback|recommend|comments?|suggestions?|useful|enjoy\w*|evaluat\w+|agree)\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"^([^:：]{2,60})[:：]\s*(.*)$", re.DOTALL)


@dataclass
class _Block:
    """Consecutive rows without a blank row between, as places [first, last) in the grid."""

    first: int
    last: int


def find_tables(
    opened: OpenedFile,
    *,
    mapping: str | None = None,
    resolve: Resolve | None = None,
    mappings: Sequence[Mapping] | None = None,
) -> tuple[list[Table], list[Fault]]:
    """All tables of the file, and the faults of the file as a whole.

    ``mapping`` names the mapping to use (else it is chosen by the headings, or none is); ``resolve`` answers its
    key look-ups; ``mappings`` are the known ones (the shipped ones by default). Raises FileRefused when no sheet
    holds a table that we know, with the headings that are missing if one comes near.
    """
    known = list(shipped_mappings()) if mappings is None else list(mappings)
    named = choose(mapping, known) if mapping else None
    tables: list[Table] = []
    faults: list[Fault] = list(opened.warnings)
    fixes = [grid for grid in opened.grids if grid.sheet.strip().casefold().startswith(FIX_SHEET)]
    for grid in fixes or opened.grids:
        if not len(grid.numbers):
            continue
        found = _Sheet(grid, named, known, resolve)
        found.read()
        if grid.hidden and found.tables:
            faults.append(fault("SHEET_HIDDEN", sheet=grid.sheet))
            continue
        tables += found.tables
        faults += found.faults
        quiet = grid.sheet.strip().casefold() in QUIET_SHEETS
        if not found.tables and not found.faults and not grid.hidden and not quiet:
            faults.append(fault("FORM_WITHOUT_RECORDS" if found.form else "SHEET_SKIPPED", sheet=grid.sheet))
    if any(len(table.rows) for table in tables):
        faults += [fault("NO_ROWS", sheet=table.sheet, row=table.header_row) for table in tables if not len(table.rows)]
        return [table for table in tables if len(table.rows)], faults
    foreign = foreign_export(opened.grids) if not tables and named is None else None
    if foreign is not None:
        raise FileRefused(foreign)
    if tables:
        raise FileRefused(fault("NO_ROWS", sheet=tables[0].sheet, row=tables[0].header_row))
    errors = [item for item in faults if item.severity == "error"]
    if errors:
        raise FileRefused(errors[0])
    told = [item for item in faults if item.code in ("FORM_WITHOUT_RECORDS", "SHEET_HIDDEN")]
    if told:
        raise FileRefused(told[0])
    if named is not None:
        raise refused("MAPPING_MISFIT", mapping=named.name, headings=named.fingerprint_words())
    raise FileRefused(unclear_headings(opened.grids) or fault("NO_KNOWN_HEADINGS"))


class _Sheet:
    """The search through one sheet, block by block."""

    def __init__(self, grid: Grid, named: Mapping | None, known: list[Mapping], resolve: Resolve | None) -> None:
        self.grid, self.named, self.known, self.resolve = grid, named, known, resolve
        self.tables: list[Table] = []
        self.faults: list[Fault] = []
        self.above: dict[str, tuple[str, Cell]] = {}
        self.form = False
        self.rough = rough_keys().union(*(mapping.rough_keys for mapping in (*known, *((named,) if named else ()))))

    def read(self) -> None:
        """Finds the tables. A block without headings of its own goes on with the table above it."""
        layout: Layout | None = None
        header = -1
        parts: list[_Block] = []
        blocks = deque(_blocks(self.grid))
        while blocks:
            block = blocks.popleft()
            place, found = self._find_header(block)
            if found is None:
                if layout is not None:
                    parts.append(block)
                continue
            self._close(layout, header, parts)
            layout, header = found, place
            again = self._headings_again(layout, place, block)
            parts = [_Block(place + 1, again)]
            if again < block.last:
                blocks.appendleft(_Block(again, block.last))
        self._close(layout, header, parts)

    def _find_header(self, block: _Block) -> tuple[int, Layout | None]:
        """The first line that has all telling headings of a kind, else the line that comes nearest to one."""
        near: tuple[int, Layout] | None = None
        for place in range(block.first, min(block.last, block.first + LINES_TO_HEADINGS)):
            cells = self.grid.line(place)
            if not self._may_say_headings(cells):
                continue
            self._note_labels(cells)
            if sum(isinstance(cell, str) for cell in cells) < 2:
                continue
            layout = self._understand(cells)
            if layout.wide:
                layout.wide = self._marked(layout, place, block.last)
            both = self._two_lines(cells, place, block)
            if both is not None and len(both.columns) > len(layout.columns):
                return place + 1, both
            if layout.kinds or layout.wide:
                return place, layout
            if layout.missing and near is None:
                near = (place, layout)
        return near if near else (-1, None)

    def _headings_again(self, layout: Layout, header: int, block: _Block) -> int:
        """Where the next table of the block begins: at a label ('Course Run: …') right above the same headings."""
        same = np.ones(block.last - header - 1, dtype=bool)
        for column in layout.headings:
            same &= np.equal(self.grid.columns[column][header + 1 : block.last], self.grid.columns[column][header])
            if not same.any():
                return block.last
        for at in np.flatnonzero(same).tolist():
            first = place = header + 1 + at
            while place - 1 > header and first - place < LINES_OF_LABELS:
                place -= 1
                if _label_of(self.grid.line(place)) is not None:
                    first = place
            if first < header + 1 + at:
                return first
        return block.last

    def _may_say_headings(self, cells: list[Cell]) -> bool:
        """A quick look, as every row of data is looked at in a sheet of many short blocks."""
        return any(
            isinstance(cell, str) and len(cell) <= 300 and (not cell.isascii() or rough_key(cell) in self.rough)
            for cell in cells
        )

    def _two_lines(self, cells: list[Cell], place: int, block: _Block) -> Layout | None:
        """Headings over two lines, as merged cells make them: Contact, and below it Email and Mobile.

        Every word of the lower line must be a heading that we know, so that a row of data is never taken for one.
        """
        if place + 2 >= block.last:
            return None
        below = self.grid.line(place + 1)
        words = [cell for cell in below if cell is not None]
        if not words or not all(isinstance(cell, str) and fields_of(cell) for cell in words):
            return None
        both = [low if low is not None else high for high, low in zip(cells, below, strict=True)]
        layout = self._understand(both)
        return layout if layout.kinds and not layout.wide else None

    def _understand(self, cells: list[Cell]) -> Layout:
        above = dict(self.above)
        if self.named is not None:
            return understand(cells, above=above, mapping=self.named) if self.named.fits(cells) else Layout(headings={})
        fitting = next((mapping for mapping in self.known if mapping.automatic and mapping.fits(cells)), None)
        self.form |= fitting is not None and fitting.form
        return understand(cells, above=above, mapping=fitting)

    def _marked(self, layout: Layout, place: int, last: int) -> bool:
        columns = [self.grid.columns[session.column][place + 1 : last] for session in layout.sessions]
        marked = with_marks(layout.sessions, columns)
        layout.unmarked = [session for session in layout.sessions if session not in marked]
        layout.sessions = marked
        return bool(marked)

    def _note_labels(self, cells: list[Cell]) -> None:
        """Keeps 'Course Run: HYG-2609-A', in one cell or in two, for a table below that lacks the column."""
        given = [cell for cell in cells if cell is not None]
        for index, cell in enumerate(given):
            if not isinstance(cell, str) or len(cell) > 200:
                continue
            said = _LABELLED.match(cell.strip())
            label, value = (said[1], said[2].strip()) if said else (cell, "")
            fields = fields_of(label)
            if not fields:
                continue
            if not value and index + 1 < len(given) and len(given) <= 6 and not fields_of(given[index + 1]):
                self.above[fields[0].name] = (label.strip(), given[index + 1])
            elif value:
                self.above[fields[0].name] = (label.strip(), value)

    def _bare(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The places of rows with at most two cells, as a label has."""
        nothing: Any = None  # numpy's stubs know no comparison with None
        filled = np.zeros(len(places), dtype=np.int64)
        for column in self.grid.columns:
            filled += column[places] != nothing
        return places[filled <= 2]

    def _close(self, layout: Layout | None, header: int, parts: list[_Block]) -> None:
        if layout is None:
            return
        self.above = {}
        row = int(self.grid.numbers[header])
        if not layout.kinds and not layout.wide and self.form and _asks_opinions(layout):
            return  # feedback that asks for the class and the name: no half of a record
        if not layout.kinds and not layout.wide:
            if layout.unmarked:
                columns = [session.column for session in layout.unmarked]
                words = named([session.heading for session in layout.unmarked], columns)
                self.faults.append(fault("SESSIONS_WITHOUT_MARKS", sheet=self.grid.sheet, row=row, columns=words))
                return
            kind, missing = nearest(layout) or ("", ())
            titles = [KINDS[kind].field(name).title for name in missing]
            words = _listed(titles)
            self.faults.append(
                fault(
                    "HEADINGS_MISSING",
                    hint=similar_headings(layout, kind, missing),
                    sheet=self.grid.sheet,
                    row=row,
                    headings=words,
                    kind=KINDS[kind].plural.lower(),
                )
            )
            return
        places = np.concatenate([np.arange(part.first, part.last) for part in parts])
        for place in self._bare(places).tolist() if layout.above else ():
            # Rows below another label are not what the label above the headings says.
            name = _label_of(self.grid.line(place))
            if name in layout.above and name not in layout.columns:
                label = layout.above[name][0]
                where = int(self.grid.numbers[place])
                self.faults.append(fault("LABEL_WITHIN_TABLE", sheet=self.grid.sheet, row=where, label=label, head=row))
                return
        try:
            self.tables += build_tables(self.grid, layout, header, places, self.resolve)
        except NotATable as broken:
            self.faults += broken.faults


def _label_of(cells: list[Cell]) -> str | None:
    """The name of the field that a line labels ('Course Run: HYG-2609-A', in one cell or two), if it says no more."""
    given = [cell for cell in cells if cell is not None]
    if not given or len(given) > 2 or not isinstance(given[0], str) or len(given[0]) > 200:
        return None
    said = _LABELLED.match(given[0].strip())
    label, value = (said[1], said[2].strip()) if said else (given[0], "")
    fields = fields_of(label)
    return fields[0].name if fields and bool(value) != (len(given) == 2) else None


def _asks_opinions(layout: Layout) -> bool:
    return any(_FEEDBACK.search(layout.headings[column]) for column in layout.unknown)


def _listed(words: list[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _blocks(grid: Grid) -> list[_Block]:
    gaps = np.flatnonzero(np.diff(grid.numbers) > 1) + 1
    edges = [0, *gaps.tolist(), len(grid.numbers)]
    return [_Block(first, last) for first, last in zip(edges, edges[1:], strict=False) if last > first]
