"""Where reports lie: those of everything in one folder, those of who sees a part only in a folder of their own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tms_pipeline.workplace import Workplace


def own_folder(workplace: Workplace, folder: Path) -> Path:
    """The folder of the workplace's person inside the folder of reports; a name never climbs out of it."""
    return folder / "of" / quote(workplace.person.name, safe="@").replace(".", "%2E")
