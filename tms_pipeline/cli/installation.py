"""Verbs of the installation: migrate, keys, simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import COULD_NOT_RUN, FINDINGS, emit, plainly, say

keys_app = typer.Typer(help="The key rings outside Postgres.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(migrate)
    app.command()(preflight)
    app.command()(simulator)
    keys_app.command("init")(keys_init)
    keys_app.command("list")(keys_list)
    app.add_typer(keys_app, name="keys")


@plainly
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say whether migrations are pending.")] = False,
) -> None:
    """Bring the database up to date. With --check: exit 1 if migrations are pending."""
    from tms_pipeline.store.migrations import state
    from tms_pipeline.workplace import open_workplace

    with open_workplace(migrations=not check) as workplace:
        found = state(workplace.db.url)
    say(
        f"The database is at {found.current or 'nothing'}; "
        + (f"pending: {', '.join(found.pending)}." if found.pending else "nothing is pending.")
    )
    if found.pending:
        raise typer.Exit(FINDINGS)


@plainly
def preflight(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Look at database, keys, disk, certificate, encryption and SSG, a line each. Exit 1 if something is wrong."""
    from tms_pipeline.operations.at_work import at_work
    from tms_pipeline.operations.preflight import preflight as look

    with at_work() as workplace:
        found = list(look(workplace))

    def words() -> None:
        for item in found:
            say(f"{'ok   ' if item.fine else 'WRONG'}  {item.what}: {item.sentence}")

    emit([vars(item) for item in found], as_json=json_, words=words)
    if not all(item.fine for item in found):
        raise typer.Exit(FINDINGS)


@plainly
def simulator(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8900,
    faults: Annotated[Path | None, typer.Option(help="A file of scripted faults.")] = None,
    data: Annotated[Path | None, typer.Option(help="A file of apps and courses to begin with.")] = None,
) -> None:
    """Run SSG on loopback, as far as it is known: the same API as a real HTTP server."""
    import subprocess

    from tms_pipeline.operations.simulator_process import command, folder, using
    from tms_pipeline.settings import load_settings

    settings = load_settings()
    folder(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = command(settings, port=port, faults=faults)
    if data is not None:
        arguments += ["--data", str(data)]
    say(f"The simulator listens on http://127.0.0.1:{port}/  (Ctrl-C stops it)")
    try:
        with using(settings):
            code = subprocess.run(arguments, check=False).returncode  # noqa: S603  (our own module)
    except KeyboardInterrupt:
        code = 0
    if code not in (0, -2, -15):
        raise typer.Exit(COULD_NOT_RUN)


@plainly
def keys_init() -> None:
    """Make the key rings that are missing; never overwrites one."""
    from tms_pipeline.identity.keyring import create
    from tms_pipeline.settings import load_settings

    made = create(load_settings().home)
    for path in made:
        say(f"made {path}")
    say(
        "Keep a copy of the rings apart from the database's backups: without them sealed values are lost for good."
        if made
        else "All key rings are there."
    )


@plainly
def keys_list() -> None:
    """List the versions of each ring, never a key."""
    from tms_pipeline.identity.keyring import load
    from tms_pipeline.settings import load_settings

    rings = load(load_settings().home)
    for ring in (rings.data, rings.index, rings.audit):
        say(f"{ring.name}: versions {', '.join(map(str, sorted(ring.keys)))}; active {ring.active}")
