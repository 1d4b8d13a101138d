"""Tables for the tests, without a file."""

from __future__ import annotations

from typing import Any

from tms_pipeline.intake.cells import Canonical, canonicalise
from tms_pipeline.intake.grid import Grid
from tms_pipeline.intake.opening import OpenedFile
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS


def opened_of(rows: list[list[Any]], *, sheet: str = "S", start: int = 1, **facts: Any) -> OpenedFile:
    """An opened file with these rows; blank rows are left out as the reader does."""
    numbered = [(number, row) for number, row in enumerate(rows, start) if any(cell not in (None, "") for cell in row)]
    return OpenedFile(format="xlsx", grids=[Grid.of_rows(sheet, numbered, **facts)])


def table_of(rows: list[list[Any]], **facts: Any) -> Table:
    """The one table that these rows hold."""
    tables, _ = find_tables(opened_of(rows, **facts))
    assert len(tables) == 1
    return tables[0]


def read(kind: str, rows: list[list[Any]], **facts: Any) -> Canonical:
    """The records of that kind that these rows hold."""
    return canonicalise(KINDS[kind], table_of(rows, **facts))


def codes(canonical: Canonical | Table) -> list[str]:
    """The fault codes in order."""
    return [fault.code for fault in canonical.faults]
