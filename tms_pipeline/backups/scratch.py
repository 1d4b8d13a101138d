"""A scratch database beside ours: a backup is brought up there, and only takes our place when all of it is well."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from tms_pipeline.audit.anchors import Anchor
from tms_pipeline.backups.destroyed import note_keys, stay_gone
from tms_pipeline.backups.making import DUMP, EXPORT, FOLDERS, WITHOUT_CONTENT, counted, lasting
from tms_pipeline.backups.places import SUM, Place
from tms_pipeline.backups.programs import program, run
from tms_pipeline.backups.sealed_file import BackupError, NotTried, open_sealed_file
from tms_pipeline.identity.key_export import export, rejoin, standing_export
from tms_pipeline.store.database import Connection, Database, conninfo
from tms_pipeline.store.migrations import known, migrate
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# Made again by the migrations' last step, for the roles of this server, which a dump does not hold.
_MADE_AGAIN = (" POLICY ", " ROW SECURITY ")
_JOBS = 4
_TRIES = 4
# Behind the name of our database: what a restore replaced, for the moment until it is dropped.
REPLACED = "_replaced"
# Its comment, without which it is somebody else's database of such a name.
OF_RESTORE = "replaced by tms restore"
_ALONE_LOCK = 7_310_010
_PROVIDERS = {"i": "LOCALE_PROVIDER icu ICU_LOCALE {}", "b": "LOCALE_PROVIDER builtin BUILTIN_LOCALE {}"}
# Postgres cuts names to 63 bytes, without a word: that of a scratch database could be cut to our own.
_LONGEST_NAME = 63 - len("_restoring_4194304")


@dataclass(frozen=True)
class Opened:
    """A backup that was verified and lies open in a folder of ours."""

    name: str
    facts: dict[str, Any]
    folder: Path
    beside: bytes | None

    @property
    def anchor(self) -> Anchor | None:
        """The end of the audit log as the dump has it."""
        return Anchor.of_words(self.facts["anchor"]) if self.facts["anchor"] else None


def place_of(given: str, usual: str) -> tuple[Place, str]:
    """The place and the name of a backup given as a file or URL; a bare name lies at the usual place, unless there is
    such a file here. Raises BackupError."""
    lead, slash, name = given.rstrip("/").rpartition("/")
    if not name:
        raise BackupError("Name a backup, such as 'tms backup --list' shows them.")
    if "?" in name or "#" in name:  # signed addresses: the name is told, and stands in the audit log
        raise BackupError("An address with something behind '?' or '#' is not taken: bring the file here and name it.")
    if not slash:
        return Place("." if Path(name).exists() else usual), name
    return Place(lead or "/"), name


@contextlib.contextmanager
def opened(workplace: Workplace, place: Place, name: str, *, trusted_sum: bool = False) -> Iterator[Opened]:
    """Verify a backup whole, byte by byte, and unpack it. Raises BackupError; nothing of ours was touched by then."""
    with TemporaryDirectory(dir=workplace.folder("tmp"), prefix="restore-") as text:
        folder = Path(text)
        if not trusted_sum and place.read(f"{name}{SUM}") is not None:
            place.check_sum(name)
        with place.open(name) as file:
            facts, content = open_sealed_file(file, workplace.rings.index, name)
            try:
                with tarfile.open(fileobj=content, mode="r|", bufsize=1024 * 1024) as tar:
                    for member in tar:
                        if not member.isfile() or not _expected(member.name):
                            raise BackupError(f"{name} holds '{member.name[:80]}', which no backup of tms holds.")
                        _unpack(tar, member, folder)
            except tarfile.TarError:
                raise BackupError(f"{name} was changed or is not whole; take another one.") from None
            while content.read(1024 * 1024):
                pass  # to the last chunk: a file that was cut off behind the content is not whole either
        if facts["schema"] not in known():
            raise BackupError(
                f"{name} was made by version {facts['program']} with schema {facts['schema']}, which this version of "
                "tms does not know; install the newer version."
            )
        beside = place.read(EXPORT)
        yield Opened(name, facts, folder, beside)


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    # Only bytes, to a name that was looked at. Debian 12's Python 3.11.2 does not know the filter of tar.extract yet.
    source = tar.extractfile(member)
    assert source is not None, "a file"
    target = folder / member.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with source, target.open("wb") as out:
        shutil.copyfileobj(source, out, 1024 * 1024)


def _expected(name: str) -> bool:
    return name in (DUMP, EXPORT) or name.split("/", 1)[0] in FOLDERS and ".." not in name


@contextlib.contextmanager
def alone(workplace: Workplace) -> Iterator[None]:
    """Only one restore or drill of this database at a time; what a killed one left behind is dropped.

    Raises NotTried when another is under way.
    """
    url = workplace.whole_db.url
    if len(str(url.database).encode()) > _LONGEST_NAME:
        raise BackupError(
            f"The name of the database is longer than {_LONGEST_NAME} letters, so no second one can be named after it; "
            "rename it, and correct DATABASE_URL."
        )
    with maintenance(url) as connection:
        row = connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_ALONE_LOCK, url.database)
        ).fetchone()
        if row != (True,):
            raise NotTried("Another restore or drill of this database is under way; wait for it, then try again.")
        for name in leftovers(connection, str(url.database)):
            try:
                _drop(connection, name)
            except psycopg.Error as error:
                raise BackupError(
                    f"The database {name}, which an earlier restore or drill left, cannot be dropped "
                    f"({type(error).__name__}); drop it by hand, then try again."
                ) from None
        try:
            yield
        finally:
            # By word: the server takes note of a connection that ends only a while after it has ended.
            with contextlib.suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_ALONE_LOCK, url.database))


def leftovers(connection: Connection, database: str) -> list[str]:
    """Scratch databases of ours and what a restore replaced; while no restore or drill runs, a killed one left them.

    Ask on any database.
    """
    rows = connection.execute(
        "SELECT datname FROM pg_database WHERE datname ~ ('^' || %s || '_(restoring|drill)_[0-9]+$') "
        "OR datname = %s AND shobj_description(oid, 'pg_database') = %s ORDER BY 1",
        (re.escape(database), f"{database}{REPLACED}", OF_RESTORE),
    ).fetchall()
    return [str(row[0]) for row in rows]


def under_way(connection: Connection, database: str) -> bool:
    """Whether a restore or drill of this database runs now. Ask on any database of the server."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = %s "
        "AND objid = (hashtext(%s)::bigint & 4294967295)::oid)", (_ALONE_LOCK, database),
    ).fetchone()  # fmt: skip
    return row == (True,)


