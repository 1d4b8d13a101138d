"""The journal: one log line for each thing that happened, written once the transaction that did it is committed.

Lines carry ids and counts: the upload's id from the file to SSG's reference, the correlation id of each step.
"""

from __future__ import annotations

import logging
from typing import Any
from weakref import WeakKeyDictionary

LOGGER = logging.getLogger("tms.journal")
LOGGER.propagate = False

Lines = list[tuple[int, str, dict[str, Any]]]
_waiting: WeakKeyDictionary[Any, Lines] = WeakKeyDictionary()


def note(connection: Any, event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Keep a line for when the connection's transaction is committed. ``fields`` hold no personal value."""
    if LOGGER.isEnabledFor(level):
        _waiting.setdefault(connection, []).append((level, event, fields))


def begin(connection: Any) -> None:
    """A transaction begins: what an earlier one that failed left behind never happened."""
    _waiting.pop(connection, None)


def take(connection: Any) -> Lines:
    """The lines of a transaction that is about to be committed."""
    return _waiting.pop(connection, [])


def write(lines: Lines) -> None:
    """Write the lines: what they tell is committed."""
    for level, event, fields in lines:
        LOGGER.log(level, event, extra={name: value for name, value in fields.items() if value is not None})
