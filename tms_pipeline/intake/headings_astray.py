"""Headings astray: what can be said of a file in which no table was recognised, so that somebody can put it right."""

from __future__ import annotations

from collections.abc import Iterable

from tms_pipeline.intake.grid import Grid
from tms_pipeline.intake.headings import fields_of, suggestion
from tms_pipeline.intake.layout import Layout
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.kinds import KINDS

LINES = 40
SHEETS = 20
# So many known words down the first column are headings that run sideways.
ENOUGH = 3


def unclear_headings(grids: Iterable[Grid]) -> Fault | None:
    """The row that comes nearest to headings, with a suggestion for each that is close to a known one."""
    best: tuple[int, Grid, int, dict[str, str]] | None = None
    for grid in list(grids)[:SHEETS]:
        if grid.hidden:
            continue
        if grid.columns and sum(bool(fields_of(cell)) for cell in grid.columns[0][:LINES]) >= ENOUGH:
            return fault("HEADINGS_SIDEWAYS", sheet=grid.sheet)
        for place in range(min(LINES, len(grid.numbers))):
            words = [cell.strip() for cell in grid.line(place) if isinstance(cell, str) and 2 < len(cell.strip()) <= 60]
            known = sum(bool(fields_of(word)) for word in words)
            close = {word: near for word in words[:60] if not fields_of(word) and (near := suggestion(word))}
            score = known + len(close)
            if score >= 2 and close and (best is None or score > best[0]):
                best = (score, grid, int(grid.numbers[place]), close)
    if best is None:
        return None
    _, grid, row, close = best
    pairs = ", ".join(f"'{word}' (did you mean '{near}'?)" for word, near in list(close.items())[:6])
    return fault("HEADINGS_UNCLEAR", sheet=grid.sheet, row=row, headings=pairs)


def similar_headings(layout: Layout, kind: str, missing: Iterable[str]) -> str:
    """A sentence on unknown headings that may be the missing ones, or nothing."""
    wanted = {title for name in missing for title in (KINDS[kind].field(name).title, *KINDS[kind].field(name).aliases)}
    pairs = [
        f"'{layout.headings[column][:60]}' is close to '{near}'"
        for column in layout.unknown
        if (near := suggestion(layout.headings[column], (kind,))) in wanted
    ]
    return f"Perhaps a slip: {'; '.join(pairs)}. " if pairs else ""
