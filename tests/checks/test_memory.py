"""A column that is wrong throughout does not blow the checks up."""

from __future__ import annotations

import tracemalloc

import pandas as pd

from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.kinds import kind_named

from .frames import TODAY, frame_of

ROWS = 100_000


def large(**changes: str | None) -> pd.DataFrame:
    frame = frame_of("course_run", changes)
    return frame.loc[frame.index.repeat(ROWS)].reset_index(drop=True)


def test_a_rule_that_every_row_breaks_copies_no_row() -> None:
    frame = large(end_date="2026-09-01")
    tracemalloc.start()
    try:
        found = check_rows(kind_named("course_run"), frame, today=TODAY).faults
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found) == ROWS
    assert peak < 1000 * ROWS  # pandera by itself copies all 23 columns of every failing row, several times
