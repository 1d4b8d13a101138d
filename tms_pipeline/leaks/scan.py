"""The leak scan: search every place for every value, say where, never what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import psycopg

from tms_pipeline.audit.log import append
from tms_pipeline.leaks import people, places
from tms_pipeline.leaks.patterns import Known, Patterns
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Leak:
    """One place with something in it that may not stand there."""

    where: str
    what: str
    times: int
    whose: tuple[str, ...]


@dataclass
class Scan:
    """What was searched, and what was found."""

    leaks: list[Leak] = field(default_factory=list)
    values: int = 0
    megabytes: float = 0.0
    databases: list[str] = field(default_factory=list)
    tables: int = 0
    files: int = 0
    processes: int = 0
    not_read: list[str] = field(default_factory=list)


class Search:
    """Collects what is found, by place and sort."""

    def __init__(self, known: Iterable[Known]) -> None:
        """Prepare the search once; it then goes through all places."""
        self.patterns = Patterns(known)
        self.result = Scan(values=self.patterns.count)
        self._found: dict[tuple[str, str], tuple[int, set[str]]] = {}

    def look(self, where: str, content: bytes, *, secrets: bool = False) -> bool:
        """Search one piece; whether something was found. ``secrets``: secrets may stand here."""
        self.result.megabytes += len(content) / 1e6
        hits = {
            known: times
            for known, times in self.patterns.found_in(content).items()
            if not (secrets and known.sort == "secret")
        }
        for known, times in hits.items():
            before, whose = self._found.get((where, known.sort), (0, set()))
            self._found[where, known.sort] = (before + times, whose | ({known.whose} if known.whose else set()))
        return bool(hits)

    def finish(self) -> Scan:
        """The result, places in order."""
        self.result.leaks = [
            Leak(where, what, times, tuple(sorted(whose)))
            for (where, what), (times, whose) in sorted(self._found.items())
        ]
        return self.result


def search_database(search: Search, connection: Connection, name: str) -> None:
    """Search every table of one database; a table with a find is searched again by column, to say which."""
    for schema, table, columns in places.tables(connection):
        where = f"database {name}, {schema}.{table}"
        search.result.tables += 1
        try:
            dirty = False
            with connection.transaction():
                for piece in places.rows_of(connection, schema, table, columns):
                    search.result.megabytes += len(piece) / 1e6
                    dirty = bool(search.patterns.found_in(piece)) or dirty
            for column in columns if dirty else ():
                with connection.transaction():
                    for piece in places.rows_of(connection, schema, table, [column]):
                        search.look(f"{where}.{column[0]}", piece)
        except psycopg.Error:
            search.result.not_read.append(where)


@needs("leak-scan")
def leak_scan(workplace: Workplace, more: Iterable[Known] = (), *, progress: Tell = lambda _: None) -> Scan:
    """Search the installation for its people, for ``more``, and for its own secrets; the audit log notes the scan.

    Every value is opened in memory for the search alone. Raises nothing for a place that cannot be read: it is named
    in ``not_read``.
    """
    with workplace.whole_db.transaction() as connection:
        append(connection, workplace.rings.audit.key, workplace.actor(), "leak scan begun", "installation", "all")
    known = [*people.of_registers(workplace), *more, *people.secrets_of(workplace)]
    search = Search(known)
    progress(f"{search.patterns.count} values to look for")
    for database in _databases(workplace):
        try:
            with places.connect(workplace.whole_db.url, database) as connection:
                progress(f"database {database}")
                search.result.databases.append(database)
                search_database(search, connection, database)
                for (statement,) in connection.execute(
                    "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query IS NOT NULL"
                ).fetchall():
                    search.look(f"database {database}, statements that run now", str(statement).encode())
        except psycopg.OperationalError:
            search.result.not_read.append(f"database {database}")
    progress("files")
    overlap = search.patterns.longest
    seen: set[str] = set()
    for source in (places.folder(workplace.home, overlap=overlap), places.temporary(overlap)):
        for piece in source:
            seen.add(piece.where)
            search.look(piece.where if piece.where.startswith("name of") else f"file {piece.where}", piece.content)
    search.result.files = sum(not where.startswith("name of") for where in seen)
    progress("processes")
    for piece in places.processes(workplace.home):
        search.result.processes += piece.where.startswith("arguments")
        search.look(piece.where, piece.content, secrets=piece.secrets)
    result = search.finish()
    with workplace.whole_db.transaction() as connection:
        append(
            connection,
            workplace.rings.audit.key,
            workplace.actor(),
            "leak scan ended",
            "installation",
            "all",
            places=len(result.leaks),
            values=result.values,
        )
    return result


def _databases(workplace: Workplace) -> list[str]:
    """All databases of the embedded server; of a server that others share, ours only."""
    ours = [str(workplace.whole_db.url.database), str(workplace.dagster_url.database)]
    there = [
        row[0]
        for row in workplace.whole_db.rows("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
    ]
    if workplace.settings.database_url is None:
        return there
    return [name for name in ours if name in there]
