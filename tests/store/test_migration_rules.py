"""Migrations only expand, unless they say that they contract; what is released stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tms_pipeline.store.data_migrations import data_migration, reports
from tms_pipeline.store.database import DatabaseError
from tms_pipeline.store.migration_rules import breaches, rules_of
from tms_pipeline.store.migrations import migrate, state
from tms_pipeline.store.queries import SQL_ROOT
from tms_pipeline.workplace import Workplace, open_workplace


def test_the_migrations_of_this_project_keep_the_rules() -> None:
    assert [str(breach) for breach in breaches()] == []


@pytest.mark.parametrize(("statement", "why"), [
    ("DROP TABLE outbox.hold;", "takes something away"),
    ("ALTER TABLE outbox.plan DROP COLUMN waiting;", "takes something away"),
    ("ALTER TABLE outbox.plan\n    RENAME COLUMN waiting TO later;", "renames"),
    ("ALTER TABLE outbox.plan RENAME TO plans;", "renames"),
    ("ALTER TABLE outbox.plan ADD COLUMN note text NOT NULL;", "no default"),
    ("ALTER TABLE outbox.plan ADD note text NOT NULL, ADD COLUMN other text;", "no default"),
    ("ALTER TABLE outbox.plan ALTER COLUMN changes TYPE bigint;", "type of a column"),
    ("ALTER TABLE outbox.plan ALTER COLUMN state SET NOT NULL;", "demands a value"),
    ("ALTER TABLE outbox.plan ALTER COLUMN state DROP DEFAULT;", "default away"),
    ("TRUNCATE outbox.plan;", "empties"),
])  # fmt: skip
def test_what_old_code_would_stumble_over_is_refused_with_its_line(statement: str, why: str) -> None:
    found = list(rules_of("0010_new", f"-- A comment.\n\n{statement}\n"))
    assert len(found) == 1 and why in found[0].sentence
    assert found[0].line == 3 + (1 if "\n" in statement else 0)


@pytest.mark.parametrize("statement", [
    "CREATE TABLE outbox.new (a text NOT NULL); ALTER TABLE outbox.new ADD COLUMN b text NOT NULL;",
    "ALTER TABLE outbox.plan ADD COLUMN note text NOT NULL DEFAULT '';",
    "ALTER TABLE outbox.plan ADD COLUMN note text, ADD CHECK (note IS NOT NULL OR changes > 0);",
    "-- DROP TABLE outbox.plan;\nCOMMENT ON TABLE outbox.plan IS 'do not DROP TABLE it';",
    "DROP INDEX outbox.submission_due; CREATE INDEX i ON outbox.plan (state);",
    "DROP TRIGGER refuse_change ON audit.entry;",
])  # fmt: skip
def test_what_only_adds_is_let_through(statement: str) -> None:
    assert list(rules_of("0010_new", statement)) == []


def test_a_contracting_migration_must_say_so_and_raise_the_oldest_code_that_works() -> None:
    drop = "ALTER TABLE outbox.plan DROP COLUMN waiting;"
    raised = "UPDATE operations.compatibility SET oldest = '0009';"
    assert list(rules_of("0011_x", drop))
    assert list(rules_of("0011_x", f"-- contract: 0009, nobody reads it\n{drop}"))
    assert list(rules_of("0011_x", f"-- contract: 0009, nobody reads it\n{drop}\n{raised.replace('0009', '0008')}"))
    assert not list(rules_of("0011_x", f"-- contract: 0009, nobody reads it\n{drop}\n{raised}"))


def test_a_released_migration_is_never_edited(tmp_path: Path) -> None:
    original = SQL_ROOT / "migrations"
    (tmp_path / "released.txt").write_text((original / "released.txt").read_text())
    for path in original.glob("[0-9][0-9][0-9][0-9]_*.sql"):
        (tmp_path / path.name).write_text(path.read_text())
    assert breaches(tmp_path) == []
    with (tmp_path / "0001_frame.sql").open("a") as file:
        file.write("\n-- one more word\n")
    (tmp_path / "0002_submission.sql").unlink()
    assert [breach.migration for breach in breaches(tmp_path)] == ["0001_frame", "0002_submission"]


def test_code_of_one_release_before_works_on_and_older_code_is_refused(place: Workplace) -> None:
    with place.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE")  # the owner's, not the pipeline's, to change
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    found = state(place.db.url)
    assert found.newer and not found.too_new and found.pending == ()
    assert migrate(place.db.url).current == "9999", "a newer schema is left as it is"
    with open_workplace(place.settings):
        pass
    with place.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE")
        connection.execute("UPDATE operations.compatibility SET oldest = '9998'")
    with pytest.raises(DatabaseError, match=r"too old; install the newer version"), open_workplace(place.settings):
        pass


def test_a_migration_that_breaks_off_leaves_nothing_and_is_begun_again(make_database: Callable[..., str]) -> None:
    url = make_url(make_database(None))
    migrate(url, "0002")
    import psycopg

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA operations")  # in the way of 0009
    with pytest.raises(psycopg.errors.DuplicateSchema):
        migrate(url)
    assert "0009" in state(url).pending
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("DROP SCHEMA operations")
    assert migrate(url).pending == ()


def test_a_data_migration_leaves_a_balance_by_category_also_when_it_breaks_off(place: Workplace) -> None:
    with data_migration(place.db, "phones with a country", by="a person") as done:
        done.success(90)
        done.failure("no country", "Ask ops for the country and drop the row again.", 7)
        done.failure("two numbers", "Keep one.")
        done.failure("no country", "Ask ops for the country and drop the row again.", 2)
    with pytest.raises(RuntimeError), data_migration(place.db, "it breaks", by="a person") as done:
        done.success()
        raise RuntimeError("the power went")
    broke, whole = reports(place.db)
    assert (broke["processed"], broke["finished_at"]) == (1, None)
    assert (whole["processed"], whole["succeeded"], whole["failed"]) == (100, 90, 10)
    assert whole["finished_at"] is not None
    assert [(line["category"], line["records"]) for line in whole["failures"]] == [("no country", 9), ("two numbers", 1)]  # type: ignore[attr-defined]
