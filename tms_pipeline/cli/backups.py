"""Verbs of backups: backup, restore, restore-drill."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step, usage

_STOPPED = "Calls to SSG are stopped; 'tms allow --reason …' lets them go."


def _searched(moved: dict[str, int]) -> str:
    return (
        f"{moved['searched_first']} submissions are searched at SSG before they are sent, {moved['planned_anew']} are "
        "planned anew; the next 'tms sync' reads all of SSG first."
    )


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.command()(backup)
    app.command()(restore)
    app.command("restore-drill")(restore_drill)


@plainly
def backup(
    to: Annotated[str, typer.Option("--to", help="A folder or fsspec URL; without it TMS_BACKUP_URL.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="Only list the backups that lie there.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Back the database up: one snapshot, sealed with our keys, with its sha256; then let old backups go.

    The key rings are not in it: keep a copy of them apart. Nor are settings, certificates and Dagster's own database.
    """
    from tms_pipeline.backups.making import LEFT_OUT, make
    from tms_pipeline.backups.places import Place
    from tms_pipeline.workplace import open_workplace

    if list_:
        with open_workplace() as workplace:
            place = Place(to or workplace.settings.backup_place)
            found = place.backups()

        def listed() -> None:
            if found:
                say(f"At {place.shown}:")
            for one in found:
                note = "  made before a restore" if one.before_restore else ""
                say(f"{one.name}  {one.bytes / 1e6:,.1f} MB{note}")
            if not found:
                say(f"No backup lies at {place.shown}.")

        emit([vars(one) for one in found], as_json=json_, words=listed)
        return
    with open_workplace() as workplace:
        made = make(workplace, actor=workplace.actor(), url=to)

    def words() -> None:
        say(
            f"{made.name}: {made.rows:,} rows of {made.tables} tables in {made.bytes / 1e6:,.1f} MB, "
            f"{made.originals} originals beside it; {made.seconds:.1f} s."
        )
        say(f"It lies at {made.url}, sealed. Not in it: {'; '.join(LEFT_OUT)}.")
        if made.removed:
            say(f"{len(made.removed)} old backups were let go.")
        if made.not_removed:
            say(f"Old backups were not let go: {made.not_removed}")

    emit(vars(made) | {"left_out": list(LEFT_OUT)}, as_json=json_, words=words)


def _newest(place: Any) -> str:
    from tms_pipeline.backups.sealed_file import BackupError

    found = [one for one in place.backups() if not one.before_restore]
    if not found:
        raise BackupError(f"No backup lies at {place.shown}; name one, or make one with 'tms backup'.")
    return str(found[-1].name)


