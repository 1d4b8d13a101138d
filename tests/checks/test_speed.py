"""The checks cost little over pandera itself, and a column that is wrong throughout does not blow them up."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pandas as pd
import pandera.pandas as pandera

from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.field import FieldType
from tms_pipeline.records.kinds import kind_named

from .frames import TODAY, frame_of

ROWS = 100_000


def bare_model(name: str) -> pandera.DataFrameSchema:
    """What one writes with pandera's own checks for the same columns, and the date rules of a run."""
    columns = {}
    for item in kind_named(name).fields:
        checks = []
        if item.max_length and item.type is not FieldType.INTEGER:
            checks.append(pandera.Check.str_length(max_value=item.max_length))
        if item.pattern:
            checks.append(pandera.Check.str_matches(item.pattern))
        columns[item.name] = pandera.Column(object, checks, nullable=True)
    rules = [
        pandera.Check(lambda frame: frame["registration_open"] <= frame["registration_close"]),
        pandera.Check(lambda frame: frame["start_date"] <= frame["end_date"]),
        pandera.Check(lambda frame: frame["registration_open"] <= frame["start_date"]),
    ]
    return pandera.DataFrameSchema(columns, checks=rules)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def large(**changes: str | None) -> pd.DataFrame:
    frame = frame_of("course_run", changes)
    return frame.loc[frame.index.repeat(ROWS)].reset_index(drop=True)


def test_checks_cost_at_most_a_fifth_more_than_bare_pandera() -> None:
    frame, kind, bare = large(), kind_named("course_run"), bare_model("course_run")
    check_rows(kind, frame.head(10), today=TODAY)
    ours = min(seconds(lambda: check_rows(kind, frame, today=TODAY)) for _ in range(3))
    theirs = min(seconds(lambda: bare.validate(frame, lazy=True)) for _ in range(3))
    assert ours <= 1.2 * theirs


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
