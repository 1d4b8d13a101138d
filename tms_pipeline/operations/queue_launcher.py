"""Runs go to workers on any host by a queue (docs/scale.md), and a worker that is gone is missed within a minute.

Celery itself never notices: a task whose host died stays *started* for ever, and with it Dagster's run, its pool and
its place among the concurrent runs. So run monitoring asks the worker that has the run.
"""

from __future__ import annotations

import time
from typing import Any

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

#: A worker is gone when it did not answer for this long, and more than once. A busy one answers: its main process does
#: nothing else.
GONE_SECONDS = 20.0
_ANSWER_SECONDS = 3.0


class QueueRunLauncher(CeleryRunLauncher):
    """Dagster's launcher by Celery, which also asks whether the worker still has the run."""

    def __init__(self, **config: Any) -> None:
        #: Since when the worker of a run has not answered; kept as long as the daemon runs.
        self._silent: dict[str, float] = {}
        super().__init__(**config)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """What run monitoring asks of each started run. A run is failed, never begun again, when no worker has it."""
        told = super().check_run_worker_health(run)
        if told.status not in (WorkerStatus.RUNNING, WorkerStatus.UNKNOWN):
            return told
        # Unknown: the queue lost its memory (it was restarted), so any worker may have it.
        task = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG])
        about = task.info if told.status is WorkerStatus.RUNNING else None
        worker = about.get("hostname") if isinstance(about, dict) else None
        if self._has(worker, task.id):
            self._silent.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        now = time.monotonic()
        since = self._silent.setdefault(run.run_id, now)
        if now - since < GONE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Its worker did not answer; it is asked again.")
        del self._silent[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"The worker {worker or 'of this run'} is gone. What it had in hand is free when its leases end.",
        )

    def _has(self, worker: str | None, task_id: str) -> bool:
        asked = self.celery.control.inspect(destination=[worker] if worker else None, timeout=_ANSWER_SECONDS)
        return any(tasks for tasks in (asked.query_task(task_id) or {}).values())
