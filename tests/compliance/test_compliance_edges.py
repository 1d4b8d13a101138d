"""Every rule at its edges: the last that is right, the first that is wrong; overlays of a provider's own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from compliance_world import World
from test_compliance_review import REFS, filled, findings, run_of

from tms_pipeline.compliance.calendar import off_day
from tms_pipeline.compliance.checks import RuleBook, run_findings
from tms_pipeline.compliance.deadlines import Standing, deadline_of
from tms_pipeline.compliance.finding import Finding, Run, deadline_finding
from tms_pipeline.compliance.review import review
from tms_pipeline.compliance.rules import RuleError, load_rules, rule_for
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.preview import preview
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.settings import load_settings
from tms_pipeline.store.database import Database
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.workplace import Workplace

NRIC = make_nric("S", 9999301)


def _csv(*rows: list[str]) -> bytes:
    return "\n".join(",".join(row) for row in rows).encode()


def _drop(place: Workplace, name: str, *rows: list[str]) -> None:
    upload, _ = receive(place, f"{name}.csv", _csv(*rows), source="inbox", actor=place.actor())
    assert take_in(place, upload, actor=place.actor()).counts()["accepted"] == len(rows) - 1


D = date
START, END = D(2028, 2, 28), D(2028, 3, 1)  # over a leap day
GOOD = Run(
    run_code="R1", course_reference="TGS-2026000101", course_title="Food Hygiene", provider_type="public",
    funding_body="SSG", full_course_fee=Decimal(480), minimum_assessments=1, start_date=START, end_date=END,
    mode_of_training="1", intake_size=20, threshold=2, trainer_codes="TR-01", enrolled=10, sessions=3,
    sessions_in_mode=3, sessions_with_open_dates=0, first_day=START, last_day_inside=END, sessions_before_start=0,
    latest_day=END, latest_assessment=END,
)  # fmt: skip


def found(run: Run, today: date) -> list[Finding]:
    return list(run_findings(run, RuleBook(load_rules()), today))


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "learners"),
    [
        ("capacity", {"enrolled": 22}, {"enrolled": 23}, 1),
        ("capacity", {"enrolled": 20, "threshold": None}, {"enrolled": 21, "threshold": None}, 1),
        ("trainer-present", {"trainer_codes": "TR-02"}, {"trainer_codes": "  "}, 10),
        ("session-per-mode", {"sessions_in_mode": 1}, {"sessions_in_mode": 0}, 10),
        ("session-per-mode", {"sessions_in_mode": 1, "sessions": 1},
         {"sessions_in_mode": 0, "sessions": 0, "first_day": None, "last_day_inside": None}, 10),
        ("sessions-span-run", {"first_day": START}, {"first_day": D(2028, 2, 29)}, 10),
        ("sessions-span-run", {"last_day_inside": END}, {"last_day_inside": D(2028, 2, 29)}, 10),
        # E-learning may last for days: only its first day is known, so a span says nothing.
        ("sessions-span-run", {"last_day_inside": START, "sessions_with_open_dates": 1}, {"last_day_inside": START}, 10),
        ("session-inside-run", {"sessions_before_start": 0}, {"sessions_before_start": 1}, 0),
    ],
)  # fmt: skip
def test_a_run_is_right_up_to_the_edge_and_wrong_past_it(
    rule: str, right: dict, wrong: dict, learners: int
) -> None:
    before, start = START - timedelta(days=1), START
    assert found(replace(GOOD, **right), start) == []
    (early,) = found(replace(GOOD, **wrong), before)
    (late,) = found(replace(GOOD, **wrong), start)
    assert (early.rule, early.standing, early.last_day, early.days_left) == (rule, "warning", before, 0)
    assert (late.rule, late.standing, late.last_day, late.days_left) == (rule, "breach", before, -1)
    assert late.learners == learners and late.money == (Decimal(480) * learners or None)
    assert late.what_to_do and late.sentence.endswith(".")


@pytest.mark.parametrize("field", ["latest_day", "latest_assessment"])
def test_a_make_up_may_be_held_on_the_sixtieth_day_and_not_on_the_next(field: str) -> None:
    last = D(2028, 4, 30)  # 60 days after 1 March, counted from the run's end
    assert found(replace(GOOD, **{field: last}), last) == []
    (early,) = found(replace(GOOD, **{field: last + timedelta(days=1)}), last)
    (late,) = found(replace(GOOD, **{field: last + timedelta(days=1)}), last + timedelta(days=1))
    assert [(one.rule, one.standing, one.last_day, one.days_left) for one in (early, late)] == [
        ("make-up-window", "warning", last, 0), ("make-up-window", "breach", last, -1)
    ]


def test_a_last_day_on_a_holiday_or_a_weekend_is_told_and_not_moved() -> None:
    assert [off_day(day) for day in (D(2026, 2, 17), D(2026, 11, 7), D(2026, 11, 8), D(2026, 11, 9), D(2026, 11, 10))] == [
        "a public holiday", "a Saturday", "a public holiday", "a public holiday", ""
    ]  # Chinese New Year; Deepavali on a Sunday and the Monday in lieu
    rule = rule_for("attendance-deadline", on=START, provider_type=None, funding_body=None)
    assert rule is not None
    said = deadline_finding(
        rule, "attendance", GOOD, Standing.NEAR, last_day=D(2026, 2, 17), days_left=3, records=1, learners=1
    ).sentence
    assert "The last day is 17 Feb 2026 (a public holiday): 3 days left." in said
    assert deadline_of("attendance", D(2026, 2, 2), D(2026, 2, 3), provider_type="public", funding_body="SSG",
                       today=D(2026, 2, 3)) == D(2026, 2, 17)


def test_the_rate_is_right_at_75_percent_and_wrong_below(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=0, sessions=[D(2026, 11, 2)] * 0)
        for number in range(1, 21):
            world.session("R1", number, D(2026, 11, 2) if number <= 10 else D(2026, 11, 3), hours=1)
        for ref, came in zip(REFS, (20, 15, 14, 0), strict=True):
            world.enrolment("R1", ref)
            for number in range(1, 21):
                world.attendance("R1", number, ref, "present" if number <= came else "absent")

    rows = [row for row in findings(filled(db, fill)) if row[0] == "attendance-rate"]
    # 15 of 20 is 75 %; what is below can be put right by a make-up session until 60 days after the run's end.
    assert [(row[3], row[4], row[5], row[6]) for row in rows] == [
        ("HB-00003", D(2027, 1, 2), 43, "breach"), ("HB-00004", D(2027, 1, 2), 43, "breach")
    ]


def test_hours_on_the_job_count_as_they_were_done(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=0)
        for ref, hours in ((REFS[0], 4), (REFS[1], 3.9)):
            world.enrolment("R1", ref)
            world.attendance("R1", 1, ref, hours=8)
            world.attendance("R1", 2, ref, hours=hours)

    by_hours = [replace(rule, value="hours") if rule.id == "attendance-rate-basis" else rule for rule in load_rules()]
    told = [row[3] for row in findings(filled(db, fill), rules=by_hours) if row[0] == "attendance-rate"]
    assert told == [REFS[1]]  # 12 of 16 hours is 75 %, 11.9 is not


@pytest.mark.parametrize(("have", "needed", "told"), [(1, 1, 0), (0, 1, 1), (1, 2, 1), (0, 0, 0), (0, None, 1)])
def test_as_many_assessments_as_the_course_asks_for(db: Database, have: int, needed: int | None, told: int) -> None:
    def fill(world: World) -> None:
        world.connection.execute("UPDATE register.course SET minimum_assessments = %s", [needed])
        run_of(world, learners=1)
        if not have:
            world.connection.execute("DELETE FROM register.assessment")

    rows = [row for row in findings(filled(db, fill), D(2026, 11, 4)) if row[0] == "minimum-assessments"]
    assert len(rows) == told


@pytest.mark.parametrize(
    ("results", "today", "expected"),
    [
        (["Pass"], D(2026, 11, 20), None),
        (["Exempt"], D(2026, 11, 20), None),
        (["Fail"], D(2027, 1, 2), ("warning", 0)),  # the last day for a re-assessment
        (["Fail"], D(2027, 1, 3), ("breach", -1)),
        (["Fail", "Pass"], D(2027, 1, 3), None),  # passed the re-assessment
        (["Pass", "Fail"], D(2027, 1, 3), ("breach", -1)),
    ],
)
def test_a_failed_assessment_can_be_put_right_until_the_window_closes(
    db: Database, results: list[str], today: date, expected: tuple[str, int] | None
) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=1)
        world.connection.execute("DELETE FROM register.assessment")
        for number, result in enumerate(results):
            world.register("assessment", f"R1|{REFS[0]}|{number}", run_code="R1", trainee_ref=REFS[0], skill_code="",
                           assessment_date=D(2026, 11, 3) + timedelta(days=number), result=result)

    rows = [(row[6], row[5]) for row in findings(filled(db, fill), today) if row[0] == "competent"]
    assert rows == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2028, 3, 15, 15, 59, 59, 999999, tzinfo=UTC), []),  # 15 March, the last minute in Singapore
        (datetime(2028, 3, 15, 16, 0, tzinfo=UTC), [("attendance-deadline", "met late", -1)]),
    ],
)
def test_the_last_minute_of_the_last_day_counts_over_a_leap_day(
    db: Database, moment: datetime, told: list[tuple]
) -> None:
    def fill(world: World) -> None:
        run_of(world, start=START, end=END, learners=1)
        world.connection.execute("UPDATE mirror.attendance SET created_on = %s", [moment])

    rows = findings(filled(db, fill), D(2028, 4, 1))
    assert [(row[0], row[6], row[5]) for row in rows if row[0] == "attendance-deadline"] == told


@pytest.mark.parametrize(
    ("email", "phone", "mark", "today", "told"),
    [
        (None, b"p", "present", D(2028, 3, 10), None),  # one of both is enough
        (b"e", None, "present", D(2028, 3, 10), None),
        (None, None, "absent", D(2028, 3, 10), None),  # nothing of it is sent
        (None, None, "late", D(2028, 3, 14), "warning"),  # the last day for attendance
        (None, None, "present", D(2028, 3, 15), "breach"),
    ],
)
def test_attendance_asks_for_an_email_or_a_mobile(
    db: Database, email: bytes | None, phone: bytes | None, mark: str, today: date, told: str | None
) -> None:
    def fill(world: World) -> None:
        world.trainee("HB-00009", email_mark=email, phone_mark=phone)
        world.run("R1", D(2028, 2, 28), D(2028, 2, 29))  # 14 days after a leap day
        world.published("R1")
        world.enrolment("R1", "HB-00009")
        for number in (1, 2):
            world.attendance("R1", number, "HB-00009", mark)

    rows = [row for row in findings(filled(db, fill), today) if row[0] == "contact-at-attendance"]
    assert [(row[3], row[6], row[7]) for row in rows] == ([] if told is None else [("HB-00009", told, 2)])


def test_digital_attendance_is_told_with_its_source_and_not_checked() -> None:
    (rule,) = (rule for rule in load_rules() if rule.id == "digital-attendance")
    assert not rule.checked and rule.in_force_from == D(2023, 10, 1) and "Singpass" in rule.sentence and rule.source
    assert rule.binding({"mode": "1"}) and not rule.binding({"mode": "2"})


# A provider's own rules -----------------------------------------------------------------------------------------------
def test_the_setting_lays_a_providers_rules_over_the_projects(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text("- {id: attendance-rate, in_force_from: 2021-01-01, value: 80}\n")
    settings = load_settings(_env_file=None, tms_home=tmp_path, TMS_RULES=str(path))
    (rate,) = (rule for rule in rules_of(settings) if rule.id == "attendance-rate")
    assert rate.value == 80 and "at least 80 %" in rate.sentence and "ours.yaml" in rate.source
    # A corrected file counts without a restart.
    path.write_text("- {id: attendance-rate, in_force_from: 2021-01-01, value: 100, sentence: All of it.}\n")
    (rate,) = (rule for rule in rules_of(settings) if rule.id == "attendance-rate")
    assert (rate.value, rate.sentence) == (100, "All of it.")
    assert rules_of(load_settings(_env_file=None, tms_home=tmp_path, TMS_RULES="")) == load_rules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- id: attendance-rate\n  in_force_from: 2021-01-01\n  value: 175\n",
         r"ours\.yaml, line 3, rule attendance-rate, value: must be a number from 0 to 100\."),
        ("- id: attendance-rate-basis\n  in_force_from: 2021-01-01\n  value: days\n",
         r"line 3, rule attendance-rate-basis, value: must be one of sessions, hours\."),
        ("- id: attendance-deadline\n  value: ten\n  in_force_from: 2021-01-01\n",
         r"line 2, rule attendance-deadline, value: value must be a whole number of days\."),
        ("- {id: attendance-deadline, in_force_from: 2021-01-01, value: 99999999}", r"whole number of days, 3,660"),
        ("- id: attendance-deadline\n  in_force_from: 2021-01-01\n  value: 2\n  unit: weeks\n",
         r"line 4, rule attendance-deadline, unit: must be calendar days or working days\."),
        ("- {id: near-window, in_force_from: 2021-01-01, value: 7.5}", r"value: must be a whole number\."),
        ("- {id: minimum-assessments, in_force_from: 2021-01-01, value: 1.5}", r"value: must be a whole number\."),
        ("- id: attendance-deadline\n  in_force_from: 2021-01-01\n  valeu: 10\n",
         r"line 3, rule attendance-deadline, valeu: there is no such key; the keys are id, title, "),
        ("\n- id: atendance\n", r"line 2, id: no check knows the rule 'atendance'"),
        ("- id: capacity\n  value: 1\n  value: 2\n", r"ours\.yaml, line 3, value: stands twice in one rule\."),
        ("- id: capacity\n\tvalue: 1\n", r"ours\.yaml, line 2: this is no YAML"),
        ("- id: capacity\n  in_force_from: 2026-06-01\n  value: 1\n",
         r"line 1, rule capacity: title, kind, unit, .* are missing\."),
        ("- id: fee-collected\n  in_force_from: soon\n", r"missing|must be dates"),
        ("- id: near-window\n  value: 7\n  in_force_from: 2026-01-01\n  title: T\n  kind: setting\n  unit: days\n"
         "  source: s\n  confidence: sourced\n  sentence: s\n  what_to_do: w\n",
         r"ours\.yaml, line 3, in_force_from: The rule near-window \(everybody\) has two values on 2026-01-01"),
        ("- id: trainer-present\n  in_force_from: 2021-01-01\n  checked: perhaps\n",
         r"line 3, rule trainer-present, checked: must be true or false\."),
    ],
)  # fmt: skip
def test_a_wrong_overlay_is_refused_by_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "ours.yaml").write_text(text)
    with pytest.raises(RuleError, match=said) as caught:
        rules_of(load_settings(_env_file=None, tms_home=tmp_path, TMS_RULES=str(tmp_path / "ours.yaml")))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_rule_in_working_days_says_so(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("- {id: enrolment-deadline, in_force_from: 2021-01-01, value: 20, unit: working days}")
    rules = load_rules(overlay=tmp_path)
    rule = rule_for("enrolment-deadline", on=date(2026, 11, 2), provider_type=None, funding_body=None, rules=rules)
    assert rule is not None and "within 20 working days after" in rule.sentence


@pytest.mark.parametrize("name", ["gone.yaml", "empty"])
def test_an_overlay_that_is_not_there_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RuleError, match=r"are not there|holds no rules"):
        rules_of(load_settings(_env_file=None, tms_home=tmp_path, TMS_RULES=str(tmp_path / name)))


def test_an_overlay_counts_for_plans_and_reviews_alike(place: Workplace, tmp_path: Path) -> None:
    overlay = tmp_path / "ours.yaml"
    overlay.write_text("- {id: enrolment-deadline, in_force_from: 2021-01-01, value: 10}\n")
    with place.db.transaction() as connection:
        world = World(connection)
        world.course()
        world.trainee("HB-90001")
        world.run("R1", D(2026, 11, 2), D(2026, 11, 3))
        world.enrolment("R1", "HB-90001")
    told = {}
    for name, rules in (("ours", str(overlay)), ("the project's", "")):
        own = load_settings(
            _env_file=None, tms_home=place.home, database_url=place.settings.database_url, TMS_TODAY="2026-11-20",
            TMS_RULES=rules,
        )
        plan_now(replace(place, settings=own), actor=place.actor())
        done = review(place.db, today=D(2026, 11, 20), correlation_id="c", rules=rules_of(own))
        told[name] = (
            place.db.value("SELECT deadline FROM outbox.submission WHERE kind = 'enrolment' AND state <> 'superseded'"),
            place.db.value("SELECT last_day FROM finding.deadline WHERE rule = 'enrolment-deadline' AND review_id = %s",
                           [done["review_id"]]),
        )
        if name == "ours":
            _drop(place, "trainee", ["NRIC/FIN", "Full Name", "Date of Birth", "Email", "Phone"],
                  [NRIC, "Somebody Else", "1980-01-01", "else@example.test", "90000001"])  # fmt: skip
        taken = preview(
            replace(place, settings=own), "late.csv",
            _csv(["Course Run", "NRIC/FIN", "Enrolment Date", "Sponsorship Type"], ["R1", NRIC, "2026-11-02", "Individual"]),
            actor=place.actor(),
        )  # fmt: skip
        late = [item.sentence for items in taken.evaluation.faults.values() for item in items if item.code == "LATE_ROW"]
        assert [("2026-11-12" in sentence) for sentence in late] == ([True] if name == "ours" else []), "intake"
    # Without ours there are 45 days, too many for a finding yet.
    assert told == {"ours": (D(2026, 11, 12), D(2026, 11, 12)), "the project's": (D(2026, 12, 17), None)}
