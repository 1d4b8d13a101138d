"""Rotation: new keys while everything else goes on; killed and begun again; nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from submission_world import NRICS, World, trainee

from tms_pipeline.identity import remarking, rotation
from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyringError, load
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.retiring import need, retire
from tms_pipeline.identity.rotation import Rotated, rotate
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.rights.access import collect


def turn(world: World, name: str, **options: object) -> Rotated:
    place = world.workplace
    return rotate(place.db, place.settings, place.rings, name, actor=world.actor(), **options)  # type: ignore[arg-type]


def retired(world: World, name: str, version: int) -> None:
    place = world.workplace
    retire(place.db, place.settings, place.rings, name, version, actor=world.actor())


def test_both_rings_are_rotated_and_their_old_keys_retired_while_all_values_still_open_and_nothing_is_sent(
    at_ssg: World,
) -> None:
    world = at_ssg
    before = world.rows("SELECT trainee_ref, nric_mark FROM identity.trainee ORDER BY 1")
    writes = world.writes()
    assert turn(world, "data", batch=3).made_again > 3
    assert turn(world, "index", batch=2).made_again > 0
    after = world.rows("SELECT trainee_ref, nric_mark FROM identity.trainee ORDER BY 1")
    assert [row[0] for row in before] == [row[0] for row in after]
    assert not {bytes(row[1]) for row in before} & {bytes(row[1]) for row in after}
    assert not world.value("SELECT count(*) FROM identity.remark"), "old marks must not lead to the new ones"
    for name in ("data", "index"):
        retired(world, name, 1)
        assert sorted(load(world.workplace.home).named(name).keys) == [2]
    # The same rows again are known, what SSG holds is what we hold, and nothing new is to be sent.
    taken = world.upload("trainee", *(trainee(name) for name in ("T2", "T1", "T3")))
    assert taken.counts()["unchanged"] == 3
    assert world.reconcile() == {}
    assert not world.plan()[1].changes
    assert world.writes() == writes
    with world.workplace.db.transaction() as connection:
        assert "Trainee Number 1" in str(collect(connection, world.workplace, "HB-00001")["trainee"])
    # What was approved before a rotation stays approved, and is sent after it.
    world.upload("trainee", trainee("T1", email="newer@example.test"))
    plan_id, plan = world.plan()
    assert world.approve(plan_id, plan) == 1
    turn(world, "index")
    assert world.work().outcomes == {"accepted": 1}
    assert world.reconcile() == {}


def test_a_number_stays_one_trainee_before_while_and_after_the_index_is_rotated(ours: World) -> None:
    """Between learning and changing over, the old mark counts; a newcomer of that time is found afterwards too."""
    newcomer = make_nric("S", 9999050)
    learn = remarking.learn

    def learn_and_meet_somebody(*arguments: object, **options: object) -> int:
        done = learn(*arguments, **options)  # type: ignore[arg-type]
        ours.upload("trainee", trainee("T1", nric=newcomer, full_name="New Comer"))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remarking, "learn", learn_and_meet_somebody)
        turn(ours, "index")
    assert ours.value("SELECT count(*) FROM identity.trainee") == 4
    taken = ours.upload("trainee", trainee("T1", nric=newcomer, full_name="New Comer"), trainee("T1"))
    assert taken.counts()["unchanged"] == 2
    assert ours.value("SELECT count(*) FROM identity.trainee") == 4


@pytest.mark.parametrize("name", ["data", "index"])
def test_a_rotation_killed_in_the_middle_goes_on_where_it_stood(name: str, ours: World, tmp_path: Path) -> None:
    place = ours.workplace
    code = f"""
import os, signal
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import open_workplace
from tms_pipeline.identity.rotation import rotate
def progress(words, done, todo):
    if done >= 2:
        os.kill(os.getpid(), signal.SIGKILL)
with open_workplace(load_settings(_env_file=None), migrations=False) as place:
    rotate(place.db, place.settings, place.rings, {name!r}, actor=place.actor(), batch=2, progress=progress)
