"""The same file again: what a second look at N marks writes, in bytes of WAL, and how long it takes.

The same bytes are known by their hash; the same rows in other bytes (a blank line more) are read, checked and found
unchanged. WAL is counted beyond the tables that keep the upload itself, its landing rows included there.

    python -m benchmarks.same_again [--rows 100000]
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.harness import Clock, Figure, emit, options, state_folder
from benchmarks.installation import ACTOR, LIMITS, enrolled, installation
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.workplace import Workplace

_OWN = ("intake.landing_row", "intake.landing_block", "intake.landing_table", "intake.upload", "intake.rejection")


def of_register(workplace: Workplace) -> int:
    """Row versions written to the register and its history."""
    return int(
        workplace.db.rows(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables "
            "WHERE schemaname = 'register' AND relname LIKE 'attendance%%'"
        )[0][0]
    )


def beyond_the_upload(workplace: Workplace, since: str) -> float:
    """Megabytes of WAL since then about anything but the tables that keep the upload itself."""
    with workplace.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE; CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        found = connection.execute(
            """
            WITH own AS (
                SELECT unnest(%(names)s::regclass[]) AS oid
            ), kept AS (
                SELECT oid FROM own UNION SELECT reltoastrelid FROM pg_class JOIN own USING (oid)
            ), files AS (
                SELECT pg_relation_filenode(oid) AS file FROM kept WHERE oid <> 0
                UNION SELECT pg_relation_filenode(indexrelid) FROM pg_index JOIN kept ON indrelid = kept.oid
            )
            SELECT coalesce(sum(length), 0) FROM (
                SELECT start_lsn, max(record_length) AS length
                FROM pg_get_wal_block_info(%(since)s, pg_current_wal_flush_lsn())
                WHERE relfilenode NOT IN (SELECT file FROM files)
                GROUP BY start_lsn
            ) records
            """,
            {"names": list(_OWN), "since": since},
        ).fetchone()
    return float(found[0] if found else 0) / 1e6


def now(workplace: Workplace) -> str:
    """Where the WAL ends."""
    return str(workplace.db.value("SELECT pg_current_wal_insert_lsn()::text"))


def measure(rows: int, folder: Path) -> list[Figure]:
    """Both ways of the same file again."""
    with installation(folder) as workplace:
        provider = enrolled(workplace, folder, rows)
        content = provider.attendance().to_csv(index=False).encode()
        drop_bytes(workplace, content)
        time.sleep(1.5)
        since, clock = now(workplace), Clock()
        _, fresh = receive(workplace, "marks again.csv", content, source="bench", actor=ACTOR)
        same_seconds, same_wal = clock.seconds, beyond_the_upload(workplace, since)
        time.sleep(1.5)
        written, since, clock = of_register(workplace), now(workplace), Clock()
        counts = drop_bytes(workplace, content + b"\n")
        seconds = clock.seconds
        other_wal = beyond_the_upload(workplace, since)
        time.sleep(1.5)
        rewritten = of_register(workplace) - written
    wal = {"against": "itself", "unit": "MB"}
    return [
        Figure("the same bytes again", rows, same_seconds, facts={"new": fresh}),
        Figure("the same bytes again, WAL", rows, same_wal, **wal),  # type: ignore[arg-type]
        Figure("the same rows in other bytes", rows, seconds, facts={"register_rows_written": rewritten, **counts}),
        Figure("the same rows in other bytes, WAL", rows, other_wal, **wal),  # type: ignore[arg-type]
    ]


def drop_bytes(workplace: Workplace, content: bytes) -> dict[str, int]:
    """Receive and take in; the counts."""
    upload_id, _ = receive(workplace, "marks.csv", content, source="bench", actor=ACTOR)
    return take_in(workplace, upload_id, actor=ACTOR, hold=False, limits=LIMITS).counts()


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[100_000])
    figures = []
    for rows in given.rows:
        with state_folder() as folder:
            figures += measure(rows, folder)
    emit(figures)


if __name__ == "__main__":
    main()
