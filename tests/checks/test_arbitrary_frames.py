"""No canonical frame, however odd, makes the checks raise; and they agree with a plain reading of the rules."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tms_pipeline.records.checks import check_repeats, check_rows, codes_of_kind
from tms_pipeline.records.field import Field, FieldType
from tms_pipeline.records.kinds import KINDS, kind_named

DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(date.isoformat)
BY_TYPE: dict[FieldType, st.SearchStrategy[str]] = {
    FieldType.DATE: DAYS,
    FieldType.TIME: st.times().map(lambda at: at.strftime("%H:%M")),
    FieldType.MOMENT: st.datetimes(min_value=pd.Timestamp(1900, 1, 1).to_pydatetime()).map(
        lambda at: at.isoformat(timespec="seconds")
    ),
    FieldType.INTEGER: st.integers(-10, 10**7).map(str),
    FieldType.AMOUNT: st.integers(-100, 10**8).map(lambda cents: f"{cents / 100:.2f}"),
    FieldType.HOURS: st.integers(-5, 100).map(lambda tenths: f"{tenths / 10:.1f}"),
}
ODD = st.text(max_size=12)


def cell(item: Field) -> st.SearchStrategy[str | None]:
    usual = st.sampled_from(sorted(item.choices)) if item.choices else BY_TYPE.get(item.type, ODD)
    return st.one_of(st.none(), usual, usual, usual, ODD)


@st.composite
def frames(draw: st.DrawFn) -> tuple[str, pd.DataFrame]:
    kind = draw(st.sampled_from(list(KINDS.values())))
    size = draw(st.integers(1, 6))
    columns = {item.name: draw(st.lists(cell(item), min_size=size, max_size=size)) for item in kind.fields}
    return kind.name, pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(frames(), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_no_frame_makes_the_checks_raise(made: tuple[str, pd.DataFrame], today: date) -> None:
    kind, frame = made
    faults = check_rows(kind_named(kind), frame, today=today).faults
    assert {fault.code for fault in faults} <= codes_of_kind(kind_named(kind))
    assert all(0 <= fault.line < len(frame) for fault in faults)
    assert len({(fault.line, fault.code, fault.field) for fault in faults}) == len(faults)
    # What one row shows does not hang on its neighbours, but for sessions that overlap.
    for line in range(len(frame)):
        alone = check_rows(kind_named(kind), frame.iloc[[line]].reset_index(drop=True), today=today).faults
        assert [(x.code, x.field) for x in alone] == [
            (x.code, x.field) for x in faults if x.line == line and x.code != "SESSIONS_OVERLAP"
        ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(DAYS, DAYS, DAYS, DAYS), min_size=1, max_size=20))
def test_dates_of_runs_as_read_by_a_loop(rows: list[tuple[str, str, str, str]]) -> None:
    kind = kind_named("course_run")
    frame = pd.DataFrame({name: pd.Series([None] * len(rows), dtype=object) for name in kind.names})
    for place, name in enumerate(("registration_open", "registration_close", "start_date", "end_date")):
        frame[name] = pd.Series([row[place] for row in rows], dtype=object)
    found = {(x.line, x.code) for x in check_rows(kind, frame, today=date(2026, 9, 1)).faults}
    wanted = set()
    for line, (opens, closes, start, end) in enumerate(rows):
        wanted |= {(line, "REGISTRATION_CLOSES_BEFORE_OPENING")} if closes < opens else set()
        wanted |= {(line, "RUN_ENDS_BEFORE_START")} if end < start else set()
        wanted |= {(line, "RUN_STARTS_BEFORE_REGISTRATION")} if start < opens else set()
    assert {item for item in found if item[1] != "DATE_FAR_AWAY"} == wanted


ANSWERS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from("xyz"), st.sampled_from(["1", "2", None])),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(ANSWERS, st.booleans())
def test_repeats_as_read_by_a_loop(rows: list[tuple[str | None, str, str | None]], timed: bool) -> None:
    kind = kind_named("attendance")
    frame = pd.DataFrame({name: pd.Series([None] * len(rows), dtype=object) for name in kind.names})
    moments = [f"2026-09-01T09:0{row[2]}:00" if row[2] else None for row in rows]
    frame["marked_at"] = pd.Series(moments, dtype=object)
    keys = pd.Series([row[0] for row in rows], dtype=object)
    hashes = pd.Series([row[1] + (row[2] or "") for row in rows], dtype=object)
    numbers = pd.Series(np.arange(len(rows)) + 2)
    found = check_repeats(kind, keys, hashes, frame, numbers, newer_by="marked_at" if timed else None)

    repeated, torn, old = set(), set(), set()
    for key in {"a", "b", "c"}:
        members = [line for line in range(len(rows)) if rows[line][0] == key]
        firsts = {hashes[line]: line for line in reversed(members)}
        standing = sorted(firsts.values())
        times = [moments[line] for line in standing]
        if timed and len(standing) > 1 and None not in times:
            standing = [line for line in standing if moments[line] == max(times)]  # type: ignore[type-var]
        if len(standing) > 1:
            torn |= set(members)
        else:
            old |= set(firsts.values()) - set(standing)
            repeated |= set(members) - set(firsts.values())
    assert set(found.repeated.tolist()) == repeated
    assert set(found.contradicting.tolist()) == torn
    assert set(found.superseded.tolist()) == old
    assert sorted(fault.line for fault in found.faults) == sorted(repeated | torn | old)
