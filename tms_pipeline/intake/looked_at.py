"""Looked at: rows that landed read again, and what is kept of a row when it is looked at another time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tms_pipeline.intake import landing
from tms_pipeline.intake.evaluation import WAITING_CODES, Evaluation, Place
from tms_pipeline.intake.lookups import known_mappings, resolver
from tms_pipeline.intake.opening import FileRefused
from tms_pipeline.intake.tables import Table, find_tables
from tms_pipeline.records.fault import Fault
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace


def keep_faults(connection: Connection, upload_id: str, faults: list[Fault]) -> None:
    """Keep faults for the result workbook and the reports."""
    copy_rows(
        connection,
        "intake.rejection",
        ("upload_id", "sheet", "row_number", "column_title", "code", "severity", "sentence", "fix"),
        ((upload_id, f.sheet, f.row, f.column, f.code, f.severity, f.sentence, f.fix) for f in faults),
    )


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
