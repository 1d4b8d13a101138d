"""Looking at a part: the queries of a whole look, over the rows of some runs only.

As in ``store.as_of`` every query of one connection reads something else in place of the tables, and stays as it is: so
a part cannot be judged in another way than the whole. Rows of the mirror that belong to no run of ours are in every
part.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from tms_pipeline.settled.scope import Part
from tms_pipeline.store.database import Connection

_OF_RUN = "session|enrolment|fee|attendance|assessment"
_TABLE = re.compile(rf'(?<![\w."])"?(register|mirror)"?\."?(course_run|{_OF_RUN})"?(?![\w"])')
_SUBMISSION = re.compile(r"(?<![\w.])outbox\.submission(?!\w)")


_JOINS = "SELECT set_config('enable_nestloop', %s, true), set_config('enable_mergejoin', %s, true)"


class _Narrow:
    """Rewrites what a cursor is asked."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute the query over the part."""
        connection: Any = self.connection  # type: ignore[attr-defined]
        text = query.as_string(connection) if isinstance(query, sql.Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        runs = sql.Literal(list(connection.looked_at)).as_string(connection)
        if params is not None:
            runs = runs.replace("%", "%%")
        return super().execute(narrow(text, runs).encode(), params, **options)  # type: ignore[misc]


class _Cursor(_Narrow, psycopg.Cursor[TupleRow]):
    pass


class _ServerCursor(_Narrow, psycopg.ServerCursor[TupleRow]):
    pass


@lru_cache(maxsize=256)
def narrow(text: str, runs: str) -> str:
    """The query with every table of runs replaced by its rows of these runs (an array as SQL)."""

    def part(found: re.Match[str]) -> str:
        place, name = found[1], found[2]
        wanted = f"= ANY({runs}::text[])"
        if name == "course_run":
            where = f"key {wanted}" + (" OR key IS NULL" if place == "mirror" else "")
        elif place == "mirror":
            # What names no run belongs to that of its key, or to none.
            where = f"run_code {wanted} OR run_code IS NULL AND (key IS NULL OR split_part(key, '|', 1) {wanted})"
        else:
            where = f"run_code {wanted}"
        return f"(SELECT * FROM {place}.{name} WHERE {where})"  # noqa: S608

    text = _TABLE.sub(part, text)
    return _SUBMISSION.sub(
        f"(SELECT * FROM outbox.submission WHERE run_code = ANY({runs}::text[]) OR run_code IS NULL)",  # noqa: S608
        text,
    )


@contextlib.contextmanager
def narrowed(connection: Connection, part: Part, *, by_lookup: bool = False) -> Iterator[Connection]:
    """The connection, whose queries look at this part inside this context. For reading: it writes to no table of runs.

    ``by_lookup``: the queries look single records up. Else the planner is kept to hash joins: from a join on the run
    and the list of runs together it concludes that next to nothing is left, and walks each run's rows once a row.
    """
    if part.runs is None:
        yield connection
        return
    before = connection.cursor_factory, connection.server_cursor_factory
    connection.looked_at = part.runs  # type: ignore[attr-defined]
    if not by_lookup:
        connection.execute(_JOINS, ("off", "off"))
    connection.cursor_factory, connection.server_cursor_factory = _Cursor, _ServerCursor
    try:
        yield connection
    finally:
        connection.cursor_factory, connection.server_cursor_factory = before
        if not by_lookup and connection.info.transaction_status == TransactionStatus.INTRANS:
            connection.execute(_JOINS, ("on", "on"))


@contextlib.contextmanager
def everything(connection: Connection) -> Iterator[Connection]:
    """Inside ``narrowed``: a look at all rows again."""
    before = connection.cursor_factory, connection.server_cursor_factory
    connection.cursor_factory, connection.server_cursor_factory = psycopg.Cursor, psycopg.ServerCursor
    try:
        yield connection
    finally:
        connection.cursor_factory, connection.server_cursor_factory = before
