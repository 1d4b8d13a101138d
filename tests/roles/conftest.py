"""One installation with a person of every role, shared by the tests of a module."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from role_world import PEOPLE, person_of
from running import Done, short_folder
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.roles import grants
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace


@pytest.fixture(scope="module")
def staffed(
    prepared: tuple[str, Path], make_database: Callable[..., str], drop_database: Callable[[str], None]
) -> Iterator[Workplace]:
    """The first files of the term taken in, and a person of every role; tests leave the records alone."""
    with short_folder() as folder:
        shutil.copytree(prepared[1], folder / "h")
        url = make_database(prepared[0])
        settings = load_settings(_env_file=None, tms_home=folder / "h", database_url=url, TMS_TODAY="2026-11-21")
        with open_workplace(settings) as place:
            code = place.db.value("SELECT split_part(trainer_codes, ';', 1) FROM register.course_run WHERE live ORDER BY key")
            grants.grant(place, "ada", "admin")
            for role in ("ops admin", "trainer", "finance", "auditor"):
                grants.grant(
                    place, PEOPLE[role], role, ways=("system", "token", "proxy"),
                    trainer_code=code if role == "trainer" else None,
                )  # fmt: skip
        with open_workplace(settings.model_copy(update={"actor": "ada"})) as place:
            yield place
        drop_database(url)


@pytest.fixture(scope="module")
def own_code(staffed: Workplace) -> str:
    found: str = staffed.db.value("SELECT trainer_code FROM identity.role_grant WHERE person = 'tina'")
    return found


@pytest.fixture
def as_role(staffed: Workplace, own_code: str) -> Callable[[str], Workplace]:
    """The workplace of a person of that role, without row rules."""
    return lambda role: replace(staffed, known=person_of(role, own_code))


@pytest.fixture
def run_as(staffed: Workplace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Runs a verb in this process as somebody; an exception that comes through fails the test."""
    monkeypatch.chdir(staffed.home.parent)

    def verb(person: str, *arguments: str, **extra: str) -> Done:
        given = staffed.settings
        assert given.database_url is not None
        environment = {
            "TMS_HOME": str(given.home), "DATABASE_URL": given.database_url.get_secret_value(), "TMS_TODAY": given.today,
            "TMS_ACTOR": person, **extra,
        }  # fmt: skip
        done = CliRunner().invoke(app, arguments, env=environment, catch_exceptions=False)
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return verb
