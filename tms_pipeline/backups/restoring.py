"""Restoring: verify, keep what is there, bring the backup up beside it, make it safe, and only then change places."""

from __future__ import annotations

import contextlib
import shutil
import threading
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
from tms_pipeline.backups.scratch import REPLACED, Opened, alone, at, bring_up, maintenance, opened, scratch
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.watching import RESTORING
from tms_pipeline.intake.service import INTAKE_LOCK
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Database
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import FRESH_SECONDS, set_switch
from tms_pipeline.submission.lease import rescue
from tms_pipeline.submission.worker import pace_of
from tms_pipeline.workplace import Workplace

Tell = Callable[[str], None]
# A call and a lease are given this much more than they may take.
_SPARE = 1.25
# So long an intake in hand is waited for; the largest files take minutes.
_INTAKE_MINUTES = 15
# Each waits for five seconds.
_ATTEMPTS = 6


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
    data_keys_closed: int
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
    closed_too: bool = False,
    confirm: Callable[[dict[str, Any]], bool] = lambda _: True,
    tell: Tell = lambda _: None,
) -> Restored | None:
    """Restore a backup; None when ``confirm``, which is shown its facts after it was verified, says no.

    ``closed_too``: also a backup whose sealed values nobody can open any more. Until the last step nothing of the
    installation is changed but the kill switch. Raises BackupError, also when another restore is under way, or when
    calls or intakes in hand do not end.
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
        with alone(workplace), still(workplace, actor, tell) as (stopped_before, held):
            before = None
            if backup_first and not _empty(workplace):
                tell("backing up what is there now")
                before = make(workplace, actor=actor, before_restore=True).name
                done("backup before")
            # Who opens an upload waits, with its file still in the inbox, until its connection is cut. From here on
            # nothing is written to our database, so that nobody who waits holds up what we wait for.
            held.execute("LOCK TABLE intake.upload IN SHARE ROW EXCLUSIVE MODE")
            with workplace.whole_db.transaction() as connection:
                end = end_of_log(connection)
                numbers = connection.execute(query("backups/numbers")).fetchall()
            with scratch(workplace, "restoring") as url:
                tell("restoring beside it")
                counts, closed = bring_up(workplace, backup, url, closed_too=closed_too)
                done("restore")
                moved = _finish(workplace, backup, url, actor, end, stopped_before, numbers)
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
        name, backup.facts["made_at"], sum(counts.values()), before, moved, aside, back, unknown, stays, closed,
        round(time.monotonic() - began, 2), steps,
    )  # fmt: skip


@contextlib.contextmanager
def still(
    workplace: Workplace, actor: Actor, tell: Tell
) -> Iterator[tuple[dict[str, Any] | None, psycopg.Connection[Any]]]:
    """Nobody calls SSG and no file is taken in; yields the kill switch as a person had set it, and the connection that
    keeps intakes out.

    Ended as it was on a failure. Raises BackupError when calls or intakes in hand do not end.
    """
    with workplace.whole_db.transaction() as connection:
        stopped = switch_of(connection)
    if stopped is not None and stopped["reason"] == RESTORING:
        stopped = None  # a restore that was killed left it on
    if stopped is None:
        set_switch(workplace, stopped=True, reason=RESTORING, actor=actor)
    held = psycopg.connect(plain(workplace.whole_db.url))
    try:
        tell("waiting for calls and intakes in hand")
        _end_of_intakes(held)
        _end_of_calls(workplace)
        yield stopped, held
    except BaseException:
        held.close()  # who waits for it goes on, and may hold what the switch needs
        if stopped is None:
            with contextlib.suppress(Exception):  # the first failure is the one to tell
                set_switch(workplace, stopped=False, reason="the restore did not happen", actor=actor)
        raise
    finally:
        held.close()


def _end_of_intakes(held: psycopg.Connection[Any]) -> None:
    """Wait for the intake in hand, and let none begin."""
    try:
        held.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{_INTAKE_MINUTES}min")))
        held.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
    except psycopg.errors.LockNotAvailable:
        raise BackupError(
            f"A file is being taken in for more than {_INTAKE_MINUTES} minutes; stop it and try again. Nothing was "
            "changed."
        ) from None


def _end_of_calls(workplace: Workplace) -> None:
    """Wait until no call is in hand: what a call did is written down before its database goes."""
    settings = workplace.settings
    # Whoever asked a moment before the switch may begin without asking again.
    time.sleep(2 * FRESH_SECONDS)
    # A call ends with its timeout, the slowest with twice of it, and the lease of a dead worker by itself.
    end = time.monotonic() + _SPARE * max(settings.lease_seconds, 3 * settings.ssg_timeout_seconds)
    while True:
        rescue(workplace, pace_of(settings))
        busy = workplace.whole_db.value(query("backups/calls_in_hand"))
        if not busy:
            return
        if time.monotonic() > end:
            raise BackupError(
                f"{busy} submissions are still in the hands of a worker; stop the workers ('tms down', or their "
                "services) and try again. Nothing was changed."
            )
        time.sleep(0.2)


def _empty(workplace: Workplace) -> bool:
    """Whether there is nothing to keep: a machine that was set up for this restore."""
    return not workplace.whole_db.value(
        "SELECT EXISTS (SELECT FROM intake.upload) OR EXISTS (SELECT FROM outbox.submission) "
        "OR EXISTS (SELECT FROM mirror.read)"
    )


def _finish(
    workplace: Workplace, backup: Opened, url: URL, actor: Actor, end: str, stopped: dict[str, Any] | None,
    numbers: list[tuple[Any, ...]],
) -> dict[str, int]:
    with Database(url, max_size=2) as db, db.transaction() as connection:
        moved = make_safe(connection, workplace, datetime.fromisoformat(backup.facts["made_at"]))
        # A worker that was cut off and comes back must not find another submission under a number of its own.
        for schema, name, last in numbers:
            connection.execute(query("backups/number_on"), {"schema": schema, "name": name, "last": last})
        connection.execute(
            "INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES ('ssg', true, %s, %s) ON CONFLICT (name) "
            "DO UPDATE SET stopped = true, reason = excluded.reason, set_by = excluded.set_by, set_at = now()",
            ((stopped or {}).get("reason", RESTORING), (stopped or {}).get("set_by", actor.name)),
        )
        append(connection, workplace.rings.audit.key, actor, "backup restored", "backup", backup.name,
               made_at=backup.facts["made_at"], replaced_log_ended=end, **moved)  # fmt: skip
    with contextlib.closing(psycopg.connect(plain(url), autocommit=True)) as connection:
        connection.execute("ANALYZE")
    return moved


def _change_places(workplace: Workplace, url: URL) -> None:
    """The scratch database takes our name, in one transaction; ours goes. Whoever is connected is sent away and
    connects anew."""
    ours, old = str(workplace.whole_db.url.database), f"{workplace.whole_db.url.database}{REPLACED}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with maintenance(url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
        with _sent_away(url, ours, str(url.database)):
            for attempt in range(_ATTEMPTS):
                try:
                    # The first rename keeps everybody out until the end of the transaction, and waits for who is in.
                    with connection.transaction():
                        connection.execute(rename.format(sql.Identifier(ours), sql.Identifier(old)))
                        connection.execute(
                            rename.format(sql.Identifier(str(url.database)), sql.Identifier(ours))
                        )
                    break
                except psycopg.errors.ObjectInUse:
                    if attempt == _ATTEMPTS - 1:
                        raise BackupError(
                            "Somebody holds our database open and cannot be sent away; stop everything and try again."
                        ) from None
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))


@contextlib.contextmanager
def _sent_away(url: URL, *databases: str) -> Iterator[None]:
    """Whoever is connected to these databases loses the connection, again and again, as workers come back at once."""
    over = threading.Event()

    def send_away() -> None:
        with contextlib.suppress(psycopg.Error), maintenance(url) as connection:
            while not over.is_set():
                connection.execute(query("backups/send_away"), {"databases": list(databases)})
                over.wait(0.1)

    thread = threading.Thread(target=send_away, name="restore-send-away", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


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
