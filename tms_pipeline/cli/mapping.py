"""Verbs of mappings: draft one from a workbook, check them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, plainly, say

mapping_app = typer.Typer(help="Mappings of foreign layouts: see docs/mappings.md.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    mapping_app.command("new")(new)
    mapping_app.command("check")(check)
    mapping_app.command("list")(list_)
    app.add_typer(mapping_app, name="mapping")


@plainly
def new(
    file: Annotated[Path, typer.Argument(readable=False, help="A workbook or export in the foreign layout.")],
    name: Annotated[str, typer.Option(help="Name of the mapping.")] = "new-layout",
    output: Annotated[
        Path | None, typer.Option("-o", readable=False, help="Where to write it; printed if left out.")
    ] = None,
) -> None:
    """Draft a mapping from a workbook, for a person to finish. It holds headings, never cells."""
    from tms_pipeline.intake.mapping_drafts import draft_mapping
    from tms_pipeline.intake.opening import open_upload

    text = draft_mapping(open_upload(file, name=file.name), name)
    if output is None:
        say(text)
        return
    output.write_text(text, encoding="utf-8")
    say(f"{output}: finish it, then 'tms mapping check {output}', then move it to TMS_HOME/mappings.")


@plainly
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(readable=False, help="Mapping files; all known ones if left out.")
    ] = None,
) -> None:
    """Check mappings; names line and key of what is wrong. Exit 1 if something is."""
    from tms_pipeline.intake.mapping_files import check_mappings
    from tms_pipeline.intake.mappings import SHIPPED
    from tms_pipeline.settings import load_settings

    paths = files or [*sorted(SHIPPED.glob("*.yaml")), *sorted((load_settings().home / "mappings").glob("*.yaml"))]
    wrong = check_mappings(paths)
    for line in wrong:
        say(line)
    if wrong:
        raise typer.Exit(FINDINGS)
    say(f"{len(paths)} mappings are in order.")


@plainly
def list_() -> None:
    """List the known mappings."""
    from tms_pipeline.intake.lookups import known_mappings
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        for mapping in known_mappings(workplace):
            say(mapping.name)
