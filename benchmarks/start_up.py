"""What starting costs: ``tms --help`` (target 0.3 s) and importing the Dagster code location (target 2.5 s).

Beside them what cannot be undercut: an empty Python, and ``import dagster``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness import Figure, emit

TMS = Path(sys.executable).with_name("tms")


def seconds_of(command: list[str], repeats: int) -> float:
    """Median wall time of a command, once warmed up."""
    times = []
    for number in range(repeats + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        if number:
            times.append(time.perf_counter() - started)
    return round(statistics.median(times), 3)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    python = [sys.executable, "-c"]
    empty = seconds_of([*python, "pass"], options.repeats)
    emit(
        [
            Figure("tms --help", 1, seconds_of([str(TMS), "--help"], options.repeats), limit=empty,
                   bound=0.3, against="seconds"),
            Figure("code location import", 1,
                   seconds_of([*python, "from tms_pipeline.definitions import defs"], options.repeats),
                   limit=seconds_of([*python, "import dagster"], options.repeats), bound=2.5, against="seconds"),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()
