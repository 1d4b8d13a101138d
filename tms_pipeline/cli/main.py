"""The entry point of ``tms``: collects the groups of verbs; everything heavy is loaded by the verb that needs it."""

from __future__ import annotations

import os
import sys

import typer

from tms_pipeline import __version__
from tms_pipeline.cli import (
    alarms,
    audit,
    backups,
    data,
    health,
    installation,
    keys,
    leaks,
    letters,
    mapping,
    night,
    outbox,
    process,
    reading,
    reveal,
    rights,
    roles,
)
from tms_pipeline.cli.output import name_verbs, outlive_readers, plainly, quiet_leavings

app = typer.Typer(
    name="tms",
    help="Reconciles a training provider's workbooks with SkillsFuture Singapore's TPGateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    night, data, mapping, outbox, letters, reading, installation, health, alarms, keys, audit, roles, reveal, leaks,
    rights, backups, process,
):  # fmt: skip
    module.add_to(app)


@app.command()
@plainly
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


name_verbs(app)


def run() -> None:
    """Run ``tms``; refuses a Python that is too old with one sentence."""
    if sys.version_info < (3, 11):  # noqa: UP036  (the sentence is for who runs it from a checkout)
        sys.stderr.write("tms needs Python 3.11 or newer; install it and make the environment again.\n")
        raise SystemExit(3)
    # Whatever the shell or the supervisor left: nobody else writes into what we make, and we always may.
    os.umask((os.umask(0o022) | 0o022) & ~0o700)
    outlive_readers()
    quiet_leavings()
    app()


if __name__ == "__main__":
    run()
