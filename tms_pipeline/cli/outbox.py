"""Verbs of submission: plan, approve, submit, stop, allow."""

from __future__ import annotations

from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    for verb in (plan, approve, submit, stop, allow):
        app.command()(verb)


@plainly
def plan(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Show what would be sent to SSG now, as of the last read, and keep it as the plan to approve."""
    from tms_pipeline.operations.steps import last_pull
    from tms_pipeline.submission.planning import plan_now
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        not_read = tuple(sorted(last_pull(workplace).kinds_not_read()))
        plan_id, made = plan_now(workplace, actor=workplace.actor(), not_read=not_read)
    found = {
        "plan": plan_id,
        "hash": made.hash,
        "changes": len(made.changes),
        "withheld": len(made.withheld),
        "by_kind": made.counts,
        "not_read": list(made.skipped_kinds),
    }

    def words() -> None:
        say(f"Plan {plan_id}, hash {made.hash[:16]}: {len(made.changes)} changes, {len(made.withheld)} withheld.")
        for kind, counts in made.counts.items():
            say(f"  {kind.replace('_', ' ')}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
        for change in made.withheld[:5]:
            say(f"  withheld: {change.kind} {change.key}: {change.withheld}")
        if made.changes:
            say(f"To approve it:  tms approve {plan_id} --hash {made.hash[:16]}")

    emit(found, as_json=json_, words=words)


@plainly
def approve(
    plan_id: Annotated[str, typer.Argument(help="The plan that was looked at.")],
    hash_: Annotated[str, typer.Option("--hash", help="Its hash, or the first 16 digits of it.")],
) -> None:
    """Approve a plan, bound to its hash. An approval is a ceiling and expires."""
    from tms_pipeline.submission.planning import approve as approve_plan
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        full = workplace.db.value(
            "SELECT plan_hash FROM outbox.plan WHERE plan_id = %s AND left(plan_hash, %s) = %s",
            (plan_id, max(16, len(hash_)), hash_),
        )
        ready = approve_plan(workplace, plan_id, full or hash_, actor=workplace.actor(), policy="review")
    say(f"{ready} submissions are ready to be sent.")


@plainly
def submit() -> None:
    """Send what is approved and due. Exit 1 if something ended as a dead letter or was stopped."""
    from tms_pipeline.operations.at_work import at_work
    from tms_pipeline.operations.ssg_access import ssg_client
    from tms_pipeline.submission.worker import run_workers

    with at_work() as workplace, ssg_client(workplace) as (client, _):
        step("sending")
        result = run_workers(workplace, client, actor=workplace.actor())
    say(str(result))
    if result.stopped or result.outcomes.get("rejected") or result.outcomes.get("dead"):
        raise typer.Exit(FINDINGS)


@plainly
def stop(reason: Annotated[str, typer.Option(help="Why; everybody sees it.")]) -> None:
    """Stop all calls to SSG, everywhere, until ``tms allow``."""
    from tms_pipeline.submission.gate import set_switch
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        set_switch(workplace, stopped=True, reason=reason, actor=workplace.actor())
    say("No call goes to SSG until 'tms allow'.")


@plainly
def allow(reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Allow calls to SSG again."""
    from tms_pipeline.submission.gate import set_switch
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        set_switch(workplace, stopped=False, reason=reason, actor=workplace.actor())
    say("Calls to SSG are allowed.")
