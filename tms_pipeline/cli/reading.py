"""Verbs that read: summary, compliance, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, day_of, emit, plainly, say, usage


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    for verb in (summary, compliance, report):
        app.command()(verb)


@plainly
def summary(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """The state in one page: uploads, submissions, discrepancies, deadlines, dead letters, reports."""
    from tms_pipeline.cli.summary_words import say_summary
    from tms_pipeline.operations.summary import summary as numbers
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = numbers(workplace)
        home = str(workplace.settings.home)
    emit(found, as_json=json_, words=lambda: say_summary(found, home=home))


@plainly
def compliance(
    rules: Annotated[bool, typer.Option("--rules", help="List the rules in use instead, with their sources.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Review deadlines, attendance and the other rules now. Exit 1 if a deadline is missed or near."""
    from tms_pipeline.compliance.review import review
    from tms_pipeline.compliance.ruleset import rules_of
    from tms_pipeline.settings import load_settings
    from tms_pipeline.workplace import open_workplace

    if rules:
        _list_rules(json_)
        return
    settings = load_settings()
    used = rules_of(settings)
    with open_workplace(settings) as workplace:
        found = review(
            workplace.db, today=workplace.today(), correlation_id=workplace.actor().correlation_id, rules=used
        )
    counts = found["counts"]
    emit(counts, as_json=json_, words=lambda: say(", ".join(f"{name}: {count}" for name, count in counts.items())))
    if counts.get("missed") or counts.get("near"):
        raise typer.Exit(FINDINGS)


def _list_rules(as_json: bool) -> None:
    from dataclasses import asdict

    from tms_pipeline.compliance.ruleset import rules_of
    from tms_pipeline.settings import load_settings

    used = rules_of(load_settings())

    def words() -> None:
        for rule in used:
            until = "" if rule.in_force_to is None else f" to {rule.in_force_to}"
            value = f"{rule.value} {rule.unit} {rule.counted}".rstrip()
            say(f"{rule.id} ({rule.whom}, from {rule.in_force_from}{until}): {value}")
            say(f"    {rule.sentence} [{rule.confidence}] {rule.source} ({rule.source_date})")

    emit([asdict(rule) for rule in used], as_json=as_json, words=words)


@plainly
def report(
    kind: Annotated[str, typer.Argument(help="Which report; nothing: those of every night, all of them.")] = "",
    run: Annotated[str, typer.Option("--run", help="The course run, for run and receipts.")] = "",
    month: Annotated[str, typer.Option("--month", help="The month, such as 2026-10; else the current one.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="As it was at the end of a past day, such as 2026-03-01.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", readable=False, help="The folder for the files.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the report as JSON; no file is written.")] = False,
) -> None:
    """Write reports from the last reviews: reconciliation, compliance, dead-letters, submissions, runs, page, run,
    receipts, month."""
    import sys

    from tms_pipeline.reports.build import KINDS, as_json, order
    from tms_pipeline.workplace import open_workplace

    day = day_of(as_of)
    if kind and kind not in KINDS:
        usage(f"There is no report '{kind}'; there are {', '.join(KINDS)}.")
    if run and kind not in ("run", "receipts"):
        usage("--run goes with the reports run and receipts.")
    if kind == "run" and not run:
        usage("Say which course run: tms report run --run CODE.")
    if month and kind != "month":
        usage("--month goes with the report month.")
    if json_ and kind in ("", "page"):
        usage(f"Say which report is to be printed as JSON: {', '.join(one for one in KINDS if one != 'page')}.")
    with open_workplace() as workplace:
        if json_:
            for part in as_json(workplace, kind, run=run or None, month=month or None, as_of=day):
                sys.stdout.write(part)
            return
        for path in order(
            workplace, kind or None, run=run or None, month=month or None, as_of=day, folder=output
        ):
            say(str(path))
