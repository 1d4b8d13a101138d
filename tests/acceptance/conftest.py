"""Two whole demos, once a session: a plain one, and one with faults and a crash; each file of tests asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import demo_runs
import pytest
from demo_runs import DemoRun
from running import short_folder

from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def demo() -> Iterator[DemoRun]:
    """The plain demo, run twice."""
    with short_folder(in_memory=True) as folder:
        yield demo_runs.plain(folder / "h")


@pytest.fixture(scope="session")
def faulty() -> Iterator[DemoRun]:
    """The demo with faults and a crash, run to its end."""
    with short_folder(in_memory=True) as folder:
        yield demo_runs.faulty(folder / "h")


@pytest.fixture(scope="session")
def database(demo: DemoRun) -> Iterator[Database]:
    """The plain demo's business database; tests only read it."""
    with EmbeddedPostgres(demo.home) as server, Database(server.url()) as db:
        yield db
