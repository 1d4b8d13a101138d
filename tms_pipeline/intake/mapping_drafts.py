"""Drafts of mappings: what a file's headings give, for a person to finish."""

from __future__ import annotations

from tms_pipeline.intake.headings import fields_of, stated_order, suggestion
from tms_pipeline.intake.opening import OpenedFile
from tms_pipeline.records.kinds import KINDS


def draft_mapping(opened: OpenedFile, name: str = "new-layout") -> str:
    """A mapping for a person to finish, from the row of the file that looks most like headings."""
    best: list[str] = []
    score = -1.0
    for grid in opened.grids:
        for place in range(min(len(grid.numbers), 40)):
            texts = [cell.strip() for cell in grid.line(place) if isinstance(cell, str) and cell.strip()]
            points = len(texts) + 3 * sum(bool(fields_of(text)) for text in texts) - place / 100
            if texts and points > score:
                best, score = [text[:300] for text in texts], points
    known = [heading for heading in best if fields_of(heading)]
    lines = [
        f"name: {name}",
        "title: Say in a few words where this layout comes from",
        "# All of these headings must be in one row for the mapping to be chosen.",
        "fingerprint:",
    ]
    lines += [f"  - {_quoted(heading)}" for heading in (known or best)[:6]]
    lines += ["# Which records a row holds: " + ", ".join(KINDS), "# kinds: [trainee, enrolment]", "columns:"]
    for heading in best:
        fields = fields_of(heading)
        if fields:
            lines.append(f"  {_quoted(heading)}: {fields[0].name}")
        else:
            near = suggestion(heading)
            lines.append(f"  # {_quoted(heading)}:" + (f"  # like '{near}'?" if near else ""))
    stated = [(fields_of(heading)[0].name, order) for heading in known if (order := stated_order(heading))]
    if stated:
        lines += ["dates:", *(f"  {field}: {order}" for field, order in stated)]
    unknown = [heading for heading in best if not fields_of(heading)]
    if unknown:
        lines += ["# Columns that are not needed:", "ignore:", *(f"  - {_quoted(heading)}" for heading in unknown)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
