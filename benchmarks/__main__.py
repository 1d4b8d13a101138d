"""Run the benchmarks, keep their figures, draw the ratios: ``python -m benchmarks [NAME …] [--rows …] [--check]``.

Each benchmark is a module with a ``main`` that prints JSON as its last line: ``{"figures": [...]}`` (see harness.py),
or one dictionary with ``ratio`` and ``bound``. ``--check`` fails when a ratio is worse than recorded in bounds.json by
more than a third; ``--record`` writes the ratios of this run there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.harness import growth

HERE = Path(__file__).parent
BOUNDS = HERE / "bounds.json"
NOT_BENCHMARKS = {"harness", "naive", "provider", "agreement", "yes_server", "picture"}
# Which benchmarks take a size, and the sizes of a usual and of a whole run.
SIZED = {"whole_job": ([10_000, 100_000], [10_000, 100_000, 1_000_000])}
WORSE = 4 / 3


def names() -> list[str]:
    """All benchmarks there are."""
    return sorted(path.stem for path in HERE.glob("[a-z]*.py") if path.stem not in NOT_BENCHMARKS)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "day": time.strftime("%Y-%m-%d"),
    }


def run(name: str, arguments: list[str]) -> list[dict[str, Any]] | str:
    """The figures of one benchmark, or why it could not run."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--json"],
        capture_output=True, text=True, cwd=HERE.parent,
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
    return list(found.get("figures", [{"stage": name, **found}]))


def line_of(figure: dict[str, Any]) -> str:
    """One figure as a row of a Markdown table: limit, ours, naive, best peer, ratio, target."""

    def seconds(name: str) -> str:
        return f"{figure[name]:.3g} s" if isinstance(figure.get(name), int | float) else ""

    against = figure.get("against", "limit")
    bound, ratio = figure.get("bound"), figure.get("ratio")
    target = "" if bound is None else f"{'≥' if against == 'naive' else '≤'} {bound:g}{' s' if against == 'seconds' else ' ×'}"
    met = {True: "met", False: "missed", None: ""}[figure.get("met")]
    peaks = ", ".join(f"{who} {mb} MB" for who, mb in figure.get("peak_mb", {}).items())
    return (
        f"| {figure['stage']} | {figure.get('size', figure.get('rows', ''))} | {seconds('limit')} | {seconds('ours')} | "
        f"{seconds('naive')} | {seconds('peer')} {figure.get('peer_name', '')} | "
        f"{'' if ratio is None else f'{ratio:.2f}'} | {target} | {met} | {peaks} |"
    )


def exponents(figures: list[dict[str, Any]]) -> dict[str, float]:
    """How the seconds of each stage grow with its size: 1 is linear."""
    points: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        if isinstance(figure.get("ours"), int | float) and figure.get("size", 0) > 1:
            points.setdefault(figure["stage"], []).append((figure["size"], figure["ours"]))
    found = {stage: growth(some) for stage, some in points.items()}
    return {stage: value for stage, value in found.items() if value is not None}


def worse_than_recorded(figures: list[dict[str, Any]]) -> list[str]:
    """Which ratios are worse than recorded by more than a third."""
    recorded = json.loads(BOUNDS.read_text(encoding="utf-8")) if BOUNDS.exists() else {}
    found = []
    for figure in figures:
        name, ratio = _name(figure), figure.get("ratio")
        if ratio is None or name not in recorded:
            continue
        was = recorded[name]
        bad = ratio < was / WORSE if figure.get("against") == "naive" else ratio > was * WORSE
        if bad:
            found.append(f"{name}: {ratio:.2f}, recorded {was:.2f}")
    return found


def _name(figure: dict[str, Any]) -> str:
    return f"{figure['stage']} @ {figure.get('size', figure.get('rows', 1))}"


def main() -> int:
    """Run what is named, or all; keep the results; non-zero if one could not run or is worse than recorded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--whole", action="store_true", help="the large sizes too (1,000,000 rows; half an hour)")
    parser.add_argument("--check", action="store_true", help="fail where a ratio is a third worse than recorded")
    parser.add_argument("--record", action="store_true", help="record the ratios of this run")
    options = parser.parse_args()
    figures: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for name in options.names or names():
        sizes = SIZED.get(name)
        arguments = ["--rows", *map(str, sizes[1 if options.whole else 0])] if sizes else []
        print(f"{name} …", flush=True)
        found = run(name, arguments)
        if isinstance(found, str):
            failed[name] = found
            print(f"  could not run: {found}")
            continue
        figures += found
        for figure in found:
            print("  " + line_of(figure))
    grown = exponents(figures)
    results = {"machine": machine(), "figures": figures, "growth_exponents": grown, "could_not_run": failed}
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    head = "| Stage | Size | Limit | Ours | Naive | Best peer | Ratio | Target | | Peak memory |\n|---|--:|--:|--:|--:|--:|--:|--:|---|---|\n"
    table = head + "\n".join(map(line_of, figures))
    table += "".join(f"\n\n{stage}: seconds grow with size to the power {value}." for stage, value in grown.items())
    (folder / "latest.md").write_text(table + "\n", encoding="utf-8")
    if figures:
        from benchmarks.picture import draw

        draw(figures, folder / "latest.png")
    if options.record:
        before = json.loads(BOUNDS.read_text(encoding="utf-8")) if BOUNDS.exists() else {}
        fresh = {_name(figure): figure["ratio"] for figure in figures if figure.get("ratio") is not None}
        BOUNDS.write_text(json.dumps({**before, **fresh}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    bad = worse_than_recorded(figures) if options.check else []
    for words in bad:
        print(f"worse than recorded by more than a third: {words}")
    return 1 if failed or bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
