"""The database: does it answer, is it migrated, do its clock and ours agree, does work flow through it."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.health.site import Site
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import FULL, Connection
from tms_pipeline.store.migrations import MigrationState, state
from tms_pipeline.store.queries import query

#: Past this many seconds two clocks do not agree any more: leases, deadlines and certificates go by them.
CLOCK_SECONDS = 60.0
_NIGHT_RUNNING_SECONDS = 6 * 3600.0
_UPLOAD_SECONDS = 3600.0


def unreachable(site: Site, error: str = "") -> Check:
    """The database does not answer, with what to do by where it is."""
    place = "the embedded Postgres" if site.embedded else f"Postgres at {site.url.host or 'the local socket'}"
    if site.start_error:
        sentence = site.start_error
    elif error:
        sentence = f"{place[0].upper()}{place[1:]} refuses us: {error}."
    else:
        sentence = f"{place[0].upper()}{place[1:]} does not answer."
    if error == FULL:
        return degraded("db", sentence, "Make room on its disk, as the check 'disk' says; it goes on by itself then.",
                        "disk-full", latency_ms=None)  # fmt: skip
    if not site.embedded:
        remedy = "Start it or correct DATABASE_URL; nothing is lost meanwhile, and work goes on by itself afterwards."
    elif site.up is not None:
        remedy = "Stop everything with 'tms down' and start it again with 'tms up'; it recovers by itself."
    else:
        remedy = "See that the disk has room and the folder is ours, then run 'tms up'."
    return degraded("db", sentence, remedy, "postgres-down", latency_ms=None)


def latency(connection: Connection) -> Check:
    """The time of one small question."""
    began = time.perf_counter()
    connection.execute("SELECT 1").fetchone()
    found = round((time.perf_counter() - began) * 1000, 2)
    return ok("db", f"answers in {found:g} ms", latency_ms=found)


def migrations(site: Site) -> Check:
    """Whether code and schema fit each other."""
    found: MigrationState = state(site.url)
    if found.too_new:
        return degraded(
            "migrations", f"The database is at {found.current}, for which this version of tms is too old.",
            "Install the newer version here; the schema never goes back.", "migrations",
            pending=0, current=found.current,
        )  # fmt: skip
    if found.pending:
        half = found.current is not None
        return degraded(
            "migrations",
            f"{len(found.pending)} migrations are pending ({', '.join(found.pending)})"
            + (": the schema is older than this version." if half else ": the database is empty."),
            "Run 'tms migrate'; each migration happens whole or not at all, so one that broke off is begun again.",
            "migrations", pending=len(found.pending), current=found.current,
        )  # fmt: skip
    newer = " (newer than this version, and it works with it)" if found.newer else ""
    return ok("migrations", f"at {found.current}{newer}; nothing is pending", pending=0, current=found.current)


def clock(connection: Connection) -> float:
    """How many seconds the clock of Postgres is ahead of ours."""
    before = time.time()
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    after = time.time()
    return float(row[0]) - (before + after) / 2 if row else 0.0


def work(connection: Connection, settings: Settings) -> Iterator[Check]:
    """Queue, last night and uploads."""
    yield _queue(connection, settings)
    yield _nightly(connection, settings)
    yield _uploads(connection)


def _queue(connection: Connection, settings: Settings) -> Check:
    row = connection.execute(query("health/queue")).fetchone() or (0, 0.0, 0)
    depth, oldest, orphans = int(row[0]), float(row[1]), int(row[2])
    facts = {"depth": depth, "oldest_seconds": round(oldest, 1), "leases_expired": orphans}
    if oldest > settings.alarm_queue_hours * 3600:
        return degraded(
            "queue", f"The queue is stuck: {depth} submissions are due, the oldest for {words(oldest)}.",
            "See that 'retry_sensor' is on and SSG answers; 'tms submit' works the queue off "
            "now.", "queue-stuck", **facts,
        )  # fmt: skip
    if orphans:
        return degraded(
            "queue", f"{orphans} submissions are in the hands of a worker that is gone.",
            "Run 'tms submit': it takes them over, and searches SSG before it sends any again.", "queue-stuck", **facts,
        )  # fmt: skip
    return ok("queue", f"{depth} due" + (f", the oldest for {words(oldest)}" if depth else ""), **facts)


def _nightly(connection: Connection, settings: Settings) -> Check:
    row = connection.execute(query("health/nightly")).fetchone() or (None, None, None)
    since, how, running = row
    facts = {
        "hours_since": None if since is None else round(since / 3600, 2), "state": how,
        "running_hours": None if running is None else round(running / 3600, 2),
    }  # fmt: skip
    if running is not None and running < _NIGHT_RUNNING_SECONDS:
        return ok("nightly", f"a sync runs since {words(running)}", **facts)
    if since is None:
        if running is not None:
            return degraded(
                "nightly", f"A sync began {words(running)} ago and has not finished.",
                "Look at its run in Dagster; 'tms sync' begins a new one, and nothing is sent "
                "twice.", "night-missed", **facts,
            )  # fmt: skip
        return warning(
            "nightly", "No sync has run yet.", "Switch the schedule 'nightly' on in Dagster, or run 'tms sync'.",
            "night-missed", **facts,
        )  # fmt: skip
    if since > settings.alarm_night_hours * 3600:
        return degraded(
            "nightly", f"The last sync finished {words(since)} ago.",
            "See that the daemon runs and the schedule 'nightly' is on; 'tms sync' does the night's work now.",
            "night-missed", **facts,
        )  # fmt: skip
    return ok("nightly", f"{how}, {words(since)} ago", **facts)


def _uploads(connection: Connection) -> Check:
    count, oldest = connection.execute(query("health/uploads")).fetchone() or (0, 0.0)
    facts = {"waiting": int(count), "oldest_seconds": round(float(oldest), 1)}
    if oldest > _UPLOAD_SECONDS:
        return warning(
            "uploads", f"{count} uploads were received and not taken in, the oldest {words(float(oldest))} ago.",
            "See that 'inbox_sensor' is on and its runs succeed; 'tms sync' takes them in "
            "now.", "inbox-waiting", **facts,
        )  # fmt: skip
    return ok("uploads", f"{count} wait to be taken in", **facts)


def words(seconds: float) -> str:
    """A duration in words: 40 seconds, 12 minutes, 3.5 hours, 2 days."""
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}" if size == 60 else f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} seconds"
