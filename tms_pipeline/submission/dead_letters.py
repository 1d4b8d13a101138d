"""Dead letters: submissions that need a person. Why, since when, what to do, and what waits behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.roles.guard import needs
from tms_pipeline.ssg.errors import entry
from tms_pipeline.store.queries import query
from tms_pipeline.submission.states import SENT_AND_GIVEN_UP
from tms_pipeline.submission.stopped import keep_stopped
from tms_pipeline.workplace import Workplace


class NoDeadLetter(LookupError):
    """There is no such dead letter; the message is one sentence."""


@dataclass(frozen=True)
class DeadLetter:
    """One of them, as a list shows it. ``behind`` counts what waits for it, however far."""

    submission_id: int
    kind: str
    key: str
    action: str
    state: str
    since: datetime
    attempts: int
    error_code: str | None
    why: str
    what_to_do: str
    deadline: Any
    behind: int
    upload_id: str | None
    sheet: str | None
    row_number: int | None


@dataclass(frozen=True)
class Shown:
    """One of them in full: its attempts, and what waits behind it."""

    letter: DeadLetter
    attempts: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)


@needs("dead-letters list")
def dead_letters(workplace: Workplace, *, error_code: str | None = None, kind: str | None = None) -> list[DeadLetter]:
    """All dead letters, nearest deadline first."""
    with workplace.db.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            query("outbox/dead_letters"), {"id": None, "code": error_code, "kind": kind, "sent": SENT_AND_GIVEN_UP}
        ).fetchall()
    return [_letter(row) for row in rows]


@needs("dead-letters show")
def show(workplace: Workplace, submission_id: int) -> Shown:
    """One dead letter in full. Raises NoDeadLetter."""
    with workplace.db.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            query("outbox/dead_letters"), {"id": submission_id, "code": None, "kind": None, "sent": SENT_AND_GIVEN_UP}
        ).fetchone()
        if row is None:
            raise NoDeadLetter(f"Submission {submission_id} is no dead letter.")
        attempts = cursor.execute(
            "SELECT number, step, started_at, finished_at, outcome, http_status, error_class, error_code, seconds "
            "FROM outbox.attempt WHERE submission_id = %s ORDER BY attempt_id", (submission_id,)
        ).fetchall()
        waiting = cursor.execute(query("outbox/behind"), {"id": submission_id}).fetchall()
    return Shown(_letter(row), attempts, waiting)


@needs("dead-letters retry")
def retry(workplace: Workplace, submission_id: int, *, reason: str, actor: Actor) -> str:
    """Send it again: its attempts and its age begin anew. What was sent and never found is searched for first.

    Returns the state it is in now: held where a hold stands. Raises NoDeadLetter.
    """
    return _retry(workplace, [submission_id], reason, actor, strict=True)[submission_id]


@needs("dead-letters retry")
def redrive(workplace: Workplace, error_code: str, *, reason: str, actor: Actor, kind: str | None = None) -> int:
    """Retry all dead letters with this error code, as after SSG was mended; returns how many."""
    ids = [letter.submission_id for letter in dead_letters(workplace, error_code=error_code, kind=kind)]
    return len(_retry(workplace, ids, reason, actor, strict=False))


@needs("dead-letters discard")
def discard(workplace: Workplace, submission_id: int, *, reason: str, actor: Actor) -> None:
    """Give it up, with a reason: it is not planned again until the record changes. Raises NoDeadLetter."""
    if not reason.strip():
        raise ValueError("To discard a dead letter takes a reason.")
    with workplace.db.transaction() as connection:
        row = connection.execute(
            "UPDATE outbox.submission SET state = 'discarded', reason = %s, finished_at = now() "
            "WHERE submission_id = %s AND state IN ('rejected', 'dead') RETURNING kind, key, error_code",
            (f"discarded by {actor.name}: {reason}", submission_id),
        ).fetchone()
        if row is None:
            raise NoDeadLetter(f"Submission {submission_id} is no dead letter.")
        append(connection, workplace.rings.audit.key, actor, "dead letter discarded", "submission", str(submission_id),
               kind=row[0], record=row[1], code=row[2], reason=reason)


def _retry(
    workplace: Workplace, ids: list[int], reason: str, actor: Actor, *, strict: bool
) -> dict[int, str]:
    with workplace.db.transaction() as connection:
        rows = connection.execute(
            query("outbox/retry"),
            {"ids": ids, "hours": workplace.settings.approval_hours, "person": f"retry: {actor.name}"},
        ).fetchall()
        if strict and not rows:
            raise NoDeadLetter(f"Submission {ids[0]} is no dead letter.")
        keep_stopped(connection, [(row[2], row[0]) for row in rows], today=workplace.today())
        now: dict[int, str] = dict(connection.execute(
            "SELECT submission_id, state FROM outbox.submission WHERE submission_id = ANY(%s)",
            ([row[0] for row in rows],),
        ).fetchall())
        for submission_id, _, kind, key, code in rows:
            append(connection, workplace.rings.audit.key, actor, "dead letter retried", "submission",
                   str(submission_id), kind=kind, record=key, code=code, reason=reason, state=now[submission_id])
    return now


def _letter(row: dict[str, Any]) -> DeadLetter:
    row = dict(row)
    why, todo = row.pop("sentence"), row.pop("remedy")
    if row["error_code"] and not todo:
        try:
            known = entry(row["error_code"])
            why, todo = why or known.sentence, known.remedy
        except KeyError:
            pass
    return DeadLetter(
        why=why or row.pop("reason") or "Given up after its last attempt.",
        what_to_do=todo or "Correct the row and drop it again, retry it, or discard it with a reason.",
        **{name: value for name, value in row.items() if name != "reason"},
    )
