"""The full look finds what a trigger missed, and says so once."""

from __future__ import annotations

import re
from datetime import date

import pytest
from settled_world import MARCH, full_look_findings, left_out, look_at, on, scope, unseen
from submission_world import World

from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.mirror.pull_result import PullResult
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.settled.scope import scope_of


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
