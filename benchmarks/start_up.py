"""What starting costs: ``tms --help`` (target 0.3 s) and importing the Dagster code location (target 2.5 s).

Beside them what cannot be undercut: an empty Python, and ``import dagster``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import Figure, emit, options, seconds_of

TMS = Path(sys.executable).with_name("tms")


def median_of(command: list[str], repeats: int) -> float:
    """Median wall time of a command, once warmed up."""

    def once() -> None:
        subprocess.run(command, check=True, capture_output=True)

    once()
    return statistics.median(seconds_of(once) for _ in range(repeats))


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, repeats=5)
    python = [sys.executable, "-c"]
    empty, dagster, location, verbs = (
        median_of(command, given.repeats)
        for command in ([*python, "pass"], [*python, "import dagster"],
                        [*python, "from tms_pipeline.definitions import defs"], [str(TMS), "--help"])
    )  # fmt: skip
    emit(
        [
            Figure("tms --help", 1, verbs, limit=empty, limit_name="an empty Python"),
            Figure("code location import", 1, location, limit=dagster, limit_name="import dagster"),
        ]
    )


if __name__ == "__main__":
    main()
