"""A million attendance marks reconciled inside Postgres, against a bare FULL JOIN of the same two tables.

    python -m benchmarks.reconcile_join [--rows 1000000] [--odd 2000]
"""

from __future__ import annotations

import resource
import statistics
import sys
from pathlib import Path

from benchmarks.harness import Figure, emit, options, seconds_of

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "submission")]

from submission_world import World, running_site  # noqa: E402

SESSIONS = 500


def measure(marks: int, odd: int, repeats: int) -> Figure:
    """Load both sides, time the join and the review of the kind in turns; medians."""
    odd = 4 * min(odd // 4, marks // SESSIONS)  # each way to differ in a session of its own
    with running_site() as site, site.world() as world:
        load(world, marks, odd)
        bare, ours = [], []
        for _ in range(repeats):
            bare.append(seconds_of(lambda: _bare(world)))
            ours.append(seconds_of(lambda: _reconcile(world)))
        found = world.value("SELECT count(*) FROM finding.discrepancy WHERE kind = 'attendance'") // repeats
        temporary = world.value("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")
    if found != odd:
        raise SystemExit(f"{odd} marks differ, and {found} were found")
    return Figure("reconciliation of attendance", marks, statistics.median(ours), limit=statistics.median(bare),
                  limit_name="FULL JOIN", bound=2.0, facts={"discrepancies": found, "temporary_files_mib": int(temporary) // 2**20},
                  peak_mb={"ours": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000})  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[1_000_000], repeats=3, odd=2_000)
    emit([measure(rows, given.odd, given.repeats) for rows in given.rows])


def load(world: World, marks: int, odd: int) -> None:
    """Both sides with so many marks, of which ``odd`` differ in equal parts: changed there, gone there, only there."""
    trainees = marks // SESSIONS
    part = odd // 4
    statements = [
        "INSERT INTO register.course_run (key, run_code, live, row_hash, own_hash, ssg_hash, upload_id, sheet, row_number) "
        "VALUES ('A', 'A', true, '\\x01', '\\x01', '\\x01', 'U', 'S', 1)",
        "INSERT INTO mirror.course_run (ssg_ref, key, live, own_hash, ssg_hash, seen_how) "
        "VALUES ('1', 'A', true, '\\x01', '\\x01', 'read')",
        "INSERT INTO identity.trainee (trainee_ref, nric_mark) "
        f"SELECT 'HB-' || t, int4send(t) FROM generate_series(1, {trainees}) t",
        "INSERT INTO register.enrolment (key, trainee_ref, run_code, live, row_hash, own_hash, ssg_hash, upload_id, sheet, "
        f"row_number) SELECT 'A|HB-' || t, 'HB-' || t, 'A', true, '\\x01', '\\x01', '\\x01', 'U', 'S', t "
        f"FROM generate_series(1, {trainees}) t",
        "INSERT INTO mirror.enrolment (ssg_ref, key, live, own_hash, ssg_hash, seen_how) "
        f"SELECT 'ENR-' || t, 'A|HB-' || t, true, '\\x01', '\\x01', 'read' FROM generate_series(1, {trainees}) t",
        "INSERT INTO mirror.session (ssg_ref, key, ssg_run_id, live, own_hash, ssg_hash, seen_how) "
        f"SELECT 'S' || s, 'A|' || s, '1', true, '\\x01', '\\x01', 'read' FROM generate_series(1, {SESSIONS}) s",
        "INSERT INTO register.attendance (key, trainee_ref, run_code, session_no, mark, live, row_hash, own_hash, ssg_hash, "
        "upload_id, sheet, row_number) SELECT 'A|' || s || '|HB-' || t, 'HB-' || t, 'A', s, 'present', true, h, h, h, "
        f"'U-20261121-000001', 'Attendance', t FROM generate_series(1, {SESSIONS}) s, generate_series(1, {trainees}) t, "
        "sha256('1'::bytea) h",
        "INSERT INTO mirror.attendance (ssg_ref, key, ssg_session_id, ssg_run_id, run_code, session_no, trainee_ref, "
        "nric_mark, status_code, ssg_status, live, own_hash, ssg_hash, seen_how, agreed_hash, agreed_key) "
        "SELECT 'S' || session_no || ':' || trainee_ref, key, 'S' || session_no, '1', run_code, session_no, trainee_ref, "
        "sha256(trainee_ref::bytea), '1', 'Confirmed', true, ssg_hash, ssg_hash, 'read', ssg_hash, key "
        "FROM register.attendance",
        # Rejected there, gone there, gone without a trace, and there only: each in a session of its own.
        "UPDATE mirror.attendance SET ssg_hash = sha256('3'::bytea), status_code = '3', ssg_status = 'Rejected' "
        f"WHERE key IN (SELECT 'A|1|HB-' || t FROM generate_series(1, {part}) t)",
        f"UPDATE mirror.attendance SET live = false WHERE key IN (SELECT 'A|2|HB-' || t FROM generate_series(1, {part}) t)",
        f"DELETE FROM mirror.attendance WHERE key IN (SELECT 'A|3|HB-' || t FROM generate_series(1, {part}) t)",
        f"DELETE FROM register.attendance WHERE key IN (SELECT 'A|4|HB-' || t FROM generate_series(1, {part}) t)",
    ]
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
            if "INTO register.attendance" in statement:
                connection.execute("ANALYZE register.attendance")
    import psycopg

    with psycopg.connect(host=str(world.site.server.socket), user="tms", dbname=world.database, autocommit=True) as plain:
        plain.execute("VACUUM ANALYZE")


def _bare(world: World) -> None:
    world.value(
        "SELECT count(*) FROM register.attendance r FULL JOIN mirror.attendance m ON m.key = r.key "
        "WHERE r.ssg_hash IS DISTINCT FROM m.ssg_hash"
    )


def _reconcile(world: World) -> None:
    from datetime import date

    from tms_pipeline.reconcile.comparison import compare
    from tms_pipeline.records.kinds import kind_named

    with world.workplace.db.transaction() as connection:
        (review,) = connection.execute(
            "INSERT INTO finding.review (about, as_of, correlation_id) VALUES ('reconciliation', '2026-11-21', 'b') "
            "RETURNING review_id"
        ).fetchone()  # type: ignore[misc]
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS elsewhere_now (ssg_ref text) ON COMMIT DROP")
        compare(connection, kind_named("attendance"), review=review, today=date(2026, 11, 21), dark=False, unread=[])


if __name__ == "__main__":
    main()
