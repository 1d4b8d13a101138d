"""Differences that one part of the pipeline knows of and a review could pass over."""

from __future__ import annotations

from typing import Any

import pytest
from submission_world import NRICS, World, attendance, enrolment, fee, key, run, session, sheet

from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.mirror.pull_result import PullResult
from tms_pipeline.reconcile.resolutions import resolve
from tms_pipeline.reconcile.review import reconcile


def found(world: World) -> dict[str, dict[str, int]]:
    """The discrepancies, without reading SSG again."""
    counts: dict[str, Any] = reconcile(world.workplace, PullResult(), actor=world.actor())["counts"]
    found: dict[str, dict[str, int]] = counts["discrepancies"]
    return found


def told(world: World, column: str) -> list[tuple[Any, ...]]:
    return world.rows(f"SELECT kind, key, {column} FROM finding.discrepancy "
                      "WHERE review_id = (SELECT max(review_id) FROM finding.review) ORDER BY 1, 2")  # fmt: skip


def test_a_run_that_we_cancelled_differs_with_its_enrolments_until_ssg_has_cancelled_them(published: World) -> None:
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", run_status="Cancelled"))
    counts = reconcile(published.workplace, PullResult(), actor=published.actor())["counts"]
    assert counts["discrepancies"] == {"differs": {"course_run": 1, "enrolment": 1}}
    assert counts["matched"]["enrolment"] == 2 and counts["matched"]["course_run"] == 2
    assert told(published, "ours || '/' || theirs") == [("course_run", "B", "no/yes"), ("enrolment", key("B", "T3"), "no/yes")]
    published.submit(rounds=1)
    assert found(published) == {"differs": {"course_run": 1}}, "the enrolment is cancelled there"
    published.submit()
    assert found(published) == {}


def test_an_enrolment_moved_out_of_a_run_that_we_cancelled_is_missing_here(published: World) -> None:
    published.execute("UPDATE mirror.enrolment SET run_code = 'B', key = %s WHERE key = %s", key("B", "T1"), key("A", "T1"))
    assert found(published) == {"differs": {"enrolment": 1}}
    published.upload("course_run", run("A", "2026-11-16", "2026-11-17", run_status="Cancelled"))
    assert found(published)["missing here"] == {"enrolment": 1}


@pytest.mark.parametrize(("kind", "where"), [("trainer", "key = 'TR-01'"), ("fee", "collection_status = 'Full Payment'")])
def test_what_we_hold_no_more_and_nothing_takes_back_is_missing_here(published: World, kind: str, where: str) -> None:
    published.execute(f"UPDATE register.{kind} SET live = false WHERE {where}")
    assert found(published) == {"missing here": {kind: 1}}
    ((_, record, what),) = told(published, "what_to_do")
    assert "cancel it on TPGateway" in what
    resolve(published.workplace, kind, record, "theirs", reason="it may stay", actor=published.actor())
    assert found(published) == {}


def test_a_decision_for_theirs_ends_when_ssg_changes_its_side_again_and_nothing_is_sent(published: World) -> None:
    reference = published.value("SELECT ssg_ref FROM mirror.assessment WHERE key = 'A|HB-00001|'")
    published.edit("assessments", reference, grade="C")
    published.pull()
    resolve(published.workplace, "assessment", "A|HB-00001|", "theirs", reason="by phone", actor=published.actor())
    assert found(published) == {}
    published.edit("assessments", reference, grade="F")
    published.pull()
    assert found(published) == {"differs": {"assessment": 1}}
    ((_, _, what),) = told(published, "what_to_do")
    assert "tms resolve" in what and published.plan(keep=False)[1].changes == ()
    resolve(published.workplace, "assessment", "A|HB-00001|", "theirs", reason="that too", actor=published.actor())
    assert found(published) == {}
    published.ssg("POST", "edit", {"kind": "assessments", "key": reference, "action": "delete"})
    published.pull(whole=True)
    assert found(published) == {"missing there": {"assessment": 1}}, "that it is gone was not looked at"
    resolve(published.workplace, "assessment", "A|HB-00001|", "theirs", reason="and that", actor=published.actor())
    assert found(published) == {}


def test_a_held_file_is_shown_for_as_long_as_it_is_held(world: World) -> None:
    content = sheet("fee", [fee("A", "T1", f"Paid {n}") for n in range(24)])
    upload, _ = receive(world.workplace, "fees.csv", content, source="inbox", actor=world.actor())
    take_in(world.workplace, upload, actor=world.actor())
    world.execute("UPDATE intake.upload SET received_at = received_at - interval '90 days' WHERE upload_id = %s", upload)
    found(world)
    assert world.rows("SELECT class, upload_id FROM finding.sheet_row "
                      "WHERE review_id = (SELECT max(review_id) FROM finding.review)") == [("withheld", upload)]  # fmt: skip


def test_what_hangs_on_a_withdrawn_enrolment_and_differs_is_told_and_nothing_is_sent(published: World) -> None:
    published.upload("enrolment", enrolment("A", "T1", enrolment_status="Withdrawn"))
    published.night()
    assert found(published) == {}, "her marks and her assessment stand on both sides alike"
    published.forget_calls()
    reference = published.value("SELECT ssg_ref FROM mirror.assessment WHERE key = 'A|HB-00001|'")
    published.edit("assessments", reference, grade="C")
    place = published.value("SELECT ssg_ref FROM mirror.session WHERE key = 'A|1'")
    published.edit("attendance", f"{place}/{NRICS['T1']}", statusCode="2")
    published.night()
    assert found(published) == {"differs": {"assessment": 1, "attendance": 1}}
    assert told(published, "field || ' ' || changed_by") == [
        ("assessment", "A|HB-00001|", "grade somebody at SSG"), ("attendance", key("A", 1, "T1"), "mark somebody at SSG"),
    ]  # fmt: skip
    assert all("cancelled here" in what for _, _, what in told(published, "what_to_do"))
    resolve(published.workplace, "attendance", key("A", 1, "T1"), "theirs", reason="so", actor=published.actor())
    assert found(published) == {"differs": {"assessment": 1}}
    published.edit("assessments", reference, grade="B")
    published.pull()
    assert found(published) == {} and published.writes() == {}


def test_marks_of_a_session_that_we_cancelled_are_not_laid_at_somebody_elses_door(published: World) -> None:
    published.upload("session", session("A", 2, "2026-11-17", session_status="Cancelled"))
    published.night()
    assert found(published) == {"missing there": {"attendance": 1}}
    ((_, record, what),) = told(published, "what_to_do")
    assert record == key("A", 2, "T1") and "session is cancelled here" in what
    assert published.plan(keep=False)[1].elsewhere == () and published.plan(keep=False)[1].changes == ()
    published.upload("attendance", attendance("A", 2, "T1", "Absent"))
    published.night()
    assert found(published) == {}
