"""The settled term of March, and what a look at it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from submission_world import Site, World, fee, keep, restore

from tms_pipeline.compliance.review import review
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.mirror.pull_result import PullResult
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.settled.scope import Scope, scope_of

MARCH = date(2027, 3, 1)


def on(world: World, day: date) -> World:
    """The same world on another day."""
    settings = world.workplace.settings.model_copy(update={"today": day.isoformat()})
    return replace(world, workplace=replace(world.workplace, settings=settings))


def look_at(world: World) -> dict[str, Any]:
    """A compliance review as the night makes it."""
    return review(
        world.workplace.db, today=world.workplace.today(), correlation_id="test",
        rules=rules_of(world.workplace.settings),
    )["counts"]  # fmt: skip


def scope(world: World) -> Scope:
    with world.workplace.db.transaction() as connection:
        return scope_of(connection, today=world.workplace.today(), rules=rules_of(world.workplace.settings))


def left_out(world: World) -> set[str]:
    """Runs that are settled and were not touched since."""
    now = scope(world)
    if now.open.runs is None:
        return set()
    return {row[0] for row in world.rows("SELECT run_code FROM finding.looked_run WHERE settled")} - set(now.open.runs)


def matched(world: World) -> dict[str, int]:
    """How many records of each kind agree, says a reconciliation that reads nothing from SSG."""
    counts = reconcile(world.workplace, PullResult(), actor=world.actor())["counts"]
    found: dict[str, int] = counts["matched"]
    return found


def another(world: World) -> psycopg.Connection[Any]:
    """A connection of somebody else."""
    return psycopg.connect(world.workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False))


def unseen(world: World, statement: str) -> None:
    """Change rows past every trigger."""
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(statement)


def full_look_findings(world: World) -> list[str]:
    """What the latest review says of full looks."""
    return [row[0] for row in world.rows(
        "SELECT sentence FROM finding.every_deadline WHERE rule = 'full-look' "
        "AND review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')"
    )]  # fmt: skip



@pytest.fixture(scope="session")
def march(site: Site, term_template: str) -> Iterator[World]:
    with site.world(term_template) as world:
        world.upload("fee", fee("A", "T2"))
        done = world.night()
        assert set(done.outcomes) == {"accepted"}, done
        later = on(world, MARCH)
        later.pull()
        later.reconcile()
        look_at(later)
        keep(later, "march")
        later.keep_ssg("march")
        yield later


@pytest.fixture
def settled(march: World) -> World:
    """Run A is settled, and C, in which nobody was; B is not, as nobody marked it."""
    restore(march, "march")
    march.put_back_ssg("march")
    assert left_out(march) == {"A", "C"}
    return march
