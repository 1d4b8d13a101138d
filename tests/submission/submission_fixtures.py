"""Fixtures for tests of submission, crash and promises: one server, one SSG and one database a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from submission_world import Site, World, keep, restore, running_site

__all__ = ["bench", "empty_world", "published", "site", "term_template", "world"]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with running_site() as found:
        yield found


@pytest.fixture(scope="session")
def term_template(site: Site) -> str:
    """A database in which the small term was taken in and nothing was sent."""
    name = site.fresh()
    with site.world(name) as world:
        keep(world, "nothing")
        world.load_term()
        keep(world, "term")
        kept = f"{world.database}_term"
        world.workplace.db.close()
        site.sql(f"CREATE DATABASE {kept} TEMPLATE {world.database}")
    return kept


@pytest.fixture(scope="session")
def bench(site: Site, term_template: str) -> Iterator[World]:
    """The database that tests take turns on; its tables are put back for each."""
    with site.world(term_template) as found:
        yield found


@pytest.fixture
def empty_world(bench: World) -> World:
    restore(bench, "nothing")
    bench.reset_ssg()
    return bench


@pytest.fixture
def world(bench: World) -> World:
    """The term is taken in, nothing was sent."""
    restore(bench, "term")
    bench.reset_ssg()
    return bench


@pytest.fixture
def published(world: World) -> World:
    """The term is at SSG."""
    done = world.night()
    assert set(done.outcomes) == {"accepted"}, done
    world.forget_calls()
    return world
