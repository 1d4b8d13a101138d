from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from compliance_world import TODAY, World

from tms_pipeline.compliance.deadlines import standing
from tms_pipeline.compliance.review import review
from tms_pipeline.compliance.rules import load_rules
from tms_pipeline.store.database import Database

REFS = ["HB-00001", "HB-00002", "HB-00003", "HB-00004"]


def findings(db: Database, today: date = TODAY, **options: object) -> list[tuple]:
    done = review(db, today=today, correlation_id="c-1", **options)
    rows = db.rows(
        "SELECT rule, kind, run_code, trainee_ref, last_day, days_left, standing, records, money "
        "FROM finding.deadline WHERE review_id = %s ORDER BY rule, run_code, standing, trainee_ref",
        [done["review_id"]],
    )
    assert sum(done["counts"].values()) == len(rows)
    return rows


def filled(db: Database, fill: Callable[[World], None]) -> Database:
    with db.transaction() as connection:
        world = World(connection)
        world.course()
        for ref in REFS:
            world.trainee(ref)
        fill(world)
    return db


def run_of(world: World, code: str = "R1", start: date = date(2026, 11, 2), end: date = date(2026, 11, 3),
           learners: int = 2, **values: object) -> None:
    """A run in perfect order at SSG, everything on the day itself."""
    world.run(code, start, end, **values)
    world.published(code)
    for ref in REFS[:learners]:
        world.enrolment(code, ref)
        world.at_ssg("enrolment", f"{code}|{ref}", on=start)
        for number in (1, 2):
            world.attendance(code, number, ref)
            world.at_ssg("attendance", f"{code}|{number}|{ref}", on=end)
        world.assessment(code, ref, end)
        world.at_ssg("assessment", f"{code}|{ref}|", on=end)
        world.at_ssg("fee", f"{code}|{ref}", on=end, collection_status="Full Payment")


def test_a_run_in_order_has_no_finding(db: Database) -> None:
    filled(db, run_of)
    done = review(db, today=TODAY, correlation_id="c-7")
    assert done["counts"] == {"missed": 0, "near": 0, "met late": 0, "breach": 0, "warning": 0}
    assert db.rows("SELECT about, as_of, correlation_id, counts FROM finding.review") == [
        ("compliance", TODAY, "c-7", done["counts"])
    ]


@pytest.mark.parametrize(
    ("kind", "key", "rule", "last", "learners"),
    [
        ("course_run", "R1", "run-published", date(2026, 11, 1), 2),
        ("session", "R1|1", "session-published", date(2026, 11, 2), 2),
        ("enrolment", "R1|HB-00001", "enrolment-deadline", date(2026, 12, 17), 1),
        ("attendance", "R1|2|HB-00002", "attendance-deadline", date(2026, 11, 17), 1),
        ("assessment", "R1|HB-00001|", "assessment-deadline", date(2026, 11, 17), 1),
        ("fee", "R1|HB-00001", "fee-collected", date(2026, 11, 10), 1),
    ],
)
def test_each_kind_is_near_to_its_last_day_and_missed_after_it(
    db: Database, kind: str, key: str, rule: str, last: date, learners: int
) -> None:
    filled(db, run_of)
    with db.transaction() as connection:
        connection.execute(f"DELETE FROM mirror.{kind} WHERE key = %s", [key])
    money = Decimal(480 * learners)

    def about(today: date) -> list[tuple]:
        return [row for row in findings(db, today) if row[0] == rule]

    assert about(last - timedelta(days=15)) == []
    assert about(last - timedelta(days=14)) == [(rule, kind, "R1", None, last, 14, "near", 1, money)]
    assert about(last) == [(rule, kind, "R1", None, last, 0, "near", 1, money)]
    assert about(last + timedelta(days=1)) == [(rule, kind, "R1", None, last, -1, "missed", 1, money)]


def test_a_record_of_the_last_minute_is_met_and_of_the_next_day_is_late(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world)
        # 17 November, 23:59:59 and one second later, in Singapore.
        for number, moment in ((1, datetime(2026, 11, 17, 15, 59, 59, tzinfo=UTC)),
                               (2, datetime(2026, 11, 17, 16, 0, 0, tzinfo=UTC))):
            world.connection.execute(
                "UPDATE mirror.attendance SET created_on = %s WHERE key = %s", [moment, f"R1|{number}|HB-00001"]
            )

    rows = findings(filled(db, fill))
    assert rows == [
        ("attendance-deadline", "attendance", "R1", None, date(2026, 11, 17), -1, "met late", 1, Decimal(480))
    ]
    assert db.value("SELECT sentence FROM finding.deadline") == (
        "1 attendance record of run R1 came to SSG after the last day. The last day was 17 Nov 2026; the latest came "
        "on 18 Nov 2026, 1 day late. 1 learner and S$480.00 of course fees are at stake."
    )


