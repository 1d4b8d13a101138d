"""The drill: a backup is restored into a scratch database and tried, and nothing of the installation is changed."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.audit.verification import walk
from tms_pipeline.backups import notes
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.scratch import alone, at, bring_up, opened, scratch
from tms_pipeline.backups.sealed_file import NotTried
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Database, conninfo
from tms_pipeline.store.queries import query
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.workplace import Workplace


@dataclass
class Drill:
    """What a drill found. ``seconds``: verifying, restoring, and trying the restored database."""

    name: str
    made_at: str
    bytes: int
    tables: int
    rows: int
    audit_entries: int
    anchors: int
    audit_faults: list[str]
    planned: int
    planned_here: int
    too_much: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether this backup would bring everything back, and would send nothing that we would not send anyway."""
        return not self.audit_faults and not self.too_much


@needs("restore-drill")
def drill(workplace: Workplace, place: Place, name: str, *, actor: Actor) -> Drill:
    """Restore into a scratch database; counts, audit chain and plan are tried. Raises BackupError.

    A drill that fails is noted as well, so that health names it until one goes well.
    """
    try:
        return _drill(workplace, place, name, actor)
    except NotTried:
        raise
    except Exception:
        with contextlib.suppress(OSError):  # a full disk: the first failure is the one to tell
            _note(workplace, name, well=False)
        raise


def _drill(workplace: Workplace, place: Place, name: str, actor: Actor) -> Drill:
    began = time.monotonic()
    with opened(workplace, place, name) as backup:
        verified = time.monotonic()
        with alone(workplace), scratch(workplace, "drill") as url:
            counts, _ = bring_up(workplace, backup, url, as_elsewhere=True)
            restored = time.monotonic()
            with Database(url, max_size=4) as db:
                there = at(workplace, db)
                with db.transaction() as connection:
                    verdict = walk(connection, workplace.rings.audit.key, [backup.anchor] if backup.anchor else [])
                _mirror_of_now(workplace, db)
                theirs, ours = _planned(there, actor), _planned(workplace, actor)
    done = Drill(
        name=name, made_at=backup.facts["made_at"], bytes=_size(place, name), tables=len(counts),
        rows=sum(counts.values()),
        audit_entries=verdict.entries, anchors=verdict.anchors,
        audit_faults=[item.sentence for item in verdict.broken], planned=len(theirs), planned_here=len(ours),
        too_much=len(theirs - ours),
        seconds={"verify": round(verified - began, 2), "restore": round(restored - verified, 2),
                 "try": round(time.monotonic() - restored, 2)},
    )  # fmt: skip
    with workplace.whole_db.transaction() as connection:
        append(connection, workplace.rings.audit.key, actor, "restore tried", "backup", name, well=done.well,
               rows=done.rows, too_much=done.too_much)  # fmt: skip
    _note(workplace, name, well=done.well, rows=done.rows, seconds=done.seconds)
    return done


def _note(workplace: Workplace, name: str, *, well: bool, **facts: Any) -> None:
    notes.write(workplace.home, "drill", {"name": name, "at": datetime.now(UTC).isoformat(), "well": well, **facts})


def _mirror_of_now(workplace: Workplace, db: Database) -> None:
    """What SSG holds now, as far as we know, in place of what it held then. Both sides are migrated."""
    with workplace.whole_db.transaction() as source, psycopg.connect(conninfo(db.url)) as target:
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for schema, table in source.execute(query("backups/tables")).fetchall():
            if schema != "mirror" or table.endswith("_history"):
                continue
            name = sql.Identifier(schema, table)
            columns = sql.SQL(", ").join(
                sql.Identifier(row[0]) for row in source.execute(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                    "AND NOT attisdropped "
                    "AND attgenerated = '' ORDER BY attnum", (f"{schema}.{table}",),
                ).fetchall()
            )  # fmt: skip
            target.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
            target.execute(sql.SQL("DELETE FROM {}").format(name))
            out = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(name, columns)
            into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(name, columns)
            with source.cursor().copy(out) as reading, target.cursor().copy(into) as writing:
                for data in reading:
                    writing.write(data)


def _planned(workplace: Workplace, actor: Actor) -> set[tuple[str, str, str]]:
    _, plan = plan_now(workplace, actor=actor, keep=False)
    return {(change.kind, change.key, change.action) for change in (*plan.changes, *plan.withheld)}


def _size(place: Place, name: str) -> int:
    return next((one.bytes for one in place.backups() if one.name == name), 0)
