"""Changes of every kind arrive at SSG field for field, and in an order that SSG accepts."""

from __future__ import annotations

import sys
from pathlib import Path

from submission_world import (
    NRICS,
    World,
    attendance,
    enrolment,
    fee,
    key,
    run,
    session,
    trainee,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))

from crash_matrix import second_wave


def test_the_whole_term_arrives_once(published: World) -> None:
    counts = {
        kind: len(published.held(kind))
        for kind in ("runs", "sessions", "trainers", "enrolments", "attendance", "assessments")
    }
    assert counts == {"runs": 3, "sessions": 5, "trainers": 2, "enrolments": 3, "attendance": 3, "assessments": 2}
    assert published.reconcile() == {}
    made = {row["traineeId"]: row for row in published.held("enrolments")}
    assert made[NRICS["T1"]]["collection"] == "Full Payment" and made[NRICS["T2"]]["collection"] == "Pending Payment"
    assert {row["result"] for row in published.held("assessments")} == {"Pass", "Fail"}


def test_every_update_and_cancel_arrives_field_for_field(published: World) -> None:
    second_wave(published)
    published.night()
    assert set(published.states()) == {"accepted"}
    assert published.reconcile() == {}
    (moved,) = [row for row in published.held("trainers") if row["name"].endswith("2")]
    assert moved["experience"] == "Ten years at the wok"
    runs = {row["scheduleInfo"]: row for row in published.held("runs")}
    assert set(runs) == {"Two days, 9am to 5pm", "Two days, 10am to 6pm"}
    edited = runs["Two days, 10am to 6pm"]
    assert len(edited["trainers"]) == 2, "an edit resends the trainers"
    times = [
        (row["startDate"], row["startTime"], row["endTime"])
        for row in published.held("sessions")
        if row["runId"] == edited["id"]
    ]
    assert times == [("20261207", "10:00", "18:00")]
    held = {row["traineeId"]: row for row in published.held("enrolments")}
    assert set(held) == {NRICS["T1"], NRICS["T2"]}
    assert held[NRICS["T1"]]["email"] == "moved@example.test"
    assert held[NRICS["T2"]]["fullName"] == "Trainee Renamed" and held[NRICS["T2"]]["collection"] == "Full Payment"
    marks = {
        (row["sessionId"][-2:], row["traineeId"]): row["statusCode"] for row in published.held("attendance", live=False)
    }
    assert marks[("S1", NRICS["T2"])] == "4" and marks[("S2", NRICS["T2"])] == "1"
    (scored,) = published.held("assessments")
    assert (scored["score"], scored["grade"]) == (90, "A")
    second = published.night()
    assert not second.outcomes, "a second night has nothing to do"


def test_absent_present_absent_is_void_create_void(published: World) -> None:
    for hour, (mark, live) in enumerate((("Absent", 2), ("Present", 3), ("Absent", 2))):
        published.upload("attendance", attendance("A", 1, "T1", mark, marked_at=f"2026-11-16 1{hour}:00"))
        published.night()
        assert len(published.held("attendance")) == live and len(published.held("attendance", live=False)) == 3
    assert published.reconcile() == {}


def test_a_trainee_moves_to_another_run(published: World) -> None:
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"), enrolment("C", "T3"))
    published.night()
    runs = {row["traineeId"]: row["runId"] for row in published.held("enrolments")}
    assert runs[NRICS["T3"]] == published.value("SELECT ssg_ref FROM mirror.course_run WHERE key = 'C' AND live")
    assert len(published.held("enrolments")) == 3 and published.reconcile() == {}


def test_a_run_is_taken_back_after_its_enrolments(published: World) -> None:
    """SSG refuses to delete a run with enrolments, so they go first, in the same night."""
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", run_status="Cancelled"))
    published.night()
    assert len(published.held("runs")) == 2 and len(published.held("enrolments")) == 2
    assert published.rows("SELECT count(*) FROM outbox.submission WHERE state <> 'accepted'") == [(0,)]
    assert published.reconcile() == {}
    # And it comes back, with everything that hung on it.
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", run_status="Confirmed"))
    published.night()
    assert len(published.held("runs")) == 3 and len(published.held("enrolments")) == 3
    assert len(published.held("sessions")) == 5 and published.reconcile() == {}


def test_a_run_is_widened_before_its_session_moves_out(published: World) -> None:
    published.upload("session", session("B", 1, "2026-12-08", start_time="13:00", end_time="18:00"))
    published.upload("course_run", run("B", "2026-12-07", "2026-12-10"))
    published.upload("session", session("B", 2, "2026-12-10"))
    _, plan = published.plan(keep=False)
    late = next(change for change in plan.changes if change.name == "session:B|2")
    assert late.follows == ("course_run:B",)
    published.night()
    assert set(published.states()) == {"accepted"} and published.reconcile() == {}


def test_fee_status_follows_and_an_enrolments_update_leaves_it_alone(published: World) -> None:
    published.upload("trainee", trainee("T2", email="t2@example.test"))
    plan_id, plan = published.plan()
    published.approve(plan_id, plan)
    published.upload("fee", fee("A", "T2", "Partial Payment"))
    published.work()
    # The update did not send the fee, and must not have believed so.
    _, plan = published.plan()
    assert [change.name for change in plan.changes] == [f"fee:{key('A', 'T2')}"]
    published.night()
    (held,) = [row for row in published.held("enrolments") if row["traineeId"] == NRICS["T2"]]
    assert (held["collection"], held["email"]) == ("Partial Payment", "t2@example.test")


def test_a_withdrawal_that_is_taken_back_before_it_is_sent_cancels_nothing(published: World) -> None:
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    plan_id, plan = published.plan()
    published.approve(plan_id, plan)
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Confirmed"))
    assert published.work(patience=0.1).outcomes == {"superseded": 1}
    assert published.writes() == {} and len(published.held("enrolments")) == 3


def test_a_trainer_whom_only_ssg_knows_is_never_taken_off_a_run(published: World) -> None:
    """An edit replaces the list of trainers; whose id number we do not have cannot be resent."""
    ref = published.value("SELECT ssg_ref FROM mirror.course_run WHERE key = 'B'")
    (held,) = [row for row in published.held("runs") if str(row["id"]) == ref]
    stranger = {**held["trainers"][0], "id": "0f0f0f0f-0000-0000-0000-000000000001", "idNumber": "X0000001"}
    published.edit("runs", ref, trainers=[*held["trainers"], stranger])
    published.upload("session", session("B", 1, "2026-12-07", start_time="11:00"))
    published.night()
    (held,) = [row for row in published.held("runs") if str(row["id"]) == ref]
    assert len(held["trainers"]) == 3
    assert "trainer" in published.submission("session", "B|1")["sentence"]


def test_a_fee_of_an_enrolment_that_is_taken_back_or_replaced_goes_nowhere_or_with_the_new_one(published: World) -> None:
    published.upload("fee", fee("A", "T1", "Partial Payment"), fee("A", "T2", "Full Payment"))
    published.upload("enrolment", enrolment("A", "T2", enrolment_status="Withdrawn"))
    published.upload("trainee", trainee("T1", full_name="Trainee Number One"))
    assert published.night().outcomes == {"accepted": 3}, "and nothing is refused"
    assert published.writes() == {"enrolment.cancel": 2, "enrolment.create": 1}
    (made,) = [row for row in published.held("enrolments") if row["fullName"] == "Trainee Number One"]
    assert made["collection"] == "Partial Payment" and published.reconcile() == {}
