"""A night with nothing to do over a million attendance marks, and one with 1 % changed: the diff that the nightly sync
makes, of all kinds and with all guards, beside a bare join of the same two tables in the same database.

python -m benchmarks diff_unchanged [--rows 1000000] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tms_pipeline.identity import keyring
from tms_pipeline.settings import load_settings
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.workplace import Workplace

# A bare join on the stored hashes, and one that compares the rows themselves.
ON_HASHES = """SELECT r.key FROM register.attendance r JOIN mirror.attendance m ON m.key = r.key
    WHERE m.ssg_hash IS DISTINCT FROM r.ssg_hash"""
ON_ROWS = """SELECT r.key FROM register.attendance r FULL JOIN mirror.attendance m ON m.key = r.key
    WHERE (r.key, r.trainee_ref, r.run_code, r.session_no, r.hours, r.own_hash, r.ssg_hash)
          IS DISTINCT FROM (m.key, m.trainee_ref, m.run_code, m.session_no, m.hours, m.own_hash, m.ssg_hash)"""
PER_RUN, SESSIONS = 100, 20
UNCHANGED_BOUND, CHANGED_BOUND = 1.5, 1.3


def fill(connection: Connection, rows: int) -> None:
    """A provider with so many marks: 100 trainees a run, 20 sessions each; both sides hold the same."""
    runs = max(1, rows // (PER_RUN * SESSIONS))
    source = "'U', 'Sheet', 1, 1, now()"
    connection.execute("SET LOCAL session_replication_role = replica")
    for statement in (
        f"COPY register.course (key, course_reference, live, row_hash, own_hash, ssg_hash, upload_id, sheet, row_number, "
        f"version, valid_from) FROM STDIN|SELECT 'C', 'C', true, '\\x00', '\\x00', '\\x00', {source}",
        f"COPY register.course_run (key, run_code, course_reference, start_date, end_date, live, row_hash, own_hash, "
        f"ssg_hash, upload_id, sheet, row_number, version, valid_from) FROM STDIN|SELECT 'R' || r, 'R' || r, 'C', "
        f"'2026-11-16', '2026-11-17', true, sha256(r::text::bytea), sha256(r::text::bytea), sha256(r::text::bytea), "
        f"{source} FROM generate_series(1, {runs}) r",
        f"COPY register.session (key, run_code, session_no, live, row_hash, own_hash, ssg_hash, upload_id, sheet, "
        f"row_number, version, valid_from) FROM STDIN|SELECT 'R' || r || '|' || s, 'R' || r, s, true, h, h, h, {source} "
        f"FROM generate_series(1, {runs}) r, generate_series(1, {SESSIONS}) s, sha256((r || '|' || s)::bytea) h",
        f"COPY register.trainee (key, trainee_ref, nric_sealed, live, row_hash, own_hash, ssg_hash, upload_id, sheet, "
        f"row_number, version, valid_from) FROM STDIN|SELECT 'T' || t, 'T' || t, '\\x00', true, h, h, h, {source} "
        f"FROM generate_series(1, {PER_RUN}) t, sha256(t::text::bytea) h",
        f"COPY register.enrolment (key, trainee_ref, run_code, live, row_hash, own_hash, ssg_hash, upload_id, sheet, "
        f"row_number, version, valid_from) FROM STDIN|SELECT 'R' || r || '|T' || t, 'T' || t, 'R' || r, true, h, h, h, "
        f"{source} FROM generate_series(1, {runs}) r, generate_series(1, {PER_RUN}) t, sha256((r || '|' || t)::bytea) h",
        f"COPY register.attendance (key, trainee_ref, run_code, session_no, mark, hours, live, row_hash, own_hash, "
        f"ssg_hash, upload_id, sheet, row_number, version, valid_from) FROM STDIN|SELECT 'R' || r || '|' || s || '|T' "
        f"|| t, 'T' || t, 'R' || r, s, 'Present', 8, true, h, h, h, {source} FROM generate_series(1, {runs}) r, "
        f"generate_series(1, {SESSIONS}) s, generate_series(1, {PER_RUN}) t, sha256((r || '|' || s || '|' || t)::bytea) h",
    ):
        _copied(connection, *statement.split("|", 1))
    seen = "true, now(), 'read', now()"
    for kind, columns, values in (
        ("course_run", "", ""),
        ("session", "ssg_run_id, run_code, ", "r.run_code, r.run_code, "),
        ("enrolment", "ssg_run_id, run_code, trainee_ref, ", "r.run_code, r.run_code, r.trainee_ref, "),
        ("attendance", "ssg_session_id, run_code, session_no, trainee_ref, hours, ",
         "r.run_code || '|' || r.session_no, r.run_code, r.session_no, r.trainee_ref, r.hours, "),
    ):  # fmt: skip
        _copied(
            connection,
            f"COPY mirror.{kind} (ssg_ref, key, {columns}own_hash, ssg_hash, agreed_hash, agreed_key, live, seen_at, "
            "seen_how, first_seen_at) FROM STDIN",
            f"SELECT r.key, r.key, {values}r.own_hash, r.ssg_hash, r.ssg_hash, r.key, {seen} FROM register.{kind} r",
        )


def _copied(connection: Connection, into: str, generated: str) -> None:
    """COPY what the statement makes up, out of the server and in again."""
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as between:
        with connection.cursor().copy(f"COPY ({generated}) TO STDOUT") as out:  # type: ignore[arg-type]
            for block in out:
                between.write(block)
        between.seek(0)
        with connection.cursor().copy(into) as back:  # type: ignore[arg-type]
            while block := between.read(1 << 20):
                back.write(block)


def seconds(work: Callable[[], object]) -> float:
    """Elapsed seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Time each in turns, and print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="bd", dir="/tmp"))
    home.chmod(0o711)
    try:
        with EmbeddedPostgres(home) as server:
            keyring.create(home)
            migrate(server.url())
            settings = load_settings(tms_home=home, TMS_TODAY="2026-11-21")
            with Database(server.url()) as db:
                workplace = Workplace(settings, db, keyring.load(home), server.url("dagster"))
                found = measured(workplace, given.rows, given.repeats)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(found) if given.json else f"diff: {json.dumps(found, indent=2)}")
    within = found["unchanged_ratio"] <= UNCHANGED_BOUND and found["changed_ratio"] <= CHANGED_BOUND
    return 0 if within or given.json else 1


