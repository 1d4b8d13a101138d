"""Verbs of intake: intake, template, release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, USAGE, emit, plainly, say


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(intake)
    app.command()(template)


@plainly
def intake(
    files: Annotated[list[Path], typer.Argument(readable=False, help="Workbooks or form exports to take in.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    mapping: Annotated[str | None, typer.Option(help="Name of a mapping for a foreign layout.")] = None,
    output: Annotated[Path | None, typer.Option("-o", readable=False, help="Where a preview's workbook goes.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print what became of each file as JSON.")] = False,
) -> None:
    """Take files in, as if they had been dropped in the inbox; 'tms intake undo UPLOAD' takes one back.

    Exit 1 if a row or file needs fixing.
    """
    if len(files) == 2 and str(files[0]) == "undo" and not files[0].exists():
        _undo(str(files[1]), as_json=json_)
        return
    from tms_pipeline.intake.direct import take_in_file
    from tms_pipeline.workplace import open_workplace

    outcomes = []
    with open_workplace() as workplace:
        for path in files:
            outcomes.append(
                take_in_file(workplace, path, actor=workplace.actor(), dry_run=dry_run, mapping=mapping, output=output)
            )

    def words() -> None:
        for outcome in outcomes:
            say(f"{outcome['file']}: {outcome['sentence']}")
            for change in outcome["changes"][:20]:
                say(f"    {change['kind']} {change['key']}: {change['field']} {change['was']} → {change['becomes']}")
            for item in outcome["faults"][:20]:
                say(f"    {item['where'] or 'file'}: {item['sentence']} {item['fix']} ({item['code']})")
            if len(outcome["faults"]) > 20:
                say(f"    … and {len(outcome['faults']) - 20} more, all in the workbook")
            if outcome["workbook"]:
                say(f"    {outcome['workbook']}")

    emit(outcomes, as_json=json_, words=words)
    wrong = any(fault["severity"] == "error" for outcome in outcomes for fault in outcome["faults"])
    if wrong or any(outcome["rejected"] or outcome["state"] in ("refused", "held") for outcome in outcomes):
        raise typer.Exit(FINDINGS)


def _undo(upload_id: str, *, as_json: bool) -> None:
    from tms_pipeline.intake.results import hand_back
    from tms_pipeline.intake.undo import undo
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        done = undo(workplace, upload_id, actor=workplace.actor())
        handed = hand_back(workplace, upload_id)

    def words() -> None:
        say(f"Upload {upload_id}: {done.sentences()[0]}")
        for sentence in done.sentences()[1:]:
            say(sentence)
        say(str(handed.workbook))

    emit(
        {"upload": upload_id, "counts": done.counts(), "told": done.sentences(), "records": vars(done)},
        as_json=as_json,
        words=words,
    )


@plainly
def template(
    kinds: Annotated[list[str], typer.Argument(help="Record kinds, such as course_run session.")],
    output: Annotated[Path, typer.Option("-o", readable=False, help="The workbook to write.")],
) -> None:
    """Write a workbook for ops to fill in, with drop-downs and notes."""
    from tms_pipeline.intake.templates import write_template
    from tms_pipeline.records.kinds import kind_named
    from tms_pipeline.workplace import open_workplace

    try:
        wanted = [kind_named(name.replace("-", "_").replace(" ", "_").lower()) for name in kinds]
    except KeyError as unknown:
        typer.echo(f"{unknown.args[0]}.", err=True)
        raise typer.Exit(USAGE) from None
    with open_workplace() as workplace:
        lists = {
            "course_reference": [row[0] for row in workplace.db.rows("SELECT key FROM register.course ORDER BY 1")],
            "run_code": [
                row[0] for row in workplace.db.rows("SELECT key FROM register.course_run WHERE live ORDER BY 1")
            ],
            "trainer_code": [row[0] for row in workplace.db.rows("SELECT key FROM register.trainer ORDER BY 1")],
        }
    write_template(wanted, output, lists=lists)
    say(str(output))
