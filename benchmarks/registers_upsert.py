"""Register upsert of N attendance marks, 5 % changed, beside the anti-join form on bare tables of the same values.

    python -m benchmarks.registers_upsert [--rows 1000000] [--repeats 3]

Ours also keeps the replaced versions as history and writes only what is staged as changed. Nothing is parsed or sealed
here: all begin with rows staged in Postgres and end with a commit. The naive way puts every row onto the register by
ON CONFLICT, changed or not; the peer is Postgres' own MERGE that writes only what differs.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Figure, emit, options, seconds_of, state_folder
from benchmarks.installation import installation, with_marks
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.registers.upsert import upsert
from tms_pipeline.workplace import Workplace

_STAGE = """
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
_CHANGED = ("mark", "hours", "marked_at", "live", "row_hash", "own_hash", "ssg_hash", "upload_id", "sheet", "row_number")
_COLUMNS = ("key", "trainee_ref", "run_code", "session_no", *_CHANGED)
_SET = ", ".join(f"{name} = s.{name}" for name in _CHANGED)
_WAYS = {
    "anti_join": (
        "CREATE TEMP TABLE differs ON COMMIT DROP AS SELECT s.* FROM bare_stage s "
        "LEFT JOIN public.anti_join r ON r.key = s.key WHERE r.key IS NULL OR r.row_hash <> s.row_hash",
        "ANALYZE differs",
        f"UPDATE public.anti_join r SET {_SET} FROM differs s WHERE r.key = s.key",
    ),
    "merged": (
        f"MERGE INTO public.merged r USING bare_stage s ON r.key = s.key "
        f"WHEN MATCHED AND r.row_hash <> s.row_hash THEN UPDATE SET {_SET} "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(_COLUMNS)}) VALUES ({', '.join(f's.{name}' for name in _COLUMNS)})",
    ),
    "on_conflict": (
        f"INSERT INTO public.on_conflict ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} FROM bare_stage "
        f"ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _CHANGED)}",
    ),
}


def measure(rows: int, repeats: int, folder: Path) -> Figure:
    """Medians of all ways, in turns."""
    kind = kind_named("attendance")
    with installation(folder) as workplace:
        with_marks(workplace, folder, rows)
        with workplace.db.transaction() as connection:
            connection.execute("SET LOCAL ROLE NONE")
            for name in _WAYS:
                connection.execute(
                    f"CREATE TABLE public.{name} (LIKE register.attendance INCLUDING ALL); "
                    f"INSERT INTO public.{name} ({', '.join(_COLUMNS)}) SELECT {', '.join(_COLUMNS)} FROM register.attendance; "
                    f"ANALYZE public.{name}"  # type: ignore[arg-type]
                )
        changed = [0]

        def ours(turn: int) -> None:
            with workplace.db.transaction() as connection:
                connection.execute(
                    "CREATE TEMP TABLE stage_attendance ON COMMIT DROP AS SELECT s.* FROM bare_stage s "
                    "LEFT JOIN register.attendance r ON r.key = s.key WHERE r.key IS NULL OR r.row_hash <> s.row_hash"
                )
                connection.execute("ANALYZE stage_attendance")
                changed[0] = upsert(connection, kind, "stage_attendance", f"U-bench-{turn}")[1]

        times: dict[str, list[float]] = {}
        for turn in range(1, repeats + 1):
            with workplace.db.transaction() as connection:
                connection.execute("SET LOCAL ROLE NONE; " + _STAGE.replace("{turn}", str(turn)))  # type: ignore[arg-type]
                connection.execute("SET LOCAL ROLE NONE; GRANT SELECT ON bare_stage TO public")
            for name, way in {**{name: _bare(workplace, name) for name in _WAYS}, "ours": lambda n=turn: ours(n)}.items():
                times.setdefault(name, []).append(seconds_of(way))
    middle = {name: statistics.median(found) for name, found in times.items()}
    return Figure("register upsert, 5 % changed", rows, middle["ours"], limit=middle["anti_join"],
                  limit_name="anti-join, no history", naive=middle["on_conflict"], naive_name="ON CONFLICT, every row",
                  peer=middle["merged"], peer_name="MERGE", facts={"changed": changed[0]})  # fmt: skip


def _bare(workplace: Workplace, name: str) -> Callable[[], None]:
    def work() -> None:
        with workplace.db.transaction() as connection:
            connection.execute("SET LOCAL ROLE NONE")
            for statement in _WAYS[name]:
                connection.execute(statement)  # type: ignore[arg-type]

    return work


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[1_000_000], repeats=3)
    figures = []
    for rows in given.rows:
        with state_folder() as folder:
            figures.append(measure(rows, given.repeats, folder))
    emit(figures)


if __name__ == "__main__":
    main()
