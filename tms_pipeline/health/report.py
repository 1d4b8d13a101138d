"""The report: every check of health, in order, each on its own, so that one that breaks hides no other."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from tms_pipeline import __version__
from tms_pipeline.backups.watching import last_backup
from tms_pipeline.health import dagster, database, disk, keys, ssg
from tms_pipeline.health.check import Check, State, degraded, ok, worst
from tms_pipeline.health.site import Site, site
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection, refusal

#: What must be well before work is given to this process; the rest is work's own trouble.
READINESS = ("db", "migrations", "keys")


@dataclass(frozen=True)
class Report:
    """All checks at one moment. ``skipped``: names that do not count in this installation (TMS_HEALTH_SKIP)."""

    checks: tuple[Check, ...]
    skipped: frozenset[str]
    runbook_url: str
    environment: str

    @property
    def status(self) -> State:
        """Degraded if any check that counts is."""
        return worst(check for check in self.checks if check.name not in self.skipped)

    def only(self, names: Iterable[str]) -> Report:
        """The report of these checks alone."""
        wanted = set(names)
        return replace(self, checks=tuple(check for check in self.checks if check.name in wanted))

    def as_json(self) -> dict[str, Any]:
        """What ``tms health --json`` and ``GET /health`` say."""
        checks = {}
        for check in self.checks:
            checks[check.name] = check.as_json(self.runbook_url)
            if check.name in self.skipped:
                checks[check.name]["counts"] = False
        return {"status": str(self.status), "version": __version__, "environment": self.environment, "checks": checks}


def report(settings: Settings, *, start: bool = False) -> Report:
    """Look at everything. ``start``: an embedded Postgres that nobody keeps up is started while we look."""
    with site(settings, start=start) as found:
        return look(found)


def look(found: Site) -> Report:
    """Look at everything of a site."""
    settings = found.settings
    skipped = frozenset(part.strip() for part in settings.health_skip.split(",") if part.strip())
    return Report(tuple(_checks(found)), skipped, settings.runbook_url, settings.environment)


def _checks(found: Site) -> Iterator[Check]:
    settings = found.settings
    with contextlib.ExitStack() as stack:
        connection: Connection | None = None
        try:
            connection = stack.enter_context(found.connect())
            yield database.latency(connection)
        except psycopg.OperationalError as error:
            connection = None
            yield database.unreachable(found, refusal(error))
        migrated = False
        if connection is not None:
            at = _safely("migrations", lambda: [database.migrations(found)])
            migrated = at[0].state is not State.DEGRADED
            yield from at
        usable = connection if migrated else None
        yield from _safely("keys", lambda: [keys.keys(settings, usable)])
        if connection is not None:
            yield from _safely("dagster", lambda: [dagster.daemon(found), *dagster.runs(found)])
        checks = list(_safely("ssg", lambda: ssg.ssg(found, usable)))
        ours = next((check for check in checks if check.name == "clock"), None)
        yield from (check for check in checks if check is not ours)
        yield from _safely("clock", lambda: [_clock(connection, ours)])
        yield from _safely("certificate", lambda: [check for check in [ssg.certificate(settings)] if check is not None])
        if usable is not None:
            yield from _safely("queue", lambda: database.work(usable, settings))
        yield from _safely("disk", lambda: [disk.disk(settings), *disk.growth(settings)])
        yield from _safely("backup", lambda: [last_backup(settings)])


def _clock(connection: Connection | None, theirs: Check | None) -> Check:
    """The worse of two clocks: Postgres' and SSG's."""
    found = [theirs] if theirs is not None else []
    if connection is not None:
        found.insert(0, ssg.clock_check("clock", database.clock(connection), "Postgres"))
    return next((check for check in found if not check.fine), found[-1] if found else ok("clock", "nobody to ask"))


def _safely(name: str, looks: Callable[[], Iterable[Check]]) -> list[Check]:
    """The checks, or one that says that looking broke: health itself never breaks."""
    try:
        return list(looks())
    except (psycopg.Error, SQLAlchemyError):
        return [degraded(name, "Postgres broke off while this was looked at.", "See the check 'db'.", "postgres-down")]
    except OSError as error:
        return [
            degraded(name, f"This could not be looked at: {(error.strerror or 'refused').lower()}.",
                     "See the check 'disk', and who owns the state folder.", "disk-full")
        ]  # fmt: skip


class Kept:
    """A report that is kept for a few seconds, so that many who ask cost one look. Thread-safe."""

    def __init__(self, settings: Settings, *, seconds: float = 5.0) -> None:
        """Nothing is looked at yet."""
        self._settings, self._seconds = settings, seconds
        self._lock = threading.Lock()
        self._report: Report | None = None
        self._at = 0.0

    def report(self) -> Report:
        """The kept report, or a fresh one if it is too old."""
        with self._lock:
            if self._report is None or time.monotonic() - self._at > self._seconds:
                self._report = report(self._settings)
                self._at = time.monotonic()
            return self._report
