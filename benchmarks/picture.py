"""A run as one picture: how much of each target is used, and each stage of ours between the limit and the naive way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GOOD, BAD, INK = "#1b7f5c", "#b3261e", "#333333"
MARKS = (("limit", "|", INK, "the limit"), ("peer", "D", "#2f6fb0", "best peer"), ("naive", "s", "#b8860b", "naive way"))


def draw(figures: list[dict[str, Any]], path: Path) -> None:
    """Two panels, both on logarithmic scales."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = used(figures)
    stages = [figure for figure in figures if any(isinstance(figure.get(name), int | float) for name, *_ in MARKS)]
    stages = [figure for figure in stages if figure.get("unit", "s") == "s"]
    heights = [1.0 + 0.3 * max(1, len(bars)), 1.2 + 0.27 * max(1, len(stages))]
    drawing, (above, below) = plt.subplots(2, 1, figsize=(10, sum(heights)), height_ratios=heights, layout="constrained")
    _targets(above, bars)
    _stages(below, stages)
    drawing.savefig(path, dpi=110)
    plt.close(drawing)


def used(figures: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
    """Of each figure with a target: its name, the share of the target that it uses, and both in words."""
    found = []
    for figure in figures:
        ratio, bound = figure.get("ratio"), figure.get("bound")
        if not ratio or not bound:
            continue
        share = bound / ratio if figure.get("against") == "naive" else ratio / bound
        found.append((f"{figure['stage']} ({figure['size']:,})", share, f"{ratio:,.4g} of {bound:g}"))
    return found


def _targets(axes: Any, bars: list[tuple[str, float, str]]) -> None:
    bars = bars[::-1]
    axes.barh([bar[0] for bar in bars], [bar[1] for bar in bars], color=[GOOD if bar[1] <= 1 else BAD for bar in bars])
    for place, (_, share, words) in enumerate(bars):
        axes.text(share, place, f" {words}", va="center", fontsize=8, zorder=4,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.margins(x=0.18, y=0.02)
    axes.set_title("How much of each target is used: 1 is the target, shorter is better", fontsize=10, loc="left")
    _plain(axes)


def _stages(axes: Any, stages: list[dict[str, Any]]) -> None:
    stages = stages[::-1]
    places = range(len(stages))
    for name, mark, colour, words in MARKS:
        points = [
            (figure[name] / figure["ours"], place)
            for place, figure in zip(places, stages, strict=True)
            if isinstance(figure.get(name), int | float) and figure["ours"] and figure[name]
        ]
        axes.scatter([x for x, _ in points], [y for _, y in points], marker=mark, color=colour, label=words, s=36, zorder=3)
    axes.axvline(1, color=GOOD, linewidth=2, label="ours")
    axes.set_yticks(list(places), [f"{figure['stage']} ({figure['size']:,})" for figure in stages])
    axes.set_xscale("log")
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.margins(y=0.01)
    axes.set_title("Time of the others, ours being 1: right of the line they are slower", fontsize=10, loc="left")
    axes.legend(loc="lower right", fontsize=8)
    _plain(axes)


def _plain(axes: Any) -> None:
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
