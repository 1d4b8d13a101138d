"""Runs of Dagster in this process: the sensor's own code path and the named jobs, as demo and tests use them."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tms_pipeline.operations.failures import RunFailed
from tms_pipeline.operations.logs import set_up_logs
from tms_pipeline.operations.nightly import Progress
from tms_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance, Definitions


# Which process a run lives in, as it is launched by nobody who would notice that it died.
_PROCESS = "tms/process"


def quiet(settings: Settings) -> None:
    """Dagster's events are in its run storage; the terminal is for progress."""
    set_up_logs(settings)
    logging.getLogger("dagster").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def end_dead_runs(instance: DagsterInstance) -> int:
    """End the runs whose process of this host was killed, and give back their places in pools; returns how many.

    Nobody else would: the next run would wait for such a place for ever.
    """
    import dagster as dg

    ended = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        run = record.dagster_run
        host, _, process = run.tags.get(_PROCESS, "").partition(":")
        if host != socket.gethostname() or process == _process(int(process.partition(":")[0])):
            continue
        instance.report_run_failed(run, "The process of this run was killed; what it sent is known from Postgres.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        ended += 1
    return ended


def _process(pid: int) -> str:
    """A process by its number and, as numbers are used again, when it began; empty when there is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    try:
        began = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except OSError:
        began = ""
    return f"{pid}:{began}"


def tick_inbox(
    defs: Definitions, instance: DagsterInstance, cursor: str | None
) -> tuple[str | None, list[tuple[str, str, dict[str, str]]]]:
    """One tick of the inbox sensor, partitions added as the daemon would; returns its cursor and run requests."""
    import dagster as dg

    sensor = defs.resolve_sensor_def("inbox_sensor")
    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources=defs.resources, repository_def=defs.get_repository_def()
    ) as context:
        result = cast("dg.SensorResult | dg.SkipReason", sensor(context))
    if isinstance(result, dg.SkipReason):
        raise RunFailed(f"The inbox sensor skipped: {result.skip_message}")
    for request in result.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return result.cursor, [
        (request.run_key or "", request.partition_key or "", dict(request.tags))
        for request in result.run_requests or []
    ]


def run_job(
    defs: Definitions,
    instance: DagsterInstance,
    name: str,
    *,
    partition: str | None = None,
    tags: dict[str, str] | None = None,
    progress: Progress = lambda _: None,
) -> str:
    """Run a named job here and now; returns the run id. Raises RunFailed."""
    progress(f"Dagster job {name}" + (f", upload {partition}" if partition else ""))
    job = defs.resolve_job_def(name)
    mine = {**(tags or {}), _PROCESS: f"{socket.gethostname()}:{_process(os.getpid())}"}
    result = job.execute_in_process(instance=instance, partition_key=partition, tags=mine, raise_on_error=False)
    if not result.success:
        failed = [event for event in result.all_events if event.is_step_failure]
        words = ""
        if failed:
            data = failed[0].step_failure_data
            words = (data.user_failure_data.description if data.user_failure_data else None) or "see the run in the UI"
        raise RunFailed(f"The Dagster job {name} failed in step {failed[0].step_key if failed else '?'}: {words}")
    return str(result.run_id)


def take_in_inbox(defs: Definitions, instance: DagsterInstance, *, progress: Progress = lambda _: None) -> list[str]:
    """Tick the inbox sensor until it asks for nothing more, and run what it asks for; returns the uploads."""
    cursor: str | None = None
    done: list[str] = []
    for _ in range(50):
        cursor, requests = tick_inbox(defs, instance, cursor)
        fresh = [request for request in requests if request[1] not in done]
        if not fresh:
            return done
        for run_key, partition, tags in fresh:
            run_job(
                defs,
                instance,
                "intake",
                partition=partition,
                tags={**tags, "dagster/run_key": run_key},
                progress=progress,
            )
            done.append(partition)
    return done
