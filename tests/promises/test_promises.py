"""Promises 2 to 9 of the design, each a test of its name. Promise 2 is proven in full by tests/crash."""

from __future__ import annotations

import time

import pytest
from submission_world import (
    PACE,
    World,
    enrolment,
    fee,
    key,
    sheet,
    trainee,
)

from tms_pipeline.intake.service import receive
from tms_pipeline.mirror.scope_reads import NotBelieved, twice_if_empty
from tms_pipeline.submission import crashpoints, dead_letters, holds
from tms_pipeline.submission.approvals import ApprovalRefused, approve_by_policy, approve_plan
from tms_pipeline.submission.crashpoints import Crash
from tms_pipeline.submission.lease import rescue
from tms_pipeline.submission.trace import trace
from tms_pipeline.submission.worker import Worker


def test_promise_2_one_change_one_live_record(world: World) -> None:
    """SSG commits every second create and never says so; each record is there once all the same."""
    for call in ("course_run.publish", "enrolment.create", "assessment.create", "trainer.add", "attendance.upload"):
        world.fault("timeout_after_commit", call, every=2)
    world.fault("truncated", "course_run.edit", every=2)
    world.submit()
    world.mend()
    world.night()
    assert set(world.states()) == {"accepted"}
    assert {
        kind: len(world.held(kind, live=False))
        for kind in ("runs", "sessions", "trainers", "enrolments", "assessments")
    } == {
        "runs": 3,
        "sessions": 5,
        "trainers": 2,
        "enrolments": 3,
        "assessments": 2,
    }
    assert world.reconcile() == {}


def test_promise_3_unknown_is_never_sent_again_before_a_successful_search(world: World) -> None:
    """The outcome is unknown and every search fails: nothing is sent, however often the workers run."""
    world.fault("reset_after_commit", "enrolment.create", times=1)
    world.fault("503", "enrolment.search")
    world.fault("503", "enrolment.view")
    world.submit(patience=0.1)
    for _ in range(3):
        world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'unknown'")
        world.work(patience=0.1)
    assert world.states("enrolment")["unknown"] == 1
    unknown = world.value("SELECT submission_id FROM outbox.submission WHERE state = 'unknown'")
    steps = [
        row[0]
        for row in world.rows("SELECT step FROM outbox.attempt WHERE submission_id = %s ORDER BY attempt_id", unknown)
    ]
    assert steps.count("send") == 1 and steps.count("search") >= 2
    world.mend()
    world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL")  # so much failed that calls may pause
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'unknown'")
    world.night()
    assert set(world.states("enrolment")) == {"accepted"}
    assert len(world.held("enrolments", live=False)) == 3
    sent = world.value("SELECT count(*) FROM outbox.attempt WHERE submission_id = %s AND step = 'send'", unknown)
    assert sent == 1, "it was there, so it was adopted and not sent again"


@pytest.mark.parametrize("fault", ["503", "page_failing", "non_json", "empty_page", "truncated"])
def test_promise_4_a_failed_or_empty_read_changes_nothing(published: World, fault: str) -> None:
    """Reads fail or show nothing: no row of the mirror goes, nothing is planned."""
    before = published.rows("SELECT kind, key, ssg_ref FROM mirror.live ORDER BY 1, 2")
    # Marks are only asked for where the sessions could be read.
    for calls in (("trainer.list", "course_run.by_reference", "session.list", "enrolment.search", "assessment.search"),
                  ("attendance.view",)):
        published.mend()
        for call in calls:
            # An empty page comes once a call, where one to five records are held: it is asked for again.
            published.fault(fault, call, **({"times": 1} if fault == "empty_page" else {}))
        pulled = published.pull()
        assert pulled.failed() or fault == "empty_page"
        assert [armed for armed in published.ssg("GET", "faults")["faults"] if not armed["fired"]] == []
        assert published.rows("SELECT kind, key, ssg_ref FROM mirror.live ORDER BY 1, 2") == before
        plan_id, plan = published.plan(not_read=tuple(pulled.kinds_not_read()))
        assert not plan.changes and not plan.withheld
        published.approve(plan_id, plan)
        published.forget_calls()
        published.work(patience=0.1)
        assert published.writes() == {}


