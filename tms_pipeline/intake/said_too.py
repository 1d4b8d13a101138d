"""Said too: rows that changed nothing when they came, as another upload had said the same, and that count all the same.

Without this, undoing the first of two files that say the same would take away what the second one still says; and a row
that comes late, from a file that was held or because it waited, would change what a newer file had confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.identity.data_keys import KeyShredded
from tms_pipeline.intake.evaluation import Evaluation, evaluate
from tms_pipeline.intake.looked_at import keep_looked_at, tables_again
from tms_pipeline.intake.tables import Table
from tms_pipeline.records.fault import fault
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# Kinds on which other records hang: when one of them is gone, rows of other uploads may have to wait for it again.
_PARENTS = frozenset({"course", "trainer", "course_run", "session", "trainee", "enrolment"})


def uploads_that_may_say_so(connection: Connection, upload_id: str, moved: Mapping[str, Sequence[str]]) -> list[str]:
    """The uploads whose rows may say something of the records (kind → keys) that moved when this one was undone."""
    since = [
        row[0]
        for kind, keys in moved.items()
        for row in connection.execute(
            query("undo/first_undone", history=f"register.{kind}_history"), {"keys": list(keys), "upload_id": upload_id}
        )
    ]
    found = connection.execute(
        query("undo/said_too"), {"upload_id": upload_id, "kinds": list(moved), "since": min(since, default=None)}
    )
    return [row[0] for row in found.fetchall()]


def say_again(
    connection: Connection,
    workplace: Workplace,
    uploads: Sequence[str],
    moved: Mapping[str, Sequence[str]],
    *,
    undone: bool = True,
    actor: Actor,
) -> set[tuple[str, str]]:
    """Let the rows of these uploads count for the records that moved (kind → keys); returns (kind, key) of what they
    brought back. Within the caller's transaction, which holds the intake's lock."""
    wanted = {(kind, key) for kind, keys in moved.items() for key in keys}
    lost = undone and bool(_PARENTS & set(moved))
    brought: set[tuple[str, str]] = set()
    for upload_id in uploads:
        if wanted <= brought:
            break
        brought |= _say_again(connection, workplace, upload_id, lost=lost, actor=actor)
    return brought & wanted


def yield_to_newer(
    connection: Connection,
    workplace: Workplace,
    upload_id: str,
    tables: Sequence[Table],
    evaluation: Evaluation,
    *,
    actor: Actor,
) -> None:
    """Take back what rows that came late changed, where the rows of an upload that was dropped later say otherwise.

    Such a row is superseded. Within the caller's transaction, which holds the intake's lock.
    """
    if not evaluation.changes:
        return
    moved: dict[str, list[str]] = {}
    for change in (change for changes in evaluation.changes.values() for change in changes):
        moved.setdefault(change.kind, []).append(change.key)
    newer = connection.execute(query("intake/newer_uploads"), {"upload_id": upload_id, "kinds": list(moved)})
    uploads = [row[0] for row in newer.fetchall()]
    brought = say_again(connection, workplace, uploads, moved, undone=False, actor=actor)
    if not brought:
        return
    for place, changes in list(evaluation.changes.items()):
        evaluation.changes[place] = [change for change in changes if (change.kind, change.key) not in brought]
        if not evaluation.changes[place]:
            del evaluation.changes[place]
            if place not in evaluation.made and evaluation.statuses.get(place) == "accepted":
                evaluation.statuses[place] = "superseded"
                evaluation.faults[place].append(fault("ROW_OUTRANKED", sheet=tables[place[0]].sheet, row=place[1]))


def _say_again(
    connection: Connection, workplace: Workplace, upload_id: str, *, lost: bool, actor: Actor
) -> set[tuple[str, str]]:
    quiet = set(connection.execute(query("intake/quiet_rows"), {"upload_id": upload_id}).fetchall())
    try:
        numbers, tables = tables_again(connection, workplace, upload_id)
    except KeyShredded:  # destroyed with somebody who was named in it
        return set()
    only = {(at, row) for at, table in enumerate(tables) for row in table.rows.tolist() if (numbers[at], row) in quiet}
    evaluation = evaluate(
        connection, workplace.rings, tables, upload_id=upload_id, today=workplace.today(), only=only,
        priority=workplace.settings.source_priority, rules=rules_of(workplace.settings),
    )  # fmt: skip
    moved = {
        place: (status, status == "rejected")
        for place, status in evaluation.statuses.items()
        if status == "accepted" or (lost and evaluation.waiting(place))
    }
    if not moved:
        return set()
    keep_looked_at(connection, upload_id, numbers, tables, moved, only, evaluation)
    append(
        connection, workplace.rings.audit.key, actor, "rows looked at again", "upload", upload_id, rows=len(moved),
        written={kind: list(pair) for kind, pair in evaluation.written.items() if sum(pair)},
    )  # fmt: skip
    return {
        (kind, key)
        for kind, places, keys in evaluation.said
        for place, key in zip(places, keys, strict=True)
        if evaluation.statuses.get(place) == "accepted"
    }
