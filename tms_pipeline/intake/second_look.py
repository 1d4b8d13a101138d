"""The second look: rows that waited for a course, run, session, trainer, trainee or enrolment, when more has come."""

from __future__ import annotations

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.intake.evaluation import evaluate
from tms_pipeline.intake.looked_at import keep_looked_at, tables_again
from tms_pipeline.intake.said_too import yield_to_newer
from tms_pipeline.intake.service import INTAKE_LOCK
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace


def look_again(workplace: Workplace, *, actor: Actor) -> list[str]:
    """Check the rows again that waited for a parent; returns the uploads where something moved."""
    moved = []
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
        waiting = connection.execute(query("intake/waiting_uploads")).fetchall()
        for (upload_id,) in waiting:
            if _look_again(connection, workplace, upload_id, actor):
                moved.append(upload_id)
    return moved


def _look_again(connection: Connection, workplace: Workplace, upload_id: str, actor: Actor) -> bool:
    waiting = set(
        connection.execute(
            "SELECT table_no, row_number FROM intake.landing_row WHERE upload_id = %s AND waiting", (upload_id,)
        ).fetchall()
    )
    numbers, tables = tables_again(connection, workplace, upload_id)
    # All rows are read, as the order of a date column is proven by the whole column; only the waiting ones count.
    only = {(index, row) for index, number in enumerate(numbers) for table_no, row in waiting if table_no == number}
    evaluation = evaluate(
        connection, workplace.rings, tables, upload_id=upload_id, today=workplace.today(), only=only,
        priority=workplace.settings.source_priority, rules=rules_of(workplace.settings),
    )
    yield_to_newer(connection, workplace, upload_id, tables, evaluation, actor=actor)
    moved = {place: (status, False) for place, status in evaluation.statuses.items() if not evaluation.waiting(place)}
    keep_looked_at(connection, upload_id, numbers, tables, moved, only, evaluation)
    if not moved:
        return False
    append(
        connection,
        workplace.rings.audit.key,
        actor,
        "rows looked at again",
        "upload",
        upload_id,
        rows=len(moved),
        written={kind: list(pair) for kind, pair in evaluation.written.items() if sum(pair)},
    )
    return True
