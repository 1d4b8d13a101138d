"""The figures as tables: of one run, and as the measured part of docs/performance.md.

    python -m benchmarks.page [--write | --check]

The part of the page between ``begin measured`` and ``end measured`` is made from results/latest.json; ``make lint``
fails when it is another.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.harness import growth
from benchmarks.targets import TARGETS

ROOT = Path(__file__).resolve().parents[1]
LATEST = ROOT / "benchmarks" / "results" / "latest.json"
PICTURE = ROOT / "benchmarks" / "results" / "latest.png"
PAGE = ROOT / "docs" / "performance.md"
SHOWN_PICTURE = ROOT / "docs" / "pictures" / "performance.png"
_PART = re.compile(r"(<!-- begin measured -->\n).*?(<!-- end measured -->)", re.DOTALL)
HEAD = (
    "| Stage | Size | Limit | Ours | Naive | Best peer | Ratio | Target | | Peak memory |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|---|---|"
)


def amount(value: Any, unit: str) -> str:
    """A number of seconds, milliseconds or megabytes as people read it."""
    if not isinstance(value, int | float):
        return ""
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 0.1 else f"{value:.3g} s"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def line_of(figure: dict[str, Any]) -> str:
    """One figure as a row of a table: limit, ours, naive, best peer, ratio, target."""
    unit, against = figure.get("unit", "s"), figure.get("against", "limit")
    bound, ratio = figure.get("bound"), figure.get("ratio")

    def with_name(name: str) -> str:
        shown = amount(figure.get(name), unit)
        return f"{shown} {figure[f'{name}_name']}" if shown and figure.get(f"{name}_name") else shown

    target = "" if bound is None else f"{'≥' if against == 'naive' else '≤'} {amount(bound, unit) if against == 'itself' else f'{bound:g} ×'}"
    met = {True: "met", False: "**missed**", None: ""}[figure.get("met")]
    peaks = ", ".join(f"{who} {mb:,} MB" for who, mb in figure.get("peak_mb", {}).items())
    said = "" if ratio is None or against == "itself" else f"{ratio:.2f} ×"
    return (
        f"| {figure['stage']} | {figure['size']:,} | {with_name('limit')} | {amount(figure['ours'], unit)} | "
        f"{with_name('naive')} | {with_name('peer')} | {said} | {target} | {met} | {peaks} |"
    )


def exponents(figures: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """How seconds grow with size, ours and the others': 1 is linear. Over the two largest sizes of each stage."""
    found: dict[str, dict[str, float]] = {}
    for who in ("ours", "limit", "naive", "peer"):
        points: dict[str, list[tuple[int, float]]] = {}
        for figure in figures:
            if isinstance(figure.get(who), int | float) and figure["size"] > 1 and figure.get("unit", "s") == "s":
                points.setdefault(figure["stage"], []).append((figure["size"], figure[who]))
        for stage, some in points.items():
            value = growth(some)
            if value is not None:
                found.setdefault(stage, {})[who] = value
    return found


def tables(results: dict[str, Any]) -> str:
    """All figures of a run, and how they grow."""
    figures = results["figures"]
    lines = [HEAD, *map(line_of, figures)]
    grown = exponents(figures)
    if grown:
        lines += ["", "Seconds grow with size to the power of:", "", "| Stage | Ours | Limit | Naive | Best peer |", "|---|--:|--:|--:|--:|"]
        lines += [
            f"| {stage} | " + " | ".join(f"{some[who]:.2f}" if who in some else "" for who in ("ours", "limit", "naive", "peer")) + " |"
            for stage, some in grown.items()
        ]  # fmt: skip
    lines += [f"\n{name} could not run: {why}" for name, why in results.get("could_not_run", {}).items()]
    return "\n".join(lines) + "\n"


