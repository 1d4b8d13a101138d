"""Layout: how the columns of one header row become fields, by the headings alone or by a mapping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tms_pipeline.intake.headings import OWN_COLUMNS, fields_of, heading_key
from tms_pipeline.intake.wide_attendance import SessionColumn, session_of_heading
from tms_pipeline.records.kinds import KINDS

if TYPE_CHECKING:
    from tms_pipeline.intake.grid import Cell
    from tms_pipeline.intake.mappings import Mapping

# A sheet is reported as nearly a kind when at least this share of the headings that tell it is there.
NEARLY = 0.5
WIDE = "attendance"
WIDE_COLUMNS = frozenset({"run_code", "nric"})


@dataclass(kw_only=True)
class Layout:
    """One header row understood. Columns are indices into the grid; ``above`` holds labelled values over the table."""

    headings: dict[int, str]
    columns: dict[str, list[int]] = field(default_factory=dict)
    unknown: list[int] = field(default_factory=list)
    ignored: set[int] = field(default_factory=set)
    sessions: list[SessionColumn] = field(default_factory=list)
    unmarked: list[SessionColumn] = field(default_factory=list)  # headed like sessions, without a single mark
    above: dict[str, tuple[str, Cell]] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    wide: bool = False
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mapping: Mapping | None = None

    @property
    def found(self) -> set[str]:
        """The fields that the columns, a mapping and the lines above give."""
        given = set(self.columns) | set(self.above)
        return given | set(self.mapping.given_fields(self.headings.values())) if self.mapping else given


def understand(
    cells: list[Cell], *, above: dict[str, tuple[str, Cell]] | None = None, mapping: Mapping | None = None
) -> Layout:
    """What a row would be as a header row: its fields, and the record kinds whose telling headings it has."""
    texts = {index: cell.strip() for index, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()}
    layout = Layout(headings=texts, above=above or {}, mapping=mapping)
    for index, text in texts.items():
        if mapping is not None and mapping.takes(text):
            for name in mapping.fields_of(text):
                layout.columns.setdefault(name, []).append(index)
            continue
        if mapping is not None and (mapping.only or mapping.ignores(text)):
            layout.ignored.add(index)
            continue
        if heading_key(text) in OWN_COLUMNS:
            layout.ignored.add(index)
            continue
        fields = fields_of(text)
        if fields:
            layout.columns.setdefault(fields[0].name, []).append(index)
        else:
            layout.unknown.append(index)
    if mapping is not None:
        _prefer_own_headings(layout)
    _find_sessions(cells, layout)
    _find_kinds(layout)
    return layout


def _prefer_own_headings(layout: Layout) -> None:
    """A column that bears the field's own name wins over one that a mapping renames to it."""
    for name, columns in layout.columns.items():
        own = [column for column in columns if (known := fields_of(layout.headings[column])) and known[0].name == name]
        if own and len(own) < len(columns):
            layout.columns[name] = own


def _find_sessions(cells: list[Cell], layout: Layout) -> None:
    for index, cell in enumerate(cells):
        if cell is None or (index in layout.headings and index not in layout.unknown):
            continue
        session = session_of_heading(cell, index)
        if session is not None:
            layout.sessions.append(session)


def _find_kinds(layout: Layout) -> None:
    wanted: Iterable[str] = layout.mapping.kinds if layout.mapping and layout.mapping.kinds else KINDS
    found, whole = layout.found, []
    for name in wanted:
        kind = KINDS[name]
        missing = tuple(field_name for field_name in kind.signature if field_name not in found)
        hits = len(kind.signature) - len(missing)
        typed = sum(field_name in layout.columns for field_name in kind.signature)
        if not missing and typed * 2 >= len(kind.signature):
            whole.append(name)
        elif typed >= 2 and hits >= NEARLY * len(kind.signature):
            layout.missing[name] = missing
    if layout.sessions and found >= WIDE_COLUMNS and not found & {"mark", "session_no"}:
        layout.wide = True
    layout.kinds = tuple(sorted(whole, key=lambda name: KINDS[name].order))


def nearest(layout: Layout) -> tuple[str, tuple[str, ...]] | None:
    """The kind that the row comes nearest to, and the telling headings that it lacks."""

    def closeness(name: str) -> tuple[float, int]:
        kind = KINDS[name]
        return 1 - len(layout.missing[name]) / len(kind.signature), sum(item in layout.columns for item in kind.names)

    best = max(layout.missing, key=closeness, default=None)
    return (best, layout.missing[best]) if best else None
