"""The verb of the leak scan."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tms_pipeline.cli.output import FINDINGS, emit, plainly, say, step


def add_to(app: typer.Typer) -> None:
    """Add the verb of this module."""
    app.command("leak-scan")(leak_scan)


@plainly
def leak_scan(
    people: Annotated[
        Path | None, typer.Option(help="Also look for the people of this file: CSV with a heading, or JSON.")
    ] = None,
    seeded: Annotated[
        bool, typer.Option("--seeded", help="Also look for everybody of the demo's made-up term.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Search databases, files and processes for personal values and secrets. Exit 1 if one stands where none may.

    It says where and what sort, never the value. What ops dropped and get back (inbox, result workbooks) is left out.
    """
    from tms_pipeline.leaks.people import of_file, of_term
    from tms_pipeline.leaks.scan import leak_scan as scan
    from tms_pipeline.workplace import open_workplace

    with open_workplace() as workplace:
        more = of_file(people) if people else []
        if seeded:
            day = workplace.home / "demo.json"
            known = json.loads(day.read_text(encoding="utf-8"))["today"] if day.exists() else None
            more += of_term(date.fromisoformat(known) if known else workplace.today())
        found = scan(workplace, more, progress=step)

    def words() -> None:
        for leak in found.leaks:
            whose = f" of {', '.join(leak.whose[:3])}" if leak.whose else ""
            others = " and others" if len(leak.whose) > 3 else ""
            say(f"{leak.where}: {leak.what}{whose}{others}, {leak.times} times")
        for where in found.not_read:
            say(f"not read: {where}")
        say(
            f"Looked for {found.values} values and the shape of NRICs in {len(found.databases)} databases "
            f"({found.tables} tables), {found.files} files and {found.processes} processes, "
            f"{found.megabytes:,.0f} MB: {'nothing found' if not found.leaks else f'{len(found.leaks)} places'}."
        )

    emit({**vars(found), "leaks": [vars(leak) for leak in found.leaks]}, as_json=json_, words=words)
    if found.leaks or found.not_read:
        raise typer.Exit(FINDINGS)
