"""The doctor: the usual troubles of an installation and of a Dagster deployment, each with its mend.

Health asks whether it is well now; the doctor also looks at how it is set up, which takes longer.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import yaml

from tms_pipeline.backups.watching import last_restore, newest_file
from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.health.disk import GROWING, size_of
from tms_pipeline.health.preflight import permissions, row_rules, settings_check
from tms_pipeline.health.processes import Process, processes
from tms_pipeline.health.report import look
from tms_pipeline.health.site import Site, noted_up
from tms_pipeline.operations.simulator_process import folder as simulator_folder
from tms_pipeline.settings import PROJECT_ROOT, Settings
from tms_pipeline.store.database import Database, DatabaseError
from tms_pipeline.store.queries import query

#: What works only when it is on, and what does not happen while it is off.
INSTIGATORS = {
    "inbox_sensor": "files stay in the inbox",
    "nightly": "no nightly sync runs",
    "retry_sensor": "retries wait for the next night",
    "run_failed": "nobody notes a failed run",
    "alarm_sensor": "alarms are raised by the night only",
    "housekeeping": "old runs of Dagster are kept for ever",
}
_DATABASE_BYTES = 5_000_000_000
_LOAD_SECONDS = 90


def doctor(site: Site, *, load: bool = True) -> Iterator[Check]:
    """Everything that health looks at, then how it is set up. ``load``: also load the code location, which is slow."""
    yield from look(site).checks
    settings = site.settings
    yield settings_check(settings)
    yield permissions(settings)
    yield home_of_dagster(settings)
    yield storage(settings)
    yield sqlalchemy_version()
    mine = processes(settings.home)
    yield daemons(mine)
    yield leftovers(site, mine)
    yield stale_pids(site)
    yield ports(site)
    yield from _of_dagster(site)
    yield folders(settings)
    yield newest_file(settings)
    with contextlib.suppress(psycopg.Error, DatabaseError):  # health says what is wrong with the database
        yield last_restore(site)
        with Database(site.url, max_size=1) as db:
            yield row_rules(db)
    if load:
        yield code_location(settings)


def home_of_dagster(settings: Settings) -> Check:
    """DAGSTER_HOME: made by us, and no other one in the environment."""
    home = settings.home / "dagster"
    given = os.environ.get("DAGSTER_HOME", "")
    remedy = "Leave DAGSTER_HOME unset, or set it to the folder 'dagster' of the state folder, as 'tms up' does."
    if given and Path(given).resolve() != home.resolve():
        return warning("DAGSTER_HOME", "DAGSTER_HOME is set to another folder: 'dagster …' commands look at other "
                                       "runs.",
                       remedy, "dagster-setup")  # fmt: skip
    if not (home / "dagster.yaml").exists():
        return warning("DAGSTER_HOME", f"There is no {home / 'dagster.yaml'}: Dagster has never been set up "
                                       f"here.", remedy,
                       "dagster-setup")  # fmt: skip
    return ok("DAGSTER_HOME", str(home))


def storage(settings: Settings) -> Check:
    """dagster.yaml: runs in Postgres by psycopg2, run monitoring on, nothing resumed behind our back."""
    name = "dagster.yaml"
    remedy = "Stop everything and run 'tms up', which writes dagster.yaml anew; keep no hand-made one."
    try:
        found: dict[str, Any] = yaml.safe_load((settings.home / "dagster" / name).read_text(encoding="utf-8")) or {}
    except OSError:
        return ok(name, "not there yet")
    except yaml.YAMLError:
        return degraded(name, "dagster.yaml cannot be read.", remedy, "dagster-setup")
    postgres = (found.get("storage") or {}).get("postgres")
    if not postgres:
        return degraded(name, "Dagster keeps its runs in files (SQLite), which lock up under load and are not backed "
                              "up.",
                        remedy, "dagster-setup")  # fmt: skip
    url = postgres.get("postgres_url", "")
    if isinstance(url, dict):
        url = os.environ.get(str(url.get("env")), "postgresql+psycopg2://")
    if re.match(r"postgres(ql)?(\+psycopg)?://", str(url)) or "postgres_db" in postgres and \
            postgres["postgres_db"].get("scheme", "postgresql") != "postgresql+psycopg2":  # fmt: skip
        return degraded(
            name, "Dagster's Postgres address has the wrong scheme: it must be postgresql+psycopg2://, or every event "
                  "is lost with a syntax error at NOTIFY.", remedy, "dagster-setup",
        )  # fmt: skip
    monitoring = found.get("run_monitoring") or {}
    if not monitoring.get("enabled") or not monitoring.get("free_slots_after_run_end_seconds"):
        return degraded(name, "Run monitoring is off: a killed run stays 'started' and keeps its place in the pool "
                              "for ever.",
                        remedy, "dagster-setup")  # fmt: skip
    if monitoring.get("max_resume_run_attempts", 0) != 0:
        return degraded(name, "Dagster would resume submitting runs by itself.", remedy, "dagster-setup")
    return ok(name, "runs in Postgres by psycopg2; monitoring on; nothing is resumed")


def sqlalchemy_version() -> Check:
    """SQLAlchemy 2.1 breaks dagster-postgres (dagster #33958)."""
    from importlib.metadata import version

    found = version("sqlalchemy")
    if tuple(int(part) for part in found.split(".")[:2]) >= (2, 1):
        return degraded("sqlalchemy", f"SQLAlchemy {found} is installed, which dagster-postgres cannot use.",
                        "Install from requirements.lock, which keeps it below 2.1.", "dagster-setup")  # fmt: skip
    return ok("sqlalchemy", found)


def daemons(mine: list[Process]) -> Check:
    """Daemons of this installation on this host: one, and no more."""
    found = [process.pid for process in mine if process.is_daemon]
    if len(found) > 1:
        return degraded("daemons", f"{len(found)} daemons of this installation run on this host: "
                        f"{', '.join(map(str, found))}.", "Stop all but the one that your supervisor or 'tms up' "
                                                          "started: "
                        "'kill' the others by their number.", "two-daemons", pids=found)  # fmt: skip
    return ok("daemons", f"{len(found)} on this host", pids=found)


def leftovers(site: Site, mine: list[Process]) -> Check:
    """Processes of Dagster that a killed 'tms up' left behind."""
    found = [process.pid for process in mine if process.is_dagster and process.parent == 1]
    if found and site.up is None and noted_up(site.home) is not None:
        return warning("left behind", f"'tms up' was killed and left processes behind: {', '.join(map(str, found))}.",
                       "End them by their numbers with 'kill', then run 'tms "
                       "up'.", "two-daemons", pids=found)  # fmt: skip
    return ok("left behind", "nothing")


def stale_pids(site: Site) -> Check:
    """Notes of processes that are gone."""
    stale = []
    if noted_up(site.home) is not None and site.up is None:
        stale.append(site.home / "up.json")
    ready = simulator_folder(site.settings) / "ready.json"
    if ready.exists():
        from tms_pipeline.operations.simulator_process import running

        if running(site.settings) is None:
            stale.append(ready)
    if stale:
        paths = " and ".join(map(str, stale))
        return warning(
            "stale pid", f"{paths} name processes that are gone: they were killed.",
            "Nothing is lost; 'tms up' goes on from Postgres. Remove the file if it bothers.", "dagster-setup",
        )  # fmt: skip
    return ok("stale pid", "every note of a process is true")


def ports(site: Site) -> Check:
    """Ports of 'tms up': free while it is down, ours while it is up."""
    settings = site.settings
    wanted = {settings.dagster_port: "TMS_DAGSTER_PORT", settings.dagster_port + 1: "TMS_DAGSTER_PORT",
              settings.health_port: "TMS_HEALTH_PORT"}  # fmt: skip
    answering = {port for port in wanted if _answers(port)}
    if site.up is None and answering:
        port = min(answering)
        return warning("ports", f"Port {port} is taken by another program, so 'tms up' will not start.",
                       f"Stop that program or choose another port with {wanted[port]}.", "dagster-setup",
                       taken=sorted(answering))  # fmt: skip
    if site.up is not None and len(answering) < len(wanted):
        silent = sorted(set(wanted) - answering)
        return degraded("ports", f"'tms up' runs, but nothing answers on {', '.join(map(str, silent))}.",
                        "See webserver.log and health.log in the folder 'logs'; 'tms down', then 'tms up'.",
                        "dagster-setup")  # fmt: skip
    return ok("ports", "free" if site.up is None else "all answer")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _of_dagster(site: Site) -> Iterator[Check]:
    try:
        with site.connect(dagster=True) as connection:
            switched = {str(row[0] or row[1]): str(row[2]) for row in connection.execute(query("health/instigators"))}
            off = [name for name in INSTIGATORS if switched.get(name) != "RUNNING"]
            if off:
                yield warning("sensors", "Off: " + "; ".join(f"{name} ({INSTIGATORS[name]})" for name in off) + ".",
                              "Switch them on in Dagster under Automation, unless cron runs 'tms sync' here.",
                              "sensors-off", off=off)  # fmt: skip
            else:
                yield ok("sensors", "all are on")
            row = connection.execute(query("health/dagster_growth")).fetchone() or (0, 0, 0, 0.0)
            size, events, runs, oldest = int(row[0]), int(row[1]), int(row[2]), float(row[3])
            facts = {"mb": round(size / 1e6, 1), "events": events, "runs": runs, "oldest_days": round(oldest, 1)}
            if size > _DATABASE_BYTES or oldest > site.settings.dagster_run_days + 35:
                yield warning("event log", f"Dagster keeps {runs:,} runs of up to {oldest:.0f} days in "
                                           f"{size / 1e6:,.0f} MB.",
                              "Switch the schedule 'housekeeping' on, or run 'tms "
                              "housekeeping'.", "event-log", **facts)  # fmt: skip
            else:
                yield ok("event log", f"{runs:,} runs, {size / 1e6:,.0f} MB", **facts)
    except (psycopg.errors.UndefinedTable, psycopg.OperationalError) as error:
        if isinstance(error, psycopg.OperationalError) and "does not exist" not in str(error):
            return  # Postgres does not answer, which health says
        yield warning("sensors", "Dagster's storage is not there yet, so no sensor can be on.",
                      "Run 'tms up' and switch the sensors on under Automation.", "sensors-off")  # fmt: skip


def folders(settings: Settings) -> Check:
    """What grows in the state folder, the largest first."""
    sizes = {name: size_of(settings.home / name)[1] for name in GROWING}
    shown = sorted(((size, name) for name, size in sizes.items() if size), reverse=True)
    return ok("folders", ", ".join(f"{name} {size / 1e6:,.1f} MB" for size, name in shown) or "all empty", bytes=sizes)


def code_location(settings: Settings) -> Check:
    """Whether the definitions load in a fresh interpreter, as Dagster's code server loads them."""
    environment = {**os.environ, "TMS_HOME": str(settings.home), "PYTHONPATH": str(PROJECT_ROOT)}
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import tms_pipeline.definitions as d; d.defs.get_repository_def()"],
            env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=_LOAD_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return degraded("code location", f"The definitions do not load in {_LOAD_SECONDS} seconds.",
                        "Is the machine overloaded? 'dagster definitions validate -w workspace.yaml' says more.",
                        "code-location")  # fmt: skip
    if done.returncode == 0:
        return ok("code location", "loads in a fresh interpreter")
    last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
    kind = last.split(":")[0].split(".")[-1][:60] or "an error"
    return degraded("code location", f"The definitions do not load ({kind}): Dagster shows no asset, job or sensor.",
                    "Run 'dagster definitions validate -w workspace.yaml' to see where; install from "
                    "requirements.lock.",
                    "code-location")  # fmt: skip
