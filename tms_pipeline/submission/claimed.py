"""A claimed submission: what a worker has in hand under its lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Claimed:
    """A submission under our lease. ``age`` and ``sent_ago`` are seconds by the clock of Postgres, at the claim."""

    submission_id: int
    kind: str
    key: str
    action: str
    state: str
    content_hash: bytes
    correlation_id: str
    ssg_ref: str | None
    attempts: int
    searches: int
    age: float
    sent_ago: float | None
    first_sent_at: datetime | None
    due: date | None
    order_no: int
    run_code: str | None
    upload_id: str | None = None

    @property
    def lane(self) -> str:
        """What must go one after the other within a worker: edits of one course run."""
        return self.run_code or self.key if self.kind in ("course_run", "session") else ""

    @property
    def call(self) -> str:
        """Kind and action in one word."""
        return f"{self.kind}.{self.action}"


def claimed_of(row: tuple[Any, ...]) -> Claimed:
    """A claimed submission from the row that claiming returns."""
    values = list(row)
    values[5] = bytes(values[5])
    return Claimed(*values)
