"""Restoring: verify, keep what is there, bring the backup up beside it, make it safe, and only then change places."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups import notes
from tms_pipeline.backups.after import cut_anchors, end_of_log, make_safe, switch_of
from tms_pipeline.backups.making import FOLDERS, make, plain
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.scratch import Opened, at, bring_up, maintenance, opened, scratch
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.intake.service import INTAKE_LOCK
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Database
from tms_pipeline.submission.gate import set_switch
from tms_pipeline.workplace import Workplace

Tell = Callable[[str], None]
REASON = "a backup is being restored"
_CALLS_SECONDS = 90.0


@dataclass
class Restored:
    """What a restore did."""

    name: str
    made_at: str
    rows: int
    before: str | None
    moved: dict[str, int]
    anchors_set_aside: int
    originals_back: int
    originals_unknown: int
    calls_stopped: bool
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)


@needs("restore")
def restore(
    workplace: Workplace,
    place: Place,
    name: str,
    *,
    actor: Actor,
    keep_stopped: bool = False,
    backup_first: bool = True,
    confirm: Callable[[dict[str, Any]], bool] = lambda _: True,
    tell: Tell = lambda _: None,
) -> Restored | None:
    """Restore a backup; None when ``confirm``, which is shown its facts after it was verified, says no.

    Until the last step nothing of the installation is changed but the kill switch. Raises BackupError.
    """
    began = time.monotonic()
    steps: dict[str, float] = {}

    def done(step: str) -> None:
        steps[step] = round(time.monotonic() - began - sum(steps.values()), 2)

    tell("verifying the backup")
    with opened(workplace, place, name) as backup:
        done("verify")
        if not confirm(backup.facts):
            return None
        with _still(workplace, actor, tell) as stopped_before:
            before = None
            if backup_first and not _empty(workplace):
                tell("backing up what is there now")
                before = make(workplace, actor=actor, before_restore=True).name
                done("backup before")
            with workplace.whole_db.transaction() as connection:
                end = end_of_log(connection)
            with scratch(workplace, "restoring") as url:
                tell("restoring beside it")
                counts = bring_up(workplace, backup, url)
                done("restore")
                moved = _finish(workplace, backup, url, actor, end, stopped_before)
                _change_places(workplace, url)
                done("change places")
        workplace.whole_db.close()
        aside = cut_anchors(workplace, backup.anchor.seq if backup.anchor else 0, f"{datetime.now(UTC):%Y%m%d%H%M%S}")
        back, unknown = _files(workplace, place, backup)
    with Database(workplace.whole_db.url, max_size=4) as db:
        fresh = at(workplace, db)
        stays = keep_stopped or stopped_before is not None
        if not stays:
            set_switch(fresh, stopped=False, reason="a backup was restored", actor=actor)
    done("files")
    notes.write(
        workplace.home, "restore", {"name": name, "at": datetime.now(UTC).isoformat(), "before": before, "moved": moved}
    )
    return Restored(
        name, backup.facts["made_at"], sum(counts.values()), before, moved, aside, back, unknown, stays,
        round(time.monotonic() - began, 2), steps,
    )  # fmt: skip


@contextlib.contextmanager
def _still(workplace: Workplace, actor: Actor, tell: Tell) -> Iterator[dict[str, Any] | None]:
    """Nobody calls SSG and no file is taken in; yields the kill switch as it stood. Ended as it was on a failure."""
    with workplace.whole_db.transaction() as connection:
        stopped = switch_of(connection)
    if stopped is None:
        set_switch(workplace, stopped=True, reason=REASON, actor=actor)
    held = psycopg.connect(plain(workplace.whole_db.url), autocommit=True)
    try:
        tell("waiting for calls and intakes in hand")
        held.execute("SELECT pg_advisory_lock(%s)", (INTAKE_LOCK,))
        end = time.monotonic() + _CALLS_SECONDS
        while time.monotonic() < end:
            busy = held.execute(
                "SELECT EXISTS (SELECT FROM outbox.submission WHERE state = 'sending' AND lease_until > now())"
            ).fetchone()
            if busy == (False,):
                break
            time.sleep(0.2)
        yield stopped
    except BaseException:
        if stopped is None:
            with contextlib.suppress(Exception):  # the first failure is the one to tell
                set_switch(workplace, stopped=False, reason="the restore did not happen", actor=actor)
        raise
    finally:
        held.close()


def _empty(workplace: Workplace) -> bool:
    """Whether there is nothing to keep: a machine that was set up for this restore."""
    return not workplace.whole_db.value(
        "SELECT EXISTS (SELECT FROM intake.upload) OR EXISTS (SELECT FROM outbox.submission) "
        "OR EXISTS (SELECT FROM mirror.read)"
    )


def _finish(
    workplace: Workplace, backup: Opened, url: URL, actor: Actor, end: str, stopped: dict[str, Any] | None
) -> dict[str, int]:
    with Database(url, max_size=2) as db, db.transaction() as connection:
        moved = make_safe(connection, workplace, datetime.fromisoformat(backup.facts["made_at"]))
        connection.execute(
            "INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES ('ssg', true, %s, %s) ON CONFLICT (name) "
            "DO UPDATE SET stopped = true, reason = excluded.reason, set_by = excluded.set_by, set_at = now()",
            ((stopped or {}).get("reason", REASON), (stopped or {}).get("set_by", actor.name)),
        )
        append(connection, workplace.rings.audit.key, actor, "backup restored", "backup", backup.name,
               made_at=backup.facts["made_at"], replaced_log_ended=end, **moved)  # fmt: skip
    with contextlib.closing(psycopg.connect(plain(url), autocommit=True)) as connection:
        connection.execute("ANALYZE")
    return moved


def _change_places(workplace: Workplace, url: URL) -> None:
    """The scratch database takes our name; ours goes. Whoever is connected is sent away and connects anew."""
    ours, old = str(workplace.whole_db.url.database), f"{workplace.whole_db.url.database}_replaced"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s) AND pid <> pg_backend_pid()"
    with maintenance(url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(ours)))
        try:
            for attempt in range(50):
                connection.execute(ends, ([ours, str(url.database)],))
                try:
                    connection.execute(rename.format(sql.Identifier(ours), sql.Identifier(old)))
                    break
                except psycopg.errors.ObjectInUse:
                    if attempt == 49:
                        raise BackupError(
                            "Somebody holds our database open and cannot be sent away; stop everything and try again."
                        ) from None
                    time.sleep(0.1)
        except BaseException:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(ours)))
            raise
        try:
            connection.execute(rename.format(sql.Identifier(str(url.database)), sql.Identifier(ours)))
        except BaseException:
            connection.execute(rename.format(sql.Identifier(old), sql.Identifier(ours)))
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(ours)))
            raise
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))


def _files(workplace: Workplace, place: Place, backup: Opened) -> tuple[int, int]:
    """Bring back what is missing of the folders and originals; returns originals brought back, and those that the
    restored database does not know: files that were taken in after the backup."""
    for folder in FOLDERS:
        for source in sorted((backup.folder / folder).rglob("*")):
            target = workplace.home / source.relative_to(backup.folder)
            if source.is_file() and not target.exists():
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                target.chmod(0o600)
    there = place.names("archive")
    with Database(workplace.whole_db.url, max_size=1) as db:
        wanted = {row[0] for row in db.rows("SELECT sha256 FROM intake.upload WHERE archive_name IS NOT NULL")}
    archive = workplace.folder("archive")
    back = 0
    for sha256 in sorted(wanted):
        name = f"{sha256[:2]}/{sha256}.sealed"
        path = archive / name
        if not path.exists() and name in there:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with place.open(f"archive/{name}") as kept, _private(path) as own:
                shutil.copyfileobj(kept, own)
            back += 1
    unknown = sum(1 for path in archive.rglob("*.sealed") if path.stem not in wanted)
    return back, unknown


@contextlib.contextmanager
def _private(path: Path) -> Iterator[Any]:
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        fresh.chmod(0o600)
        yield file
    fresh.rename(path)
