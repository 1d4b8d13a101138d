"""Verbs of the key rings: init, list, rotate, retire, export, rejoin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step

keys_app = typer.Typer(help="The key rings outside Postgres: see docs/keys.md.", no_args_is_help=True)

RingName = Annotated[str, typer.Argument(help="data, index or audit.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    keys_app.command("init")(keys_init)
    keys_app.command("list")(keys_list)
    keys_app.command("rotate")(keys_rotate)
    keys_app.command("retire")(keys_retire)
    keys_app.command("export")(keys_export)
    keys_app.command("rejoin")(keys_rejoin)
    app.add_typer(keys_app, name="keys")


@plainly
def keys_init() -> None:
    """Make the key rings that are missing; never overwrites one."""
    from tms_pipeline.identity.keyring import KeyringError, create, vault_of
    from tms_pipeline.settings import load_settings

    settings = load_settings()
    if settings.key_source == "environment":
        raise KeyringError(
            "The key rings come from the environment: set TMS_KEYS_DATA, TMS_KEYS_INDEX and TMS_KEYS_AUDIT to 1: and "
            "32 random bytes in base64 each, such as 'openssl rand -base64 32' gives."
        )
    made = create(settings.home, vault_of(settings))
    for path in made:
        say(f"made {path}")
    say(
        "Keep a copy of the rings apart from the database's backups: without them sealed values are lost for good."
        if made
        else "All key rings are there."
    )


@plainly
def keys_list(json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """List the versions of each ring and what needs them, never a key."""
    from tms_pipeline.identity.keyring import NAMES
    from tms_pipeline.identity.retiring import need
    from tms_pipeline.workplace import open_workplace

    found = []
    with open_workplace() as workplace, workplace.db.transaction() as connection:
        for name in NAMES:
            ring = workplace.rings.named(name)
            for version in sorted(ring.keys):
                still = need(connection, workplace.rings, name, version)
                found.append({"ring": name, "version": version, "active": version == ring.active,
                              "needed_by": still.needed_by})  # fmt: skip
        rotations = [
            dict(zip(("ring", "from", "to", "step", "done", "todo"), row, strict=True))
            for row in connection.execute(
                "SELECT ring, from_version, to_version, step, done, todo FROM identity.rotation "
                "WHERE finished_at IS NULL ORDER BY rotation_id"
            ).fetchall()
        ]

    def words() -> None:
        for one in found:
            state = "active" if one["active"] else one["needed_by"] or "nothing needs it: 'tms keys retire'"
            say(f"{one['ring']}: version {one['version']}: {state}")
        for one in rotations:
            say(
                f"{one['ring']}: a rotation to version {one['to']} is not finished ({one['step']}, {one['done']} of "
                f"{one['todo']}); 'tms keys rotate {one['ring']}' goes on with it."
            )

    emit({"keys": found, "rotations": rotations}, as_json=json_, words=words)


@plainly
def keys_rotate(
    ring: RingName,
    batch: Annotated[int, typer.Option(min=1, help="So many rows at once.")] = 500,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Make a new key of a ring active and make anew what older ones made, beside all other work.

    Killed, it goes on where it stood.
    """
    from tms_pipeline.backups.making import bring_export
    from tms_pipeline.backups.sealed_file import BackupError
    from tms_pipeline.identity.key_export import export, standing_export
    from tms_pipeline.identity.rotation import rotate
    from tms_pipeline.workplace import open_workplace

    said = ""

    def progress(words: str, done: int, todo: int) -> None:
        nonlocal said
        if words != said or done == todo:
            step(f"{words}: {done} of {todo}")
        said = words

    with open_workplace() as workplace:
        # Marks are changed while triggers rest, which only who owns the tables may order.
        db = workplace.owner_db if ring == "index" else workplace.db
        done = rotate(db, workplace.settings, workplace.rings, ring, actor=workplace.actor(), batch=batch,
                      progress=progress)  # fmt: skip
        if ring != "index" and workplace.settings.key_source == "files":
            with workplace.db.transaction() as connection:
                export(connection, workplace.rings, standing_export(workplace.home))
            try:
                bring_export(workplace)
            except BackupError as error:
                step(f"the new key export did not reach the backups ({error}); run 'tms backup' as soon as it can be")

    def words() -> None:
        say(
            f"The ring '{done.ring}' was rotated from version {done.from_version} to {done.to_version}"
            f"{' (begun earlier)' if done.resumed else ''}; {done.made_again} rows were made anew"
            + (f", others waited {done.seconds_held:.1f} s." if ring == "index" else ".")
        )
        say(
            f"Copy the ring to its safe place now; when no old backup is needed, 'tms keys retire {done.ring} "
            f"{done.from_version}' takes the old key out."
        )

    emit(vars(done), as_json=json_, words=words)


@plainly
def keys_retire(
    ring: RingName,
    version: Annotated[int, typer.Argument(help="The version that is to go.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what needs it and what would be lost.")] = False,
) -> None:
    """Take an old key out of its ring for good; refused while anything needs it, and asked first."""
    from tms_pipeline.identity.retiring import need, retire
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        with workplace.db.transaction() as connection:
            found = need(connection, workplace.rings, ring, version)
        if found.needed_by:
            say(f"Version {version} of '{ring}' cannot be retired. {found.needed_by}")
            raise typer.Exit(FINDINGS)
        say(f"Nothing needs version {version} of '{ring}'. What is lost with it: {found.lost}")
        if dry_run:
            return
        if not yes and not typer.confirm("Take it out for good?"):
            raise typer.Exit(FINDINGS)
        retire(workplace.db, workplace.settings, workplace.rings, ring, version, actor=workplace.actor())
    say(f"Version {version} of '{ring}' is gone. Destroy the copies of the ring that still hold it.")


@plainly
def keys_export(
    output: Annotated[
        Path | None, typer.Option("-o", help="The file; without it TMS_HOME/keys/data-keys.export.")
    ] = None,
) -> None:
    """Write the wrapped data keys as of now, to be kept beside a backup of the database."""
    from tms_pipeline.audit.log import append
    from tms_pipeline.identity.key_export import export, standing_export
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace, workplace.db.transaction() as connection:
        path = output or standing_export(workplace.home)
        append(connection, workplace.rings.audit.key, workplace.actor(), "data keys exported", "key ring", "data")
        count = export(connection, workplace.rings, path)
    say(f"{count} data keys were written to {path}; they open nothing without the ring 'data'.")


@plainly
def keys_rejoin(
    file: Annotated[Path, typer.Argument(readable=False, help="The newest key export.")],
) -> None:
    """After a dump was restored: bring the data keys to the state of the export, and shred again whom it shows gone."""
    from tms_pipeline.audit.log import append
    from tms_pipeline.identity.key_export import rejoin
    from tms_pipeline.rights.erasing import erase
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace, workplace.db.transaction() as connection:
        found = rejoin(connection, workplace.rings, file)
        for trainee in found.shredded:
            erase(connection, trainee, by="restore")
        append(connection, workplace.rings.audit.key, workplace.actor(), "data keys rejoined", "key ring", "data",
               keys=found.keys, trainees=found.shredded)  # fmt: skip
    say(f"{found.keys} data keys are as of the export; {len(found.shredded)} trainees are shredded and blanked again.")
