"""What the reports are made of, read in one snapshot. Long lists are streamed, not held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import sql

from tms_pipeline.compliance.checks import RuleBook
from tms_pipeline.compliance.dues import Due, dues, live_runs
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.reports.summary import numbers_in
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

HEAT_RUNS = 24


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One look at the database on behalf of all forms."""

    connection: Connection
    provider: str
    today: date
    numbers: Mapping[str, Any]
    rules: Sequence[Rule]
    dues: Sequence[Due]
    deadline_counts: Sequence[tuple[str, str, int, int]]
    funnel: tuple[int, int, int, int]
    ageing: Sequence[tuple[str, int, int]]
    trend: Sequence[tuple[date, str | None, int]]
    heat: Sequence[tuple[str, int, int, int, int]]

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
        return next((rule.title for rule in self.rules if rule.id == rule_id), rule_id)

    def rows(self, name: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a short list."""
        return self.connection.execute(query(f"reports/{name}"), parameters).fetchall()

    def stream(self, name: str, **parameters: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a long list, a thousand at a time."""
        statement: sql.Composed = query(f"reports/{name}")
        with self.connection.cursor(name=f"reports_{name.replace('/', '_')}") as cursor:
            cursor.itersize = 1000
            cursor.execute(statement, parameters)
            yield from cursor


def read_facts(connection: Connection, *, today: date, provider: str, rules: Sequence[Rule]) -> Facts:
    """Everything that is short; the connection must stay in its transaction while the rest is streamed."""
    numbers = numbers_in(connection, today=today)
    compliance = numbers["reviews"]["compliance"]
    as_of = {"today": today}
    funnel = connection.execute(query("reports/funnel")).fetchone()
    return Facts(
        connection=connection,
        provider=provider,
        today=today,
        numbers=numbers,
        rules=rules,
        dues=dues(connection, live_runs(connection), RuleBook(rules), today=today),
        deadline_counts=connection.execute(
            query("reports/deadline_counts"), {"review_id": compliance["review_id"] if compliance else None}
        ).fetchall(),
        funnel=funnel or (0, 0, 0, 0),
        ageing=connection.execute(query("reports/ageing"), as_of).fetchall(),
        trend=connection.execute(query("reports/trend"), as_of).fetchall(),
        heat=connection.execute(query("reports/heat"), {**as_of, "runs": HEAT_RUNS}).fetchall(),
    )
