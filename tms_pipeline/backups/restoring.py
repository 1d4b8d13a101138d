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

from tms_pipeline.audit.anchors import file_of
from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups import notes
from tms_pipeline.backups.after import common_end, cut_anchors, end_of_log, make_safe
from tms_pipeline.backups.making import FOLDERS, make
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.scratch import OF_RESTORE, REPLACED, Opened, alone, at, bring_up, maintenance, opened, scratch
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.standstill import Stop, Tell, go_on, last_word, no_more_writers, still, unfinished
from tms_pipeline.backups.watching import UNFINISHED
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Database, DatabaseError, conninfo
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import KILL_SWITCH
from tms_pipeline.workplace import Workplace

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
    originals_missing: int
    calls_stopped: bool
    data_keys_closed: int
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)
    replaced_left: str = ""


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
        with alone(workplace):
            with still(workplace, actor, tell) as held:
                before = None
                if backup_first and not _empty(workplace):
                    tell("backing up what is there now")
                    before = _backup_before(workplace, actor)
                    done("backup before")
                # Who opens an upload waits, with its file still in the inbox, until its connection is cut. From here on
                # nothing is written to our database, so that nobody who waits holds up what we wait for.
                no_more_writers(held)
                workplace.rings.data.refresh()  # it may have been rotated while a person was asked
                with workplace.whole_db.transaction() as connection:
                    end = end_of_log(connection)
                    numbers = connection.execute(query("backups/numbers")).fetchall()
                with scratch(workplace, "restoring") as url:
                    tell("restoring beside it")
                    counts, closed = bring_up(workplace, backup, url, closed_too=closed_too)
                    done("restore")
                    tell("making it safe")
                    last = _common_end(workplace, url)
                    theirs = last_word(held)
                    moved = _finish(workplace, backup, url, actor, end, theirs, numbers)
                    left = _change_places(workplace, url)
                    done("change places")
            workplace.whole_db.close()
            with _in_place(name):
                of_backup = backup.folder / file_of(workplace.home).relative_to(workplace.home)
                aside = cut_anchors(workplace, last, f"{datetime.now(UTC):%Y%m%d%H%M%S}", of_backup)
                back, unknown, missing = _files(workplace, place, backup)
                with Database(workplace.whole_db.url, max_size=4) as db:
                    stays = go_on(at(workplace, db), actor, was=UNFINISHED, reason="a backup was restored",
                                  keep_stopped=keep_stopped)  # fmt: skip
    done("files")
    notes.write(
        workplace.home, "restore", {"name": name, "at": datetime.now(UTC).isoformat(), "before": before, "moved": moved}
    )
    return Restored(
        name, backup.facts["made_at"], sum(counts.values()), before, moved, aside, back, unknown, missing,
        stays, closed,
        round(time.monotonic() - began, 2), steps, left,
    )  # fmt: skip


@contextlib.contextmanager
def _in_place(name: str) -> Iterator[None]:
    """What fails once the database was replaced is told as that."""
    try:
        yield
    except Exception as error:
        known = isinstance(error, BackupError | DatabaseError)
        why = str(error) if known else f"The cause: {getattr(error, 'strerror', '') or type(error).__name__}."
        raise BackupError(
            f"{name} has taken the place of the database, but its files are not back yet, and calls to SSG stay "
            f"stopped until they are. {why} Then run the same 'tms restore' again."
        ) from None


def _backup_before(workplace: Workplace, actor: Actor) -> str:
    try:
        return make(workplace, actor=actor, before_restore=True).name
    except BackupError as error:
        raise BackupError(
            f"What is there now could not be backed up, so nothing was replaced. {error} TMS_BACKUP_URL may name "
            "another place for it; a database too damaged to be dumped is to be dropped and made anew, empty, by hand."
        ) from None


