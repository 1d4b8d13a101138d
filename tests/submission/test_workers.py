"""Workers: leases and heartbeat, two at once, poison, brakes, signals, and the right one of two identical records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from submission_world import NRICS, PACE, World, enrolment, key, trainee
from workers_world import expected, ready

from tms_pipeline.identity import keyring
from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.intake.service import receive
from tms_pipeline.mirror.pull import pull
from tms_pipeline.submission import lease
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.submission.worker import Worker, run_workers


def test_two_workers_at_once_send_everything_once(world: World) -> None:
    ready(world)
    with world.client() as one, world.client() as two:
        workers = [Worker(world.workplace, client, actor=world.actor(), pace=PACE, threads=2) for client in (one, two)]
        threads = [threading.Thread(target=worker.run, kwargs={"patience": 0.5}) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(worker.result.outcomes["accepted"] for worker in workers) == 18
    expected(world)


def test_plans_made_while_a_worker_runs_double_nothing(world: World) -> None:
    """Every plan is one snapshot: what a worker brings to SSG meanwhile is under way or there, never neither."""
    world.ssg("POST", "settings", {"latency_ms": 15})
    ready(world)
    done = threading.Event()

    def planner() -> None:
        while not done.is_set():
            plan_id, plan = plan_now(world.workplace, actor=world.actor())
            world.approve(plan_id, plan)

    thread = threading.Thread(target=planner)
    thread.start()
    try:
        world.work(patience=0.5)
    finally:
        done.set()
        thread.join()
    world.submit()
    expected(world)
    assert world.value("SELECT count(*) FROM outbox.submission WHERE action = 'create' AND state = 'accepted'") == 18


def test_a_slow_call_keeps_its_lease(world: World, site, term_template) -> None:  # type: ignore[no-untyped-def]
    """The call takes longer than the lease: the heart beats, and nobody else takes it over."""
    with site.world(term_template, TMS_LEASE_SECONDS=0.4) as slow:
        slow.fault("slow", "trainer.add", seconds=0.7, times=2)
        ready(slow)
        with slow.client() as one, slow.client() as two:
            workers = [
                Worker(slow.workplace, client, actor=slow.actor(), pace=PACE, threads=2) for client in (one, two)
            ]
            threads = [threading.Thread(target=worker.run, kwargs={"patience": 1.0}) for worker in workers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        searches = slow.value("SELECT count(*) FROM outbox.attempt WHERE step = 'search'")
        assert searches == 0, "a lease was taken from a worker that lives"
        expected(slow)


def test_an_answer_that_comes_after_the_lease_was_taken_away_still_counts(world: World) -> None:
    """As after a jump of the clock: the lease runs out while the call is in hand."""
    world.fault("slow", "trainer.add", seconds=0.6, times=1)
    ready(world)
    with world.client() as client:
        worker = Worker(world.workplace, client, actor=world.actor(), pace=replace(PACE, grace=5.0), threads=1)
        thread = threading.Thread(target=worker.run, kwargs={"patience": 0.1})
        thread.start()
        time.sleep(0.3)
        world.execute("UPDATE outbox.submission SET lease_until = now() - interval '1 hour' WHERE state = 'sending'")
        assert lease.rescue(world.workplace, worker.pace) == 1
        assert world.states("trainer")["unknown"] == 1
        thread.join()
    assert world.states("trainer") == {"accepted": 2}
    world.submit()
    expected(world)


def test_of_two_identical_runs_each_adopts_its_own(world: World) -> None:
    """B and C are alike in everything, and both outcomes are unknown at once."""
    world.fault("reset_after_commit", "course_run.publish", times=3)
    ready(world)
    world.work()
    world.submit()
    expected(world)
    refs = world.rows("SELECT key, ssg_ref FROM mirror.course_run WHERE live ORDER BY key")
    assert [name for name, _ in refs] == ["A", "B", "C"] and len({ref for _, ref in refs}) == 3
    assert world.writes()["course_run.publish"] == 3


def test_a_poison_record_stops_nobody_and_ends_as_a_dead_letter(world: World) -> None:
    """A record that our own code cannot even open."""
    ready(world)
    world.execute("UPDATE register.trainee SET nric_sealed = '\\x00' WHERE key = 'HB-00003'")
    for _ in range(8):
        world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'ready'")
        world.work(patience=0.05)
    assert world.states() == {"accepted": 17, "dead": 1}
    poison = world.submission("enrolment", key("B", "T3"))
    assert poison["error_code"] == "OUR_FAULT" and NRICS["T3"] not in str(poison)
    assert not any(row["traineeId"] == NRICS["T3"] for row in world.held("enrolments"))


def test_a_failure_of_one_leaves_no_other_begun_and_unsent(published: World) -> None:
    """A record that cannot be opened, and a database that refuses to note that: the worker ends, and whole."""
    published.upload("enrolment", *(enrolment("C", name) for name in NRICS))
    published.execute("UPDATE register.trainee SET nric_sealed = '\\x00' WHERE key = 'HB-00001'")
    ready(published)
    published.execute(
        "CREATE FUNCTION outbox.refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$"
    )
    published.execute("CREATE TRIGGER refuses BEFORE UPDATE ON outbox.submission FOR EACH ROW "
                      "WHEN (NEW.error_code = 'OUR_FAULT') EXECUTE FUNCTION outbox.refuses()")  # fmt: skip
    try:
        with pytest.raises(psycopg.errors.RaiseException, match="refused"):
            published.work(threads=3)
    finally:
        published.execute("DROP FUNCTION outbox.refuses CASCADE")
    rows = published.rows("SELECT key, state, attempts, lease_owner IS NULL FROM outbox.submission "
                          "WHERE kind = 'enrolment' AND key LIKE 'C|%%' ORDER BY key")  # fmt: skip
    assert rows[0] == (key("C", "T1"), "ready", 0, False)
    assert all(row[1:] in (("accepted", 1, True), ("ready", 0, True)) for row in rows[1:]) and len(rows) == 3, rows


def test_always_refused_after_commitless_500s_is_bounded(world: World) -> None:
    world.fault("503", "enrolment.create", path_contains="")
    world.submit(patience=1.0)
    for _ in range(10):
        world.execute(
            "UPDATE outbox.submission SET next_attempt_at = now() WHERE state IN ('unknown', 'ready', 'retry')"
        )
        world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL")
        world.work(patience=0.3)
    assert world.states("enrolment") == {"dead": 3}
    sends = world.value(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM outbox.attempt WHERE step = 'send' GROUP BY submission_id) x"
    )
    assert sends <= PACE.max_attempts


def test_deadline_first_and_parents_inherit_it(published: World) -> None:
    """What is nearest to its deadline goes first, whatever its kind; its parents with it."""
    published.upload("enrolment", enrolment("C", "T1"), enrolment("A", "T3"))
    published.upload("trainee", trainee("T3", email="new@example.test"))
    _, plan = published.plan(keep=False)
    days = [change.due for change in plan.changes if change.due]
    assert days == sorted(days) and len(days) >= 2
    assert plan.changes[0].run_code == "A"


def _worker_of_its_own(world: World) -> subprocess.Popen[bytes]:
    """A worker in a process, which signals reach."""
    crash = Path(__file__).parents[1] / "crash"
    place = world.site
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(crash)!r}); import crash_child; crash_child.work("
            f"{str(place.home)!r}, {str(place.server.socket)!r}, {place.ssg!r}, {world.database!r}, '')",
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(crash), *sys.path])},
    )


def _wait_for_first_call(world: World, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while not world.value("SELECT count(*) FROM outbox.submission WHERE state IN ('sending', 'accepted')"):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)


def test_a_worker_that_slept_through_its_lease_sends_nothing_that_others_did(world: World) -> None:
    """A suspended machine: its leases end, another worker finishes everything, then it wakes up in mid-call."""
    world.ssg("POST", "settings", {"latency_ms": 60})
    ready(world)
    process = _worker_of_its_own(world)
    try:
        _wait_for_first_call(world, process)
        process.send_signal(signal.SIGSTOP)
        world.execute(
            "UPDATE outbox.submission SET lease_until = now() - interval '1 second' WHERE lease_owner IS NOT NULL"
        )
        world.ssg("POST", "settings", {"latency_ms": 0})
        world.submit()
        expected(world)
        creates = "SELECT count(*) FROM outbox.submission WHERE action = 'create' AND state = 'accepted'"
        assert world.value(creates) == 18
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait(20) == 0
    world.submit()
    expected(world)
    assert world.value(creates) == 18


def test_sigterm_finishes_the_call_in_hand_and_burns_no_attempt(world: World) -> None:
    world.ssg("POST", "settings", {"latency_ms": 120})
    ready(world)
    process = _worker_of_its_own(world)
    _wait_for_first_call(world, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    states = world.states()
    assert set(states) <= {"accepted", "ready"} and states["ready"] >= 1
    assert world.value("SELECT count(*) FROM outbox.submission WHERE lease_owner IS NOT NULL") == 0
    assert world.value("SELECT sum(attempts) FROM outbox.submission") == states["accepted"]
    world.ssg("POST", "settings", {"latency_ms": 0})
    world.submit()
    expected(world)


@pytest.mark.parametrize("ring", ["data", "index"])
def test_with_another_installations_ring_nothing_is_sealed_read_or_sent(world: World, ring: str, tmp_path: Path) -> None:
    ready(world)
    uploads = world.value("SELECT count(*) FROM intake.upload")
    keyring.create(tmp_path)
    foreign = getattr(keyring.load(tmp_path), ring)
    place = replace(world.workplace, rings=replace(world.workplace.rings, **{ring: foreign}))
    with world.client() as client:
        for act in (
            lambda: receive(place, "t.csv", b"Trainer Code\n", source="test", actor=world.actor()),
            lambda: pull(place, client),
            lambda: run_workers(place, client, actor=world.actor()),
        ):
            with pytest.raises(KeyringError, match=f"The key ring '{ring}' is not the one that this database was made with"):
                act()
    assert world.value("SELECT count(*) FROM intake.upload") == uploads and world.writes() == {}


def test_a_dead_owner_is_known_by_machine_process_and_start() -> None:
    mine = lease.new_owner()
    assert not lease.is_dead(mine)
    machine, pid, started, rest = mine.split(":")
    assert lease.is_dead(f"{machine}:{pid}:{int(started) - 1}:{rest}"), "the number was used again"
    assert lease.is_dead(f"{machine}:999999999:1:{rest}")
    assert not lease.is_dead(f"another/{machine}:999999999:1:{rest}"), "of another machine nothing is known"
