"""A small provider whose database is backed up and put back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from submission_world import World, attendance, enrolment, fee, run, session, trainee

from tms_pipeline.backups.making import make
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.restoring import Restored, restore
from tms_pipeline.backups.watching import last_restore
from tms_pipeline.health.check import Check
from tms_pipeline.health.site import site
from tms_pipeline.store.database import Database
from tms_pipeline.workplace import Workplace


class Restorable:
    """A world with backups of its own, whose database can be replaced under it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.place = Place(str(folder / "backups"))

    def restore(self, name: str, **options: object) -> Restored:
        old = self.world.workplace
        done = restore(old, self.place, name, actor=self.world.actor("admin", "admin"), **options)  # type: ignore[arg-type]
        assert done is not None
        self.reconnect()
        return done

    def reconnect(self) -> None:
        old = self.world.workplace
        old.db.close()
        self.world.workplace = Workplace(
            old.settings, Database(old.db.url, max_size=8).open(), old.rings, old.dagster_url
        )


def backup(ours: Restorable) -> str:
    return make(ours.world.workplace, actor=ours.world.actor("admin", "admin")).name


def live(ours: Restorable) -> dict[str, Counter[str]]:
    """What SSG holds and has not taken away, by what makes each record the one that it is."""
    state = ours.world.ssg("GET", "state")

    def held(kind: str) -> list[dict[str, object]]:
        return ours.world.held(kind, state=state)

    return {
        "trainers": Counter(str(one["idNumber"]) for one in held("trainers")),
        "runs": Counter(f"{one['start']} {one.get('room', '')}" for one in held("runs")),
        "sessions": Counter(f"{one['runId']} {one['startDate']} {one['startTime']}" for one in held("sessions")),
        "enrolments": Counter(f"{one['runId']} {one['traineeId']}" for one in held("enrolments")),
        "attendance": Counter(f"{one['sessionId']} {one['traineeId']}" for one in held("attendance")),
        "assessments": Counter(f"{one['runId']} {one['traineeId']}" for one in held("assessments")),
    }


def settle(ours: Restorable) -> None:
    """Nights, until nothing waits any more."""
    for _ in range(6):
        ours.world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state IN ('unknown', 'retry')")
        ours.world.pull()
        outcomes = ours.world.submit(patience=0.4).outcomes
        if not outcomes and not set(ours.world.states()) - {"accepted", "superseded"}:
            return


def later_files(ours: Restorable) -> None:
    """What ops dropped after the backup, and drop again after the restore."""
    world = ours.world
    world.upload("course_run", run("D", "2026-12-14", "2026-12-15"))
    world.upload("session", session("D", 1, "2026-12-14"), session("D", 2, "2026-12-15"))
    world.upload("trainee", trainee("T3", email="new@example.test"))
    world.upload("enrolment", enrolment("D", "T1"), enrolment("D", "T3"), enrolment("B", "T2"))
    world.upload("fee", fee("D", "T1"))
    world.upload("attendance", attendance("A", 2, "T2"))


def doctors_word(ours: Restorable) -> Check:
    with site(ours.world.workplace.settings, start=False) as found:
        return last_restore(found)


def beside(work: Callable[[], None]) -> tuple[threading.Thread, Callable[[], None]]:
    """A thread for the work, and what begins it and gives it time enough, if nobody holds it up."""
    thread = threading.Thread(target=work, daemon=True)

    def begin() -> None:
        thread.start()
        thread.join(1)

    return thread, begin
