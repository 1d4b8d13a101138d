"""Erasing: every sealed value, mark and name of one trainee leaves the tables; keys and references of ours stay.

What stays is no person any more: a trainee reference, days, counts, money, SSG's own references.
"""

from __future__ import annotations

import re
from collections import Counter
from secrets import token_bytes

from psycopg import sql

from tms_pipeline.identity.data_keys import shred
from tms_pipeline.identity.marks import MARK_BYTES
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

_CHILDREN = ("enrolment", "fee", "attendance", "assessment")
_NAMES_LONG_ENOUGH = 3
_WHY = "shredded by the rule of retention"


def erase(connection: Connection, trainee_ref: str, *, by: str) -> Counter[str]:
    """Destroy the trainee's data key and blank what it sealed; returns how many rows of what were emptied."""
    counts = blank(connection, trainee_ref)
    # Nothing is left to answer them with, and nobody could: else they would count as overdue for ever.
    connection.execute(
        "UPDATE rights.request SET answered_at = now(), answered_by = %s, answer = 'shredded' "
        "WHERE trainee_ref = %s AND answered_at IS NULL",
        (by, trainee_ref),
    )
    counts["data keys"] = shred(connection, [f"trainee:{trainee_ref}"])
    for kind in _CHILDREN:
        facts = {"kind": kind, "ref": trainee_ref, "by": by, "why": _WHY}
        connection.execute(query("rights/settle", register=f"register.{kind}"), facts)
    return counts


def blank(connection: Connection, trainee_ref: str) -> Counter[str]:
    """Blank every value and mark of the trainee. Doing it again, as after a restore, does no harm."""
    counts: Counter[str] = Counter()
    row = connection.execute(
        "SELECT nric_mark FROM identity.trainee WHERE trainee_ref = %s FOR UPDATE", (trainee_ref,)
    ).fetchone()
    if row is None:
        raise LookupError(f"There is no trainee {trainee_ref}.")
    mark = bytes(row[0])
    for name in ("trainee", "enrolment"):
        fields = [f for f in kind_named(name).personal_fields if f.name != "nric"]
        changes: list[sql.Composable] = [
            sql.SQL("{} = NULL").format(sql.Identifier(f"{field.name}{end}"))
            for field in fields for end in ("_sealed", "_mark")
        ]  # fmt: skip
        if name == "trainee":
            changes.append(sql.SQL("nric_sealed = ''::bytea"))
        for table in (f"register.{name}", f"register.{name}_history"):
            counts[table] += connection.execute(
                sql.SQL("UPDATE {} SET {} WHERE trainee_ref = %s").format(
                    sql.Identifier(*table.split(".")), sql.SQL(", ").join(changes)
                ),
                (trainee_ref,),
            ).rowcount
    for table, names in connection.execute(query("identity/mark_columns")).fetchall():
        if "nric_mark" not in names:
            continue
        counts[table] += _without_marks(connection, table, names, trainee_ref, mark)
    # The update above wrote the marks of a moment ago into the history: they go as well.
    for table, names in connection.execute(query("identity/mark_columns")).fetchall():
        if "nric_mark" in names and table.endswith("_history"):
            _without_marks(connection, table, names, trainee_ref, mark)
    for table in ("mirror.attendance", "outbox.submission", "mirror.attendance_history", "outbox.submission_history"):
        connection.execute(query("rights/references_blank", table=table), {"mark": mark})
    connection.execute(
        "UPDATE rights.request SET note = '', answer = CASE WHEN answer IS NULL THEN NULL ELSE '' END "
        "WHERE trainee_ref = %s",
        (trainee_ref,),
    )
    connection.execute("UPDATE rights.withdrawal SET reason = '' WHERE trainee_ref = %s", (trainee_ref,))
    connection.execute(
        "UPDATE identity.trainee SET nric_mark = %s WHERE trainee_ref = %s", (token_bytes(MARK_BYTES), trainee_ref)
    )
    return counts


def forget_file_name(connection: Connection, upload_id: str, words: set[str] | None = None) -> bool:
    """Take the file's name away; with ``words``, only if one of them stands in it. True if it was taken away."""
    row = connection.execute("SELECT file_name FROM intake.upload WHERE upload_id = %s", (upload_id,)).fetchone()
    if row is None:
        return False
    stem, _, suffix = str(row[0]).rpartition(".")
    parts = {part.casefold() for part in re.split(r"[\W_]+", stem or suffix)}
    if words is not None and not any(
        word.casefold() in parts for word in words if len(word) >= _NAMES_LONG_ENOUGH
    ):
        return False
    name = "removed." + suffix if stem and suffix.isalnum() else "removed"
    for table in ("intake.upload", "intake.upload_history"):
        connection.execute(
            sql.SQL("UPDATE {} SET file_name = %s WHERE upload_id = %s").format(sql.Identifier(*table.split("."))),
            (name, upload_id),
        )
    return True


def _without_marks(connection: Connection, table: str, names: list[str], trainee_ref: str, mark: bytes | None) -> int:
    """Empty the marks of this trainee's rows of a table; returns how many rows."""
    changes = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in names)
    return connection.execute(
        query("rights/mirror_blank", table=table, changes=changes, mark=sql.Identifier("nric_mark")),
        {"ref": trainee_ref, "mark": mark},
    ).rowcount
