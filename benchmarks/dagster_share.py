"""What Dagster adds to a nightly run without changes: the job ``nightly_sync`` beside ``tms sync``, each a process of its own.

Both on the state that a demo leaves; target: 6 s beyond the work itself (performance.md).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Figure, emit, options, state_folder

TMS = Path(sys.executable).with_name("tms")
_JOB = """
from tms_pipeline.settings import load_settings
from tms_pipeline.operations.at_work import at_work
from tms_pipeline.operations import dagster_home, dagster_run
settings = load_settings()
with at_work(settings) as workplace, dagster_home.instance(workplace) as instance:
    from assets.build import build_defs
    dagster_run.quiet(settings)
    dagster_run.run_job(build_defs(), instance, "nightly_sync")
"""


def seconds_of(command: list[str], environment: dict[str, str], repeats: int) -> float:
    """Median wall time; an exit code 1 is findings, not a failure."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode not in (0, 1) or "Traceback" in done.stderr:
            raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure, and print the figure."""
    given = options(__doc__, repeats=3)
    with state_folder() as folder:
        environment = {**os.environ, "TMS_HOME": f"{folder}/h"}
        environment.pop("SSG_BASE_URL", None)
        seconds_of([str(TMS), "demo"], environment, 1)
        bare = seconds_of([str(TMS), "sync"], environment, given.repeats)
        dagster = seconds_of([sys.executable, "-c", _JOB], environment, given.repeats)
    emit([Figure("Dagster's share of a night without changes", 1, dagster - bare,
                 facts={"tms sync": round(bare, 2), "Dagster job": round(dagster, 2)})])  # fmt: skip


if __name__ == "__main__":
    main()
