"""Review and reports over a million marks, all accepted by SSG: seconds, and memory of the process that writes them.

The bound is memory: under one GiB, since long lists are streamed. A past day is written as well, by the same queries.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.harness import Figure, emit, state_folder
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate

TODAY = date(2026, 11, 20)
LEARNERS, SESSIONS = 25, 40
HASHES = "row_hash, own_hash, ssg_hash, upload_id, sheet, row_number"
VALUES = "'\\x01', '\\x01', '\\x01', 'U-1', 'Sheet1', 2"
FILL = (
    f"""INSERT INTO register.course (key, course_reference, course_title, full_course_fee, provider_type, funding_body,
        minimum_assessments, {HASHES}) VALUES ('TGS-1', 'TGS-1', 'Food Hygiene', 480, 'public', 'SSG', 1, {VALUES})""",
    f"""INSERT INTO register.course_run (key, run_code, course_reference, start_date, end_date, mode_of_training,
        intake_size, threshold, trainer_codes, {HASHES})
        SELECT 'R' || r, 'R' || r, 'TGS-1', date '2026-09-01' + r %% 60, date '2026-09-01' + r %% 60 + 40, '1', 25, 0,
               'TR-01', {VALUES} FROM generate_series(1, %(runs)s) r""",
    f"""INSERT INTO register.session (key, run_code, session_no, session_date, start_time, end_time, mode_of_training,
        {HASHES})
        SELECT r.key || '|' || s, r.key, s, r.start_date + s, '09:00', '12:00', '1', {VALUES}
        FROM register.course_run r, generate_series(1, %(sessions)s) s""",
    """INSERT INTO identity.trainee (trainee_ref, nric_mark)
       SELECT 'HB-' || t, ('x' || t)::bytea FROM generate_series(1, %(runs)s * %(learners)s) t""",
    f"""INSERT INTO register.enrolment (key, trainee_ref, run_code, sponsorship_type, {HASHES})
        SELECT r.key || '|HB-' || t, 'HB-' || t, r.key, 'INDIVIDUAL', {VALUES}
        FROM register.course_run r, LATERAL (SELECT substr(r.key, 2)::int * %(learners)s - n AS t
                                             FROM generate_series(0, %(learners)s - 1) n) x""",
    f"""INSERT INTO register.attendance (key, trainee_ref, run_code, session_no, mark, {HASHES})
        SELECT s.key || '|' || e.trainee_ref, e.trainee_ref, e.run_code, s.session_no, 'present', {VALUES}
        FROM register.enrolment e JOIN register.session s USING (run_code)""",
    """INSERT INTO mirror.attendance (ssg_ref, key, ssg_session_id, run_code, session_no, trainee_ref, live, own_hash,
        ssg_hash, seen_how, created_on)
        SELECT 'A-' || key, key, 'S', run_code, session_no, trainee_ref, true, '\\x01', '\\x01', 'read',
               timestamptz '2026-11-01 00:00+00'
        FROM register.attendance""",
    """INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts)
       VALUES ('P-1', 'h', 'c', 1, 0, 0, '{}')""",
    """INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key,
        correlation_id, state, run_code, ssg_ref, deadline, attempts, first_sent_at, finished_at, approved_by, upload_id,
        sheet, row_number)
        SELECT 'P-1', 'attendance', key, 'create', 7, '\\x01', key, 'c', 'accepted', run_code, 'A-' || key,
               date '2026-11-30', 1, timestamptz '2026-11-01 00:00+00', timestamptz '2026-11-01 00:00+00',
               'auto: policy', 'U-1', 'Sheet1', 2
        FROM register.attendance""",
)


def main() -> None:
    """Fill, then measure in a process of its own; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.url:
        print(json.dumps(_measure(given.url)))
        return
    with state_folder() as folder, EmbeddedPostgres(folder / "h") as server:
        migrate(server.url())
        _fill(server.url().set(drivername="postgresql").render_as_string(hide_password=False), given.rows)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.reports_large", "--url",
             server.url().render_as_string(hide_password=False)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    found = json.loads(done.stdout.strip().splitlines()[-1])
    peak = found.pop("peak_mb")
    figures = [Figure(f"large: {stage}", given.rows, seconds) for stage, seconds in found.items()]
    emit([*figures, Figure("large: memory of all reports", given.rows, peak, bound=1024, against="itself", unit="MB")])


def _fill(url: str, marks: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        # The plan of each submission was approved long ago: rows are put in as they ended.
        connection.execute("SET session_replication_role = 'replica'")
        sizes = {"runs": max(1, marks // (LEARNERS * SESSIONS)), "sessions": SESSIONS, "learners": LEARNERS}
        for statement in FILL:
            connection.execute(statement, sizes if "%(" in statement else None)
        connection.execute("UPDATE register.attendance SET valid_from = '2026-11-01' WHERE session_no = 1")
        connection.execute("ANALYZE")


def _measure(address: str) -> dict[str, float]:
    from tms_pipeline.compliance.review import review
    from tms_pipeline.reports.build import document_of, look, write_document_forms, write_reports
    from tms_pipeline.store.database import Database

    seconds: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        seconds[stage] = round(time.perf_counter() - started, 2)

    with Database(make_url(address)) as db, tempfile.TemporaryDirectory() as folder:
        place, given = Path(folder), {"today": TODAY, "provider": "Hawker Boys"}

        def of_run() -> None:
            with look(db, of_run=True, **given) as facts:  # type: ignore[arg-type]
                write_document_forms(document_of(facts, "run", run="R1"), place)

        timed("compliance review", lambda: review(db, today=TODAY, correlation_id="c"))
        timed("all nightly reports", lambda: write_reports(db, place / "now", **given))  # type: ignore[arg-type]
        timed("the page of one run", of_run)
        timed("the page as of a past day", lambda: write_reports(
            db, place / "past", as_of=date(2026, 11, 19), only=["reports.html"], **given))  # type: ignore[arg-type]
    return {**seconds, "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}


if __name__ == "__main__":
    main()
