"""Planning: the differences of all kinds into a plan, and the plan into the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from psycopg.types.json import Jsonb

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.deadlines import deadline_of
from tms_pipeline.diff.plan import Change, Guard, Plan, make_plan
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# Any constant: plans are made one after the other.
_LOCK = 7_310_004


def plan_now(
    workplace: Workplace, *, actor: Actor, not_read: tuple[str, ...] = (), keep: bool = True
) -> tuple[str, Plan]:
    """Compare registers with mirror and put the plan into the outbox; returns (plan id, plan).

    Without ``keep`` nothing is written: a look at what would be sent. Submissions of an older plan that were not
    sent yet give way to the new plan's.
    """
    settings = workplace.settings
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        live = dict(connection.execute(query("diff/live_at_ssg")).fetchall())
        plan = make_plan(
            _changes(connection, workplace.today()),
            live_at_ssg=live,
            guard=Guard(count=settings.guard_count, share=settings.guard_share),
            not_read=not_read,
        )
        plan_id = f"P-{datetime.now(UTC):%Y%m%d%H%M%S}-{plan.hash[:8]}"
        if keep:
            _store(connection, workplace, plan_id, plan, actor)
    return plan_id, plan


def _changes(connection: Connection, today: date) -> Iterator[Change]:
    runs = {
        row[0]: row[1:]
        for row in connection.execute(query("diff/run_facts")).fetchall()
    }
    for kind in SUBMITTED:
        found = connection.execute(query(f"diff/{kind.name}")).fetchall()
        if not found:
            continue
        generations = {
            row[1]: row[2]
            for row in connection.execute(
                query("diff/generations"), {"kind": kind.name, "keys": [row[0] for row in found]}
            )
        }
        for key, action, content_hash, fields, parents, ssg_ref, upload_id, sheet, row_number, run_code in found:
            facts = runs.get(run_code)
            deadline = None
            if facts is not None:
                deadline = deadline_of(
                    kind.name, facts[0], facts[1], provider_type=facts[2], funding_body=facts[3], today=today
                )
            yield Change(
                kind=kind.name, key=key, action=action, content_hash=bytes(content_hash), fields=tuple(fields),
                parents=tuple(parents), run_code=run_code, ssg_ref=ssg_ref, generation=generations.get(key, 0), deadline=deadline,
                upload_id=upload_id, sheet=sheet, row_number=row_number,
            )


def _store(connection: Connection, workplace: Workplace, plan_id: str, plan: Plan, actor: Actor) -> None:
    connection.execute(
        "CREATE TEMP TABLE planned (kind text, key text, action text, order_no integer, content_hash bytea, "
        "generation integer, idempotency_key text, correlation_id text, state text, reason text, fields text[], "
        "parents text[], run_code text, ssg_ref text, deadline date, upload_id text, sheet text, row_number integer) ON COMMIT DROP"
    )
    changes = (*plan.changes, *plan.withheld)
    copy_rows(
        connection,
        "planned",
        ("kind", "key", "action", "order_no", "content_hash", "generation", "idempotency_key", "correlation_id",
         "state", "reason", "fields", "parents", "run_code", "ssg_ref", "deadline", "upload_id", "sheet", "row_number"),
        (
            (c.kind, c.key, c.action, c.order, c.content_hash, c.generation, c.idempotency_key,
             f"{actor.correlation_id[:16]}-{number:06d}", "held" if c.withheld else "planned", c.withheld,
             list(c.fields), list(c.parents), c.run_code, c.ssg_ref, c.deadline, c.upload_id, c.sheet, c.row_number)
            for number, c in enumerate(changes, start=1)
        ),
    )
    superseded = connection.execute(query("outbox/supersede"), {"skipped": list(plan.skipped_kinds)}).rowcount
    connection.execute(
        "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
        "VALUES (%s, %s, %s, %s, %s, 0, %s) ON CONFLICT (plan_id) DO NOTHING",
        (plan_id, plan.hash, actor.correlation_id, len(plan.changes), len(plan.withheld), Jsonb(plan.counts)),
    )
    connection.execute("UPDATE outbox.plan SET state = 'replaced' WHERE state = 'open' AND plan_id <> %s", (plan_id,))
    connection.execute(query("outbox/carry_over"), {"plan_id": plan_id})
    added = connection.execute(query("outbox/add_planned"), {"plan_id": plan_id}).rowcount
    append(connection, workplace.rings.audit.key, actor, "plan made", "plan", plan_id, hash=plan.hash,
           changes=len(plan.changes), withheld=len(plan.withheld), superseded=superseded, added=added,
           not_read=list(plan.skipped_kinds))


def approve(
    workplace: Workplace, plan_id: str, plan_hash: str, *, actor: Actor, policy: str = "auto"
) -> int:
    """Approve what the plan holds, bound to its hash; returns how many submissions became ready.

    An approval is a ceiling: only submissions of this very plan that are still planned move. Raises ValueError when
    the hash is another or the plan has been replaced.
    """
    with workplace.db.transaction() as connection:
        found = connection.execute(
            "SELECT plan_hash, state FROM outbox.plan WHERE plan_id = %s FOR UPDATE", (plan_id,)
        ).fetchone()
        if found is None or found[0] != plan_hash:
            raise ValueError(f"Plan {plan_id} is not the one that was looked at; make a new plan and look again.")
        if found[1] == "replaced":
            raise ValueError(f"Plan {plan_id} was replaced by a newer one; look at that.")
        expires = datetime.now(UTC) + timedelta(hours=workplace.settings.approval_hours)
        kinds = connection.execute(
            "SELECT kind, action, count(*) FROM outbox.submission WHERE plan_id = %s AND state = 'planned' "
            "GROUP BY kind, action",
            (plan_id,),
        ).fetchall()
        for kind, action, changes in kinds:
            connection.execute(
                "INSERT INTO outbox.approval (plan_id, plan_hash, kind, action, policy, approved_by, expires_at, changes) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (plan_id, plan_hash, kind, action, policy, actor.name, expires, changes),
            )
        ready = connection.execute(
            "UPDATE outbox.submission SET state = 'ready', approved_by = %s WHERE plan_id = %s AND state = 'planned'",
            (f"{policy}: {actor.name}", plan_id),
        ).rowcount
        connection.execute("UPDATE outbox.plan SET state = 'approved' WHERE plan_id = %s", (plan_id,))
        append(connection, workplace.rings.audit.key, actor, "plan approved", "plan", plan_id, hash=plan_hash,
               policy=policy, submissions=ready, expires=expires.isoformat())
    return ready
