"""Approvals: who lets a plan go, part by part, bound to its hash, for a while, as a ceiling.

A part is a kind and an action ("enrolment.cancel"). The policy says of each part: ``auto``, ``review`` (one person)
or ``two-person`` (two, and nobody approves what their own upload brought).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.roles.guard import approver, needs
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.policy import MODES, Mode, policy_of
from tms_pipeline.workplace import Workplace

_STRICTNESS = {mode: number for number, mode in enumerate(MODES)}


class ApprovalRefused(ValueError):
    """The approval may not be given; the message is one sentence that says why."""


@dataclass
class Approved:
    """What an approval did: how many became ready, and which parts still wait for what."""

    ready: int = 0
    waiting: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def approve_by_policy(workplace: Workplace, plan_id: str, plan_hash: str, *, actor: Actor) -> Approved:
    """Let go what needs no person, and what persons have approved already under this very hash.

    Raises ApprovalRefused when the plan is not the newest or the hash is another.
    """
    policy = policy_of(workplace.settings.approval_policy)
    with workplace.db.transaction() as connection:
        done = Approved()
        for kind, action, changes in _parts(connection, plan_id, plan_hash):
            mode = policy.mode(kind, action)
            if mode == "auto":
                _note(connection, workplace, plan_id, plan_hash, kind, action, mode, actor, changes)
            _let_go(connection, plan_id, plan_hash, kind, action, mode, done)
        _close(connection, workplace, plan_id, plan_hash, actor, done, "by policy")
    return done


@needs("approve")
def approve_plan(
    workplace: Workplace, plan_id: str, plan_hash: str, *, actor: Actor, parts: Iterable[str] | None = None,
    at_most: int | None = None,
) -> Approved:
    """A person approves a plan, or parts of it ("enrolment", "course_run.cancel").

    ``at_most``: refuse if the plan holds more changes than the person saw. Parts under ``two-person`` go as soon as
    two have approved; nobody approves what their own upload brought, which is said in ``refused``. Raises
    ApprovalRefused when nothing at all may be approved.
    """
    actor = approver(workplace, actor)
    policy = policy_of(workplace.settings.approval_policy)
    wanted = None if parts is None else set(parts)
    with workplace.db.transaction() as connection:
        done = Approved()
        found = [
            part for part in _parts(connection, plan_id, plan_hash)
            if wanted is None or part[0] in wanted or f"{part[0]}.{part[1]}" in wanted
        ]
        total = sum(changes for _, _, changes in found)
        if at_most is not None and total > at_most:
            raise ApprovalRefused(f"Plan {plan_id} holds {total} changes, more than the {at_most} that you approve.")
        for kind, action, changes in found:
            mode = policy.mode(kind, action)
            own = _own_rows(connection, plan_id, kind, action, actor) if mode == "two-person" else 0
            if own:
                done.refused[f"{kind}.{action}"] = (
                    f"{own} of {changes} came with an upload of your own; somebody else must approve them."
                )
                continue
            _note(connection, workplace, plan_id, plan_hash, kind, action, mode, actor, changes)
            _let_go(connection, plan_id, plan_hash, kind, action, mode, done)
        if done.refused and not done.ready and len(done.refused) == len(found):
            raise ApprovalRefused(" ".join(f"{part}: {why}" for part, why in done.refused.items()))
        _close(connection, workplace, plan_id, plan_hash, actor, done, "by a person")
    return done


def approve(workplace: Workplace, plan_id: str, plan_hash: str, *, actor: Actor, policy: str = "auto") -> int:
    """Approve and say how many became ready: by policy alone (``auto``), or as a person."""
    if policy == "auto":
        return approve_by_policy(workplace, plan_id, plan_hash, actor=actor).ready
    return approve_plan(workplace, plan_id, plan_hash, actor=actor).ready


def _parts(connection: Connection, plan_id: str, plan_hash: str) -> list[tuple[str, str, int]]:
    # Before the row: a planner holds the table and then wants the row, so the other way round would be a deadlock.
    connection.execute("LOCK TABLE outbox.plan IN ROW EXCLUSIVE MODE")
    row = connection.execute(
        "SELECT plan_hash, state FROM outbox.plan WHERE plan_id = %s FOR UPDATE", (plan_id,)
    ).fetchone()
    if row is None or row[0] != plan_hash:
        raise ApprovalRefused(f"Plan {plan_id} is not the one that was looked at; make a new plan and look again.")
    if row[1] == "replaced":
        raise ApprovalRefused(f"Plan {plan_id} was replaced by a newer one; look at that.")
    return [
        (kind, action, count)
        for kind, action, count in connection.execute(
            "SELECT kind, action, count(*) FROM outbox.submission WHERE plan_id = %s AND state = 'planned' "
            "GROUP BY kind, action ORDER BY min(order_no), kind, action",
            (plan_id,),
        )
    ]


def _own_rows(connection: Connection, plan_id: str, kind: str, action: str, actor: Actor) -> int:
    row = connection.execute(query("outbox/own_rows"), {
        "plan": plan_id, "kind": kind, "action": action, "person": actor.name,
    }).fetchone()
    return int(row[0]) if row else 0


def _note(
    connection: Connection, workplace: Workplace, plan_id: str, plan_hash: str, kind: str, action: str, mode: Mode,
    actor: Actor, changes: int,
) -> None:
    expires = datetime.now(UTC) + timedelta(hours=workplace.settings.approval_hours)
    connection.execute(
        "INSERT INTO outbox.approval (plan_id, plan_hash, kind, action, policy, approved_by, expires_at, changes) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (plan_id, kind, action, approved_by) "
        "DO UPDATE SET expires_at = excluded.expires_at, changes = excluded.changes, approved_at = now()",
        (plan_id, plan_hash, kind, action, mode, actor.name, expires, changes),
    )


def _let_go(
    connection: Connection, plan_id: str, plan_hash: str, kind: str, action: str, mode: Mode, done: Approved
) -> None:
    """Move what has enough approvals of this very hash to ready, until the first of them expires."""
    found = connection.execute(
        query("outbox/approvals"), {"hash": plan_hash, "kind": kind, "action": action}
    ).fetchall()
    persons = {person: expires for person, policy, expires in found if mode == "auto" or policy != "auto"}
    needed = 2 if mode == "two-person" else 1
    if len(persons) < needed:
        waits = {"review": "a person's approval", "two-person": "two persons' approval"}.get(mode, "its approval")
        given = f"; {len(persons)} of {needed} given" if persons else ""
        done.waiting[f"{kind}.{action}"] = f"waits for {waits}{given}"
        return
    until = sorted(persons.values(), reverse=True)[needed - 1]
    moved = connection.execute(
        "UPDATE outbox.submission SET state = 'ready', approved_by = %s, approved_until = %s "
        "WHERE plan_id = %s AND kind = %s AND action = %s AND state = 'planned'",
        (f"{mode}: {', '.join(sorted(persons))}", until, plan_id, kind, action),
    ).rowcount
    done.ready += moved


def _close(
    connection: Connection, workplace: Workplace, plan_id: str, plan_hash: str, actor: Actor, done: Approved, how: str
) -> None:
    if not done.waiting and not done.refused:
        connection.execute(
            "UPDATE outbox.plan SET state = 'approved' WHERE plan_id = %(plan)s AND NOT EXISTS "
            "(SELECT FROM outbox.submission WHERE plan_id = %(plan)s AND state = 'planned')",
            {"plan": plan_id},
        )
    append(connection, workplace.rings.audit.key, actor, "plan approved", "plan", plan_id, hash=plan_hash, how=how,
           submissions=done.ready, waiting=sorted(done.waiting), refused=sorted(done.refused))


def strictest(modes: Iterable[Mode]) -> Mode:
    """The strictest of some modes; ``auto`` of none."""
    return max(modes, key=_STRICTNESS.__getitem__, default="auto")


@needs("waiting")
def waiting_parts(workplace: Workplace) -> list[dict[str, object]]:
    """What waits for approval now, by part: plan, kind, action, how many, the mode, who has approved already."""
    policy = policy_of(workplace.settings.approval_policy)
    rows = workplace.db.rows(query("outbox/waiting_parts"))
    return [
        {"plan": plan, "hash": plan_hash, "kind": kind, "action": action, "changes": changes,
         "mode": policy.mode(kind, action), "approved_by": sorted(persons or []), "uploads": sorted(uploads or [])}
        for plan, plan_hash, kind, action, changes, persons, uploads in rows
    ]


