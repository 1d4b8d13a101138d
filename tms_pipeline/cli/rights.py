"""Verbs of retention and of people's rights: retention, subject-access, correct, consent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tms_pipeline.cli.output import FINDINGS, USAGE, VERB, day_of, emit, plainly, say

if TYPE_CHECKING:
    from tms_pipeline.workplace import Workplace

retention_app = typer.Typer(help="How long data are kept, and their destruction: see docs/retention.md.")
access_app = typer.Typer(help="Everything kept about one person, and the clock of requests: see docs/retention.md.")
consent_app = typer.Typer(help="Consent to contact details: see docs/retention.md.", no_args_is_help=True)

Trainee = Annotated[str, typer.Argument(help="A trainee reference, such as HB-00001.")]
Reason = Annotated[str, typer.Option(help="Why; write no name.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Received = Annotated[str, typer.Option(help="The day the request came (YYYY-MM-DD); without it today.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    # What a group does without a verb of its own goes by the group's name.
    setattr(_retention, VERB, "retention")
    setattr(_subject_access, VERB, "subject-access")
    retention_app.callback(invoke_without_command=True)(retention)
    retention_app.command("hold")(retention_hold)
    retention_app.command("release")(retention_release)
    retention_app.command("holds")(retention_holds)
    retention_app.command("certificate")(retention_certificate)
    app.add_typer(retention_app, name="retention")
    access_app.callback(invoke_without_command=True)(subject_access)
    access_app.command("record")(subject_access_record)
    access_app.command("list")(subject_access_list)
    app.add_typer(access_app, name="subject-access")
    app.command()(correct)
    consent_app.command("withdraw")(consent_withdraw)
    consent_app.command("give")(consent_give)
    app.add_typer(consent_app, name="consent")


def retention(
    context: typer.Context,
    apply_: Annotated[bool, typer.Option("--apply", help="Destroy it; without this nothing is changed.")] = False,
    trainee: Annotated[
        list[str] | None, typer.Option("--trainee", help="This trainee, whatever the age. Can be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: Json = False,
) -> None:
    """Say what is kept no longer by its rule; with --apply destroy it and write a certificate."""
    if context.invoked_subcommand is None:
        _retention(apply_, trainee, yes, json_)


@plainly
def _retention(apply_: bool, trainee: list[str] | None, yes: bool, json_: bool) -> None:
    from tms_pipeline.backups.making import bring_export
    from tms_pipeline.backups.sealed_file import BackupError
    from tms_pipeline.rights.consent import take_effect
    from tms_pipeline.rights.holds import known
    from tms_pipeline.rights.retention import apply, due
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        if trainee:
            with workplace.db.transaction() as connection:
                for ref in trainee:
                    known(connection, ref)
        found = due(workplace, only=trainee)
        facts: dict[str, Any] = {
            "as_of": workplace.today(), "due": found.counts(), "trainees": found.work.trainees, "held": found.held,
            "under_way": found.under_way, "beside_held": found.beside_held, "unfinished": found.unfinished,
            "applied": False, "certificates": [],
            "rules": {kind: f"{rule.keep} after {rule.after}" for kind, rule in sorted(found.rules.items())},
        }  # fmt: skip
        if not json_:
            _say_due(facts)
        anything = any(facts["due"].values()) or found.unfinished
        if apply_ and anything:
            if not yes and not json_ and not typer.confirm("Destroy it for good, in backups too?"):
                raise typer.Exit(FINDINGS)
            facts["certificates"] = apply(workplace, found, actor=workplace.actor())
            facts["applied"] = True
            try:
                facts["export_brought"] = bring_export(workplace)
            except BackupError as error:
                facts["export_brought"], facts["export_trouble"] = False, str(error)
        if apply_:
            take_effect(workplace, actor=workplace.actor())

    def words() -> None:
        for one in facts["certificates"]:
            say(f"Destroyed; the certificate is {one['file']}.")
            say(f"    Backups: {one['backups']}.")
        if facts.get("export_brought"):
            say("The new key export lies beside the backups: they open for everybody else.")
        elif facts.get("export_trouble"):
            say(f"The new key export could not be brought beside the backups, which open for nobody without it: "
                f"{facts['export_trouble']} Run 'tms backup' as soon as it can be.")  # fmt: skip
        if anything and not apply_:
            say("Nothing was changed; 'tms retention --apply' destroys it.")

    emit(facts, as_json=json_, words=words)
    if (trainee and (found.held or found.under_way or found.beside_held)) or (not apply_ and anything):
        raise typer.Exit(FINDINGS)


def _say_due(facts: dict[str, Any]) -> None:
    say(f"As of {facts['as_of']}:")
    for kind, rule in facts["rules"].items():
        say(f"  {kind:<11}{facts['due'][kind]:>7} due    kept {rule}")
    for ref in facts["trainees"][:20]:
        say(f"    {ref}")
    if len(facts["trainees"]) > 20:
        say(f"    … and {len(facts['trainees']) - 20} more trainees, all in --json")
    for ref in facts["held"]:
        say(f"  {ref} stays: there is a legal hold.")
    for ref, others in facts["beside_held"].items():
        say(
            f"  {ref} stays: a file that is kept names {', '.join(others)} too, under a legal hold, and "
            "cannot be split; release the hold first."
        )
    for ref in facts["under_way"]:
        say(f"  {ref} stays: submissions are under way; settle or discard them first.")
    for number in facts["unfinished"]:
        say(f"  {number} was begun and not finished; --apply goes on with it.")


@plainly
def retention_hold(trainee: Trainee, reason: Reason) -> None:
    """Keep somebody's data, whatever the rules say."""
    from tms_pipeline.rights.holds import hold
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        hold(workplace, trainee, reason, actor=workplace.actor())
        _warn_of_names(workplace, reason)
    say(f"The data of {trainee} are held until 'tms retention release {trainee}'.")


