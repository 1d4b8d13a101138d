"""What tests share: a clean environment, one Postgres a session with a database a test, the simulator, a small term."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from running import forget_settings, short_folder
from sqlalchemy.engine import make_url

from tms_pipeline.examples.term import Term, make_term
from tms_pipeline.settings import Settings, load_settings
from tms_pipeline.store.embedded import BUSINESS, EmbeddedPostgres
from tms_pipeline.store.migrations import migrate
from tms_pipeline.workplace import Workplace, open_workplace

forget_settings()
# Made-up values repeat from run to run, so that a run fails for what was changed; TMS_HUNT=1 looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("default" if os.environ.get("TMS_HUNT") else "repeatable")

# The smallest term whose faulty rows are no tenth of their files; its day is fixed, so that a failing run repeats.
TODAY = date(2026, 11, 21)
_names = itertools.count(1)


# Processes take whole files, one after the other: the longest first, so that none is left for one process at the end.
LONGEST = (
    "tests/submission/test_random_walks.py", "tests/acceptance/", "tests/deploy/", "tests/crash/", "tests/backups/",
    "tests/pages/", "tests/cli/", "tests/submission/", "tests/reconcile/", "tests/settled/", "tests/roles/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the order within a file stays."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST) if item.nodeid.startswith(part)), len(LONGEST)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One embedded server a session; its business database is migrated and empty, and the template of all others."""
    with short_folder(in_memory=True) as folder, EmbeddedPostgres(folder / "h") as server:
        migrate(server.url())
        with psycopg.connect(_plain(server, "postgres"), autocommit=True) as connection:
            # Nobody pulls the plug on a test; the crash tests kill clients, and the server's own recovery is tested
            # with a server of its own.
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
            connection.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="session")
def make_database(postgres: EmbeddedPostgres) -> Callable[..., str]:
    """Makes a database from a template (by default migrated and empty) and returns its address."""

    def make(template: str | None = BUSINESS, name: str = "") -> str:
        name = name or f"t{next(_names)}"
        with psycopg.connect(_plain(postgres, "postgres"), autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
            if template is not None:
                statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            connection.execute(statement)
        return postgres.url(name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def drop_database(postgres: EmbeddedPostgres) -> Callable[[str], None]:
    """Drops a database by its address, whoever is still connected."""

    def drop(url: str) -> None:
        with psycopg.connect(_plain(postgres, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(make_url(url).database)))
            )

    return drop


def _plain(postgres: EmbeddedPostgres, name: str) -> str:
    return postgres.url(name).set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name."""
    with short_folder() as path:
        yield path


@pytest.fixture
def settings(
    make_database: Callable[..., str], drop_database: Callable[[str], None], folder: Path
) -> Iterator[Settings]:
    """Settings of an installation with an empty database and a state folder of its own."""
    url = make_database()
    yield load_settings(_env_file=None, tms_home=folder / "h", database_url=url, TMS_TODAY=TODAY.isoformat())
    drop_database(url)


@pytest.fixture
def place(settings: Settings) -> Iterator[Workplace]:
    """An open workplace."""
    with open_workplace(settings) as found:
        yield found


@pytest.fixture(scope="session")
def term() -> Term:
    """A small term."""
    return make_term(today=TODAY, trainees=120)


@pytest.fixture(scope="session")
def files(term: Term, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Its workbooks and forms, by stage."""
    from tms_pipeline.examples.workbooks import write_term

    place = tmp_path_factory.mktemp("term")
    return {stage: write_term(term, place / stage, stage=stage) for stage in ("setup", "results")}


@pytest.fixture(scope="session")
def prepared(
    make_database: Callable[..., str], files: dict[str, list[Path]]
) -> Iterator[tuple[str, Path]]:
    """A database and a state folder in which the first files of the term were taken in, nothing sent yet."""
    from tms_pipeline.intake import results
    from tms_pipeline.intake.service import receive, take_in

    name = f"prepared{next(_names)}"
    with short_folder() as path:
        url = make_database(name=name)
        given = load_settings(_env_file=None, tms_home=path / "h", database_url=url, TMS_TODAY=TODAY.isoformat())
        with open_workplace(given) as found:
            for file in files["setup"]:
                actor = found.actor()
                upload_id, _ = receive(found, file.name, file.read_bytes(), source="inbox", actor=actor)
                take_in(found, upload_id, actor=actor)
                results.hand_back(found, upload_id)
        yield name, path / "h"


@pytest.fixture
def copy_of_prepared(
    prepared: tuple[str, Path], make_database: Callable[..., str], drop_database: Callable[[str], None]
) -> Iterator[Callable[[], tuple[Path, dict[str, str]]]]:
    """Makes an installation like ``prepared``: its state folder and the environment that goes with it."""
    with ExitStack() as stack:

        def make() -> tuple[Path, dict[str, str]]:
            name, original = prepared
            home = stack.enter_context(short_folder()) / "h"
            shutil.copytree(original, home)
            url = make_database(name)
            stack.callback(drop_database, url)
            return home, {"DATABASE_URL": url, "TMS_TODAY": TODAY.isoformat()}

        yield make
