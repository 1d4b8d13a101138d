"""The state of an installation in one page."""

from __future__ import annotations

from typing import Any

from tms_pipeline.operations.nightly import report_folder
from tms_pipeline.reports.summary import numbers
from tms_pipeline.roles.guard import needs
from tms_pipeline.workplace import Workplace


@needs("summary")
def summary(workplace: Workplace) -> dict[str, Any]:
    """What ``tms summary --json`` prints."""
    found = numbers(workplace.db)
    folder = report_folder(workplace)
    found["reports"] = [str(path) for path in sorted(folder.iterdir()) if path.is_file()]
    found["results"] = [str(path) for path in sorted(workplace.folder("results").glob("*.xlsx"))]
    return found
