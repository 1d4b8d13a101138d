"""Growth: a night without changes over N marks, and over the same with ten times as much behind it.

What lies behind are runs of years ago, in agreement with SSG. A night here is plan, reconciliation, compliance review
and reports; reading SSG is left out, since it asks only for what is recent. Target: 1.2 x (performance.md).
"""

from __future__ import annotations

from pathlib import Path

from psycopg import sql

from benchmarks.agreement import agree, analyse
from benchmarks.harness import Clock, Figure, emit, options, state_folder
from benchmarks.installation import ACTOR, installation, with_marks
from tms_pipeline.workplace import Workplace

TIMES = 10
# Columns that name a run; a copy of a year ago is another run.
_RUN_NAMES = ("key", "run_code")
_DAYS = {
    "course_run": ("registration_open", "registration_close", "start_date", "end_date"),
    "session": ("session_date",),
    "enrolment": ("enrolment_date",),
    "assessment": ("assessment_date",),
}


def assess(workplace: Workplace) -> None:
    """An assessment and a paid fee of every trainee, as their files would have brought them.

    A run that lacks one is never over.
    """
    with workplace.db.transaction() as connection:
        connection.execute(
            "INSERT INTO register.fee (key, trainee_ref, run_code, collection_status, row_hash, own_hash, ssg_hash, "
            "upload_id, sheet, row_number) SELECT e.key, e.trainee_ref, e.run_code, 'Full Payment', h, h, h, e.upload_id, "
            "e.sheet, e.row_number FROM register.enrolment e, sha256(convert_to(e.key, 'UTF8')) h"
        )
        connection.execute(
            "INSERT INTO register.assessment (key, trainee_ref, run_code, assessment_date, result, row_hash, own_hash, "
            "ssg_hash, upload_id, sheet, row_number) SELECT e.key || '|', e.trainee_ref, e.run_code, r.end_date, 'Pass', h, "
            "h, h, e.upload_id, e.sheet, e.row_number FROM register.enrolment e JOIN register.course_run r "
            "ON r.key = e.run_code, sha256(convert_to(e.key, 'UTF8')) h"
        )
        agree(connection)
        analyse(connection)


def add_years(workplace: Workplace, years: int) -> None:
    """Copy runs and all that hangs on them, each copy further in the past."""
    with workplace.db.transaction() as connection:
        for kind in ("course_run", "session", "enrolment", "fee", "attendance", "assessment"):
            table = sql.Identifier("register", kind)
            names = [
                row[0]
                for row in connection.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = 'register' "
                    "AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
                    (kind,),
                )
            ]
            values = sql.SQL(", ").join(
                sql.SQL("'Y' || n || '-' || {}").format(sql.Identifier(name))
                if name in _RUN_NAMES
                else sql.SQL("({} - n * 365)::date").format(sql.Identifier(name))
                if name in _DAYS.get(kind, ())
                else sql.Identifier(name)
                for name in names
            )
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}, generate_series(1, {}) n").format(
                    table, sql.SQL(", ").join(map(sql.Identifier, names)), values, table, sql.Literal(years)
                )
            )
        agree(connection)
        analyse(connection)


def night(workplace: Workplace) -> tuple[float, dict[str, float]]:
    """Seconds of a night without changes, and of its parts."""
    from tms_pipeline.compliance.review import review
    from tms_pipeline.mirror.pull import PullResult
    from tms_pipeline.operations.nightly import report_folder
    from tms_pipeline.reconcile.review import reconcile
    from tms_pipeline.reports.build import write_reports
    from tms_pipeline.submission.planning import plan_now

    clock = Clock()
    _, plan = plan_now(workplace, actor=ACTOR)
    clock.took("plan")
    reconcile(workplace, PullResult(), actor=ACTOR)
    clock.took("reconciliation")
    review(workplace.db, today=workplace.today(), correlation_id="bench")
    clock.took("compliance")
    write_reports(workplace.db, report_folder(workplace), today=workplace.today(), provider="Bench")
    clock.took("reports")
    if plan.changes:
        raise RuntimeError(f"the night was to have no changes, and has {len(plan.changes)}")
    return clock.seconds, clock.parts


def measure(rows: int, folder: Path) -> Figure:
    """One figure: the night with ten times as much behind it, beside the night without."""
    with installation(folder) as workplace:
        with_marks(workplace, folder, rows, agreed=True)
        assess(workplace)
        night(workplace)
        small, few = night(workplace)
        add_years(workplace, TIMES - 1)
        night(workplace)
        large, many = night(workplace)
    return Figure("night without changes, ten times the history", rows, large, limit=small,
                  limit_name="without the history", facts={"before": few, "after": many})  # fmt: skip


def main() -> None:
    """Measure, and print the figure."""
    given = options(__doc__, rows=[50_000])
    figures = []
    for rows in given.rows:
        with state_folder() as folder:
            figures.append(measure(rows, folder))
    emit(figures)


if __name__ == "__main__":
    main()
