"""Charts as SVG for the page: the same data give the same bytes; no script, no outside file.

Each function takes plain data and returns one <svg> with a title and a description; matplotlib is loaded when the
first chart is drawn (it takes a second, and most commands draw none).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import TYPE_CHECKING

from tms_pipeline.reports.words import SIGNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRID, BLUE = "#1A1A1A", "#C9CED6", "#1F5F99"
COLOURS = {"missed": "#A4161A", "near": "#B45F06", "ahead": "#1F5F99", "met": "#2E6B34", "met late": "#5B3A8C"}
# Told apart without colour too: by hatching, marker and line.
_SERIES = (
    ("#1F5F99", "", "o", "-"), ("#A4161A", "//", "s", "--"), ("#2E6B34", "..", "^", "-."),
    ("#5B3A8C", "xx", "D", ":"), ("#8A5A00", "\\\\", "v", "-"), ("#3C3C3C", "++", "P", "--"),
    ("#0B7A75", "--", "X", "-."), ("#9A3B6B", "oo", "*", ":"), ("#6B6B6B", "||", "<", "-"),
)  # fmt: skip
LONGEST_LABEL = 28  # characters of a label beside a heat map
_UNMARKED = "#E3E6EB"
AGES = (
    ("today", 0, 0), ("1 day", 1, 1), ("2–3 days", 2, 3), ("4–7 days", 4, 7), ("8–14 days", 8, 14), ("15+ days", 15, 15)
)  # fmt: skip


def funnel(steps: Sequence[tuple[str, int]]) -> str:
    """Bars from the typed row to the record at SSG."""
    figure, axes = _figure(9, 0.55 * len(steps) + 0.5)
    values = [value for _, value in steps]
    bars = axes.barh([name for name, _ in steps], values, color=BLUE, height=0.62)
    axes.bar_label(bars, labels=[f"{value:,}" for value in values], padding=5, fontsize=10, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, max([*values, 1]) * 1.14)
    axes.xaxis.set_visible(False)
    _bare(axes, "bottom")
    return _svg(figure, "funnel", "From row to SSG",
                "Horizontal bars: " + "; ".join(f"{name} {value:,}" for name, value in steps))  # fmt: skip


def calendar_span(today: date, weeks: int) -> tuple[date, date]:
    """The first and last day that the calendar shows: from two weeks before this week's Monday."""
    first = today - timedelta(days=today.weekday() + 14)
    return first, first + timedelta(days=7 * weeks - 1)


