"""The numbers that every form of a report shows, from one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from tms_pipeline.compliance.finding import STANDINGS
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import query

DEAD_LETTER_STATES = ("rejected", "dead")


def numbers(db: Database, *, today: date | None = None) -> dict[str, Any]:
    """The state of everything in plain numbers, of the last reviews (as of ``today`` or before, if given).

    ``uploads`` is a list with a balance each; ``submissions`` kind → state → count; ``discrepancies`` class → count;
    ``deadlines`` standing → count; ``dead_letters`` a count; ``ssg_writes_last_run`` a count or None.
    """
    with db.transaction() as connection:
        connection.execute(query("reports/snapshot"))
        return numbers_in(connection, today=today or date.max)


def numbers_in(connection: Connection, *, today: date) -> dict[str, Any]:
    """The same, inside a transaction that is already open."""
    reviews = {about: latest_review(connection, about, today) for about in ("reconciliation", "compliance")}
    submissions: dict[str, dict[str, int]] = {}
    for kind, state, count in connection.execute(query("reports/submission_counts")):
        submissions.setdefault(kind, {})[state] = count
    discrepancies: dict[str, int] = {}
    by_kind: dict[str, dict[str, int]] = {}
    for class_, kind, count in connection.execute(
        query("reports/discrepancy_counts"), {"review_id": _number(reviews["reconciliation"])}
    ):
        discrepancies[class_] = discrepancies.get(class_, 0) + count
        by_kind.setdefault(class_, {})[kind] = count
    deadlines = dict.fromkeys(STANDINGS, 0)
    for standing, _rule, count, _records in connection.execute(
        query("reports/deadline_counts"), {"review_id": _number(reviews["compliance"])}
    ):
        deadlines[standing] += count
    nightly = connection.execute(query("reports/last_nightly")).fetchone()
    return {
        "uploads": _uploads(connection),
        "submissions": submissions,
        "discrepancies": discrepancies,
        "discrepancies_by_kind": by_kind,
        "deadlines": deadlines,
        "dead_letters": sum(states.get(state, 0) for states in submissions.values() for state in DEAD_LETTER_STATES),
        "ssg_writes_last_run": None if nightly is None else nightly[0],
        "reviews": reviews,
    }


def latest_review(connection: Connection, about: str, today: date) -> dict[str, Any] | None:
    """The last review about reconciliation or compliance, as of the day or before."""
    row = connection.execute(query("reports/latest_review"), {"about": about, "today": today}).fetchone()
    return None if row is None else dict(zip(("review_id", "as_of", "started_at", "counts"), row, strict=True))


def _uploads(connection: Connection) -> list[dict[str, Any]]:
    names = ("upload_id", "file", "received_at", "rows", "accepted", "unchanged", "rejected", "superseded", "state")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(query("reports/uploads"))]


def _number(review: dict[str, Any] | None) -> int | None:
    return None if review is None else review["review_id"]
