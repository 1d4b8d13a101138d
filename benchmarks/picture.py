"""The ratios of a run as one picture: how far each stage is from its target; left of the line is met."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw(figures: list[dict[str, Any]], path: Path) -> None:
    """Horizontal bars of ratio over target on a logarithmic scale; 1 is the target."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = []
    for figure in figures:
        ratio, bound = figure.get("ratio"), figure.get("bound")
        if not ratio or not bound:
            continue
        share = bound / ratio if figure.get("against") == "naive" else ratio / bound
        bars.append((f"{figure['stage']} ({figure.get('size', figure.get('rows', 1)):,})", share, ratio, bound))
    bars.reverse()
    height = 1.2 + 0.34 * max(1, len(bars))
    drawing, axes = plt.subplots(figsize=(9, height))
    axes.barh([b[0] for b in bars], [b[1] for b in bars], color=["#1b7f5c" if b[1] <= 1 else "#b3261e" for b in bars])
    for place, (_, share, ratio, bound) in enumerate(bars):
        axes.text(share, place, f" {ratio:.2f} of {bound:g}", va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("share of the target that is used (1 = the target; shorter is better)")
    axes.spines[["top", "right"]].set_visible(False)
    drawing.tight_layout()
    drawing.savefig(path, dpi=120)
    plt.close(drawing)
