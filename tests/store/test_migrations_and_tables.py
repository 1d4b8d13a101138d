"""Migrations from nothing to the newest, and tables that hold what the record kinds say."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from alembic.script import ScriptDirectory
from running import failures_of_three_at_once
from sqlalchemy.engine import make_url

from tms_pipeline.records.field import FieldType
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.store.migrations import _config, migrate, state
from tms_pipeline.submission.states import State, moves
from tms_pipeline.workplace import Workplace

TYPES = {
    FieldType.DATE: "date",
    FieldType.TIME: "time without time zone",
    FieldType.MOMENT: "timestamp without time zone",
    FieldType.INTEGER: "integer",
    FieldType.AMOUNT: "numeric",
    FieldType.HOURS: "numeric",
    FieldType.YES_NO: "boolean",
}


def columns_of(place: Workplace, schema: str, table: str) -> dict[str, str]:
    return dict(
        place.db.rows(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
            (schema, table),
        )
    )


def test_an_empty_database_goes_from_nothing_to_the_newest(make_database: Callable[..., str]) -> None:
    url = make_url(make_database(None))
    known = [revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    assert state(url).current is None
    assert list(state(url).pending) == known
    assert migrate(url, known[0]).current == known[0]
    assert list(state(url).pending) == known[1:]
    assert migrate(url) == state(url)
    assert state(url).current == known[-1] and state(url).pending == ()


def test_two_who_migrate_at_once_take_turns(make_database: Callable[..., str]) -> None:
    url = make_url(make_database(None))
    assert failures_of_three_at_once(lambda: migrate(url)) == []
    assert state(url).pending == ()


def test_every_migration_ran_in_the_template_of_the_tests(place: Workplace) -> None:
    assert state(place.db.url).pending == ()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_register_holds_every_field_of_its_kind_and_personal_ones_only_sealed(kind, place: Workplace) -> None:  # type: ignore[no-untyped-def]
    found = columns_of(place, "register", kind.name)
    for field in kind.fields:
        if field.name == "nric":
            assert found["trainee_ref"] == "text"
            assert ("nric_sealed" in found) == (kind.name == "trainee")
        elif field.personal:
            assert found[f"{field.name}_sealed"] == found[f"{field.name}_mark"] == "bytea"
        else:
            assert found[field.name] == TYPES.get(field.type, "text")
        if field.personal:
            assert field.name not in found, f"{field.name} would stand in clear"
    of_history = columns_of(place, "register", f"{kind.name}_history")
    assert of_history.items() >= found.items()


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.submitted], ids=lambda kind: kind.name)
def test_the_mirror_holds_what_ssg_shows_and_personal_values_only_as_marks(kind, place: Workplace) -> None:  # type: ignore[no-untyped-def]
    found = columns_of(place, "mirror", kind.name)
    assert {"ssg_ref", "key", "live", "own_hash", "ssg_hash", "seen_at", "seen_how"} <= found.keys()
    assert not [name for name in found if name.endswith("_sealed")]
    for field in kind.ssg_fields:
        if kind.name == "attendance":
            assert found["status_code"] == "text"
        elif field.personal:
            assert found[f"{field.name}_mark"] == "bytea"
            assert field.name not in found
        else:
            assert found[field.name] == TYPES.get(field.type, "text")


def test_postgres_holds_the_same_moves_as_the_state_machine(place: Workplace) -> None:
    held = sorted(place.db.rows("SELECT from_state, to_state FROM outbox.move"))
    assert held == moves()


@pytest.fixture
def planned(place: Workplace) -> Workplace:
    """A workplace with one plan of one submission."""
    with place.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
            "VALUES ('P', 'h', 'c', 1, 0, 0, '{}')"
        )
        connection.execute(INSERT, ("k", "i", "planned"))
    return place


INSERT = (
    "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, "
    "correlation_id, state) VALUES ('P', 'fee', %s, 'update', 1, 'x', %s, 'c', %s)"
)
APPROVED = "approved_until = now() + interval '1 hour', lease_owner = 'a worker', needs_search = true"


def way_to(goal: str) -> list[str]:
    """Legal moves from ``planned`` to the state."""
    ways = {"planned": ["planned"]}
    while goal not in ways:
        ways.update({end: [*ways[start], end] for start, end in moves() if start in ways and end not in ways})
    return ways[goal]


@pytest.mark.parametrize("start", State, ids=str)
def test_postgres_refuses_every_move_that_the_state_machine_does_not_hold(start: State, planned: Workplace) -> None:
    with planned.db.transaction() as connection:
        for state_on_the_way in way_to(str(start))[1:]:
            connection.execute(f"UPDATE outbox.submission SET state = %s, {APPROVED}", (state_on_the_way,))
    for end in State:
        if end == start:
            continue
        try:
            with planned.db.transaction() as connection:
                connection.execute(f"UPDATE outbox.submission SET state = %s, {APPROVED}", (str(end),))
                connection.rollback()
        except psycopg.errors.CheckViolation:
            assert (str(start), str(end)) not in moves(), f"{start} to {end} is refused"
        else:
            assert (str(start), str(end)) in moves(), f"{start} to {end} is let through"


@pytest.mark.parametrize("state_at_birth", [s for s in State if s not in ("planned", "held")], ids=str)
def test_a_submission_begins_planned_or_held(state_at_birth: State, planned: Workplace) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), planned.db.transaction() as connection:
        connection.execute(INSERT, ("other", "other", str(state_at_birth)))


@pytest.mark.parametrize("missing", ["approved_until = NULL", "lease_owner = NULL", "needs_search = false"])
def test_nothing_is_sent_without_approval_lease_and_intent(missing: str, planned: Workplace) -> None:
    with planned.db.transaction() as connection:
        connection.execute(f"UPDATE outbox.submission SET state = 'ready', {APPROVED}")
        connection.execute(f"UPDATE outbox.submission SET {missing}")
    with pytest.raises(psycopg.errors.CheckViolation), planned.db.transaction() as connection:
        connection.execute("UPDATE outbox.submission SET state = 'sending'")


@pytest.mark.parametrize("change", ["content_hash = 'y'", "idempotency_key = 'j'", "key = 'another'", "kind = 'session'"])
def test_what_was_planned_cannot_be_changed_afterwards(change: str, planned: Workplace) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), planned.db.transaction() as connection:
        connection.execute(f"UPDATE outbox.submission SET {change}")
