"""The steps of the nightly sync as Dagster's assets take them: each finds its state in Postgres and leaves it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.review import review as review_compliance
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.intake.results import remove_old
from tms_pipeline.mirror.grants import grant_totals
from tms_pipeline.mirror.grants import read_grants as read_them
from tms_pipeline.mirror.pull import PullResult, ScopeRead, pull
from tms_pipeline.operations.nightly import report_folder, submit_changes
from tms_pipeline.operations.ssg_access import ssg_client
from tms_pipeline.reconcile.classes import UNDER_WAY
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.rights.each_night import each_night
from tms_pipeline.roles.guard import approver
from tms_pipeline.store.queries import query
from tms_pipeline.submission.approvals import approve_plan, waiting_parts
from tms_pipeline.submission.dead_letters import redrive
from tms_pipeline.submission.holds import hold, release, withheld
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.workplace import Workplace

Tell = Callable[[str], None]


@dataclass
class MadePlan:
    """A plan in numbers."""

    plan_id: str
    plan_hash: str
    changes: int
    withheld: int
    by_kind: list[dict[str, str | int | float | None]]


@dataclass
class SubmittedNow:
    """A submission stage in numbers."""

    by_kind: list[dict[str, str | int | float | None]]
    accepted: int
    dead_letters: int
    unknown: int
    stopped: str


@dataclass
class Compared:
    """A reconciliation in numbers."""

    review_id: int
    matched: int
    classes: dict[str, int]
    disagreements: int
    not_read: int


@dataclass
class Due:
    """What is due now."""

    count: int
    minute: str


def _actor(workplace: Workplace, run_id: str) -> Actor:
    return workplace.actor(run_id.replace("-", ""), name="dagster", role="nightly sync")


def read_ssg(workplace: Workplace, run_id: str, tell: Tell) -> dict[str, Any]:
    """Pull the mirror; returns metadata."""
    begin_once(workplace, run_id)
    with ssg_client(workplace) as (client, calls):
        pulled = pull(workplace, client, progress=tell)
    _count_calls(workplace, run_id, reads=calls.reads, writes=0)
    read = Counter(item.kind for item in pulled.reads if item.state == "read")
    records = Counter[str]()
    for item in pulled.reads:
        records[item.kind] += item.records
    return {
        **{f"{kind}_records": count for kind, count in records.items()},
        "scopes_read": sum(read.values()),
        "scopes_not_read": len(pulled.failed()),
        "calls": calls.reads,
        "bytes": sum(line["bytes"] for line in pulled.costs()),
        "reads": pulled.costs(),
    }


def read_grants(workplace: Workplace, run_id: str, tell: Tell) -> dict[str, Any]:
    """Read grants into the mirror; returns metadata: the read, and grants by what they mean."""
    begin_once(workplace, run_id)
    with ssg_client(workplace) as (client, calls):
        read = read_them(workplace, client, progress=tell)
    _count_calls(workplace, run_id, reads=calls.reads, writes=0)
    with workplace.db.transaction() as connection:
        totals = grant_totals(connection)
    rows = [
        {"standing": name, "grants": line["lines"], **{part: float(line[part]) for part in ("estimated", "paid")}}
        for name, line in totals.items()
    ]
    return {"state": read.state, "why": read.sentence or "", "read": read.mode, "pages": read.pages, "grants": rows}


def make_plan(workplace: Workplace, run_id: str) -> MadePlan:
    """Plan what SSG does not know yet."""
    pulled = last_pull(workplace)
    plan_id, plan = plan_now(
        workplace, actor=_actor(workplace, run_id), not_read=tuple(sorted(pulled.kinds_not_read()))
    )
    return MadePlan(
        plan_id,
        plan.hash,
        len(plan.changes),
        len(plan.withheld),
        [
            {"kind": kind, **{name: counts.get(name, 0) for name in ("create", "update", "cancel", "withheld")}}
            for kind, counts in plan.counts.items()
        ],
    )


def submit(workplace: Workplace, run_id: str, tell: Tell) -> SubmittedNow:
    """Approve by policy and work the outbox off."""
    begin_once(workplace, run_id)
    pulled = last_pull(workplace)
    with ssg_client(workplace) as (client, calls):
        done = submit_changes(
            workplace, client, actor=_actor(workplace, run_id), not_read=pulled.kinds_not_read(), progress=tell
        )
    _count_calls(workplace, run_id, reads=calls.reads, writes=calls.writes)
    states: dict[str, dict[str, int]] = {}
    for kind, state, count in workplace.db.rows(query("outbox/states")):
        states.setdefault(kind, {})[state] = count
    flat = Counter[str]()
    for counts in states.values():
        flat.update(counts)
    names = ("accepted", "ready", "retry", "unknown", "held", "rejected", "dead")
    return SubmittedNow(
        by_kind=[{"kind": kind, **{name: counts.get(name, 0) for name in names}} for kind, counts in states.items()],
        accepted=done.work.outcomes.get("accepted", 0),
        dead_letters=flat["rejected"] + flat["dead"],
        unknown=flat["unknown"],
        stopped=done.work.stopped or done.work.resting,
    )


def compare(workplace: Workplace, run_id: str) -> Compared:
    """Reconcile."""
    found = reconcile(workplace, last_pull(workplace), actor=_actor(workplace, run_id))
    classes = {name: sum(kinds.values()) for name, kinds in found["counts"]["discrepancies"].items()}
    return Compared(
        review_id=found["review_id"],
        matched=sum(found["counts"]["matched"].values()),
        classes=classes,
        disagreements=sum(count for name, count in classes.items() if name not in UNDER_WAY),
        not_read=classes.get("not read", 0),
    )


def review(workplace: Workplace, run_id: str) -> dict[str, int]:
    """Review compliance."""
    actor = _actor(workplace, run_id)
    found = review_compliance(
        workplace.db, today=workplace.today(), correlation_id=actor.correlation_id, rules=rules_of(workplace.settings),
        full_look_days=workplace.settings.full_look_days,
    )
    counts: dict[str, int] = found["counts"]
    return counts


def report(workplace: Workplace) -> list[Path]:
    """Write the reports and close the nightly sync's record."""
    from tms_pipeline.reports.build import write_reports  # draws charts: only who reports pays for loading it

    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE outbox.nightly SET finished_at = now(), state = 'finished' WHERE finished_at IS NULL"
        )
    remove_old(workplace)
    each_night(workplace)
    return write_reports(
        workplace.db, report_folder(workplace), today=workplace.today(), provider=workplace.settings.provider_name,
        rules=rules_of(workplace.settings),
    )


