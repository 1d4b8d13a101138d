"""What a run says beside what was recorded: which ratios are worse by a third. Pure: no clock, no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Noise of one machine is ±15 %, at times ±30 % (performance.md): what is worse by more is no noise.
WORSE = 4 / 3
#: Below this many seconds a ratio is of start-up and of the clock, and nothing is recorded of it.
SHORTEST = 0.1


def name_of(figure: Mapping[str, Any]) -> str:
    """A figure's name in bounds.json."""
    return f"{figure['stage']} @ {figure['size']}"


def bound_of(figure: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is recorded of a figure: its ratio, and whether more or less of it is better; None where it says nothing.

    What is measured by itself, in seconds or megabytes, depends on the machine: its target counts where that is larger.
    """
    ratio, against = figure.get("ratio"), figure.get("against")
    if ratio is None:
        return None
    if against == "itself":
        return {"ratio": max(ratio, figure.get("bound") or ratio), "better": "less"}
    if figure.get("unit", "s") == "s" and figure["ours"] < SHORTEST:
        return None
    return {"ratio": ratio, "better": "more" if against == "naive" else "less"}


def worse(figures: Sequence[Mapping[str, Any]], recorded: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for each figure whose ratio is worse than recorded by more than a third.

    A figure that was never recorded is held against nothing; one that was and has no ratio now is named.
    """
    found = []
    for figure in figures:
        was = recorded.get(name_of(figure))
        if was is None:
            continue
        now = figure.get("ratio")
        if now is None:
            found.append(f"{name_of(figure)}: no ratio, recorded {was['ratio']:.3g}")
        elif was["better"] == "more" and now < was["ratio"] / WORSE:
            found.append(f"{name_of(figure)}: {now:.3g}, recorded {was['ratio']:.3g} (more is better)")
        elif was["better"] == "less" and now > was["ratio"] * WORSE:
            found.append(f"{name_of(figure)}: {now:.3g}, recorded {was['ratio']:.3g} (less is better)")
    return found
