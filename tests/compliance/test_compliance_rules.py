from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tms_pipeline.compliance.calendar import add_working_days, public_holidays, singapore_day
from tms_pipeline.compliance.deadlines import DEADLINE_RULES, alarm_step, deadline_of, last_day, standing
from tms_pipeline.compliance.rules import CONFIDENCES, Rule, RuleError, load_rules, rule_for

D = date


def rule(**values: object) -> Rule:
    base = {"id": "r", "title": "R", "kind": "enrolment", "value": 5, "unit": "calendar days",
            "in_force_from": D(2020, 1, 1), "binds": {}, "counted": "after run end", "source": "s", "source_date": "d",
            "confidence": "sourced", "sentence": "s", "what_to_do": "w"}
    return Rule(**{**base, **values})  # type: ignore[arg-type]


def deadline(kind: str, start: date, end: date, provider: str = "public", body: str = "SSG", **more: object) -> date:
    found = deadline_of(kind, start, end, provider_type=provider, funding_body=body, today=start, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "provider", "body", "start", "end", "expected"),
    [
        # Publish: the day before the start; before 1 March of a leap year that is 29 February.
        ("course_run", "public", "SSG", D(2026, 3, 1), D(2026, 3, 2), D(2026, 2, 28)),
        ("course_run", "public", "SSG", D(2028, 3, 1), D(2028, 3, 2), D(2028, 2, 29)),
        ("course_run", "public", "IBF", D(2027, 1, 1), D(2027, 1, 2), D(2026, 12, 31)),
        # Enrolment: 45 days, over a leap day and without one; 105 days for in-house institutions under IBF only.
        ("enrolment", "public", "SSG", D(2028, 1, 15), D(2028, 1, 16), D(2028, 2, 29)),
        ("enrolment", "public", "SSG", D(2027, 1, 15), D(2027, 1, 16), D(2027, 3, 1)),
        ("enrolment", "public", "IBF", D(2026, 1, 1), D(2026, 1, 2), D(2026, 2, 15)),
        ("enrolment", "in-house", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 2, 15)),
        ("enrolment", "in-house", "IBF", D(2026, 1, 1), D(2026, 1, 2), D(2026, 4, 16)),
        # Attendance and assessment: 14 public, 28 in-house, 45 IBF whatever the provider, from the run's end.
        ("attendance", "public", "SSG", D(2026, 1, 1), D(2026, 2, 14), D(2026, 2, 28)),
        ("attendance", "public", "SSG", D(2028, 1, 1), D(2028, 2, 15), D(2028, 2, 29)),
        ("attendance", "in-house", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 1, 30)),
        ("attendance", "public", "IBF", D(2026, 1, 1), D(2026, 1, 2), D(2026, 2, 16)),
        ("attendance", "in-house", "IBF", D(2026, 1, 1), D(2026, 1, 2), D(2026, 2, 16)),
        ("assessment", "public", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 1, 16)),
        ("assessment", "in-house", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 1, 30)),
        # Before IBF's rules of 10 October 2022 the general ones bind; on that day IBF's.
        ("attendance", "public", "IBF", D(2022, 10, 9), D(2022, 10, 9), D(2022, 10, 23)),
        ("attendance", "public", "IBF", D(2022, 10, 10), D(2022, 10, 10), D(2022, 11, 24)),
        ("fee", "public", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 1, 9)),
        ("session", "public", "SSG", D(2026, 1, 1), D(2026, 1, 2), D(2026, 1, 1)),
    ],
)
def test_last_days(kind: str, provider: str, body: str, start: date, end: date, expected: date) -> None:
    assert deadline(kind, start, end, provider, body) == expected


def test_deadlines_of_a_course_that_we_do_not_know_are_the_general_ones() -> None:
    found = deadline_of("attendance", D(2026, 1, 1), D(2026, 1, 2), provider_type=None, funding_body=None,
                        today=D(2026, 1, 1))
    assert found == D(2026, 1, 16)


def test_no_deadline_where_no_rule_is_in_force() -> None:
    for kind, start in (("attendance", D(2019, 1, 1)), ("trainee", D(2026, 1, 1)), ("nonsense", D(2026, 1, 1))):
        assert deadline_of(kind, start, start, provider_type="public", funding_body="SSG", today=start) is None


