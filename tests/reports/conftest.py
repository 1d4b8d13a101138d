from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "compliance"))

from compliance_world import running_database
from report_world import fill_for_reports

from tms_pipeline.store.database import Database


@pytest.fixture(scope="session")
def filled() -> Iterator[Database]:
    """A database with a bit of everything that reports show; tests only read it."""
    with running_database() as db:
        fill_for_reports(db)
        yield db
