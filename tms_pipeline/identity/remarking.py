"""Re-marking: every mark under a new version of the index key, and every hash that is made of marks, without a stop.

First, in batches and beside all other work, each sealed value is opened once, and the mark that its mark becomes is
kept. Then one transaction, while no intake and no plan runs, changes all marks and hashes at once. So at each moment
exactly one version counts, joins hold, a number stays unique, and what was approved stays approved. Killed anywhere,
it goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any

import psycopg
from psycopg import sql

from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyringError, KeyRings
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.identity.versions import MARKING_LOCK, set_active
from tms_pipeline.records import content
from tms_pipeline.records.field import Field, RecordKind
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.store.database import Connection, Database, copy_rows
from tms_pipeline.store.queries import query

# The kinds whose registers hold marks.
_MARKED = ("trainee", "trainer", "enrolment")
# Tables that remember a reference which is made of a mark, or a hash of a plan: their triggers rest meanwhile.
_ATTENDANCE = ("mirror.attendance", "mirror.attendance_history")
_WITH_REFERENCES = ("outbox.submission", "outbox.submission_history")
_WITH_TRIGGERS = (
    "mirror.trainer", "mirror.enrolment", "mirror.attendance", "mirror.assessment", "outbox.submission"
)  # fmt: skip
_LOCK_WAIT = "3s"
# Calls whose outcome will bring marks.
_CALLS_IN_HAND = (
    "SELECT count(*) FROM outbox.submission WHERE lease_owner IS NOT NULL AND lease_until > clock_timestamp() "
    "AND kind IN ('trainer', 'enrolment', 'attendance', 'assessment')"
)
_CALLS_END_SECONDS = 60.0


class Busy(KeyringError):
    """Others hold what the last step needs; it is tried again."""


@dataclass(frozen=True)
class _Source:
    """A register or its history, and what in it is marked."""

    kind: RecordKind
    table: str

    @property
    def fields(self) -> list[Field]:
        """Its sealed fields."""
        return [f for f in self.kind.personal_fields if f.name != "nric" or self.kind.name == "trainee"]

    @property
    def marks(self) -> list[str]:
        """Its columns with marks."""
        return [f"{field.name}_mark" for field in self.fields if field.name != "nric"]


def sources() -> Iterator[_Source]:
    """Every register and history with marks."""
    for name in _MARKED:
        for table in (f"register.{name}", f"register.{name}_history"):
            yield _Source(kind_named(name), table)


def learn(
    db: Database, rings: KeyRings, old: int, new: int, *, batch: int, progress: Callable[[int], None]
) -> int:
    """Keep what each mark becomes, in batches; returns how many rows were read. What is known is passed over."""
    done = 0
    for source in sources():
        key, version = "", -1
        while True:
            with db.transaction() as connection:
                rows = _unknown(connection, source, key, version, batch)
                if rows:
                    _keep(connection, rings, old, new, source, rows)
            if not rows:
                break
            key, version = rows[-1][0], rows[-1][1]
            done += len(rows)
            progress(len(rows))
    return done


def change_over(db: Database, rings: KeyRings, old: int, new: int, *, patience: float = 120.0) -> float:
    """Change all marks and hashes in one transaction; returns how many seconds others had to wait.

    Raises Busy when others leave no moment for it within ``patience`` seconds.
    """
    end = time.monotonic() + patience
    while True:
        try:
            return _change_over(db, rings, old, new)
        except (Busy, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() > end:
                raise Busy(
                    "The database was too busy for the last step of the rotation; run 'tms keys rotate index' again, "
                    "it goes on where it stands."
                ) from None
            time.sleep(0.2)


def _change_over(db: Database, rings: KeyRings, old: int, new: int) -> float:
    # Only here, as these build upon this package.
    from tms_pipeline.intake.service import INTAKE_LOCK
    from tms_pipeline.submission.worker import CLAIM_LOCK

    salt = {"salt": token_bytes(32)}
    with db.transaction() as connection:
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_LOCK_WAIT)))
        # Nobody claims; what workers have in hand comes to its end first, because it was marked by the old key.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (CLAIM_LOCK,))
        _wait_for_calls(connection)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
        connection.execute("LOCK TABLE outbox.plan IN SHARE ROW EXCLUSIVE MODE")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MARKING_LOCK,))
        begun = time.monotonic()
        for source in sources():
            while rows := _unknown(connection, source, "", -1, 1_000):
                _keep(connection, rings, old, new, source, rows)
        connection.execute("ANALYZE identity.remark")
        _triggers(connection, "DISABLE")
        _change(connection, salt)
        _triggers(connection, "ENABLE")
        set_active(connection, "index", new)
        # The old marks lead to the new ones through it: nobody shall find it.
        connection.execute("TRUNCATE identity.remark")
    return time.monotonic() - begun


def _wait_for_calls(connection: Connection) -> None:
    end = time.monotonic() + _CALLS_END_SECONDS
    while True:
        row = connection.execute(_CALLS_IN_HAND).fetchone()
        if not row or not row[0]:
            return
        if time.monotonic() > end:
            raise Busy
        time.sleep(0.05)


def _triggers(connection: Connection, how: str) -> None:
    """What moves here is no change of a record: no history is kept of it, and no move is judged."""
    for table in _WITH_TRIGGERS:
        connection.execute(
            sql.SQL("ALTER TABLE {} {} TRIGGER USER").format(sql.Identifier(*table.split(".")), sql.SQL(how))
        )


def _marks_elsewhere(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The columns with marks of the mirror and its history, as Postgres has them."""
    found: dict[str, tuple[str, ...]] = {}
    for table, names in connection.execute(query("identity/mark_columns")).fetchall():
        found[table] = tuple(names)
    return found


