"""Brakes: an expired version, the kill switch, the breaker, a rest that SSG asks for, a turn slept through."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest
from submission_world import PACE, World, trainee
from workers_world import expected, ready

from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.submission.gate import Gate, set_switch


def test_one_expired_version_stops_only_its_own_sort(world: World) -> None:
    world.fault("version_expired", "attendance.upload")
    done = world.submit()
    assert done.stopped
    assert world.states("attendance") == {"ready": 3} and world.states("assessment") == {"accepted": 2}
    assert world.value("SELECT max(attempts) FROM outbox.submission WHERE kind = 'attendance'") == 0, (
        "no attempt is burnt"
    )
    world.mend()
    time.sleep(PACE.ours)
    world.submit()
    expected(world)


def test_kill_switch_stops_everything_and_burns_nothing(world: World) -> None:
    set_switch(world.workplace, stopped=True, reason="SSG asked", actor=world.actor())
    ready(world)
    done = world.work(patience=0.1)
    assert "switched off" in done.stopped and world.writes() == {}
    assert world.value("SELECT sum(attempts) FROM outbox.submission") == 0
    set_switch(world.workplace, stopped=False, reason="", actor=world.actor())
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'ready'")
    world.submit()
    expected(world)


def test_breaker_opens_lets_one_probe_through_and_closes(world: World) -> None:
    gate = Gate(world.workplace, spacing_seconds=0)
    for _ in range(10):
        gate.after("x", "unknown", 0.1)
    from tms_pipeline.ssg.errors import SsgError

    with pytest.raises(SsgError, match="BREAKER"):
        gate.before("x")
    world.execute("UPDATE ssg.breaker SET probe_at = now() - interval '1 second'")
    gate.before("x")
    other = Gate(world.workplace, spacing_seconds=0)
    with pytest.raises(SsgError, match="BREAKER"):
        other.before("x")
    gate.after("x", "ok", 0.1)
    other.before("x")
    # Failures that a process left behind are forgotten by the success of another one.
    for _ in range(5):
        gate.after("x", "unknown", 0.1)
    stranger = Gate(world.workplace, spacing_seconds=0)
    stranger.before("x")
    stranger.after("x", "ok", 0.1)
    assert world.value("SELECT failures FROM ssg.breaker") == 0


def test_retry_after_rests_every_worker_of_the_credential(world: World) -> None:
    world.fault("429", "trainer.add", times=1, retry_after=1)
    ready(world)
    begun = time.monotonic()
    world.work(patience=0.1)
    # Another process of the same credential, which was told nothing.
    Gate(world.workplace, spacing_seconds=0).before("x")
    assert time.monotonic() - begun >= 0.9
    world.submit()
    expected(world)


def test_a_long_rest_is_said_also_when_nothing_else_is_left_to_send(published: World) -> None:
    published.upload("trainee", trainee("T3", email="new@example.test"))
    published.fault("429", "enrolment.update", times=1, retry_after=120)
    done = published.submit(patience=0.1)
    assert "SSG asked for a rest" in done.stopped and published.writes() == {}


def test_a_turn_that_was_slept_through_is_given_up(world: World) -> None:
    """The machine was suspended while a call waited for its turn: by now others may have what it was to send."""
    evening = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
    for slept, made in ((timedelta(seconds=1), True), (timedelta(hours=8), False)):
        clock = iter([evening, evening + slept])
        gate = Gate(world.workplace, spacing_seconds=0.2, clock=lambda clock=clock: next(clock))  # type: ignore[misc]
        Gate(world.workplace, spacing_seconds=0.2).before("x")
        with contextlib.nullcontext() if made else pytest.raises(SsgError, match="slept"):
            gate.before("x")
