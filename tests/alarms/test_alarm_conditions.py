"""When an alarm speaks: its steps, thresholds and quiet hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tms_pipeline.alarms.alarm import TOPICS, after_quiet, parse_quiet
from tms_pipeline.alarms.conditions import Measured, OpenDeadline, Thresholds, UploadNow, due

NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
TODAY = date(2026, 11, 21)
THRESHOLDS = Thresholds(dead_letters=2, queue_hours=24, rejected_share=0.1, source_days=14, night_hours=26)
FINE = Measured(
    now=NOW, today=TODAY, deadlines=[], dead_letters=0, oldest_waiting=None, waiting=0, uploads=[], sources=[],
    breaker_open_since=None, scopes_read=9, scopes_not_read=0, failed_runs=[], last_night=NOW, first_upload=NOW,
)  # fmt: skip


def measured(**changes: object) -> Measured:
    return Measured(**{**vars(FINE), **changes})  # type: ignore[arg-type]


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def test_nothing_is_said_when_all_is_well() -> None:
    assert due(FINE, THRESHOLDS) == []


@pytest.mark.parametrize(
    ("days_left", "step", "severity"),
    [(15, None, ""), (14, 14, "warning"), (8, 14, "warning"), (7, 7, "warning"), (4, 7, "warning"), (3, 3, "error"),
     (2, 3, "error"), (1, 1, "error"), (0, 0, "error"), (-1, -1, "error"), (-2, -1, "error"), (-3, -3, "error"),
     (-7, -7, "error"), (-13, -7, "error"), (-14, -14, "error"), (-400, -14, "error")],
)  # fmt: skip
def test_a_deadline_speaks_14_7_3_and_1_days_before_on_the_day_and_after(
    days_left: int, step: int | None, severity: str
) -> None:
    item = OpenDeadline(
        rule="r", title="t", kind="enrolment", run_code="R-1", last_day=TODAY + timedelta(days_left), records=3, money=None
    )
    found = due(measured(deadlines=[item]), THRESHOLDS)
    assert [(alarm.step, alarm.severity, alarm.role) for alarm in found] == (
        [] if step is None else [(step, severity, "compliance")]
    )
    assert all("3 enrolments" in alarm.sentence for alarm in found)


UPLOAD = {"upload_id": "U-1", "state": "taken in", "rows": 100, "rejected": 0}
CASES = {
    "one dead letter of two": ({"dead_letters": 1}, None),
    "dead letters at the threshold": ({"dead_letters": 2}, ("dead letters", 0)),
    "ten times as many": ({"dead_letters": 20}, ("dead letters", 1)),
    "a queue that is young": ({"oldest_waiting": ago(hours=23.9), "waiting": 4}, None),
    "a queue that is a day old": ({"oldest_waiting": ago(hours=24), "waiting": 4}, ("queue", 0)),
    "a queue that is four days old": ({"oldest_waiting": ago(days=4), "waiting": 4}, ("queue", 2)),
    "few rows rejected": ({"uploads": [UploadNow(**UPLOAD | {"rejected": 9})]}, None),
    "a tenth of the rows rejected": ({"uploads": [UploadNow(**UPLOAD | {"rejected": 10})]}, ("rejected rows", 0)),
    "half of a tiny file rejected": ({"uploads": [UploadNow(**UPLOAD | {"rows": 4, "rejected": 2})]}, None),
    "a held upload": ({"uploads": [UploadNow(**UPLOAD | {"state": "held"})]}, ("rejected rows", 0)),
    "a refused file": ({"uploads": [UploadNow(**UPLOAD | {"state": "refused", "rows": 0})]}, ("rejected rows", 0)),
    "a source of last week": ({"sources": [("office", ago(days=13))]}, None),
    "a silent source": ({"sources": [("office", ago(days=14)), ("forms", NOW)]}, ("sources", 0)),
    "an open breaker": ({"breaker_open_since": ago(hours=1)}, ("ssg", 1)),
    "nothing of SSG read": ({"scopes_read": 0, "scopes_not_read": 5}, ("ssg", 1)),
    "parts of SSG not read": ({"scopes_not_read": 2}, ("ssg", 0)),
    "a failed run": ({"failed_runs": [("0b-1", "nightly_sync")]}, ("runs", 0)),
    "a night of yesterday": ({"last_night": ago(hours=25)}, None),
    "no night since": ({"last_night": ago(hours=26)}, ("nights", 0)),
    "never a night, files since yesterday": ({"last_night": None, "first_upload": ago(hours=30)}, ("nights", 0)),
    "never a night, an empty installation": ({"last_night": None, "first_upload": None}, None),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES.keys())
def test_each_other_trouble_speaks_from_its_threshold_on(
    changes: dict[str, object], expected: tuple[str, int] | None
) -> None:
    found = due(measured(**changes), THRESHOLDS)
    assert [(alarm.topic, alarm.step) for alarm in found] == ([] if expected is None else [expected])
    for alarm in found:
        assert alarm.topic in TOPICS
        assert alarm.sentence.endswith(".") and alarm.what_to_do.endswith(".")
        assert alarm.link.startswith("/review/")


def test_every_topic_has_a_case() -> None:
    assert {expected[0] for _, expected in CASES.values() if expected} | {"deadlines"} == set(TOPICS)


@pytest.mark.parametrize(
    ("clock", "leaves"),
    [("21:59", "21 21:59"), ("22:00", "22 07:00"), ("23:30", "22 07:00"), ("01:00", "21 07:00"), ("06:59", "21 07:00"),
     ("07:00", "21 07:00"), ("12:00", "21 12:00")],
)  # fmt: skip
def test_quiet_hours_over_midnight_end_in_the_morning(clock: str, leaves: str) -> None:
    now = datetime.fromisoformat(f"2026-11-21T{clock}+08:00")
    assert f"{after_quiet(now, parse_quiet('22:00-07:00')):%d %H:%M}" == leaves


def test_quiet_hours_within_a_day() -> None:
    now = datetime.fromisoformat("2026-11-21T12:30+08:00")
    assert f"{after_quiet(now, parse_quiet('12:00-13:00')):%d %H:%M}" == "21 13:00"
    assert after_quiet(now, parse_quiet("")) == now
    with pytest.raises(ValueError, match="TMS_ALARM_QUIET"):
        parse_quiet("at night")