def test_what_the_first_read_found_is_never_called_late_unless_we_sent_it(db: Database) -> None:
    long_after = datetime(2027, 3, 1, tzinfo=UTC)

    def fill(world: World) -> None:
        run_of(world)
        world.connection.execute(
            "UPDATE mirror.attendance SET created_on = NULL, first_seen_at = %s", [long_after]
        )
        world.insert("mirror.read", kind="attendance", scope="all", started_at=long_after,
                     finished_at=long_after + timedelta(minutes=1), state="read")
        world.insert("outbox.plan", plan_id="P1", plan_hash="h", correlation_id="c", changes=1, withheld=0, waiting=0,
                     counts="{}")
        world.submission(plan_id="P1", kind="attendance", key="R1|1|HB-00001", action="create",
                         order_no=7, content_hash=b"x", idempotency_key="i", correlation_id="c", state="accepted")

    rows = findings(filled(db, fill), date(2027, 3, 2))
    assert [(row[0], row[6], row[7]) for row in rows] == [("attendance-deadline", "met late", 1)]


def test_a_make_up_session_counts_from_its_own_day_and_may_be_held_for_sixty_days(db: Database) -> None:
    end = date(2026, 9, 1)

    def fill(world: World) -> None:
        run_of(world, start=date(2026, 8, 31), end=end, learners=1)
        for number, day in ((3, end + timedelta(days=60)), (4, end + timedelta(days=61))):
            world.session("R1", number, day)
            world.at_ssg("session", f"R1|{number}", on=end)
            world.attendance("R1", number, "HB-00001")
        world.at_ssg("attendance", "R1|4|HB-00001", on=end + timedelta(days=61))

    rows = findings(filled(db, fill), end + timedelta(days=75))
    assert rows == [
        ("attendance-deadline", "attendance", "R1", None, end + timedelta(days=74), -1, "missed", 1, Decimal(480)),
        ("make-up-window", "session", "R1", None, end + timedelta(days=60), -15, "breach", 1, None),
    ]


def test_attendance_rate_by_sessions(db: Database) -> None:
    def fill(world: World) -> None:
        days = [date(2026, 11, 16) + timedelta(days=number) for number in range(8)]
        world.run("R1", days[0], days[-1], sessions=days)
        world.published("R1")
        # After four sessions: all, three of four, two of four (can still be reached), one of four (cannot).
        for ref, came in zip(REFS, (4, 3, 2, 1), strict=True):
            world.enrolment("R1", ref)
            world.at_ssg("enrolment", f"R1|{ref}", on=days[0])
            for number in range(1, 5):
                world.attendance("R1", number, ref, "late" if number <= came else "absent")

    rows = [row for row in findings(filled(db, fill)) if row[0] == "attendance-rate"]
    assert [(row[3], row[6], row[8]) for row in rows] == [
        ("HB-00004", "breach", Decimal(480)),
        ("HB-00003", "warning", Decimal(480)),
    ]
    sentences = dict(db.rows("SELECT trainee_ref, sentence FROM finding.deadline WHERE rule = 'attendance-rate'"))
    assert sentences["HB-00003"].startswith(
        "Trainee HB-00003 attended 2 of 4 marked sessions (50 %) of run R1; 75 % can still be reached."
    )
    assert "75 % can no longer be reached" in sentences["HB-00004"]


def test_attendance_rate_by_hours_is_a_setting(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=1, sessions=[])
        world.session("R1", 1, date(2026, 11, 2), hours=2)
        world.session("R1", 2, date(2026, 11, 3), hours=8)
        world.connection.execute("UPDATE register.attendance SET mark = 'absent', live = false WHERE session_no = 1")

    filled(db, fill)
    by_hours = [
        replace(rule, value="hours") if rule.id == "attendance-rate-basis" else rule for rule in load_rules()
    ]
    assert "attendance-rate" in {row[0] for row in findings(db)}  # 1 of 2 sessions
    assert "attendance-rate" not in {row[0] for row in findings(db, rules=by_hours)}  # 8 of 10 hours


