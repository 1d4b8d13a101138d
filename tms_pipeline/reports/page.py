"""The page for reviewers: reconciliation, compliance and charts in one file that opens anywhere and prints well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from tms_pipeline.compliance.finding import day_words
from tms_pipeline.reports import charts
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.values import show
from tms_pipeline.reports.words import (
    CLASSES,
    CONFIDENCE,
    SIGNS,
    STANDINGS,
    field_words,
    file_words,
    kind_word,
    kind_words,
)

# What a page still shows well; the workbooks hold everything.
LONGEST_LIST = 150
CALENDAR_WEEKS = 9


def write_page(facts: Facts, path: Path) -> None:
    """Write the page."""
    template().stream(**content(facts)).dump(str(path), encoding="utf-8")


@cache
def template(name: str = "reports.html.j2") -> Template:
    """A page's template, with autoescape for every value."""
    environment = Environment(
        loader=PackageLoader("tms_pipeline.reports"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(show=show, kind=kind_word, kinds=kind_words, day=day_words)
    environment.globals.update(signs=SIGNS, field=field_words)
    return environment.get_template(name)


def content(facts: Facts) -> dict[str, Any]:
    """Everything that the template shows."""
    numbers = facts.numbers
    findings = [
        dict(zip(
            ("standing", "rule", "kind", "run_code", "course", "trainee", "last_day", "days_left", "records", "money",
             "sentence", "what_to_do"), row, strict=True,
        )) | {"rule": facts.rule_title(row[1])}
        for row in _first(facts.stream(
            "deadlines", review_id=facts.review_id("compliance"), run=None, open=facts.settled.open
        ), LONGEST_LIST)
    ]  # fmt: skip
    due_days, what = _due_days(facts)
    first, last = charts.calendar_span(facts.today, CALENDAR_WEEKS)
    reconciliation = facts.review("reconciliation")
    counts = reconciliation["counts"] if reconciliation else {}
    ages = _ages(facts)
    days, lines = _trend(facts)
    steps = list(zip(
        ("Rows received", "Rows accepted or unchanged", "Records that should be at SSG", "Of these at SSG"),
        facts.funnel, strict=True,
    ))  # fmt: skip
    classes = numbers["discrepancies"]
    return {
        "provider": facts.provider,
        "today": facts.today,
        "numbers": numbers,
        "reconciliation": reconciliation,
        "compliance": facts.review("compliance"),
        "standing_words": STANDINGS,
        "findings": findings,
        "first_things": _first_things(facts),
        "findings_total": sum(numbers["deadlines"].values()),
        "by_rule": [(facts.rule_title(rule), *rest) for rule, rest in _by_rule(facts)],
        "classes": [
            (name, classes.get(name, 0), CLASSES.get(name, "")) for name in dict.fromkeys([*CLASSES, *classes])
        ],
        "discrepancies_total": sum(classes.values()),
        "discrepancies": _first(
            facts.stream("discrepancies", review_id=facts.review_id("reconciliation")), LONGEST_LIST
        ),
        "matched": counts.get("matched", {}),
        "read": counts.get("read", {}),
        "compared": list(dict.fromkeys([*counts.get("matched", {}), *counts.get("read", {})])),
        "dead_letters": _first(facts.stream("dead_letters"), LONGEST_LIST),
        "states": list(dict.fromkeys(state for kinds in numbers["submissions"].values() for state in sorted(kinds))),
        "uploads": [one | {"file": file_words(one["file"])} for one in numbers["uploads"][-LONGEST_LIST:]],
        "longest": LONGEST_LIST,
        "funnel": steps,
        "ages": ages,
        "age_names": [name for name, _, _ in charts.AGES],
        "due_days": [(day, counts, ", ".join(what[day])) for day, counts in sorted(due_days.items())],
        "missed_before": sum(counts.get("missed", 0) for day, counts in due_days.items() if day < first),
        "ahead_after": sum(counts.get("ahead", 0) for day, counts in due_days.items() if day > last),
        "heat_runs": _heat_runs(facts),
        "heat_width": max((cell[1] for cell in facts.heat), default=0),
        "trend_days": days,
        "trend": lines,
        "trend_totals": [sum(values[place] for values in lines.values()) for place in range(len(days))],
        "rules": [(rule, CONFIDENCE[rule.confidence]) for rule in facts.rules],
        "svg": {
            "funnel": _svg(charts.funnel(steps)),
            "calendar": _svg(charts.calendar(due_days, facts.today, CALENDAR_WEEKS)),
            "heat": _svg(charts.heat(facts.heat)) if facts.heat else "",
            "ageing": _svg(charts.ageing(ages)) if ages else "",
            "trend": _svg(charts.trend(days, lines)) if days else "",
        },
    }


def _first(rows: Iterator[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    with closing(rows) as opened:  # type: ignore[type-var]  # a generator: its cursor closes with it
        return list(islice(opened, count))


def _by_rule(facts: Facts) -> list[tuple[str, tuple[dict[str, int], int]]]:
    table: dict[str, tuple[dict[str, int], int]] = {}
    for standing, rule, count, records in facts.deadline_counts:
        counts, total = table.get(rule, ({}, 0))
        table[rule] = ({**counts, standing: count}, total + records)
    return sorted(table.items())


def _svg(text: str) -> Markup:
    """A chart of ours: charts.py escapes what it is given."""
    return Markup(text)  # noqa: S704


def _first_things(facts: Facts) -> list[dict[str, Any]]:
    names = ("standing", "rule", "findings", "records", "money", "last_day", "runs", "run_count", "sentence",
             "what_to_do")  # fmt: skip
    return [
        dict(zip(names, row, strict=True)) | {"rule": facts.rule_title(row[1])}
        for row in facts.stream("first_things", review_id=facts.review_id("compliance"))
    ]


def _due_days(facts: Facts) -> tuple[dict[date, dict[str, int]], dict[date, list[str]]]:
    """Open deadlines by day: how many records are missed, near or still have time, and of what they are."""
    days: dict[date, dict[str, int]] = {}
    what: dict[date, list[str]] = {}
    for due in facts.dues:
        if due.day is not None and due.standing in ("missed", "near", "ahead"):
            counts = days.setdefault(due.day, {})
            counts[str(due.standing)] = counts.get(str(due.standing), 0) + due.records
            of = kind_word(due.kind) if due.kind == "course_run" else f"{kind_words(due.kind)} of"
            what.setdefault(due.day, []).append(f"{of} {due.run.run_code}")
    return days, what


def _ages(facts: Facts) -> dict[str, list[int]]:
    table: dict[str, list[int]] = {}
    for state, days, count in facts.ageing:
        row = table.setdefault(state, [0] * len(charts.AGES))
        place = next(number for number, (_, low, high) in enumerate(charts.AGES) if low <= days <= high)
        row[place] += count
    return table


def _trend(facts: Facts) -> tuple[list[date], dict[str, list[int]]]:
    days = list(dict.fromkeys(day for day, _, _ in facts.trend))
    lines: dict[str, list[int]] = {}
    for day, name, count in facts.trend:
        if name is not None:
            lines.setdefault(name, [0] * len(days))[days.index(day)] = count
    return days, dict(sorted(lines.items()))


def _heat_runs(facts: Facts) -> dict[str, dict[int, tuple[int, int, int]]]:
    runs: dict[str, dict[int, tuple[int, int, int]]] = {}
    for run_code, session_no, learners, marked, attended in facts.heat:
        runs.setdefault(run_code, {})[session_no] = (learners, marked, attended)
    return runs
