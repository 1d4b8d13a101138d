"""Where to search: every table of every database, files, process listings; each as pieces of bytes with a name."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from tms_pipeline.store.database import Connection, conninfo

PIECE = 4 << 20
# What ops get back is theirs and unsealed by design; the inbox is what they dropped; samples and the simulator hold
# made-up people only; the rings are what secrets live in.
EXCEPTED = ("inbox/**", "results/*.xlsx", "samples/**", "simulator/**", "keys/**")
_MOST_UNPACKED = 512 << 20


@dataclass(frozen=True)
class Piece:
    """Some bytes, and where they stand. ``secrets``: whether secrets may stand there."""

    where: str
    content: bytes
    secrets: bool = False


def connect(url: URL, database: str) -> Connection:
    """A connection of its own to one database of the server, reading only."""
    return psycopg.connect(
        conninfo(url.set(database=database)), connect_timeout=5, options="-c default_transaction_read_only=on"
    )


def tables(connection: Connection) -> list[tuple[str, str, list[tuple[str, bool]]]]:
    """Schema, table and columns (name, whether it is bytes) of every table and materialised view that may be read."""
    found: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for schema, table, column, is_bytes in connection.execute(
        "SELECT n.nspname, c.relname, a.attname, a.atttypid = 'bytea'::regtype FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' "
        "ORDER BY 1, 2, a.attnum"
    ):
        found.setdefault((schema, table), []).append((column, is_bytes))
    return [(schema, table, columns) for (schema, table), columns in found.items()]


def rows_of(connection: Connection, schema: str, table: str, columns: list[tuple[str, bool]]) -> Iterator[bytes]:
    """All values of these columns, as pieces: text in UTF-8, bytes as they are, one below the other."""
    parts = sql.SQL(" || '\\x0a'::bytea || ").join(
        sql.SQL("coalesce({}, '')").format(
            sql.Identifier(name) if is_bytes else sql.SQL("convert_to({}::text, 'UTF8')").format(sql.Identifier(name))
        )
        for name, is_bytes in columns
    )
    # The form of COPY that changes no byte; what it puts before a row ends at the line feed that we put first.
    statement = sql.SQL(
        "COPY (SELECT '\\x0a'::bytea || {} || '\\x0a'::bytea FROM {}) TO STDOUT (FORMAT binary)"
    ).format(parts, sql.Identifier(schema, table))
    yield from _joined(bytes(row) for row in _copied(connection, statement))
    for name, is_bytes in columns:
        if is_bytes:
            yield from _packed(connection, schema, table, name)


def _copied(connection: Connection, statement: sql.Composed) -> Iterator[bytes | bytearray | memoryview]:
    with connection.cursor().copy(statement) as copy:
        yield from copy


def _packed(connection: Connection, schema: str, table: str, column: str) -> Iterator[bytes]:
    """What was packed by zlib or gzip before it was stored."""
    statement = sql.SQL(
        "SELECT {0} FROM {1} WHERE substr({0}, 1, 2) IN ('\\x7801', '\\x785e', '\\x789c', '\\x78da', '\\x1f8b')"
    ).format(sql.Identifier(column), sql.Identifier(schema, table))
    with connection.cursor(binary=True) as cursor:
        for (value,) in cursor.stream(statement):
            plain = unpacked(bytes(value))
            if plain:
                yield b"\n" + plain + b"\n"


def unpacked(content: bytes) -> bytes:
    """The content without its packing by zlib or gzip; empty when it is no such thing."""
    try:
        return zlib.decompressobj(wbits=47).decompress(content, _MOST_UNPACKED)
    except zlib.error:
        return b""


def _joined(parts: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"\n".join(held)
            held, size = [], 0
    if held:
        yield b"\n".join(held)


def folder(place: Path, *, overlap: int, excepted: tuple[str, ...] = EXCEPTED) -> Iterator[Piece]:
    """Every plain file under the folder, but what is excepted; what is packed (zip, gzip, zlib) is unpacked, too."""
    left_out = {path for pattern in excepted for path in place.glob(pattern)}
    for path in _files(place, left_out):
        yield from file(path, str(path.relative_to(place)), overlap=overlap)


def _files(place: Path, left_out: set[Path]) -> Iterator[Path]:
    for base, folders, names in os.walk(place, followlinks=False):
        folders[:] = [name for name in folders if Path(base, name) not in left_out]
        for name in names:
            path = Path(base, name)
            if path not in left_out:
                with contextlib.suppress(OSError):
                    if stat.S_ISREG(path.lstat().st_mode):
                        yield path


def file(path: Path, name: str, *, overlap: int) -> Iterator[Piece]:
    """The name and the content of one file; each piece begins with the end of the one before it."""
    yield Piece(f"name of {name}", name.encode())
    with contextlib.suppress(OSError), path.open("rb") as opened:
        kept = b""
        first = b""
        while content := opened.read(PIECE):
            first = first or content[:4]
            yield Piece(name, kept + content)
            kept = content[-overlap:]
        if first[:2] in (b"PK",) and zipfile.is_zipfile(path):
            yield from _zipped(path, name)
        elif first[:2] in (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
            opened.seek(0)
            yield Piece(f"{name} (unpacked)", unpacked(opened.read()))


def _zipped(path: Path, name: str) -> Iterator[Piece]:
    left = _MOST_UNPACKED
    with contextlib.suppress(zipfile.BadZipFile, RuntimeError, NotImplementedError), zipfile.ZipFile(path) as packed:
        for entry in packed.infolist():
            with packed.open(entry) as part:
                content = part.read(left)
            left -= len(content)
            yield Piece(f"{name} ({entry.filename})", content)
            if left <= 0:
                return


def temporary(overlap: int) -> Iterator[Piece]:
    """Our own user's files that lie bare in the machine's temp folder, as a library leaves them when it is killed."""
    place = Path(tempfile.gettempdir())
    with contextlib.suppress(OSError):
        for path in place.iterdir():
            with contextlib.suppress(OSError):
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid():
                    yield from file(path, str(path), overlap=overlap)


def processes(home: Path) -> Iterator[Piece]:
    """Arguments and environment of this process and of those that name the state folder. Secrets may stand in both
    our environment and theirs: that is where settings come from."""
    own = os.getpid()
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            words, surroundings = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            if int(entry.name) == own or str(home).encode() in words + surroundings:
                program = words.split(b"\0", 1)[0].decode(errors="replace").rsplit("/", 1)[-1]
                yield Piece(f"arguments of process {entry.name} ({program})", words.replace(b"\0", b"\n"))
                yield Piece(
                    f"environment of process {entry.name} ({program})", surroundings.replace(b"\0", b"\n"), secrets=True
                )
