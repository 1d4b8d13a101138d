"""Planning: the differences of all kinds into a plan, and the plan into the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from psycopg.types.json import Jsonb

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.deadlines import deadline_of
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.diff.guards import guards_of
from tms_pipeline.diff.plan import Change, Guard, Plan, make_plan
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.roles.guard import needs
from tms_pipeline.settled.narrowed import narrowed
from tms_pipeline.settled.overlooked import in_plan
from tms_pipeline.settled.scope import scope_of
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.submission.approvals import approve, approve_by_policy
from tms_pipeline.workplace import Workplace

_TRIES = 8

__all__ = ["approve", "approve_by_policy", "plan_now"]


@needs("plan")
def plan_now(
    workplace: Workplace, *, actor: Actor, not_read: tuple[str, ...] = (), keep: bool = True
) -> tuple[str, Plan]:
    """Compare registers with mirror and put the plan into the outbox; returns (plan id, plan).

    Without ``keep`` nothing is written: a look at what would be sent. Submissions of an older plan that were not
    sent yet give way to the new plan's. Everything is read in one snapshot: else a record that a worker brings to
    SSG between two of the reads would be planned once more.
    """
    for attempt in range(_TRIES):
        try:
            return _plan_once(workplace, actor, not_read, keep=keep)
        except (SerializationFailure, DeadlockDetected, UniqueViolation):
            # A worker moved a submission that this plan was about to move.
            if attempt + 1 == _TRIES:
                raise
    raise AssertionError("unreachable")


def _plan_once(workplace: Workplace, actor: Actor, not_read: tuple[str, ...], *, keep: bool) -> tuple[str, Plan]:
    settings = workplace.settings
    guard = Guard(count=settings.guard_count, share=settings.guard_share, kinds=guards_of(settings.guard_kinds))
    with workplace.db.transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # LOCK takes no snapshot: whoever waited here sees what the one before wrote.
        connection.execute("LOCK TABLE outbox.plan IN SHARE ROW EXCLUSIVE MODE")
        today, rules = workplace.today(), rules_of(settings)
        scope = scope_of(connection, today=today, rules=rules, full_look_days=settings.full_look_days)
        with narrowed(connection, scope.differing, by_lookup=True):
            unread = connection.execute(query("diff/unread")).fetchall()
            changes = list(_changes(connection, today, rules))
        plan = make_plan(
            changes,
            live_at_ssg=_live(connection, changes, guard),
            guard=guard,
            not_read=not_read,
            unread={f"{kind}:{key}" for kind, key in unread},
            resolved=_resolved(connection, today),
        )
        plan_id = f"P-{datetime.now(UTC):%Y%m%d%H%M%S%f}-{plan.hash[:8]}"
        if keep:
            in_plan(connection, scope, (change.run_code for change in changes), today=today)
            _store(connection, workplace, plan_id, plan, actor, unread)
    return plan_id, plan


def _resolved(connection: Connection, today: date) -> set[str]:
    found: set[str] = set()
    kinds = connection.execute("SELECT DISTINCT kind FROM outbox.resolution WHERE ended_at IS NULL").fetchall()
    for (kind,) in kinds:
        rows = connection.execute(
            query("diff/resolved", register=f"register.{kind}"), {"kind": kind, "today": today}
        ).fetchall()
        found |= {f"{name}:{key}" for name, key in rows}
    return found


def _live(connection: Connection, changes: list[Change], guard: Guard) -> dict[str, int]:
    """What SSG holds of the kinds whose cancels are so many that the guard asks for their share."""
    cancels = Counter(change.kind for change in changes if change.action == "cancel")
    kinds = [kind for kind, count in cancels.items() if count > guard.of(kind)[0]]
    return dict(connection.execute(query("diff/live_at_ssg"), {"kinds": kinds}).fetchall()) if kinds else {}


def _differences(connection: Connection, kind: str) -> list[tuple[Any, ...]]:
    """The differences of one kind; of attendance, which is by far the most, the keys that differ are found first."""
    diff = query(f"diff/{kind}")
    if kind != "attendance":
        return connection.execute(diff).fetchall()
    keys = [row[0] for row in connection.execute(query("diff/attendance_differs"))]
    return connection.execute(query("diff/of_keys", diff=diff), {"keys": keys}).fetchall() if keys else []


def _changes(connection: Connection, today: date, rules: tuple[Rule, ...]) -> Iterator[Change]:
    runs = {
        row[0]: row[1:]
        for row in connection.execute(query("diff/run_facts")).fetchall()
    }
    deadlines: dict[tuple[str, str], date | None] = {}
    for kind in SUBMITTED:
        found = _differences(connection, kind.name)
        if not found:
            continue
        before = {
            row[0]: row[1:]
            for row in connection.execute(
                query("diff/generations"), {"kind": kind.name, "keys": [row[0] for row in found]}
            )
        }
        for (
            key, action, content_hash, fields, parents, ssg_ref, upload_id, sheet, row_number, run_code, elsewhere
        ) in found:
            facts = runs.get(run_code)
            deadline = deadlines.get((kind.name, run_code))
            if facts is not None and deadline is None:
                deadline = deadlines[kind.name, run_code] = deadline_of(
                    kind.name, facts[0], facts[1], provider_type=facts[2], funding_body=facts[3], today=today,
                    rules=rules,
                )
            yield Change(
                kind=kind.name, key=key, action=action, content_hash=bytes(content_hash), fields=tuple(fields),
                parents=tuple(parents), run_code=run_code, ssg_ref=ssg_ref,
                generation=_generation(before.get(key), action, bytes(content_hash)), deadline=deadline,
                upload_id=upload_id, sheet=sheet, row_number=row_number, elsewhere=elsewhere,
            )


def _generation(before: tuple[Any, ...] | None, action: str, content_hash: bytes) -> int:
    """The generation of a change (sql/diff/generations.sql): that of the newest submission if it is this very change
    and still stands, else the next."""
    if before is None:
        return 0
    following, newest_action, newest_hash, standing = before
    if standing is not None and (newest_action, bytes(newest_hash)) == (action, content_hash):
        return int(standing)
    return int(following)


def _store(
    connection: Connection, workplace: Workplace, plan_id: str, plan: Plan, actor: Actor, unread: list[tuple[Any, ...]]
) -> None:
    connection.execute(
        "CREATE TEMP TABLE planned (kind text, key text, action text, order_no integer, content_hash bytea, "
        "generation integer, idempotency_key text, correlation_id text, state text, reason text, fields text[], "
        "parents text[], follows text[], run_code text, ssg_ref text, deadline date, due date, upload_id text, "
        "sheet text, row_number integer) ON COMMIT DROP"
    )
    connection.execute("CREATE TEMP TABLE unread (kind text, key text) ON COMMIT DROP")
    copy_rows(connection, "unread", ("kind", "key"), unread)
    changes = (*plan.changes, *plan.withheld)
    copy_rows(
        connection,
        "planned",
        ("kind", "key", "action", "order_no", "content_hash", "generation", "idempotency_key", "correlation_id",
         "state", "reason", "fields", "parents", "follows", "run_code", "ssg_ref", "deadline", "due", "upload_id",
         "sheet", "row_number"),
        (
            (c.kind, c.key, c.action, c.order, c.content_hash, c.generation, c.idempotency_key,
             f"{actor.correlation_id[:16]}-{number:06d}", "held" if c.withheld else "planned", c.withheld,
             list(c.fields), list(c.parents), list(c.follows), c.run_code, c.ssg_ref, c.deadline, c.due, c.upload_id,
             c.sheet, c.row_number)
            for number, c in enumerate(changes, start=1)
        ),
    )
    connection.execute("ANALYZE planned")
    superseded = connection.execute(query("outbox/supersede"), {"skipped": list(plan.skipped_kinds)}).rowcount
    connection.execute(
        "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, elsewhere, "
        "counts) VALUES (%s, %s, %s, %s, %s, 0, %s, %s)",
        (plan_id, plan.hash, actor.correlation_id, len(plan.changes), len(plan.withheld), len(plan.elsewhere),
         Jsonb(plan.counts)),
    )
    connection.execute(
        "UPDATE outbox.plan SET state = 'replaced' WHERE state <> 'replaced' AND plan_id <> %s", (plan_id,)
    )
    connection.execute(query("outbox/carry_over"), {"plan_id": plan_id})
    added = connection.execute(query("outbox/add_planned"), {"plan_id": plan_id}).rowcount
    append(connection, workplace.rings.audit.key, actor, "plan made", "plan", plan_id, hash=plan.hash,
           changes=len(plan.changes), withheld=len(plan.withheld), elsewhere=len(plan.elsewhere), superseded=superseded,
           added=added, not_read=list(plan.skipped_kinds))