@plainly
def retention_release(trainee: Trainee, reason: Reason) -> None:
    """End a legal hold; the rules count again."""
    from tms_pipeline.rights.holds import release
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        release(workplace, trainee, reason, actor=workplace.actor())
        _warn_of_names(workplace, reason)
    say(f"The hold on {trainee} has ended.")


@plainly
def retention_holds(json_: Json = False) -> None:
    """List the legal holds that stand."""
    from tms_pipeline.rights.holds import holds
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = holds(workplace)

    def words() -> None:
        for one in found:
            say(f"{one['trainee']}  since {one['since']:%Y-%m-%d}  by {one['by']}: {one['reason']}")
        if not found:
            say("There is no legal hold.")

    emit(found, as_json=json_, words=words)


@plainly
def retention_certificate(
    file: Annotated[Path, typer.Argument(readable=False, help="A certificate of destruction.")], json_: Json = False
) -> None:
    """Check that a certificate is ours and unchanged, and show it."""
    from tms_pipeline.rights.certificate import read
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        facts = read(workplace.rings.audit, file)

    def words() -> None:
        say(f"{facts['certificate']} is ours and unchanged.")
        say(f"    {len(facts['trainees'])} trainees, {facts['destroyed_at']}, by {facts['destroyed_by']}")
        say(f"    Backups: {facts['backups']}.")

    emit(facts, as_json=json_, words=words)


def subject_access(
    context: typer.Context,
    trainee: Annotated[str, typer.Option("--trainee", help="A trainee reference.")] = "",
    output: Annotated[
        Path | None, typer.Option("-o", help="The workbook to write; a JSON file comes beside it.")
    ] = None,
) -> None:
    """Write everything that is kept about one person, as workbook and JSON; answers the open requests."""
    if context.invoked_subcommand is None:
        _subject_access(trainee, output)


@plainly
def _subject_access(trainee: str, output: Path | None) -> None:
    from tms_pipeline.rights.access import export
    from tms_pipeline.workplace import open_workplace

    if not trainee or output is None:
        typer.echo("Say of whom and where to: tms subject-access --trainee HB-00001 -o FILE.xlsx", err=True)
        raise typer.Exit(USAGE)
    with open_workplace() as workplace:
        book, text, counts = export(workplace, trainee, output, actor=workplace.actor())
    for name, count in counts.items():
        if count:
            say(f"  {count:>5}  {name}")
    say(f"{book} and {text} hold personal values in clear: hand them over and delete them.")


