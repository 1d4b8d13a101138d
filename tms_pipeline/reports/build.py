"""Write all reports of a day into a folder: same content of the database, same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from tms_pipeline.compliance.rules import Rule, package_rules
from tms_pipeline.reports.facts import Facts, read_facts
from tms_pipeline.reports.page import write_page
from tms_pipeline.reports.sheets import WORKBOOKS
from tms_pipeline.store.database import Database
from tms_pipeline.store.queries import query

FORMS: dict[str, Callable[[Facts, Path], None]] = {**WORKBOOKS, "reports.html": write_page}


def write_reports(
    db: Database, folder: Path, *, today: date, provider: str, rules: Sequence[Rule] | None = None,
    only: Sequence[str] | None = None,
) -> list[Path]:
    """Write every form (or those named in ``only``) from one snapshot; returns their paths.

    Each file is whole or not there: it is written beside its place and then renamed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    with db.transaction() as connection:
        connection.execute(query("reports/snapshot"))
        facts = read_facts(connection, today=today, provider=provider, rules=rules or package_rules())
        for name, write in FORMS.items():
            if only is None or name in only:
                paths.append(_whole(folder / name, lambda path, write=write: write(facts, path)))  # type: ignore[misc]
    return paths


def _whole(path: Path, write: Callable[[Path], None]) -> Path:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(fresh)
        fresh.chmod(0o640)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return path
