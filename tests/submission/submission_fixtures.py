"""Fixtures for tests of submission, crash and promises: one server and one SSG a session, a database a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from submission_world import Site, World, running_site

__all__ = ["empty_world", "published", "published_template", "site", "term_template", "world"]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with running_site() as found:
        yield found


@pytest.fixture(scope="session")
def term_template(site: Site) -> str:
    """A database in which the small term was taken in and nothing was sent."""
    name = site.fresh()
    with site.world(name) as world:
        world.load_term()
        kept = f"{world.database}_term"
        world.workplace.db.close()
        site.sql(f"CREATE DATABASE {kept} TEMPLATE {world.database}")
    return kept


@pytest.fixture(scope="session")
def published_template(site: Site, term_template: str) -> tuple[str, dict]:
    """The same, with everything accepted by SSG; with what SSG then holds."""
    with site.world(term_template) as world:
        done = world.night()
        assert set(done.outcomes) == {"accepted"}, done
        assert world.reconcile() == {}
        records = world.ssg("GET", "state")
        kept = f"{world.database}_pub"
        world.workplace.db.close()
        site.sql(f"CREATE DATABASE {kept} TEMPLATE {world.database}")
    return kept, records


@pytest.fixture
def empty_world(site: Site) -> Iterator[World]:
    with site.world() as found:
        yield found


@pytest.fixture
def world(site: Site, term_template: str) -> Iterator[World]:
    """The term is taken in, nothing was sent."""
    with site.world(term_template) as found:
        yield found


@pytest.fixture
def published(site: Site, term_template: str) -> Iterator[World]:
    """The term is at SSG."""
    with site.world(term_template) as found:
        done = found.night()
        assert set(done.outcomes) == {"accepted"}, done
        found.forget_calls()
        yield found
