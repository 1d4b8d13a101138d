"""SSG shows a new run late, and some outcomes stay unknown: what is waited for, and when a person must look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from submission_world import PACE, World, course, enrolment, fee, run, session, trainee, trainer

from tms_pipeline.intake.nric import make_nric
from tms_pipeline.operations.steps import waiting_for_people
from tms_pipeline.submission.dead_letters import dead_letters, retry
from tms_pipeline.submission.fresh_runs import REASON

NEW_TRAINER = {**trainer("TR-01"), "trainer_code": "TR-03", "trainer_nric": make_nric("S", 9999103),
               "trainer_name": "Trainer Number 3", "trainer_email": "trainer3@example.test"}  # fmt: skip
LATE = replace(PACE, visible=900.0)


@pytest.fixture
def one_run(empty_world: World) -> World:
    """A run and one who is enrolled in it; SSG takes 15 minutes to show a new run to enrolments."""
    empty_world.load_term(
        {
            "course": [course()],
            "trainer": [trainer("TR-01"), trainer("TR-02")],
            "course_run": [run("B", "2026-12-07", "2026-12-08")],
            "session": [session("B", 1, "2026-12-07")],
            "trainee": [trainee("T3")],
            "enrolment": [enrolment("B", "T3")],
        }
    )
    empty_world.ssg("POST", "settings", {"visibility_delay_seconds": 900})
    return empty_world


def _minutes_pass(world: World, minutes: int) -> None:
    world.ssg("POST", "clock", {"advance_seconds": minutes * 60})
    world.execute(
        "UPDATE outbox.submission SET next_attempt_at = next_attempt_at - %(s)s * interval '1 second', "
        "last_sent_at = last_sent_at - %(s)s * interval '1 second', "
        "finished_at = finished_at - %(s)s * interval '1 second'".replace("%(s)s", str(minutes * 60))
    )


def _work(world: World) -> None:
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    world.work(patience=0.1, pace=LATE)


def test_an_enrolment_waits_until_ssg_shows_its_new_run_and_burns_no_attempt(one_run: World) -> None:
    _work(one_run)
    waiting = one_run.submission("enrolment", one_run.value("SELECT key FROM register.enrolment"))
    assert (waiting["state"], waiting["attempts"], waiting["reason"]) == ("ready", 0, REASON)
    assert 800 < (waiting["next_attempt_at"] - one_run.now()).total_seconds() <= 900
    assert not dead_letters(one_run.workplace), "'not yet' is no 'never'"
    _minutes_pass(one_run, 16)
    _work(one_run)
    assert set(one_run.states()) == {"accepted"} and len(one_run.held("enrolments", live=False)) == 1


def test_a_refusal_of_a_run_that_is_old_enough_needs_a_person_at_once(one_run: World) -> None:
    _work(one_run)
    _minutes_pass(one_run, 16)
    one_run.ssg("POST", "settings", {"visibility_delay_seconds": 9000})
    _work(one_run)
    assert one_run.states("enrolment") == {"rejected": 1}


def test_not_found_yet_is_not_not_there(one_run: World) -> None:
    """The answer of a create is lost and every search shows nothing: it is not sent again before the 15 minutes."""
    one_run.fault("reset_after_commit", "course_run.publish", times=1)
    one_run.fault("empty_page", "course_run.by_*")
    for _ in range(4):
        _work(one_run)
        one_run.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'unknown'")
    assert one_run.states("course_run") == {"unknown": 1} and one_run.writes()["course_run.publish"] == 1
    assert one_run.submission("course_run", "B")["reason"] == "not found yet"
    one_run.mend()
    _minutes_pass(one_run, 16)
    _work(one_run)
    assert one_run.states("course_run") == {"accepted": 1} and one_run.writes()["course_run.publish"] == 1


def test_an_unknown_outcome_goes_to_a_person_after_the_set_age(one_run: World) -> None:
    one_run.fault("reset_after_commit", "course_run.publish", times=1)
    one_run.fault("503", "course_run.by_*")
    _work(one_run)
    for hours, state in ((71, "unknown"), (2, "dead")):
        one_run.execute(
            f"UPDATE outbox.submission SET first_sent_at = first_sent_at - interval '{hours} hours', "
            "next_attempt_at = now() WHERE state = 'unknown'"
        )
        one_run.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL")
        one_run.work(patience=0.05, pace=replace(LATE, max_age=72 * 3600.0))
        assert one_run.states("course_run") == {state: 1}
    (letter,) = dead_letters(one_run.workplace)
    assert letter.kind == "course_run" and letter.behind == 2 and letter.what_to_do
    assert one_run.writes()["course_run.publish"] == 1 and waiting_for_people(one_run.workplace) == []


def test_what_we_sent_was_agreed_on_though_our_register_moved_on_before_it_was_found(one_run: World) -> None:
    one_run.ssg("POST", "settings", {"visibility_delay_seconds": 0})
    one_run.fault("reset_after_commit", "enrolment.create", times=1)
    plan_id, plan = one_run.plan()
    one_run.approve(plan_id, plan)
    one_run.work(patience=0.0, pace=PACE)
    assert one_run.states("enrolment") == {"unknown": 1}
    one_run.upload("trainee", trainee("T3", email="moved.on@example.test"))
    _minutes_pass(one_run, 60)
    for _ in range(3):
        _work(one_run)
        _minutes_pass(one_run, 60)
    held = one_run.held("enrolments", live=False)
    assert len(held) == 1 and "moved.on@example.test" in str(held), "our newer address is a change of ours, and is sent"
    _, left = one_run.plan()
    assert not left.changes and not left.elsewhere


def test_one_empty_answer_does_not_prove_that_something_was_cancelled(published: World) -> None:
    """The cancel never arrived, and the search is shown an empty list once: it is looked for again, and sent again."""
    before = len(published.held("sessions"))
    published.upload("session", session("B", 2, "2026-12-08", session_status="Cancelled"))
    published.fault("reset_before_commit", "course_run.edit", times=1)
    published.fault("empty_page", "session.list", times=1)
    published.submit()
    assert len(published.held("sessions")) == before - 1
    assert published.submission("session", "B|2")["state"] == "accepted"


def test_a_search_that_failed_is_none_of_the_two_that_found_nothing(one_run: World) -> None:
    """SSG made it and the answer was lost; one search fails, one is shown an empty list, the next one finds it."""
    one_run.fault("reset_after_commit", "course_run.publish", times=1)
    one_run.fault("503", "course_run.by_*", times=1)
    one_run.fault("empty_page", "course_run.by_*", on_call=[2])
    one_run.approve(*one_run.plan())
    one_run.work()
    assert one_run.writes()["course_run.publish"] == 1 and len(one_run.held("runs")) == 1
    assert one_run.states("course_run") == {"accepted": 1}


def test_what_was_withdrawn_before_is_not_taken_for_a_new_enrolment_that_a_person_retries(published: World) -> None:
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    published.night()
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Confirmed"))
    published.fault("reset_before_commit", "enrolment.create", times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    published.execute("UPDATE outbox.submission SET state = 'dead' WHERE state = 'unknown'")
    (letter,) = dead_letters(published.workplace)
    retry(published.workplace, letter.submission_id, reason="again", actor=published.actor())
    published.work()
    published.night()
    assert len(published.held("enrolments")) == 3 and published.reconcile() == {}


def test_an_update_that_arrived_is_ours_though_our_register_went_back_before_it_was_found(published: World) -> None:
    """Else we would take our own change for somebody else's, and never send the way back."""
    published.upload("trainee", trainee("T1", email="slip@example.test"))
    published.fault("reset_after_commit", "enrolment.update", times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    assert published.states("enrolment")["unknown"] == 1
    published.upload("trainee", trainee("T1"))
    published.submit()
    assert published.reconcile() == {}
    assert "slip@example.test" not in str(published.held("enrolments"))


def test_the_trainers_that_a_lost_answer_took_off_a_run_are_put_back_as_the_register_says(published: World) -> None:
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", trainer_codes="TR-01"))
    published.fault("reset_after_commit", "course_run.edit", times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", trainer_codes="TR-01; TR-02"))
    published.night()
    assert published.writes() == {"course_run.edit": 2} and published.reconcile() == {}


def test_of_an_enrolment_that_ssg_holds_twice_one_fee_is_sent_and_once(world: World) -> None:
    world.fault("duplicate", "enrolment.create", times=1)
    world.night()
    assert world.reconcile() == {"duplicated there": {"enrolment": 1}}
    for name in ("T1", "T2"):
        world.upload("fee", fee("A", name, "Partial Payment"))
    world.forget_calls()
    world.night()
    world.night()
    assert world.writes() == {"enrolment.fees": 2}
    assert world.reconcile() == {"duplicated there": {"enrolment": 1}}


@pytest.mark.parametrize(
    ("kind", "there", "call", "first", "then"),
    [
        ("course_run", "runs", "course_run.publish", run("D", "2026-12-14", "2026-12-15"),
         run("D", "2026-12-21", "2026-12-22")),
        ("session", "sessions", "course_run.edit", session("C", 2, "2026-12-08"),
         session("C", 2, "2026-12-08", start_time="10:00")),
        ("trainer", "trainers", "trainer.add", NEW_TRAINER,
         {**NEW_TRAINER, "trainer_name": "Another Name", "trainer_email": "another@example.test"}),
    ],
)  # fmt: skip
def test_what_we_sent_is_found_though_the_register_moved_on_and_nothing_is_made_twice(
    published: World, kind: str, there: str, call: str, first: dict[str, str], then: dict[str, str]
) -> None:
    """SSG made it and the answer was lost; before it is searched for, the row is corrected."""
    before = len(published.held(there))
    published.upload(kind, first)
    published.fault("reset_after_commit", call, times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    assert published.states(kind)["unknown"] == 1
    published.upload(kind, then)
    published.night()
    assert len(published.held(there)) == before + 1 and published.reconcile() == {}
    assert published.value(f"SELECT count(*) FROM mirror.live WHERE kind = '{kind}'") == before + 1


def test_a_difference_behind_a_dead_letter_that_was_sent_is_told_as_that_letter(published: World) -> None:
    """To decide about it would send nothing: it must be found first."""
    published.upload("enrolment", enrolment("C", "T1"))
    published.fault("reset_after_commit", "enrolment.create", times=1)
    published.approve(*published.plan())
    published.work(patience=0.0)
    published.execute("UPDATE outbox.submission SET state = 'dead' WHERE state = 'unknown'")
    published.upload("enrolment", enrolment("C", "T1", enrolment_status="Withdrawn"))
    published.night()
    assert published.reconcile() == {"dead letter": {"enrolment": 1}}
    (letter,) = dead_letters(published.workplace)
    (told,) = published.rows("SELECT what_to_do FROM finding.discrepancy "
                             "WHERE review_id = (SELECT max(review_id) FROM finding.review)")  # fmt: skip
    assert told == (letter.what_to_do,) and "dead-letters retry" in letter.what_to_do
    retry(published.workplace, letter.submission_id, reason="looked", actor=published.actor())
    published.work()
    published.night()
    assert len(published.held("enrolments")) == 3 and published.reconcile() == {}
