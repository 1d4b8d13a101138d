"""What the benchmarks share: a case in a process of its own, repeats in turns, figures as ratios, growth exponents."""

from __future__ import annotations

import importlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Figure:
    """One stage at one size: seconds of the machine's limit, of ours, of what a user would write, of the best peer.

    ``bound`` is the target; ``against`` says of what: ours over the limit or the peer (at most), the naive way over
    ours (at least), or seconds of ours (at most).
    """

    stage: str
    size: int
    ours: float
    limit: float | None = None
    naive: float | None = None
    peer: float | None = None
    peer_name: str = ""
    bound: float | None = None
    against: str = "limit"
    peak_mb: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The figure that the bound is about."""
        if self.against == "seconds":
            return self.ours
        other = {"limit": self.limit, "naive": self.naive, "peer": self.peer}[self.against]
        if other is None:
            return None
        return other / self.ours if self.against == "naive" else self.ours / other

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.bound is None or self.ratio is None:
            return None
        return self.ratio >= self.bound if self.against == "naive" else self.ratio <= self.bound

    def as_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        kept = {name: value for name, value in asdict(self).items() if value not in (None, "", {})}
        return {**kept, "ratio": None if self.ratio is None else round(self.ratio, 3), "met": self.met}


def in_own_process(module: str, function: str, **given: Any) -> dict[str, Any]:
    """Call ``module.function(**given)`` in a fresh process; adds its wall ``seconds`` and ``peak_mb``.

    The function returns a dictionary; a ``seconds`` of its own replaces the wall time of the call. Raises
    RuntimeError with the last line of what it said when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.harness", module, function, json.dumps(given)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise RuntimeError(f"{module}.{function}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def in_turns(cases: dict[str, Callable[[], dict[str, Any]]], repeats: int) -> dict[str, dict[str, Any]]:
    """Run the cases one after the other, over and over, so that the machine's moods hit all; medians by case."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, case in cases.items():
            runs[name].append(case())
    return {
        name: {**sorted(found, key=lambda one: one["seconds"])[len(found) // 2],
               "seconds": statistics.median(one["seconds"] for one in found),
               "peak_mb": max(one.get("peak_mb", 0) for one in found)}
        for name, found in runs.items()
    }  # fmt: skip


def growth(points: Sequence[tuple[int, float]]) -> float | None:
    """The exponent e of seconds ~ size^e over the largest two sizes; None for fewer than two."""
    if len(points) < 2:
        return None
    (small, first), (large, last) = sorted(points)[-2:]
    return round(math.log(last / first) / math.log(large / small), 2)


def emit(figures: Sequence[Figure]) -> None:
    """The last line of a benchmark: its figures as JSON."""
    print(json.dumps({"figures": [figure.as_dict() for figure in figures]}))


def _main() -> None:
    module, function, given = sys.argv[1:4]
    call = getattr(importlib.import_module(module), function)
    started = time.perf_counter()
    result = call(**json.loads(given)) or {}
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "child_peak_mb": children, **result}))


if __name__ == "__main__":
    _main()