def last_pull(workplace: Workplace) -> PullResult:
    """The last read of every scope, as Postgres has it."""
    result = PullResult()
    for kind, scope, state, records, code, sentence in workplace.db.rows(query("mirror/last_reads")):
        result.reads.append(ScopeRead(kind, scope, state, records, code, sentence))
    return result


def begin_once(workplace: Workplace, run_id: str) -> None:
    """Open the record of this run's sync if it is not open yet."""
    correlation_id = run_id.replace("-", "")
    with workplace.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.nightly (correlation_id) SELECT %(id)s WHERE NOT EXISTS "
            "(SELECT FROM outbox.nightly WHERE correlation_id = %(id)s)",
            {"id": correlation_id},
        )


def _count_calls(workplace: Workplace, run_id: str, *, reads: int, writes: int) -> None:
    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE outbox.nightly SET ssg_reads = ssg_reads + %s, ssg_writes = ssg_writes + %s "
            "WHERE correlation_id = %s",
            (reads, writes, run_id.replace("-", "")),
        )


def due_now(workplace: Workplace) -> Due:
    """How many submissions are due, and this minute as a word for a run key."""
    count = workplace.db.value(query("outbox/due_count"))
    return Due(int(count or 0), f"{datetime.now(UTC):%Y%m%d%H%M}")


def run_has_failed(workplace: Workplace, *, run_id: str, job: str, upload_id: str | None) -> None:
    """Keep that a run failed, and offer a failed upload again under its next attempt."""
    actor = _actor(workplace, run_id)
    with workplace.db.transaction() as connection:
        if upload_id and job == "intake":
            connection.execute(
                "UPDATE intake.upload SET attempt = attempt + 1 WHERE upload_id = %s AND state = 'received' "
                "AND attempt < 5",
                (upload_id,),
            )
        append(connection, workplace.rings.audit.key, actor, "run failed", "run", run_id, job=job)


def approve_as(
    workplace: Workplace, run_id: str, plan_id: str, plan_hash: str, person: str, parts: list[str]
) -> dict[str, int | str]:
    """Approve a plan in a person's name; returns what became ready and what still waits, in words."""
    actor = Actor(name=person, role="ops admin", correlation_id=run_id.replace("-", ""))
    full = workplace.db.value(
        "SELECT plan_hash FROM outbox.plan WHERE plan_id = %s AND left(plan_hash, %s) = %s",
        (plan_id, max(16, len(plan_hash)), plan_hash),
    )
    done = approve_plan(workplace, plan_id, full or plan_hash, actor=actor, parts=parts or None)
    still = {**done.waiting, **done.refused}
    return {
        "ready": done.ready,
        "still_waiting": "; ".join(f"{part}: {why}" for part, why in still.items()) or "nothing",
    }


def retry_as(workplace: Workplace, run_id: str, error_code: str, person: str, reason: str) -> int:
    """Retry dead letters in a person's name; returns how many are under way again."""
    actor = workplace.actor(run_id.replace("-", ""), name=person)
    return redrive(workplace, error_code, reason=reason, actor=actor)


def hold_as(workplace: Workplace, run_id: str, what: dict[str, str], person: str, reason: str) -> int:
    """Hold a kind, a part or a record in a person's name; returns how many submissions stay here."""
    actor = workplace.actor(run_id.replace("-", ""), name=person)
    return hold(workplace, reason=reason, actor=actor, **_part(what))


def release_as(workplace: Workplace, run_id: str, what: dict[str, str], person: str, reason: str) -> int:
    """Release a kind, a part or a record in a person's name; returns how many submissions are free again."""
    actor = approver(workplace, workplace.actor(run_id.replace("-", ""), name=person))
    return release(workplace, reason=reason, actor=actor, **_part(what))


def _part(what: dict[str, str]) -> dict[str, str | None]:
    return {name: value.strip() or None for name, value in what.items()}


def waiting_for_people(workplace: Workplace) -> list[dict[str, str | int | float | None]]:
    """What waits for an approval or a release, by part, for a table."""
    rows: list[dict[str, str | int | float | None]] = [
        {
            "what": f"{item['kind']} {item['action']}",
            "waits_for": f"approval ({item['mode']})",
            "changes": int(str(item["changes"])),
            "plan": str(item["plan"]),
            "hash": str(item["hash"])[:16],
        }
        for item in waiting_parts(workplace)
    ]
    # The reason of a hold is a person's words, and those stay out of Dagster.
    held = Counter(
        (str(item["kind"]), str(item["action"]), "person" if str(item["reason"]).startswith("held by") else "guard")
        for item in withheld(workplace)
    )
    rows += [
        {
            "what": f"{kind} {action}",
            "waits_for": f"release (held by a {who})",
            "changes": count,
            "plan": "",
            "hash": "",
        }
        for (kind, action, who), count in held.items()
    ]
    return rows
