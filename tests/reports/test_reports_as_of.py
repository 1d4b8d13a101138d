"""Looking back: what was believed on a past day, from history, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from compliance_world import TODAY, World, emptied, running_database
from report_world import fill_for_reports

from tms_pipeline.compliance.review import review
from tms_pipeline.reports.build import ReportError, document_of, look, write_document_forms, write_reports
from tms_pipeline.reports.data import json_parts
from tms_pipeline.settings import PROJECT_ROOT
from tms_pipeline.store.as_of import looking_back
from tms_pipeline.store.database import Database

YESTERDAY = TODAY - timedelta(days=1)
LONG_AGO = "2026-10-01 00:00:00+08"
KEPT = ("register.course", "register.trainer", "register.course_run", "register.session", "register.trainee",
        "register.enrolment", "register.fee", "register.attendance", "register.assessment", "mirror.course",
        "mirror.trainer", "mirror.course_run", "mirror.session", "mirror.enrolment", "mirror.fee", "mirror.attendance",
        "mirror.assessment", "mirror.grants", "outbox.submission", "intake.upload")  # fmt: skip
# Read by the number of a review that is shown, or without a past of their own (docs/compliance.md); of fees the versions
# before the one that is shown.
WITHOUT_PAST = {"finding.discrepancy", "finding.deadline", "finding.sheet_row", "finding.tally", "finding.every_deadline",
                "mirror.fee_history"}  # fmt: skip


@pytest.fixture(scope="module")
def db() -> Iterator[Database]:
    with running_database() as found:
        yield found


@pytest.fixture
def past(db: Database) -> Database:
    """The small term, all of it known long ago."""
    fill_for_reports(emptied(db))
    with db.transaction() as connection:
        for name in KEPT:
            connection.execute(f"UPDATE {name} SET valid_from = %s", [LONG_AGO])
        connection.execute("UPDATE outbox.plan SET created_at = %s", [LONG_AGO])
        connection.execute("UPDATE outbox.nightly SET started_at = %s", [LONG_AGO])
    return db


def written(db: Database, folder: Path) -> dict[str, bytes]:
    """Every report as of yesterday: its files and its JSON."""
    paths = write_reports(db, folder, today=TODAY, provider="Hawker Boys", as_of=YESTERDAY)
    with look(db, today=TODAY, provider="Hawker Boys", as_of=YESTERDAY) as facts:
        documents = [document_of(facts, "run", run="HYG-2607-A"), document_of(facts, "receipts"),
                     document_of(facts, "month", month="2026-11")]  # fmt: skip
        for document in documents:
            paths += write_document_forms(document, folder)
        found = {f"{one.name}.json": "".join(json_parts(one)).encode() for one in documents}
    return found | {path.name: path.read_bytes() for path in paths}


def life_goes_on(db: Database) -> None:
    """A later upload, later reads and submissions, a later review."""
    with db.transaction() as connection:
        world = World(connection)
        world.insert("intake.upload", upload_id="U-9", sha256="9", file_name="later.xlsx", state="taken in",
                     received_at=datetime.now().astimezone(), received_by="ops", bytes=1, rows=5, accepted=5,
                     correlation_id="c")
        connection.execute("UPDATE intake.upload SET state = 'undone' WHERE upload_id = 'U-1'")
        world.trainee("HB-09999")
        world.enrolment("HYG-2607-A", "HB-09999")
        for kind in ("enrolment", "attendance", "course_run"):
            connection.execute(
                f"INSERT INTO register.{kind}_history SELECT r.*, now() FROM register.{kind} r WHERE upload_id = 'U-1'"
            )
            connection.execute(
                f"UPDATE register.{kind} SET live = NOT live, version = version + 1, valid_from = now() "
                "WHERE upload_id = 'U-1'"
            )
        connection.execute("UPDATE mirror.attendance SET live = false, ssg_status = 'gone'")
        connection.execute("UPDATE mirror.fee SET collection_status = 'Partial Payment'")
        world.at_ssg("enrolment", "HYG-2607-A|HB-09999")
        connection.execute("UPDATE outbox.submission SET state = 'discarded', reason = 'later' WHERE state = 'dead'")
        connection.execute("UPDATE outbox.submission SET state = 'dead', sentence = 'later' WHERE state = 'retry'")
    review(db, today=TODAY, correlation_id="later")


def test_a_report_of_a_past_day_stays_the_same_bytes_whatever_happens_later(past: Database, tmp_path: Path) -> None:
    before = written(past, tmp_path / "before")
    with look(past, today=TODAY, provider="Hawker Boys") as facts:
        today = "".join(json_parts(document_of(facts, "run", run="HYG-2607-A")))
    life_goes_on(past)
    after = written(past, tmp_path / "after")
    assert sorted(before) == sorted(after) and len(before) > 12
    assert [name for name in before if before[name] != after[name]] == []
    with look(past, today=TODAY, provider="Hawker Boys") as facts:
        assert "".join(json_parts(document_of(facts, "run", run="HYG-2607-A"))) != today


def test_every_table_shows_what_it_was_at_each_moment(db: Database) -> None:
    moments: list[datetime] = []

    def now() -> None:
        moments.append(db.value("SELECT clock_timestamp()"))

    now()  # nothing is there
    with emptied(db).transaction() as connection:
        world = World(connection)
        world.at_ssg("enrolment", "R1|HB-00001", ssg_status="Confirmed")
        world.insert("outbox.plan", plan_id="P", plan_hash="h", correlation_id="c", changes=1, withheld=0, waiting=0,
                     counts="{}")
        world.submission(plan_id="P", kind="enrolment", key="R1|HB-00001", action="create", order_no=5,
                         content_hash=b"x", idempotency_key="i", correlation_id="c", state="ready")
    now()
    with db.transaction() as connection:
        # Two changes in one transaction are one version: nobody could see what lay between them.
        connection.execute("UPDATE mirror.enrolment SET ssg_status = 'Pending'")
        connection.execute("UPDATE mirror.enrolment SET ssg_status = 'Cancelled', live = false")
        connection.execute("UPDATE outbox.submission SET state = 'superseded'")
    now()
    with db.transaction() as connection:
        connection.execute("UPDATE mirror.enrolment SET ssg_status = 'Confirmed', live = true")
    now()

    def seen(moment: datetime | None) -> tuple[list[tuple], list[tuple]]:
        with db.transaction() as connection, looking_back(connection, moment):
            return (connection.execute("SELECT ssg_status, live FROM mirror.enrolment").fetchall(),
                    connection.execute("SELECT state FROM outbox.submission").fetchall())

    assert [seen(moment) for moment in moments] == [
        ([], []),
        ([("Confirmed", True)], [("ready",)]),
        ([("Cancelled", False)], [("superseded",)]),
        ([("Confirmed", True)], [("superseded",)]),
    ]
    assert seen(None) == ([("Confirmed", True)], [("superseded",)])
    assert db.value("SELECT count(*) FROM mirror.enrolment_history") == 2


def test_what_is_only_stamped_makes_no_history(past: Database) -> None:
    with past.transaction() as connection:
        connection.execute("UPDATE mirror.attendance SET seen_at = now(), agreed_hash = ssg_hash, agreed_key = key")
        connection.execute(
            "UPDATE outbox.submission SET lease_owner = 'w', lease_until = now(), due = current_date WHERE state = 'ready'"
        )
        connection.execute("UPDATE mirror.enrolment SET live = live, ssg_status = ssg_status")
    for name in ("mirror.attendance", "mirror.enrolment", "outbox.submission"):
        assert past.value(f"SELECT count(*) FROM {name}_history") == 0, name


def test_every_history_has_the_columns_of_its_table(db: Database) -> None:
    def columns(schema: str, name: str) -> list[str]:
        return [row[0] for row in db.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "ORDER BY ordinal_position", [schema, name])]  # fmt: skip

    for full in KEPT:
        schema, name = full.split(".")
        live, kept = columns(schema, name), columns(schema, f"{name}_history")
        # A migration that adds a column calls history.keep or history.show again (docs/developer.md).
        if schema == "register":
            assert sorted(kept) == sorted([*live, "valid_to"]), full
        else:
            assert kept == ["valid_to", *live], full
        assert columns("history", f"{schema}_{name}") == live, full


def test_every_table_that_a_report_reads_has_a_past(db: Database) -> None:
    views = {row[0] for row in db.rows("SELECT table_name FROM information_schema.views WHERE table_schema = 'history'")}
    asked: set[str] = set()
    for folder in ("reports", "compliance", "grants"):
        for path in (PROJECT_ROOT / "sql" / folder).rglob("*.sql"):
            text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
            asked |= {match[0] for match in re.finditer(r"\b(?:register|mirror|outbox|intake|finding|audit)\.[a-z_]+", text)}
    assert len(asked) > 20
    assert {name for name in asked if name.replace(".", "_") not in views} <= WITHOUT_PAST


def test_a_report_of_a_day_waits_for_what_began_on_it_and_is_still_being_written(past: Database) -> None:
    day = past.value("SELECT (now() AT TIME ZONE 'Asia/Singapore')::date")
    tomorrow = day + timedelta(days=1)  # "today" is over as soon as it is tomorrow

    def ask() -> None:
        with look(past, today=tomorrow, provider="Hawker Boys", as_of=day):
            pass

    with past.transaction() as connection:
        connection.execute("SELECT 1")  # who only reads holds up nobody
        ask()
        connection.execute("UPDATE mirror.fee SET collection_status = 'Partial Payment'")
        with pytest.raises(ReportError, match="still being written; ask again in a minute"):
            ask()
    ask()


def test_the_periods_of_support_of_a_course_have_a_past(past: Database) -> None:
    with past.transaction() as connection:
        connection.execute("INSERT INTO mirror.course_support VALUES ('TGS-1', '1', 'SFC', '2026-01-01', '2026-12-31')")
    moment = past.value("SELECT clock_timestamp()")
    with past.transaction() as connection:
        connection.execute("DELETE FROM mirror.course_support")
    with past.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM mirror.course_support").fetchone() == (0,)
        with looking_back(connection, moment):
            assert connection.execute("SELECT tagging_code FROM mirror.course_support").fetchall() == [("1",)]


def test_a_day_that_is_not_over_cannot_be_looked_back_at(db: Database) -> None:
    with pytest.raises(ReportError, match=r"lies ahead; a report is of today or of a day before\."), look(
        db, today=TODAY, provider="Hawker Boys", as_of=TODAY + timedelta(days=1)
    ):
        pass
