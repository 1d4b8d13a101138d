"""One month for the management: what came in, what SSG took, what is at risk, what was rejected, how SSG answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from tms_pipeline.reports import charts
from tms_pipeline.reports.document import Chart, Document, Section, Share, Tile, columns, known, small
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.sheets import DAYS, reviewed
from tms_pipeline.reports.words import STANDINGS, kind_words

_AT_RISK = "Missed, broken or near, together."
_MONTH = re.compile(r"(\d{4})-(\d{2})")


class MonthError(ValueError):
    """A month that is none or has not begun; the message says how to write one."""


def first_of(month: str | None, today: date) -> date:
    """The first day of a month written as 2026-10; of the month of ``today`` for None. Raises MonthError."""
    if month is None:
        return today.replace(day=1)
    found = _MONTH.fullmatch(month.strip())
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        first = None
    if first is None:
        raise MonthError(f"'{month}' is no month; write it as {today:%Y-%m}.")
    if first > today:
        raise MonthError(f"{first:%B %Y} has not begun on {today.isoformat()}.")
    return first


def last_of(first: date) -> date:
    """The last day of the month that begins on this day."""
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def month_summary(facts: Facts, first: date) -> Document:
    """The summary of the month that begins on this day."""
    span = {"first": first, "next": last_of(first) + timedelta(days=1)}
    uploads = facts.rows("month/uploads", **span)
    accepted = facts.rows("month/accepted", **span)
    at_risk = facts.rows("month/at_risk", review_id=facts.review_id("compliance"))
    dead = facts.rows("month/dead_letters")
    days = facts.rows("month/ssg_days", **span)
    started, ended, held, enrolled = facts.rows("month/runs", **span)[0]
    learners, fees = next(((row[4], row[5]) for row in at_risk if row[0] == "at risk"), (0, Decimal(0)))
    rows, rejected = sum(row[2] for row in uploads), sum(row[5] for row in uploads)
    dated, timely = sum(row[5] for row in accepted), sum(row[6] for row in accepted)
    asked, answered = sum(row[1] + row[3] for row in days), sum(row[2] + row[4] for row in days)
    dead_count = sum(row[2] for row in dead)
    return Document(
        name=f"month-{first:%Y-%m}", title=f"Month in figures, {first:%B %Y}", provider=facts.provider,
        today=facts.today, made_at=facts.made_at,
        lines=(_span(first, facts.today), reviewed(facts, "compliance"), reviewed(facts, "reconciliation"), DAYS),
        tiles=(
            Tile("Accepted by SSG", sum(row[4] for row in accepted)),
            Tile("in time", _share(timely, dated), "warning" if dated and timely < dated else "calm"),
            Tile("Learners at risk", learners, "missed" if learners else "calm"),
            Tile("Course fees at risk", fees, "missed" if learners else "calm"),
            Tile("Rows received", rows),
            Tile("rejected", _share(rejected, rows), "near" if rejected else "calm"),
            Tile("Dead letters", dead_count, "missed" if dead_count else "calm"),
            Tile("SSG answered", _share(answered, asked), "warning" if asked and answered < asked else "calm"),
        ),
        sections=(
            Section("Volumes", (
                small("Course runs", ("What", "Count"), [
                    ("Started in the month", started), ("Ended in the month", ended), ("Held in the month", held),
                    ("Enrolments in them", enrolled),
                ]),
                known("Accepted by SSG",
                      columns(("Kind", 16), "Created", "Updated", "Cancelled", "All", ("With a last day", 14),
                              "In time", ("Share in time", 14)),
                      ((kind_words(row[0]), *row[1:], _share(row[6], row[5])) for row in accepted),
                      empty="SSG accepted nothing in this month."),
            )),
            Section("At risk", (
                known("At risk", columns(("Standing", 13), "Findings", "Records", ("Course runs", 12), "Learners",
                                         ("Course fees", 16), ("Meaning", 50, True)),
                      ((*row, STANDINGS.get(row[0], _AT_RISK)) for row in at_risk),
                      title="Learners and course fees at risk by the last review",
                      empty="Nothing is missed, broken or near."),
            ), intro="A learner whom several findings of a course run concern is counted once."),
            Section("Rejected rows by source", (
                known("Sources", columns(("Source", 22), "Files", "Rows", "Accepted", "Unchanged", "Rejected",
                                         "Superseded", ("Held or refused files", 14), ("Share rejected", 14)),
                      ((*row[:8], Share(row[8] or 0)) for row in uploads), title="Rows received by source",
                      empty="No file came in this month."),
            )),
            Section("Dead letters", (
                known("Dead letters", columns(("Kind", 16), ("Code", 18), "Count", ("Nearest last day", 16)),
                      ((kind_words(row[0]), *row[1:]) for row in dead), title="Submissions that need a person",
                      empty="No dead letter: nothing waits for a person."),
            )),
            _trend(facts, span),
            _ssg(days),
        ),
    )  # fmt: skip


def _span(first: date, today: date) -> str:
    last = last_of(first)
    return f"{first.day} to {last.day} {last:%B %Y}" if last <= today else (
        f"{first.day} to {today.day} {today:%B %Y}; the month is not over"
    )


def _share(part: int, whole: int) -> Share | str:
    return Share(part / whole) if whole else "–"


def _trend(facts: Facts, span: dict[str, Any]) -> Section:
    found = facts.rows("month/discrepancies", **span)
    days = list(dict.fromkeys(row[0] for row in found))
    lines: dict[str, list[int]] = {}
    for day, name, count in found:
        if name is not None:
            lines.setdefault(name, [0] * len(days))[days.index(day)] = count
    lines = dict(sorted(lines.items()))

    def rows() -> Iterator[tuple[Any, ...]]:
        for place, day in enumerate(days):
            counts = [values[place] for values in lines.values()]
            yield (day, *counts, sum(counts))

    table = known("Discrepancies", columns(("Day", 13), *((name, 14) for name in lines), "All"), rows(),
                  title="Discrepancies by day and class",
                  empty="No reconciliation was made in this month.")  # fmt: skip
    chart = Chart("Discrepancies by day", partial(charts.trend, days, lines)) if days and lines else None
    return Section("Discrepancies", (table,), chart=chart)


def _ssg(days: list[tuple[Any, ...]]) -> Section:
    table = known(
        "SSG", columns(("Day", 13), "Reads", ("Read whole", 12), "Calls", "Answered", ("Middle (s)", 12),
                       ("Slowest 5 % (s)", 14), ("Share", 10)),
        ((*row, _share(row[2] + row[4], row[1] + row[3])) for row in days),
        title="Reads and calls by day", empty="SSG was not asked anything in this month.",
    )  # fmt: skip
    shares = [(row[0], (row[2] + row[4]) / (row[1] + row[3])) for row in days if row[1] + row[3]]
    chart = None
    if shares:
        chart = Chart("Share of reads and calls that SSG answered, by day", partial(charts.availability, shares))
    return Section("How SSG answered", (table,), chart=chart)
