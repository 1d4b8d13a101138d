"""An installation of its own for each test, on the session's Postgres."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import Done
from typer.testing import CliRunner

from tms_pipeline.cli.main import app


@pytest.fixture
def empty_database(make_database: Callable[..., str], drop_database: Callable[[str], None]) -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


@pytest.fixture
def run(empty_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs a verb in this process, as it would run in its own; an exception that comes through fails the test."""
    monkeypatch.chdir(folder)

    def verb(*arguments: str, **extra: str) -> Done:
        environment = {"TMS_HOME": str(folder / "h"), "DATABASE_URL": empty_database, **extra}
        done = CliRunner().invoke(app, arguments, env=environment, catch_exceptions=False)
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return verb