def measured(workplace: Workplace, rows: int, repeats: int) -> dict[str, float]:
    """The figures: nothing changed, then 1 % changed in the register."""
    with workplace.db.transaction() as connection:
        fill(connection, rows)
    vacuum(workplace)
    changes: list[int] = []

    def ours() -> None:
        _, plan = plan_now(workplace, actor=workplace.actor(), keep=False)
        changes.append(len(plan.changes))

    def bare(statement: str) -> Callable[[], object]:
        return lambda: workplace.db.rows(statement)

    def in_turns(statement: str) -> tuple[float, float]:
        ours(), bare(statement)()
        pairs = [(seconds(ours), seconds(bare(statement))) for _ in range(repeats)]
        return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)

    unchanged, on_hashes = in_turns(ON_HASHES)
    if set(changes) != {0}:
        raise SystemExit(f"nothing was changed, and the diff found {set(changes)}")
    with workplace.db.transaction() as connection:
        changed = connection.execute(
            "UPDATE register.attendance SET ssg_hash = sha256(ssg_hash), own_hash = ssg_hash WHERE session_no = 1 "
            "AND right(run_code, 1) IN ('0', '5')"
        ).rowcount
    vacuum(workplace)
    changes.clear()
    one_percent, on_rows = in_turns(ON_ROWS)
    if set(changes) != {changed}:
        raise SystemExit(f"{changed} were changed, and the diff found {set(changes)}")
    return {
        "rows": rows, "unchanged_seconds": round(unchanged, 3), "join_on_hashes_seconds": round(on_hashes, 3),
        "unchanged_ratio": round(unchanged / on_hashes, 2), "unchanged_bound": UNCHANGED_BOUND,
        "changed": changed, "changed_seconds": round(one_percent, 3), "join_on_rows_seconds": round(on_rows, 3),
        "changed_ratio": round(one_percent / on_rows, 2), "changed_bound": CHANGED_BOUND,
    }  # fmt: skip


def vacuum(workplace: Workplace) -> None:
    """As autovacuum leaves the tables."""
    with workplace.db.transaction() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.autocommit = False


if __name__ == "__main__":
    sys.exit(main())
