"""Restores that are broken off, and what people do while one runs: nobody's stop is lifted, nothing stands unsaid."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from restorable import Restorable, backup, beside, doctors_word
from submission_world import sheet, trainee

from tms_pipeline.backups.drill import drill
from tms_pipeline.backups.recovered import make_recovered_safe
from tms_pipeline.backups.scratch import alone, scratch
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.health.check import Check
from tms_pipeline.health.site import site
from tms_pipeline.health.ssg import ssg
from tms_pipeline.identity import keyring
from tms_pipeline.identity.retiring import retire
from tms_pipeline.identity.rotation import rotate
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.service import receive
from tms_pipeline.rights.access import collect
from tms_pipeline.store.database import Database, DatabaseError
from tms_pipeline.submission.gate import set_switch

BESIDE = "restoring beside it"


def switch(ours: Restorable) -> tuple[bool, str, str]:
    found: tuple[bool, str, str] = ours.world.rows("SELECT stopped, reason, set_by FROM ssg.switch")[0]
    return found


def healths_word(ours: Restorable) -> Check:
    with site(ours.world.workplace.settings, start=False) as found, found.connect() as connection:
        return next(check for check in ssg(found, connection) if check.name == "ssg")


def turn(ours: Restorable, *, stopped: bool, reason: str) -> None:
    set_switch(ours.world.workplace, stopped=stopped, reason=reason, actor=ours.world.actor("mei", "admin"))


def when(word: str, do: Callable[[], object]) -> Callable[[str], None]:
    """Do it when the restore says that it has come so far."""

    def tell(said: str) -> None:
        if said == word:
            do()

    return tell


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_restore_lifts_the_stop_that_it_set_and_no_other(ours: Restorable) -> None:
    name = backup(ours)
    stop = lambda: turn(ours, stopped=True, reason="looking into it")  # noqa: E731

    def stop_and_interrupt() -> None:
        stop()
        interrupt()

    # Broken off with Ctrl-C.
    with pytest.raises(KeyboardInterrupt):
        ours.restore(name, backup_first=False, tell=when("waiting for calls and intakes in hand", stop_and_interrupt))
    assert switch(ours) == (True, "looking into it", "mei")
    turn(ours, stopped=False, reason="made up")
    # Whoever allows calls meanwhile would send what the restored database does not know.
    with pytest.raises(BackupError, match="Somebody allowed calls"):
        ours.restore(name, backup_first=False, tell=when(BESIDE, lambda: turn(ours, stopped=False, reason="go")))
    assert switch(ours) == (False, "go", "mei")
    # A stop of a person that comes meanwhile goes along into the restored database.
    done = ours.restore(name, backup_first=False, tell=when(BESIDE, stop))
    assert done.calls_stopped and switch(ours) == (True, "looking into it", "mei") and doctors_word(ours).fine


def test_broken_off_after_the_database_was_replaced_it_is_told_as_that_until_the_files_are_back(
    ours: Restorable,
) -> None:
    name = backup(ours)
    turn(ours, stopped=True, reason="the term is over")
    archive = ours.world.workplace.home / "archive"
    archive.rename(archive.with_name("away"))
    archive.write_text("in the way", encoding="utf-8")
    with pytest.raises(BackupError, match="has taken the place of the database, but its files are not back"):
        ours.restore(name, backup_first=False)
    ours.reconnect()
    archive.unlink()
    for _ in range(2):
        told = doctors_word(ours)
        assert f"A restore of {name} was broken off after the database was replaced" in told.sentence
        assert "allow" not in told.remedy and switch(ours)[0] is True
        assert "allow" not in healths_word(ours).remedy and "files are not back" in healths_word(ours).sentence
        # And another one that is broken off before it changes anything changes nothing of that.
        with pytest.raises(KeyboardInterrupt):
            ours.restore(name, backup_first=False, tell=when("waiting for calls and intakes in hand", interrupt))
    done = ours.restore(name, backup_first=False)
    assert done.originals_back == len(list(archive.rglob("*.sealed"))) > 0
    # The stop that a person had set before is that person's again.
    assert done.calls_stopped and switch(ours) == (True, "the term is over", "mei") and doctors_word(ours).fine
    shutil.rmtree(archive.with_name("away"))


def test_a_replaced_database_that_cannot_be_dropped_is_told_and_the_restore_is_done(ours: Restorable) -> None:
    world = ours.world
    name = backup(ours)
    replaced = f"{world.database}_replaced"
    world.site.sql(f"ALTER DATABASE {world.database} IS_TEMPLATE true")  # such a one Postgres does not drop
    done = ours.restore(name, backup_first=False, keep_stopped=True)
    assert done.replaced_left == replaced and done.calls_stopped and switch(ours)[0] is True
    assert replaced in doctors_word(ours).sentence
    with pytest.raises(BackupError, match=f"{replaced}, which an earlier restore or drill left, cannot be dropped"):
        drill(world.workplace, ours.place, name, actor=world.actor("admin", "admin"))
    world.site.sql(f"ALTER DATABASE {replaced} IS_TEMPLATE false")
    assert drill(world.workplace, ours.place, name, actor=world.actor("admin", "admin")).well
    assert doctors_word(ours).fine, "that calls stay stopped was asked for"


def test_a_key_that_is_rotated_and_retired_beside_a_restore_closes_nothing(ours: Restorable) -> None:
    world = ours.world
    name = backup(ours)
    actor = world.actor("officer", "admin")
    ended: list[str] = []

    def rotate_and_retire() -> None:
        own = world.workplace
        rings = keyring.load(own.home)
        try:
            with Database(own.db.url, max_size=2) as db:
                rotate(db, own.settings, rings, "data", actor=actor)
                retire(db, own.settings, rings, "data", 1, actor=actor)
        except (psycopg.Error, DatabaseError) as error:
            ended.append(type(error).__name__)

    thread, begin = beside(rotate_and_retire)
    ours.restore(name, backup_first=False, tell=when("making it safe", begin))
    thread.join(30)
    assert ended, "it was cut off, and says so"
    rings = keyring.load(world.workplace.home)
    world.workplace = replace(world.workplace, rings=rings)
    with world.workplace.db.transaction() as connection:
        assert "Trainee Number 2" in json.dumps(collect(connection, world.workplace, "HB-00002"), default=str)
    # Done again, it goes on where it stood.
    rotate(world.workplace.db, world.workplace.settings, rings, "data", actor=actor)
    retire(world.workplace.db, world.workplace.settings, rings, "data", 1, actor=actor)
    with world.workplace.db.transaction() as connection:
        assert "Trainee Number 2" in json.dumps(collect(connection, world.workplace, "HB-00002"), default=str)


def test_a_recovered_database_stays_stopped_until_it_is_safe_and_its_moment_is_that_of_the_recovery(
    ours: Restorable,
) -> None:
    world = ours.world
    as_of = world.value("SELECT max(at) FROM audit.entry").isoformat()
    actor = world.actor("admin", "admin")
    with pytest.raises(KeyboardInterrupt):
        make_recovered_safe(world.workplace, actor=actor, tell=when("making it safe", interrupt))
    told = doctors_word(ours)
    assert "not safe yet" in told.sentence and "--recovered" in told.remedy and switch(ours)[0] is True
    world.upload("trainee", trainee("T1", phone="90000009"))  # what comes meanwhile came after the recovery
    for _ in range(2):
        assert not make_recovered_safe(world.workplace, actor=actor).calls_stopped
    assert doctors_word(ours).fine
    moments = world.rows("SELECT details->>'as_of' FROM audit.entry WHERE action = 'database recovered' ORDER BY seq")
    assert moments[0] == (as_of,), "not of what the first try wrote"
    assert moments[1] == (world.value("SELECT max(at) FROM audit.entry WHERE action LIKE 'upload %'").isoformat(),)


def test_no_number_that_may_have_been_given_since_the_recovered_moment_is_given_again(ours: Restorable) -> None:
    world = ours.world
    make_recovered_safe(world.workplace, actor=world.actor("admin", "admin"))
    world.upload("trainee", trainee("T1", nric=make_nric("S", 9999004)))
    world.night()
    assert world.value("SELECT min(submission_id) FROM outbox.submission") > 1_000_000
    assert world.value("SELECT max(trainee_ref) FROM identity.trainee") == "HB-01004"


def test_a_file_that_comes_meanwhile_waits_however_soon_the_server_ends_idle_transactions(ours: Restorable) -> None:
    world = ours.world
    world.site.sql(f"ALTER DATABASE {world.database} SET idle_in_transaction_session_timeout = '300ms'")
    ours.reconnect()
    name = backup(ours)
    kept: list[str] = []

    def drop() -> None:
        with contextlib.suppress(psycopg.Error, DatabaseError), Database(world.workplace.db.url, max_size=1) as db:
            own = replace(world.workplace, db=db, unscoped=None)
            content = sheet("trainee", [trainee("T1", phone="90000009")])
            kept.append(receive(own, "trainee.csv", content, source="inbox", actor=world.actor())[0])

    thread, begin = beside(drop)
    ours.restore(name, backup_first=False, tell=when("making it safe", begin))
    thread.join(30)
    assert kept == [], "a file that was taken would be lost with the database"


def test_a_database_whose_name_leaves_no_room_for_a_second_one_is_left_alone(ours: Restorable) -> None:
    world = ours.world
    name = "d" * 63  # to which Postgres would cut the name of a scratch database, too
    world.site.sql(f"CREATE DATABASE {name}")
    long = replace(world.workplace, db=Database(world.site.server.url(name)), unscoped=None)
    with pytest.raises(BackupError, match="is longer than 45 letters"), alone(long), scratch(long, "drill"):
        raise AssertionError("it would have been dropped")
    assert world.value("SELECT count(*) FROM pg_database WHERE datname = %s", name) == 1
    world.site.drop(name)


def test_the_second_database_has_the_letters_of_ours_whatever_the_servers_own_are(ours: Restorable) -> None:
    world = ours.world
    name = f"{world.database}_letters"
    world.site.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    there = replace(world.workplace, db=Database(world.site.server.url(name)), unscoped=None)
    with scratch(there, "drill") as url:
        kinds = world.rows(
            "SELECT DISTINCT encoding, datcollate, datctype, datlocprovider FROM pg_database WHERE datname IN (%s, %s)",
            name, url.database,
        )  # fmt: skip
    world.site.drop(name)
    assert len(kinds) == 1


def test_somebody_elses_database_that_is_called_like_a_replaced_one_is_not_dropped(ours: Restorable) -> None:
    world = ours.world
    theirs = f"{world.database}_replaced"
    name = backup(ours)
    world.site.sql(f"CREATE DATABASE {theirs}")
    with pytest.raises(BackupError, match=f"There is a database {theirs} that no restore left there"):
        ours.restore(name, backup_first=False)
    ours.reconnect()
    assert world.value("SELECT count(*) FROM pg_database WHERE datname = %s", theirs) == 1
    assert switch(ours)[0] is False and doctors_word(ours).fine
    world.site.drop(theirs)