@pytest.mark.parametrize(
    ("held_on", "expected"),
    [
        (D(2026, 1, 2), D(2026, 1, 24)),  # inside the run: from its end
        (D(2026, 1, 10), D(2026, 1, 24)),  # on its last day
        (D(2026, 1, 11), D(2026, 1, 25)),  # a make-up session: from its own day
        (D(2026, 3, 11), D(2026, 3, 25)),  # on the 60th day
    ],
)
def test_make_up_sessions_and_re_assessments_count_from_their_own_day(held_on: date, expected: date) -> None:
    for kind in ("attendance", "assessment"):
        assert deadline(kind, D(2026, 1, 1), D(2026, 1, 10), held_on=held_on) == expected


def test_the_fee_counts_from_the_assessment_and_the_session_from_itself() -> None:
    assert deadline("fee", D(2026, 1, 1), D(2026, 1, 10), held_on=D(2026, 1, 5)) == D(2026, 1, 12)
    assert deadline("session", D(2026, 1, 1), D(2026, 1, 10), held_on=D(2026, 1, 5)) == D(2026, 1, 5)


@pytest.mark.parametrize(
    ("done_on", "today", "expected"),
    [
        (None, D(2026, 1, 1), ("ahead", 15)),
        (None, D(2026, 1, 2), ("near", 14)),
        (None, D(2026, 1, 16), ("near", 0)),
        (None, D(2026, 1, 17), ("missed", -1)),
        (D(2026, 1, 16), D(2026, 1, 30), ("met", 0)),
        (D(2026, 1, 17), D(2026, 1, 30), ("met late", -1)),
        (D(2026, 1, 1), D(2026, 1, 1), ("met", 15)),
    ],
)
def test_standing(done_on: date | None, today: date, expected: tuple[str, int]) -> None:
    found, days = standing(D(2026, 1, 16), today, done_on)
    assert (str(found), days) == expected


def test_the_last_minute_in_singapore_belongs_to_the_day() -> None:
    assert singapore_day(datetime(2026, 1, 16, 15, 59, 59, tzinfo=UTC)) == D(2026, 1, 16)
    assert singapore_day(datetime(2026, 1, 16, 16, 0, tzinfo=UTC)) == D(2026, 1, 17)
    with pytest.raises(ValueError, match="time zone"):
        singapore_day(datetime(2026, 1, 16))


def test_alarms_at_14_7_3_and_1_days_before_and_after() -> None:
    steps = {15: None, 14: 14, 8: 14, 7: 7, 4: 7, 3: 3, 2: 3, 1: 1, 0: 0, -1: -1, -2: -1, -3: -3, -6: -3, -7: -7,
             -14: -14, -90: -14}
    assert {days: alarm_step(days) for days in steps} == steps


def test_working_days_skip_weekends_public_holidays_and_days_in_lieu() -> None:
    holidays = public_holidays((2026, 2027))
    assert D(2026, 2, 17) in holidays and D(2026, 2, 18) in holidays  # Chinese New Year
    assert D(2026, 11, 9) in holidays  # Deepavali is on Sunday the 8th
    assert add_working_days(D(2026, 2, 13), 1, holidays) == D(2026, 2, 16)
    assert add_working_days(D(2026, 2, 16), 1, holidays) == D(2026, 2, 19)
    assert add_working_days(D(2026, 2, 19), -1, holidays) == D(2026, 2, 16)
    assert add_working_days(D(2026, 11, 6), 1, holidays) == D(2026, 11, 10)
    working = rule(unit="working days", value=3)
    ends = {"run_start": D(2026, 12, 1), "run_end": D(2026, 12, 23)}
    assert last_day(working, **ends) == D(2026, 12, 29)  # over Christmas and a weekend
    assert last_day(working, **ends, holidays=()) == D(2026, 12, 28)
    assert last_day(rule(value=3), **ends) == D(2026, 12, 26)  # calendar days know no holiday