def test_promise_4_an_empty_answer_where_much_was_held_is_not_believed(published: World) -> None:
    for name in ("T1", "T2"):
        published.upload("enrolment", enrolment("B", name), enrolment("C", name))
    published.submit()
    before = published.rows("SELECT kind, key, ssg_ref FROM mirror.live ORDER BY 1, 2")
    published.fault("empty_page", "enrolment.search")
    pulled = published.pull(whole=True)
    assert {(read.kind, read.error_code) for read in pulled.failed()} == {("enrolment", "EMPTY_READ"), ("fee", "EMPTY_READ")}
    assert published.rows("SELECT kind, key, ssg_ref FROM mirror.live ORDER BY 1, 2") == before
    # The same within a scope: one session of a run that shows nothing of its many marks.
    answers = iter([[], []])
    with pytest.raises(NotBelieved, match="none of 20 records"):
        twice_if_empty(lambda: next(answers), 20)
    assert next(answers, "asked twice") == "asked twice"


def test_promise_5_the_same_file_again_submits_nothing(published: World) -> None:
    content = sheet("enrolment", [enrolment("B", "T1")])
    first, new = receive(published.workplace, "e.csv", content, source="inbox", actor=published.actor())
    assert new
    published.upload("fee", fee("A", "T2"))
    published.submit()
    again, new = receive(published.workplace, "other name.csv", content, source="inbox", actor=published.actor())
    assert (again, new) == (first, False)
    published.forget_calls()
    # The same rows in another file are known, too.
    extra = sheet("fee", [fee("A", "T2")]) + b"\n"
    upload, _ = receive(published.workplace, "f.csv", extra, source="inbox", actor=published.actor())
    from tms_pipeline.intake.service import take_in

    assert take_in(published.workplace, upload, actor=published.actor()).counts()["unchanged"] == 1
    published.night()
    assert published.writes() == {}


def test_promise_6_order_is_kept_and_a_dead_letter_holds_only_its_descendants(world: World) -> None:
    """Run B is refused: what hangs on it waits, everything else goes, each child after its parents."""
    world.fault("error_in_200", "course_run.publish", times=1)
    world.submit()
    dead = world.rows("SELECT submission_id, key FROM outbox.submission WHERE state = 'rejected'")
    assert len(dead) == 1
    ((submission_id, run_code),) = dead
    waiting = world.rows("SELECT kind, key FROM outbox.submission WHERE state = 'ready'")
    assert waiting and all(item.split("|")[0] == run_code for _, item in waiting)
    shown = dead_letters.show(world.workplace, submission_id)
    assert {(row["kind"], row["key"]) for row in shown.waiting} == set(waiting)
    assert shown.letter.behind == len(waiting)
    late = world.rows(
        "SELECT c.submission_id FROM outbox.submission c JOIN outbox.submission p ON p.kind || ':' "
        "|| p.key = ANY(c.parents) "
        "WHERE c.state = 'accepted' AND (p.state <> 'accepted' OR c.first_sent_at < p.finished_at)"
    )
    assert late == []
    dead_letters.retry(world.workplace, submission_id, reason="SSG was mended", actor=world.actor())
    world.submit()
    assert set(world.states()) == {"accepted"}


def test_promise_7_what_was_sent_is_what_was_approved_and_an_approval_is_a_ceiling(published: World) -> None:
    """The record changes after the approval: nothing is sent. A new plan makes old approvals worthless."""
    published.upload("trainee", trainee("T1", email="first@example.test"))
    plan_id, plan = published.plan()
    published.approve(plan_id, plan)
    published.upload("trainee", trainee("T1", email="second@example.test"))
    assert published.work(patience=0.1).outcomes == {"superseded": 1}
    assert published.writes() == {}
    fresh, second = published.plan()
    with pytest.raises(ApprovalRefused, match="replaced"):
        approve_by_policy(published.workplace, plan_id, plan.hash, actor=published.actor())
    with pytest.raises(ApprovalRefused, match="not the one"):
        approve_by_policy(published.workplace, fresh, plan.hash, actor=published.actor())
    with pytest.raises(ApprovalRefused, match="more than the 0"):
        approve_plan(published.workplace, fresh, second.hash, actor=published.actor(), at_most=0)
    published.approve(fresh, second)
    published.execute("UPDATE outbox.submission SET approved_until = now() WHERE state = 'ready'")
    assert not published.work(patience=0.1).outcomes, "an approval that ran out lets nothing go"
    published.submit()
    assert {row["email"] for row in published.held("enrolments") if row["fullName"] == "Trainee Number 1"} == {
        "second@example.test"
    }


