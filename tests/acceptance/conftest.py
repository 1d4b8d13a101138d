"""Two whole demos, once a session and at the same time: a plain one, and one with faults and a crash."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import demo_runs
import pytest
from demo_runs import DemoRun
from running import short_folder

from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def demos() -> Iterator[dict[str, Future[DemoRun]]]:
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))
        homes = {name: stack.enter_context(short_folder()) / "h" for name in ("plain", "faulty")}
        yield {"plain": pool.submit(demo_runs.plain, homes["plain"]), "faulty": pool.submit(demo_runs.faulty, homes["faulty"])}


@pytest.fixture(scope="session")
def demo(demos: dict[str, Future[DemoRun]]) -> DemoRun:
    """The plain demo, run twice."""
    return demos["plain"].result()


@pytest.fixture(scope="session")
def faulty(demos: dict[str, Future[DemoRun]]) -> DemoRun:
    """The demo with faults and a crash, run to its end."""
    return demos["faulty"].result()


@pytest.fixture(scope="session")
def database(demo: DemoRun) -> Iterator[Database]:
    """The plain demo's business database; tests only read it."""
    with EmbeddedPostgres(demo.home) as server, Database(server.url()) as db:
        yield db
