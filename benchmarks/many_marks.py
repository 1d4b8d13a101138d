"""Tables with very many attendance marks: what the daily statements cost, and that they walk indexes.

    python -m benchmarks.many_marks [--rows 1000000 10000000] [--json]

Rows are generated inside Postgres (50,000,000 take about 25 GB and a quarter of an hour). For each size the same
statements are explained and timed: comparing the 2,000 rows of an upload, what a worker loads for 200 submissions, one
run's page, and whether a change may go. They should cost the same at any size.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from psycopg import sql

from benchmarks.harness import Figure, emit
from benchmarks.provider import SESSIONS, TRAINEES_A_RUN, Provider
from benchmarks.whole_job import drop
from tms_pipeline.settings import load_settings
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace, open_workplace

_FILL = """
INSERT INTO register.attendance (key, trainee_ref, run_code, session_no, mark, hours, live, row_hash, own_hash, ssg_hash,
                                 upload_id, sheet, row_number)
SELECT 'Y' || n || '|' || s || '|' || t.trainee_ref, t.trainee_ref, 'Y' || n, s, 'present', 2, true,
       sha256((n || '|' || s || t.trainee_ref)::bytea), '\\x01', '\\x01', 'U-generated', 'Attendance', 1
FROM generate_series({first}, {last}) n
CROSS JOIN generate_series(1, {sessions}) s
CROSS JOIN (SELECT trainee_ref FROM register.trainee ORDER BY 1 LIMIT {people}) t
"""
_MIRROR = """
INSERT INTO mirror.attendance (ssg_ref, key, ssg_session_id, ssg_run_id, run_code, session_no, trainee_ref, status_code, live,
                               own_hash, ssg_hash, seen_how, agreed_hash, agreed_key)
SELECT key, key, run_code || '|' || session_no, '1', run_code, session_no, trainee_ref, '1', true, own_hash, ssg_hash, 'read',
       ssg_hash, key
FROM register.attendance WHERE run_code LIKE 'Y%%' AND substr(run_code, 2)::integer BETWEEN {first} AND {last}
"""


def fill(workplace: Workplace, first: int, last: int) -> None:
    """Runs first to last of years ago, with all their marks, on both sides; a thousand runs a transaction."""
    for start in range(first, last + 1, 1000):
        end = min(last, start + 999)
        with workplace.db.transaction() as connection:
            # What triggers keep of a change has no part in how large the tables are.
            connection.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
            for statement in (_FILL, _MIRROR):
                connection.execute(
                    sql.SQL(statement).format(
                        first=sql.Literal(start), last=sql.Literal(end), sessions=sql.Literal(SESSIONS),
                        people=sql.Literal(TRAINEES_A_RUN),
                    )  # type: ignore[arg-type]
                )  # fmt: skip
    with workplace.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE; ANALYZE register.attendance; ANALYZE mirror.attendance")


def statements(connection: Connection) -> dict[str, tuple[Any, Any]]:
    """The daily statements, with what they are asked."""
    runs = [row[0] for row in connection.execute("SELECT max(substr(run_code, 2)::integer) FROM register.attendance")]
    chosen = [f"Y{max(1, runs[0] * part // 5)}" for part in range(1, 5)]
    keys = [
        row[0]
        for row in connection.execute(
            "SELECT key FROM register.attendance WHERE run_code = ANY(%s) ORDER BY key LIMIT 2000", (chosen,)
        )
    ]
    connection.execute("CREATE TEMP TABLE candidate_attendance (line integer, key text, row_hash bytea) ON COMMIT DROP")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO candidate_attendance VALUES (%s, %s, '\\x00')", [(n, key) for n, key in enumerate(keys)]
        )
    connection.execute("ANALYZE candidate_attendance")
    run = keys[0].split("|")[0]
    return {
        "an upload's 2,000 rows compared": (
            query("registers/compare", register="register.attendance", candidate="candidate_attendance"), None,
        ),
        "200 submissions loaded": (query("outbox/load_attendance"), {"keys": keys[:200]}),
        "one run's marks": ("SELECT * FROM register.attendance WHERE run_code = %(run)s", {"run": run}),
        "one run's marks at SSG": ("SELECT * FROM mirror.attendance WHERE run_code = %(run)s", {"run": run}),
        "200 changes: is the parent there": (
            "SELECT count(*) FROM unnest(%(keys)s::text[]) k WHERE mirror.holds('attendance', k)", {"keys": keys[:200]},
        ),
    }  # fmt: skip


def measure(workplace: Workplace, rows: int) -> list[Figure]:
    """Median time of each statement, and which tables its plan reads whole."""
    found = []
    with workplace.db.transaction() as connection:
        for name, (statement, asked) in statements(connection).items():
            times = []
            for _ in range(5):
                started = time.perf_counter()
                connection.execute(statement, asked).fetchall()
                times.append(time.perf_counter() - started)
            text = statement if isinstance(statement, str) else statement.as_string(connection)
            plan = "\n".join(row[0] for row in connection.execute("EXPLAIN " + text, asked))  # type: ignore[arg-type]
            whole = [line.strip() for line in plan.splitlines() if "Seq Scan on attendance" in line]
            found.append(Figure(name, rows, round(statistics.median(times), 4), facts={"read whole": whole}))
        size = connection.execute(
            "SELECT pg_size_pretty(pg_total_relation_size('register.attendance')), "
            "pg_size_pretty(pg_total_relation_size('mirror.attendance'))"
        ).fetchone()
    found[0].facts["sizes of register and mirror"] = list(size or ())
    return found


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        with open_workplace(load_settings(_env_file=None, tms_home=Path(folder) / "h")) as workplace:
            for path in Provider(Path(folder), TRAINEES_A_RUN * SESSIONS * 5).setup():
                drop(workplace, path)
            done = 0
            for rows in sorted(options.rows):
                runs = rows // (TRAINEES_A_RUN * SESSIONS)
                fill(workplace, done + 1, runs)
                done = runs
                figures += measure(workplace, rows)
    emit(figures)


if __name__ == "__main__":
    main()
