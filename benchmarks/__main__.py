"""Run the benchmarks and show each stage as limit : ours : naive : best peer; keep, draw, record, compare.

    python -m benchmarks [NAME …] [--whole] [--check] [--record]

Each benchmark is a module with a ``main`` that prints ``{"figures": [...]}`` as its last line (see harness.py). A usual
run takes about ten minutes, ``--whole`` the sizes of the targets and an hour. Every run is kept in results/last-run.*;
``--record`` lays its figures over results/latest.json, bounds.json and docs/performance.md; ``--check`` fails where a
ratio is worse than recorded by more than a third.
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

from benchmarks import page
from benchmarks.comparison import bound_of, name_of, worse
from benchmarks.harness import have_peers

HERE = Path(__file__).parent
BOUNDS = HERE / "bounds.json"
RESULTS = HERE / "results"

# What each benchmark is run with in a usual run, which takes ten minutes in all, and in a whole one; None: not at all.
USUAL: dict[str, list[str] | None] = {
    "start_up": [],
    "intake_reading": ["--rows", "10000", "100000", "--repeats", "1"],
    "intake_landing": ["--rows", "10000", "100000", "--repeats", "1"],
    "row_checks": ["--rows", "10000", "100000"],
    "registers_upsert": ["--rows", "10000", "100000"],
    "diff_unchanged": ["--rows", "10000", "100000", "--repeats", "3"],
    "reconcile_join": ["--rows", "100000"],
    "growth": ["--rows", "20000"],
    "same_again": ["--rows", "100000"],
    "submission_overhead": ["--calls", "500"],
    "ssg_client": ["--calls", "500"],
    "whole_job": ["--rows", "10000", "100000"],
    "sealing": [],
    "dagster_share": ["--repeats", "1"],
    "ops_latency": ["--files", "5"],
    "many_marks": None,
    "submission_fleet": None,
    "history_cost": None,
    "metrics_scrape": None,
    "reports_large": None,
    "restore": None,
}
WHOLE: dict[str, list[str]] = {
    "start_up": [],
    "intake_reading": ["--rows", "10000", "100000", "1000000"],
    "intake_landing": ["--rows", "10000", "100000", "1000000"],
    "row_checks": ["--rows", "10000", "100000", "1000000"],
    "registers_upsert": ["--rows", "10000", "100000", "1000000"],
    "diff_unchanged": ["--rows", "10000", "100000", "1000000"],
    "reconcile_join": ["--rows", "100000", "1000000"],
    "growth": ["--rows", "50000"],
    "same_again": ["--rows", "1000000"],
    "submission_overhead": [],
    "ssg_client": [],
    "whole_job": ["--rows", "10000", "100000", "1000000"],
    "sealing": [],
    "dagster_share": [],
    "ops_latency": [],
    "many_marks": ["--rows", "1000000", "10000000"],
    "submission_fleet": [],
    "history_cost": [],
    "metrics_scrape": [],
    "reports_large": [],
    "restore": [],
}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": platform.system(),
        "processor": _processor(),
        "python": platform.python_version(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "day": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as facts:
        names = [line.split(":", 1)[1].strip() for line in facts if line.startswith("model name")]
    return names[0] if names else platform.machine()


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
    return [{**figure, "benchmark": name} for figure in found["figures"]]


def read(path: Path) -> dict[str, Any]:
    """A JSON file of ours, or nothing."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep(results: dict[str, Any], name: str) -> None:
    """As JSON, as a table and as a picture."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(page.tables(results), encoding="utf-8")
    if results["figures"]:
        from benchmarks.picture import draw

        draw(results["figures"], RESULTS / f"{name}.png")


def record(results: dict[str, Any]) -> None:
    """Lay the figures of this run over what was recorded before: results, bounds, the page in docs."""
    before = read(RESULTS / "latest.json")
    fresh = {name_of(figure): {**figure, "measured": results["machine"]} for figure in results["figures"]}
    kept = {name_of(figure): figure for figure in before.get("figures", ())}
    merged = {**results, "figures": list({**kept, **fresh}.values())}
    keep(merged, "latest")
    bounds = {name: bound for name, figure in fresh.items() if (bound := bound_of(figure))}
    BOUNDS.write_text(
        json.dumps({"machine": results["machine"], "ratios": {**read(BOUNDS).get("ratios", {}), **bounds}}, indent=1,
                   sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8",
    )  # fmt: skip
    page.write()


def main() -> int:
    """Run what is named, or all; keep the results; non-zero if one could not run or is worse than recorded."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WHOLE))
    parser.add_argument("--whole", action="store_true", help="at the sizes of the targets, a million rows; an hour")
    parser.add_argument("--check", action="store_true", help="fail where a ratio is a third worse than recorded")
    parser.add_argument("--record", action="store_true", help="record the figures of this run")
    parser.add_argument("--with", dest="given", default="", metavar="'--rows 1000'", help="other options for all named")
    options = parser.parse_args()
    if unknown := set(options.names) - set(WHOLE):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(WHOLE)}")
    if not have_peers():
        print("The environment of the peers is not there (make bench installs it): their columns stay empty.")
    figures: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for name in options.names or WHOLE:
        arguments = WHOLE[name] if options.whole else USUAL[name]
        if arguments is None:
            if name not in options.names:
                continue
            arguments = []
        began = time.monotonic()
        found = run(name, options.given.split() or arguments)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        if isinstance(found, str):
            failed[name] = found
            print(f"  could not run: {found}")
            continue
        figures += found
        for figure in found:
            print("  " + page.line_of(figure))
    results = {"machine": machine(), "figures": figures, "could_not_run": failed}
    keep(results, "last-run")
    if options.record:
        record(results)
    bad = worse(figures, read(BOUNDS).get("ratios", {})) if options.check else []
    for words in bad:
        print(f"worse than recorded by more than a third: {words}")
    return 1 if failed or bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
