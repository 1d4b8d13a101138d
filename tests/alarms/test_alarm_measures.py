"""Each trouble is seen where it shows in Postgres, and is over when it is over there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tms_pipeline.alarms.alarm import TOPICS
from tms_pipeline.alarms.watch import watch
from tms_pipeline.operations.steps import run_has_failed
from tms_pipeline.workplace import Workplace

TROUBLE = (
    "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
    "VALUES ('P', 'h', 'c', 2, 0, 0, '{}')",
    "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, correlation_id, "
    "created_at) SELECT 'P', 'fee', state, 'update', 1, 'x', state, 'c', now() - interval '5 days' "
    "FROM unnest(ARRAY['dead', 'ready']) state",
    "UPDATE outbox.submission SET state = 'ready', approved_until = now() + interval '1 hour'",
    "UPDATE outbox.submission SET state = 'dead' WHERE key = 'dead'",
    "INSERT INTO intake.upload (upload_id, sha256, file_name, source, state, received_at, received_by, bytes, rows, "
    "accepted, rejected, correlation_id) VALUES "
    "('U-1', '1', 'a.xlsx', 'inbox', 'taken in', now(), 'ops', 1, 40, 20, 20, 'c'), "
    "('U-2', '2', 'b.xlsx', 'office', 'taken in', now() - interval '20 days', 'ops', 1, 4, 4, 0, 'c')",
    "INSERT INTO ssg.breaker (credential, opened_at) VALUES ('c', now() - interval '1 hour')",
    "INSERT INTO outbox.nightly (correlation_id, started_at, finished_at, ssg_writes) "
    "VALUES ('c', now() - interval '3 days', now() - interval '3 days', 0)",
)  # fmt: skip
MENDED = (
    "DELETE FROM finding.review",
    "UPDATE outbox.submission SET state = 'superseded'",
    "UPDATE intake.upload SET received_at = now() - interval '8 days'",
    "UPDATE ssg.breaker SET opened_at = NULL",
    "UPDATE outbox.nightly SET finished_at = now()",
)


def test_every_topic_is_seen_in_the_tables_and_is_over_when_it_is_over_there(
    make_place: Callable[..., Workplace], make_deadline: Callable[..., None]
) -> None:
    place = make_place(alarm_dead_letters=1)
    assert watch(place).raised == []
    _run(place, TROUBLE)
    make_deadline(place, **{"R-1": place.today() + timedelta(days=3)})
    run_has_failed(place, run_id="0b-1", job="nightly_sync", upload_id=None)
    raised = {alarm.topic: alarm for alarm in watch(place).raised}
    assert raised.keys() == TOPICS.keys()
    assert "office" in raised["sources"].sentence and "nightly_sync" in raised["runs"].sentence
    assert watch(place).raised == [], "each of them is told once"
    _run(place, MENDED)
    watch(place)
    open_now = {row[0] for row in place.db.rows("SELECT topic FROM alarm.alarm WHERE ended_at IS NULL")}
    # A run that failed stays failed; it is forgotten after three days.
    assert open_now == {"runs"}


@pytest.mark.parametrize(
    ("code", "told"),
    [("SSG-TIMEOUT", ["ssg"]), ("SSG-KILL-SWITCH", []), ("SSG-MAINTENANCE", []), ("RESTORED", [])],
)
def test_what_we_did_not_read_by_our_own_will_is_no_fault_of_ssg(
    make_place: Callable[..., Workplace], code: str, told: list[str]
) -> None:
    place = make_place()
    _run(place, (
        "INSERT INTO mirror.read (kind, scope, state, error_code, sentence, started_at) "
        f"SELECT kind, '', 'not read', '{code}', 's', now() FROM unnest(ARRAY['trainer', 'session']) kind",
        "INSERT INTO mirror.read (kind, scope, state, error_code, sentence, started_at) "
        "VALUES ('attendance', '', 'not read', 'SESSIONS_NOT_READ', 's', now())",
    ))  # fmt: skip
    assert [alarm.topic for alarm in watch(place).raised] == told


def _run(place: Workplace, statements: tuple[str, ...]) -> None:
    with place.db.transaction() as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
