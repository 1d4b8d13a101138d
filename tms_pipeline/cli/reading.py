"""Verbs that read: summary, trace, audit, health of the chain."""

from __future__ import annotations

from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say

audit_app = typer.Typer(help="The audit log.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(summary)
    audit_app.command("verify")(audit_verify)
    audit_app.command("show")(audit_show)
    app.add_typer(audit_app, name="audit")


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
def audit_verify(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Walk the chain of the audit log and name the first broken entry. Exit 1 if one is broken."""
    from tms_pipeline.audit.log import verify
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace, workplace.db.transaction() as connection:
        number, wrong = verify(connection, workplace.rings.audit.key)
    found = {"entries": number, "broken": wrong}
    emit(found, as_json=json_, words=lambda: say(wrong or f"All {number} entries hold."))
    if wrong:
        raise typer.Exit(FINDINGS)


@plainly
def audit_show(
    entity: Annotated[str, typer.Option(help="Only entries about this key: an upload id, plan id, …")] = "",
    last: Annotated[int, typer.Option(help="So many of the last entries.")] = 20,
    json_: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Show the last entries of the audit log."""
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        rows = workplace.db.rows(
            "SELECT seq, at, actor, role, action, entity, entity_key, correlation_id, details FROM audit.entry "
            "WHERE %(key)s IN ('', entity_key, correlation_id, actor) ORDER BY seq DESC LIMIT %(last)s",
            {"key": entity, "last": last},
        )
    names = ("seq", "at", "actor", "role", "action", "entity", "entity_key", "correlation_id", "details")
    found = [dict(zip(names, row, strict=True)) for row in rows]

    def words() -> None:
        for entry in reversed(found):
            at = f"{entry['at']:%Y-%m-%d %H:%M:%S}"
            say(f"{entry['seq']:>6}  {at}  {entry['actor']}: {entry['action']} {entry['entity_key']}")

    emit(found, as_json=json_, words=words)
