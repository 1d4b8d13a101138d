"""The verb that service managers call: one process of the installation each, as deploy/ runs them."""

from __future__ import annotations

from typing import Annotated

import typer

from tms_pipeline.cli.output import plainly


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(process)


@plainly
def process(
    name: Annotated[str, typer.Argument(help="code, webserver, review, daemon, or worker.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: the usual one.")] = 0,
    code: Annotated[str, typer.Option(help="Where the code location answers, HOST:PORT.")] = "127.0.0.1:4266",
) -> None:
    """Run one process of Dagster in the foreground, for a service manager; SIGTERM stops it.

    code: the code location. webserver: for operators. review: for reviewers, read-only. daemon: exactly one an
    installation. worker: runs of the queue, on any host (docs/scale.md).
    """
    from tms_pipeline.operations.service_process import run_process

    raise typer.Exit(run_process(name, host=host, port=port, code=code))
