"""Housekeeping: what nothing else ends. Old runs of Dagster with their events, old results, forgotten scratch files.

Dagster's own retention knows ticks only (dagster #4100, #33785), so ended runs are deleted here, by its own API.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.intake.results import remove_old
from tms_pipeline.workplace import Workplace

if TYPE_CHECKING:
    from dagster import DagsterInstance

_SCRATCH_DAYS = 2.0
_PAGE = 200


@dataclass(frozen=True)
class Kept:
    """What was removed, or would be."""

    dagster_runs: int
    scratch_files: int
    results: bool


def tidy(
    workplace: Workplace,
    instance: DagsterInstance,
    *,
    actor: Actor,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Kept:
    """Remove what is past its time. The first nights' record of what was sent is in our own tables and stays."""
    runs = prune_runs(instance, days=workplace.settings.dagster_run_days, dry_run=dry_run, progress=progress)
    scratch = _scratch(workplace, dry_run=dry_run)
    if not dry_run:
        remove_old(workplace)
        with workplace.db.transaction() as connection:
            append(connection, workplace.rings.audit.key, actor, "housekeeping", "installation", "dagster runs",
                   runs=runs, scratch_files=scratch)  # fmt: skip
    return Kept(runs, scratch, not dry_run)


def tidy_by_run(workplace: Workplace, instance: DagsterInstance, run_id: str) -> dict[str, int]:
    """The same from a run of Dagster, which is the actor; returns counts."""
    done = tidy(workplace, instance, actor=workplace.actor(run_id.replace("-", "")))
    return {"dagster_runs": done.dagster_runs, "scratch_files": done.scratch_files}


def prune_runs(
    instance: DagsterInstance, *, days: float, dry_run: bool = False, progress: Callable[[str], None] = lambda _: None
) -> int:
    """Delete ended runs that began more than ``days`` ago, with their events; returns how many."""
    import dagster as dg

    before = datetime.now(UTC) - timedelta(days=days)
    ended = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
        created_before=before,
    )
    if dry_run:
        return instance.get_runs_count(ended)
    removed = 0
    while records := instance.get_run_records(ended, limit=_PAGE, ascending=True):
        for record in records:
            instance.delete_run(record.dagster_run.run_id)
        removed += len(records)
        progress(f"removed {removed} old runs of Dagster")
    return removed


def _scratch(workplace: Workplace, *, dry_run: bool) -> int:
    """Files that a killed process left in ``tmp/``."""
    removed, before = 0, time.time() - _SCRATCH_DAYS * 86400
    for path in sorted(workplace.folder("tmp").rglob("*")):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before:
                removed += 1
                if not dry_run:
                    path.unlink()
    return removed