@contextlib.contextmanager
def scratch(workplace: Workplace, lead: str) -> Iterator[URL]:
    """An empty database beside ours, dropped at the end unless it was renamed by then."""
    name = f"{workplace.whole_db.url.database}_{lead}_{os.getpid()}"
    url = workplace.whole_db.url.set(database=name)
    with maintenance(url) as connection:
        _drop(connection, name)
        try:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ").format(sql.Identifier(name))
                + _letters(connection, str(workplace.whole_db.url.database))
            )
        except psycopg.errors.InsufficientPrivilege:
            raise BackupError(
                "A restore needs a second database for a while, and this user of Postgres may make none; give it "
                "CREATEDB."
            ) from None
    try:
        yield url
    finally:
        with maintenance(url) as connection:
            _drop(connection, name)


def _letters(connection: Connection, database: str) -> sql.Composable:
    """Encoding and order of letters as in our database: a server's own may be others, and SQL_ASCII holds no text."""
    row = connection.execute(query("backups/letters"), {"database": database}).fetchone()
    if row is None:
        return sql.SQL("")
    encoding, collate, ctype, provider, locale = row
    parts: list[sql.Composable] = [sql.SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(encoding, collate, ctype)]
    if provider == "c":
        parts.append(sql.SQL("LOCALE_PROVIDER libc"))
    elif provider in _PROVIDERS and locale:
        parts.append(sql.SQL(_PROVIDERS[provider]).format(locale))
    return sql.SQL(" ").join(parts)


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def maintenance(url: URL) -> Iterator[Connection]:
    """A connection to the server, but to none of our databases; commits by itself."""
    with contextlib.closing(lasting(url.set(database="postgres"), autocommit=True)) as connection:
        yield connection


