"""The verb that shows one personal value."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tms_pipeline.cli.output import plainly, say


def add_to(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command()(reveal)


@plainly
def reveal(
    reference: Annotated[str, typer.Argument(help="Reference of a trainee, code of a trainer, key of an enrolment.")],
    field: Annotated[str, typer.Option(help="nric, full_name, birth_date, email, phone, trainer_nric, …")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the audit log.")],
    in_a_file: Annotated[
        bool, typer.Option("--yes-in-a-file", help="Print it although the output is no terminal.")
    ] = False,
) -> None:
    """Show one personal value on this terminal, after it was put into the audit log; so many a day are allowed."""
    from tms_pipeline.roles.reveal import reveal as show
    from tms_pipeline.workplace import open_workplace

    if not sys.stdout.isatty() and not in_a_file:
        raise ValueError(
            "A personal value is shown on a terminal only; --yes-in-a-file writes it where the output goes."
        )
    with open_workplace() as workplace:
        found = show(workplace, reference, field, reason=reason)
    say(found.value)
    typer.echo(f"  … entry {found.entry} of the audit log; {found.left_today} more today", err=True)