# The rules themselves -------------------------------------------------------------------------------------------------
def test_every_rule_says_where_it_comes_from_and_what_to_do() -> None:
    rules = load_rules()
    assert {"run-published", "enrolment-deadline", "attendance-deadline", "assessment-deadline", "fee-collected",
            "make-up-window", "attendance-rate", "minimum-assessments", "capacity", "trainer-present",
            "contact-fields", "session-per-mode", "sessions-span-run"} <= {one.id for one in rules}
    assert set(DEADLINE_RULES.values()) <= {one.id for one in rules}
    for one in rules:
        assert one.confidence in CONFIDENCES
        for text in (one.sentence, one.what_to_do, one.source):
            assert text.strip().endswith((".", ")")), (one.id, text)
        assert "not found" not in one.source or one.confidence in ("uncertain", "third-party"), one.id
        if one.counted and one.value and one.id != "make-up-window" and isinstance(one.value, int) and one.value > 1:
            assert str(one.value) in one.sentence, one.id


def test_a_rule_is_in_force_on_its_first_and_last_day() -> None:
    old = rule(in_force_to=D(2026, 6, 30), value=10)
    new = rule(in_force_from=D(2026, 7, 1), value=20)

    def value(on: date) -> object:
        found = rule_for("r", on=on, provider_type=None, funding_body=None, rules=[new, old])
        return found and found.value

    assert [value(D(2019, 12, 31)), value(D(2020, 1, 1)), value(D(2026, 6, 30)), value(D(2026, 7, 1))] == [
        None, 10, 10, 20
    ]


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mine.yaml").write_text(text)
    return folder


def test_an_overlay_changes_a_setting_and_nothing_else(tmp_path: Path) -> None:
    overlay = written(tmp_path, "- {id: attendance-rate, in_force_from: 2021-01-01, value: 80}")
    changed = load_rules(overlay=overlay)
    assert len(changed) == len(load_rules())
    differing = [(old.id, old.value, new.value) for old, new in zip(load_rules(), changed, strict=True) if old != new]
    assert differing == [("attendance-rate", 75, 80)]


def test_an_overlay_replaces_one_of_several_by_whom_it_binds(tmp_path: Path) -> None:
    overlay = written(
        tmp_path,
        "- {id: enrolment-deadline, binds: {funding_body: IBF}, in_force_from: 2022-10-10, value: 40}",
    )
    changed = load_rules(overlay=overlay)
    by_whom = {one.whom: one.value for one in changed if one.id == "enrolment-deadline"}
    assert by_whom == {"everybody": 45, "funding body IBF": 40, "funding body IBF; provider type in-house": 105}


COMPLETE = ("id: r, title: R, kind: enrolment, value: 1, unit: days, in_force_from: 2026-01-01, source: s, "
            "confidence: sourced, sentence: s, what_to_do: w")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {id: x", "no YAML"),
        ("id: x", "must be a list"),
        ("- {id: x}", "missing"),
        ("- {" + COMPLETE + ", colour: red}", "colour"),
        ("- {" + COMPLETE.replace("sourced", "sure") + "}", "confidence must be"),
        ("- {" + COMPLETE + ", counted: some day}", "counted must be"),
        ("- {" + COMPLETE + ", binds: {colour: red}}", "binds knows no 'colour'"),
        ("- {" + COMPLETE + ", in_force_to: 2025-12-31}", "before in_force_from"),
        ("- {" + COMPLETE.replace("2026-01-01", "soon") + "}", "must be dates"),
        ("- {" + COMPLETE.replace("value: 1", "value: few") + ", counted: after run end}", "whole number"),
        ("- {" + COMPLETE + "}\n- {" + COMPLETE.replace("2026-01-01", "2026-05-01") + "}", "two values on 2026-05-01"),
    ],
)
def test_a_wrong_rule_is_refused_with_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RuleError, match=message) as caught:
        load_rules(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="holds no rules"):
        load_rules(tmp_path)


def test_rules_and_deadlines_import_no_database_http_or_dagster() -> None:
    program = (
        "import sys; import tms_pipeline.compliance.deadlines, tms_pipeline.compliance.checks; "
        "print([name for name in ('psycopg', 'sqlalchemy', 'httpx', 'dagster', 'pandas', 'holidays', 'matplotlib') "
        "if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