def bring_up(
    workplace: Workplace, backup: Opened, url: URL, *, as_elsewhere: bool = False, closed_too: bool = False
) -> tuple[dict[str, int], int]:
    """The dump in the scratch database: restored, counted against the manifest, migrated, data keys as of now.

    ``as_elsewhere``: with the key exports that lie with the backup alone, as another machine would have to.
    ``closed_too``: also when data keys open no more. Returns the counts, and how many of those. Raises BackupError.
    """
    with contextlib.closing(psycopg.connect(conninfo(url))) as connection:
        major = connection.info.server_version // 10000
    restore_program = program("pg_restore", major)
    contents = run(restore_program, ["--list", str(backup.folder / DUMP)], url, "Reading the dump")
    wanted = backup.folder / "contents"
    wanted.write_text(
        "\n".join(line for line in contents.splitlines() if not any(word in line for word in _MADE_AGAIN)) + "\n",
        encoding="utf-8",
    )
    jobs = min(_JOBS, os.cpu_count() or 1)
    run(
        restore_program,
        ["--no-owner", "--no-privileges", "--exit-on-error", f"--jobs={jobs}", f"--use-list={wanted}",
         f"--dbname={url.database}", str(backup.folder / DUMP)],
        url, "The restore",
    )  # fmt: skip
    with contextlib.closing(psycopg.connect(conninfo(url))) as connection:
        found = counted(connection)
    differ = sorted(name for name in found.keys() | backup.facts["counts"].keys()
                    if found.get(name) != backup.facts["counts"].get(name))  # fmt: skip
    if differ:
        raise BackupError(
            f"{backup.name} did not come back whole: {', '.join(differ[:3])} hold other numbers of rows than when it "
            "was made; take another one."
        )
    _migrate(url)
    _data_keys(workplace, backup, url, as_elsewhere=as_elsewhere)
    closed, keys = _closed(workplace, url)
    if closed and not closed_too:
        raise BackupError(
            f"{closed} of the {keys} data keys in {backup.name} are wrapped by a version of the ring 'data' that is "
            "not in this ring: the values that they sealed, names and numbers of people, would stay closed. Bring the "
            f"newest {EXPORT} (it lies in 'keys' of the old installation) beside the backup, or the ring of its day; "
            "with '--closed' it is restored without these values."
        )
    return found, closed


def at(workplace: Workplace, db: Database) -> Workplace:
    """The same workplace with another database."""
    return replace(workplace, db=db, unscoped=None)


def _migrate(url: URL) -> None:
    """Forward to our schema. Roles are the whole server's: a verb that opens our database now may be at them too."""
    for attempt in range(_TRIES):
        try:
            migrate(url)
            return
        except (psycopg.OperationalError, psycopg.InternalError, DBAPIError):
            if attempt + 1 == _TRIES:
                raise
            time.sleep(1)


def _closed(workplace: Workplace, url: URL) -> tuple[int, int]:
    """How many data keys no version of our ring opens, and how many there are."""
    with contextlib.closing(psycopg.connect(conninfo(url))) as connection:
        rows = connection.execute(query("backups/wrapped_by")).fetchall()
    workplace.rings.data.refresh()  # a version may have been retired meanwhile
    there = workplace.rings.data.keys
    return sum(count for version, count in rows if version not in there), sum(count for _, count in rows)


def _data_keys(workplace: Workplace, backup: Opened, url: URL, *, as_elsewhere: bool) -> None:
    """The wrapped data keys of every export: the later of two counts; who was shredded on any side stays shredded."""
    files = [backup.folder / EXPORT]
    if backup.beside is not None:
        files.append(backup.folder / "beside.export")
        files[-1].write_bytes(backup.beside)
    if not as_elsewhere:
        files += _exports_of_ours(workplace, backup)
    with contextlib.ExitStack() as stack:
        ours = None if as_elsewhere else stack.enter_context(psycopg.connect(conninfo(workplace.whole_db.url)))
        db = stack.enter_context(Database(url, max_size=2))
        connection = stack.enter_context(db.transaction())
        gone: set[str] = set()
        for file in files:
            gone |= set(rejoin(connection, workplace.rings, file).shredded)
            connection.execute("DROP TABLE rejoined")
            if file == files[0]:
                note_keys(connection)
        stay_gone(connection, gone, ours)


def _exports_of_ours(workplace: Workplace, backup: Opened) -> list[Path]:
    """The key export of this installation, and its data keys as of this moment."""
    files = [standing_export(workplace.home)] if standing_export(workplace.home).exists() else []
    with contextlib.suppress(psycopg.Error), workplace.whole_db.transaction() as connection:
        if connection.execute(f"SELECT EXISTS (SELECT FROM {WITHOUT_CONTENT})").fetchone() == (True,):  # noqa: S608
            now = backup.folder / "now.export"
            export(connection, workplace.rings, now)
            files.append(now)
    return files
