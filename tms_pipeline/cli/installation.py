"""Verbs of the installation: migrate, simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import COULD_NOT_RUN, FINDINGS, emit, plainly, say


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(migrate)
    app.command()(simulator)


@plainly
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say whether migrations are pending.")] = False,
    reports: Annotated[bool, typer.Option("--reports", help="Show what became of the rows of data "
    "migrations.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Bring the database up to date; forward only. With --check: exit 1 if migrations are pending, change nothing."""
    from tms_pipeline.store.data_migrations import reports as reports_of
    from tms_pipeline.store.migrations import state
    from tms_pipeline.workplace import open_workplace

    with open_workplace(migrations=not check) as workplace:
        found = state(workplace.db.url)
        told = reports_of(workplace.db) if reports and not found.pending else []

    def words() -> None:
        pending = f"{len(found.pending)} pending: {', '.join(found.pending)}." if found.pending else ""
        newer = " It is newer than this version of tms" if found.newer else ""
        fits = ", which is too old for it; install the newer." if found.too_new else ", which works with it."
        at = found.current or "nothing"
        say(f"The database is at {at}; {pending or 'nothing is pending.'}" + (newer and newer + fits))
        for report in told:
            end = "" if report["finished_at"] else " (broke off)"
            say(f"{report['name']}: {report['processed']} processed, {report['succeeded']} succeeded, "
                f"{report['failed']} "
                f"failed{end}")
            for line in report["failures"]:  # type: ignore[attr-defined]
                say(f"  {line['category']}: {line['records']}. {line['what_to_do']}")

    emit(
        {"current": found.current, "pending": list(found.pending), "pending_count": len(found.pending),
         "newer": found.newer, "too_new": found.too_new, "reports": told},
        as_json=json_, words=words,
    )  # fmt: skip
    if found.pending or found.too_new:
        raise typer.Exit(FINDINGS)


@plainly
def simulator(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8900,
    faults: Annotated[Path | None, typer.Option(readable=False, help="A file of scripted faults.")] = None,
    data: Annotated[Path | None, typer.Option(readable=False, help="A file of apps and courses to begin with.")] = None,
) -> None:
    """Run SSG on loopback, as far as it is known: the same API as a real HTTP server."""
    import subprocess

    from tms_pipeline.operations.simulator_process import command, environment, folder, using
    from tms_pipeline.settings import load_settings

    settings = load_settings()
    folder(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = command(settings, port=port, faults=faults)
    if data is not None:
        arguments += ["--data", str(data)]
    say(f"The simulator listens on http://127.0.0.1:{port}/  (Ctrl-C stops it)")
    try:
        with using(settings):
            code = subprocess.run(arguments, env=environment(settings), check=False).returncode  # noqa: S603  (our own module)
    except KeyboardInterrupt:
        code = 0
    if code not in (0, -2, -15):
        raise typer.Exit(COULD_NOT_RUN)
