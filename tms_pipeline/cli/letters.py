"""Verbs about single records: dead letters, resolutions, traces."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say

letters_app = typer.Typer(help="Submissions that need a person.", no_args_is_help=True)
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit log.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    letters_app.command("list")(list_)
    letters_app.command("show")(show)
    letters_app.command("retry")(retry)
    letters_app.command("discard")(discard)
    app.add_typer(letters_app, name="dead-letters")
    app.command()(resolve)
    app.command()(trace)


@plainly
def list_(
    code: Annotated[str | None, typer.Option(help="Only those with this error code.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only of this record kind.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List them, nearest deadline first. Exit 1 if there are any."""
    from tms_pipeline.submission.dead_letters import dead_letters
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = [vars(letter) for letter in dead_letters(workplace, error_code=code, kind=kind)]

    def words() -> None:
        for letter in found:
            say(_line(letter))
        if not found:
            say("There are no dead letters.")

    emit(found, as_json=json_, words=words)
    if found:
        raise typer.Exit(FINDINGS)


def _line(letter: dict[str, Any]) -> str:
    behind = f"; {letter['behind']} wait behind it" if letter["behind"] else ""
    return (
        f"{letter['submission_id']:>6}  {letter['kind']} {letter['key']} ({letter['action']}), since "
        f"{letter['since']:%Y-%m-%d %H:%M}: {letter['why']} {letter['what_to_do']} [{letter['error_code']}]{behind}"
    )


@plainly
def show(
    number: Annotated[int, typer.Argument(help="Number of the submission.")],
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show one with its attempts and what waits behind it."""
    from tms_pipeline.submission.dead_letters import show as show_it
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        shown = show_it(workplace, number)
    found = {"letter": vars(shown.letter), "attempts": shown.attempts, "waiting": shown.waiting}

    def words() -> None:
        say(_line(vars(shown.letter)))
        letter = shown.letter
        if letter.upload_id:
            say(f"  from upload {letter.upload_id}, sheet '{letter.sheet}', row {letter.row_number}")
        for attempt in shown.attempts:
            say(
                f"  attempt {attempt['number']} ({attempt['step']}): {attempt['outcome']} {attempt['error_code'] or ''}"
            )
        for item in shown.waiting[:20]:
            say(
                f"  waits: {item['kind']} {item['key']}, from upload {item['upload_id']}, sheet '{item['sheet']}', "
                f"row {item['row_number']}"
            )
        if len(shown.waiting) > 20:
            say(f"  … {len(shown.waiting)} wait; --json shows them all.")

    emit(found, as_json=json_, words=words)


@plainly
def retry(
    reason: Reason,
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of submissions.")] = None,
    code: Annotated[str | None, typer.Option(help="All with this error code.")] = None,
) -> None:
    """Send them again; what may be at SSG already is searched for first."""
    from tms_pipeline.submission import dead_letters
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        actor = workplace.actor()
        if code is not None:
            say(f"{dead_letters.redrive(workplace, code, reason=reason, actor=actor)} are under way again.")
        for number in numbers or []:
            state = dead_letters.retry(workplace, number, reason=reason, actor=actor)
            say(f"Submission {number} is {state} again.")
    if code is None and not numbers:
        raise ValueError("Name submissions by number, or an error code with --code.")


@plainly
def discard(number: Annotated[int, typer.Argument(help="Number of the submission.")], reason: Reason) -> None:
    """Give one up, with a reason: it is not planned again until the record changes."""
    from tms_pipeline.submission.dead_letters import discard as discard_it
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        discard_it(workplace, number, reason=reason, actor=workplace.actor())
    say(f"Submission {number} is discarded.")


@plainly
def resolve(
    kind: Annotated[str, typer.Argument(help="Record kind, such as enrolment.")],
    key: Annotated[str, typer.Argument(help="Our key, or SSG's reference of what only SSG holds.")],
    how: Annotated[str, typer.Argument(help="ours, theirs, or ignore (with --until).")],
    reason: Reason,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of an ignore.")] = None,
) -> None:
    """Decide about a record on which our register and SSG differ."""
    from tms_pipeline.reconcile.resolutions import resolve as decide
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        made = decide(
            workplace, kind, key, how, reason=reason, actor=workplace.actor(), until=until.date() if until else None
        )
    say(f"Decided: {made.how}" + (f" until {made.until}" if made.until else "") + f" for {made.kind} {made.key}.")


@plainly
def trace(
    anything: Annotated[str, typer.Argument(help="SSG reference, our key, upload, plan, correlation id, …")],
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print the whole chain of anything, both ways: file, sheet, row, plan, attempts, SSG reference, audit."""
    from tms_pipeline.submission.trace import trace as follow
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = follow(workplace, anything)

    def words() -> None:
        if not found.chains and not found.audit:
            say(f"Nobody knows '{anything}'.")
        for chain in found.chains[:20]:
            item, source = chain.submission, chain.source
            say(
                f"{item['kind']} {item['key']} ({item['action']}): {item['state']}, SSG {item['ssg_ref'] or 'has none'}"
            )
            say(
                f"  from {source.get('file_name', '-')}, sheet '{item['sheet']}', row {item['row_number']} "
                f"(upload {item['upload_id']})"
            )
            say(
                f"  plan {item['plan_id']}, approved by {item['approved_by'] or 'nobody'}; correlation id "
                f"{item['correlation_id']}"
            )
            for attempt in chain.attempts:
                say(
                    f"  attempt {attempt['number']} {attempt['step']} at {attempt['started_at']:%Y-%m-%d %H:%M:%S}: "
                    f"{attempt['outcome']} {attempt['error_code'] or ''}"
                )
        if len(found.chains) > 20 or found.more:
            say(f"… {len(found.chains)} submissions{' and more' if found.more else ''}; --json shows them all.")
        for entry in found.audit[:20]:
            say(f"  audit {entry['seq']}: {entry['actor']} {entry['action']} {entry['entity_key']}")

    emit(found.as_dict(), as_json=json_, words=words)
