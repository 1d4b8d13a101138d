"""Reveal: one personal value of one record to one person, with a reason, in the audit log before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import sql

from tms_pipeline.audit.log import append
from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.registers.staging import subject_of
from tms_pipeline.roles.guard import needs, refuse
from tms_pipeline.roles.reasons import checked
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

_LEAST_REASON = 10


@dataclass(frozen=True)
class Revealed:
    """The value, and how many more the person may see today."""

    value: str = field(repr=False)
    entry: int
    left_today: int


def fields() -> dict[str, str]:
    """Every field that can be revealed, with the record kind that holds it."""
    return {
        item.name: kind.name
        for kind in KINDS.values()
        for item in kind.fields
        if item.personal and (item.name != "nric" or kind.name == "trainee")
    }


@needs("reveal")
def reveal(workplace: Workplace, reference: str, name: str, *, reason: str) -> Revealed:
    """The value of one field of a trainee (by our reference), a trainer (by code) or an enrolment (by our key).

    The audit entry is committed before the value is opened. Raises LookupError for a record or value that is not
    there, ValueError for a field or reason that will not do, NotAllowed past the day's limit (TMS_REVEALS_PER_DAY),
    each with one sentence.
    """
    known = fields()
    if name not in known:
        raise ValueError(f"There is no personal field '{name}'; there are {', '.join(sorted(known))}.")
    reason = reason.strip()
    if len(reason) < _LEAST_REASON:
        raise ValueError(f"Give a reason of {_LEAST_REASON} letters or more; it is kept in the audit log.")
    checked(reason)
    kind, person = known[name], workplace.person
    with workplace.db.transaction() as connection:
        # One after the other for each person, so that two at once cannot both be the last of the day.
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('reveal ' || %s, 0))", (person.name,))
        found = _sealed(connection, kind, reference, name)
        used, day = connection.execute(
            "SELECT (SELECT count(*) FROM identity.reveal WHERE person = %(person)s AND day = today.day), today.day "
            "FROM (SELECT (clock_timestamp() AT TIME ZONE %(zone)s)::date AS day) AS today",
            {"person": person.name, "zone": workplace.settings.timezone},
        ).fetchone() or (0, None)
        limit = workplace.settings.reveals_per_day
        if used < limit:
            connection.execute(
                "INSERT INTO identity.reveal (person, day, entity_key, field) VALUES (%s, %s, %s, %s)",
                (person.name, day, reference, name),
            )
            entry = append(
                connection,
                workplace.rings.audit.key,
                workplace.actor(),
                "revealed",
                kind,
                reference,
                field=name,
                reason=reason,
                number_today=used + 1,
            )
    if used >= limit:
        refuse(
            workplace,
            f"{person.name} has revealed {used} values today, and {limit} a day are allowed "
            "(TMS_REVEALS_PER_DAY); go on tomorrow or ask an admin.",
            sort="verb",
            name="reveal",
            about=reference,
        )
    with workplace.db.transaction() as connection:
        return Revealed(_open(connection, workplace, kind, reference, name, found), entry, limit - used - 1)


def _sealed(connection: Connection, kind: str, reference: str, name: str) -> tuple[str, bytes]:
    """The subject whose key opens the value, and the value."""
    ref = sql.Identifier("trainee_ref") if "nric" in KINDS[kind].names else sql.SQL("NULL")
    row = connection.execute(
        sql.SQL("SELECT {}, {} FROM {} WHERE key = %s").format(
            ref, sql.Identifier(f"{name}_sealed"), sql.Identifier("register", kind)
        ),
        (reference,),
    ).fetchone()
    if row is None:
        raise LookupError(f"There is no {kind} {reference}; give the reference as the reports show it.")
    if row[1] is None:
        raise LookupError(f"The register holds no {name} of {kind} {reference}.")
    return subject_of(KINDS[kind], reference, row[0]), bytes(row[1])


@opening_for("reveal")
def _open(
    connection: Connection, workplace: Workplace, kind: str, reference: str, name: str, found: tuple[str, bytes]
) -> str:
    subject, sealed = found
    try:
        keys = data_keys(connection, workplace.rings.data, [subject], make=False)
    except KeyShredded:
        raise LookupError(f"The {name} of {kind} {reference} was shredded; nobody can open it any more.") from None
    return open_sealed(keys[subject], sealed, place(f"register.{kind}", name, reference)).decode()
