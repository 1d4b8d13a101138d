from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_fixtures import *  # noqa: F403
from submission_world import Site, World

AT_SSG = "rights: the term"


class OwnSite(Site):
    """The same server and SSG with keys and files of one's own."""

    def fresh(self, template: str | None = None) -> str:
        """A database like the template, through the buffers: no checkpoint before and after, as a copy of files has."""
        name = f"rights_{os.getpid()}_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY WAL_LOG")
        return name


def _own(site: Site, home: Path) -> Site:
    home.mkdir(mode=0o711)
    for name in ("keys", "archive"):
        shutil.copytree(site.home / name, home / name)
    return OwnSite(home, site.server, site.ssg, site.numbers, site.http)


@pytest.fixture(scope="session")
def term_at_ssg(site: Site, term_template: str) -> Iterator[str]:
    """A database in which the small term is at SSG."""
    with _own(site, site.home / "at-ssg").world(term_template) as world:
        done = world.night()
        assert set(done.outcomes) == {"accepted"}, done
        world.keep_ssg(AT_SSG)
        world.workplace.db.close()
        name = f"{world.database}_at_ssg"
        site.sql(f"CREATE DATABASE {name} TEMPLATE {world.database}")
    yield name
    site.drop(name)


@pytest.fixture
def ours(site: Site, term_at_ssg: str, tmp_path: Path) -> Iterator[World]:
    """The term was sent; database, keys and files are this test's own. SSG itself has forgotten it."""
    home = site.home / f"own-{tmp_path.name}"[:40]
    with _own(site, home).world(term_at_ssg) as world:
        yield world
    shutil.rmtree(home)


@pytest.fixture
def at_ssg(ours: World) -> World:
    """The same, and SSG holds the term."""
    ours.put_back_ssg(AT_SSG)
    return ours
