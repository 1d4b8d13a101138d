"""Notes: what the last backup and the last drill did, in the state folder, so that health need not ask a far place."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def path_of(home: Path) -> Path:
    """The file of notes."""
    return home / "backup.json"


def read(home: Path) -> dict[str, Any]:
    """All notes; empty when there are none, or when the file cannot be read."""
    try:
        found = json.loads(path_of(home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(home: Path, about: str, facts: dict[str, Any]) -> None:
    """Replace one note."""
    path = path_of(home)
    fresh = path.with_suffix(f".{os.getpid()}")
    try:
        fresh.write_text(json.dumps({**read(home), about: facts}, indent=1), encoding="utf-8")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)  # on a full disk nothing stays behind