def _unknown(connection: Connection, source: _Source, key: str, version: int, limit: int) -> list[Any]:
    subject = sql.SQL("r.trainee_ref") if "nric" in source.kind.names else sql.SQL("r.key")
    marks: list[sql.Composable] = [sql.Identifier("r", name) for name in source.marks]
    if source.table == "register.trainee":
        marks.append(sql.SQL("(SELECT i.nric_mark FROM identity.trainee i WHERE i.trainee_ref = r.trainee_ref "
                             "AND octet_length(r.nric_sealed) > 0)"))
    return connection.execute(
        query(
            "identity/unknown_marks",
            register=source.table,
            subject=subject,
            values=sql.SQL(", ").join(sql.Identifier("r", f"{field.name}_sealed") for field in source.fields),
            marks=sql.SQL(", ").join(marks),
        ),
        {"key": key, "version": version, "limit": limit},
    ).fetchall()


@opening_for("new marks")
def _keep(
    connection: Connection, rings: KeyRings, old: int, new: int, source: _Source, rows: list[Any]
) -> None:
    before, after = Marker(rings.index.at(old)), Marker(rings.index.at(new))
    lead = "trainee" if "nric" in source.kind.names else source.kind.name
    register = f"register.{source.kind.name}"
    keys = data_keys(connection, rings.data, [f"{lead}:{row[2]}" for row in rows], make=False)
    pairs: dict[bytes, bytes] = {}
    for key, _, subject, *sealed in rows:
        for field, value in zip(source.fields, sealed, strict=True):
            if not value:
                continue
            plain = open_sealed(keys[f"{lead}:{subject}"], bytes(value), place(register, field.name, key)).decode()
            tail = [("nric_tail", plain[-4:])] if field.name == "trainer_nric" else []
            for name, text in [(field.name, plain), *tail]:
                mark, follower = before.mark(name, text), after.mark(name, text)
                if mark is not None and follower is not None:
                    pairs[mark] = follower
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS fresh_remark (old bytea, new bytea) ON COMMIT DELETE ROWS")
    connection.execute("TRUNCATE fresh_remark")
    copy_rows(connection, "fresh_remark", ("old", "new"), pairs.items())
    connection.execute(query("identity/keep_remarks"))