"""
    assert place.settings.database_url is not None
    environment = {**os.environ, "TMS_HOME": str(place.home), "TMS_ACTOR": "tester",
                   "DATABASE_URL": place.settings.database_url.get_secret_value()}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr[-300:]
    # Half way both keys count: everything opens, everybody is recognised.
    place.rings.named(name).refresh()
    assert sorted(place.rings.named(name).keys) == [1, 2]
    with place.db.transaction() as connection:
        assert "Trainee Number 1" in str(collect(connection, place, "HB-00001")["trainee"])
        assert need(connection, place.rings, name, 1).needed_by
    assert ours.upload("trainee", trainee("T1"), trainee("T2")).counts()["unchanged"] == 2
    with pytest.raises(KeyringError, match="cannot be retired"):
        retired(ours, name, 1)
    finished = turn(ours, name, batch=2)
    assert finished.resumed and finished.to_version == 2
    retired(ours, name, 1)
    assert ours.upload("trainee", trainee("T2"), trainee("T1")).counts()["unchanged"] == 2


def test_rotation_under_load_loses_and_doubles_nothing(at_ssg: World) -> None:
    """Uploads, syncs and look-ups by several threads, while both rings are rotated twice."""
    world, stop, wrong = at_ssg, threading.Event(), []
    written: list[int] = []

    def until_stopped(work: Callable[[int], None]) -> threading.Thread:
        def run() -> None:
            number = 0
            while not stop.is_set() and not wrong:
                number += 1
                try:
                    work(number)
                except Exception as error:
                    wrong.append(error)

        return threading.Thread(target=run)

    def upload(number: int) -> None:
        world.upload(
            "trainee", trainee("T1", email=f"load{number}@example.test"), trainee("T2"),
            trainee("T3", nric=make_nric("S", 9980000 + number), full_name=f"Loaded Number {number}"),
        )  # fmt: skip
        written.append(number)

    def sync(_: int) -> None:
        world.pull()
        world.submit(rounds=1, patience=0.05)

    def look_up(_: int) -> None:
        with world.workplace.db.transaction() as connection:
            marker = Marker(world.workplace.rings.index).follow(connection)
            found = connection.execute(
                "SELECT trainee_ref FROM identity.trainee WHERE nric_mark = %s", (marker.mark("nric", NRICS["T2"]),)
            ).fetchall()
            assert found == [("HB-00002",)]
            assert data_keys(connection, world.workplace.rings.data, ["trainee:HB-00002"], make=False)

    threads = [until_stopped(work) for work in (upload, sync, look_up)]
    for thread in threads:
        thread.start()
    try:
        held = 0.0
        for _ in range(2):
            turn(world, "data", batch=5)
            held = max(held, turn(world, "index", batch=5).seconds_held)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not wrong, wrong
    assert len(written) >= 2, "the load never ran beside the rotations"
    assert held < 5
    for name in ("data", "index"):
        for version in (1, 2):
            retired(world, name, version)
    assert world.value("SELECT count(*) FROM identity.trainee") == 3 + len(written)
    assert world.value("SELECT count(*) FROM register.trainee") == 3 + len(written)
    world.night()
    assert world.reconcile() == {}
    assert len(world.held("enrolments")) == 3
    assert world.states().keys() <= {"accepted", "superseded"}


def test_a_process_that_slept_through_a_rotation_and_a_retirement_wraps_with_the_new_key(ours: World) -> None:
    asleep = load(ours.workplace.home)
    turn(ours, "data")
    turn(ours, "index")
    retired(ours, "data", 1)
    retired(ours, "index", 1)
    with ours.workplace.db.transaction() as connection:
        made = data_keys(connection, asleep.data, ["trainee:NEW"], make=True)
        assert connection.execute("SELECT ring_version FROM identity.data_key WHERE subject = 'trainee:NEW'").fetchone() == (2,)
        assert data_keys(connection, ours.workplace.rings.data, ["trainee:NEW"], make=False) == made
        known = Marker(asleep.index).follow(connection).mark("nric", NRICS["T1"])
    assert ours.value("SELECT trainee_ref FROM identity.trainee WHERE nric_mark = %s", known) == "HB-00001"


def test_an_active_key_is_not_retired_and_what_would_be_lost_is_said_first(ours: World) -> None:
    place = ours.workplace
    with place.db.transaction() as connection:
        for name in ("data", "index", "audit"):
            found = need(connection, place.rings, name, 1)
            assert "active" in found.needed_by and found.lost
        with pytest.raises(KeyringError, match="no version 7"):
            need(connection, place.rings, "data", 7)
    turn(ours, "audit")
    with pytest.raises(KeyringError, match="entries of the audit log"):
        retired(ours, "audit", 1)
    assert rotation.BATCH > 0
