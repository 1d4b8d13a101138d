"""What history costs: a load of a million marks into the mirror, the same read again, and changes, with and without.

The limit is the same statements with the trigger off, and what counts is the processor time of Postgres' backend, so
that other work on the machine does not. A night without changes must cost the same.

Why a trigger a row: one a statement, with a transition table, saves a seventh of what 1 % of changes cost (1.7 times
the plain update, not 2.0), and makes what is merely stamped a fifth dearer, which is most of what a night does.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import psycopg

from benchmarks.harness import Figure, emit, options, state_folder
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate

TICK = 1 / os.sysconf("SC_CLK_TCK")
LOAD = """
INSERT INTO mirror.attendance (ssg_ref, key, ssg_session_id, run_code, session_no, trainee_ref, live, own_hash, ssg_hash,
                               seen_how)
SELECT 'A' || n, NULL, 'S' || n / 20, 'R' || n / 200, n / 20, 'HB-' || n / 40, true, '\\x01', '\\x01', 'read'
FROM generate_series(1, %(rows)s) n
"""
BIND = "UPDATE mirror.attendance SET key = run_code || '|' || session_no || '|' || ssg_ref"
AGREE = """
UPDATE mirror.attendance SET agreed_hash = ssg_hash, agreed_key = key
WHERE agreed_hash IS DISTINCT FROM ssg_hash OR agreed_key IS DISTINCT FROM key
"""
CHANGE = "UPDATE mirror.attendance SET ssg_hash = '\\x02', status_code = '1' WHERE session_no %% 100 = 1"


def main() -> None:
    """Print the processor seconds of each stage with history and without, as ratios."""
    given = options(__doc__, rows=1_000_000, repeats=3)
    with state_folder() as folder, EmbeddedPostgres(folder / "h") as server:
        migrate(server.url())
        url = server.url().set(drivername="postgresql").render_as_string(hide_password=False)
        seconds: dict[str, dict[bool, list[float]]] = {}
        kept = 0
        for number in range(given.repeats):
            for history in (False, True) if number % 2 else (True, False):
                for stage, taken in _night(url, given.rows, history=history).items():
                    if stage == "history rows":
                        kept = max(kept, int(taken))
                    else:
                        seconds.setdefault(stage, {True: [], False: []})[history].append(taken)
    middle = {stage: {on: statistics.median(times) for on, times in both.items()} for stage, both in seconds.items()}
    emit([
        Figure(f"history: {stage}", given.rows, both[True], limit=both[False], limit_name="without history", bound=bound,
               facts={"history_rows_of_the_change": kept})
        for (stage, both), bound in zip(middle.items(), (1.15, 1.15, 1.15, 3.0), strict=True)
    ])  # fmt: skip


def _night(url: str, rows: int, *, history: bool) -> dict[str, float]:
    """The seconds of each statement, each in a transaction of its own but for load and bind, as a pull does it."""
    found: dict[str, float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")  # all of it in the backend that is looked at
        connection.execute("TRUNCATE mirror.attendance, mirror.attendance_history")
        connection.execute(f"ALTER TABLE mirror.attendance {'ENABLE' if history else 'DISABLE'} TRIGGER keep_history")
        for stage, statements in (("first load, bound", (LOAD, BIND)), ("both sides agree", (AGREE,)),
                                  ("the same night again", (AGREE,)), ("1 % changed", (CHANGE,))):  # fmt: skip
            connection.execute("VACUUM ANALYZE mirror.attendance")
            started = _processor_seconds(connection.info.backend_pid)
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement, {"rows": rows})
            found[stage] = max(_processor_seconds(connection.info.backend_pid) - started, TICK)
        count = connection.execute("SELECT count(*) FROM mirror.attendance_history").fetchone()
        found["history rows"] = count[0] if count else 0
    return found


def _processor_seconds(pid: int) -> float:
    """What a process has used, of its own and of the kernel's; in ticks of a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK


if __name__ == "__main__":
    main()
