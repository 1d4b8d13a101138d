"""Corrections: what somebody says is wrong is put right by a small file of its own, through the checks of any other.

So the old value stays in the history, the new one is checked, and SSG is told by the next plan.
"""

from __future__ import annotations

import csv
import io

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.rights import requests
from tms_pipeline.rights.holds import known
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

KIND = kind_named("trainee")
FIELDS = tuple(field.name for field in KIND.fields if field.name != "nric")


def correct(workplace: Workplace, trainee_ref: str, field: str, value: str, *, actor: Actor, note: str = "") -> str:
    """Put one field of a trainee right; returns the upload that did it.

    Raises LookupError for an unknown trainee, ValueError for an unknown field or a value that a check refuses.
    """
    if field not in FIELDS:
        raise ValueError(f"'{field[:30]}' cannot be corrected here; it is one of {', '.join(FIELDS)}.")
    with workplace.db.transaction() as connection:
        if not _asked(connection, trainee_ref, field):
            requests.record(connection, workplace, trainee_ref, "correction", actor=actor, fields=(field,), note=note)
        content = _row(connection, workplace, trainee_ref, field, value)
    # The name is ours: a person's would stay in it.
    upload_id, new = receive(workplace, f"correction {trainee_ref}.csv", content, source="correction", actor=actor)
    if not new:
        raise ValueError(f"This very correction was made before, by upload {upload_id}.")
    taken = take_in(workplace, upload_id, actor=actor, hold=False)
    errors = [item for items in taken.evaluation.faults.values() for item in items if item.severity == "error"]
    if errors or taken.file_faults:
        first = (errors or taken.file_faults)[0]
        raise ValueError(f"The correction was not taken: {first.sentence} {first.fix}")
    counts = taken.counts()
    with workplace.db.transaction() as connection:
        if not counts["accepted"]:
            words = "it says what stands already" if counts["unchanged"] else "its source counts less than what stands"
            raise ValueError(f"The correction changed nothing: {words}.")
        requests.answered(connection, trainee_ref, "correction", f"put right by upload {upload_id}", actor=actor)
        append(connection, workplace.rings.audit.key, actor, "corrected", "trainee", trainee_ref, field=field,
               upload=upload_id)  # fmt: skip
    return upload_id


def _asked(connection: Connection, trainee_ref: str, field: str) -> bool:
    """Whether the request stands already, as after a value that a check refused."""
    return (
        connection.execute(
            "SELECT FROM rights.request WHERE trainee_ref = %s AND about = 'correction' AND fields = %s "
            "AND answered_at IS NULL",
            (trainee_ref, [field]),
        ).fetchone()
        is not None
    )


@opening_for("subject access")
def _row(connection: Connection, workplace: Workplace, trainee_ref: str, field: str, value: str) -> bytes:
    known(connection, trainee_ref)
    plain = [item.name for item in KIND.plain_fields]
    personal = [item.name for item in KIND.personal_fields]
    columns = ", ".join([*plain, *(f"{name}_sealed" for name in personal)])
    row = connection.execute(
        f"SELECT {columns} FROM register.trainee WHERE trainee_ref = %s",  # noqa: S608  (names of fields)
        (trainee_ref,),
    ).fetchone()
    if row is None:
        raise LookupError(f"The register holds no trainee {trainee_ref}.")
    key = data_keys(connection, workplace.rings.data, [f"trainee:{trainee_ref}"], make=False)[f"trainee:{trainee_ref}"]
    values = dict(zip(plain, row, strict=False))
    for name, sealed in zip(personal, row[len(plain) :], strict=True):
        values[name] = (
            open_sealed(key, bytes(sealed), place("register.trainee", name, trainee_ref)).decode() if sealed else ""
        )
    values[field] = value
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([item.title for item in KIND.fields])
    writer.writerow([values[item.name] if values[item.name] is not None else "" for item in KIND.fields])
    return text.getvalue().encode()
