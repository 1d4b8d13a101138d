"""Lives that are not in the book: people who were shredded, fees that settle late, make-up sessions nobody marked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from compliance_world import World
from test_compliance_review import filled, findings, run_of

from tms_pipeline.compliance.rules import load_rules
from tms_pipeline.store.database import Database


def sentence(db: Database, rule: str) -> str:
    """The one sentence of a rule, of the last review."""
    return str(db.value("SELECT sentence FROM finding.deadline WHERE rule = %s", [rule]))


def test_who_was_shredded_or_withdrew_consent_is_no_breach_of_the_runs_they_were_in(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=3)
        world.connection.execute(
            "UPDATE register.trainee SET email_mark = NULL, phone_mark = NULL WHERE key <> 'HB-00003'"
        )
        world.connection.execute(
            "UPDATE register.enrolment SET sponsorship_type = 'EMPLOYER', employer_uen = 'U' "
            "WHERE trainee_ref = 'HB-00001'"
        )
        world.insert("rights.shredded", trainee_ref="HB-00001", certificate_id="C-1", rule="request")
        world.insert("rights.withdrawal", trainee_ref="HB-00002", purpose="contact", reason="", recorded_by="officer",
                     withdrawn_on=date(2026, 11, 4), effective_at=datetime(2026, 11, 5, tzinfo=UTC))

    assert findings(filled(db, fill)) == []
    # Until a withdrawal takes effect the details are needed; and a mark that is still to go to SSG needs them for ever.
    with db.transaction() as connection:
        connection.execute("DELETE FROM mirror.attendance WHERE key = 'R1|2|HB-00002'")
    assert [row[0] for row in findings(db) if row[3]] == ["contact-at-attendance"]
    with db.transaction() as connection:
        connection.execute("UPDATE rights.withdrawal SET effective_at = NULL")
    assert [row[0] for row in findings(db) if row[3]] == ["contact-at-attendance", "contact-fields"]


@pytest.mark.parametrize(
    ("changed_at_ssg", "late"),
    [(datetime(2026, 9, 9, 15, 59, tzinfo=UTC), None), (datetime(2026, 9, 9, 16, tzinfo=UTC), -1), (None, -70)],
)
def test_a_fee_that_came_unpaid_in_time_and_was_paid_too_late_is_late(
    db: Database, changed_at_ssg: datetime | None, late: int | None
) -> None:
    end, seen = date(2026, 9, 2), datetime(2026, 11, 18, tzinfo=UTC)

    def fill(world: World) -> None:
        run_of(world, start=date(2026, 9, 1), end=end, learners=1)
        # Unpaid with its enrolment, paid when a night saw it again.
        world.insert("mirror.fee_history", ssg_ref=world.connection.execute("SELECT ssg_ref FROM mirror.fee").fetchone()[0],
                     key="R1|HB-00001", live=True, seen_how="read", own_hash=b"o", ssg_hash=b"s", seen_at=seen,
                     collection_status="Pending Payment", first_seen_at=seen, valid_from=datetime(2026, 9, 1, tzinfo=UTC),
                     valid_to=seen)  # fmt: skip
        world.connection.execute("UPDATE mirror.fee SET updated_on = %s", [changed_at_ssg])
        # The trigger dates a version by now; this one is of that night.
        world.connection.execute("UPDATE mirror.fee SET valid_from = %s", [seen])

    rows = findings(filled(db, fill))
    assert [(row[0], row[6], row[5]) for row in rows] == ([] if late is None else [("fee-collected", "met late", late)])


def test_marks_missing_of_a_make_up_session_count_from_its_own_day(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, start=date(2026, 9, 1), end=date(2026, 9, 2), learners=1)
        world.session("R1", 3, date(2026, 10, 30))
        world.at_ssg("session", "R1|3", on=date(2026, 9, 2))

    rows = [row for row in findings(filled(db, fill), date(2026, 11, 1)) if row[0] == "attendance-marked"]
    assert [(row[4], row[6]) for row in rows] == [(date(2026, 11, 13), "warning")]


def test_a_rate_below_the_rule_never_reads_like_the_rule(db: Database) -> None:
    def fill(world: World) -> None:
        days = [date(2026, 9, 1) + timedelta(days=number) for number in range(59)]
        world.run("R1", days[0], days[-1], sessions=days)
        world.enrolment("R1", "HB-00001")
        for number in range(1, 60):
            world.attendance("R1", number, "HB-00001", "present" if number <= 44 else "absent")

    findings(filled(db, fill))
    assert "44 of 59 sessions (74.5 %) of run R1; 75 % can no longer be reached" in sentence(db, "attendance-rate")


def test_hours_with_a_third_are_told_in_two_decimals(db: Database) -> None:
    def fill(world: World) -> None:
        run_of(world, learners=1, sessions=[])
        for number in (1, 2):
            world.register("session", f"R1|{number}", run_code="R1", session_no=number, start_time=time(9),
                           session_date=date(2026, 11, 1 + number), end_time=time(12, 20), mode_of_training="1")
        world.connection.execute("UPDATE register.attendance SET mark = 'absent', live = false WHERE session_no = 1")

    filled(db, fill)
    findings(db, rules=[
        replace(rule, value="hours") if rule.id == "attendance-rate-basis" else rule for rule in load_rules()
    ])  # fmt: skip
    assert "attended 3.33 of 6.67 hours (50 %) of run R1" in sentence(db, "attendance-rate")
