"""Approvals, holds and dead letters: refusals sit in the core, every step is audited."""

from __future__ import annotations

import pytest
from submission_world import World, enrolment, fee, key, run, trainee

from tms_pipeline.reconcile.resolutions import resolve
from tms_pipeline.submission import dead_letters, holds
from tms_pipeline.submission.approvals import ApprovalRefused, approve_by_policy, approve_plan, policy_of, waiting_parts

RULES = "enrolment:review,enrolment.cancel:two-person,*:auto"


def test_the_most_specific_rule_counts() -> None:
    policy = policy_of("*.cancel:review, enrolment:auto, enrolment.cancel:two-person, *:auto")
    assert policy.mode("enrolment", "cancel") == "two-person" and policy.mode("enrolment", "update") == "auto"
    assert policy.mode("session", "cancel") == "review" and policy.mode("session", "create") == "auto"
    assert policy_of("fee:auto").mode("session", "create") == "review", "what no rule names needs a person"


@pytest.mark.parametrize(
    "text", ["", "sometimes", "enrolment", "enrolment.eat:auto", "cat:auto", "fee:auto,fee:review"]
)
def test_a_policy_is_never_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="TMS_APPROVAL_POLICY"):
        policy_of(text)


def test_review_and_two_person(site, term_template) -> None:  # type: ignore[no-untyped-def]
    with site.world(term_template, TMS_APPROVAL_POLICY=RULES) as world:
        plan_id, plan = world.plan()
        done = approve_by_policy(world.workplace, plan_id, plan.hash, actor=world.actor("nightly"))
        assert done.waiting == {"enrolment.create": "waits for a person's approval"} and done.ready == 15
        assert approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor("ada")).ready == 3
        world.work()
        world.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"), by="cara")
        plan_id, plan = world.plan()
        assert approve_by_policy(world.workplace, plan_id, plan.hash, actor=world.actor("nightly")).ready == 0
        with pytest.raises(ApprovalRefused, match="upload of your own"):
            approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor("cara"))
        for _ in range(2):  # the same person twice is one person
            assert approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor("ada")).ready == 0
        (waiting,) = waiting_parts(world.workplace)
        assert (waiting["mode"], waiting["approved_by"], waiting["changes"]) == ("two-person", ["ada"], 1)
        # The nightly plan of the same changes keeps the first signature: it binds to the hash.
        plan_id, again = world.plan()
        assert again.hash == plan.hash
        world.execute("UPDATE outbox.approval SET expires_at = now() WHERE approved_by = 'ada'")
        assert approve_plan(world.workplace, plan_id, again.hash, actor=world.actor("ben")).ready == 0, "ada's expired"
        assert approve_plan(world.workplace, plan_id, again.hash, actor=world.actor("ada")).ready == 1
        assert "ada" in world.submission("enrolment", key("B", "T3"))["approved_by"]
        world.work()
        assert world.submission("enrolment", key("B", "T3"))["state"] == "accepted"
        # A cancelled run takes back enrolments that others brought: that is its own upload's doing all the same.
        world.upload("course_run", run("A", "2026-11-16", "2026-11-17", run_status="Cancelled"), by="dora")
        plan_id, plan = world.plan()
        with pytest.raises(ApprovalRefused, match="upload of your own"):
            approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor("dora"))


def test_only_some_parts_are_approved(site, term_template) -> None:  # type: ignore[no-untyped-def]
    with site.world(term_template, TMS_APPROVAL_POLICY="review") as world:
        plan_id, plan = world.plan()
        assert world.approve(plan_id, plan) == 0
        assert approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor("ada"), parts=["trainer"]).ready == 2
        assert world.work().outcomes == {"accepted": 2}


def test_an_approval_that_ran_out_must_be_given_again(world: World) -> None:
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    world.execute("UPDATE outbox.submission SET approved_until = now() - interval '1 minute'")
    assert not world.work(patience=0.1).outcomes
    fresh, plan = world.plan()
    assert set(world.states()) == {"planned"}
    assert world.approve(fresh, plan) == 18


