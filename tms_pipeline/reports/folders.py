"""Where reports lie: those of everything in one folder, those of who sees a part only in a folder of their own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tms_pipeline.workplace import Workplace


def own_folder(workplace: Workplace, folder: Path) -> Path:
    """The folder of the workplace's person inside the folder of reports; a name never climbs out of it.

    One for each role: who is given another, or another trainer's code, does not go on seeing what the last one showed.
    """
    person = workplace.person
    as_what = "-".join(filter(None, (person.role, person.trainer_code)))
    return folder / "of" / _part(person.name) / _part(as_what)


def _part(name: str) -> str:
    return quote(name, safe="@").replace(".", "%2E")
