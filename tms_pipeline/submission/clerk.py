"""The clerk: writes for all threads of a worker together, so that one commit serves many submissions.

Whoever comes first writes; what arrives meanwhile waits and goes with the next one, without a thread or a timer of its
own. A group is one transaction. Where a group fails, each of it is written alone: one poison harms nobody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tms_pipeline.store.database import Connection, Database

# So many are written in one transaction: enough for one commit to serve every thread, few enough to repeat alone.
MOST = 32


@dataclass
class Errand:
    """Something to be written, and what came of it."""

    what: Any
    result: Any = None
    error: BaseException | None = None


@dataclass
class _Visit:
    """What one thread wants to be written now, in this order."""

    errands: Sequence[Errand]
    done: bool = False
    turn: Any = field(default_factory=threading.Lock, repr=False)


Write = Callable[[Connection, Sequence[Errand]], None]


class Clerk:
    """Groups what many threads want to write. ``write`` sets each errand's result, or its error, and commits."""

    def __init__(self, database: Database, write: Write) -> None:
        """Nothing is written before ``do``."""
        self._db, self._write = database, write
        self._mutex = threading.Lock()
        self._waiting: list[_Visit] = []
        self._busy = False

    def do(self, *errands: Errand) -> None:
        """Write them, together with what others want to write now; each then has its result or its error."""
        visit = _Visit(errands)
        visit.turn.acquire()
        with self._mutex:
            self._waiting.append(visit)
            leading, self._busy = not self._busy, True
        if not leading:
            visit.turn.acquire()
        if not visit.done:
            self._lead(visit)

    def _lead(self, mine: _Visit) -> None:
        with self._mutex:
            visits, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._together([errand for visit in visits for errand in visit.errands])
        finally:
            for visit in visits:
                visit.done = True
            with self._mutex:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            # Who follows first, so that Postgres has work while the others wake up.
            for waiting in (following, *visits):
                if waiting is not None and waiting is not mine:
                    waiting.turn.release()

    def _together(self, group: list[Errand]) -> None:
        try:
            with self._db.transaction() as connection:
                self._write(connection, group)
        except Exception as error:
            # A lost connection may have lost the answer to a commit only: then nobody knows, and nothing is repeated.
            lost = isinstance(error, psycopg.OperationalError) and not _rolled_back(error)
            if len(group) == 1 or lost:
                _all_fail(group, error)
                return
            for errand in group:
                errand.result = errand.error = None
                self._together([errand])
        except BaseException as error:
            _all_fail(group, error)


def _all_fail(group: list[Errand], error: BaseException) -> None:
    for errand in group:
        errand.error = error


def _rolled_back(error: psycopg.OperationalError) -> bool:
    """Whether the server itself said that the transaction failed: then surely nothing of it was committed."""
    return error.sqlstate is not None and error.sqlstate[:2] in ("40", "53", "55")
