"""Runs that a night leaves out, and everything that brings them back: real Postgres, real simulator, real nights.

Run A of the small term ended in November; the nights here are of a day in March, when nothing of it can become due.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from running import wait_until
from settled_world import MARCH, another, left_out, look_at, matched, on, scope, unseen
from submission_world import World, attendance, run

from tms_pipeline.mirror.pull_result import PullResult
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.reports.build import document_of, look, write_reports
from tms_pipeline.reports.document import Document
from tms_pipeline.submission.states import UNDER_WAY


def test_what_is_left_out_is_still_counted_everywhere(settled: World, tmp_path: Path) -> None:
    last = "SELECT counts FROM finding.review WHERE about = 'reconciliation' ORDER BY review_id DESC LIMIT 1"
    before = settled.value(last)
    counted = look_at(settled)
    assert scope(settled).full_look == "" and left_out(settled) == {"A", "C"}
    assert settled.reconcile() == {}
    after = settled.value(last)
    assert after["matched"] == before["matched"] and after["matched"]["attendance"] == 3
    settled.execute("DELETE FROM finding.full_look")  # the next look is at everything
    assert look_at(settled) == counted

    def tables(document: Document) -> dict[str, list[Any]]:
        found = {table.caption: list(table.rows()) for table in document.tables}
        found["Overview"] = [row for row in found["Overview"] if row[0] != "of them settled"]
        return found

    db = settled.workplace.db
    with look(db, today=MARCH, provider="P", open_only=True) as facts:
        nightly, funnel = document_of(facts, "runs"), facts.funnel
        shown = tables(nightly)
        lines = {kind: document_of(facts, kind).lines for kind in ("compliance", "submissions")}
    with look(db, today=MARCH, provider="P") as facts:
        asked = tables(document_of(facts, "runs"))
        assert facts.funnel == funnel
    assert [row[0] for row in shown["Runs"]] == ["B"] and sorted(row[0] for row in asked["Runs"]) == ["A", "B", "C"]
    assert shown["Overview"] == asked["Overview"] and shown["Records"] == asked["Records"]
    assert ("Attendance", 3, 3) in asked["Records"], asked["Records"]
    told = "2 settled runs, ended by 8 December 2026, are not listed"
    assert told in nightly.lines[1] and all(any(told in line for line in found) for found in lines.values())
    assert write_reports(db, tmp_path, today=MARCH, provider="P")


@pytest.mark.parametrize("statement", [
    "UPDATE register.attendance SET mark = 'late' WHERE run_code = 'A'",
    "DELETE FROM register.attendance WHERE run_code = 'A' AND session_no = 2",
    "UPDATE register.course_run SET room = 'Kitchen 9' WHERE key = 'A'",
    "UPDATE register.course SET provider_type = 'CET Centre'",
    "UPDATE register.trainee SET email_mark = NULL WHERE trainee_ref = (SELECT trainee_ref FROM register.enrolment "
    "WHERE run_code = 'A' ORDER BY 1 LIMIT 1)",
    "UPDATE mirror.enrolment SET run_code = 'B' WHERE run_code = 'A'",
    "UPDATE mirror.fee SET collection_status = 'Cancelled' WHERE run_code = 'A'",
    "DELETE FROM mirror.session WHERE run_code = 'A'",
])  # fmt: skip
def test_any_change_of_a_row_brings_its_run_back(settled: World, statement: str) -> None:
    settled.execute(statement)
    now = scope(settled)
    assert now.differing.runs is not None and "A" in now.differing.runs and "A" in (now.open.runs or ())


def test_a_corrected_mark_of_a_settled_run_is_planned_sent_and_settles_again(settled: World) -> None:
    settled.upload("attendance", attendance("A", 2, "T2"))
    _, plan = settled.plan(keep=False)
    assert [(change.kind, change.key.split("|")[0]) for change in plan.changes] == [("attendance", "A")]
    look_at(settled)  # sees the change; it must not forget it
    assert left_out(settled) == {"C"}
    assert len(settled.plan(keep=False)[1].changes) == 1
    assert settled.night().outcomes == {"accepted": 1}
    assert settled.reconcile() == {}
    look_at(settled)
    assert left_out(settled) == {"A", "C"} and settled.plan(keep=False)[1].changes == ()


def test_an_edit_of_somebody_else_at_ssg_is_a_discrepancy_of_a_settled_run(settled: World) -> None:
    reference = settled.value("SELECT ssg_ref FROM mirror.assessment WHERE run_code = 'A' ORDER BY 1 LIMIT 1")
    settled.edit("assessments", reference, grade="A")
    settled.pull(whole=True)
    found = settled.reconcile()
    assert found == {"differs": {"assessment": 1}}
    look_at(settled)
    assert left_out(settled) == {"C"}, "both sides differ, so it is looked at each night"
    assert settled.reconcile() == found


def test_a_second_course_run_like_a_settled_one_is_seen_as_its_double(settled: World) -> None:
    settled.execute(
        "INSERT INTO mirror.course_run (ssg_ref, course_reference, live, own_hash, ssg_hash, seen_how) "
        "SELECT '999999', course_reference, true, own_hash, ssg_hash, 'read' FROM mirror.course_run WHERE key = 'A'"
    )
    counts = reconcile(settled.workplace, PullResult(), actor=settled.actor())["counts"]["discrepancies"]
    assert counts == {"duplicated there": {"course_run": 1}}


def test_a_record_at_ssg_that_names_no_run_belongs_to_that_of_its_key(settled: World) -> None:
    settled.execute("UPDATE mirror.attendance SET run_code = NULL WHERE run_code = 'A'")
    look_at(settled)
    assert left_out(settled) == {"A", "C"}
    settled.execute("UPDATE register.course_run SET room = 'Kitchen 9' WHERE key = 'B'")
    assert settled.reconcile() == {}, "none of them is missing here"


@pytest.mark.parametrize("touched", ["C", "X\nY"], ids=["alone", "with everything"])
def test_a_run_of_which_nothing_is_left_is_counted_no_more(settled: World, touched: str) -> None:
    settled.execute("INSERT INTO finding.touched_run VALUES (%s)", touched)  # a line break: too odd to be named
    for place in ("mirror", "register"):
        settled.execute(f"DELETE FROM {place}.session WHERE run_code = 'C'")
        settled.execute(f"DELETE FROM {place}.course_run WHERE key = 'C'")
    assert scope(settled).full_look == "" and scope(settled).differing.whole == (touched != "C")
    look_at(settled)
    assert settled.rows("SELECT run_code FROM finding.looked_run ORDER BY 1") == [("A",), ("B",)]
    assert matched(settled)["session"] == 4 and matched(settled)["course_run"] == 2


def test_a_record_that_only_ssg_holds_and_that_names_its_run_by_its_key_brings_the_run_back(settled: World) -> None:
    settled.execute("UPDATE mirror.attendance SET run_code = NULL WHERE key = 'A|1|HB-00001'")
    settled.execute("DELETE FROM register.attendance WHERE key = 'A|1|HB-00001'")
    look_at(settled)
    assert left_out(settled) == {"C"}
    assert settled.reconcile() == {"missing here": {"attendance": 1}}


@pytest.mark.parametrize(("status", "agreed"), [("Pending Payment", True), (None, True), ("Full Payment", False)])
def test_both_sides_agree_on_a_run_where_reconciliation_finds_nothing(
    settled: World, status: str | None, agreed: bool
) -> None:
    settled.execute("UPDATE mirror.fee SET collection_status = %s WHERE key = 'A|HB-00002'", status)
    settled.execute("DELETE FROM register.fee WHERE key = 'A|HB-00002'")
    look_at(settled)
    assert settled.value("SELECT agreed FROM finding.looked_run WHERE run_code = 'A'") is agreed
    found = reconcile(settled.workplace, PullResult(), actor=settled.actor())["counts"]["discrepancies"]
    assert found == ({} if agreed else {"missing here": {"fee": 1}})


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
def test_a_run_with_a_submission_that_is_not_over_is_not_settled(settled: World, state: str) -> None:
    settled.execute("UPDATE register.course_run SET room = room WHERE key = 'A'")
    unseen(settled, f"UPDATE outbox.submission SET state = '{state}' WHERE key = 'A|1|HB-00001'")
    look_at(settled)
    assert left_out(settled) == {"C"}


def test_an_undone_file_brings_its_run_back(settled: World) -> None:
    from tms_pipeline.intake.undo import undo

    taken = settled.upload("attendance", attendance("A", 1, "T1", "Late"))
    look_at(settled)
    undo(settled.workplace, taken.upload_id, actor=settled.actor())
    assert "A" in (scope(settled).differing.runs or ())


def test_time_alone_does_not_settle_what_still_has_a_day_ahead(settled: World) -> None:
    settled.upload("course_run", run("D", "2027-03-10", "2027-03-11"))
    look_at(settled)
    assert left_out(settled) == {"A", "C"}
    assert scope(on(settled, date(2026, 12, 1))).full_look == "the clock went back"


def test_a_change_that_is_not_committed_when_the_look_begins_is_not_lost(settled: World) -> None:
    with another(settled) as slow:
        slow.execute("UPDATE register.attendance SET ssg_hash = '\\x01' WHERE run_code = 'A' AND live")
        look_at(settled)  # neither waits for it nor sees it
        assert left_out(settled) == {"A", "C"}
        slow.commit()
    assert left_out(settled) == {"C"}
    assert {change.run_code for change in settled.plan(keep=False)[1].changes} == {"A"}


def test_a_look_that_breaks_off_leaves_every_touch(settled: World) -> None:
    settled.execute("UPDATE register.attendance SET ssg_hash = '\\x01' WHERE run_code = 'A' AND live")
    settled.execute(
        "CREATE FUNCTION finding.power_fails() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
    )
    settled.execute(
        "CREATE TRIGGER power_fails AFTER DELETE ON finding.touched_run EXECUTE FUNCTION finding.power_fails()"
    )
    try:
        with pytest.raises(psycopg.OperationalError):
            look_at(settled)
    finally:
        settled.execute("DROP TRIGGER power_fails ON finding.touched_run")
        settled.execute("DROP FUNCTION finding.power_fails")
    assert left_out(settled) == {"C"}
    assert {change.run_code for change in settled.plan(keep=False)[1].changes} == {"A"}


def test_two_looks_at_once_take_turns(settled: World) -> None:
    settled.execute("UPDATE register.attendance SET ssg_hash = '\\x01' WHERE run_code = 'A' AND live")
    waiting = ("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'finding.looked_run'::regclass "
               "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")  # fmt: skip
    with another(settled) as third, ThreadPoolExecutor(2) as pool:
        third.execute("LOCK TABLE finding.looked_run IN SHARE ROW EXCLUSIVE MODE")
        looks = [pool.submit(look_at, settled) for _ in range(2)]
        try:
            wait_until(lambda: settled.value(waiting) == 2, seconds=20, why="two looks should wait for a third")
        finally:
            third.rollback()
        one, two = (look.result(20) for look in looks)
    assert one == two
    assert settled.rows("SELECT agreed, settled FROM finding.looked_run WHERE run_code = 'A'") == [(False, False)]
    assert left_out(settled) == {"C"} and settled.rows("SELECT FROM finding.touched_run") == []


def test_the_past_keeps_the_findings_of_a_review_when_its_run_settles_and_when_it_comes_back(settled: World) -> None:
    def shown(review_id: int) -> list[tuple[Any, ...]]:
        return settled.rows(
            "SELECT rule, key, standing, records, days_left FROM finding.every_deadline WHERE review_id = %s "
            "AND run_code = 'A' ORDER BY 1, 2", review_id,
        )  # fmt: skip

    first = settled.value("SELECT max(review_id) FROM finding.review WHERE about = 'compliance'")
    assert shown(first), "a trainee of it failed"
    look_at(settled)
    second = settled.value("SELECT max(review_id) FROM finding.review")
    settled.execute("UPDATE register.course_run SET room = room WHERE key = 'A'")
    look_at(settled)
    third = settled.value("SELECT max(review_id) FROM finding.review")
    assert shown(first) == shown(second) == shown(third)
    assert settled.value("SELECT count(*) FROM finding.deadline WHERE review_id = %s AND run_code = 'A'", second) == 0
