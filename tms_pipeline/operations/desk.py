"""What the Dagster UI shows a reviewer beside the counts: small tables, charts, addresses of reports."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import quote

from tms_pipeline.alarms.standing import alarms, undelivered
from tms_pipeline.alarms.watch import Watched, watch
from tms_pipeline.compliance.finding import day_words
from tms_pipeline.compliance.rules import package_rules
from tms_pipeline.reports.words import CLASSES, kind_words
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

Cell = str | int | float | None
Rows = list[dict[str, Cell]]
_INK, _BLUE, _RED = "#1A1A1A", "#1F5F99", "#A4161A"


def first_things(workplace: Workplace) -> Rows:
    """What to do first, by standing and rule, as the last compliance review has it."""
    titles = {rule.id: rule.title for rule in package_rules()}
    return [
        {"standing": standing, "rule": titles.get(rule, rule), "findings": findings, "records": records,
         "nearest_last_day": "" if last_day is None else day_words(last_day), "runs": _few(str(runs or ""))}
        for standing, rule, findings, records, last_day, runs in workplace.db.rows(query("desk/first_things"))
    ]  # fmt: skip


def discrepancies(workplace: Workplace) -> Rows:
    """What does not agree, by class and kind, with what the class means."""
    return [
        {"class": name, "meaning": CLASSES.get(name, ""), "records": kind_words(kind), "how_many": count,
         "since": day_words(since)}
        for name, kind, count, since in workplace.db.rows(query("desk/discrepancies"))
    ]  # fmt: skip


def open_alarms(workplace: Workplace) -> Rows:
    """Open alarms, errors first, in the words of the mails."""
    return [
        {"number": alarm["alarm_id"], "severity": alarm["severity"], "alarm": alarm["sentence"],
         "what_to_do": alarm["what_to_do"], "told": "yes" if alarm["sent"] else "no",
         "taken_care_of": "yes" if alarm["acknowledged_by"] else "no"}
        for alarm in alarms(workplace)[:40]
    ]  # fmt: skip


def about_upload(workplace: Workplace, upload_id: str) -> dict[str, str]:
    """What tells one upload from another: when it came, from which source, what it holds."""
    rows = workplace.db.rows(query("desk/upload"), {"upload_id": upload_id})
    if not rows:
        return {}
    received_at, source, kinds, _ = rows[0]
    local = received_at.astimezone(workplace.now().tzinfo)
    return {"received": f"{day_words(local)}, {local:%H:%M}", "source": source, "holds": kinds or "nothing we know"}


def deadline_chart(workplace: Workplace) -> str:
    """Records that are late or due in two weeks, by last day: an image in Markdown, or a sentence if there are none."""
    today = workplace.today()
    late, days = 0, dict[date, int]()
    for last_day, records in workplace.db.rows(query("desk/due_days")):
        if last_day < today:
            late += records
        else:
            days[last_day] = records
    bars = [("late", late), *((f"{day.day} {day:%b}", count) for day, count in days.items())]
    if not any(count for _, count in bars):
        return "Nothing is late, and nothing is due in the next two weeks."
    return _bars(bars, "Records not at SSG, by last day", first_is_bad=True)


def trend_chart(workplace: Workplace) -> str:
    """Discrepancies of the last 30 nights as an image in Markdown."""
    rows = list(reversed(workplace.db.rows(query("desk/trend"))))
    if len(rows) < 2:
        return "The trend begins with the second night."
    return _bars([(f"{day.day} {day:%b}", count) for day, count in rows], "Discrepancies by night")


def addresses(workplace: Workplace, paths: Iterable[Path]) -> Mapping[str, tuple[str, bool]]:
    """Where each report is read: behind the proxy an address, else the path; and whether it is an address."""
    base, home = workplace.settings.link_base, workplace.home / "reports"
    found: dict[str, tuple[str, bool]] = {}
    for path in paths:
        if base and path.is_relative_to(home):
            found[path.name] = (f"{base.rstrip('/')}/reports/{quote(str(path.relative_to(home)))}", True)
        else:
            found[path.name] = (str(path), False)
    return found


def raise_alarms(workplace: Workplace, run_id: str) -> Watched:
    """The watch at the end of a night."""
    return watch(workplace, correlation_id=run_id.replace("-", ""))


def not_delivered(workplace: Workplace) -> int:
    """How many messages were not taken, or were given up in the last week."""
    return sum(undelivered(workplace))


def must_be_filled_in(**fields: str) -> None:
    """Refuse a form of which something was left empty. Raises ValueError with one sentence that names it."""
    empty = [name for name, value in fields.items() if not value.strip()]
    if empty:
        raise ValueError(f"Fill in {' and '.join(empty)} between the quotes, and launch it again.")


def rebuild_for_run(workplace: Workplace, run_code: str) -> list[Path]:
    """Write the status page and sheet of one course run. Raises UnknownRun with one sentence."""
    from tms_pipeline.reports.build import write_run_page  # draws charts: only who reports pays for loading it

    return write_run_page(workplace, run_code.strip())


def _few(words: str) -> str:
    runs = words.split(", ")
    return ", ".join(runs[:2]) + (f" and {len(runs) - 2} more" if len(runs) > 2 else "")


def _bars(values: Sequence[tuple[str, int]], title: str, *, first_is_bad: bool = False) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9, "text.color": _INK, "axes.labelcolor": _INK}):
        figure = Figure(figsize=(6.4, 2.2), dpi=100, layout="constrained")
        axes = figure.add_subplot()
        colours = [_RED if first_is_bad and number == 0 else _BLUE for number in range(len(values))]
        drawn = axes.bar(range(len(values)), [value for _, value in values], color=colours, width=0.7)
        axes.bar_label(drawn, padding=2)
        axes.set_xticks(range(len(values)), [name for name, _ in values])
        axes.set_title(title, loc="left", fontsize=10)
        axes.yaxis.set_visible(False)
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.margins(y=0.18)
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    said = f"{title}: " + ", ".join(f"{name} {value:,}" for name, value in values)
    return f"![{said}](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()})"

