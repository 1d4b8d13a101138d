"""Day sessions: rows that say on which day of a run a trainee was there, where sessions are meant.

'Day 2' is the second session only where every day has one. In a run with mornings and afternoons it is two sessions,
and the row must say which.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tms_pipeline.intake.cells import canonical_column
from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.mappings import LookUp, Resolve
from tms_pipeline.intake.session_dates import date_of_day, in_words, match
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.wide_attendance import SessionColumn, session_of_heading
from tms_pipeline.records.fault import fault
from tms_pipeline.records.kinds import KINDS

_RUN = KINDS["attendance"].field("run_code")


def match_days(table: Table, resolve: Resolve) -> None:
    """Gives rows of marks that name a day the session of that day in their run, or says which sessions there are."""
    frame = table.frame
    if not {"mark", "session_no", "run_code"} <= set(frame.columns):
        return
    heading = table.titles.get("session_no", "")
    counts_days = heading_key(heading) == "day"
    values = frame["session_no"].to_numpy(dtype=object)
    # By type as well: to Python TRUE and 1 are equal, and to us only one of them is a day.
    said_of = list(zip(map(type, values.tolist()), values.tolist(), strict=True))
    named: dict[object, SessionColumn] = {}
    for kind, value in dict.fromkeys(said_of):
        text = f"Day {value}".removesuffix(".0") if counts_days and not isinstance(value, str) else value
        text = f"Day {text}" if counts_days and isinstance(text, str) and text.strip()[:1].isdigit() else text
        found = session_of_heading(text, 0) if isinstance(text, str) else None
        if found is not None and found.day and found.number:
            named[kind, value] = found
    lines = [line for line, said in enumerate(said_of) if said in named]
    if not lines:
        return
    runs = canonical_column(_RUN, frame["run_code"].to_numpy(dtype=object))
    known = sorted({run for line in lines if (run := runs[line])})
    answers = resolve(LookUp(into="session_no", by={"run_code": "Course Run"}), [(run,) for run in known])
    listed = {run: answer.sessions for run, answer in zip(known, answers, strict=True)}
    numbers = values.copy()
    for line in lines:
        run, said = runs[line], named[said_of[line]]
        if run is None:  # told by its own cell
            continue
        sessions = listed[run]
        matched = match({0: date_of_day(said.number or 0, said.half, sessions)}, sessions)
        numbers[line] = matched.numbers.get(0)
        if numbers[line] is None:
            row = int(frame.index[line])
            near = in_words(matched.unclear.get(0, sessions))
            table.faults.append(
                fault("SESSION_DAY_UNCLEAR", sheet=table.sheet, row=row, column=heading, run=run, sessions=near)
            )
            table.problems.setdefault("session_no", {})[line] = "SESSION_DAY_UNCLEAR"
    table.field_coded.pop("session_no", None)
    frame["session_no"] = pd.Series(np.asarray(numbers, dtype=object), index=frame.index, dtype=object)
