"""The second look: rows that waited for a course, run, session, trainer, trainee or enrolment, when more has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.intake import landing
from tms_pipeline.intake.evaluation import WAITING_CODES, Evaluation, Place, evaluate
from tms_pipeline.intake.lookups import known_mappings, resolver
from tms_pipeline.intake.opening import FileRefused
from tms_pipeline.intake.service import INTAKE_LOCK, keep_faults
from tms_pipeline.intake.tables import Table, find_tables
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


def tables_again(connection: Connection, workplace: Workplace, upload_id: str) -> tuple[list[int], list[Table]]:
    """The tables of an upload, found anew in what landed, each with its number. Raises KeyShredded."""
    kinds: dict[int, list[str]] = dict(
        connection.execute(
            "SELECT table_no, kinds FROM intake.landing_table WHERE upload_id = %s", (upload_id,)
        ).fetchall()
    )
    numbers: list[int] = []
    tables: list[Table] = []
    for number, grid, mapping in landing.landed(connection, workplace.rings, upload_id):
        try:
            found, _ = find_tables(
                landing.as_file(grid), mapping=mapping, resolve=resolver(workplace), mappings=known_mappings(workplace)
            )
        except FileRefused:  # its mapping is gone: these rows wait on, and keep no others waiting
            continue
        # Enrolments with a column for each session land as two tables, and each of the two reads as both again.
        found = [table for table in found if list(table.kinds) == kinds[number]] or found
        numbers += [number] * len(found)
        tables += found
    return numbers, tables


def keep_looked_at(
    connection: Connection,
    upload_id: str,
    numbers: Sequence[int],
    tables: Sequence[Table],
    moved: Mapping[Place, tuple[str, bool]],
    only: set[Place],
    evaluation: Evaluation,
) -> None:
    """Keep the (status, whether it waits) of the rows that moved, with what is said of them, and count anew."""
    for (index, row), (status, waits) in moved.items():
        connection.execute(
            "UPDATE intake.landing_row SET status = %s, waiting = %s, note = 'looked at again' "
            "WHERE upload_id = %s AND table_no = %s AND row_number = %s",
            (status, waits, upload_id, numbers[index], row),
        )
    rows_of = [set(table.rows.tolist()) for table in tables]
    for sheet, row in {(tables[index].sheet, row) for index, row in moved}:
        places = [(at, row) for at, table in enumerate(tables) if table.sheet == sheet and row in rows_of[at]]
        _keep_reasons(connection, upload_id, sheet, places, only, evaluation)
    if moved:
        connection.execute(query("intake/recount"), {"upload_id": upload_id})


def _keep_reasons(
    connection: Connection, upload_id: str, sheet: str, places: list[Place], only: set[Place], evaluation: Evaluation
) -> None:
    """What is said of a sheet row now. Two tables can share it, and what was said of one that waits no more stays."""
    row = places[0][1]
    looked_at = [place for place in places if place in only]
    faults = [item for place in looked_at for item in evaluation.faults.get(place, [])]
    if len(looked_at) == len(places):
        connection.execute(
            "DELETE FROM intake.rejection WHERE upload_id = %s AND sheet = %s AND row_number = %s",
            (upload_id, sheet, row),
        )
    else:
        connection.execute(
            "DELETE FROM intake.rejection WHERE upload_id = %s AND sheet = %s AND row_number = %s AND code = ANY(%s)",
            (upload_id, sheet, row, sorted(WAITING_CODES)),
        )
        faults = [item for item in faults if item.severity == "error"]
    keep_faults(connection, upload_id, faults)
