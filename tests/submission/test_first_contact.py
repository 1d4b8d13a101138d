"""First contact with an SSG that holds records already: adopted by key, what differs is shown, nothing is overwritten."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from submission_world import World, assessment, attendance, enrolment, key, run, session, term

from tms_pipeline.mirror.alike import Pair, assign
from tms_pipeline.reconcile.resolutions import resolve


def _never_met(published: World) -> None:
    published.execute("DELETE FROM outbox.attempt")
    published.execute("DELETE FROM outbox.submission")
    for kind in ("trainer", "course_run", "session", "enrolment", "fee", "attendance", "assessment"):
        published.execute(f"DELETE FROM mirror.{kind}")
    published.execute("DELETE FROM mirror.read")


@pytest.fixture
def met(published: World) -> World:
    """SSG holds the term, one e-mail address and one fee in other words; this installation has never met it."""
    reference = published.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s AND live", key("A", "T1"))
    published.edit("enrolments", reference, email="there.before@example.test", collection="Cancelled")
    _never_met(published)
    return published


def _emails(world: World) -> set[str]:
    return {row["email"] for row in world.held("enrolments") if row["fullName"] == "Trainee Number 1"}


def test_what_is_there_already_is_adopted_and_what_differs_is_shown_not_sent(met: World) -> None:
    for _ in range(2):
        met.night()
        assert met.writes() == {}, "every record was known by its key, and none was overwritten"
    assert met.value("SELECT count(*) FROM mirror.live WHERE kind = 'enrolment'") == 3
    found = met.reconcile()
    assert found["differs"] == {"enrolment": 1, "fee": 1}, found
    assert _emails(met) == {"there.before@example.test"}


@pytest.mark.parametrize(("how", "email"), [("ours", "trainee1@example.test"), ("theirs", "there.before@example.test")])
def test_a_person_decides_which_side_counts(met: World, how: str, email: str) -> None:
    met.night()
    met.reconcile()
    resolve(met.workplace, "enrolment", key("A", "T1"), how, reason="looked at both", actor=met.actor())
    met.night()
    assert _emails(met) == {email}
    assert "enrolment" not in met.reconcile().get("differs", {})


def test_ignore_until_a_day_hides_what_was_there_before_and_sends_nothing(met: World) -> None:
    met.night()
    record = key("A", "T1")
    resolve(
        met.workplace, "enrolment", record, "ignore", until=date(2026, 11, 30), reason="we ask them", actor=met.actor()
    )
    met.night()
    assert met.writes() == {} and "enrolment" not in met.reconcile().get("differs", {})
    met.execute("UPDATE outbox.resolution SET until = '2026-11-20'")
    assert met.reconcile()["differs"] == {"enrolment": 1, "fee": 1}


@pytest.fixture
def second_first(empty_world: World) -> World:
    """SSG holds B and C, alike in everything, C under the lower number; this installation has never met it."""
    rows = term()
    late = {
        kind: [row for row in rows[kind] if row["run_code"] == "B"] for kind in ("course_run", "session", "enrolment")
    }
    for kind, items in late.items():
        rows[kind] = [row for row in rows[kind] if row not in items]
    empty_world.load_term(rows)
    empty_world.night()
    empty_world.load_term(late)
    empty_world.night()
    empty_world.forget_calls()
    refs = dict(empty_world.rows("SELECT key, ssg_ref FROM mirror.course_run WHERE live"))
    assert int(refs["C"]) < int(refs["B"])
    _never_met(empty_world)
    return empty_world


def _of_b(world: World) -> list[str]:
    """What SSG holds of the only trainee of B, by status."""
    return [row["status"] for row in world.held("enrolments", live=False) if row["fullName"] == "Trainee Number 3"]


def test_of_two_runs_alike_each_is_known_by_its_sessions_and_trainees(second_first: World) -> None:
    for _ in range(2):
        second_first.night()
        assert second_first.writes() == {}, "nobody is enrolled a second time"
    assert second_first.reconcile() == {}


def test_runs_alike_are_matched_anew_when_a_later_upload_tells_them_apart(second_first: World) -> None:
    """On the first night our side had neither their sessions nor their trainees."""
    bench = second_first
    bench.execute("DELETE FROM register.enrolment WHERE run_code = 'B'")
    bench.execute("DELETE FROM register.session WHERE run_code IN ('B', 'C')")
    bench.night()
    assert bench.writes() == {}
    for kind in ("session", "enrolment"):
        bench.upload(kind, *reversed(term()[kind]))
    bench.night()
    assert bench.writes() == {} and _of_b(bench) == ["Confirmed"]
    assert bench.reconcile() == {}


@pytest.mark.parametrize("unread", ["enrolment.search", "session.list"])
def test_runs_alike_wait_while_what_tells_them_apart_cannot_be_read(second_first: World, unread: str) -> None:
    second_first.fault("503", unread)
    second_first.night()
    assert second_first.writes() == {}, "no third run is published and nobody is enrolled"
    said = "SELECT error_code FROM mirror.read WHERE kind = 'course_run' ORDER BY read_id DESC LIMIT 1"
    assert second_first.value(said) == "ALIKE_RUNS"
    second_first.mend()
    second_first.night()
    assert second_first.writes() == {} and second_first.reconcile() == {}


def test_the_likest_runs_come_together_and_a_match_is_undone_only_for_a_better_whole() -> None:
    def pair(ssg_ref: str, key: str, enrolments: int = 0, **more: Any) -> Pair:
        return Pair(ssg_ref, key, enrolments=enrolments, **more)

    square = [("1", "B"), ("1", "C"), ("2", "B"), ("2", "C")]
    assert assign([pair(*of) for of in square]) == {"1": "B", "2": "C"}, "nothing tells: in their order"
    crossed = [pair("1", "B"), pair("1", "C", 2), pair("2", "B", 1), pair("2", "C", 1)]
    assert assign(crossed) == {"1": "C", "2": "B"}
    matched = [pair("1", "B", 1, matched=True), pair("1", "C", 1), pair("2", "B", 1), pair("2", "C", 1, matched=True)]
    assert assign(matched) == {"1": "B", "2": "C"}
    worse = [pair("1", "B", matched=True), pair("1", "C", 3), pair("2", "B", 2), pair("2", "C", matched=True)]
    assert assign(worse) == {"1": "C", "2": "B"}
    assert assign([pair("1", "B", sessions=1, all_sessions=3), pair("1", "C", sessions=1, all_sessions=2)]) == {"1": "C"}


@pytest.fixture
def cancelled_here(published: World) -> World:
    """One record of each kind is cancelled in our register, SSG holds it as live, and we have never met that SSG."""
    evenings = run("C", "2026-12-07", "2026-12-08", schedule_info="Evenings")  # so that C is like no other run
    published.upload("course_run", evenings)
    published.night()
    published.forget_calls()
    published.upload("course_run", {**evenings, "run_status": "Cancelled"})
    published.upload("session", session("B", 2, "2026-12-08", session_status="Cancelled"))
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    published.upload("attendance", attendance("A", 1, "T2", "Absent"))
    published.upload(
        "assessment", assessment("A", "T2", result="Fail", score="30", grade="F", assessment_status="Void")
    )
    _never_met(published)
    return published


# A cancelled run is matched with none at SSG, so what SSG holds of it is missing here.
SHOWN = {
    "differs": {"session": 1, "enrolment": 1, "attendance": 1, "assessment": 1},
    "missing here": {"course_run": 1, "session": 1},
}


def test_a_cancelled_row_cancels_nothing_that_was_there_before_us(cancelled_here: World) -> None:
    world = cancelled_here
    for _ in range(2):
        world.night()
        assert world.writes() == {}, "only what we submitted ourselves is taken back"
    assert world.reconcile() == SHOWN
    resolve(world.workplace, "enrolment", key("B", "T3"), "ours", reason="she left", actor=world.actor())
    resolve(
        world.workplace, "session", "B|2", "ignore", until=date(2026, 11, 30), reason="not yet", actor=world.actor()
    )
    world.night()
    assert world.writes() == {"enrolment.cancel": 1}, "and what a person decided about"
    assert world.reconcile() == {**SHOWN, "differs": {"attendance": 1, "assessment": 1}}


def test_what_we_submitted_ourselves_is_taken_back_though_somebody_edited_it_at_once(world: World) -> None:
    """It was adopted after an unknown outcome, in other words than ours: agreed on never, and ours all the same."""
    world.fault("reset_after_commit", "enrolment.create", times=3)
    world.fault("edited_elsewhere", "enrolment.create", times=3, when="after")
    world.submit()
    world.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    world.forget_calls()
    world.submit()
    assert world.writes().get("enrolment.cancel") == 1