def test_hold_and_release(published: World) -> None:
    assert holds.hold(published.workplace, kind="fee", reason="finance asked", actor=published.actor()) == 0
    published.upload("fee", fee("A", "T2"))
    published.upload("trainee", trainee("T1", email="new@example.test"))
    published.night()
    assert (
        published.states("fee") == {"held": 1}
        and "finance asked" in published.submission("fee", key("A", "T2"))["reason"]
    )
    assert published.reconcile() == {"withheld": {"fee": 1}}
    assert [(one.kind, one.held_now) for one in holds.holds(published.workplace)] == [("fee", 1)]
    assert holds.release(published.workplace, kind="fee", reason="they agreed", actor=published.actor()) == 1
    assert holds.holds(published.workplace) == []
    published.night()
    assert published.states("fee") == {"accepted": 1} and published.reconcile() == {}
    actions = {row[0] for row in published.rows("SELECT action FROM audit.entry")}
    assert {"held", "released"} <= actions
    for wrong in ({}, {"kind": "course"}, {"kind": "fee", "action": "eat"}):
        with pytest.raises(ValueError, match="."):
            holds.hold(published.workplace, reason="r", actor=published.actor(), **wrong)


def test_hold_of_one_record_holds_no_other(world: World) -> None:
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    assert holds.hold(world.workplace, key="B", kind="course_run", reason="venue", actor=world.actor()) == 1
    world.work()
    states = dict(world.rows("SELECT key, state FROM outbox.submission WHERE kind = 'course_run'"))
    assert states == {"A": "accepted", "B": "held", "C": "accepted"}
    assert world.states("enrolment") == {"accepted": 2, "ready": 1}


def test_dead_letters_are_listed_shown_retried_and_redriven(world: World) -> None:
    world.fault("error_in_200", "enrolment.create", code="TGS-406 - Invalid course reference number")
    world.submit()
    letters = dead_letters.dead_letters(world.workplace)
    assert len(letters) == 3 and {one.error_code for one in letters} == {"SSG-TGS-406"}
    assert all(one.why and one.what_to_do and one.upload_id and one.row_number for one in letters)
    assert sum(one.behind for one in letters) == 5  # attendance and assessments of two of them
    assert world.reconcile()["dead letter"] == {"enrolment": 3}
    shown = dead_letters.show(world.workplace, letters[0].submission_id)
    assert [row["outcome"] for row in shown.attempts] == ["rejected"]
    # Planning again does not send what was refused.
    world.forget_calls()
    world.submit()
    assert world.writes() == {} and len(dead_letters.dead_letters(world.workplace)) == 3
    world.mend()
    assert dead_letters.redrive(world.workplace, "SSG-TGS-999", reason="x", actor=world.actor()) == 0
    assert dead_letters.redrive(world.workplace, "SSG-TGS-406", reason="SSG was mended", actor=world.actor()) == 3
    world.night()
    assert set(world.states()) == {"accepted"} and world.reconcile() == {}
    entries = world.rows("SELECT action, count(*) FROM audit.entry WHERE action LIKE 'dead letter%%' GROUP BY 1")
    assert dict(entries)["dead letter retried"] >= 3


def test_a_corrected_row_takes_the_place_of_a_dead_letter(published: World) -> None:
    published.fault("error_in_200", "enrolment.update", times=1)
    published.upload("trainee", trainee("T1", email="wrong@example.test"))
    published.submit()
    assert published.states("enrolment")["rejected"] == 1
    published.upload("trainee", trainee("T1", email="right@example.test"))
    published.night()
    assert published.states("enrolment") == {"accepted": 4, "superseded": 1} and published.reconcile() == {}


def test_what_was_discarded_stays_so_until_the_record_changes(published: World) -> None:
    published.fault("error_in_200", "enrolment.update", times=1)
    published.upload("trainee", trainee("T1", email="odd@example.test"))
    published.submit()
    (letter,) = dead_letters.dead_letters(published.workplace)
    with pytest.raises(ValueError, match="reason"):
        dead_letters.discard(published.workplace, letter.submission_id, reason="", actor=published.actor())
    dead_letters.discard(published.workplace, letter.submission_id, reason="she left", actor=published.actor())
    with pytest.raises(dead_letters.NoDeadLetter):
        dead_letters.retry(published.workplace, letter.submission_id, reason="r", actor=published.actor())
    published.forget_calls()
    for _ in range(2):
        published.night()
    assert published.writes() == {}
    assert published.reconcile() == {"differs": {"enrolment": 1}}, "it is given up, and not hidden"
    published.upload("trainee", trainee("T1", email="newer@example.test"))
    published.night()
    assert published.reconcile() == {}