def test_standards_of_a_run(db: Database) -> None:
    start, end = date(2026, 11, 9), date(2026, 11, 11)

    def fill(world: World) -> None:
        world.trainee("HB-00005", email_mark=None)
        world.trainee("HB-00006", phone_mark=None, email_mark=None)
        # Two seats for four, no trainer, no session in its mode, sessions that start early and end early.
        world.run("R1", start, end, sessions=[], intake_size=1, threshold=1, trainer_codes="")
        world.session("R1", 1, start - timedelta(days=1), mode="5")
        world.session("R1", 2, end - timedelta(days=1), mode="5")
        world.published("R1")
        for ref in ("HB-00001", "HB-00002", "HB-00005", "HB-00006"):
            employer = {"sponsorship_type": "EMPLOYER", "employer_uen": "201912345K"} if ref == "HB-00002" else {}
            world.enrolment("R1", ref, **employer)
            world.at_ssg("enrolment", f"R1|{ref}", on=start)

    rows = findings(filled(db, fill))
    assert [(row[0], row[3], row[6], row[7], row[8]) for row in rows] == [
        ("attendance-marked", None, "warning", 8, Decimal(1920)),
        ("capacity", None, "breach", 2, Decimal(960)),
        ("contact-fields", "HB-00002", "breach", 3, Decimal(480)),
        ("contact-fields", "HB-00005", "breach", 1, Decimal(480)),
        ("contact-fields", "HB-00006", "breach", 2, Decimal(480)),
        ("minimum-assessments", None, "warning", 4, Decimal(1920)),
        ("session-inside-run", None, "breach", 1, None),
        ("session-per-mode", None, "breach", 1, Decimal(1920)),
        ("sessions-span-run", None, "breach", 1, Decimal(1920)),
        ("trainer-present", None, "breach", 1, Decimal(1920)),
    ]
    # Once the last day to submit is over, what nobody recorded is a breach; before the start the rest is a warning.
    later = {row[0]: row[6] for row in findings(db, end + timedelta(days=15))}
    assert later["attendance-marked"] == later["minimum-assessments"] == "breach"
    early = {row[6] for row in findings(db, start - timedelta(days=3))}
    assert early == {"warning"}


def test_cancelled_runs_and_withdrawn_trainees_are_left_alone(db: Database) -> None:
    def fill(world: World) -> None:
        world.run("R1", date(2026, 9, 1), date(2026, 9, 2), live=False, trainer_codes="")
        world.enrolment("R1", "HB-00001")
        world.attendance("R1", 1, "HB-00001")
        run_of(world, "R2")
        world.enrolment("R2", "HB-00003", live=False)

    assert findings(filled(db, fill)) == []


def test_in_house_and_ibf_courses_follow_their_own_rules(db: Database) -> None:
    start, end = date(2026, 10, 1), date(2026, 10, 2)

    def fill(world: World) -> None:
        for code, provider, body in (("A", "public", "SSG"), ("B", "in-house", "SSG"), ("C", "public", "IBF"),
                                     ("D", "in-house", "IBF")):
            reference = f"TGS-202600020{code}"
            world.course(reference, provider_type=provider, funding_body=body)
            world.run(code, start, end, course_reference=reference)
            world.published(code)
            world.enrolment(code, "HB-00001")
            for number in (1, 2):
                world.attendance(code, number, "HB-00001")

    rows = [row for row in findings(filled(db, fill), date(2026, 11, 17)) if "deadline" in row[0]]
    assert [(row[0], row[2], row[4], row[6]) for row in rows] == [
        ("attendance-deadline", "A", date(2026, 10, 16), "missed"),
        ("attendance-deadline", "B", date(2026, 10, 30), "missed"),
        ("attendance-deadline", "C", date(2026, 11, 16), "missed"),
        ("attendance-deadline", "D", date(2026, 11, 16), "missed"),
        ("enrolment-deadline", "A", date(2026, 11, 15), "missed"),
        ("enrolment-deadline", "B", date(2026, 11, 15), "missed"),
        ("enrolment-deadline", "C", date(2026, 11, 15), "missed"),
    ]  # D has until 14 January 2027


@pytest.mark.parametrize("done_after", [None, -1, 0, 1])
@pytest.mark.parametrize("left", [-1, 0, 14, 15])
def test_sql_and_python_agree_on_every_standing(db: Database, left: int, done_after: int | None) -> None:
    last = date(2026, 12, 17)
    today = last - timedelta(days=left)
    done_on = None if done_after is None else last + timedelta(days=done_after)

    def fill(world: World) -> None:
        run_of(world, learners=1)
        if done_on is None:
            world.connection.execute("DELETE FROM mirror.enrolment")
        else:
            world.connection.execute(
                "UPDATE mirror.enrolment SET created_on = %s", [datetime(*done_on.timetuple()[:3], 4, tzinfo=UTC)]
            )

    told = [(row[6], row[5]) for row in findings(filled(db, fill), today) if row[0] == "enrolment-deadline"]
    expected, days = standing(last, today, done_on)
    assert told == ([] if expected in ("met", "ahead") else [(expected, days)])
