"""The trend: what agreed and what did not, by day, from the last review of each day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query


@dataclass(frozen=True)
class TrendLine:
    """Records of one class of one kind on one day; ``comparison`` is one of ``classes.COMPARISONS``."""

    day: date
    comparison: str
    kind: str
    class_: str
    records: int


def trend(connection: Connection, *, today: date, days: int = 30) -> list[TrendLine]:
    """The last ``days`` days up to ``today``, oldest first; a day without a review has no line."""
    rows = connection.execute(query("reconcile/trend"), {"today": today, "days": days}).fetchall()
    return [TrendLine(*row) for row in rows]
