"""Connections to Postgres: one pool a process, plain transactions, COPY for loads."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps
from psycopg_pool import ConnectionPool, PoolTimeout
from sqlalchemy.engine import URL, make_url

from tms_pipeline.store import journal

Connection = psycopg.Connection[TupleRow]
set_json_dumps(lambda value: json.dumps(value, sort_keys=True, default=str))


_LINES_AT_ONCE = 20_000


class DatabaseError(Exception):
    """Postgres cannot be used; the message is one sentence that says what to do, without the address's secrets."""


def normalise_url(text: str) -> URL:
    """The address with an explicit driver (psycopg 3). Raises DatabaseError when it is no Postgres address."""
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except Exception:
        raise DatabaseError(
            "DATABASE_URL is no address: write it as postgresql://user:password@host:5432/database."
        ) from None
    if not url.drivername.startswith("postgresql"):
        raise DatabaseError("DATABASE_URL must be a Postgres address (postgresql://…).")
    return url.set(drivername="postgresql+psycopg")


def conninfo(url: URL) -> str:
    """The address as libpq takes it, password and all; not for people's eyes.

    SQLAlchemy's own text has a bare blank in a password and '+' for one behind '?', which libpq refuses or takes as it
    stands: a folder with a blank in its name would not be found.
    """
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password, "dbname": url.database}
    behind = {name: ",".join(values) for name, values in url.normalized_query.items()}
    return make_conninfo("", **{name: value for name, value in given.items() if value is not None}, **behind)


class Database:
    """The business database of one installation. Thread-safe; close it when done."""

    def __init__(
        self, url: URL, *, max_size: int = 12, role: str | None = None, scope: Mapping[str, str] | None = None
    ) -> None:
        """Open no connection yet; the first use does.

        ``role``: every connection takes this role of Postgres; ``scope``: what the row rules look at, such as
        ``{"tms.trainer": "T-01"}`` (sql/roles/database_roles.sql).
        """
        self.url = url
        self._login: Database | None = None
        self._making = threading.Lock()
        self.role = role
        given = {"timezone": "UTC", **({"role": role} if role else {}), **(scope or {})}
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo(url),
            min_size=0,
            max_size=max_size,
            open=False,
            timeout=10,
            kwargs={"application_name": "tms", "connect_timeout": 5, "options": _options(given)},
        )

    def open(self) -> Database:
        """Check that the server answers. Raises DatabaseError with one sentence when it does not."""
        try:
            # One plain attempt first: the pool would retry for its whole timeout before it says why.
            psycopg.connect(conninfo(self.url), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            raise DatabaseError(unusable(error, self.url)) from None
        self._pool.open()
        return self

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        if self._login is not None:
            self._login.close()

    @property
    def as_login(self) -> Database:
        """The same database as the user of its address, without the role: for what only the owner of tables may do."""
        if self.role is None:
            return self
        with self._making:
            if self._login is None:
                self._login = Database(self.url, max_size=2).open()
            return self._login

    def __enter__(self) -> Database:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end, rolled back on an exception."""
        try:
            with self._pool.connection() as connection:
                journal.begin(connection)
                yield connection
                lines = journal.take(connection)  # here, as outside another thread may have the connection already
            journal.write(lines)
        except PoolTimeout:
            raise DatabaseError(
                "Postgres gave no free connection in 10 seconds; is it up, and does it allow enough connections?"
            ) from None

    def rows(self, query: sql.Composable | str, parameters: Any = None) -> list[TupleRow]:
        """All rows of one query in a transaction of its own."""
        with self.transaction() as connection:
            return connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]

    def value(self, query: sql.Composable | str, parameters: Any = None) -> Any:
        """The first column of the first row, or None."""
        found = self.rows(query, parameters)
        return found[0][0] if found else None


def copy_rows(connection: Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Load rows by COPY; returns how many. ``table`` may be "schema.table"."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    count = 0
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_lines(connection: Connection, table: str, names: Sequence[str], lines: Iterable[str]) -> None:
    """Load rows by COPY that are text already: values by tabs, a row a line, ``escaped`` by the caller."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    source = iter(lines)
    with connection.cursor().copy(statement) as copy:
        while block := "".join(itertools.islice(source, _LINES_AT_ONCE)):
            copy.write(block)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_TO_QUOTE = re.compile(r"[\s\\]")
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")


def escaped(values: Sequence[str]) -> Sequence[str]:
    """Texts as COPY reads them; where none needs it, the very same."""
    if _TO_ESCAPE.search("\0".join(values)) is None:
        return values
    return [value.translate(_ESCAPES) for value in values]


def _options(given: Mapping[str, str]) -> str:
    """Settings of a session as the server splits them: white space of every sort and backslashes of a value escaped."""
    return " ".join(f"-c {name}=" + _TO_QUOTE.sub(r"\\\g<0>", value) for name, value in given.items())


FULL = "its disk is full"


def refusal(error: psycopg.OperationalError) -> str:
    """Why Postgres refused us, in words of ours; empty when it does not answer at all."""
    text = str(error).lower()
    if "no space left" in text or "could not extend" in text or "disk full" in text:
        return FULL
    if "password" in text or "authentication" in text or "role" in text and "does not exist" in text:
        return "user or password are wrong"
    if "does not exist" in text and "database" in text:
        return "there is no such database"
    if "starting up" in text or "recovery" in text:
        return "it is starting up"
    if "too many" in text or "remaining connection slots" in text:
        return "it has no free connection"
    return ""


_MENDS = {
    FULL: "make room and run it again",
    "user or password are wrong": "correct DATABASE_URL",
    "there is no such database": "create it or correct DATABASE_URL",
    "it is starting up": "run it again in a moment",
    "it has no free connection": "see who holds them all, and run it again",
}


def unusable(error: psycopg.OperationalError, url: URL) -> str:
    """One sentence for why this database cannot be used and what to do, without any secret of the address."""
    host = f"{url.host}:{url.port or 5432}" if url.host else "its socket file on this machine"
    why = refusal(error)
    if why:
        return f"Postgres at {host} refuses us (database {url.database}): {why}; {_MENDS[why]}."
    return f"Postgres at {host} does not answer (database {url.database}); start it or correct DATABASE_URL."
