"""Upgrade: a database of the last release, with a term in it, goes forward to the newest schema and the work goes on."""

from __future__ import annotations

import psycopg
from psycopg import sql
from submission_world import Site, World, enrolment, settings_url, trainee

from tms_pipeline.store.database import Database
from tms_pipeline.store.migrations import migrate, state
from tms_pipeline.workplace import Workplace

RELEASED = "0002"


def tables(connection: psycopg.Connection[tuple[object, ...]]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in connection.execute(
        "SELECT c.table_schema, c.table_name, c.column_name FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE' "
        "AND c.table_schema IN ('identity', 'intake', 'register', 'mirror', 'outbox', 'ssg', 'finding', 'audit') "
        "AND c.is_generated = 'NEVER' ORDER BY 1, 2, c.ordinal_position"
    ).fetchall():
        found.setdefault((str(schema), str(table)), []).append(str(column))
    return found


def read(connection: psycopg.Connection[tuple[object, ...]], name: tuple[str, str], columns: list[str]) -> list[bytes]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor().copy(
        sql.SQL("COPY (SELECT {} FROM {} ORDER BY 1, 2) TO STDOUT").format(names, sql.Identifier(*name))
    ) as copy:
        return [bytes(part) for part in copy]


def released_copy(site: Site, world: World) -> str:
    """A database of the released schema that holds what this one holds, as far as that schema knows it."""
    name = f"{world.database}_released"
    site.drop(name)
    site.sql(f"CREATE DATABASE {name}")
    url = site.server.url(name)
    migrate(url, RELEASED)
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    ours = world.workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(ours) as source, psycopg.connect(address) as target:
        target.execute("SET session_replication_role = replica")
        new = tables(source)
        target.execute("ALTER TABLE audit.entry DISABLE TRIGGER USER")
        for table, columns in tables(target).items():
            shared = [column for column in columns if column in new[table]]
            target.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)))
            names = sql.SQL(", ").join(map(sql.Identifier, shared))
            with target.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*table), names)) as copy:
                for part in read(source, table, shared):
                    copy.write(part)
        target.execute("ALTER TABLE audit.entry ENABLE TRIGGER USER")
        last = source.execute("SELECT last_value FROM identity.trainee_number").fetchone()
        target.execute("SELECT setval('identity.trainee_number', %s)", last)
        for schema, table, column in (("outbox", "submission", "submission_id"), ("mirror", "read", "read_id"),
                                      ("outbox", "attempt", "attempt_id"), ("outbox", "nightly", "nightly_id"),
                                      ("outbox", "approval", "approval_id"), ("finding", "review", "review_id"),
                                      ("intake", "rejection", "rejection_id")):  # fmt: skip
            target.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT coalesce(max({}), 1) FROM {}))").format(
                    f"{schema}.{table}", column, sql.Identifier(column), sql.Identifier(schema, table)
                )
            )
    return name


def test_a_database_of_the_last_release_with_a_term_in_it_is_upgraded_and_the_sync_goes_on(
    site: Site, term_template: str
) -> None:
    with site.world(term_template) as world:
        world.night()
        assert set(world.states()) == {"accepted"}
        name = released_copy(site, world)
        settings = site.settings(name)
        address = settings_url(settings).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            kept = tables(connection)
            # Of a submission what was decided and done; migrations fill deadlines and ends of approvals anew.
            kept["outbox", "submission"] = [
                "submission_id", "kind", "key", "action", "content_hash", "idempotency_key", "correlation_id",
                "generation", "state", "ssg_ref", "attempts",
            ]  # fmt: skip
            before = {table: read(connection, table, columns) for table, columns in kept.items() if table[1] != "move"}
            assert state(settings_url(settings)).current == RELEASED and before["register", "enrolment"]
        migrate(settings_url(settings))
        assert not state(settings_url(settings)).pending
        with psycopg.connect(address) as connection:
            after = {table: read(connection, table, kept[table]) for table in before}
        assert [table for table in before if before[table] != after[table]] == [], "every row is as it was"
        with Database(settings_url(settings), max_size=8) as db:
            upgraded = World(site, name, Workplace(settings, db, world.workplace.rings, world.workplace.dagster_url))
            upgraded.forget_calls()
            upgraded.night()
            assert upgraded.writes() == {} and upgraded.reconcile() == {}, "SSG holds it already"
            upgraded.upload("trainee", trainee("T2", email="later@example.test"))
            upgraded.upload("enrolment", enrolment("C", "T1"))
            upgraded.submit()
            assert set(upgraded.states()) == {"accepted"} and upgraded.reconcile() == {}
            assert upgraded.writes()["enrolment.create"] == 1
        site.drop(name)
