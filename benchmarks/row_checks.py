"""Row checks beside bare pandera on the same frame, pandera written value by value, and pandera on polars.

    python -m benchmarks.row_checks [--rows 1000000] [--repeats 3]
"""

from __future__ import annotations

import re
import statistics
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import pandera.pandas as pandera

from benchmarks.bare_columns import bare_columns
from benchmarks.harness import Figure, emit, have_peers, in_own_process, in_turns, options, seconds_of
from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.field import FieldType
from tms_pipeline.records.kinds import kind_named

TODAY = date(2026, 11, 21)
ROW = {
    "run_code": "HYG-2611-A",
    "course_reference": "TGS-2026000101",
    "registration_open": "2026-10-01",
    "registration_close": "2026-10-31",
    "start_date": "2026-11-02",
    "end_date": "2026-11-06",
    "schedule_info": "Mon to Fri, 9am to 5pm",
    "mode_of_training": "1",
    "floor": "03",
    "unit": "12",
    "postal_code": "048616",
    "room": "Kitchen 2",
    "wheelchair_access": "true",
    "intake_size": "25",
    "threshold": "0",
    "admin_email": "courses@example.com",
    "vacancy": "A",
    "trainer_codes": "TR-01",
    "run_status": "confirmed",
}


def bare_model(name: str) -> pandera.DataFrameSchema:
    """What one writes with pandera's own checks for the same columns, and the date rules of a run."""
    columns = bare_columns(name, pandera, object)
    rules = [
        pandera.Check(lambda frame: frame["registration_open"] <= frame["registration_close"]),
        pandera.Check(lambda frame: frame["start_date"] <= frame["end_date"]),
        pandera.Check(lambda frame: frame["registration_open"] <= frame["start_date"]),
    ]
    return pandera.DataFrameSchema(columns, checks=rules)


def frame_of(rows: int) -> pd.DataFrame:
    """That row, so many times, with codes of their own."""
    kind = kind_named("course_run")
    frame = pd.DataFrame({name: [ROW.get(name)] * rows for name in kind.names}, dtype=object)
    frame["run_code"] = pd.Series([f"HYG-{number:07d}" for number in range(rows)], dtype=object)
    return frame


def naive_model(name: str) -> pandera.DataFrameSchema:
    """The same as one writes it first: a function of Python for each value."""
    columns = {}
    for item in kind_named(name).fields:
        checks = []
        if item.max_length and item.type is not FieldType.INTEGER:
            checks.append(pandera.Check(partial(_short_enough, item.max_length), element_wise=True))
        if item.pattern:
            checks.append(pandera.Check(partial(_matches, re.compile(item.pattern)), element_wise=True))
        columns[item.name] = pandera.Column(object, checks, nullable=True)
    return pandera.DataFrameSchema(columns, checks=bare_model(name).checks)


def _short_enough(longest: int, value: str) -> bool:
    return len(value) <= longest


def _matches(pattern: re.Pattern[str], value: str) -> bool:
    return pattern.match(value) is not None


def ways(rows: int, repeats: int) -> dict[str, Any]:
    """Ours, bare pandera and the naive model on one frame, in turns."""
    frame, kind = frame_of(rows), kind_named("course_run")
    bare, naive = bare_model("course_run"), naive_model("course_run")
    check_rows(kind, frame.head(10), today=TODAY)
    times: dict[str, list[float]] = {"ours": [], "bare": [], "naive": []}
    for turn in range(repeats):
        times["ours"].append(seconds_of(lambda: check_rows(kind, frame, today=TODAY)))
        times["bare"].append(seconds_of(lambda: bare.validate(frame, lazy=True)))
        if turn == 0:
            times["naive"].append(seconds_of(lambda: naive.validate(frame, lazy=True)))
    return {name: statistics.median(found) for name, found in times.items()}


def measure(rows: int, repeats: int) -> Figure:
    """The figure at one size."""
    found = in_own_process("benchmarks.row_checks", "ways", rows=rows, repeats=repeats)
    peer = None
    if have_peers():
        case = partial(in_own_process, "benchmarks.peers", "polars_checks", peers=True, rows=rows, kind="course_run")
        peer = in_turns({"polars": case}, repeats)["polars"]
    return Figure("row checks", rows, found["ours"], limit=found["bare"], limit_name="bare pandera, columns at once",
                  naive=found["naive"], naive_name="pandera, value by value", peer=peer and peer["seconds"],
                  peer_name="pandera on polars" if peer else "", peak_mb={"all three on pandas": found["peak_mb"]})  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[1_000_000], repeats=3)
    emit([measure(rows, given.repeats) for rows in given.rows])


if __name__ == "__main__":
    main()
