"""Verbs of submission: plan, approve, waiting, hold, release, submit, stop, allow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step

Kind = Annotated[str | None, typer.Option("--kind", help="A record kind, such as enrolment.")]
Action = Annotated[str | None, typer.Option("--action", help="create, update or cancel.")]
Key = Annotated[str | None, typer.Option("--key", help="One record, by our key.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit log.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    for verb in (plan, approve, waiting, hold, release, submit, stop, allow):
        app.command()(verb)


@plainly
def plan(
    output: Annotated[
        Path | None, typer.Option("-o", help="Also write it as workbook and page into this folder.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what would be sent to SSG now, as of the last read, and keep it as the plan to approve."""
    from tms_pipeline.operations.steps import last_pull
    from tms_pipeline.submission.planning import plan_now
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        not_read = tuple(sorted(last_pull(workplace).kinds_not_read()))
        written: list[Path] = []
        plan_id, made = plan_now(workplace, actor=workplace.actor(), not_read=not_read)
        if output is not None:
            from tms_pipeline.submission.plan_workbook import write_plan

            output.mkdir(parents=True, exist_ok=True)
            written = write_plan(workplace, plan_id, folder=output)
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
        for path in written:
            say(str(path))
        if made.changes:
            say(f"To approve it:  tms approve {plan_id} --hash {made.hash[:16]}")

    emit(found, as_json=json_, words=words)


@plainly
def approve(
    plan_id: Annotated[str, typer.Argument(help="The plan that was looked at.")],
    hash_: Annotated[str, typer.Option("--hash", help="Its hash, or at least the first 16 digits of it.")],
    part: Annotated[list[str] | None, typer.Option(help="Only this part: enrolment, course_run.cancel, …")] = None,
    at_most: Annotated[int | None, typer.Option(help="Refuse if it holds more changes than this.")] = None,
) -> None:
    """Approve a plan, bound to its hash. An approval is a ceiling, expires, and is never for one's own upload."""
    from tms_pipeline.submission.approvals import approve_plan
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        full = workplace.db.value(
            "SELECT plan_hash FROM outbox.plan WHERE plan_id = %s AND left(plan_hash, %s) = %s",
            (plan_id, max(16, len(hash_)), hash_),
        )
        done = approve_plan(workplace, plan_id, full or hash_, actor=workplace.actor(), parts=part, at_most=at_most)
    say(f"{done.ready} submissions are ready to be sent.")
    for name, why in {**done.waiting, **done.refused}.items():
        say(f"  {name}: {why}")
    if done.refused:
        raise typer.Exit(FINDINGS)


@plainly
def waiting(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Show what waits for approval, what is withheld, and the holds that stand."""
    from tms_pipeline.submission.approvals import waiting_parts
    from tms_pipeline.submission.holds import holds, withheld
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = {
            "approval": waiting_parts(workplace),
            "withheld": withheld(workplace),
            "holds": [vars(item) for item in holds(workplace)],
        }

    def words() -> None:
        for item in found["approval"]:
            what = f"{item['changes']} {item['kind']} {item['action']}"
            say(f"waits for approval ({item['mode']}): {what}, {item['plan']}")
        for item in found["withheld"][:50]:
            say(f"withheld: {item['kind']} {item['key']} {item['action']}: {item['reason']}")
        for item in found["holds"]:
            what = " ".join(str(item[name]) for name in ("kind", "action", "key") if item[name])
            say(f"hold: {what}: {item['reason']}")
        if not any(found.values()):
            say("Nothing waits.")

    emit(found, as_json=json_, words=words)


@plainly
def hold(reason: Reason, kind: Kind = None, action: Action = None, key: Key = None) -> None:
    """Hold a kind, a part or one record: nothing of it is sent until it is released."""
    from tms_pipeline.submission.holds import hold as hold_it
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        held = hold_it(workplace, reason=reason, actor=workplace.actor(), kind=kind, action=action, key=key)
    say(f"Held; {held} submissions that were on their way stay here.")


@plainly
def release(
    upload_id: Annotated[str | None, typer.Argument(help="An upload that is held for its rejected rows.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit log.")] = "",
    kind: Kind = None,
    action: Action = None,
    key: Key = None,
) -> None:
    """Let the good rows of a held upload in; or release what a guard or a hold keeps from SSG."""
    from tms_pipeline.intake import results
    from tms_pipeline.intake.service import take_in
    from tms_pipeline.submission.holds import release as release_them
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        actor = workplace.actor()
        if upload_id is not None:
            taken = take_in(workplace, upload_id, actor=actor, hold=False)
            handed = results.look_again_and_hand_back(workplace, upload_id, actor=actor)[-1]
            say(taken.sentence)
            say(str(handed.workbook))
            return
        freed = release_them(workplace, reason=reason, actor=actor, kind=kind, action=action, key=key)
    say(f"{freed} submissions are released; they still need the approval that their policy wants.")


@plainly
def submit() -> None:
    """Send what is approved and due. Exit 1 if something ended as a dead letter or was stopped."""
    from tms_pipeline.operations.at_work import at_work
    from tms_pipeline.operations.ssg_access import ssg_client
    from tms_pipeline.store.queries import query
    from tms_pipeline.submission.progress import Counting
    from tms_pipeline.submission.worker import run_workers

    with at_work() as workplace, ssg_client(workplace) as (client, _):
        due = int(workplace.db.value(query("outbox/due_count")) or 0)
        step(f"sending what is due: {due}")
        tell = Counting(step, due)
        result = run_workers(workplace, client, actor=workplace.actor(), progress=tell)
        tell.over(result.outcomes)
    say(str(result))
    if result.stopped or result.outcomes.get("rejected") or result.outcomes.get("dead"):
        raise typer.Exit(FINDINGS)


@plainly
def stop(reason: Reason) -> None:
    """Stop all calls to SSG, everywhere, until ``tms allow``."""
    from tms_pipeline.submission.gate import set_switch
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        set_switch(workplace, stopped=True, reason=reason, actor=workplace.actor())
    say("No call goes to SSG until 'tms allow'.")


@plainly
def allow(reason: Annotated[str, typer.Option("--reason", help="Why.")] = "") -> None:
    """Allow calls to SSG again."""
    from tms_pipeline.submission.gate import set_switch
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        set_switch(workplace, stopped=False, reason=reason, actor=workplace.actor())
    say("Calls to SSG are allowed.")
