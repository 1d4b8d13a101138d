"""Intake of a named file from the command line: the same code as the inbox, with what became of it as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tms_pipeline.audit.log import Actor
from tms_pipeline.intake import results
from tms_pipeline.intake.inbox import Dropped, legible, read
from tms_pipeline.intake.opening import limits_of
from tms_pipeline.intake.preview import preview
from tms_pipeline.intake.result_workbook import write_result_workbook
from tms_pipeline.intake.service import Taken, changes_of, receive, receive_again, take_in
from tms_pipeline.roles.guard import needs
from tms_pipeline.workplace import Workplace


@needs("intake")
def take_in_file(
    workplace: Workplace,
    path: Path,
    *,
    actor: Actor,
    dry_run: bool = False,
    mapping: str | None = None,
    output: Path | None = None,
) -> dict[str, Any]:
    """Take one file in, or preview it. Raises OSError when it cannot be read."""
    name = legible(path.name)
    facts = path.stat()
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    largest = limits_of(workplace.settings).max_bytes
    try:
        content = read(Dropped(path, "command line", facts.st_size, facts.st_mtime_ns), max_bytes=largest)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # a read that breaks off names no file
    if dry_run:
        taken = preview(workplace, name, content, actor=actor, mapping=mapping)
        workbook = None
        if output is not None and taken.tables:
            write_result_workbook(results.preview_of(workplace, taken, name), output)
            workbook = output
        return _outcome(name, taken, workbook)
    upload_id, new = receive(workplace, name, content, source="command line", actor=actor)
    new = new or receive_again(workplace, upload_id, actor=actor)
    if not new and results.state_of(workplace, upload_id) != "received":
        handed = results.say_already(workplace, upload_id)
        return {
            "file": name,
            "upload": upload_id,
            "state": "already taken in",
            "sentence": results.already_sentence(workplace, upload_id),
            "rows": 0,
            "accepted": 0,
            "unchanged": 0,
            "rejected": 0,
            "superseded": 0,
            "changes": [],
            "faults": [],
            "workbook": str(handed.workbook),
        }
    taken = take_in(workplace, upload_id, actor=actor, mapping=mapping)
    for other in results.look_again_and_hand_back(workplace, upload_id, actor=actor):
        handed = other
    return _outcome(name, taken, handed.workbook)


def _outcome(name: str, taken: Taken, workbook: Path | None) -> dict[str, Any]:
    faults = [*taken.file_faults, *(item for items in taken.evaluation.faults.values() for item in items)]
    return {
        "file": name,
        "upload": taken.upload_id,
        "state": taken.state,
        "sentence": taken.sentence,
        **taken.counts(),
        "new": sum(1 for place in taken.evaluation.made if taken.evaluation.statuses.get(place) == "accepted"),
        "changes": [
            {"kind": c.kind, "key": c.key, "field": c.field, "was": c.was, "becomes": c.becomes}
            for c in changes_of(taken)
        ],
        "faults": [
            {
                "code": f.code,
                "severity": f.severity,
                "where": f.where(),
                "sheet": f.sheet,
                "row": f.row,
                "column": f.column,
                "sentence": f.sentence,
                "fix": f.fix,
            }
            for f in faults
        ],
        "workbook": str(workbook) if workbook else None,
    }
