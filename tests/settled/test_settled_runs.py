"""Runs that a night leaves out, and everything that brings them back: real Postgres, real simulator, real nights.

Run A of the small term ended in November; the nights here are of a day in March, when nothing of it can become due.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from running import wait_until
from submission_world import Site, World, attendance, fee, keep, restore, run

from tms_pipeline.compliance.review import review
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.mirror.scope_reads import PullResult
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.reports.build import document_of, look, write_reports
from tms_pipeline.reports.document import Document
from tms_pipeline.settled.narrowed import narrow
from tms_pipeline.settled.scope import Scope, scope_of
from tms_pipeline.store.queries import SQL_ROOT
from tms_pipeline.submission.states import UNDER_WAY

MARCH = date(2027, 3, 1)


def on(world: World, day: date) -> World:
    """The same world on another day."""
    settings = world.workplace.settings.model_copy(update={"today": day.isoformat()})
    return replace(world, workplace=replace(world.workplace, settings=settings))


def look_at(world: World) -> dict[str, Any]:
    """A compliance review as the night makes it."""
    return review(
        world.workplace.db, today=world.workplace.today(), correlation_id="test",
        rules=rules_of(world.workplace.settings),
    )["counts"]  # fmt: skip


def scope(world: World) -> Scope:
    with world.workplace.db.transaction() as connection:
        return scope_of(connection, today=world.workplace.today(), rules=rules_of(world.workplace.settings))


def left_out(world: World) -> set[str]:
    """Runs that are settled and were not touched since."""
    now = scope(world)
    if now.open.runs is None:
        return set()
    return {row[0] for row in world.rows("SELECT run_code FROM finding.looked_run WHERE settled")} - set(now.open.runs)


def matched(world: World) -> dict[str, int]:
    """How many records of each kind agree, says a reconciliation that reads nothing from SSG."""
    counts = reconcile(world.workplace, PullResult(), actor=world.actor())["counts"]
    found: dict[str, int] = counts["matched"]
    return found


def another(world: World) -> psycopg.Connection[Any]:
    """A connection of somebody else."""
    return psycopg.connect(world.workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False))


@pytest.fixture(scope="module")
def march(site: Site, term_template: str) -> Iterator[World]:
    with site.world(term_template) as world:
        world.upload("fee", fee("A", "T2"))
        done = world.night()
        assert set(done.outcomes) == {"accepted"}, done
        later = on(world, MARCH)
        later.pull()
        later.reconcile()
        look_at(later)
        keep(later, "march")
        later.keep_ssg("march")
        yield later


@pytest.fixture
def settled(march: World) -> World:
    """Run A is settled, and C, in which nobody was; B is not, as nobody marked it."""
    restore(march, "march")
    march.put_back_ssg("march")
    assert left_out(march) == {"A", "C"}
    return march


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


def unseen(world: World, statement: str) -> None:
    """Change rows past every trigger."""
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(statement)


def full_look_findings(world: World) -> list[str]:
    """What the latest review says of full looks."""
    return [row[0] for row in world.rows(
        "SELECT sentence FROM finding.every_deadline WHERE rule = 'full-look' "
        "AND review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')"
    )]  # fmt: skip


def test_the_full_look_finds_what_a_switched_off_trigger_missed_and_says_so_once(settled: World) -> None:
    unseen(settled, "UPDATE mirror.attendance SET ssg_hash = '\\x01', agreed_hash = '\\x01' "
                    "WHERE run_code = 'A' AND session_no = 1")  # fmt: skip
    assert settled.plan()[1].changes == (), "nothing seemed to have changed"
    week_later = on(settled, date(2027, 3, 8))
    assert scope(week_later).full_look == "its day has come"
    _, plan = week_later.plan()
    assert {change.run_code for change in plan.changes} == {"A"}
    look_at(week_later)
    (sentence,) = full_look_findings(week_later)
    assert sentence.startswith(
        "The full look of 8 Mar 2027 found 2 changes that nobody had planned in run A, which the looks before"
    )
    assert week_later.value("SELECT bool_and(what_to_do LIKE 'Nothing is lost%%') FROM finding.deadline "
                            "WHERE rule = 'full-look'")  # fmt: skip
    later = on(settled, date(2027, 3, 9))
    assert scope(later).full_look == "" and len(later.plan(keep=False)[1].changes) == 2
    assert later.submit().outcomes == {"accepted": 2}
    look_at(later)
    assert left_out(later) == {"A", "C"}, "it is settled again, in the very review that tells of the full look"
    next_day = on(settled, date(2027, 3, 10))
    counted = look_at(next_day)
    assert full_look_findings(next_day) == [sentence] and counted["warning"] == 1
    next_full_look = on(settled, date(2027, 3, 15))
    assert scope(next_full_look).full_look == "its day has come"
    next_full_look.plan()
    next_full_look.reconcile()
    look_at(next_full_look)
    assert full_look_findings(next_full_look) == []
    assert settled.rows("SELECT DISTINCT found_on FROM finding.overlooked") == [(date(2027, 3, 8),)]


@pytest.mark.parametrize("statement", [
    "UPDATE register.course_run SET end_date = end_date - 1 WHERE key = 'A'",  # the last day of a re-assessment
    "UPDATE register.course SET full_course_fee = full_course_fee + 1",  # the money at stake
])  # fmt: skip
def test_the_full_look_sees_another_last_day_or_other_money_in_a_settled_run(settled: World, statement: str) -> None:
    unseen(settled, statement)
    week_later = on(settled, date(2027, 3, 8))
    look_at(week_later)
    (sentence,) = full_look_findings(week_later)
    assert re.match(r"The full look of 8 Mar 2027 found \d findings? that had changed in run A, which", sentence)


@pytest.mark.parametrize(("reconciled", "found"), [
    (True, "2 discrepancies in run A, which"), (False, "that both sides do not agree on run A, which"),
])  # fmt: skip
def test_the_full_look_says_once_that_both_sides_differ(settled: World, reconciled: bool, found: str) -> None:
    unseen(settled, "UPDATE mirror.assessment SET ssg_hash = '\\x01', score = 1, grade = 'C' WHERE run_code = 'A'")
    week_later = on(settled, date(2027, 3, 8))
    if reconciled:  # nothing was read from SSG since
        reconcile(week_later.workplace, PullResult(), actor=settled.actor())
    look_at(week_later)
    (sentence,) = full_look_findings(week_later)
    assert sentence.startswith(f"The full look of 8 Mar 2027 found {found}")


def test_a_full_look_without_anything_overlooked_says_nothing(settled: World) -> None:
    week_later = on(settled, date(2027, 3, 8))
    week_later.plan()
    week_later.reconcile()
    look_at(week_later)
    assert week_later.rows("SELECT * FROM finding.overlooked") == []
    assert left_out(week_later) == {"A", "C"}


def test_other_rules_or_an_emptied_table_lead_to_a_full_look(settled: World) -> None:
    rules = rules_of(settled.workplace.settings)
    with settled.workplace.db.transaction() as connection:
        assert "rules" in scope_of(connection, today=MARCH, rules=rules[1:]).full_look
    settled.execute("TRUNCATE mirror.fee")
    assert scope(settled).full_look == "a table was emptied"


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


def test_a_query_is_narrowed_wherever_it_names_a_table_of_runs() -> None:
    text = 'SELECT * FROM register.session s JOIN "mirror"."session" m USING (key) JOIN mirror.session_history h ON true'
    found = narrow(text, "ARRAY['A']")
    assert "(SELECT * FROM register.session WHERE run_code = ANY(ARRAY['A']::text[])) s" in found
    assert "(SELECT * FROM mirror.session WHERE run_code = ANY(ARRAY['A']::text[]) OR run_code IS NULL AND" in found
    assert "JOIN mirror.session_history h" in found
    assert narrow("SELECT FROM register.course JOIN mirror.live ON mirror.holds('fee', key)", "'{}'").count("ANY") == 0


def test_every_narrowed_table_of_a_query_has_a_name_which_postgres_15_asks_for() -> None:
    of_tables = re.compile(r"\(SELECT \* FROM (?:register|mirror|outbox)\.\w+ WHERE ")
    nameless: list[str] = []
    looked_at = [*(place for stage in ("diff", "reconcile", "compliance", "settled") for place in (SQL_ROOT / stage).glob("*.sql")),
                 *(SQL_ROOT / "reports" / f"{name}.sql" for name in ("runs", "receipts", "funnel"))]  # fmt: skip
    # These are never asked of a part.
    for place in {place for place in looked_at if place.stem not in ("database", "ours")}:
        lines = (line.partition("-- ")[0] for line in place.read_text(encoding="utf-8").splitlines())
        text = re.sub(r"\{(register|mirror)\}", r"\1.session", "\n".join(lines))
        if text.lstrip().startswith("UPDATE") or place.stem.startswith("theirs"):
            continue
        found = narrow(text, "'x'")
        for start in of_tables.finditer(found):
            depth, end = 0, start.start()
            while not (found[end] == ")" and depth == 1):
                depth += {"(": 1, ")": -1}.get(found[end], 0)
                end += 1
            word = re.match(r"\s*(?:AS )?(\w*)", found[end + 1:])
            if word is None or word[1].upper() in ("", "WHERE", "JOIN", "LEFT", "CROSS", "GROUP", "ORDER", "ON", "UNION"):
                nameless.append(f"{place.parent.name}/{place.name}")
    assert nameless == []