def targets(figures: list[dict[str, Any]]) -> str:
    """Each target with what was measured of it, and why it is missed where it is."""
    by_name = {(figure["stage"], figure["size"]): figure for figure in figures}
    lines = ["| Target | Bound | Limit | Ours | Naive | Best peer | Ratio | |", "|---|--:|--:|--:|--:|--:|--:|---|"]
    missed = []
    for target in TARGETS:
        bound = f"{'≥' if target.against == 'naive' else '≤'} {target.bound:g}{'' if target.against == 'itself' else ' ×'}"
        figure = by_name.get((target.stage, target.size))
        if figure is None:
            lines.append(f"| {target.words} | {bound} | | | | | | not measured |")
            continue
        unit = figure.get("unit", "s")
        if figure.get("ratio") is None:
            lines.append(f"| {target.words} | {bound} | | {amount(figure['ours'], unit)} | | | | not compared |")
            continue
        cells = [amount(figure.get(name), unit) for name in ("limit", "ours", "naive", "peer")]
        met = figure["ratio"] >= target.bound if target.against == "naive" else figure["ratio"] <= target.bound
        ratio = "" if target.against == "itself" else f"{figure['ratio']:.2f} ×"
        lines.append(f"| {target.words} | {bound} | {' | '.join(cells)} | {ratio} | {'met' if met else '**missed**'} |")
        if not met:
            missed.append(f"- *{target.words}*: {target.takes or 'not yet looked into.'}")
    if missed:
        lines += ["", "Why the missed ones are missed, and what it would take:", "", *missed]
    return "\n".join(lines) + "\n"


def measured(results: dict[str, Any]) -> str:
    """The measured part of the page."""
    facts = results["machine"]
    days = sorted({figure.get("measured", facts)["day"] for figure in results["figures"]})
    many = [figure for figure in results["figures"] if figure["stage"].startswith("many marks")]
    others = [figure for figure in results["figures"] if figure not in many]
    words = (
        f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))} on {facts['cores']} cores ({facts['processor']}), "
        f"{facts['memory_gib']:g} GiB, {facts['system']}, Python {facts['python']}; medians, each case in a process of its "
        "own, in turns. Read ratios: noise is ±15 %, at times ±30 %."
    )
    parts = [
        words, "## Targets\n\n" + targets(others),
        "![How much of each target is used](pictures/performance.png)\n",
        "## All stages\n\n" + tables({**results, "figures": others}),
    ]  # fmt: skip
    if many:
        parts.append("## Very many marks\n\n" + many_marks(many))
    return "\n".join(parts)


def many_marks(figures: list[dict[str, Any]]) -> str:
    """The statements over very many marks: seconds by size, and what of the marks is read whole."""
    sizes = sorted({figure["size"] for figure in figures})
    by_stage: dict[str, dict[int, dict[str, Any]]] = {}
    for figure in figures:
        by_stage.setdefault(figure["stage"].removeprefix("many marks: "), {})[figure["size"]] = figure
    lines = [
        "| Statement | " + " | ".join(f"{size:,} marks" for size in sizes) + " | Plan |",
        "|---|" + "--:|" * len(sizes) + "---|",
    ]
    for stage, found in by_stage.items():
        facts = found[max(found)].get("facts", {})
        whole = facts.get("reads whole")
        plan = "" if whole is None else "reads " + ", ".join(whole) if whole else "indexes only"
        lines.append(f"| {stage} | " + " | ".join(amount(found.get(size, {}).get("ours"), "s") for size in sizes) + f" | {plan} |")
    kept = [figure for figure in figures if "table and indexes of register and mirror" in figure.get("facts", {})]
    for figure in kept:
        (table, indexes), (other, others) = figure["facts"]["table and indexes of register and mirror"]
        lines.append(f"\n{figure['size']:,} marks are {table} and {indexes} of indexes in the register, {other} and {others} in the mirror.")
    return "\n".join(lines) + "\n"


def whole() -> str:
    """The page with its measured part as latest.json has it."""
    results = json.loads(LATEST.read_text(encoding="utf-8"))
    return _PART.sub(lambda found: found[1] + "\n" + measured(results) + found[2], PAGE.read_text(encoding="utf-8"))


def write() -> None:
    """Bring the page and its picture up to date."""
    PAGE.write_text(whole(), encoding="utf-8")
    if PICTURE.exists():
        SHOWN_PICTURE.parent.mkdir(exist_ok=True)
        shutil.copyfile(PICTURE, SHOWN_PICTURE)


def main() -> int:
    """Write the page, or say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().write:
        write()
    elif PAGE.read_text(encoding="utf-8") != whole():
        print("docs/performance.md is not what was measured: run python -m benchmarks.page --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
