"""Making a backup: one snapshot of the business database, sealed, counted, brought to its place; old ones go.

In the file: the dump, the wrapped data keys as of now, anchors, certificates and the provider's own mappings. Beside
it: its sha256, the newest key export, and the originals, which are sealed already and never change. Never in it: the
key rings, settings, SSG's certificate, and Dagster's own database, which holds nothing that the next night needs.
"""

from __future__ import annotations

import contextlib
import os
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import psycopg

from tms_pipeline import __version__
from tms_pipeline.audit.anchors import Anchor
from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups import notes
from tms_pipeline.backups.places import SUM, Place, name_of, to_keep
from tms_pipeline.backups.programs import program, run
from tms_pipeline.backups.sealed_file import BackupError, seal_to
from tms_pipeline.health.keys import must_fit
from tms_pipeline.identity.key_export import export, standing_export
from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection, conninfo
from tms_pipeline.store.migrations import state
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

DUMP, EXPORT = "database.dump", "data-keys.export"
#: Its content stays out of the dump: what was shredded must not come back from a backup (docs/retention.md).
WITHOUT_CONTENT = "identity.data_key"
_NO_END = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout")
FOLDERS = ("anchors", "certificates", "mappings")
LEFT_OUT = (
    "the key rings (keep them apart: docs/keys.md)",
    "the content of identity.data_key (the key export holds it)",
    "settings, SSG's certificate and key",
    "Dagster's own database, results, reports, logs",
)


@dataclass
class Made:
    """A backup that was made and brought to its place."""

    name: str
    url: str
    bytes: int
    rows: int
    tables: int
    originals: int
    seconds: float
    sha256: str
    anchor: str
    schema: str
    removed: list[str] = field(default_factory=list)
    not_removed: str = ""


@needs("backup")
def make(workplace: Workplace, *, actor: Actor, url: str = "", before_restore: bool = False) -> Made:
    """Make a backup and bring it to the place; then let old ones go. Raises BackupError with one sentence."""
    began = time.monotonic()
    place = Place(url or workplace.settings.backup_place)
    made_at = datetime.now(UTC)
    name = name_of(made_at, before_restore=before_restore)
    with TemporaryDirectory(dir=workplace.folder("tmp"), prefix="backup-") as folder:
        work = Path(folder)
        with _snapshot(workplace) as (connection, snapshot):
            try:
                must_fit(workplace)  # what is sealed with another installation's rings, our own never open
            except KeyringError as error:
                raise BackupError(str(error)) from None
            facts = _facts(workplace, connection, made_at, before_restore=before_restore)
            originals = _originals(connection)
            export(connection, workplace.rings, work / EXPORT)
            dump(workplace, work / DUMP, snapshot=snapshot)
        kept = _keep_originals(workplace, place, originals)
        facts["originals"] = kept
        sha256 = seal_to(work / name, workplace.rings.index, facts, lambda file: _fill(workplace, work, file))
        size = (work / name).stat().st_size
        place.put(work / name, name)
        newest, data_ring = _export_of_now(workplace, work / "newest.export")
        place.write(EXPORT, newest)
        place.write(f"{name}{SUM}", f"{sha256}  {name}\n".encode())
    removed, trouble = ([], "") if before_restore else _let_go(workplace, place)  # not in the midst of a restore
    rows = sum(facts["counts"].values())
    made = Made(
        name, place.shown, size, rows, len(facts["counts"]), kept, time.monotonic() - began, sha256, facts["anchor"],
        facts["schema"], removed, trouble,
    )  # fmt: skip
    with workplace.whole_db.transaction() as connection:
        append(connection, workplace.rings.audit.key, actor, "backup made", "backup", name, sha256=sha256, bytes=size,
               rows=rows, removed=removed)  # fmt: skip
    if before_restore:
        return made  # it is of the state that goes, so the next night's is due as ever
    notes.write(workplace.home, "backup", {
        "name": name, "url": place.shown, "at": made_at.isoformat(),
        "bytes": size,
        "rows": rows, "sha256": sha256, "data_ring": data_ring, "seconds": round(made.seconds, 1),
    })  # fmt: skip
    return made


def bring_export(workplace: Workplace) -> bool:
    """Bring the newest key export beside the backups, so that older ones open after the ring 'data' was rotated or
    somebody was shredded; False where no backup was made yet or none is needed. Raises BackupError."""
    last = notes.read(workplace.home).get("backup")
    path = standing_export(workplace.home)
    if not last or workplace.settings.key_source != "files" or not path.exists():
        return False
    Place(workplace.settings.backup_place).write(EXPORT, path.read_bytes())
    notes.write(workplace.home, "backup", {**last, "data_ring": workplace.rings.data.active})
    return True


def dump(workplace: Workplace, path: Path, *, snapshot: str | None = None) -> None:
    """pg_dump of the business database, as of the snapshot, without the content of ``identity.data_key``."""
    url = workplace.whole_db.url
    with contextlib.closing(psycopg.connect(conninfo(url))) as connection:
        major = connection.info.server_version // 10000
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    arguments = ["--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--file={path}",
                 f"--exclude-table-data={WITHOUT_CONTENT}"]  # fmt: skip
    run(program("pg_dump", major), arguments + ([f"--snapshot={snapshot}"] if snapshot else []), url, "The dump")


