"""The nightly sync: pull, plan, approve, submit, pull again, reconcile, review compliance, report.

The steps are functions of their own, which the Dagster assets call one by one; ``nightly_sync`` runs them all.
Each may be killed and run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tms_pipeline.alarms.watch import watch
from tms_pipeline.audit.log import Actor
from tms_pipeline.compliance.review import review as review_compliance
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.diff.plan import Plan
from tms_pipeline.intake.results import remove_old
from tms_pipeline.mirror.grants import read_grants
from tms_pipeline.mirror.pull import PullResult, pull
from tms_pipeline.operations.ssg_access import CallCount, ssg_client
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.rights.each_night import each_night
from tms_pipeline.settings import SettingsError
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.store.queries import query
from tms_pipeline.submission.approvals import ApprovalRefused
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.gate import maintenance_now
from tms_pipeline.submission.planning import approve, plan_now
from tms_pipeline.submission.progress import Counting
from tms_pipeline.submission.worker import WorkResult, run_workers
from tms_pipeline.workplace import Workplace

# Cancel-and-create, or a run whose enrolments go first, takes more than one plan.
ROUNDS = 4
Progress = Callable[[str], None]


@dataclass
class Submitted:
    """What the submission stage did, over all its rounds."""

    plans: list[tuple[str, Plan]] = field(default_factory=list)
    work: WorkResult = field(default_factory=WorkResult)


@dataclass
class Nightly:
    """What a whole nightly sync did."""

    pulled: PullResult
    submitted: Submitted
    reconciliation: dict[str, Any]
    compliance: dict[str, Any]
    reports: list[Path]
    calls: CallCount


def submit_changes(
    workplace: Workplace,
    client: SsgClient,
    *,
    actor: Actor,
    not_read: set[str],
    progress: Progress = lambda _: None,
    patience: float = 5.0,
) -> Submitted:
    """Plan, approve by policy, and work off, until a plan holds nothing new."""
    done = Submitted()
    for _ in range(ROUNDS):
        plan_id, plan = plan_now(workplace, actor=actor, not_read=tuple(sorted(not_read)))
        crashpoint("after_plan")
        done.plans.append((plan_id, plan))
        try:
            ready = approve(workplace, plan_id, plan.hash, actor=actor)  # what the policy lets go without a person
        except ApprovalRefused:
            continue  # another sync has planned since; plan anew on what it left
        crashpoint("after_approval")
        progress(f"plan {plan_id}: {len(plan.changes)} changes, {len(plan.withheld)} withheld, {ready} newly approved")
        due = int(workplace.db.value(query("outbox/due_count")) or 0)
        tell = Counting(progress, due)
        result = run_workers(workplace, client, actor=actor, patience=patience, progress=tell)
        tell.over(result.outcomes)
        done.work.outcomes.update(result.outcomes)
        done.work.stopped = done.work.stopped or result.stopped
        done.work.resting = done.work.resting or result.resting
        if result.resting:
            progress(result.resting)
        if not result.outcomes.get("accepted") or result.stopped or result.resting:
            break
    return done


def report_folder(workplace: Workplace) -> Path:
    """Where the reports of reviewers lie."""
    return workplace.folder("reports")


def nightly_sync(workplace: Workplace, *, actor: Actor, progress: Progress = lambda _: None) -> Nightly:
    """The whole nightly sync in this process, without Dagster."""
    nightly_id = begin(workplace, actor)
    resting = maintenance_now(workplace)
    if resting:
        progress(resting)
    with ssg_client(workplace) as (client, calls):
        before = pull(workplace, client, progress=progress)
        submitted = submit_changes(workplace, client, actor=actor, not_read=before.kinds_not_read(), progress=progress)
        after = pull(workplace, client, progress=progress) if submitted.work.outcomes else before
        after.reads.append(read_grants(workplace, client, progress=progress))
    found = reconcile(workplace, after, actor=actor)
    compliance = review_compliance(
        workplace.db, today=workplace.today(), correlation_id=actor.correlation_id, rules=rules_of(workplace.settings),
        full_look_days=workplace.settings.full_look_days,
    )
    finish(workplace, nightly_id, calls, "finished" if not after.failed() else "finished, not all was read")
    remove_old(workplace)
    each_night(workplace)
    progress("writing reports")
    from tms_pipeline.reports.build import write_reports  # draws charts: only who reports pays for loading it

    reports = write_reports(
        workplace.db, report_folder(workplace), today=workplace.today(), provider=workplace.settings.provider_name,
        rules=rules_of(workplace.settings),
    )
    raise_alarms(workplace, actor, progress)
    return Nightly(after, submitted, found, compliance, reports, calls)


def raise_alarms(workplace: Workplace, actor: Actor, progress: Progress) -> None:
    """Raise the alarms of this night and send them to who is set up; a night that is done does not fail by it."""
    try:
        done = watch(workplace, correlation_id=actor.correlation_id)
    except SettingsError as error:
        progress(f"no alarm was raised: {error}")
        return
    progress(
        f"{len(done.raised)} new alarms, {sum(done.standing.values())} open, {done.delivered.sent} messages sent"
        + "".join(f"; {why}" for why in done.delivered.why)
    )


def begin(workplace: Workplace, actor: Actor) -> int:
    """Open the record of a nightly sync."""
    with workplace.db.transaction() as connection:
        row = connection.execute(
            "INSERT INTO outbox.nightly (correlation_id) VALUES (%s) RETURNING nightly_id", (actor.correlation_id,)
        ).fetchone()
    return int(row[0]) if row else 0


def finish(workplace: Workplace, nightly_id: int, calls: CallCount, state: str) -> None:
    """Close the record of a nightly sync with what went over the wire."""
    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE outbox.nightly SET finished_at = now(), ssg_writes = %s, ssg_reads = %s, state = %s "
            "WHERE nightly_id = %s",
            (calls.writes, calls.reads, state, nightly_id),
        )
