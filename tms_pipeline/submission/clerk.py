"""The clerk: writes together what the threads of a worker bring, so that one commit serves many submissions.

A group is one transaction. Where a group fails, each of it is written alone: one poison harms nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tms_pipeline.store.database import Connection, Database


@dataclass
class Errand:
    """Something to be written, and what came of it."""

    what: Any
    result: Any = None
    error: BaseException | None = None


Write = Callable[[Connection, Sequence[Errand]], None]


class Clerk:
    """Writes groups. ``write`` sets each errand's result, or its error, and commits."""

    def __init__(self, database: Database, write: Write) -> None:
        """Nothing is written before ``do``."""
        self._db, self._write = database, write

    def do(self, group: Sequence[Errand]) -> None:
        """Write them in one transaction; each then has its result or its error."""
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
                self.do([errand])
        except BaseException as error:
            _all_fail(group, error)


def _all_fail(group: Sequence[Errand], error: BaseException) -> None:
    for errand in group:
        errand.error = error


def _rolled_back(error: psycopg.OperationalError) -> bool:
    """Whether the server itself said that the transaction failed: then surely nothing of it was committed."""
    return error.sqlstate is not None and error.sqlstate[:2] in ("40", "53", "55")