def test_a_dead_letter_that_was_sent_is_searched_for_before_it_is_sent_again(world: World) -> None:
    world.fault("reset_after_commit", "enrolment.create", times=1)
    world.fault("503", "enrolment.search")
    world.submit(patience=0.1)
    world.execute(
        "UPDATE outbox.submission SET first_sent_at = now() - interval '9 days', next_attempt_at = now() "
        "WHERE state = 'unknown'"
    )
    world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL")
    world.work(patience=0.1)
    (letter,) = dead_letters.dead_letters(world.workplace)
    assert letter.state == "dead"
    world.mend()
    assert dead_letters.retry(world.workplace, letter.submission_id, reason="mended", actor=world.actor()) == "unknown"
    world.night()
    assert set(world.states()) == {"accepted"} and len(world.held("enrolments", live=False)) == 3


def test_a_plan_made_again_is_the_same_plan_also_of_a_record_that_was_corrected_before(published: World) -> None:
    """The first wording was never sent; what took its place keeps its approval and, refused, waits for a person."""
    published.upload("trainee", trainee("T1", email="first@example.test"))
    published.plan()
    published.upload("trainee", trainee("T1", email="second@example.test"))
    assert published.approve(*published.plan()) == 1
    assert published.plan()[1].hash == published.plan()[1].hash
    assert published.submission("enrolment", key("A", "T1"))["state"] == "ready", "it was approved, and nothing changed"
    published.fault("error_in_200", "enrolment.update")
    published.submit()
    published.forget_calls()
    published.submit()
    (letter,) = dead_letters.dead_letters(published.workplace)
    assert published.writes() == {}, "what was refused is not sent again by itself"
    dead_letters.discard(published.workplace, letter.submission_id, reason="she left", actor=published.actor())
    published.mend()
    published.night()
    assert published.writes() == {}, "it is given up until the record changes"
    resolve(published.workplace, "enrolment", key("A", "T1"), "ours", reason="back", actor=published.actor())
    published.night()
    assert published.writes() == {"enrolment.update": 1} and published.reconcile() == {}


def test_what_a_person_stops_while_it_is_searched_for_or_dead_is_not_sent_again(published: World) -> None:
    """A hold, and a decision for SSG's side, made between the call that broke off and the search that finds nothing."""
    published.upload("enrolment", enrolment("C", "T1"))
    published.upload("trainee", trainee("T3", email="ours@example.test"))
    for call in ("create", "update"):
        published.fault("reset_before_commit", f"enrolment.{call}", times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    assert published.states("enrolment")["unknown"] == 2
    holds.hold(published.workplace, kind="enrolment", key=key("C", "T1"), reason="ask her", actor=published.actor())
    resolve(published.workplace, "enrolment", key("B", "T3"), "theirs", reason="leave it", actor=published.actor())
    published.forget_calls()
    published.work()
    assert published.writes() == {}
    assert published.submission("enrolment", key("C", "T1"))["reason"] == "held by tester: ask her"
    assert published.submission("enrolment", key("B", "T3"))["state"] == "superseded"
    holds.release(published.workplace, kind="enrolment", key=key("C", "T1"), reason="yes", actor=published.actor())
    published.fault("error_in_200", "enrolment.create", times=1)
    published.submit()
    holds.hold(published.workplace, kind="enrolment", reason="all of them", actor=published.actor())
    (letter,) = dead_letters.dead_letters(published.workplace)
    assert dead_letters.retry(published.workplace, letter.submission_id, reason="r", actor=published.actor()) == "held"


def test_what_was_approved_and_claimed_is_held_and_decided_at_once(published: World) -> None:
    published.upload("fee", fee("A", "T2"))
    published.upload("trainee", trainee("T1", email="ours@example.test"))
    assert published.approve(*published.plan()) == 2
    published.execute("UPDATE outbox.submission SET lease_owner = 'w', lease_until = now() + interval '1 minute' "
                      "WHERE state = 'ready'")
    assert holds.hold(published.workplace, kind="fee", reason="finance asked", actor=published.actor()) == 1
    resolve(published.workplace, "enrolment", key("A", "T1"), "theirs", reason="leave it", actor=published.actor())
    assert not published.work(patience=0.0).outcomes and published.writes() == {}
    assert published.states("fee") == {"held": 1}
    assert published.submission("enrolment", key("A", "T1"))["reason"] == "decided by tester: theirs"
