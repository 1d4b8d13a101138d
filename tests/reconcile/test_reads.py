"""Reads of changes and whole reads: when each is enough, and what an absence is worth so shortly after a write."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from submission_world import REFS, Site, World, key

from tms_pipeline.mirror.grants import read_grants
from tms_pipeline.mirror.pull import pull
from tms_pipeline.mirror.scope_reads import since_day
from tms_pipeline.store.database import DatabaseError

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # midday in Singapore
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("last_whole", "last_read", "full_days", "since"),
    [
        (None, None, 7, None),  # never read
        (NOON - WEEK, NOON - timedelta(hours=1), 7, None),  # to the second a week old
        (NOON - WEEK + timedelta(seconds=1), NOON - timedelta(hours=1), 7, date(2026, 11, 20)),
        (NOON - timedelta(days=1), NOON - timedelta(days=1), 7, date(2026, 11, 19)),
        # 00:30 in Singapore is the evening before in UTC: the day is Singapore's, and one more for safety.
        (NOON - timedelta(days=2), datetime(2026, 11, 20, 16, 30, tzinfo=UTC), 7, date(2026, 11, 20)),
        (NOON - timedelta(minutes=1), NOON - timedelta(minutes=1), 0, None),  # changes are never enough
    ],
)
def test_changes_are_enough_for_a_week(
    last_whole: datetime | None, last_read: datetime | None, full_days: float, since: date | None
) -> None:
    assert since_day(last_whole, last_read, now=NOON, full_days=full_days) == since


def modes(world: World) -> dict[str, str]:
    return {read.kind: read.mode for read in world.pull().reads if read.kind in ("enrolment", "fee", "assessment", "session")}


def test_a_week_after_the_last_whole_read_everything_is_read_again(published: World) -> None:
    changes = {"enrolment": "changes", "fee": "changes", "assessment": "changes", "session": "whole"}
    assert modes(published) == changes
    published.execute("UPDATE mirror.read SET started_at = started_at - interval '6 days 23 hours'")
    assert modes(published) == changes
    published.execute("UPDATE mirror.read SET started_at = started_at - interval '2 hours' WHERE mode = 'whole'")
    assert set(modes(published).values()) == {"whole"}
    assert modes(published) == changes, "and then its changes are enough again"


def test_a_change_and_a_cancellation_are_seen_by_a_read_of_changes_and_it_costs_less(published: World) -> None:
    reference = published.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("A", "T1"))
    published.edit("enrolments", reference, email="else@example.test")
    other = published.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("B", "T3"))
    published.cancel_there("enrolments", other)
    (read,) = [read for read in published.pull().reads if read.kind == "enrolment"]
    assert read.mode == "changes" and read.since is not None and read.pages >= 1 and read.bytes > 0
    assert published.value("SELECT live FROM mirror.enrolment WHERE ssg_ref = %s", other) is False
    agreed = published.rows("SELECT agreed_hash = ssg_hash FROM mirror.enrolment WHERE ssg_ref = %s", reference)
    assert agreed == [(False,)], "somebody changed it there"


def test_a_record_deleted_without_a_trace_is_missed_by_count_and_read_whole(published: World) -> None:
    reference = published.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("A", "T1"))
    published.ssg("POST", "edit", {"kind": "enrolments", "key": reference, "action": "delete"})
    assert modes(published)["enrolment"] == "whole"
    assert published.value("SELECT live FROM mirror.enrolment WHERE ssg_ref = %s", reference) is False


@pytest.fixture
def slow_ssg(site: Site, published: World) -> World:
    """SSG shows what is written to it after a quarter of an hour only, as it may (ssg-api 4.1)."""
    from dataclasses import replace

    settings = published.workplace.settings.model_copy(update={"ssg_visibility_minutes": 15.0})
    return World(site, published.database, replace(published.workplace, settings=settings))


def test_what_was_just_written_is_not_gone_because_ssg_does_not_show_it_yet(slow_ssg: World) -> None:
    enrolled = slow_ssg.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("A", "T1"))
    slow_ssg.ssg("POST", "edit", {"kind": "enrolments", "key": enrolled, "action": "delete"})

    def live_after_a_whole_read() -> bool:
        with slow_ssg.client() as client:
            pull(slow_ssg.workplace, client, whole=True)
        return bool(slow_ssg.value("SELECT live FROM mirror.enrolment WHERE ssg_ref = %s", enrolled))

    assert live_after_a_whole_read()
    assert slow_ssg.reconcile() == {}, "nothing is missing there while SSG may simply not show it"
    slow_ssg.execute("UPDATE mirror.enrolment SET seen_at = seen_at - interval '14 minutes'")
    assert live_after_a_whole_read()
    slow_ssg.execute("UPDATE mirror.enrolment SET seen_at = seen_at - interval '2 minutes'")
    assert not live_after_a_whole_read()
    assert slow_ssg.reconcile()["missing there"]["enrolment"] == 1


def test_old_content_read_in_the_window_does_not_undo_what_was_just_written(slow_ssg: World) -> None:
    enrolled = slow_ssg.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("A", "T1"))
    slow_ssg.edit("enrolments", enrolled, email="old@example.test")  # as it was before our write
    assert slow_ssg.reconcile() == {}
    slow_ssg.execute("UPDATE mirror.enrolment SET seen_at = seen_at - interval '16 minutes'")
    assert slow_ssg.reconcile() == {"differs": {"enrolment": 1}}
    assert REFS["T1"] in slow_ssg.value(
        "SELECT key FROM finding.discrepancy WHERE class = 'differs' ORDER BY review_id DESC LIMIT 1"
    )


def test_empty_attendance_is_asked_for_twice_and_what_was_sent_just_now_proves_nothing(slow_ssg: World) -> None:
    """SSG may not show for a while what was sent, so an empty answer right after it makes no scope "not read"."""
    slow_ssg.execute("DELETE FROM mirror.attendance WHERE session_no = 2")
    slow_ssg.execute(
        "INSERT INTO mirror.attendance (ssg_ref, ssg_session_id, ssg_run_id, live, own_hash, ssg_hash, seen_how) "
        "SELECT ssg_ref || ' copy ' || n, ssg_session_id, ssg_run_id, true, own_hash, ssg_hash, 'write' "
        "FROM mirror.attendance, generate_series(1, 2) AS n"
    )
    slow_ssg.fault("empty_page", "attendance.view")

    def read() -> tuple[str | None, int]:
        slow_ssg.forget_calls()
        (found,) = [read for read in slow_ssg.pull().reads if read.kind == "attendance"]
        return found.error_code, slow_ssg.ssg("GET", "counts")["calls"]["attendance.view"]

    assert read() == (None, 2), "once a session"
    live = "SELECT count(*) FROM mirror.attendance WHERE live"
    assert slow_ssg.value(live) == 6
    slow_ssg.execute("UPDATE mirror.attendance SET seen_at = seen_at - interval '1 hour'")
    assert read() == ("EMPTY_READ", 2), "the first session is asked for twice, and then this run is given up"
    assert slow_ssg.value(live) == 6
    slow_ssg.execute("DELETE FROM mirror.attendance WHERE ssg_ref LIKE '%copy%'")
    assert read() == (None, 3) and slow_ssg.value(live) == 0, "so few are believed at the second answer"


def test_what_ssg_showed_before_a_restore_is_not_written_after_it(site: Site, published: World) -> None:
    """The restore comes while SSG is asked, and by then the pool has let go what was connected before it."""
    name = published.database

    def restore(sentence: str) -> None:
        if sentence == "reading enrolments":
            site.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            site.sql(f"ALTER DATABASE {name} RENAME TO {name}_replaced")
            site.sql(f"CREATE DATABASE {name} TEMPLATE {name}_replaced STRATEGY FILE_COPY")
            published.workplace.db._pool.check()

    reads = "SELECT count(*) FROM mirror.read WHERE kind = 'enrolment'"
    before = published.value(reads)
    with published.client() as client, pytest.raises(DatabaseError, match="was restored"):
        pull(published.workplace, client, progress=restore)
    assert published.value(reads) == before
    assert not published.pull().failed() and published.value(reads) == before + 1
    site.drop(f"{name}_replaced")


def _unread(world: World) -> list[tuple[str, str | None]]:
    """What a night's read of everything, grants too, could not read, and why."""
    with world.client() as client:
        pulled = pull(world.workplace, client)
        pulled.reads.append(read_grants(world.workplace, client))
    return [(read.kind, read.error_code) for read in pulled.failed()]


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("session.list", {"kind": "503"}),
        ("attendance.view", {"kind": "reset_before_commit"}),
        ("enrolment.search", {"kind": "truncated"}),
        ("assessment.search", {"kind": "429", "retry_after": 1}),
        ("grant.search", {"kind": "502"}),
    ],
)
def test_a_read_that_breaks_off_is_tried_again_and_its_scope_is_read(
    published: World, endpoint: str, fault: dict[str, Any]
) -> None:
    options = dict(fault)
    published.fault(options.pop("kind"), endpoint, times=2, **options)
    assert _unread(published) == []
    published.mend()
    published.fault("503", endpoint, times=3)
    # After three tries it is given up until the next night; and without sessions attendance cannot be asked for.
    assert {code for _, code in _unread(published)} - {"SESSIONS_NOT_READ"} == {"SSG-HTTP-5XX-READ"}


def test_a_list_that_changed_while_it_was_read_is_read_once_more(published: World) -> None:
    published.fault("empty_page", "assessment.search", keep_total=True, times=1)
    published.fault("empty_page", "trainer.list", keep_total=True, times=1)
    assert published.pull().failed() == []


def test_the_tries_of_one_read_are_one_failure_to_the_breaker(published: World) -> None:
    for endpoint in ("trainer.list", "course_run.by_reference", "session.list"):
        published.fault("503", endpoint)
    assert {(read.kind, read.error_code) for read in published.pull().failed()} == {
        *((kind, "SSG-HTTP-5XX-READ") for kind in ("trainer", "course", "course_run", "session")),
        ("attendance", "SESSIONS_NOT_READ"),
    }  # and enrolments were read: had each try been counted, no call would have been made any more
    assert published.rows("SELECT failures, opened_at FROM ssg.breaker") == [(0, None)]


def test_a_long_rest_that_ssg_asks_for_is_not_slept_through_by_a_read(published: World) -> None:
    published.fault("429", "assessment.search", retry_after=3600)
    begun = time.monotonic()
    (unread,) = published.pull().failed()
    assert (unread.kind, unread.error_code) == ("assessment", "SSG-HTTP-429") and time.monotonic() - begun < 30
