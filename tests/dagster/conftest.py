"""Dagster against a real Postgres of ours: the resource opens the same installation as a run would."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.build import build_defs
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace, open_workplace


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What Dagster will take away is found here, not at its next release.
        warnings.filterwarnings("error", category=DeprecationWarning, module=r"(assets|sensors)\b")
        yield


@pytest.fixture
def installation(settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Workplace]:
    """The workplace of a test, with an environment in which Dagster's resource opens the same one."""
    assert settings.database_url is not None
    monkeypatch.chdir(folder)
    for name, value in {
        "TMS_HOME": str(settings.tms_home),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "TMS_TODAY": settings.today,
        "TMS_STABLE_SECONDS": "0",
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        "TMS_DAGSTER_LOG_LEVEL": "CRITICAL",
    }.items():
        monkeypatch.setenv(name, value)
    with open_workplace(settings) as place:
        (place.home / "inbox").mkdir()
        yield place


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture(autouse=True)
def no_dagster_home() -> None:
    assert "DAGSTER_HOME" not in os.environ, "a test would write into the developer's Dagster"
