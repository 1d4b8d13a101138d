"""Dagster as its own storage tells it: heartbeats of the daemon, runs that are stuck, places in pools that leaked.

Read by SQL from Dagster's database (schema of 1.13), because loading Dagster takes longer than all other checks.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import psycopg

from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.health.database import words
from tms_pipeline.health.site import Site
from tms_pipeline.operations.dagster_home import write_whole
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

#: A daemon beats every 30 seconds; a part that is silent for longer is dead or hangs.
HEARTBEAT_SECONDS = 120.0
#: The longest run time of a job (assets/jobs.py, dagster.yaml), and a while in which monitoring ends it by itself.
RUN_SECONDS = 7200.0 + 300.0
WAITING_SECONDS = 900.0
_REMEMBERED_SECONDS = 600.0
#: Parts that must beat; others (freshness, assets, backfills) come and go between versions.
_NEEDED = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR", "MONITORING")


def daemon(site: Site) -> Check:
    """Whether Dagster's daemon beats, and whether there is only one."""
    start = "Start it with 'tms up' (or its service); there must be one, and only one."
    try:
        with site.connect(dagster=True) as connection:
            rows = connection.execute(query("health/heartbeats")).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidCatalogName):
        rows = []
    except psycopg.OperationalError as error:
        if "does not exist" in str(error):
            rows = []
        else:
            return degraded("dagster", "Dagster's database does not answer.", "See the check 'db'.", "postgres-down")
    beats = {kind: round(float(seconds), 1) for kind, _, seconds in rows}
    facts: dict[str, Any] = {"heartbeats": beats}
    if not rows:
        # On somebody's own machine Dagster may never be wanted; anywhere else nothing happens without it.
        tell = warning if site.settings.environment == "local" and site.up is None else degraded
        return tell("dagster", "Dagster's daemon has never run here: no sensor, schedule or queue works.", start,
                    "daemon-down", **facts)  # fmt: skip
    silent = {kind: beats.get(kind) for kind in _NEEDED if beats.get(kind, 1e12) > HEARTBEAT_SECONDS}
    if len(silent) == len(_NEEDED):
        since = words(min(beats.values()))
        return degraded(
            "dagster", f"Dagster's daemon is down: no heartbeat for {since}.", start, "daemon-down", **facts
        )
    if silent:
        return degraded("dagster", f"Parts of Dagster's daemon are silent: {', '.join(sorted(silent))}.",
                        "Restart the daemon; its log says why they stopped.", "daemon-down", **facts)  # fmt: skip
    if _several(site, {str(who) for _, who, seconds in rows if seconds < 90}):
        return degraded("dagster", "Two daemons beat for this installation: each sensor and schedule may run twice.",
                        "Find both ('tms doctor' lists those of this host) and stop the one that your supervisor does "
                        "not know.", "two-daemons", **facts)  # fmt: skip
    return ok("dagster", f"the daemon beats, {len(beats)} parts", **facts)


def _several(site: Site, now: set[str]) -> bool:
    """Whether two daemons beat. Each overwrites the other's beats, so who beat at earlier looks is kept: a daemon's id
    that was replaced and comes back shows two; one that was restarted has a new id and never comes back.
    """
    if len(now) > 1:
        return True
    path = site.home / "health" / "daemons.json"
    young = time.time() - _REMEMBERED_SECONDS
    try:
        seen = [(str(who), float(at)) for who, at in json.loads(path.read_text(encoding="utf-8")) if at > young]
    except (OSError, ValueError, TypeError):
        seen = []
    for who in now:
        if not seen or seen[-1][0] != who:
            seen.append((who, time.time()))
            with contextlib.suppress(OSError):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(path, json.dumps(seen))
    ids = [who for who, _ in seen]
    return len(ids) > len(set(ids))


def runs(site: Site) -> Iterator[Check]:
    """Runs that are stuck, and places in pools held by runs that have ended."""
    try:
        with site.connect(dagster=True) as connection:
            yield _stuck(connection)
            yield _slots(connection)
    except psycopg.Error:
        return  # the check of the daemon says what is wrong with the database


def _stuck(connection: Connection) -> Check:
    found = connection.execute(
        query("health/stuck_runs"), {"running": RUN_SECONDS, "waiting": WAITING_SECONDS}
    ).fetchall()
    if not found:
        return ok("runs", "no run is stuck", stuck=0)
    run_id, job, status, seconds = found[0]
    return degraded(
        "runs", f"{len(found)} runs are stuck; {job} is {str(status).lower().replace('_', ' ')} for {words(seconds)} "
        f"({str(run_id)[:8]}).",
        "Terminate it in Dagster (Runs, Terminate, tick 'force'); what it sent is known from Postgres, and the next "
        "run goes on.", "stuck-run", stuck=len(found), run_ids=[str(row[0]) for row in found],
    )  # fmt: skip


def _slots(connection: Connection) -> Check:
    found = {str(pool): int(count) for pool, count in connection.execute(query("health/leaked_slots"))}
    if not found:
        return ok("pools", "no place is held by a run that has ended", leaked=0)
    return warning(
        "pools", f"Runs that have ended hold places in: {', '.join(found)}.",
        "Run monitoring frees them after a minute if it runs; else Dagster, Deployment, Concurrency, the pool, 'Free "
        "slots'.", "pool-slots", leaked=sum(found.values()), pools=found,
    )  # fmt: skip
