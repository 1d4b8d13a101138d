"""The same file again: what a second look at N marks writes, in bytes of WAL, and how long it takes.

The same bytes are known by their hash; the same rows in other bytes (a blank line more) are read, checked and found
unchanged. Target at 1,000,000: under 1 MB of WAL beyond the upload's own record, its landing rows included there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Figure, emit
from benchmarks.provider import Provider
from benchmarks.whole_job import ACTOR, LIMITS, drop
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

_OWN = ("intake.landing_row", "intake.landing_block", "intake.landing_table", "intake.upload", "intake.rejection")


def wal(workplace: Workplace) -> int:
    """Bytes of WAL written since the server began."""
    return int(workplace.db.rows("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")[0][0])


def of_register(workplace: Workplace) -> int:
    """Row versions written to the register and its history."""
    return int(
        workplace.db.rows(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables "
            "WHERE schemaname = 'register' AND relname LIKE 'attendance%%'"
        )[0][0]
    )


def measure(rows: int, folder: Path) -> list[Figure]:
    """Both ways of the same file again."""
    with open_workplace(load_settings(_env_file=None, tms_home=folder / "h")) as workplace:
        provider = Provider(folder, rows)
        for path in provider.setup():
            drop(workplace, path)
        content = provider.attendance().to_csv(index=False).encode()
        first = folder / "marks.csv"
        first.write_bytes(content)
        drop(workplace, first)
        workplace.db.rows("SELECT 1")
        before, started = wal(workplace), time.perf_counter()
        upload_id, fresh = receive(workplace, "marks again.csv", content, source="bench", actor=ACTOR)
        same = Figure("the same bytes again", rows, round(time.perf_counter() - started, 3),
                      facts={"wal_bytes": wal(workplace) - before, "new": fresh})  # fmt: skip
        time.sleep(1.5)
        written, before, started = of_register(workplace), wal(workplace), time.perf_counter()
        upload_id, _ = receive(workplace, "marks.csv", content + b"\n", source="bench", actor=ACTOR)
        counts = take_in(workplace, upload_id, actor=ACTOR, hold=False, limits=LIMITS).counts()
        seconds, all_wal = time.perf_counter() - started, wal(workplace) - before
        time.sleep(1.5)
        own = sum(
            int(workplace.db.rows("SELECT pg_total_relation_size(%s::regclass)", (name,))[0][0]) for name in _OWN
        )
        other = Figure("the same rows in other bytes", rows, round(seconds, 2),
                       facts={"wal_bytes": all_wal, "register_rows_written": of_register(workplace) - written,
                              "size_of_upload_tables": own, **counts})  # fmt: skip
    return [same, other]


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        emit(measure(options.rows, Path(folder)))


if __name__ == "__main__":
    main()
