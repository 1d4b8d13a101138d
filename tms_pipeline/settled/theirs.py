"""What a record that only SSG holds means, by kind: for reconciliation, and for whether both sides of a run agree."""

from __future__ import annotations

from psycopg import sql

from tms_pipeline.ssg.codes import FeeStatus

#: Kinds of which the mirror cannot hold two for one of ours: it has one attendance row a session and trainee, and a
#: doubled fee is a doubled enrolment.
NEVER_TWICE = frozenset({"attendance", "fee"})


def counts(kind: str, table: str) -> sql.Composable:
    """The condition that a live record of the mirror (``table`` in the query) that we do not hold is a disagreement."""
    if kind != "fee":
        return sql.SQL("true")
    # SSG has a fee for every enrolment, one that is not paid without our saying so.
    return sql.SQL("coalesce({}.collection_status <> {}, false)").format(
        sql.Identifier(table), sql.Literal(FeeStatus.PENDING.value)
    )