@plainly
def restore(
    file: Annotated[str, typer.Argument(help="A backup: its name, a file or an fsspec URL.")] = "",
    recovered: Annotated[
        bool, typer.Option("--recovered", help="Postgres was brought back by other means: only make it safe.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    keep_stopped: Annotated[
        bool, typer.Option("--keep-stopped", help="Leave calls to SSG stopped, for 'tms allow'.")
    ] = False,
    closed: Annotated[
        bool, typer.Option("--closed", help="Also when sealed values can be opened by no key that is left.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Put a backup in the place of the database: verified first, what is there backed up, nothing sent twice after.

    Calls to SSG and intakes stop meanwhile. Exit 1 if health is degraded at the end.
    """
    import psycopg

    from tms_pipeline.backups.restoring import restore as put_back
    from tms_pipeline.backups.scratch import place_of
    from tms_pipeline.backups.sealed_file import BackupError
    from tms_pipeline.health.check import State
    from tms_pipeline.health.report import report
    from tms_pipeline.workplace import open_workplace

    if bool(file) is recovered:
        usage("Name a backup ('tms backup --list' shows them), or say --recovered; one of the two.")
    if recovered:
        _make_recovered_safe(keep_stopped=keep_stopped, json_=json_)
        return

    def confirm(facts: dict[str, Any]) -> bool:
        if force:
            return True
        rows = sum(facts["counts"].values())
        try:
            return typer.confirm(
                f"The backup of {facts['made_at'][:16].replace('T', ' ')} UTC is whole: {rows:,} rows, "
                f"schema {facts['schema']}. Everything that came later is replaced. Restore it?",
                err=True,
            )
        except typer.Abort:
            typer.echo("\nNobody answered; with --force it does not ask.", err=True)
            return False

    with open_workplace() as workplace:
        place, name = place_of(file, workplace.settings.backup_place)
        try:
            done = put_back(workplace, place, name, actor=workplace.actor(), keep_stopped=keep_stopped,
                            closed_too=closed, confirm=confirm, tell=step)  # fmt: skip
        except psycopg.Error as error:
            raise BackupError(
                f"Postgres broke off ({type(error).__name__}), so the restore did not happen or was not finished; see "
                "'tms health' and 'tms doctor', then run it again."
            ) from None
        if done is None:
            say("Nothing was changed.")
            raise typer.Exit(FINDINGS)
        health = report(workplace.settings)

    def words() -> None:
        say(f"{done.name} is back: {done.rows:,} rows, {done.seconds:.1f} s.")
        if done.data_keys_closed:
            say(f"{done.data_keys_closed} data keys open no more: have ops drop the sheets of these people again.")
        if done.before:
            say(f"What was there before is kept as {done.before}.")
        say(_searched(done.moved))
        if done.originals_unknown:
            say(f"{done.originals_unknown} files were taken in after this backup: have ops drop them again.")
        if done.originals_missing:
            say(f"{done.originals_missing} originals are neither here nor beside the backup: their rows are there, the "
                "files are not.")  # fmt: skip
        if done.anchors_set_aside:
            say(f"{done.anchors_set_aside} anchors of the replaced audit log were set aside in anchors/.")
        if done.replaced_left:
            say(f"What was replaced could not be dropped and lies there as the database {done.replaced_left}: "
                "'tms restore-drill' drops it.")  # fmt: skip
        if done.calls_stopped:
            say(_STOPPED)
        say(f"Health: {health.status}.")
        for check in health.checks:
            if not check.fine:
                say(f"  {check.name}: {check.sentence} {check.remedy}")

    emit(vars(done) | {"health": health.as_json()}, as_json=json_, words=words)
    if health.status is State.DEGRADED:
        raise typer.Exit(FINDINGS)


def _make_recovered_safe(*, keep_stopped: bool, json_: bool) -> None:
    from tms_pipeline.backups.recovered import make_recovered_safe
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        done = make_recovered_safe(workplace, actor=workplace.actor(), keep_stopped=keep_stopped, tell=step)

    def words() -> None:
        say(f"The database is as of {done.as_of[:16].replace('T', ' ')} UTC, and safe.")
        say(_searched(done.moved))
        if done.anchors_set_aside:
            say(f"{done.anchors_set_aside} anchors of what came later were set aside in anchors/.")
        if done.calls_stopped:
            say(_STOPPED)

    emit(vars(done), as_json=json_, words=words)


@plainly
def restore_drill(
    file: Annotated[str, typer.Argument(help="A backup: its name, a file or a URL; without it the newest.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Try a backup in a scratch database: counts, audit log, and what it would send. Exit 1 if it is not well.

    Nothing of the installation is changed.
    """
    from tms_pipeline.backups.drill import drill
    from tms_pipeline.backups.places import Place
    from tms_pipeline.backups.scratch import place_of
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        usual = workplace.settings.backup_place
        place, name = place_of(file, usual) if file else (Place(usual), "")
        done = drill(workplace, place, name or _newest(place), actor=workplace.actor())

    def words() -> None:
        say(f"{done.name} of {done.made_at[:16].replace('T', ' ')} UTC, {done.bytes / 1e6:,.1f} MB")
        say(f"  counts     {done.rows:,} rows of {done.tables} tables, as in its manifest")
        faults = "; ".join(done.audit_faults) or "the chain holds up to its anchor"
        say(f"  audit log  {done.audit_entries:,} entries; {faults}")
        say(
            f"  plan       {done.planned} changes against what SSG holds now; this installation plans "
            f"{done.planned_here}; {done.too_much} too much"
        )
        say("  time       " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in done.seconds.items()))
        say("It is well." if done.well else "It is not well.")

    emit(vars(done) | {"well": done.well}, as_json=json_, words=words)
    if not done.well:
        raise typer.Exit(FINDINGS)
