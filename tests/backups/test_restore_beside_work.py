"""Restores beside workers that go on, after a restore that was killed, and while another one runs."""

from __future__ import annotations

import threading
from dataclasses import replace

import psycopg
import pytest
from restorable import Restorable, backup, doctors_word, later_files, live, settle
from running import wait_until
from submission_world import TRAINER_NRICS, trainee

from tms_pipeline.backups.recovered import make_recovered_safe
from tms_pipeline.backups.restoring import restore
from tms_pipeline.backups.scratch import alone
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.watching import RESTORING
from tms_pipeline.store.database import Database, DatabaseError
from tms_pipeline.submission.gate import set_switch


def other_hands(ours: Restorable, over: threading.Event, refused: list[str]) -> threading.Thread:
    """Workers on connections of their own, started again whenever they end, as a service would; who cannot work says so."""
    own = ours.world.workplace

    def labour() -> None:
        while not over.is_set():
            try:
                with Database(own.db.url, max_size=6) as db:
                    replace(ours.world, workplace=replace(own, db=db, unscoped=None)).work(patience=0.2)
            except (psycopg.Error, DatabaseError) as error:
                refused.append(type(error).__name__)
            over.wait(0.05)

    thread = threading.Thread(target=labour, daemon=True)
    thread.start()
    return thread


def test_a_restore_beside_workers_waits_for_calls_in_hand_and_nothing_is_lost_or_doubled(ours: Restorable) -> None:
    world = ours.world
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    name = backup(ours)
    # What a restore that was killed leaves: its scratch database, and calls stopped.
    left = f"{world.workplace.db.url.database}_restoring_999999"
    world.site.sql(f"CREATE DATABASE {left}")
    set_switch(world.workplace, stopped=True, reason=RESTORING, actor=world.actor("admin", "admin"))
    assert "was killed" in doctors_word(ours).sentence
    set_switch(world.workplace, stopped=False, reason="made up", actor=world.actor("admin", "admin"))
    assert left in doctors_word(ours).sentence

    over = threading.Event()
    refused: list[str] = []
    world.fault("slow", "*", seconds=0.15, times=1000)
    thread = other_hands(ours, over, refused)
    try:
        wait_until(lambda: world.states().get("accepted", 0) > 5, seconds=20, why="the workers do not work")
        world.upload("trainee", trainee("T1", phone="90000009"))
        done = ours.restore(name)
        assert done.before and doctors_word(ours).fine
        world.mend()
        # As the page on disaster recovery has it: SSG is read first, then the files of the days since come again.
        world.night()
        world.upload("trainee", trainee("T1", phone="90000009"))
        later_files(ours)
    finally:
        over.set()
        thread.join()
    settle(ours)
    assert world.reconcile() == {}, world.rows("SELECT kind, key, field, ours, theirs FROM finding.discrepancy")
    held = live(ours)
    assert held["enrolments"] and held["attendance"] and held["trainers"].keys() == set(TRAINER_NRICS.values())
    twice = {kind: [one for one, many in found.items() if many > 1] for kind, found in held.items() if kind != "runs"}
    assert not any(twice.values()), twice
    assert len(world.held("runs")) == 4, "A, B, C, D"
    assert set(world.states()) <= {"accepted", "superseded"}


def test_a_restore_is_refused_while_another_runs_and_when_a_worker_does_not_let_go(
    ours: Restorable,
) -> None:
    world = ours.world
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    name = backup(ours)
    with alone(world.workplace), pytest.raises(BackupError, match="Another restore or drill"):
        ours.restore(name)
    with world.workplace.whole_db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # a worker elsewhere, in the midst of a call
        connection.execute(
            "UPDATE outbox.submission SET state = 'sending', lease_owner = 'elsewhere:1:1:1', "
            "lease_until = now() + interval '1 hour' WHERE submission_id = (SELECT min(submission_id) FROM "
            "outbox.submission)"
        )
    quick = {"lease_seconds": 0.5, "ssg_timeout_seconds": 0.5}
    world.workplace = replace(world.workplace, settings=world.workplace.settings.model_copy(update=quick))
    with pytest.raises(BackupError, match="1 submissions are still in the hands of a worker"):
        ours.restore(name)
    assert world.value("SELECT count(*) FROM outbox.submission WHERE state = 'sending'") == 1
    world.execute("UPDATE outbox.submission SET lease_until = now() WHERE state = 'sending'")
    world.workplace.settings.home.joinpath("taken").write_text("no folder", encoding="utf-8")
    elsewhere = {"backup_url": f"{world.workplace.settings.home}/taken/backups"}
    there = replace(world.workplace, settings=world.workplace.settings.model_copy(update=elsewhere))
    with pytest.raises(BackupError, match="could not be backed up, so nothing was replaced.*may name another place"):
        restore(there, ours.place, name, actor=world.actor("admin", "admin"))
    assert world.value("SELECT stopped FROM ssg.switch WHERE name = 'ssg'") is False, "as it was before"


def test_a_database_that_postgres_itself_brought_back_to_an_earlier_moment_sends_nothing_twice(ours: Restorable) -> None:
    """Recovery to a point in time, or a snapshot of the disk: the same belief in less than was sent, made safe in place."""
    world = ours.world
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    name, url = world.database, world.workplace.db.url
    world.workplace.db.close()
    world.site.sql(f"CREATE DATABASE {name}_earlier TEMPLATE {name} STRATEGY FILE_COPY")
    ours.reconnect()
    assert set(world.work(patience=0.4).outcomes) == {"accepted"}
    before = live(ours)
    world.workplace.db.close()
    world.site.drop(name)
    world.site.sql(f"ALTER DATABASE {name}_earlier RENAME TO {name}")
    world.forget_calls()

    ours.reconnect()
    assert world.workplace.db.url == url
    done = make_recovered_safe(world.workplace, actor=world.actor("admin", "admin"))
    assert done.moved["searched_first"] and not done.calls_stopped
    settle(ours)
    assert live(ours) == before and world.reconcile() == {}
    assert not [call for call in world.writes() if call.endswith((".create", ".publish", ".add"))]
    assert set(world.states()) <= {"accepted", "superseded"}
    assert world.value("SELECT count(*) FROM audit.entry WHERE action = 'database recovered'") == 1
