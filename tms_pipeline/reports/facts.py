"""What the reports are made of, read in one snapshot. Long lists are streamed, not held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from psycopg import sql

from tms_pipeline.compliance.checks import RuleBook
from tms_pipeline.compliance.dues import Due, dues, live_runs
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.reports.summary import numbers_in
from tms_pipeline.settled import overlooked
from tms_pipeline.settled.narrowed import narrowed
from tms_pipeline.settled.scope import WHOLE, Part
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

HEAT_RUNS = 24
# What the nightly forms show of runs that are not settled only; asked for by name, each report is of all.
_OF_OPEN_RUNS = frozenset({"runs", "receipts"})
_SHORT = ("numbers", "dues", "deadline_counts", "funnel", "ageing", "trend", "heat", "settled")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Runs that the nightly forms leave out, the last day of the latest of them, and how many findings stand there."""

    part: Part = WHOLE
    until: date | None = None
    findings: int = 0
    broken: int = 0

    @property
    def open(self) -> list[str] | None:
        """The runs that are listed; None for all."""
        return None if self.part.runs is None else list(self.part.runs)

    @property
    def cancelled(self) -> int:
        """How many of them are cancelled."""
        return self.part.left_out - self.part.kept.get("course_run", 0)

    def line(self, kind: str) -> tuple[str, ...]:
        """The sentence for a report that leaves them out; ``kind`` is the report that shows them when asked for."""
        if not self.part.left_out or self.until is None:
            return ()
        runs = "1 settled run" if self.part.left_out == 1 else f"{self.part.left_out:,} settled runs"
        until = f"{self.until.day} {self.until:%B %Y}"
        return (f"{runs}, ended by {until}, are not listed: both sides agree and nothing can become due. "
                f"'tms report {kind}' lists all.",)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One look at the database on behalf of all forms."""

    connection: Connection
    provider: str
    today: date
    rules: Sequence[Rule]
    part: Part = WHOLE

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """The figures of the summary, and the reviews that the reports show."""
        return numbers_in(self.connection, today=self.today)

    @cached_property
    def dues(self) -> Sequence[Due]:
        """What is due of the runs that are listed."""
        with narrowed(self.connection, self.part):
            return dues(self.connection, live_runs(self.connection), RuleBook(self.rules), today=self.today)

    @cached_property
    def deadline_counts(self) -> Sequence[tuple[str, str, int, int]]:
        """Findings by standing and rule."""
        return self.rows("deadline_counts", review_id=self.review_id("compliance"))

    @cached_property
    def funnel(self) -> tuple[int, int, int, int]:
        """How many records came how far, of all runs."""
        with narrowed(self.connection, self.part):
            found = self.connection.execute(query("reports/funnel")).fetchone() or (0, 0, 0, 0)
        agreed = sum(self.part.kept.values())
        return (found[0], found[1], found[2] + agreed, found[3] + agreed)

    @cached_property
    def ageing(self) -> Sequence[tuple[str, int, int]]:
        """How long what is open has been so."""
        return self.rows("ageing", today=self.today)

    @cached_property
    def trend(self) -> Sequence[tuple[date, str | None, int]]:
        """Discrepancies by day and class."""
        return self.rows("trend", today=self.today)

    @cached_property
    def heat(self) -> Sequence[tuple[str, int, int, int, int]]:
        """Attendance of the latest runs, session by session."""
        return self.rows("heat", today=self.today, runs=HEAT_RUNS)

    @cached_property
    def settled(self) -> Settled:
        """What is left out."""
        return _settled(self.connection, self.part, self.review_id("compliance"))

    def review(self, about: str) -> Mapping[str, Any] | None:
        """The review of that name that the reports show."""
        found: Mapping[str, Any] | None = self.numbers["reviews"][about]
        return found

    def review_id(self, about: str) -> int | None:
        """Its number."""
        review = self.review(about)
        return None if review is None else review["review_id"]

    @property
    def made_at(self) -> datetime:
        """The time that the files bear: that of the last review, so that the same content makes the same bytes."""
        times = [review["started_at"] for review in self.numbers["reviews"].values() if review is not None]
        return max(times, default=datetime(self.today.year, self.today.month, self.today.day)).replace(
            tzinfo=None, microsecond=0
        )

    def rule_title(self, rule_id: str) -> str:
        """The title of a rule, or its id when the rules no longer hold it."""
        if rule_id == overlooked.RULE:
            return overlooked.TITLE
        return next((rule.title for rule in self.rules if rule.id == rule_id), rule_id)

    def rows(self, name: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a short list."""
        return self.connection.execute(query(f"reports/{name}"), parameters).fetchall()

    def stream(self, name: str, **parameters: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a long list, a thousand at a time."""
        statement: sql.Composed = query(f"reports/{name}")
        part = self.part if name in _OF_OPEN_RUNS else WHOLE
        with (
            narrowed(self.connection, part),
            self.connection.cursor(name=f"reports_{name.replace('/', '_')}") as cursor,
        ):
            cursor.itersize = 1000
            cursor.execute(statement, parameters)
            yield from cursor


def read_facts(
    connection: Connection, *, today: date, provider: str, rules: Sequence[Rule], part: Part = WHOLE,
    of_run: bool = False,
) -> Facts:
    """Everything that is short; the connection must stay in its transaction while the rest is streamed.

    ``part``: the runs that lists are about. Totals are of all. ``of_run``: only what the page of one run needs; what is
    about all runs is then read when it is asked for.
    """
    facts = Facts(connection=connection, provider=provider, today=today, rules=rules, part=part)
    for name in ("numbers",) if of_run else _SHORT:  # now: a stream narrows what others see
        getattr(facts, name)
    return facts


def _settled(connection: Connection, part: Part, review_id: int | None) -> Settled:
    if part.runs is None:
        return Settled()
    row = connection.execute(
        query("settled/left_out"), {"open": list(part.runs), "review_id": review_id}
    ).fetchone()
    return Settled(part=part, until=row[0], findings=row[1], broken=row[2]) if row else Settled()