def test_promise_8_withheld_changes_are_always_visible(site, term_template) -> None:  # type: ignore[no-untyped-def]
    with site.world(term_template, TMS_GUARD_COUNT=1, TMS_GUARD_SHARE=0.1) as world:
        world.night()
        world.upload("enrolment", *[enrolment("A", name, enrolment_status="Withdrawn") for name in ("T1", "T2")])
        world.forget_calls()
        world.night()
        assert world.writes() == {} and world.states("enrolment")["held"] == 2
        assert {row["key"] for row in holds.withheld(world.workplace)} == {key("A", "T1"), key("A", "T2")}
        assert world.reconcile()["withheld"] == {"enrolment": 2}
        # A further night changes nothing, and a person's release lets them go.
        world.night()
        assert world.states("enrolment")["held"] == 2
        assert (
            holds.release(world.workplace, kind="enrolment", action="cancel", reason="meant so", actor=world.actor())
            == 2
        )
        world.submit()
        assert [row["runId"] for row in world.held("enrolments")] and len(world.held("enrolments")) == 1
        assert "withheld" not in world.reconcile()


def test_promise_9_every_byte_sent_can_be_traced_both_ways(published: World) -> None:
    submission = published.submission("enrolment", key("A", "T1"))
    reference = submission["ssg_ref"]
    wanted = {
        "submission": submission["submission_id"],
        "upload": submission["upload_id"],
        "plan": submission["plan_id"],
    }
    for word in (
        reference,
        key("A", "T1"),
        submission["idempotency_key"],
        submission["correlation_id"],
        submission["upload_id"],
        submission["plan_id"],
        str(submission["submission_id"]),
    ):
        found = trace(published.workplace, word)
        chains = [chain for chain in found.chains if chain.submission["submission_id"] == wanted["submission"]]
        assert chains, f"{word} does not lead to the submission"
        chain = chains[0]
        assert (
            chain.source["upload_id"] == wanted["upload"] and chain.source["sheet"] and chain.source["row_number"] == 2
        )
        assert chain.plan["plan_id"] == wanted["plan"]
        assert chain.attempts and chain.attempts[0]["correlation_id"] == submission["correlation_id"]
        assert chain.ssg["ssg_ref"] == reference and chain.register["key"] == key("A", "T1")
    calls = published.rows(
        "SELECT count(*) FROM outbox.attempt a LEFT JOIN outbox.submission s USING (submission_id) "
        "LEFT JOIN intake.upload u USING (upload_id) WHERE u.upload_id IS NULL"
    )
    assert calls == [(0,)]


def test_a_worker_that_dies_in_mid_call_is_rescued_and_its_call_found(world: World) -> None:
    """The in-process crash that the state machine test uses is the same world as the SIGKILL of tests/crash."""
    import os

    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    crashpoints.raised_instead.append(Crash)
    os.environ["TMS_CRASH_AT"] = "after_call@enrolment.create"
    try:
        with world.client() as client:
            worker = Worker(world.workplace, client, actor=world.actor(), pace=PACE, threads=1)
            with pytest.raises(Crash):
                worker.run(patience=0.1)
    finally:
        crashpoints.raised_instead.clear()
        os.environ.pop("TMS_CRASH_AT", None)
    assert world.states("enrolment")["sending"] == 1
    assert rescue(world.workplace, PACE, abandoned=(worker.owner,)) >= 1
    assert world.states("enrolment")["unknown"] == 1
    time.sleep(PACE.settle)
    world.submit()
    assert set(world.states()) == {"accepted"} and len(world.held("enrolments", live=False)) == 3
