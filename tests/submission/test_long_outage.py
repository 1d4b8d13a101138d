"""SSG is down for a day: few calls, nothing burnt or lost, and what is nearest to its deadline goes first afterwards."""

from __future__ import annotations

import gc
import tracemalloc

import psycopg
from submission_world import World

from tms_pipeline.operations.failures import sentence_of
from tms_pipeline.submission.verdict import Pace

# As in production; the clock is moved, not slept.
PATIENT = Pace(max_attempts=8, max_age=72 * 3600.0, first=2.0, settle=60.0, visible=0.0, grace=120.0)


def _an_hour_passes(world: World) -> None:
    world.execute(
        "UPDATE outbox.submission SET next_attempt_at = next_attempt_at - interval '1 hour', "
        "first_sent_at = first_sent_at - interval '1 hour', last_sent_at = last_sent_at - interval '1 hour' "
        "WHERE state IN ('ready', 'retry', 'unknown')"
    )
    world.execute("UPDATE ssg.breaker SET probe_at = probe_at - interval '1 hour'")


def test_a_day_without_ssg_costs_few_calls_and_is_made_good_in_order_of_deadlines(world: World) -> None:
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    world.execute("UPDATE outbox.submission SET approved_until = now() + interval '3 days'")
    world.fault("503")
    calls_by_hour: list[int] = []
    memory: list[int] = []
    for hour in range(24):
        before = world.value("SELECT count(*) FROM outbox.attempt WHERE error_code NOT LIKE 'SSG-BREAKER%%'") or 0
        world.work(patience=0.0, pace=PATIENT, threads=1)
        after = world.value("SELECT count(*) FROM outbox.attempt WHERE error_code NOT LIKE 'SSG-BREAKER%%'")
        calls_by_hour.append(after - before)
        if hour == 6:
            tracemalloc.start()
        if hour > 6:
            gc.collect()
            memory.append(tracemalloc.get_traced_memory()[0])
        _an_hour_passes(world)
    tracemalloc.stop()
    # What an hour leaves behind is the log lines that pytest keeps, and nothing that grows with what waits.
    growth = (memory[-1] - memory[4]) / (len(memory) - 5)
    assert growth < 16_384, f"{growth:.0f} bytes an hour stay in memory: {memory}"
    assert world.value("SELECT opened_at IS NOT NULL FROM ssg.breaker"), "the breaker is open"
    assert max(calls_by_hour[6:]) <= 1, f"an open breaker lets a probe through, and no more: {calls_by_hour}"
    assert set(world.states()) <= {"ready", "retry", "unknown"}, "nothing was given up"
    assert world.value("SELECT max(attempts) FROM outbox.submission") <= PATIENT.max_attempts
    assert world.value("SELECT count(*) FROM outbox.attempt") <= 24 * 3 + 20, "what is kept grows with calls, not with time"
    world.mend()
    mended = world.now()
    for _ in range(6):
        _an_hour_passes(world)
        world.work(patience=0.1, pace=PATIENT, threads=1)
    world.submit()
    assert set(world.states()) == {"accepted"}, world.states()
    assert len(world.held("runs", live=False)) == 3 and len(world.held("enrolments", live=False)) == 3
    # Of what was free to go when SSG came back; what waits for a parent cannot go before it.
    taken_up = world.rows(
        "SELECT s.due FROM outbox.submission s JOIN outbox.attempt a USING (submission_id) WHERE s.due IS NOT NULL "
        "GROUP BY s.submission_id, s.due HAVING min(a.started_at) < %(at)s "
        "ORDER BY min(a.started_at) FILTER (WHERE a.started_at > %(at)s)".replace("%(at)s", f"'{mended.isoformat()}'")
    )
    days = [row[0] for row in taken_up]
    assert len(days) >= 2 and days == sorted(days)


def test_a_database_that_goes_away_is_told_in_one_sentence() -> None:
    for error in (psycopg.OperationalError("server closed the connection"), psycopg.InterfaceError("is closed")):
        assert str(sentence_of(error)).startswith("Postgres broke off. What was not finished did not happen;")