def _change(connection: Connection, salt: dict[str, bytes]) -> None:
    connection.execute("CREATE TEMP TABLE rehash (old bytea PRIMARY KEY, new bytea NOT NULL) ON COMMIT DROP")
    for source in sources():
        _keep_hashes(connection, source.table, _own(source.kind), _row(source.kind), register=True)
    for name in ("trainer", "enrolment"):
        _keep_hashes(connection, f"mirror.{name}", _own(kind_named(name)), None, register=False)
    _remark(connection, "identity.trainee", ("nric_mark",), salt)
    for source in sources():
        _remark(connection, source.table, tuple(source.marks), salt)
        connection.execute(
            query("identity/hashes_after_register", table=source.table, kept=_kept(source.table),
                  own=_own(source.kind), row=_row(source.kind)), salt,
        )
    connection.execute(query("identity/hashes_of_enrolments"))
    for table in ("register.enrolment", "register.trainer", "register.trainer_history"):
        connection.execute(query("identity/followers_of_hashes", table=table, kept=_kept(table)))
    connection.execute("ANALYZE rehash")
    for table, columns in _marks_elsewhere(connection).items():
        if table in _ATTENDANCE and columns == ("nric_mark",):
            connection.execute(query("identity/attendance", table=table), salt)
        else:
            _remark(connection, table, columns, salt)
    for name in ("trainer", "enrolment"):
        table, own = f"mirror.{name}", _own(kind_named(name))
        whole: sql.Composable = own
        if name == "enrolment":
            whole = sql.SQL("sha256({} || {})").format(own, _own(kind_named("trainee")))
        connection.execute(
            query("identity/hashes_after_mirror", table=table, kept=_kept(table), own=own, whole=whole), salt
        )
    for name in ("trainer", "enrolment"):
        connection.execute(query("identity/hashes_of_past", table=f"mirror.{name}_history"), salt)
    for table in _WITH_REFERENCES:
        connection.execute(query("identity/references", table=table), salt)
    connection.execute(query("identity/resolutions"))
    connection.execute(query("identity/submissions"))


def _kept(table: str) -> str:
    return f"kept_{table.replace('.', '_')}"


def _keep_hashes(
    connection: Connection, table: str, own: sql.Composable, row: sql.Composable | None, *, register: bool
) -> None:
    nothing = sql.SQL("NULL::bytea")
    connection.execute(
        query(
            "identity/hashes_before",
            table=table,
            kept=_kept(table),
            key=sql.SQL("t.key") if register else sql.SQL("t.ssg_ref"),
            version=sql.SQL("t.version") if register else sql.SQL("0"),
            row_hash=sql.SQL("t.row_hash") if register else nothing,
            own=own,
            row=row or nothing,
        )
    )
    connection.execute(sql.SQL("CREATE INDEX ON {} (id)").format(sql.Identifier(_kept(table))))
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(_kept(table))))


def _remark(connection: Connection, table: str, columns: tuple[str, ...], salt: dict[str, bytes]) -> None:
    change = sql.SQL(
        "{0} = CASE WHEN t.{0} IS NOT NULL THEN coalesce((SELECT new FROM identity.remark WHERE old = t.{0}), "
        "substr(sha256(t.{0} || %(salt)s::bytea), 1, 16)) END"
    )
    names = [sql.Identifier(name) for name in columns]
    connection.execute(
        query(
            "identity/remark",
            table=table,
            changes=sql.SQL(", ").join(change.format(name) for name in names),
            any_mark=sql.SQL(" OR ").join(sql.SQL("t.{} IS NOT NULL").format(name) for name in names),
        ),
        salt,
    )


def _own(kind: RecordKind) -> sql.Composable:
    return _digest([kind.field(name) for name in content.ssg_columns(kind)])


def _row(kind: RecordKind) -> sql.Composable:
    return _digest(list(content.fields_of(kind)))


def _digest(fields: list[Field]) -> sql.Composable:
    """``content.digest`` in SQL, over the columns of the table ``t``."""
    words = [
        sql.SQL("coalesce(encode(t.{}, 'hex'), '')").format(sql.Identifier(f"{field.name}_mark"))
        if field.personal
        else sql.SQL("coalesce(t.{}::text, '')").format(sql.Identifier(field.name))
        for field in fields
    ]
    return sql.SQL("sha256(convert_to(array_to_string(ARRAY[{}]::text[], E'\\x1f'), 'UTF8'))").format(
        sql.SQL(", ").join(words)
    )
