"""Requests of people, and the clock that runs from the day they came: access, correction, withdrawal of consent.

An access request is answered within 30 days, or the person is told within them when it will be (Personal Data
Protection Regulations 2021, regulation 5).
The same clock runs here for corrections and withdrawals, where no number is given.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.rights.holds import known
from tms_pipeline.roles.reasons import checked
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

DAYS_TO_ANSWER = 30
_NAMES = (
    "request", "trainee", "about", "received_on", "due", "recorded_by", "fields",
    "answered_at", "answered_by", "answer",
)  # fmt: skip


def record(
    connection: Connection,
    workplace: Workplace,
    trainee_ref: str,
    about: str,
    *,
    actor: Actor,
    received_on: date | None = None,
    fields: tuple[str, ...] = (),
    note: str = "",
) -> int:
    """Record a request; returns its number. Raises LookupError for an unknown trainee, ValueError for a day to come."""
    known(connection, trainee_ref)
    checked(note)
    received = received_on or workplace.today()
    if received > workplace.today():
        raise ValueError(f"{received} is still to come; a request is dated by the day it was received.")
    row = connection.execute(
        "INSERT INTO rights.request (trainee_ref, about, received_on, due, recorded_by, fields, note) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING request_id",
        (trainee_ref, about, received, received + timedelta(days=DAYS_TO_ANSWER), actor.name, list(fields), note),
    ).fetchone()
    if row is None:
        raise RuntimeError("a request was not kept")
    append(connection, workplace.rings.audit.key, actor, f"{about} request recorded", "trainee", trainee_ref,
           request=row[0], received_on=received.isoformat(), fields=list(fields))  # fmt: skip
    return int(row[0])


def answered(connection: Connection, trainee_ref: str, about: str, answer: str, *, actor: Actor) -> int:
    """Note that the open requests of this sort were answered; returns how many."""
    return connection.execute(
        "UPDATE rights.request SET answered_at = now(), answered_by = %s, answer = %s "
        "WHERE trainee_ref = %s AND about = %s AND answered_at IS NULL",
        (actor.name, answer, trainee_ref, about),
    ).rowcount


def clock(workplace: Workplace) -> dict[str, Any]:
    """The clock in three figures: open requests, those past their last day, and the next last day."""
    row = workplace.db.rows(
        "SELECT count(*), count(*) FILTER (WHERE due < %s), min(due) FROM rights.request WHERE answered_at IS NULL",
        (workplace.today(),),
    )[0]
    return {"open": row[0], "overdue": row[1], "next_due": row[2]}


def requests(workplace: Workplace, *, open_only: bool = False) -> list[dict[str, Any]]:
    """Every request with the days that are left, the most urgent first."""
    rows = workplace.db.rows(
        "SELECT request_id, trainee_ref, about, received_on, due, recorded_by, fields, answered_at, "
        "answered_by, answer FROM rights.request WHERE NOT %s OR answered_at IS NULL "
        "ORDER BY answered_at IS NOT NULL, due, request_id",
        (open_only,),
    )
    today = workplace.today()
    return [
        {**dict(zip(_NAMES, row, strict=True)), "days_left": None if row[7] else (row[4] - today).days} for row in rows
    ]
