"""The summary in words, for people at a terminal."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

_COUNTS = ("rows", "accepted", "unchanged", "rejected", "superseded")
_STATES = ("accepted", "ready", "retry", "unknown", "held", "rejected", "dead")


def say_summary(found: dict[str, Any], *, home: str) -> None:
    """Print uploads with their balance, submissions by kind and state, findings, and where the reports lie."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    uploads = Table(
        title="Uploads: rows = accepted + unchanged + rejected + superseded", title_justify="left", box=SIMPLE
    )
    uploads.add_column("file")
    for name in (*_COUNTS, "state"):
        uploads.add_column(name, justify="left" if name == "state" else "right")
    for upload in found["uploads"]:
        uploads.add_row(str(upload["file"]), *(str(upload[name]) for name in _COUNTS), str(upload["state"]))
    total = {name: sum(upload[name] for upload in found["uploads"]) for name in _COUNTS}
    if len(found["uploads"]) > 1:
        uploads.add_section()
        uploads.add_row("all files", *(str(total[name]) for name in _COUNTS), "")
    console.print(uploads)
    submissions = Table(title="Submissions to SSG", title_justify="left", box=SIMPLE)
    submissions.add_column("kind")
    shown = [name for name in _STATES if any(states.get(name) for states in found["submissions"].values())] or [
        "accepted"
    ]
    for name in shown:
        submissions.add_column(name, justify="right")
    for kind, states in found["submissions"].items():
        submissions.add_row(kind.replace("_", " "), *(str(states.get(name, 0)) for name in shown))
    console.print(submissions)
    discrepancies = found["discrepancies"]
    console.print(
        "Discrepancies: "
        + (", ".join(f"{count} {name}" for name, count in discrepancies.items()) or "none; both sides agree")
    )
    deadlines = found["deadlines"]
    console.print(f"Deadlines: {deadlines.get('missed', 0)} missed, {deadlines.get('near', 0)} near")
    console.print(f"Dead letters: {found['dead_letters']}")
    for standing, one in found.get("grants", {}).items():
        told = f"Grants {standing}: {one['lines']}"
        if one["estimated"] or one["paid"]:
            told += f", estimated {one['estimated']:,.2f}, paid {one['paid']:,.2f}"
        console.print(told + (f". {one['sentence']}" if "sentence" in one else ""))
    asked = found.get("requests_of_people") or {}
    if asked.get("open"):
        console.print(
            f"Requests of people: {asked['open']} open, {asked['overdue']} overdue, the next to be answered by "
            f"{asked['next_due']} (tms subject-access list)"
        )
    if found.get("ssg_writes_last_run") is not None:
        console.print(f"Writes to SSG in the last sync: {found['ssg_writes_last_run']}")
    console.print(f"Result workbooks for ops: {home}/results")
    for path in found["reports"]:
        console.print(f"Report: {path}", soft_wrap=True)
