"""Drills, places and retention of backups, and what health says of old and corrupt ones."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from restorable import Restorable, backup

from tms_pipeline.backups.drill import drill
from tms_pipeline.backups.making import make
from tms_pipeline.backups.places import Kept, Place, name_of, to_keep
from tms_pipeline.backups.watching import last_backup, newest_file
from tms_pipeline.health.check import State


def test_the_drill_finds_counts_chain_and_plan_and_leaves_nothing_behind(ours: Restorable) -> None:
    world = ours.world
    world.night()
    name = backup(ours)
    databases = world.rows("SELECT datname FROM pg_database ORDER BY 1")
    done = drill(world.workplace, ours.place, name, actor=world.actor("admin", "admin"))
    assert done.well and (done.planned, done.planned_here, done.too_much) == (0, 0, 0)
    assert done.rows > 100 and done.audit_entries and done.anchors == 1 and not done.audit_faults
    assert world.rows("SELECT datname FROM pg_database ORDER BY 1") == databases
    # A log that was tampered with before the backup is found by it.
    world.execute("ALTER TABLE audit.entry DISABLE TRIGGER refuse_change")
    world.execute("UPDATE audit.entry SET actor = 'nobody' WHERE seq = 2")
    world.execute("ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER refuse_change")
    bad = drill(world.workplace, ours.place, backup(ours), actor=world.actor("admin", "admin"))
    assert not bad.well and "entry 2 was changed" in bad.audit_faults[0]


def test_backups_lie_anywhere_that_fsspec_reaches_and_old_ones_go(ours: Restorable) -> None:
    world = ours.world
    place = Place("memory://off-host/tms")
    old = (datetime.now(UTC) - timedelta(days=3000)).replace(hour=2)  # an hour on is the same day in Singapore
    for name in (name_of(old), name_of(old + timedelta(hours=1))):
        place.write(name, b"x")
        place.write(f"{name}.sha256", b"x")
    place.write(name_of(old + timedelta(hours=2)), b"x")  # half a backup: it has no sum, so it is none
    made = make(world.workplace, actor=world.actor("admin", "admin"), url=place.url)
    # The newest of its month is kept, the one before it goes.
    assert made.removed == [name_of(old)]
    assert [one.name for one in place.backups()] == [name_of(old + timedelta(hours=1)), made.name]
    done = drill(world.workplace, place, made.name, actor=world.actor("admin", "admin"))
    assert done.well


def test_retention_keeps_the_newest_of_each_day_week_and_month() -> None:
    night = datetime(2026, 11, 20, 18, tzinfo=UTC)  # 02:00 in Singapore
    found = [Kept(name_of(night - timedelta(days=n)), night - timedelta(days=n), 1, False) for n in range(400)]
    kept = to_keep(found, daily=7, weekly=5, monthly=12, now=night)
    assert {name_of(night - timedelta(days=n)) for n in range(7)} <= kept
    assert name_of(datetime(2026, 10, 30, 18, tzinfo=UTC)) in kept, "the last of October, in Singapore"
    months = {name[4:10] for name in kept}
    assert len(kept) <= 7 + 5 + 12 and months == {f"2025{12:02d}"} | {f"2026{month:02d}" for month in range(1, 12)}


def test_a_backup_made_before_a_restore_takes_no_other_ones_place() -> None:
    """Data were damaged at ten, the backup of two o'clock is restored at eleven, and one is made by hand at noon."""
    night = datetime(2026, 11, 20, 18, tzinfo=UTC)
    found = [Kept(name_of(night - timedelta(days=n)), night - timedelta(days=n), 1, False) for n in range(3)]
    damaged = Kept("damaged", night + timedelta(hours=9), 1, True)
    by_hand = Kept("by hand", night + timedelta(hours=10), 1, False)
    every = [*found, damaged, by_hand]

    def kept(hours: float) -> set[str]:
        return to_keep(every, daily=2, weekly=0, monthly=0, now=night + timedelta(hours=hours))

    assert kept(10) == {"by hand", "damaged", found[0].name, found[1].name}
    assert kept(40) == {"by hand", "damaged", found[1].name}, "the newest of two days, and what a restore replaced"
    assert kept(24 * 40) == {"by hand", found[1].name}


def test_health_tells_an_old_backup_and_the_doctor_a_corrupt_one(ours: Restorable, tmp_path: Path) -> None:
    settings = ours.world.workplace.settings
    assert last_backup(settings).state is State.OK, "a local installation need not have one"
    staging = settings.model_copy(update={"environment": "staging"})
    assert "ever made" in last_backup(staging).sentence
    name = backup(ours)
    assert last_backup(settings).fine and newest_file(settings).fine
    assert "tried" in last_backup(staging).sentence
    notes = ours.world.workplace.home / "backup.json"
    told = json.loads(notes.read_text())
    told["backup"]["at"] = (datetime.now(UTC) - timedelta(hours=50)).isoformat()
    notes.write_text(json.dumps(told))
    assert "50 hours old" in last_backup(settings).sentence
    with (tmp_path / "backups" / name).open("r+b") as file:
        file.seek(5000)
        file.write(b"\0" * 8)
    found = newest_file(settings)
    assert found.state is State.WARNING and found.runbook == "backup" and name in found.sentence
    shutil.rmtree(tmp_path / "backups")
    assert newest_file(settings).fine
