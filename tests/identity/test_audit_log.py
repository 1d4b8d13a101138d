"""The audit log: append-only, chained, and every edit found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from tms_pipeline.audit.anchors import Anchor, AnchorError, anchor, anchors, file_of, latest
from tms_pipeline.audit.log import append, entry_mac, verify
from tms_pipeline.audit.verification import Verdict, beginning_signature, walk
from tms_pipeline.workplace import Workplace

FORGED_AT = datetime(2026, 11, 20, tzinfo=UTC)


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


def walked(place: Workplace, *given: Anchor) -> Verdict:
    with place.db.transaction() as connection:
        return walk(connection, place.rings.audit.key, given)


def anchored(place: Workplace) -> Anchor:
    with place.db.transaction() as connection:
        made = anchor(connection, place.rings.audit, place.home)
    assert made is not None
    return made


def tampered(place: Workplace, *statements: str) -> tuple[int, str | None]:
    """The verdict after somebody with all rights on the database did this, past the trigger."""
    with place.owner_db.transaction() as connection:
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
def test_attack_change_or_truncate_the_audit_log_in_postgres(statement: str, written: Workplace) -> None:
    before = written.db.rows("SELECT * FROM audit.entry ORDER BY seq")
    for db in (written.db, written.owner_db):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction() as connection:
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


def forged_mac(seq: int, previous: bytes, version: int) -> bytes:
    """What somebody without any key can work out, over the facts that ``write_forged`` writes."""
    return entry_mac(
        b"\x00", previous, seq=seq, at=FORGED_AT, actor="forger", role="admin", action="did", entity="thing",
        entity_key="T-9", correlation_id="c", details={}, key_version=version,
    )  # fmt: skip


def test_attack_an_entry_under_a_key_version_that_nobody_has_is_found(written: Workplace) -> None:
    last, mac = written.db.rows("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1")[0]
    with written.owner_db.transaction() as connection:
        connection.execute(
            "INSERT INTO audit.entry (seq, at, actor, role, action, entity, entity_key, correlation_id, details, "
            "previous_mac, mac, key_version) VALUES (%s, %s, 'forger', 'admin', 'did', 'thing', 'T-9', 'c', '{}', "
            "%s, %s, 99)",
            (last + 1, FORGED_AT, mac, forged_mac(last + 1, bytes(mac), 99)),
        )
    assert check(written) == (last + 1, f"entry {last + 1} was changed")


def test_attack_a_removal_by_rule_signed_under_a_key_version_that_nobody_has_is_found(written: Workplace) -> None:
    (mac,) = written.db.rows("SELECT mac FROM audit.entry WHERE seq = 2")[0]
    signature = beginning_signature(b"\x00", 2, bytes(mac))
    with written.owner_db.transaction() as connection:
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM audit.entry WHERE seq <= 2")
        connection.execute(
            "INSERT INTO audit.beginning (seq, mac, key_version, removed_at, signature) VALUES (2, %s, 99, now(), %s)",
            (mac, signature),
        )
    assert "no rule of retention removed them" in str(check(written)[1])


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


def test_promise_10_the_audit_log_cannot_be_edited_unseen(written: Workplace) -> None:
    """Postgres refuses every change; past its triggers each sort of tampering is found, where it was done."""
    kept = written.db.rows("SELECT * FROM audit.entry ORDER BY seq")
    night = anchored(written)
    for statement in ("UPDATE audit.entry SET actor = 'nobody'", "DELETE FROM audit.entry", "TRUNCATE audit.entry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), written.db.transaction() as connection:
            connection.execute(statement)
        # The owner, and even a superuser who calls the session a replica, meets the trigger.
        for role in ("origin", "replica"):
            with written.owner_db.transaction() as connection:
                connection.execute(f"SET LOCAL session_replication_role = {role}")
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                    connection.execute(statement)
                connection.rollback()
    assert written.db.rows("SELECT * FROM audit.entry ORDER BY seq") == kept
    last = len(kept)
    attacks = {
        "edited": (["UPDATE audit.entry SET actor = 'nobody' WHERE seq = 2"], 2),
        "deleted": (["DELETE FROM audit.entry WHERE seq IN (2, 3)"], 2),
        "moved": ([f"UPDATE audit.entry SET seq = {last + 9} WHERE seq = 2", "UPDATE audit.entry SET seq = 2 WHERE seq = 3",
                   f"UPDATE audit.entry SET seq = 3 WHERE seq = {last + 9}"], 2),
        "inserted": ([f"UPDATE audit.entry SET seq = seq + {last} WHERE seq > 2",
                      f"UPDATE audit.entry SET seq = seq - {last} + 1 WHERE seq > {last}",
                      "INSERT INTO audit.entry SELECT 3, at, 'forger', role, action, entity, entity_key, correlation_id, "
                      "details, mac, mac, key_version FROM audit.entry WHERE seq = 2"], 3),
        "cut off": ([f"DELETE FROM audit.entry WHERE seq > {last - 2}"], last - 1),
    }  # fmt: skip
    for how, (statements, where) in attacks.items():
        with pytest.raises(psycopg.Rollback), written.owner_db.transaction() as connection:
            connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
            for statement in statements:
                assert connection.execute(statement).rowcount > 0
            verdict = walk(connection, written.rings.audit.key, [night])
            assert not verdict.holds and verdict.broken[0].seq == where, (how, verdict.broken)
            found = {place.how for place in verdict.broken}
            assert how in found or how == "inserted" and found & {"moved", "edited"}, (how, verdict.broken)
            raise psycopg.Rollback
    assert walked(written, night).holds


def test_attack_a_cut_tail_shows_against_the_anchor_in_the_file_or_in_a_mail_and_not_without(written: Workplace) -> None:
    mailed = Anchor.of_words(anchored(written).words)
    last = latest(written.home)
    assert last is not None and (last.seq, last.mac) == (mailed.seq, mailed.mac)
    tampered(written, "DELETE FROM audit.entry WHERE seq >= 4")
    assert walked(written).holds, "a shorter valid chain is a valid chain: only an anchor shows it"
    for given in (mailed, *anchors(written.rings.audit, written.home)):
        assert [(place.seq, place.how) for place in walked(written, given).broken] == [(4, "cut off")]
    # Grown again to the same length: the anchored entry is another one.
    for number in range(2):
        with written.db.transaction() as connection:
            append(connection, written.rings.audit.key, written.actor(), "did", "thing", f"T-{number}")
    assert [place.how for place in walked(written, mailed).broken] == ["rewritten"]


@pytest.mark.parametrize("how", ["edited", "first line removed", "half a line"])
def test_a_file_of_anchors_that_was_changed_is_refused_and_not_added_to_in_silence(how: str, written: Workplace) -> None:
    anchored(written)
    anchored(written)
    path = file_of(written.home)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text({"edited": lines[0].replace('"seq": 5', '"seq": 4') + lines[1], "first line removed": lines[1],
                     "half a line": lines[0] + lines[1][:40]}[how])  # fmt: skip
    with pytest.raises(AnchorError, match="was changed"):
        anchors(written.rings.audit, written.home)


def test_a_chain_goes_on_under_a_new_key_and_never_back_to_the_old_one(written: Workplace) -> None:
    from tms_pipeline.identity import keyring
    from tms_pipeline.identity.keyring import Key

    asleep = keyring.load(written.home)
    version = keyring.add_version(written.settings, written.rings.audit)
    before = written.db.value("SELECT count(*) FROM audit.entry")
    for key in (written.rings.audit.key, asleep.audit.key):
        with written.db.transaction() as connection:
            append(connection, key, written.actor(), "did", "thing", "T-9")
    assert written.db.rows("SELECT key_version FROM audit.entry WHERE seq > %s", (before,)) == [(version,), (version,)]
    assert walked(written).holds
    # Whoever stole the old key can chain with it, but not after an entry of the new one.
    stolen = Key.of(written.rings.audit, 1)
    stolen.ring = keyring.KeyRing("audit", 1, {1: bytes(stolen)})
    with written.owner_db.transaction() as connection:
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit.entry SET key_version = 1 WHERE seq > %s", (before,))
        append(connection, stolen, written.actor(name="forger"), "did", "thing", "T-9")
        connection.execute("UPDATE audit.entry SET key_version = %s WHERE seq BETWEEN %s AND %s",
                           (version, before + 1, before + 2))  # fmt: skip
    assert [(place.seq, place.how) for place in walked(written).broken] == [(before + 3, "old key")]


def test_a_walk_needs_no_more_memory_for_a_longer_log(written: Workplace) -> None:
    import tracemalloc

    def peak(entries: int) -> int:
        with written.owner_db.transaction() as connection:
            connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
            connection.execute(
                "INSERT INTO audit.entry SELECT (SELECT max(seq) FROM audit.entry) + n, e.at, e.actor, e.role, e.action, "
                "e.entity, e.entity_key, e.correlation_id, e.details, e.mac, e.mac, 1 "
                "FROM audit.entry e, generate_series(1, %s) n WHERE e.seq = 1",
                (entries,),
            )
            tracemalloc.start()
            walk(connection, written.rings.audit.key)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(6_000) < 2 * peak(2_500)


def test_entries_are_found_by_entity_person_correlation_and_time_and_who_saw_what(place: Workplace) -> None:
    from datetime import UTC, datetime, timedelta

    from tms_pipeline.audit.reading import show

    officer, other = place.actor(name="officer", role="admin"), place.actor(name="other")
    with place.db.transaction() as connection:
        append(connection, place.rings.audit.key, officer, "subject access exported", "trainee", "HB-00001")
        append(connection, place.rings.audit.key, officer, "destruction certified", "certificate", "C-1",
               trainees=["HB-00001"])  # fmt: skip
        append(connection, place.rings.audit.key, other, "plan approved", "plan", "P-1")
    now = datetime.now(UTC)

    def found(**wanted: object) -> list[int]:
        return [entry["seq"] for entry in show(place.db, **wanted)]  # type: ignore[arg-type]

    assert found() == [3, 2, 1] and found(last=1) == [3]
    assert found(entity="HB-00001") == [2, 1]
    assert found(person="other") == [3] and found(correlation=officer.correlation_id) == [2, 1]
    assert found(saw=True) == [3, 1] and found(action="certified") == [2]
    assert found(since=now + timedelta(hours=1)) == found(until=now - timedelta(hours=1)) == []
