"""Looking back: the queries of today over the tables as they were at a past moment.

``looking_back`` makes every query of one connection read the views of the schema ``history`` (migration 0005) in place
of the tables; the queries themselves stay as they are, so a report of a past day cannot count in another way than
today's.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from tms_pipeline.store.database import Connection

_SINGAPORE = ZoneInfo("Asia/Singapore")
_TABLE = re.compile(r'(?<![\w."])"?(register|mirror|outbox|intake|finding|audit)"?\."?([a-z_]+)"?')
# The schema does not change while a process runs.
_VIEWS: dict[tuple[str, str], frozenset[str]] = {}


class _Back:
    """Rewrites what a cursor is asked."""

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        """Execute the query over the past tables."""
        connection: Connection = self.connection  # type: ignore[attr-defined]
        text = query.as_string(connection) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        return super().execute(back(text, _views(connection)).encode(), *args, **options)  # type: ignore[misc]


class _Cursor(_Back, psycopg.Cursor[TupleRow]):
    pass


class _ServerCursor(_Back, psycopg.ServerCursor[TupleRow]):
    pass


@cache
def back(text: str, views: frozenset[str]) -> str:
    """The query with every table that has a past replaced by its view."""

    def past(found: re.Match[str]) -> str:
        name = f"{found[1]}_{found[2]}"
        return f'history."{name}"' if name in views else found[0]

    return _TABLE.sub(past, text)


def end_of(day: date) -> datetime:
    """The last moment of a day in Singapore."""
    return datetime.combine(day + timedelta(days=1), time(0), _SINGAPORE) - timedelta(microseconds=1)


@contextlib.contextmanager
def looking_back(connection: Connection, moment: datetime | None) -> Iterator[Connection]:
    """The connection, whose queries show the moment inside this context; None is now. It must be in a transaction."""
    if moment is None:
        yield connection
        return
    connection.execute("SELECT set_config('tms.as_of', %s, true)", (moment.isoformat(),))
    _views(connection)
    before = connection.cursor_factory, connection.server_cursor_factory
    connection.cursor_factory, connection.server_cursor_factory = _Cursor, _ServerCursor
    try:
        yield connection
    finally:
        connection.cursor_factory, connection.server_cursor_factory = before


def _views(connection: Connection) -> frozenset[str]:
    place = (connection.info.host, connection.info.dbname)
    if place not in _VIEWS:
        plain = psycopg.Cursor(connection)
        rows = plain.execute(
            "SELECT table_name FROM information_schema.views WHERE table_schema = 'history'"
        ).fetchall()
        _VIEWS[place] = frozenset(row[0] for row in rows)
    return _VIEWS[place]
