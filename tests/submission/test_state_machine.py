"""The table of moves is one: in the code, in Postgres, in the docs; illegal moves are refused in both."""

from __future__ import annotations

import itertools

import psycopg
import pytest
from submission_world import World

from tms_pipeline.submission import diagram
from tms_pipeline.submission.states import DEAD_LETTER, MOVES, UNDER_WAY, IllegalMove, State, move, moves


def test_code_and_postgres_hold_the_same_moves(empty_world: World) -> None:
    assert sorted(empty_world.rows("SELECT from_state, to_state FROM outbox.move")) == moves()


def test_the_diagram_in_the_docs_is_that_of_the_table() -> None:
    assert diagram.main(["--check"]) == 0


def test_uniqueness_covers_every_state_that_is_under_way(empty_world: World) -> None:
    definition = empty_world.value("SELECT indexdef FROM pg_indexes WHERE indexname = 'submission_one_live'")
    assert {state for state in State if f"'{state}'" in definition} == set(UNDER_WAY)
    assert {state for state, ends in MOVES.items() if not ends} == set(State) - set(UNDER_WAY)
    assert DEAD_LETTER < UNDER_WAY


def test_illegal_moves_are_refused_by_code_and_by_postgres(world: World) -> None:
    world.plan()
    number = world.value("SELECT min(submission_id) FROM outbox.submission")
    refused = 0
    for start, end in itertools.product(State, State):
        if start == end:
            continue
        legal = end in MOVES[start]
        if not legal:
            with pytest.raises(IllegalMove):
                move(start, end)
        with world.workplace.db.transaction() as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "UPDATE outbox.submission SET state = %s, lease_owner = 'x', lease_until = now(), needs_search = true, "
                "approved_until = now() WHERE submission_id = %s",
                (start, number),
            )
            connection.execute("SET LOCAL session_replication_role = origin")
            connection.execute("SAVEPOINT before")
            try:
                connection.execute("UPDATE outbox.submission SET state = %s WHERE submission_id = %s", (end, number))
                assert legal, f"Postgres lets {start} to {end}"
            except psycopg.errors.CheckViolation:
                assert not legal, f"Postgres refuses {start} to {end}"
                refused += 1
            connection.execute("ROLLBACK TO before")
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("UPDATE outbox.submission SET state = 'planned' WHERE submission_id = %s", (number,))
    assert refused == len(State) * (len(State) - 1) - len(moves())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox.submission SET content_hash = '\\x01'",
        "UPDATE outbox.submission SET idempotency_key = idempotency_key || 'x'",
        "UPDATE outbox.submission SET action = 'cancel'",
        "UPDATE outbox.submission SET key = key || 'x'",
        "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, "
        "idempotency_key, correlation_id, "
        "state) SELECT plan_id, 'fee', 'x', 'update', 1, '\\x01', 'k', 'c', 'ready' FROM outbox.plan",
    ],
)
def test_what_was_planned_cannot_be_changed(world: World, statement: str) -> None:
    world.plan()
    with pytest.raises(psycopg.errors.CheckViolation):
        world.execute(statement)


def test_nothing_is_sent_without_approval_and_lease(world: World) -> None:
    world.plan()
    world.execute("UPDATE outbox.submission SET state = 'ready'")
    with pytest.raises(psycopg.errors.CheckViolation, match="may not be sent"):
        world.execute("UPDATE outbox.submission SET state = 'sending', needs_search = true, lease_owner = 'x'")
    assert not world.work(patience=0.1).outcomes


def test_one_submission_of_a_record_at_a_time(world: World) -> None:
    world.plan()
    with pytest.raises(psycopg.errors.UniqueViolation):
        world.execute(
            "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, "
            "correlation_id) SELECT plan_id, kind, key, action, order_no, content_hash, idempotency_key || 'x', 'c' "
            "FROM outbox.submission LIMIT 1"
        )