def calendar(days: Mapping[date, Mapping[str, int]], today: date, weeks: int = 9) -> str:
    """Weeks as rows, weekdays as columns; a day with an open deadline says how many records are due."""
    from matplotlib.patches import Rectangle

    first, _ = calendar_span(today, weeks)
    figure, axes = _figure(9, 0.52 * weeks + 0.5)
    for week in range(weeks):
        for weekday in range(7):
            day = first + timedelta(days=7 * week + weekday)
            counts = days.get(day, {})
            word = next((word for word in ("missed", "near", "ahead") if counts.get(word)), None)
            fill = COLOURS[word] if word else "#F3F4F6" if weekday > 4 else "#FFFFFF"
            ink = "#FFFFFF" if word else INK
            axes.add_patch(
                Rectangle((weekday, week), 1, 1, facecolor=fill, edgecolor=INK if day == today else GRID,
                          linewidth=2.4 if day == today else 0.8, zorder=3 if day == today else 1)  # fmt: skip
            )
            label = f"{day.day} {day:%b}" if day.day == 1 or (week == 0 and weekday == 0) else str(day.day)
            weight = "bold" if day == today else "normal"
            axes.text(weekday + 0.05, week + 0.3, label, fontsize=8, color=ink, weight=weight, zorder=4)
            if word:
                axes.text(weekday + 0.5, week + 0.72, f"{SIGNS[word]} {sum(counts.values()):,} due",
                          fontsize=9.5, color=ink, ha="center", weight="bold", zorder=4)  # fmt: skip
    axes.set_xlim(-0.02, 7.02)
    axes.set_ylim(weeks + 0.02, -0.02)
    axes.set_xticks([number + 0.5 for number in range(7)], ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    _bare(axes, "left", "bottom")
    about = f"{weeks} weeks around {today.isoformat()}; the table below lists each day with open deadlines."
    return _svg(figure, "calendar", "Deadlines calendar", about)


def heat(cells: Sequence[tuple[str, int, int, int, int]]) -> str:
    """Attendance by run and session: percent of the enrolled who came; a dash where nobody is marked."""
    runs = list(dict.fromkeys(cell[0] for cell in cells))
    widest = max((cell[1] for cell in cells), default=1)
    shown: dict[tuple[str, int], tuple[str, str, str]] = {}
    for run_code, session_no, learners, marked, attended in cells:
        if learners and marked:
            share = attended / learners
            red, green, blue = (round(255 * part) for part in _shade(share))
            words = f"{'▼' if share < 0.75 else ''}{share:.0%}"
            # White reads better on the deeper blues only (contrast of both is alike at 79 %).
            ink = "#FFFFFF" if share > 0.79 else INK
            shown[run_code, session_no] = (words, f"#{red:02X}{green:02X}{blue:02X}", ink)
        else:
            shown[run_code, session_no] = ("–", _UNMARKED, INK)
    about = "Percent of enrolled trainees who came; ▼ marks less than 75 %, a dash a session without marks."
    return _grid("heat", "Attendance by run and session", about, runs, range(1, widest + 1), shown)


def marks(
    trainees: Sequence[str], sessions: Sequence[int], cells: Mapping[tuple[str, int], tuple[str, bool]]
) -> str:
    """The marks of one run: a row a trainee, a column a session; a dot where SSG does not hold the mark yet."""
    looks = {
        "present": ("✔", "#1F5F99", "#FFFFFF"), "late": ("L", "#7FA8CF", INK), "absent": ("✖", "#F4D5D5", "#7A0F15")
    }  # fmt: skip
    shown: dict[tuple[str, int], tuple[str, str, str]] = {}
    for ref in trainees:
        for number in sessions:
            mark, there = cells.get((ref, number), ("", True))
            sign, fill, ink = looks.get(mark, ("–", _UNMARKED, INK))
            shown[ref, number] = (sign if there or mark in ("", "absent") else f"{sign} •", fill, ink)
    counts = {word: sum(mark == word for mark, _ in cells.values()) for word in looks}
    about = "; ".join(f"{word} {count:,}" for word, count in counts.items()) + "; each mark is in the table below."
    return _grid("marks", "Attendance by trainee and session", about, trainees, sessions, shown)


def _grid(
    name: str, title: str, about: str, rows: Sequence[str], sessions: Sequence[int],
    cells: Mapping[tuple[str, int], tuple[str, str, str]],
) -> str:
    """Coloured cells with a text each, written by hand: a drawing library takes seconds for a thousand of them."""
    # Room for the longest label; one that is longer still ends in dots, and stands whole in the table below.
    longest = max(map(len, rows), default=0)
    left, top, high = min(240, max(96, 8 * longest + 14)), 22, 22
    wide = min(72, max(30, 800 // max(len(sessions), 1)))
    width, height = left + wide * len(sessions) + 2, top + high * len(rows) + 2
    # Never wider than it is: a run of three sessions would fill the page.
    parts = [
        f'<svg role="img" aria-labelledby="{name}-title {name}-description" class="chart" '
        f'viewBox="0 0 {width} {height}" style="max-width:{width}px" font-family="system-ui, sans-serif" '
        'font-size="12">',
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-description">{escape(about)}</desc>',
    ]
    for place, number in enumerate(sessions):
        x = left + wide * place
        parts.append(f'<text x="{x + wide / 2:g}" y="15" text-anchor="middle" fill="{INK}">S{number}</text>')
    for row, label in enumerate(rows):
        y = top + high * row
        parts.append(f'<text x="{left - 6}" y="{y + 15}" text-anchor="end" fill="{INK}">{escape(_short(label))}</text>')
        for place, number in enumerate(sessions):
            if (label, number) in cells:
                text, fill, ink = cells[label, number]
                x = left + wide * place
                parts.append(
                    f'<rect x="{x}" y="{y}" width="{wide - 2}" height="{high - 2}" fill="{fill}"/>'
                    f'<text x="{x + wide / 2 - 1:g}" y="{y + 15}" text-anchor="middle" fill="{ink}">'
                    f"{escape(text)}</text>"
                )
    return "\n".join([*parts, "</svg>"])


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def ageing(counts: Mapping[str, Sequence[int]]) -> str:
    """Unfinished submissions by age, stacked by state."""
    figure, axes = _figure(9, 3.2)
    names = [name for name, _, _ in AGES]
    floor = [0] * len(names)
    for (state, values), (colour, hatch, _, _) in zip(counts.items(), _SERIES, strict=False):
        axes.bar(names, values, bottom=floor, label=state, color=colour, hatch=hatch, edgecolor="#FFFFFF", width=0.65)
        floor = [low + value for low, value in zip(floor, values, strict=True)]
    for number, total in enumerate(floor):
        if total:
            axes.text(number, total, f"{total:,}", ha="center", va="bottom", fontsize=10)
    axes.set_ylim(0, max([*floor, 1]) * 1.18)
    axes.yaxis.set_visible(False)
    axes.tick_params(length=0)
    _bare(axes, "left")
    if counts:
        axes.legend(frameon=False, fontsize=9, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.1))
    return _svg(figure, "ageing", "Age of unfinished submissions",
                "Columns by days since planned, stacked by state; the numbers are in the table below.")  # fmt: skip


def trend(days: Sequence[date], classes: Mapping[str, Sequence[int]]) -> str:
    """Discrepancies by day, a line a class."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(9, 3.4)
    labels = [f"{day.day} {day:%b}" for day in days]
    for (name, values), (colour, _, marker, line) in zip(classes.items(), _SERIES, strict=False):
        axes.plot(range(len(days)), values, label=name, color=colour, marker=marker, linestyle=line, linewidth=1.8)
    step = max(1, len(labels) // 10)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.set_ylim(bottom=0)
    if len(days) == 1:
        axes.set_xlim(-1, 1)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.tick_params(length=0)
    _bare(axes, "left")
    if classes:
        axes.legend(frameon=False, fontsize=9, ncols=4, loc="upper left", bbox_to_anchor=(0, -0.1))
    return _svg(figure, "trend", "Discrepancies by day",
                "A line a class of discrepancy; the numbers are in the table below.")  # fmt: skip


def availability(days: Sequence[tuple[date, float]]) -> str:
    """The share of reads and calls that SSG answered: a column a day."""
    figure, axes = _figure(9, 2.8)
    shares = [100 * share for _, share in days]
    colours = [BLUE if share >= 99.5 else COLOURS["near"] if share >= 90 else COLOURS["missed"] for share in shares]
    axes.bar(range(len(days)), shares, color=colours, width=0.7)
    labels = [f"{day.day} {day:%b}" for day, _ in days]
    step = max(1, len(labels) // 10)
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    for number, share in enumerate(shares):
        if share < 99.5:
            axes.text(number, share, f"{share:.0f} %", ha="center", va="bottom", fontsize=9)
    axes.set_xlim(-0.7, max(len(days), 8) - 0.3)
    axes.set_ylim(0, 112)
    axes.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    _bare(axes, "left")
    worst = min(days, key=lambda one: one[1])
    about = f"Columns by day; the lowest is {100 * worst[1]:.0f} percent on {worst[0].isoformat()}."
    return _svg(figure, "availability", "Share of reads and calls that SSG answered", about)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.tick_params(colors=INK, labelsize=10)
    return figure, axes


def _bare(axes: Axes, *sides: str) -> None:
    for side in {"top", "right", *sides}:
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(GRID)


def _shade(share: float) -> tuple[float, float, float]:
    """From pale to deep blue."""
    pale, deep = (0.87, 0.92, 0.97), (0.07, 0.29, 0.50)
    low, high = pale, deep
    depth = min(max(share, 0.0), 1.0) ** 1.5
    return (
        low[0] + (high[0] - low[0]) * depth, low[1] + (high[1] - low[1]) * depth, low[2] + (high[2] - low[2]) * depth
    )  # fmt: skip


def _svg(figure: Figure, name: str, title: str, description: str) -> str:
    """The figure as one <svg> element whose ids are its own, with a title and a description."""
    import matplotlib

    output = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": f"tms-{name}", "svg.fonttype": "path"}):
        figure.savefig(output, format="svg", metadata=nothing)
    text = output.getvalue()
    text = text[text.index("<svg ") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="#|href="#|url\(#)', rf"\g<1>{name}-", text)
    opening = f'<svg role="img" aria-labelledby="{name}-title {name}-description" class="chart" '
    return text.replace("<svg ", opening, 1).replace(
        ">",
        f'>\n<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>',
        1,
    )
