"""Rotation: a new key becomes active at once, and what older ones made is made anew beside all other work.

Data keys are wrapped again, marks are made again, the audit log goes on with the new key. Progress stands in Postgres;
a rotation that was killed goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity import remarking
from tms_pipeline.identity.data_keys import where
from tms_pipeline.identity.keyring import KeyRing, KeyRings, add_version
from tms_pipeline.identity.opening import open_sealed
from tms_pipeline.identity.sealing import seal
from tms_pipeline.identity.versions import WRAPPING_LOCK, active_version, set_active
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection, Database, copy_rows
from tms_pipeline.store.queries import query

BATCH = 500
Progress = Callable[[str, int, int], None]
# Every version that is not the ring's newest, of those that rows still carry.
_LEFT = "SELECT count(*) FROM identity.data_key WHERE wrapped IS NOT NULL AND ring_version <> %s"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    ring: str
    from_version: int
    to_version: int
    made_again: int
    resumed: bool
    seconds_held: float = 0.0


def rotate(
    db: Database, settings: Settings, rings: KeyRings, name: str, *, actor: Actor, batch: int = BATCH,
    progress: Progress = lambda step, done, todo: None,
) -> Rotated:
    """Rotate the ring, or finish a rotation that was begun. Raises KeyringError or Busy with one sentence."""
    ring = rings.named(name)
    ring.refresh()
    with db.transaction() as connection:
        known = active_version(connection, name) or _first(connection, ring)
        open_ = connection.execute(
            "SELECT from_version, to_version FROM identity.rotation WHERE ring = %s AND finished_at IS NULL", (name,)
        ).fetchone()
    resumed = open_ is not None or ring.active != known
    # First the file, then Postgres: a version that Postgres names is always there to be read.
    old, new = open_ or (known, ring.active if ring.active != known else add_version(settings, ring))
    with db.transaction() as connection:
        rotation = _begin(connection, name, old, new, actor)
        if name != "index":
            set_active(connection, name, new)

    def step(words: str, done: int, todo: int) -> None:
        with db.transaction() as connection:
            connection.execute(
                "UPDATE identity.rotation SET step = %s, done = %s, todo = %s WHERE rotation_id = %s",
                (words, done, todo, rotation),
            )
        progress(words, done, todo)

    made, held = 0, 0.0
    if name == "data":
        made = _rewrap(db, ring, new, batch, step)
    elif name == "index":
        made, held = _remark(db, rings, old, new, batch, step)
    with db.transaction() as connection:
        connection.execute(
            "UPDATE identity.rotation SET finished_at = now(), step = 'finished' WHERE rotation_id = %s", (rotation,)
        )
        append(connection, rings.audit.key, actor, "key ring rotated", "key ring", name, was=old, becomes=new,
               made_again=made, resumed=resumed)
    return Rotated(name, old, new, made, resumed, held)


def _first(connection: Connection, ring: KeyRing) -> int:
    """The version that a ring began with in this database; a ring may be older than the database."""
    if ring.name == "data":
        row = connection.execute("SELECT min(ring_version) FROM identity.data_key WHERE wrapped IS NOT NULL").fetchone()
        return int(row[0]) if row and row[0] is not None else ring.active
    if ring.name == "audit":
        row = connection.execute("SELECT key_version FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
        return int(row[0]) if row else ring.active
    row = connection.execute("SELECT EXISTS (SELECT FROM identity.trainee)").fetchone()
    return min(ring.keys) if row and row[0] else ring.active


def _begin(connection: Connection, name: str, old: int, new: int, actor: Actor) -> int:
    row = connection.execute(
        "SELECT rotation_id FROM identity.rotation WHERE ring = %s AND finished_at IS NULL FOR UPDATE", (name,)
    ).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO identity.rotation (ring, from_version, to_version, started_by) VALUES (%s, %s, %s, %s) "
            "RETURNING rotation_id",
            (name, old, new, actor.name),
        ).fetchone()
    if row is None:
        raise RuntimeError("a rotation was not kept")
    return int(row[0])


def _rewrap(db: Database, ring: KeyRing, version: int, batch: int, step: Progress) -> int:
    todo, done = int(db.value(_LEFT, (version,)) or 0), 0
    step("wrapping data keys again", 0, todo)
    while True:
        with db.transaction() as connection:
            changed = rewrap_batch(connection, ring, version, batch)
        done += changed
        if changed:
            step("wrapping data keys again", done, max(todo, done))
            continue
        with db.transaction() as connection:
            # Nobody makes a data key while this looks: after it no row can carry an older version.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRAPPING_LOCK,))
            if not rewrap_batch(connection, ring, version, 10_000, wait=True):
                return done


def rewrap_batch(connection: Connection, ring: KeyRing, version: int, limit: int, *, wait: bool = False) -> int:
    """Wrap so many data keys again; returns how many. With ``wait`` also those that somebody holds just now."""
    text = query("identity/to_rewrap").as_string(None)
    if wait:
        text = text.replace(" SKIP LOCKED", "")
    rows = connection.execute(text, {"version": version, "limit": limit}).fetchall()
    if not rows:
        return 0
    new = ring.at(version)
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS fresh_wrap (subject text, wrapped bytea) ON COMMIT DELETE ROWS")
    connection.execute("TRUNCATE fresh_wrap")
    copy_rows(
        connection,
        "fresh_wrap",
        ("subject", "wrapped"),
        (
            (subject, seal(new, open_sealed(ring.at(old), bytes(wrapped), where(subject)), where(subject)))
            for subject, wrapped, old in rows
        ),
    )
    return connection.execute(query("identity/rewrap"), {"version": version}).rowcount


def _remark(
    db: Database, rings: KeyRings, old: int, new: int, batch: int, step: Progress
) -> tuple[int, float]:
    with db.transaction() as connection:
        if active_version(connection, "index") == new:
            return 0, 0.0  # the last step was committed; only its end was not noted
        set_active(connection, "index", old)
    done = 0
    todo = sum(
        int(db.value(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*source.table.split(".")))) or 0)
        for source in remarking.sources()
    )
    step("learning new marks", 0, todo)

    def moved(count: int) -> None:
        nonlocal done
        done += count
        step("learning new marks", done, max(todo, done))

    remarking.learn(db, rings, old, new, batch=batch, progress=moved)
    step("changing over", done, max(todo, done))
    return done, remarking.change_over(db, rings, old, new)