def counted(connection: Connection) -> dict[str, int]:
    """Rows of each table of ours, but the one that is not dumped."""
    tables = [f"{schema}.{table}" for schema, table in connection.execute(query("backups/tables")).fetchall()]
    one = psycopg.sql.SQL("SELECT {}, count(*) FROM {}")
    parts = [
        one.format(psycopg.sql.Literal(name), psycopg.sql.Identifier(*name.split(".", 1)))
        for name in tables if name != WITHOUT_CONTENT
    ]  # fmt: skip
    return dict(connection.execute(psycopg.sql.SQL(" UNION ALL ").join(parts)).fetchall()) if parts else {}


def lasting(url: Any, **options: Any) -> psycopg.Connection[Any]:
    """A connection that waits while a dump or a restore takes its time, whatever the server's settings cut off."""
    return psycopg.connect(
        conninfo(url), options=" ".join(f"-c {name}=0" for name in _NO_END), application_name="tms backup", **options
    )


def _export_of_now(workplace: Workplace, path: Path) -> tuple[bytes, int]:
    """The key export as of now, and the oldest version of the ring that it needs.

    Not of the snapshot: keys may have been rotated, and people shredded, while the dump was made and brought.
    """
    workplace.rings.data.refresh()
    with workplace.whole_db.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        versions = [row[0] for row in connection.execute(query("backups/wrapped_by")).fetchall()]
        export(connection, workplace.rings, path)
    return path.read_bytes(), min(versions, default=workplace.rings.data.active)


@contextlib.contextmanager
def _snapshot(workplace: Workplace) -> Iterator[tuple[Connection, str]]:
    """A connection whose snapshot others can share: counts, key export and dump are of one moment."""
    with lasting(workplace.whole_db.url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield connection, str(row[0]) if row else ""
        connection.rollback()


def _facts(workplace: Workplace, connection: Connection, made_at: datetime, *, before_restore: bool) -> dict[str, Any]:
    end = connection.execute("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
    at = made_at.isoformat(timespec="milliseconds")
    rings = workplace.rings
    return {
        "made_at": at,
        "program": __version__,
        "schema": state(workplace.whole_db.url).current,
        "postgres": connection.info.server_version,
        "counts": counted(connection),
        "anchor": Anchor(at, int(end[0]), bytes(end[1])).words if end else "",
        "rings": {ring.name: ring.active for ring in (rings.data, rings.index, rings.audit)},
        "before_restore": before_restore,
        "left_out": list(LEFT_OUT),
    }


def _fill(workplace: Workplace, work: Path, file: IO[bytes]) -> None:
    with tarfile.open(fileobj=file, mode="w|", bufsize=1024 * 1024) as tar:
        for name in (EXPORT, DUMP):
            tar.add(work / name, name)
        for folder in FOLDERS:
            for path in sorted((workplace.home / folder).rglob("*")):
                if path.is_file() and not path.is_symlink():
                    tar.add(path, str(path.relative_to(workplace.home)))


def _originals(connection: Connection) -> dict[str, bool]:
    """Every original by its hash: whether it is to be there. One that a rule of retention destroyed is not."""
    return {
        row[0]: bool(row[1])
        for row in connection.execute("SELECT sha256, archive_name IS NOT NULL FROM intake.upload").fetchall()
    }


def _keep_originals(workplace: Workplace, place: Place, originals: dict[str, bool]) -> int:
    """Bring originals that are not there yet, and take away what was destroyed here; returns how many lie there."""
    there = place.names("archive")
    count = 0
    for sha256, wanted in originals.items():
        name = f"{sha256[:2]}/{sha256}.sealed"
        if not wanted:
            if name in there:
                place.remove(f"archive/{name}")
            continue
        path = workplace.home / "archive" / name
        if path.exists() and there.get(name) != path.stat().st_size:  # also one that a dying disk cut short
            place.put(path, f"archive/{name}")
            count += 1
        else:
            count += name in there
    return count


def _let_go(workplace: Workplace, place: Place) -> tuple[list[str], str]:
    """Let old backups go; returns those that are none any more, and what kept others from going, such as a bucket from
    which nobody may delete: the new backup is made all the same."""
    settings = workplace.settings
    now = datetime.now(UTC)
    gone: list[str] = []
    try:
        found = place.backups()
        kept = to_keep(
            found, daily=settings.backup_daily, weekly=settings.backup_weekly, monthly=settings.backup_monthly, now=now
        )
        for one in found:
            if one.name not in kept:
                place.remove(f"{one.name}{SUM}")  # first: without it the rest is no backup any more
                gone.append(one.name)
                place.remove(one.name)
        for name in place.halves(before=now - timedelta(days=1)):
            place.remove(name)
    except BackupError as error:
        return gone, str(error)
    return gone, ""