@plainly
def subject_access_record(trainee: Trainee, received: Received = "") -> None:
    """Record that a person asked; the clock of 30 days runs from that day."""
    from tms_pipeline.rights.requests import DAYS_TO_ANSWER, record
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace, workplace.db.transaction() as connection:
        number = record(connection, workplace, trainee, "access", actor=workplace.actor(), received_on=day_of(received))
    say(f"Request {number} of {trainee} is to be answered in {DAYS_TO_ANSWER} days; 'tms subject-access list' counts.")


@plainly
def subject_access_list(
    all_: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False, json_: Json = False
) -> None:
    """List requests for access, correction and withdrawal, with the days left. Exit 1 if one is overdue."""
    from tms_pipeline.rights.requests import requests
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        found = requests(workplace, open_only=not all_)

    def words() -> None:
        for one in found:
            left = one["days_left"]
            state = (
                f"answered on {one['answered_at']:%Y-%m-%d}" if left is None
                else f"{left} days left" if left >= 0 else f"OVERDUE by {-left} days"
            )  # fmt: skip
            say(f"{one['request']:>5}  {one['trainee']}  {one['about']:<10}  received {one['received_on']}  {state}")
        if not found:
            say("No request is open.")

    emit(found, as_json=json_, words=words)
    if any(one["days_left"] is not None and one["days_left"] < 0 for one in found):
        raise typer.Exit(FINDINGS)


@plainly
def correct(
    trainee: Trainee,
    field: Annotated[str, typer.Argument(help="The field, such as full_name, birth_date, email, phone.")],
    note: Annotated[str, typer.Option(help="Where the proof lies; write no name.")] = "",
) -> None:
    """Put one field of a trainee right; the value is asked for, or read from standard input, and checked as any row."""
    from tms_pipeline.rights.corrections import correct as put_right
    from tms_pipeline.workplace import open_workplace

    asked = sys.stdin.isatty()
    value = typer.prompt("The right value", hide_input=True) if asked else sys.stdin.readline().rstrip("\n")
    if not value.strip():
        typer.echo("A correction needs a value; to take one out, drop a row with the cell left empty.", err=True)
        raise typer.Exit(USAGE)
    with open_workplace() as workplace:
        upload_id = put_right(workplace, trainee, field, value, actor=workplace.actor(), note=note)
        _warn_of_names(workplace, note)
    say(f"{trainee}: {field} was put right by upload {upload_id}; SSG is told by the next plan.")


@plainly
def consent_withdraw(trainee: Trainee, received: Received = "", reason: Reason = "") -> None:
    """Record that somebody withdraws the consent to be contacted; e-mail address and phone are taken out."""
    from tms_pipeline.rights.consent import withdraw
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        now = withdraw(workplace, trainee, actor=workplace.actor(), reason=reason, withdrawn_on=day_of(received))
        _warn_of_names(workplace, reason)
    say(
        f"E-mail address and phone of {trainee} were taken out; no later file brings them back."
        if now
        else f"Recorded. SSG needs the contact details of {trainee} until the course under way is over; then they go "
        "by themselves."
    )


@plainly
def consent_give(trainee: Trainee) -> None:
    """Record that the consent is given again; the next file with the details is taken in as it is."""
    from tms_pipeline.rights.consent import give_again
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        give_again(workplace, trainee, actor=workplace.actor())
    say(f"{trainee} has given the consent again; drop a row with the details.")


def _warn_of_names(workplace: Workplace, reason: str) -> None:
    from tms_pipeline.roles.reasons import names_somebody

    if reason and names_somebody(workplace.db, workplace.rings, reason):
        typer.echo("The reason seems to hold the name of a trainee or trainer, and it stays; use references next time.",
                   err=True)  # fmt: skip
