"""What the benchmarks share: options, a state folder, clocks, cases in processes of their own, figures as ratios.

Nothing here imports the pipeline, so that a case in the peers' environment can be started by it too.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.targets import target_of

ROOT = Path(__file__).resolve().parents[1]
#: The environment of what we compare with (requirements-bench.lock; ``make bench`` installs it).
PEERS = ROOT / ".venv" / "bench" / "bin" / "python"


@dataclass
class Figure:
    """One stage at one size: seconds of the machine's limit, of ours, of what a user would write, of the best peer.

    ``bound`` is the target; ``against`` says of what: ours over the ``limit`` or the ``peer`` (at most), the
    ``naive`` way over ours (at least), or ours ``itself`` in its ``unit`` (at most). Where targets.py knows the stage,
    both stand there.
    """

    stage: str
    size: int
    ours: float
    limit: float | None = None
    limit_name: str = ""
    naive: float | None = None
    naive_name: str = ""
    peer: float | None = None
    peer_name: str = ""
    bound: float | None = None
    against: str = "limit"
    unit: str = "s"
    peak_mb: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        target = target_of(self.stage)
        if target:
            self.against = target.against
            self.bound = target.bound if self.size == target.size else None

    @property
    def ratio(self) -> float | None:
        """The figure that the bound is about."""
        if self.against == "itself":
            return self.ours
        other = {"limit": self.limit, "naive": self.naive, "peer": self.peer}[self.against]
        if not other or not self.ours:
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
        given = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
        kept = {name: value for name, value in given.items() if value not in (None, "", {})}
        return {**kept, "ratio": None if self.ratio is None else round(self.ratio, 3), "met": self.met}


class Clock:
    """Seconds of each part of a piece of work, in order."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self._began = self._last = time.perf_counter()

    def took(self, name: str) -> None:
        """What has passed since the part before belongs to this one."""
        now = time.perf_counter()
        self.parts[name] = round(self.parts.get(name, 0.0) + now - self._last, 3)
        self._last = now

    @property
    def seconds(self) -> float:
        """Since the clock was made."""
        return time.perf_counter() - self._began


def options(words: str | None, *, rows: int | list[int] | None = None, repeats: int | None = None, **more: Any) -> Any:
    """The command line of a benchmark: ``--json``, and what it knows of ``--rows``, ``--repeats`` and others.

    Each of ``more`` is an option with that default; a list takes several values, False is a switch.
    """
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="the figures as JSON, as the last line")
    known = {name: value for name, value in (("rows", rows), ("repeats", repeats)) if value is not None}
    for name, default in {**known, **more}.items():
        flag = f"--{name.replace('_', '-')}"
        if default is False:
            parser.add_argument(flag, action="store_true")
        elif isinstance(default, list):
            parser.add_argument(flag, nargs="+", type=type(default[0]), default=default)
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return parser.parse_args()


@contextlib.contextmanager
def state_folder() -> Iterator[Path]:
    """A folder for files and an installation, which the embedded server may pass through; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tms-b-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def seconds_of(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_own_process(module: str, function: str, *, peers: bool = False, **given: Any) -> dict[str, Any]:
    """Call ``module.function(**given)`` in a fresh process; adds its wall ``seconds`` and ``peak_mb``.

    The function returns a dictionary; a ``seconds`` of its own replaces the wall time of the call, in which imports
    of the module itself do not count. ``peers``: in the environment of what we compare with. Raises RuntimeError with
    the last line of what it said when it fails.
    """
    done = subprocess.run(
        [str(PEERS) if peers else sys.executable, "-m", "benchmarks.harness", module, function, json.dumps(given)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        raise RuntimeError(f"{module}.{function}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def have_peers() -> bool:
    """Whether the environment of what we compare with is installed."""
    return PEERS.exists()


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


def fastest(found: dict[str, dict[str, Any]], names: Sequence[str]) -> tuple[float | None, str]:
    """Seconds and name of the fastest of these cases that ran."""
    ran = [(found[name]["seconds"], name) for name in names if name in found]
    return min(ran) if ran else (None, "")


def growth(points: Sequence[tuple[int, float]]) -> float | None:
    """The exponent e of seconds ~ size^e over the largest two sizes; None for fewer than two."""
    if len(points) < 2:
        return None
    (small, first), (large, last) = sorted(points)[-2:]
    if small == large or first <= 0 or last <= 0:
        return None
    return round(math.log(last / first) / math.log(large / small), 2)


def emit(figures: Sequence[Figure]) -> None:
    """What a benchmark prints: a line a figure, or with ``--json`` all of them as JSON in the last line."""
    if "--json" in sys.argv:
        print(json.dumps({"figures": [figure.as_dict() for figure in figures]}))
        return
    for figure in figures:
        print(json.dumps(figure.as_dict(), ensure_ascii=False))


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
