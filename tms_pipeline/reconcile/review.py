"""The reconciliation review: every difference found, classed, with what to do; none invented, none passed over.

Three comparisons: sheets with the registers, the registers with SSG, SSG with the registers.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.mirror.pull_result import PullResult
from tms_pipeline.reconcile.classes import CLASSES, TO_DO
from tms_pipeline.reconcile.comparison import Compared, compare
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.roles.guard import needs
from tms_pipeline.settled.narrowed import narrowed
from tms_pipeline.settled.overlooked import in_reconciliation
from tms_pipeline.settled.scope import scope_of
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

__all__ = ["CLASSES", "reconcile"]

# Sheets older than this are not compared any more: what was to be corrected in them is in newer ones by then.
SHEET_DAYS = 30
_COURSE_TO_DO = {
    "missing there": "Ask SSG for the course, or correct the reference.",
    "not shown there": TO_DO["not shown there"],
    "differs": "Compare the title with the approval letter.",
}
_COLUMNS = ("review_id", "class", "kind", "key", "ssg_ref", "field", "ours", "theirs", "since", "what_to_do",
            "comparison", "changed_by")


@needs("reconcile")
def reconcile(workplace: Workplace, pulled: PullResult, *, actor: Actor) -> dict[str, Any]:
    """Compare sheets, registers and mirror and keep the findings; returns the review's id and counts."""
    today = workplace.today()
    with workplace.db.transaction() as connection:
        row = connection.execute(
            "INSERT INTO finding.review (about, as_of, correlation_id, counts) VALUES ('reconciliation', %s, %s, '{}') "
            "RETURNING review_id, started_at",
            (today, actor.correlation_id),
        ).fetchone()
        if row is None:
            raise RuntimeError("a review was not kept")
        review, now = row
        dark = pulled.kinds_not_read()
        unread: dict[str, list[str]] = {}
        failed = {(read.kind, read.scope) for read in pulled.failed()}
        _courses(connection, review, failed, now)
        scope = scope_of(
            connection, today=today, rules=rules_of(workplace.settings),
            full_look_days=workplace.settings.full_look_days,
        )
        with narrowed(connection, scope.differing, by_lookup=True):
            for kind_name, key in connection.execute(query("diff/unread")).fetchall():
                unread.setdefault(kind_name, []).append(key)
            connection.execute(query("reconcile/elsewhere_now"))
            compared = {
                kind.name: compare(connection, kind, review=review, today=today, dark=kind.name in dark,
                                   unread=unread.get(kind.name, []), agreed=scope.differing.kept.get(kind.name, 0))
                for kind in SUBMITTED
            }
        in_reconciliation(connection, scope, review, today=today)
        copy_rows(connection, "finding.discrepancy", _COLUMNS, (
            (review, "not read", read.kind, read.scope, None, None, None, read.sentence, now, TO_DO["not read"],
             "SSG to register", None)
            for read in pulled.failed()
        ))
        sheets = _sheets(connection, review, now)
        _tally(connection, review, compared, sheets)
        counts = _counts(connection, review, compared, pulled, sheets)
        connection.execute("UPDATE finding.review SET counts = %s WHERE review_id = %s", (Jsonb(counts), review))
        append(connection, workplace.rings.audit.key, actor, "reconciled", "review", str(review),
               discrepancies=counts["discrepancies"], matched=counts["matched"])
    return {"review_id": review, "counts": counts}


def _courses(connection: Connection, review: int, failed: set[tuple[str, str]], now: Any) -> None:
    """Courses: compared and never submitted, as SSG's registry owns them."""
    rows = [
        (review, class_, "course", key, None, "course_title" if class_ == "differs" else None, ours, theirs,
         since or now, _COURSE_TO_DO[class_], "register to SSG", None)
        for key, class_, ours, theirs, since in connection.execute(query("reconcile/courses")).fetchall()
        if class_ == "differs" or ("course", key) not in failed
    ]
    copy_rows(connection, "finding.discrepancy", _COLUMNS, rows)


def _sheets(connection: Connection, review: int, now: Any) -> dict[str, int]:
    """Compare the sheets of the last days with the registers; returns the rows that agree, by kind."""
    since = now - timedelta(days=SHEET_DAYS)
    connection.execute(query("reconcile/sheets"), {"since": since})
    connection.execute(query("reconcile/find_sheet_rows"), {"review": review, "since": since})
    return dict(connection.execute(query("reconcile/sheets_matched"), {"since": since}).fetchall())


def _tally(connection: Connection, review: int, compared: dict[str, Compared], sheets: dict[str, int]) -> None:
    fields = [(kind, name, count) for kind, found in compared.items() for name, count in found.fields.items()]
    resolved = {kind: found.resolved for kind, found in compared.items() if found.resolved}
    connection.execute(
        query("reconcile/tally"),
        {
            "review": review, "kinds": list(compared), "matched": [found.matched for found in compared.values()],
            "field_kinds": [item[0] for item in fields], "fields": [item[1] for item in fields],
            "field_matched": [item[2] for item in fields],
            "resolved_kinds": list(resolved), "resolved": list(resolved.values()),
            "sheet_kinds": list(sheets), "sheet_matched": list(sheets.values()),
        },
    )


def _counts(
    connection: Connection, review: int, compared: dict[str, Compared], pulled: PullResult, sheets: dict[str, int]
) -> dict[str, Any]:
    by_class: dict[str, dict[str, int]] = {}
    for class_, kind, count in connection.execute(query("reconcile/counts"), {"review": review}).fetchall():
        by_class.setdefault(class_, {})[kind] = count
    not_read = pulled.kinds_in_part()
    rows = connection.execute(
        "SELECT class, count(*) FROM finding.sheet_row WHERE review_id = %s GROUP BY class ORDER BY class", (review,)
    ).fetchall()
    return {
        "matched": {kind: found.matched for kind, found in compared.items()},
        "discrepancies": by_class,
        "resolved": {kind: found.resolved for kind, found in compared.items() if found.resolved},
        "sheets": {"matched": Counter(sheets).total(), **dict(rows)},
        "read": {kind.name: "not read" if kind.name in not_read else "read" for kind in SUBMITTED},
    }
