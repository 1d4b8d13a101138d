"""The audit log: append-only, chained, and every edit found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tms_pipeline.audit.log import append, verify
from tms_pipeline.workplace import Workplace


@pytest.fixture
def written(place: Workplace) -> Workplace:
    """A workplace with five entries more than it came with."""
    actor = place.actor(name="somebody")
    for number in range(5):
        with place.db.transaction() as connection:
            append(connection, place.rings.audit.key, actor, "did", "thing", f"T-{number}", number=number)
    return place


def check(place: Workplace) -> tuple[int, str | None]:
    with place.db.transaction() as connection:
        return verify(connection, place.rings.audit.key)


def tampered(place: Workplace, *statements: str) -> tuple[int, str | None]:
    """The verdict after somebody with all rights on the database did this, past the trigger."""
    with place.db.transaction() as connection:
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    return check(place)


def test_an_untouched_log_holds(written: Workplace) -> None:
    assert check(written) == (written.db.value("SELECT count(*) FROM audit.entry"), None)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit.entry SET actor = 'nobody' WHERE seq = 2", "DELETE FROM audit.entry WHERE seq = 2",
     "TRUNCATE audit.entry", "UPDATE audit.entry SET seq = seq WHERE false", "DELETE FROM audit.entry"],
)  # fmt: skip
def test_postgres_refuses_to_change_the_log(statement: str, written: Workplace) -> None:
    before = written.db.rows("SELECT * FROM audit.entry ORDER BY seq")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), written.db.transaction() as connection:
        connection.execute(statement)
    assert written.db.rows("SELECT * FROM audit.entry ORDER BY seq") == before


@pytest.mark.parametrize(
    "change",
    ["actor = 'nobody'", "role = 'auditor'", "action = 'saw'", "entity = 'other'", "entity_key = 'T-9'",
     "correlation_id = 'x'", "at = at + interval '1 second'", "details = '{\"number\": 9}'", "mac = '\\x00'"],
)  # fmt: skip
def test_an_edited_entry_is_found_and_named(change: str, written: Workplace) -> None:
    number, wrong = tampered(written, f"UPDATE audit.entry SET {change} WHERE seq = 3")
    assert number == 3 and wrong == "entry 3 was changed"


def test_a_deleted_entry_is_found_and_named(written: Workplace) -> None:
    assert tampered(written, "DELETE FROM audit.entry WHERE seq = 2") == (2, "entry 2 is missing")


def test_a_deleted_entry_is_found_although_the_rest_was_renumbered(written: Workplace) -> None:
    number, wrong = tampered(
        written, "DELETE FROM audit.entry WHERE seq = 2", "UPDATE audit.entry SET seq = seq - 1 WHERE seq > 2"
    )
    assert number == 2 and wrong is not None


def test_two_entries_that_changed_places_are_found(written: Workplace) -> None:
    number, wrong = tampered(
        written,
        "UPDATE audit.entry SET seq = 100 WHERE seq = 3",
        "UPDATE audit.entry SET seq = 3 WHERE seq = 4",
        "UPDATE audit.entry SET seq = 4 WHERE seq = 100",
    )
    assert number == 3 and wrong is not None


def test_an_entry_forged_without_the_key_is_found(written: Workplace) -> None:
    last = written.db.value("SELECT max(seq) FROM audit.entry")
    with written.db.transaction() as connection:
        append(connection, bytes(32), written.actor(name="forger"), "did", "thing", "T-9")
    assert check(written) == (last + 1, f"entry {last + 1} was changed")


def test_many_writers_at_once_do_not_fork_the_chain(place: Workplace) -> None:
    def write(number: int) -> None:
        with place.db.transaction() as connection:
            append(connection, place.rings.audit.key, place.actor(), "did", "thing", f"T-{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert check(place) == (40, None)


def test_what_was_rolled_back_left_no_entry(place: Workplace) -> None:
    with pytest.raises(RuntimeError), place.db.transaction() as connection:
        append(connection, place.rings.audit.key, place.actor(), "did", "thing", "T-1")
        raise RuntimeError
    assert check(place) == (0, None)
