from __future__ import annotations

from collections.abc import Iterator

import pytest
from compliance_world import World, emptied, running_database

from tms_pipeline.store.database import Database


@pytest.fixture(scope="session")
def server() -> Iterator[Database]:
    with running_database() as db:
        yield db


@pytest.fixture
def db(server: Database) -> Database:
    return emptied(server)


@pytest.fixture
def world(db: Database) -> Iterator[World]:
    with db.transaction() as connection:
        yield World(connection)
