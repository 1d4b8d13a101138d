"""Row checks beside bare pandera on the same frame: seconds and ratio at 1,000,000 rows (bound 1.2)."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from datetime import date

import pandas as pd
import pandera.pandas as pandera

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


def frame_of(rows: int) -> pd.DataFrame:
    """That row, so many times, with codes of their own."""
    kind = kind_named("course_run")
    frame = pd.DataFrame({name: [ROW.get(name)] * rows for name in kind.names}, dtype=object)
    frame["run_code"] = [f"HYG-{number:07d}" for number in range(rows)]
    return frame


def seconds(work: Callable[[], object]) -> float:
    """Elapsed seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Time both, in turns, and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    frame, kind, bare = frame_of(options.rows), kind_named("course_run"), bare_model("course_run")
    check_rows(kind, frame.head(10), today=TODAY)
    ours, theirs = [], []
    for _ in range(options.repeats):
        ours.append(seconds(lambda: check_rows(kind, frame, today=TODAY)))
        theirs.append(seconds(lambda: bare.validate(frame, lazy=True)))
    found = {
        "rows": options.rows,
        "ours_seconds": round(statistics.median(ours), 3),
        "bare_pandera_seconds": round(statistics.median(theirs), 3),
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 2),
        "bound": 1.2,
    }
    print(json.dumps(found) if options.json else f"row checks: {found}")


if __name__ == "__main__":
    main()
