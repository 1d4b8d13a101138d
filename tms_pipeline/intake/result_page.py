"""The one-page summary of an upload as HTML, beside the result workbook.

It may be shown to anybody: codes, counts, places and sentences, and nothing that somebody typed. The name of the
file is left out too, for people name files after people.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tms_pipeline.intake.upload_result import MEANINGS, PLACES_NAMED, FaultGroup, UploadResult, grouped, next_steps
from tms_pipeline.records.kinds import KINDS

if TYPE_CHECKING:
    from jinja2 import Template

# What must never be here, should a sheet name, a heading or a sentence hold it after all.
PERSONAL = re.compile(r"\b[STFGM]\d{7}[A-Z]\b|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[3689]\d{3}[ -]?\d{4}\b", re.IGNORECASE)
WITHHELD = "(withheld)"
#: So many different faults are shown; the workbook holds them all.
GROUPS_SHOWN = 40


def write_result_page(result: UploadResult, path: Path) -> None:
    """Write the page to ``path``: self-contained, fit for print, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(result_page(result), encoding="utf-8", errors="replace")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def result_page(result: UploadResult) -> str:
    """The page as text."""
    groups = grouped(result.faults())
    total = sum(result.counts.get(status, 0) for status in MEANINGS)
    return _template().render(
        upload_id=result.upload_id,
        received=result.received_at.strftime("%d %B %Y, %H:%M"),
        state=result.state,
        sentence=withheld(result.sentence),
        already=withheld(result.already or ""),
        steps=next_steps(result),
        rows=result.counts.get("rows", 0),
        balanced=total == result.counts.get("rows", 0),
        counts=[
            {"status": status, "count": result.counts.get(status, 0), "meaning": meaning,
             "share": 100 * result.counts.get(status, 0) / max(total, 1)}
            for status, meaning in MEANINGS.items()
        ],
        tables=[
            {"sheet": withheld(table.sheet), "rows": len(table.rows),
             "faults": sum(bool(row.faults) for row in table.rows),
             "kinds": ", ".join(KINDS[name].plural if name in KINDS else name for name in table.kinds)}
            for table in result.tables
        ],
        groups=[_shown(group) for group in groups[:GROUPS_SHOWN]],
        more=max(len(groups) - GROUPS_SHOWN, 0),
    )  # fmt: skip


def withheld(text: str) -> str:
    """The text without anything that looks like an identity number, an e-mail address or a phone number."""
    return PERSONAL.sub(WITHHELD, text)


def _shown(group: FaultGroup) -> dict[str, object]:
    places = [withheld(place) for place in group.places[:PLACES_NAMED]]
    return {
        "code": group.first.code,
        "severity": group.first.severity,
        "count": group.count,
        "sentence": withheld(group.first.sentence),
        "fix": withheld(group.first.fix),
        "places": places,
        "more": group.count - len(places) if places else 0,
    }


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("tms_pipeline.intake", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("result.html.j2")
