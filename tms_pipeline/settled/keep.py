"""What a compliance review keeps of its look: which runs both sides agree on, and which are over for good.

A run is settled when, in one snapshot:

- register and mirror agree on every record of it, once each, under one run;
- it ended ``SETTLED_DAYS`` ago or longer, and so did each of its sessions and assessments;
- every record of it that has a last day is at SSG, in time or late;
- no finding about it is missed or near, or has a last day that is still ahead, or says that marks or assessments are
  missing: those can still be brought;
- no submission of it is under way or needs a person.

So no day that comes can change what is said about it, but for "days ago", which ``finding.every_deadline`` counts anew.
What unsettles it is told in ``settled.scope``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from psycopg import sql

from tms_pipeline.compliance.finding import Finding
from tms_pipeline.settled.narrowed import narrowed
from tms_pipeline.settled.scope import KINDS, Scope
from tms_pipeline.settled.theirs import NEVER_TWICE, counts
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.states import UNDER_WAY

SETTLED_DAYS = 30
# What ops still owe, however late it is.
_OWED = frozenset({"attendance-marked", "minimum-assessments"})


def one_at_a_time(connection: Connection) -> None:
    """Begin a look that keeps something, in a new transaction: one snapshot, taken when the look before has ended."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    # LOCK takes no snapshot: whoever waited here sees what the one before wrote.
    connection.execute("LOCK TABLE finding.looked_run IN SHARE ROW EXCLUSIVE MODE")


def compare(connection: Connection, scope: Scope) -> None:
    """Look at the runs that may differ, or at all, and leave what both sides hold in the temporary table ``looked``."""
    connection.execute(query("settled/looked"))
    connection.execute(
        "INSERT INTO looked_part (run_code, kind, records, odd) SELECT unnest(%s::text[]), 'course_run', 0, false",
        (list(scope.differing.runs or ()),),
    )
    with narrowed(connection, scope.differing):
        for kind in KINDS:
            of_run = kind == "course_run"
            names = {
                "register": sql.Identifier("register", kind),
                "mirror": sql.Identifier("mirror", kind),
                "run": sql.SQL("key" if of_run else "run_code"),
                "counts": counts(kind, "x"),
            }
            connection.execute(query("settled/agreement", **names), {"kind": kind})
            connection.execute(query("settled/strays", **names), {"kind": kind})
            if kind not in NEVER_TWICE:
                connection.execute(query("settled/doubles", **names), {"kind": kind})
        connection.execute(query("settled/sum_up"))
    connection.execute("ANALYZE looked")


def unfinished(findings: Iterable[Finding], today: date) -> set[str]:
    """Runs about which something may still be said tomorrow that is not said today."""
    return {
        finding.run_code
        for finding in findings
        if finding.standing in ("missed", "near")
        or finding.rule in _OWED
        or (finding.last_day is not None and finding.last_day >= today)
    }


def keep(connection: Connection, scope: Scope, *, review: int, today: date, not_over: Collection[str]) -> None:
    """Keep what ``compare`` found and which runs are settled, and take away the touches that this snapshot shows.

    ``not_over``: runs of which a record is not at SSG or a finding is not of the past.
    """
    words = {
        "review": review, "today": today, "ended": today - timedelta(days=SETTLED_DAYS), "not_over": list(not_over),
        "whole": scope.open.whole, "runs": list(scope.open.runs or ()),
        "under_way": [str(state) for state in UNDER_WAY],
    }  # fmt: skip
    if scope.differing.whole:
        connection.execute("DELETE FROM finding.looked_run")
    elif scope.open.whole:
        connection.execute("UPDATE finding.looked_run SET settled = false WHERE settled")
    connection.execute(query("settled/unsettle"), words)
    connection.execute(query("settled/keep"), words)
    connection.execute(query("settled/forget"))
    connection.execute(query("settled/settle"), words)
    connection.execute(query("settled/keep_findings"), words)
    connection.execute("DELETE FROM finding.touched_run")
    if scope.full_look:
        connection.execute(
            query("settled/full_look"),
            {"review": review, "today": today, "fingerprint": scope.fingerprint, "why": scope.full_look},
        )
