"""The record of a submission, with its personal values opened for one call: the one place where that happens."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from psycopg.rows import dict_row

from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.registers.staging import subject_of
from tms_pipeline.store.database import Connection
from tms_pipeline.submission.statements import statement

Row = dict[str, Any]
_TRAINEE_FIELDS = frozenset({"nric", "full_name", "birth_date", "email", "phone"})


@dataclass(frozen=True)
class OpenRecord:
    """One record, canonical, personal values in clear. Never log it, never keep it."""

    kind: str
    key: str
    values: dict[str, str | None] = field(repr=False)
    row: dict[str, Any] = field(repr=False)
    trainers: list[dict[str, str | None]] = field(default_factory=list, repr=False)

    @property
    def their_ref(self) -> str | None:
        """SSG's reference of this record, if the mirror knows one."""
        return self.row.get("their_ref")

    @property
    def run_id(self) -> int:
        """SSG's id of the course run; 0 if the mirror does not know it."""
        found = self.row.get("ssg_run_id") or (self.their_ref if self.kind == "course_run" else None)
        return int(found or 0)

    def content_hash(self, action: str) -> bytes:
        """What a plan approved: the content that SSG should hold, for a new enrolment with the fee status.

        What is taken back is approved as taken back: a row that is confirmed again meanwhile has another hash.
        """
        if action == "cancel":
            word = b"replace" if self.wanted else b"withdraw"
            return hashlib.sha256(bytes(self.row["ssg_hash"]) + word).digest()
        if self.kind == "enrolment" and action == "create":
            return bytes(self.row["create_hash"])
        return bytes(self.row["ssg_hash"])

    @property
    def wanted(self) -> bool:
        """Whether SSG should hold this record."""
        return bool(self.row["wanted"])


def load(connection: Connection, rings: KeyRings, kind: str, key: str) -> OpenRecord | None:
    """The record with its personal values opened, or None if the register has it no more."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement(f"outbox/load_{kind}"), {"keys": [key]}).fetchone()
    if row is None:
        return None
    subject = sealing_subject(kind, row)
    keys = data_keys(connection, rings.data, [subject], make=False) if subject else {}
    return opened(connection, rings, kind, row, keys)


def load_rows(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """The rows of these records (kind, key) as the registers hold them, sealed; those that are gone are left out."""
    by_kind: dict[str, list[str]] = {}
    for kind, key in wanted:
        by_kind.setdefault(kind, []).append(key)
    asked = [
        (kind, connection.cursor(row_factory=dict_row).execute(
            statement(f"outbox/load_{kind}"), {"keys": keys}, prepare=True
        ))
        for kind, keys in by_kind.items()
    ]
    return {(kind, row["key"]): row for kind, cursor in asked for row in cursor.fetchall()}


def sealing_subject(kind: str, row: Row) -> str | None:
    """Whose data key opens the row; None if nothing in it is sealed."""
    if not any(value is not None and name.endswith("_sealed") for name, value in row.items()):
        return None
    return subject_of(kind_named(kind), row["key"], row.get("trainee_ref"))


@opening_for("submission")
def opened(connection: Connection, rings: KeyRings, kind: str, row: Row, keys: dict[str, bytes]) -> OpenRecord:
    """The record of a row, its sealed values opened with the data keys by subject."""
    key, ref = row["key"], row.get("trainee_ref")
    subject = subject_of(kind_named(kind), key, ref)
    values: dict[str, str | None] = {}
    for name, value in row.items():
        if name.endswith("_sealed"):
            if value is None:
                continue
            name = name.removesuffix("_sealed")
            where = (
                place("register.trainee", name, str(ref))
                if name in _TRAINEE_FIELDS
                else place(f"register.{kind}", name, key)
            )
            values[name] = open_sealed(keys[subject], bytes(value), where).decode()
        elif not name.endswith(("_mark", "_hash")) and (name not in values or value is not None):
            values[name] = as_text(value)
    trainers = []
    if kind == "course_run" and row["trainer_codes"]:
        trainers = load_trainers(connection, rings, row["trainer_codes"].split(";"))
    return OpenRecord(kind, key, values, row, trainers)


@opening_for("submission")
def load_trainers(connection: Connection, rings: KeyRings, codes: list[str]) -> list[dict[str, str | None]]:
    """The id numbers of these trainers, opened; SSG masks them, so they must come from us on every edit."""
    found = connection.execute(statement("outbox/trainers_of_codes"), {"codes": codes}).fetchall()
    keys = data_keys(connection, rings.data, [f"trainer:{code}" for code, _ in found], make=False)
    return [
        {"trainer_nric": open_sealed(keys[f"trainer:{code}"], bytes(sealed),
                                     place("register.trainer", "trainer_nric", code)).decode()}
        for code, sealed in found
    ]


def as_text(value: Any) -> str | None:
    """The canonical text of a typed column."""
    if value is None or value.__class__ is str:
        return value  # nearly all of them
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value}"
    return str(value)
