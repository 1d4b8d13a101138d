"""What alarms look at, read from Postgres in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache

from tms_pipeline.alarms.conditions import Measured, OpenDeadline, Thresholds, UploadNow
from tms_pipeline.compliance.rules import package_rules
from tms_pipeline.identity.masking import redact
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

# What was not read because we did not ask, or must ask again: SSG may be well. Attendance is not asked for where its
# sessions were not read, which count themselves.
_NOT_ASKED = frozenset({"SSG-KILL-SWITCH", "SSG-MAINTENANCE", "RESTORED", "SESSIONS_NOT_READ"})


def thresholds_of(settings: Settings) -> Thresholds:
    """The thresholds of this installation."""
    return Thresholds(
        dead_letters=settings.alarm_dead_letters,
        queue_hours=settings.alarm_queue_hours,
        rejected_share=settings.alarm_rejected_share,
        source_days=settings.alarm_source_days,
        night_hours=settings.alarm_night_hours,
    )


def measure(connection: Connection, *, now: datetime, today: date) -> Measured:
    """Look at everything once."""
    at = {"now": now}
    state = connection.execute(query("alarms/state")).fetchone()
    assert state is not None  # a SELECT of single numbers
    dead_letters, oldest_waiting, waiting, breaker_open_since, last_night, first_upload = state
    reads = [row[2] for row in connection.execute(query("mirror/last_reads")) if row[4] not in _NOT_ASKED]
    titles = _titles()
    return Measured(
        now=now,
        today=today,
        deadlines=[
            # A run's code is typed by people: whatever looks like a person's number stays out of mails.
            OpenDeadline(rule=rule, title=titles.get(rule, rule), kind=kind, run_code=redact(run_code),
                         last_day=last_day, records=records, money=money)
            for rule, kind, run_code, last_day, records, money in connection.execute(query("alarms/deadlines"))
        ],
        dead_letters=dead_letters,
        oldest_waiting=oldest_waiting,
        waiting=waiting,
        uploads=[
            UploadNow(upload_id=upload_id, state=state_, rows=rows, rejected=rejected)
            for upload_id, state_, rows, rejected in connection.execute(query("alarms/uploads"), at)
        ],
        sources=[(redact(source), last) for source, last in connection.execute(query("alarms/sources"), at)],
        breaker_open_since=None if breaker_open_since is None else breaker_open_since.astimezone(now.tzinfo),
        scopes_read=reads.count("read"),
        scopes_not_read=reads.count("not read"),
        failed_runs=[(run_id, job) for run_id, job in connection.execute(query("alarms/failed_runs"), at)],
        last_night=last_night,
        first_upload=first_upload,
    )  # fmt: skip


@cache
def _titles() -> Mapping[str, str]:
    return {rule.id: rule.title for rule in package_rules()}
