"""A preview: what taking a file in would do, by the very same code, in a transaction that is taken back."""

from __future__ import annotations

import hashlib

from tms_pipeline.audit.log import Actor
from tms_pipeline.intake.evaluation import Evaluation
from tms_pipeline.intake.lookups import known_mappings, resolver
from tms_pipeline.intake.opening import FileRefused, Limits, limits_of
from tms_pipeline.intake.service import INTAKE_LOCK, Taken, opened_upload, take_in_tables, undisturbed
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace


class Preview(Exception):
    """Carries a preview out of the transaction that it takes back."""


@undisturbed()
def preview(
    workplace: Workplace,
    name: str,
    content: bytes,
    *,
    actor: Actor,
    mapping: str | None = None,
    limits: Limits | None = None,
) -> Taken:
    """What taking these bytes in would do: the very same code, in a transaction that is taken back."""
    upload_id = f"preview-{hashlib.sha256(content).hexdigest()[:12]}"
    try:
        opened = opened_upload(workplace, name, content, limits or limits_of(workplace.settings))
        tables, file_faults = find_tables(
            opened, mapping=mapping, resolve=resolver(workplace), mappings=known_mappings(workplace)
        )
    except FileRefused as refusal:
        item = refusal.fault
        return Taken(upload_id, "preview", f"{item.sentence} {item.fix}", [], Evaluation(), [item])
    taken: Taken | None = None
    try:
        with workplace.db.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
            sequences = connection.execute(query("intake/sequences")).fetchall()
            connection.execute(
                "INSERT INTO intake.upload (upload_id, sha256, file_name, received_at, received_by, bytes, state, "
                "correlation_id) VALUES (%s, %s, 'preview', now(), %s, %s, 'received', %s)",
                (upload_id, upload_id, actor.name, len(content), actor.correlation_id),
            )
            taken = take_in_tables(connection, workplace, upload_id, tables, file_faults, actor, hold=False)
            _put_back(connection, sequences)
            raise Preview
    except Preview:
        if taken is None:
            raise
    taken.state = "preview"
    return taken


def _put_back(connection: Connection, sequences: list[tuple[str, int | None, int]]) -> None:
    """Sequences are not taken back with their transaction; under the intake's lock nobody else has moved these."""
    moved = set(connection.execute(query("intake/sequences")).fetchall()) - set(sequences)
    for name, last, start in sequences:
        if any(name == other for other, _, _ in moved):
            connection.execute(
                "SELECT setval(%s::text::regclass, %s, %s)", (name, start if last is None else last, last is not None)
            )
