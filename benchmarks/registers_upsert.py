"""Register upsert of N attendance marks, 5 % changed, beside the anti-join form on bare tables of the same values.

Ours also keeps the replaced versions as history and writes only what is staged as changed; target 1.3 x (performance.md).
Nothing is parsed or sealed here: both begin with rows in memory and end with a commit.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Figure, emit
from benchmarks.provider import Provider
from benchmarks.whole_job import drop
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import open_workplace

_LOAD = """
DROP TABLE IF EXISTS bare_stage;
CREATE UNLOGGED TABLE bare_stage AS
SELECT key, trainee_ref, run_code, session_no,
       CASE WHEN abs(hashtext(key || {turn})) % 20 = 0 THEN 'late' ELSE mark END AS mark,
       hours, marked_at, live,
       CASE WHEN abs(hashtext(key || {turn})) % 20 = 0 THEN sha256(row_hash || '{turn}') ELSE row_hash END AS row_hash,
       own_hash, ssg_hash, 'U-bench-{turn}'::text AS upload_id, sheet, row_number
FROM register.attendance;
ALTER TABLE bare_stage ADD COLUMN line integer GENERATED ALWAYS AS IDENTITY;
ANALYZE bare_stage;
"""


def measure(rows: int, repeats: int, folder: Path) -> Figure:
    """Medians of both, in turns."""
    from tms_pipeline.records.kinds import kind_named
    from tms_pipeline.registers.upsert import upsert

    kind = kind_named("attendance")
    mine, bare = [], []
    with open_workplace(load_settings(_env_file=None, tms_home=folder / "h")) as workplace:
        provider = Provider(folder, rows)
        for path in provider.setup():
            drop(workplace, path)
        marks = folder / "marks.csv"
        provider.attendance().to_csv(marks, index=False)
        drop(workplace, marks)
        with workplace.db.transaction() as connection:
            connection.execute("CREATE TABLE public.bare (LIKE register.attendance INCLUDING ALL)")
            connection.execute("INSERT INTO public.bare SELECT * FROM register.attendance")
            connection.execute("CREATE TABLE public.bare_history (LIKE register.attendance_history)")
            connection.execute("ANALYZE public.bare; ANALYZE register.attendance")
        for turn in range(repeats):
            with workplace.db.transaction() as connection:
                connection.execute(_LOAD.replace("{turn}", str(turn + 1)))  # type: ignore[arg-type]
            started = time.perf_counter()
            with workplace.db.transaction() as connection:
                connection.execute(
                    "CREATE TEMP TABLE differs ON COMMIT DROP AS SELECT s.* FROM bare_stage s "
                    "JOIN public.bare r ON r.key = s.key WHERE r.row_hash <> s.row_hash"
                )
                connection.execute("ANALYZE differs")
                connection.execute(
                    "UPDATE public.bare r SET (mark, hours, marked_at, live, row_hash, own_hash, ssg_hash, upload_id, "
                    "sheet, row_number) = ROW (s.mark, s.hours, s.marked_at, s.live, s.row_hash, s.own_hash, "
                    "s.ssg_hash, s.upload_id, s.sheet, s.row_number) FROM differs s WHERE r.key = s.key"
                )
            bare.append(time.perf_counter() - started)
            started = time.perf_counter()
            with workplace.db.transaction() as connection:
                connection.execute(
                    "CREATE TEMP TABLE stage_attendance ON COMMIT DROP AS SELECT s.* FROM bare_stage s "
                    "JOIN register.attendance r ON r.key = s.key WHERE r.row_hash <> s.row_hash"
                )
                connection.execute("ANALYZE stage_attendance")
                _, changed = upsert(connection, kind, "stage_attendance", f"U-bench-{turn + 1}")
            mine.append(time.perf_counter() - started)
    return Figure("register upsert, 5 % changed", rows, round(statistics.median(mine), 2),
                  limit=round(statistics.median(bare), 2), bound=1.3, facts={"changed": changed})  # fmt: skip


def main() -> None:
    """Measure, and print the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        emit([measure(options.rows, options.repeats, Path(folder))])


if __name__ == "__main__":
    main()
