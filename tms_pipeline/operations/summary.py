"""The state of an installation in one page."""

from __future__ import annotations

from typing import Any

from tms_pipeline.mirror.grants import grant_totals
from tms_pipeline.operations.nightly import report_folder
from tms_pipeline.reports.folders import own_folder
from tms_pipeline.reports.summary import numbers
from tms_pipeline.rights.requests import clock
from tms_pipeline.roles.guard import needs
from tms_pipeline.workplace import Workplace


@needs("summary")
def summary(workplace: Workplace) -> dict[str, Any]:
    """What ``tms summary --json`` prints."""
    found = numbers(workplace.db)
    folder, scoped = report_folder(workplace), workplace.person.scoped
    if not scoped:
        with workplace.db.transaction() as connection:
            found["grants"] = grant_totals(connection)
        found["requests_of_people"] = clock(workplace)
    if scoped:
        # Their own part only: what others were handed back, and reports about everything, are not theirs.
        folder = own_folder(workplace, folder)
    found["reports"] = [str(path) for path in sorted(folder.glob("*")) if path.is_file()]
    found["results"] = [] if scoped else [str(path) for path in sorted(workplace.folder("results").glob("*.xlsx"))]
    return found
