"""Reading one scope of SSG into the mirror: whole or changes only, what it cost, and what an absence is worth.

A failed or empty read never means "nothing there": a scope that was not read whole changes nothing, and one that
suddenly shows nothing is kept as it was and shown as not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from psycopg import sql

from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.pull_result import PullResult, ScopeRead
from tms_pipeline.mirror.rows import bind, merge, row_of
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.again import asking_again
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.database import Connection, DatabaseError
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

Progress = Callable[[str], None]
Row = TypeVar("Row")

# A scope that held more than this and now shows nothing is not believed; one that held less is believed at the second
# empty answer in a row.
BELIEVED_EMPTY_UP_TO = 3
# SSG's days of change are Singapore days without a time (ssg-api 6.5), so a read of changes goes back one day more.
OVERLAP = timedelta(days=1)
SINGAPORE = ZoneInfo("Asia/Singapore")


@dataclass
class Cost:
    """What a read has cost so far: calls, pages of lists among them, bytes that came back."""

    client: SsgClient
    began: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.began = self.client.traffic

    @property
    def calls(self) -> int:
        """Calls since the read began."""
        return self.client.traffic[0] - self.began[0]

    @property
    def bytes(self) -> int:
        """Bytes that came back."""
        return self.client.traffic[1] - self.began[1]


def since_day(
    last_whole: datetime | None, last_read: datetime | None, *, now: datetime, full_days: float
) -> date | None:
    """The Singapore day from which changes are enough, or None when the scope is to be read whole.

    Whole when it never was, when the last whole read is ``full_days`` old, or when that setting is 0. Pure.
    """
    if last_whole is None or last_read is None or now - last_whole >= timedelta(days=full_days):
        return None
    return (last_read - OVERLAP).astimezone(SINGAPORE).date()


class ScopeReader:
    """Reads scopes for one pull and keeps a line about each."""

    def __init__(self, workplace: Workplace, client: SsgClient, progress: Progress, *, whole: bool = False) -> None:
        self.workplace, self.client, self.progress, self.whole = workplace, client, progress, whole
        self.marker = Marker(workplace.rings.index)
        self.result = PullResult()
        with workplace.db.transaction() as connection:
            self.database = _which(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction in the database in which this read began. Raises DatabaseError when a restore has put another
        one in its place: what SSG showed before it must not count as newer than what was restored."""
        with self.workplace.db.transaction() as connection:
            if _which(connection) != self.database:
                raise DatabaseError(
                    "The database was restored or Postgres started anew while SSG was being read, so what was read is "
                    "not kept; start the sync again."
                )
            yield connection

    def asking(self) -> AbstractContextManager[None]:
        """Within it a read that breaks off is tried again, SSG_READ_TRIES times in all."""
        settings = self.workplace.settings
        # A quarter of what lies between two calls anyway: half a second at SSG, next to nothing at the simulator.
        return asking_again(settings.ssg_read_tries, first_wait=max(0.02, settings.spacing_seconds / 4))

    def since(self, kind: str, scope: str) -> date | None:
        """From which day the changes of this scope are enough; None: read it whole."""
        if self.whole:
            return None
        row = self.workplace.db.rows(query("mirror/last_good_reads"), {"kind": kind, "scope": scope})[0]
        return since_day(row[0], row[1], now=self.now(), full_days=self.workplace.settings.full_read_days)

    def scope(
        self, kinds: tuple[str, ...], scope: str, read: Callable[[], Iterable[Seen]], *, since: date | None = None,
        total: Callable[[], int] | None = None, asks_twice: bool = False,
    ) -> list[Seen] | None:
        """Read one scope of one or several kinds; None if it could not be read or is not believed.

        With ``since`` what ``read`` gives are changes only, from which no absence follows. ``total``, one cheap call,
        says how many records SSG holds: raises Astray when the mirror then holds another number. An empty answer is
        asked for twice where something was held, unless ``read`` does so itself (``asks_twice``).
        """
        cost, started = Cost(self.client), self.now()
        before = 0
        try:
            with self.asking():
                seen = whole_list(read)
                if not seen and since is None and not asks_twice and self._held(kinds, scope, started):
                    before = cost.calls
                    seen = whole_list(read)
                pages = cost.calls - before
                held_there = total() if total is not None else None
        except SsgError as error:
            self._note(kinds, scope, started, "not read", 0, cost, since, error.code, error.sentence)
            return None
        except NotBelieved as error:
            self._note(kinds, scope, started, "not read", 0, cost, since, "EMPTY_READ", str(error))
            return None
        believed = True
        with self.writing() as connection:
            self.marker.follow(connection)
            for kind in kinds:
                rows = [row_of(self.marker, item) for item in seen if item.kind == kind]
                if since is None:
                    held = self._held_of(connection, kind, scope, started)
                    if held > BELIEVED_EMPTY_UP_TO and not rows:
                        self._note((kind,), scope, started, "not read", 0, cost, None, "EMPTY_READ",
                                   empty_sentence(held), pages=pages)
                        believed = False
                        continue
                    if kind != "course":
                        self._gone(connection, kind, scope, rows, started)
                merge(connection, kind, rows, how="read", seen_at=started, settled=self.settled(started))
                if kind == "course_run":
                    connection.execute(query("mirror/sessions_gone"), {"seen_at": started})
                bind(connection, (kind,))
                if held_there is not None and kind == kinds[0] and held_there != _known(connection, kind):
                    raise Astray
                self._note((kind,), scope, started, "read", len(rows), cost, since, connection=connection, pages=pages)
        return seen if believed else None

    def unread(self, kinds: tuple[str, ...], scope: str, code: str, sentence: str) -> None:
        """Say of a scope that it could not even be asked for."""
        self._note(kinds, scope, self.now(), "not read", 0, Cost(self.client), None, code, sentence)

    def now(self) -> datetime:
        """By the clock of Postgres, which stamps what workers write as well: two clocks would make a read look later
        than a write that it did not see."""
        moment: datetime = self.workplace.db.value("SELECT clock_timestamp()")
        return moment

    def settled(self, started: datetime) -> datetime:
        """What was written after this may not be visible yet: neither its absence nor its old content says anything
        (ssg-api 4.1)."""
        return started - timedelta(minutes=self.workplace.settings.visibility_minutes)

    def _held(self, kinds: tuple[str, ...], scope: str, started: datetime) -> bool:
        """Whether the mirror holds live records of this scope."""
        with self.workplace.db.transaction() as connection:
            return any(self._held_of(connection, kind, scope, started) for kind in kinds)

    def _held_of(self, connection: Connection, kind: str, scope: str, started: datetime) -> int:
        row = connection.execute(
            query("mirror/held", mirror=f"mirror.{kind}", where=scope_column(kind)),
            {"scope": scope, "before": self.settled(started)},
        ).fetchone()
        return int(row[0]) if row else 0

    def _gone(
        self, connection: Connection, kind: str, scope: str, rows: list[dict[str, Any]], started: datetime
    ) -> None:
        connection.execute(
            query("mirror/gone", mirror=f"mirror.{kind}", where=scope_column(kind)),
            {"scope": scope, "refs": [row["ssg_ref"] for row in rows], "before": self.settled(started),
             "seen_at": started},
        )

    def _note(
        self, kinds: tuple[str, ...], scope: str, started: datetime, state: str, records: int, cost: Cost,
        since: date | None, code: str | None = None, sentence: str | None = None,
        connection: Connection | None = None, pages: int | None = None,
    ) -> None:
        for kind in kinds:
            note = ScopeRead(kind, scope, state, records, code, sentence, since, cost.calls,
                             cost.calls if pages is None else pages, cost.bytes)
            self.result.reads.append(note)
            if connection is not None:
                keep_read(connection, note, started)
            else:
                with self.workplace.db.transaction() as fresh:
                    keep_read(fresh, note, started)


