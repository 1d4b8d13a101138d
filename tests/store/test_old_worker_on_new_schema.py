"""A worker of the release before goes on working on the newest schema: expand first, contract a release later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from tms_pipeline.store.migrations import migrate
from tms_pipeline.workplace import Workplace

RELEASED = "0009"
STATEMENTS = Path(__file__).parent / "released"
Columns = dict[tuple[str, str, str], dict[str, Any]]


def columns(url: str) -> Columns:
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        found = connection.execute(
            "SELECT table_schema, table_name, column_name, data_type, is_nullable = 'YES' OR column_default IS NOT NULL "
            "OR is_identity = 'YES' OR is_generated = 'ALWAYS' FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'public')"
        ).fetchall()
    return {(schema, table, name): {"type": kind, "free": free} for schema, table, name, kind, free in found}


@pytest.fixture(scope="module")
def schemas(make_database: Callable[..., str], drop_database: Callable[[str], None]) -> Iterator[tuple[Columns, Columns]]:
    """All columns of the released schema and of the newest."""
    old, new = make_database(None), make_database()
    migrate(make_url(old), RELEASED)
    yield columns(old), columns(new)
    drop_database(old)
    drop_database(new)


def test_every_released_column_is_still_there_with_its_type(schemas: tuple[Columns, Columns]) -> None:
    old, new = schemas
    assert {key: facts["type"] for key, facts in old.items()} == {key: new[key]["type"] for key in old if key in new}


def test_no_released_table_demands_a_column_that_old_code_does_not_know(schemas: tuple[Columns, Columns]) -> None:
    old, new = schemas
    tables = {key[:2] for key in old}
    demanded = [key for key, facts in new.items() if key[:2] in tables and key not in old and not facts["free"]]
    assert demanded == []
    assert [key for key, facts in old.items() if facts["free"] and not new[key]["free"]] == []


def released(name: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL((STATEMENTS / f"{name}.sql").read_text()).format(**parts)  # type: ignore[arg-type]


def test_the_statements_of_an_old_worker_take_a_change_from_its_plan_to_ssg(place: Workplace) -> None:
    may_go = sql.SQL((STATEMENTS / "may_go.sql").read_text())
    with place.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, elsewhere, counts) "
            "VALUES ('P', 'h', 'c', 1, 0, 0, 0, '{}')"
        )
        connection.execute(
            "CREATE TEMP TABLE planned (kind text, key text, action text, order_no integer, content_hash bytea, "
            "generation integer, idempotency_key text, correlation_id text, state text, reason text, fields text[], "
            "parents text[], follows text[], run_code text, ssg_ref text, deadline date, due date, upload_id text, "
            "sheet text, row_number integer) ON COMMIT DROP"
        )
        connection.execute("CREATE TEMP TABLE unread (kind text, key text) ON COMMIT DROP")
        connection.execute(
            "INSERT INTO planned VALUES ('fee', 'k', 'update', 5, 'x', 0, 'i', 'c-000001', 'planned', '', '{}', '{}', '{}', "
            "'R', 'ENR-1', current_date, current_date, 'U-1', 'Fees', 2)"
        )
        connection.execute(released("supersede"), {"skipped": []})
        connection.execute(released("carry_over"), {"plan_id": "P"})
        assert connection.execute(released("add_planned"), {"plan_id": "P"}).rowcount == 1
        connection.execute(
            "INSERT INTO outbox.approval (plan_id, plan_hash, kind, action, policy, approved_by, expires_at, changes) "
            "VALUES ('P', 'h', 'fee', 'update', 'auto', 'a person', now() + interval '1 day', 1)"
        )
        connection.execute(
            "UPDATE outbox.submission SET state = 'ready', approved_by = 'a person', approved_until = now() + interval '1 day'"
        )
    with place.db.transaction() as connection:
        claimed = connection.execute(
            released("claim", may_go=may_go), {"limit": 5, "owner": "old", "lease": "2 minutes", "paused": []}
        ).fetchall()
    assert [row[2] for row in claimed] == ["k"]
    number = claimed[0][0]
    with place.db.transaction() as connection:
        connection.execute(released("heartbeat"), {"owner": "old", "owners": ["old"], "lease": "2 minutes"})
        row = connection.execute(released("intent"), {"ids": [number], "owner": "old"}).fetchone()
    assert row is not None and row[0] == number
    with place.db.transaction() as connection:
        connection.execute(
            released("outcome"),
            {"ids": [number], "attempts": [row[1]], "owner": "old", "outcomes": json.dumps([{
                "id": number, "attempt": row[1], "state": "accepted", "sent": False, "unburn": False, "wait": 0.0,
                "reason": "accepted", "ssg_ref": "ENR-1"}])},
        )  # fmt: skip
        connection.execute(released("rescue"), {"gone": [], "grace": 1.0, "settle": 1.0})
        names = ["ssg_ref", "run_code", "collection_status", "live", "own_hash", "ssg_hash", "agreed_hash", "agreed_key"]
        merge = released(
            "mirror_written", mirror=sql.Identifier("mirror", "fee"), columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            updates=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names[1:]),
        )  # fmt: skip
        values = {"ssg_ref": "ENR-1", "run_code": "R", "collection_status": "Full Payment", "live": True, "own_hash": r"\x31",
                  "ssg_hash": r"\x31", "agreed_hash": r"\x31", "agreed_key": "k", "key": "k"}  # fmt: skip
        for _ in range(2):
            connection.execute(merge, {"rows": json.dumps([values]), "made": True})
    assert place.db.rows("SELECT state, ssg_ref FROM outbox.submission") == [("accepted", "ENR-1")]
    assert place.db.rows("SELECT outcome FROM outbox.attempt") == [("accepted",)]


@pytest.mark.parametrize("statement", [
    "INSERT INTO intake.upload (upload_id, sha256, file_name, source, received_at, received_by, bytes, state, correlation_id, "
    "archive_name) VALUES ('U', 's', 'f', 'inbox', now(), 'a', 1, 'received', 'c', 'n')",
    "INSERT INTO outbox.nightly (correlation_id) VALUES ('c')",
    "INSERT INTO audit.entry (seq, at, actor, role, action, entity, entity_key, correlation_id, details, previous_mac, mac) "
    "VALUES (1, now(), 'a', 'r', 'x', 'e', 'k', 'c', '{}', 'p', 'm')",
    "INSERT INTO mirror.read (kind, scope, started_at, state) VALUES ('fee', 'all', now(), 'reading')",
    "WITH r AS (INSERT INTO finding.review (about, as_of, correlation_id) VALUES ('reconciliation', current_date, 'c') "
    "RETURNING review_id) INSERT INTO finding.discrepancy (review_id, class, kind, since, what_to_do) "
    "SELECT review_id, 'differs', 'fee', now(), '' FROM r",
    "INSERT INTO register.fee (key, trainee_ref, row_hash, own_hash, ssg_hash, upload_id, sheet, row_number) "
    "SELECT 'k', 'T', 'r', 'o', 's', 'U', 'Fees', 2 WHERE EXISTS (SELECT FROM identity.trainee)",
    "INSERT INTO ssg.breaker (credential, failures) VALUES ('c', 1)",
], ids=lambda text: next(word for word in text.split() if "." in word))  # fmt: skip
def test_what_old_code_inserts_is_taken(statement: str, place: Workplace) -> None:
    with place.db.transaction() as connection:
        connection.execute(statement)  # type: ignore[call-overload]
