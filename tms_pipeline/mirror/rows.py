"""Mirror rows: what was seen at SSG, with marks in place of personal values, merged set-based."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

from tms_pipeline.identity.marks import Marker
from tms_pipeline.records import content
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import columns, query

# Columns that the mirror itself keeps.
_KEPT = frozenset({"seen_at", "seen_how", "read_id", "first_seen_at", "key"})
# The personal fields that an enrolment at SSG holds of its trainee.
_TRAINEE = kind_named("trainee")
# Columns by database and kind: a schema does not change while a process runs.
_COLUMNS: dict[tuple[str, str, str], tuple[str, ...]] = {}


def row_of(marker: Marker, seen: Seen) -> dict[str, Any]:
    """The mirror row of a record: marks, hashes and links; no personal value is in it."""
    kind = kind_named(seen.kind)
    marks = {name: marker.mark(name, value) for name, value in seen.clear.items() if name != "nric"}
    words = {**seen.values, **{name: mark.hex() if mark else None for name, mark in marks.items()}}
    own = content.own_hash(kind, words)
    row: dict[str, Any] = {
        **seen.values,
        **{f"{name}_mark": mark for name, mark in marks.items()},
        **seen.links,
        "ssg_ref": seen.ssg_ref,
        "live": seen.live,
        "ssg_status": seen.status,
        "own_hash": own,
        "ssg_hash": own,
        "created_on": seen.created_on,
        "updated_on": seen.updated_on,
    }
    if "nric" in seen.clear:
        row["nric_mark"] = marker.mark("nric", seen.clear["nric"])
    if seen.kind == "attendance":
        row["ssg_ref"] = f"{seen.ssg_ref}:{row['nric_mark'].hex()}"
    if seen.kind == "enrolment":
        row["ssg_hash"] = content.with_trainee(own, content.own_hash(_TRAINEE, words))
    if seen.kind == "trainer":
        row["nric_tail_mark"] = marker.mark("nric_tail", row.pop("nric_tail"))
    return row


def updates(names: Sequence[str]) -> sql.Composed:
    """What a row that is there already takes from the new one."""
    return sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name != "ssg_ref"
    )


def mirror_columns(connection: Connection, kind: str) -> tuple[str, ...]:
    """The columns of a mirror table that a row can fill."""
    place = (connection.info.host, connection.info.dbname, kind)
    if place not in _COLUMNS:
        _COLUMNS[place] = _read_columns(connection, kind)
    return _COLUMNS[place]


def _read_columns(connection: Connection, kind: str) -> tuple[str, ...]:
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'mirror' AND table_name = %s "
        "ORDER BY ordinal_position",
        (kind,),
    ).fetchall()
    return tuple(row[0] for row in found if row[0] not in _KEPT)


def merge(
    connection: Connection, kind: str, rows: Sequence[dict[str, Any]], *, how: str, seen_at: datetime,
    settled: datetime | None = None,
) -> int:
    """Merge rows into the mirror; returns how many were new or different.

    A row seen later than this stays, and so does one that we wrote after ``settled``: SSG may not show that yet.
    """
    if not rows:
        return 0
    names = mirror_columns(connection, kind)
    connection.execute(sql.SQL("DROP TABLE IF EXISTS seen"))
    connection.execute(
        sql.SQL("CREATE TEMP TABLE seen (LIKE mirror.{} INCLUDING DEFAULTS) ON COMMIT DROP").format(
            sql.Identifier(kind)
        )
    )
    connection.execute("ALTER TABLE seen ALTER COLUMN seen_how DROP NOT NULL")
    have = {name for row in rows for name in row}
    filled = [name for name in names if name in have]
    # No content of the record, and yet it is another one's when they change: an enrolment can be put into another run.
    whose = ["ssg_status", *(name for name in ("ssg_run_id", "nric_mark") if name in filled)]
    copy_rows(connection, "seen", [*filled, *(["key"] if "key" in have else [])], (
        [row.get(name) for name in filled] + ([row.get("key")] if "key" in have else []) for row in rows
    ))
    return connection.execute(
        query(
            "mirror/merge",
            mirror=f"mirror.{kind}",
            columns=columns(filled),
            seen_columns=columns(filled, "s."),
            updates=updates(filled),
            whose=columns(whose, "m."),
            whose_now=columns(whose, "excluded."),
        ),
        {"seen_at": seen_at, "how": how, "settled": settled or seen_at},
    ).rowcount


def agree(connection: Connection, kinds: Iterable[str]) -> None:
    """Keep what both sides hold alike: later changes of either side are measured by it."""
    for kind in kinds:
        names = {"mirror": f"mirror.{kind}", "register": f"register.{kind}"}
        connection.execute(query("mirror/agree", **names))
        connection.execute(query("mirror/agree_gone", **names))


def bind(connection: Connection, kinds: Iterable[str]) -> None:
    """Give mirror rows the keys of our records, wherever the match is certain."""
    for kind in kinds:
        connection.execute(query(f"mirror/bind_{kind}"))
