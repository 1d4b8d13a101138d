"""Verbs of the audit log: verify, show, anchor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say

audit_app = typer.Typer(help="The audit log: see docs/audit.md.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    audit_app.command("verify")(audit_verify)
    audit_app.command("show")(audit_show)
    audit_app.command("anchor")(audit_anchor)
    app.add_typer(audit_app, name="audit")


@plainly
def audit_verify(
    anchor: Annotated[
        list[str] | None, typer.Option("--anchor", help="An anchor as a digest shows it: NUMBER:HEX. Can be repeated.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Walk the chain of the audit log against its anchors, and say where it was tampered with. Exit 1 if it was."""
    from tms_pipeline.audit.anchors import Anchor, AnchorError, anchors
    from tms_pipeline.audit.verification import walk
    from tms_pipeline.workplace import open_workplace

    given = [Anchor.of_words(words) for words in anchor or []]
    with open_workplace() as workplace, workplace.db.transaction() as connection:
        wrong = ""
        try:
            kept = anchors(workplace.rings.audit, workplace.home)
        except AnchorError as error:
            kept, wrong = [], str(error)
        verdict = walk(connection, workplace.rings.audit.key, [*kept, *given])
    places = [vars(place) for place in verdict.broken]
    if wrong:
        places.append({"seq": None, "how": "anchors", "sentence": wrong})
    found = {"entries": verdict.entries, "first": verdict.first, "last": verdict.last, "anchors": verdict.anchors,
             "holds": not places, "broken": places}  # fmt: skip

    def words() -> None:
        for place in places:
            say(str(place["sentence"])[:1].upper() + str(place["sentence"])[1:].rstrip(".") + ".")
        if not places:
            against = f"{verdict.anchors} anchors" if verdict.anchors else "no anchor yet, so a cut end would not show"
            say(f"All {verdict.entries} entries hold ({verdict.first} to {verdict.last}; {against}).")

    emit(found, as_json=json_, words=words)
    if places:
        raise typer.Exit(FINDINGS)


@plainly
def audit_show(
    entity: Annotated[str, typer.Option(help="Only about this key: an upload id, plan id, trainee reference, …")] = "",
    person: Annotated[str, typer.Option(help="Only what this person did.")] = "",
    correlation: Annotated[str, typer.Option(help="Only under this correlation id.")] = "",
    action: Annotated[str, typer.Option(help="Only actions with these words.")] = "",
    since: Annotated[str, typer.Option(help="From this day or moment on (YYYY-MM-DD or ISO).")] = "",
    until: Annotated[str, typer.Option(help="Before this day or moment.")] = "",
    saw: Annotated[bool, typer.Option("--saw", help="Only who saw what: reveals, exports, approvals.")] = False,
    last: Annotated[int, typer.Option(min=1, help="So many of the last entries.")] = 20,
    json_: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Show entries of the audit log, the newest last."""
    from tms_pipeline.audit.reading import show
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        zone = workplace.now().tzinfo or UTC
        found = show(workplace.db, entity=entity, person=person, correlation=correlation, action=action,
                     since=_moment(since, zone), until=_moment(until, zone), saw=saw, last=last)  # fmt: skip

    def words() -> None:
        for entry in reversed(found):
            at = f"{entry['at'].astimezone(zone):%Y-%m-%d %H:%M:%S}"
            say(
                f"{entry['seq']:>6}  {at}  {entry['actor']} ({entry['role']}): {entry['action']} "
                f"{entry['entity']} {entry['entity_key']}"
            )
        if not found:
            say("The audit log has no such entry.")

    emit(found, as_json=json_, words=words)


@plainly
def audit_anchor() -> None:
    """Anchor the end of the log outside the database now; the nightly sync does it each night."""
    from tms_pipeline.audit.anchors import anchor
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace, workplace.db.transaction() as connection:
        made = anchor(connection, workplace.rings.audit, workplace.home)
    say(made.words if made else "The audit log is empty; there is nothing to anchor.")


def _moment(text: str, zone: object) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text[:30]}' is no day or moment; write it as 2026-11-21 or 2026-11-21T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)  # type: ignore[arg-type]