def _empty(workplace: Workplace) -> bool:
    """Whether there is nothing to keep: a machine that was set up for this restore."""
    return not workplace.whole_db.value(
        "SELECT EXISTS (SELECT FROM intake.upload) OR EXISTS (SELECT FROM outbox.submission) "
        "OR EXISTS (SELECT FROM mirror.read)"
    )


def _common_end(workplace: Workplace, url: URL) -> int:
    with workplace.whole_db.transaction() as ours, Database(url, max_size=1) as db, db.transaction() as restored:
        return common_end(ours, restored)


def _finish(
    workplace: Workplace, backup: Opened, url: URL, actor: Actor, end: str, theirs: Stop | None,
    numbers: list[tuple[Any, ...]],
) -> dict[str, int]:
    with Database(url, max_size=2) as db, db.transaction() as connection:
        moved = make_safe(connection, workplace, datetime.fromisoformat(backup.facts["made_at"]))
        # A worker that was cut off and comes back must not find another submission under a number of its own.
        for schema, name, last in numbers:
            connection.execute(query("backups/number_on"), {"schema": schema, "name": name, "last": last})
        connection.execute(query("backups/switch_set"), {
            "switch": KILL_SWITCH, "stopped": True, "reason": unfinished(theirs),
            "set_by": theirs["set_by"] if theirs else actor.name,
        })  # fmt: skip
        append(connection, workplace.rings.audit.key, actor, "backup restored", "backup", backup.name,
               made_at=backup.facts["made_at"], replaced_log_ended=end, **moved)  # fmt: skip
    with contextlib.closing(psycopg.connect(conninfo(url), autocommit=True)) as connection:
        connection.execute("ANALYZE")
    return moved


def _change_places(workplace: Workplace, url: URL) -> str:
    """The scratch database takes our name, in one transaction; ours goes. Whoever is connected is sent away and
    connects anew. Returns the name under which ours is still there, if it could not be dropped."""
    ours, old = str(workplace.whole_db.url.database), f"{workplace.whole_db.url.database}{REPLACED}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with maintenance(url) as connection, _sent_away(url, ours, str(url.database)):
        for attempt in range(_ATTEMPTS):
            try:
                # The first rename keeps everybody out until the end of the transaction, and waits for who is in.
                with connection.transaction():
                    connection.execute(rename.format(sql.Identifier(ours), sql.Identifier(old)))
                    connection.execute(rename.format(sql.Identifier(str(url.database)), sql.Identifier(ours)))
                    connection.execute(
                        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(old), sql.Literal(OF_RESTORE))
                    )
                break
            except psycopg.errors.DuplicateDatabase:
                raise BackupError(
                    f"There is a database {old} that no restore left there; rename or drop it, then try again. Nothing "
                    "was changed."
                ) from None
            except psycopg.errors.ObjectInUse:
                if attempt == _ATTEMPTS - 1:
                    raise BackupError(
                        "Somebody holds our database open and cannot be sent away; stop everything and try again."
                    ) from None
    try:
        with maintenance(url) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(old)))
    except psycopg.Error:
        return old  # all else is done: it is told, and dropped by the next one
    return ""


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


def _files(workplace: Workplace, place: Place, backup: Opened) -> tuple[int, int, int]:
    """Bring back what is missing of the folders and originals; returns originals brought back, those that the restored
    database does not know (files that were taken in after the backup), and those that are nowhere."""
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
    back = missing = 0
    for sha256 in sorted(wanted):
        name = f"{sha256[:2]}/{sha256}.sealed"
        path = archive / name
        if not path.exists() and name in there:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with place.open(f"archive/{name}") as kept, _private(path) as own:
                shutil.copyfileobj(kept, own)
            back += 1
        missing += not path.exists()
    unknown = sum(1 for path in archive.rglob("*.sealed") if path.stem not in wanted)
    return back, unknown, missing


@contextlib.contextmanager
def _private(path: Path) -> Iterator[Any]:
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        fresh.chmod(0o600)
        yield file
    fresh.rename(path)
