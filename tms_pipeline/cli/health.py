"""Verbs of who is on call: health, preflight, doctor, metrics, housekeeping, and health over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step

if TYPE_CHECKING:
    from tms_pipeline.health.check import Check

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(health)
    app.command()(preflight)
    app.command()(doctor)
    app.command()(metrics)
    app.command()(housekeeping)
    app.command("serve-health")(serve_health)


@plainly
def health(json_: Json = False) -> None:
    """Say whether the installation is well: a line a check, with what to do. Exit 1 if it is degraded.

    It looks only: nothing is migrated or mended.
    """
    from tms_pipeline.health.check import State
    from tms_pipeline.health.report import report
    from tms_pipeline.settings import load_settings

    found = report(load_settings(), start=True)

    def words() -> None:
        say(f"{found.status}: {found.environment}")
        _say(found.checks, found.runbook_url)

    emit(found.as_json(), as_json=json_, words=words)
    if found.status is State.DEGRADED:
        raise typer.Exit(FINDINGS)


@plainly
def preflight(json_: Json = False) -> None:
    """Look at all that a night needs and ask SSG for real: a line each, with what to do. Exit 1 if a line is not ok."""
    from tms_pipeline.health.preflight import preflight as look
    from tms_pipeline.operations.at_work import at_work

    with at_work() as workplace:
        found = list(look(workplace))
        url = workplace.settings.runbook_url
    _tell(found, url, json_)


@plainly
def doctor(
    json_: Json = False,
    quick: Annotated[bool, typer.Option("--quick", help="Do not load the code location, which takes seconds.")] = False,
) -> None:
    """Name the usual troubles of an installation and of Dagster, each with its mend. Exit 1 if there is one."""
    from tms_pipeline.health.doctor import doctor as look
    from tms_pipeline.health.site import site
    from tms_pipeline.settings import load_settings

    settings = load_settings()
    with site(settings, start=True) as place:
        found = list(look(place, load=not quick))
    _tell(found, settings.runbook_url, json_)


@plainly
def metrics(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write this file, for node_exporter's textfile collector.")
    ] = None,
) -> None:
    """Print the metrics in Prometheus' text form, or write them to a file."""
    from tms_pipeline.health.site import site
    from tms_pipeline.metrics.exposition import text, write
    from tms_pipeline.settings import load_settings

    with site(load_settings(), start=True) as place:
        if output is None:
            typer.echo(text(place), nl=False)
        else:
            write(place, output)


@plainly
def housekeeping(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    json_: Json = False,
) -> None:
    """Remove ended runs of Dagster past TMS_DAGSTER_RUN_DAYS, old results and forgotten scratch files."""
    from tms_pipeline.health.housekeeping import tidy
    from tms_pipeline.operations.dagster_home import instance
    from tms_pipeline.operations.dagster_run import quiet
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        quiet(workplace.settings)
        with instance(workplace) as dagster:
            done = tidy(workplace, dagster, actor=workplace.actor(), dry_run=dry_run, progress=step)
    would = "would be removed" if dry_run else "were removed"
    emit(
        vars(done), as_json=json_,
        words=lambda: say(f"{done.dagster_runs} runs of Dagster and {done.scratch_files} scratch files {would}."),
    )  # fmt: skip


@plainly
def serve_health() -> None:
    """Answer GET /health, /ready, /live and /metrics on TMS_HEALTH_PORT until SIGTERM or Ctrl-C."""
    from tms_pipeline.health.service import serve
    from tms_pipeline.settings import load_settings

    settings = load_settings()
    say(f"Health answers on http://{settings.health_host}:{settings.health_port}/health")
    serve(settings)


def _tell(found: Sequence[Check], runbook_url: str, as_json: bool) -> None:
    emit(
        [{"name": check.name, **check.as_json(runbook_url)} for check in found],
        as_json=as_json, words=lambda: _say(found, runbook_url),
    )  # fmt: skip
    if not all(check.fine for check in found):
        raise typer.Exit(FINDINGS)


_MARKS = {"ok": "ok   ", "warning": "soon ", "degraded": "WRONG"}


def _say(found: Sequence[Check], runbook_url: str) -> None:
    from tms_pipeline.health.check import link

    for check in found:
        say(f"{_MARKS[check.state]}  {check.name}: {check.sentence}")
        if not check.fine:
            say(f"       {check.remedy}")
            say(f"       {link(runbook_url, check.runbook)}")