def _which(connection: Connection) -> tuple[Any, ...] | None:
    return connection.execute(query("mirror/which_database")).fetchone()


def whole_list(read: Callable[[], Iterable[Row]]) -> list[Row]:
    """All of a list. One that changed between its pages is read once more from its beginning. Raises SsgError."""
    try:
        return list(read())
    except SsgError as error:
        if error.code != "SSG-LIST-CHANGED":
            raise
    return list(read())


class NotBelieved(Exception):
    """Part of a scope shows nothing of many records that it held: the scope counts as not read."""


def twice_if_empty(read: Callable[[], list[Seen]], held: int) -> list[Seen]:
    """An empty answer where something was held is asked for once more. Raises NotBelieved where much was held."""
    found = read()
    if not found and held:
        found = read()
        if not found and held > BELIEVED_EMPTY_UP_TO:
            raise NotBelieved(empty_sentence(held))
    return found


class Astray(Exception):
    """A read of changes left the mirror with another number of records than SSG holds: read it whole."""


def keep_read(connection: Connection, note: ScopeRead, started: datetime) -> None:
    """Keep the line about a read, with what it cost."""
    row = connection.execute(
        query("mirror/keep_read"),
        {"kind": note.kind, "scope": note.scope, "started": started, "state": note.state, "records": note.records,
         "code": note.error_code, "sentence": note.sentence, "mode": note.mode, "since": note.since,
         "calls": note.calls, "pages": note.pages, "bytes": note.bytes},
    ).fetchone()
    note.seconds = float(row[0]) if row else 0.0


def empty_sentence(held: int) -> str:
    """Why an empty answer is not believed."""
    return f"SSG shows none of {held} records that it held before; this read is not believed."


def _known(connection: Connection, kind: str) -> int:
    """How many records the mirror believes SSG to hold, cancelled ones too, as a search counts them."""
    row = connection.execute(
        sql.SQL("SELECT count(*) FROM {} WHERE ssg_status IS DISTINCT FROM 'gone'").format(
            sql.Identifier("mirror", kind)
        )
    ).fetchone()
    return int(row[0]) if row else 0


def scope_column(kind: str) -> sql.Composable:
    """The condition that says which mirror rows a scope covers."""
    return {
        "course": sql.SQL("m.course_reference = %(scope)s"),
        "course_run": sql.SQL("m.course_reference = %(scope)s"),
        "session": sql.SQL("m.ssg_run_id = %(scope)s"),
        "attendance": sql.SQL("m.ssg_run_id = %(scope)s"),
    }.get(kind, sql.SQL("%(scope)s <> ''"))
