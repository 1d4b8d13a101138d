"""Beginning: the record of each submission is loaded, compared with what was approved, and its intent written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.opening import CannotOpen
from tms_pipeline.ssg.trainer import RunTrainer
from tms_pipeline.store.database import Connection
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.record import OpenRecord, load_rows, load_trainers, opened, sealing_subject
from tms_pipeline.submission.statements import statement
from tms_pipeline.workplace import Workplace


class LeaseLost(Exception):
    """The lease or the approval ran out before anything was sent."""


@dataclass(frozen=True)
class Begun:
    """What may be sent now: its intent is written. ``trainers`` goes with an edit of a session."""

    attempt: int
    record: OpenRecord
    trainers: list[RunTrainer] | None


@dataclass(frozen=True)
class SetAside:
    """What may not be sent any more, and why."""

    reason: str


def begin(
    connection: Connection, workplace: Workplace, owner: str, items: Sequence[Claimed]
) -> list[Begun | SetAside | Exception]:
    """Write the intents of what may go, set aside what may not, and commit before anything is sent.

    What cannot be opened comes back as its exception: it is nobody else's trouble.
    """
    rows = load_rows(connection, [(item.kind, item.key) for item in items])
    subjects = {subject for (kind, _), row in rows.items() if (subject := sealing_subject(kind, row))}
    keys = data_keys(connection, workplace.rings.data, subjects, make=False)
    ready: dict[int, tuple[OpenRecord, list[RunTrainer] | None]] = {}
    aside: dict[int, str] = {}
    broken: dict[int, Exception] = {}
    for item in items:
        row = rows.get((item.kind, item.key))
        if row is None:
            aside[item.submission_id] = "the record is gone from the register"
            continue
        try:
            record = opened(connection, workplace.rings, item.kind, row, keys)
            stale = out_of_date(item, record)
            if stale:
                aside[item.submission_id] = stale
            else:
                ready[item.submission_id] = (record, _their_trainers(connection, workplace, item, record))
        except (KeyError, ValueError, CannotOpen) as error:
            broken[item.submission_id] = error
    if aside:
        connection.execute(
            statement("outbox/set_aside"), {"ids": list(aside), "reasons": list(aside.values()), "owner": owner}
        )
    attempts: dict[int, int] = {}
    if ready:
        found = connection.execute(statement("outbox/intent"), {"ids": list(ready), "owner": owner}, prepare=True)
        connection.commit()  # in one go with the intents where the connection is a pipeline
        attempts = dict(found.fetchall())
    results: list[Begun | SetAside | Exception] = []
    for item in items:
        number = item.submission_id
        if number in aside:
            results.append(SetAside(aside[number]))
        elif number in broken:
            results.append(broken[number])
        elif number in attempts:
            results.append(Begun(attempts[number], *ready[number]))
        else:
            results.append(LeaseLost())
    return results


def _their_trainers(
    connection: Connection, workplace: Workplace, item: Claimed, record: OpenRecord
) -> list[RunTrainer] | None:
    """The trainers that the mirror shows on the run of a session, to be resent with its edit; None if one of them is
    not ours, so that her id number is not known here."""
    if item.kind != "session":
        return []
    row = connection.execute(
        "SELECT trainer_codes FROM mirror.course_run WHERE ssg_ref = %s", (str(record.run_id),)
    ).fetchone()
    codes = row[0].split(";") if row and row[0] else []
    found = load_trainers(connection, workplace.rings, codes) if codes else []
    if len(found) != len(codes):
        return None
    return [RunTrainer(id_number=values["trainer_nric"] or "") for values in found]


def out_of_date(item: Claimed, record: OpenRecord) -> str:
    """Why this must not be sent any more; empty if it may. What is sent is what was approved, and still right."""
    if record.content_hash(item.action) != item.content_hash:
        return "the record changed after the plan was made"
    if item.action != "cancel" and not record.wanted:
        return "SSG should not hold this record any more"
    if item.kind == "fee" or item.kind == "attendance" and item.action == "update":
        return "" if record.their_ref else "SSG does not hold this record any more"
    if item.action == "create":
        return "SSG holds this record already" if record.their_ref else ""
    if record.their_ref is None:
        return "SSG does not hold this record any more"
    return "" if item.ssg_ref in (None, record.their_ref) else "SSG holds it under another reference now"
