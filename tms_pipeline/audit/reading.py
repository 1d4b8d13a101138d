"""Reading the audit log: by entity, person, correlation id and time; who saw what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import text

# The actions by which somebody got to see personal values or let them out, as they are written; and the verbs of
# which a refusal is one that was tried.
SIGHTS = ("revealed", "subject access exported", "plan approved", "data keys exported")
_TRIED = ("reveal", "subject-access", "approve", "keys export")
_NAMES = ("seq", "at", "actor", "role", "action", "entity", "entity_key", "correlation_id", "details")


def show(
    db: Database | Connection,
    *,
    entity: str = "",
    person: str = "",
    correlation: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    saw: bool = False,
    last: int = 20,
) -> list[dict[str, Any]]:
    """The last entries that fit, the newest first."""
    parameters = {
        "entity": entity, "person": person, "correlation": correlation, "action": action, "since": since,
        "until": until, "saw": saw, "sights": list(SIGHTS), "tried": list(_TRIED),
        "last": last,
    }  # fmt: skip
    statement = text("audit/show")
    rows = (
        db.rows(statement, parameters)
        if isinstance(db, Database)
        else db.execute(statement, parameters).fetchall()
    )
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]


def of_records(connection: Connection, trainee_ref: str) -> list[dict[str, Any]]:
    """The entries about the records of a trainee, the newest first."""
    rows = connection.execute(text("audit/of_records"), {"ref": trainee_ref}).fetchall()
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]
