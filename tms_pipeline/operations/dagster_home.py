"""Dagster's home of this installation: run storage in Postgres, no compute logs, errors of our code redacted."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from sqlalchemy.engine import URL

from tms_pipeline.store.database import DatabaseError, conninfo
from tms_pipeline.workplace import Workplace

if TYPE_CHECKING:
    from dagster import DagsterInstance

_URL_VARIABLE = "TMS_DAGSTER_POSTGRES_URL"
#: Celery's queue of runs, past one machine (docs/scale.md).
BROKER, BACKEND = "TMS_CELERY_BROKER", "TMS_CELERY_BACKEND"


def address(workplace: Workplace) -> str:
    """Dagster's own database, by psycopg2, as dagster-postgres wants it."""
    url: URL = workplace.dagster_url.set(drivername="postgresql+psycopg2")
    return url.render_as_string(hide_password=False)


def prepare(workplace: Workplace) -> Path:
    """Write dagster.yaml and make the database; returns the folder. The address stays in the environment."""
    _make_database(workplace)
    home = workplace.folder("dagster")
    config: dict[str, Any] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        # The scheme is written out: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3, which dagster-postgres
        # cannot use (dagster #33958).
        "storage": {"postgres": {"postgres_url": {"env": _URL_VARIABLE}}},
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {"dequeue_interval_seconds": 1},
        },
        "concurrency": {"pools": {"default_limit": 1, "granularity": "op"}, "runs": {"max_concurrent_runs": 2}},
        # A submitting run must never be resumed behind our back: what it sent is known from Postgres only.
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": 120,
            "cancel_timeout_seconds": 60,
            "max_resume_run_attempts": 0,
            "max_runtime_seconds": 7200,
            "poll_interval_seconds": 30,
            "free_slots_after_run_end_seconds": 60,
        },
        "freshness": {"enabled": True},
        "run_retries": {"enabled": True, "max_retries": 0, "retry_on_asset_or_op_failure": False},
        "sensors": {"use_threads": True, "num_workers": 2},
        "schedules": {"use_threads": True, "num_workers": 2},
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 2, "started": 30, "success": 30, "failure": 90}},
            "schedule": {"purge_after_days": 90},
        },
    }
    if workplace.settings.scale_broker.get_secret_value():
        config["run_launcher"] = {
            "module": "tms_pipeline.operations.queue_launcher",
            "class": "QueueRunLauncher",
            "config": {
                "broker": {"env": BROKER},
                "backend": {"env": BACKEND},
                "default_queue": "dagster",
                "config_source": {
                    # A run is taken off the queue when it begins: a worker that dies never leaves it to be run again
                    # behind our back. What it had in hand is freed by its leases, and the next run goes on.
                    "task_acks_late": False,
                    "worker_prefetch_multiplier": 1,
                },
            },
        }
        config["concurrency"]["runs"] = {"max_concurrent_runs": workplace.settings.scale_concurrent_runs}
        # A run that waits for a free worker is *starting*; one that no worker has is missed by the launcher, soon.
        config["run_monitoring"].update(
            start_timeout_seconds=900, poll_interval_seconds=10, free_slots_after_run_end_seconds=10
        )
    write_whole(home / "dagster.yaml", yaml.safe_dump(config, sort_keys=False))
    return home


def write_whole(path: Path, text: str) -> None:
    """Write a file that others may be reading or writing: they meet the old text or the new one, never a part."""
    # Containers share the folder and have the same process ids, so the name of the part is chance.
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)  # on a full disk nothing stays behind


def environment(workplace: Workplace, home: Path) -> dict[str, str]:
    """What every Dagster process of this installation needs in its environment."""
    broker = workplace.settings.scale_broker.get_secret_value()
    return {
        **({BROKER: broker, BACKEND: broker} if broker else {}),
        "DAGSTER_HOME": str(home),
        _URL_VARIABLE: address(workplace),
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "TMS_HOME": str(workplace.settings.home),
    }


@contextlib.contextmanager
def instance(workplace: Workplace) -> Iterator[DagsterInstance]:
    """Dagster's instance of this installation, for runs in this process."""
    home = prepare(workplace)
    os.environ.update(environment(workplace, home))
    import dagster as dg  # only who runs Dagster pays for loading it

    with dg.DagsterInstance.get() as found:
        yield found


def _make_database(workplace: Workplace) -> None:
    url = workplace.dagster_url
    try:
        psycopg.connect(conninfo(url), connect_timeout=5).close()
        return
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise DatabaseError("Dagster's database cannot be reached; see DATABASE_URL.") from None
    try:
        with psycopg.connect(conninfo(workplace.db.url), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(str(url.database))))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # processes that start together: another was quicker
    except psycopg.Error:
        raise DatabaseError(
            f"Dagster needs a database of its own named {url.database}; create it or give its name in "
            "TMS_DAGSTER_DATABASE."
        ) from None
