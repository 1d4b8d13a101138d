"""Standstill: nobody calls SSG and no file is taken in while a database is replaced; the kill switch says why.

Only what a restore stopped by itself is it allowed to lift: a stop that a person set stays, also when it was set while
the restore ran.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups.making import lasting
from tms_pipeline.backups.scratch import at
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.watching import KEPT_STOPPED, RECOVERING, RESTORING, UNFINISHED
from tms_pipeline.identity.versions import WRAPPING_LOCK
from tms_pipeline.intake.service import INTAKE_LOCK
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import FRESH_SECONDS, KILL_SWITCH
from tms_pipeline.submission.lease import rescue
from tms_pipeline.submission.worker import pace_of
from tms_pipeline.workplace import Workplace

Tell = Callable[[str], None]
Stop = dict[str, str]
# A call and a lease are given this much more than they may take.
_SPARE = 1.25
# So long an intake in hand is waited for; the largest files take minutes.
_INTAKE_MINUTES = 15
# Between our own word and the reason of a person, which comes back at the end.
_BEFORE = "; before: "


@contextlib.contextmanager
def still(workplace: Workplace, actor: Actor, tell: Tell, *, why: str = RESTORING) -> Iterator[psycopg.Connection[Any]]:
    """Nobody calls SSG and no file is taken in; yields the connection that keeps intakes out.

    On a failure calls go on as before, unless the database is not safe: one that was recovered, or that was replaced
    already. Raises BackupError when calls or intakes in hand do not end.
    """
    held = lasting(workplace.whole_db.url)
    try:
        _stop(workplace, actor, why)
        tell("waiting for calls and intakes in hand")
        _end_of_intakes(held)
        _end_of_calls(workplace)
        yield held
    except BaseException:
        held.close()  # who waits for it goes on, and may hold what the switch needs
        if why == RESTORING:
            try:  # with a connection of its own: those of the pool may have been cut off
                with Database(workplace.whole_db.url, max_size=1) as db:
                    go_on(at(workplace, db), actor, was=RESTORING, reason="the restore did not happen")
            except Exception:  # the first failure is the one to raise
                tell("calls to SSG are still stopped: see 'tms doctor'")
        raise
    finally:
        held.close()


def go_on(workplace: Workplace, actor: Actor, *, was: str, reason: str, keep_stopped: bool = False) -> bool:
    """End the stop that we set for the reason ``was``; returns whether calls stay stopped.

    They do where a person stopped them, before or meanwhile, and with ``keep_stopped``.
    """
    with workplace.whole_db.transaction() as connection:
        stopped = _switch(connection)
        if stopped is None or not stopped["reason"].startswith(was):
            return stopped is not None
        theirs = of_person(stopped)
        if theirs is not None:
            _set(connection, stopped=True, **theirs)
            return True
        _set(connection, stopped=keep_stopped, reason=KEPT_STOPPED if keep_stopped else reason, set_by=actor.name)
        append(connection, workplace.rings.audit.key, actor, "calls stopped" if keep_stopped else "calls allowed",
               "switch", KILL_SWITCH, reason=KEPT_STOPPED if keep_stopped else reason)  # fmt: skip
    return keep_stopped


def last_word(held: psycopg.Connection[Any]) -> Stop | None:
    """The stop that a person set until now, which the restored database is to have too; the switch is held from here
    on, so that nobody's stop is lost with the database. Raises BackupError when somebody allowed calls meanwhile."""
    stopped = _switch(held)
    if stopped is None:
        raise BackupError(
            "Somebody allowed calls to SSG while the restore ran, so it gave up; nothing was changed. Try again."
        )
    return of_person(stopped)


def unfinished(theirs: Stop | None) -> str:
    """The reason of the switch in a restored database whose files are not back yet; a person's is kept in it."""
    return UNFINISHED if theirs is None else f"{UNFINISHED}{_BEFORE}{theirs['reason']}"


def of_person(stopped: Stop | None) -> Stop | None:
    """The stop that a person set, also where our own word stands before it. Pure."""
    if stopped is None or stopped["reason"] in (RESTORING, RECOVERING):
        return None
    if not stopped["reason"].startswith(UNFINISHED):
        return stopped
    _, told, reason = stopped["reason"].partition(_BEFORE)
    return {**stopped, "reason": reason} if told else None


def no_more_writers(held: psycopg.Connection[Any]) -> None:
    """From here on nobody opens an upload, makes, wraps or shreds a data key, or retires a key, until the database is
    replaced: it would be lost with it. Raises BackupError."""
    try:
        # In the order in which others take them.
        held.execute("SELECT pg_advisory_xact_lock(%s)", (WRAPPING_LOCK,))
        held.execute("LOCK TABLE identity.data_key IN SHARE ROW EXCLUSIVE MODE")
        held.execute("LOCK TABLE intake.upload IN SHARE ROW EXCLUSIVE MODE")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise BackupError(
            "Somebody rotates keys or destroys what is due just now; wait for it and try again. Nothing was changed."
        ) from None


def _stop(workplace: Workplace, actor: Actor, why: str) -> None:
    with workplace.whole_db.transaction() as connection:
        stopped = _switch(connection)
        # What a person or an unfinished restore stopped stays as it is; a killed one's is ours.
        if stopped is None or (stopped["reason"] == RESTORING and why != RESTORING):
            _set(connection, stopped=True, reason=why, set_by=actor.name)
            append(connection, workplace.rings.audit.key, actor, "calls stopped", "switch", KILL_SWITCH, reason=why)


def _switch(connection: Connection) -> Stop | None:
    row = connection.execute(query("backups/switch"), {"switch": KILL_SWITCH}).fetchone()
    return {"reason": str(row[1]), "set_by": str(row[2])} if row and row[0] else None


def _set(connection: Connection, *, stopped: bool, reason: str, set_by: str) -> None:
    connection.execute(query("backups/switch_set"), {
        "switch": KILL_SWITCH, "stopped": stopped, "reason": reason, "set_by": set_by,
    })  # fmt: skip


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
