"""Holds: what a person keeps from being sent, and what the guards withheld; and how it is released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

_ACTIONS = ("create", "update", "cancel")


@dataclass(frozen=True)
class Hold:
    """A hold that stands: new changes that it fits are held too."""

    hold_id: int
    kind: str | None
    action: str | None
    key: str | None
    reason: str
    held_by: str
    held_at: datetime
    held_now: int


@needs("hold")
def hold(
    workplace: Workplace, *, reason: str, actor: Actor, kind: str | None = None, action: str | None = None,
    key: str | None = None,
) -> int:
    """Hold a kind, a part (kind and action) or one record's changes, now and in plans to come; returns how many now.

    What is being sent or unknown is not held: it must be found out first, and is held if it would be sent again.
    Raises ValueError.
    """
    _check(kind, action, key)
    if not reason.strip():
        raise ValueError("A hold needs a reason.")
    with workplace.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.hold (kind, action, key, reason, held_by) VALUES (%s, %s, %s, %s, %s)",
            (kind, action, key, reason, actor.name),
        )
        held = connection.execute(
            query("outbox/hold"),
            {"kind": kind, "action": action, "key": key, "reason": f"held by {actor.name}: {reason}"},
        ).rowcount
        append(connection, workplace.rings.audit.key, actor, "held", "submissions", _name(kind, action, key),
               reason=reason, submissions=held)
    return held


@needs("release")
def release(
    workplace: Workplace, *, reason: str, actor: Actor, kind: str | None = None, action: str | None = None,
    key: str | None = None,
) -> int:
    """End the holds that fit, and let go what they and the guards hold of this kind, part or record; returns how many.

    What is released still needs the approval that its policy wants. Raises ValueError.
    """
    _check(kind, action, key)
    if not reason.strip():
        raise ValueError("A release needs a reason.")
    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE outbox.hold SET released_at = now(), released_by = %(person)s, release_reason = %(reason)s "
            "WHERE released_at IS NULL AND kind IS NOT DISTINCT FROM %(kind)s AND key IS NOT DISTINCT FROM %(key)s "
            "AND (%(action)s::text IS NULL OR action IS NOT DISTINCT FROM %(action)s)",
            {"person": actor.name, "reason": reason, "kind": kind, "action": action, "key": key},
        )
        freed = connection.execute(
            query("outbox/release"),
            {"kind": kind, "action": action, "key": key, "reason": f"released by {actor.name}: {reason}"},
        ).rowcount
        append(connection, workplace.rings.audit.key, actor, "released", "submissions", _name(kind, action, key),
               reason=reason, submissions=freed)
    return freed


def holds(workplace: Workplace) -> list[Hold]:
    """The holds that stand."""
    return [Hold(*row) for row in workplace.db.rows(query("outbox/holds"))]


def withheld(workplace: Workplace) -> list[dict[str, object]]:
    """Everything that is held now, by the guards or by a person, with the reason: nothing is held unseen."""
    rows = workplace.db.rows(
        "SELECT submission_id, kind, action, key, reason, deadline, plan_id FROM outbox.submission "
        "WHERE state = 'held' ORDER BY due, order_no, submission_id"
    )
    names = ("submission_id", "kind", "action", "key", "reason", "deadline", "plan_id")
    return [dict(zip(names, row, strict=True)) for row in rows]


def discard_withheld(workplace: Workplace, submission_id: int, *, reason: str, actor: Actor) -> None:
    """Give a held change up, with a reason: it is not planned again until the record changes. Raises ValueError."""
    if not reason.strip():
        raise ValueError("To discard a held change takes a reason.")
    with workplace.db.transaction() as connection:
        row = connection.execute(
            "UPDATE outbox.submission SET state = 'discarded', reason = %s, finished_at = now() "
            "WHERE submission_id = %s AND state = 'held' RETURNING kind, key",
            (f"discarded by {actor.name}: {reason}", submission_id),
        ).fetchone()
        if row is None:
            raise ValueError(f"Submission {submission_id} is not held.")
        append(connection, workplace.rings.audit.key, actor, "held change discarded", "submission", str(submission_id),
               kind=row[0], record=row[1], reason=reason)


def _check(kind: str | None, action: str | None, key: str | None) -> None:
    known = [item.name for item in SUBMITTED]
    if kind is None and key is None:
        raise ValueError("Say what: a kind, a kind and an action, or a key.")
    if kind is not None and kind not in known:
        raise ValueError(f"'{kind}' is never submitted; the kinds are {', '.join(known)}.")
    if action is not None and action not in _ACTIONS:
        raise ValueError(f"'{action}' is no action; the actions are {', '.join(_ACTIONS)}.")


def _name(kind: str | None, action: str | None, key: str | None) -> str:
    return " ".join(part for part in (kind, action, key) if part)
