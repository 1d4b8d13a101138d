"""Tables with very many attendance marks: what the daily and nightly statements cost, and by which plans.

    python -m benchmarks.many_marks [--rows 1000000 10000000]
    python -m benchmarks.many_marks --rows 50000000 --home DIR --piece 2000000   (again and again, until it is full)

Runs of years ago with sessions, enrolments and marks are generated inside Postgres, on both sides, without the triggers
that keep history; tables are unlogged and get their indexes once they are full, so that 50,000,000 take minutes. For
each size the same statements are timed and explained: those of a day should cost the same at any size, those of a night
are shown with their plans. With ``--home`` the state is kept, and each call adds no more than ``--piece`` marks.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psycopg import sql

from benchmarks.agreement import _EXTRA
from benchmarks.growth import assess
from benchmarks.growth import night as one_night
from benchmarks.harness import Clock, Figure, emit, options, state_folder
from benchmarks.installation import installation, with_marks
from benchmarks.provider import SESSIONS, TRAINEES_A_RUN
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query, text
from tms_pipeline.workplace import Workplace

KINDS = ("course_run", "session", "enrolment", "fee", "attendance", "assessment")
BASE_RUNS = 40
PER_COPY = BASE_RUNS * TRAINEES_A_RUN * SESSIONS
# A copy is of other runs and other people, some days earlier.
_COPIED = {
    "run_code": "'Y' || n || '-' || run_code",
    "trainee_ref": "trainee_ref || 'Y' || n",
    "course_run": "'Y' || n || '-' || run_code",
    "session": "'Y' || n || '-' || run_code || '|' || session_no",
    "enrolment": "'Y' || n || '-' || run_code || '|' || trainee_ref || 'Y' || n",
    "fee": "'Y' || n || '-' || run_code || '|' || trainee_ref || 'Y' || n",
    "assessment": "'Y' || n || '-' || run_code || '|' || trainee_ref || 'Y' || n || '|'",
    "attendance": "'Y' || n || '-' || run_code || '|' || session_no || '|' || trainee_ref || 'Y' || n",
}
_DAYS = {"registration_open", "registration_close", "start_date", "end_date", "session_date", "enrolment_date", "assessment_date"}


def copies(kind: str, columns: list[str]) -> sql.Composed:
    """Rows ``first`` to ``last`` of the register, and the same as SSG holds them, in one statement."""
    values = [
        sql.SQL(_COPIED[kind] if name == "key" else _COPIED[name]) if name in ("key", "run_code", "trainee_ref")
        else sql.SQL("({} - 30 - n %% 2500)::date").format(sql.Identifier(name)) if name in _DAYS
        else sql.Identifier(name)
        for name in columns
    ]  # fmt: skip
    mirror = {
        "ssg_ref": f"'{kind}-' || r.key", "key": "r.key", "live": "true", "own_hash": "r.own_hash", "ssg_hash": "r.ssg_hash",
        "seen_how": "'read'", "agreed_hash": "r.ssg_hash", "agreed_key": "r.key", **_EXTRA.get(kind, {}),
    }  # fmt: skip
    if kind == "course_run":
        mirror["ssg_ref"] = "r.key"  # as agreement.agree numbers them, a number is not to be had here
    return sql.SQL(
        "WITH fresh AS (INSERT INTO {register} ({columns}) SELECT {values} FROM {register}, "
        "generate_series(%(first)s::integer, %(last)s) n WHERE run_code NOT LIKE 'Y%%' RETURNING *) "
        "INSERT INTO {mirror} ({names}) SELECT {seen} FROM fresh r WHERE r.live"
    ).format(
        register=sql.Identifier("register", kind),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        values=sql.SQL(", ").join(values),
        mirror=sql.Identifier("mirror", kind),
        names=sql.SQL(", ").join(map(sql.Identifier, mirror)),
        seen=sql.SQL(", ").join(map(sql.SQL, mirror.values())),
    )


def _columns(connection: Connection, kind: str) -> list[str]:
    return [
        row[0]
        for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'register' "
            "AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO' ORDER BY ordinal_position",
            (kind,),
        )
    ]


@contextlib.contextmanager
def owner(workplace: Workplace) -> Iterator[Connection]:
    """A transaction of the tables' owner, without triggers."""
    with workplace.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
        yield connection


def begin(workplace: Workplace, folder: Path) -> None:
    """The runs that are copied; then marks without indexes, outside the WAL."""
    with_marks(workplace, folder, PER_COPY, agreed=True)
    assess(workplace)
    with owner(workplace) as connection:
        connection.execute("CREATE TABLE public.later (place integer GENERATED ALWAYS AS IDENTITY, statement text)")
        connection.execute("CREATE TABLE public.base AS TABLE register.attendance")
        for side in ("register", "mirror"):
            connection.execute(
                "INSERT INTO public.later (statement) SELECT pg_get_indexdef(indexrelid) FROM pg_index "
                "WHERE indrelid = %(table)s::regclass AND NOT indisprimary",
                {"table": f"{side}.attendance"},
            )
            key = "key" if side == "register" else "ssg_ref"
            connection.execute(
                "INSERT INTO public.later (statement) VALUES (%s)",
                (f"ALTER TABLE {side}.attendance ADD CONSTRAINT attendance_pkey PRIMARY KEY ({key})",),
            )
            connection.execute(f"ALTER TABLE {side}.attendance DROP CONSTRAINT attendance_pkey")  # type: ignore[arg-type]
            for (name,) in connection.execute(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass", (f"{side}.attendance",)
            ).fetchall():
                connection.execute(f"DROP INDEX {name}")
            connection.execute(f"ALTER TABLE {side}.attendance SET UNLOGGED")  # type: ignore[arg-type]


def fill(workplace: Workplace, first: int, last: int) -> None:
    """Copies first to last, by two connections at a time."""
    middle = (first + last) // 2
    failed: list[BaseException] = []

    def half(begin_at: int, end_at: int) -> None:
        try:
            with owner(workplace) as connection:
                for kind in KINDS:
                    statement = copies(kind, _columns(connection, kind))
                    if kind == "attendance":  # read from the few rows that are copied, not through all there are
                        words = statement.as_string(connection).replace('FROM "register"."attendance", ', "FROM public.base, ")
                        connection.execute(words, {"first": begin_at, "last": end_at})  # type: ignore[arg-type]
                    else:
                        connection.execute(statement, {"first": begin_at, "last": end_at})
        except BaseException as error:
            failed.append(error)

    halves = [threading.Thread(target=half, args=pair) for pair in ((first, middle), (middle + 1, last))]
    for thread in halves:
        thread.start()
    for thread in halves:
        thread.join()
    if failed:
        raise failed[0]


def finish_one(workplace: Workplace) -> bool:
    """Make one index that is still to be made; False when all are there."""
    with owner(workplace) as connection:
        row = connection.execute("DELETE FROM public.later WHERE place = (SELECT min(place) FROM public.later) "
                                 "RETURNING statement").fetchone()  # fmt: skip
        if row is None:
            return False
        connection.execute("SET LOCAL maintenance_work_mem = '1GB'; SET LOCAL max_parallel_maintenance_workers = 2")
        connection.execute(row[0])
    return True


def settle(workplace: Workplace, *, vacuum: bool) -> None:
    """What autovacuum does in the minutes after, and in the hours."""
    with workplace.db.transaction() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("RESET ROLE")
        for side in ("register", "mirror"):
            for kind in KINDS:
                connection.execute(f"{'VACUUM ANALYZE' if vacuum else 'ANALYZE'} {side}.{kind}")  # type: ignore[arg-type]
        connection.execute("SET ROLE tms_app")
        connection.autocommit = False


def count(workplace: Workplace) -> int:
    """How many copies there are, by the copies of the first run."""
    return int(workplace.db.value("SELECT count(*) - %s FROM register.course_run", (BASE_RUNS,))) // BASE_RUNS


# -- what is looked at --------------------------------------------------------------------------------------------


def of_the_day(connection: Connection) -> dict[str, tuple[Any, Any]]:
    """Statements that a day asks over and over, with what they are asked."""
    runs = [row[0] for row in connection.execute("SELECT key FROM register.course_run ORDER BY md5(key) LIMIT 4")]
    keys = [
        row[0]
        for row in connection.execute("SELECT key FROM register.attendance WHERE run_code = ANY(%s) LIMIT 2000", (runs,))
    ]
    connection.execute("CREATE TEMP TABLE candidate_attendance (line integer, key text, row_hash bytea) ON COMMIT DROP")
    with connection.cursor().copy("COPY candidate_attendance FROM STDIN") as copy:
        for number, key in enumerate(keys):
            copy.write_row((number, key, "\\x00"))
    connection.execute("ANALYZE candidate_attendance")
    trainee = connection.execute("SELECT trainee_ref FROM register.attendance WHERE key = %s", (keys[0],)).fetchone()
    return {
        "an upload's 2,000 rows compared": (
            sql.SQL("SELECT" + text("registers/compare").split("SELECT", 1)[1]).format(
                register=sql.Identifier("register", "attendance"), candidate=sql.Identifier("candidate_attendance")
            ), None,
        ),
        "200 submissions loaded": (query("outbox/load_attendance"), {"keys": keys[:200]}),
        "one run's marks": ("SELECT * FROM register.attendance WHERE run_code = %(run)s", {"run": runs[0]}),
        "one run's marks at SSG": ("SELECT * FROM mirror.attendance WHERE run_code = %(run)s", {"run": runs[0]}),
        "one trainee's marks": (
            "SELECT * FROM register.attendance WHERE trainee_ref = %(who)s", {"who": trainee[0] if trainee else ""},
        ),
        "200 changes: is the parent there": (
            "SELECT count(*) FROM unnest(%(keys)s::text[]) k WHERE mirror.holds('attendance', k)", {"keys": keys[:200]},
        ),
    }  # fmt: skip


def of_the_night() -> dict[str, tuple[Any, Any]]:
    """Statements that look at every mark, if they look at all."""
    return {
        "a night's first look at all marks: what differs": (query("diff/attendance_differs"), None),
    }


def measure(workplace: Workplace, rows: int, *, nights: bool) -> list[Figure]:
    """Time and plan of each statement, and which of them read a table of marks whole."""
    found = []
    with workplace.db.transaction() as connection:
        asked = {name: (pair, 5) for name, pair in of_the_day(connection).items()}
        asked |= {name: (pair, 1) for name, pair in of_the_night().items()} if nights else {}
        for name, ((statement, parameters), times) in asked.items():
            seconds = []
            for _ in range(times):
                clock = Clock()
                connection.execute(statement, parameters).fetchall()
                seconds.append(clock.seconds)
            words = statement if isinstance(statement, str) else statement.as_string(connection)
            plan = [row[0] for row in connection.execute("EXPLAIN (COSTS OFF) " + words, parameters)]  # type: ignore[arg-type]
            whole = sorted({line.strip(" ->") for line in plan if "Seq Scan on attendance" in line})
            found.append(Figure(f"many marks: {name}", rows, statistics.median(seconds),
                                facts={"reads whole": whole, "plan": plan[:24]}))  # fmt: skip
        sizes = connection.execute(
            "SELECT pg_size_pretty(pg_table_size(t)), pg_size_pretty(pg_indexes_size(t)) "
            "FROM unnest(ARRAY['register.attendance', 'mirror.attendance']::regclass[]) t"
        ).fetchall()
    found[0].facts["table and indexes of register and mirror"] = [list(pair) for pair in sizes]
    return found


def night(workplace: Workplace, rows: int) -> list[Figure]:
    """Two whole nights: the first looks at everything, the second at what changed since."""
    figures = []
    for name in ("the first night", "a night without changes"):
        seconds, parts = one_night(workplace)
        figures.append(Figure(f"many marks: {name}", rows, seconds, facts={"parts": parts}))
    return figures


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[1_000_000, 10_000_000], home="", piece=2_000_000, nights=False)
    figures: list[Figure] = []
    with contextlib.ExitStack() as stack:
        if given.home:
            folder = Path(given.home)
            folder.mkdir(mode=0o711, exist_ok=True)
        else:
            folder = stack.enter_context(state_folder())
        workplace = stack.enter_context(installation(folder))
        if not workplace.db.value("SELECT to_regclass('public.base')"):
            begin(workplace, folder)
        for rows in sorted(given.rows):
            wanted, step = rows // PER_COPY, given.piece // PER_COPY
            while (have := count(workplace)) < wanted:
                fill(workplace, have + 1, min(wanted, have + step))
                if given.home:
                    print(f"{min(wanted, have + step) * PER_COPY:,} marks", flush=True)
                    return
            while finish_one(workplace):
                if given.home:
                    print("one index more", flush=True)
                    return
            settle(workplace, vacuum=not given.home)
            figures += measure(workplace, rows, nights=given.nights)
            if given.nights:
                figures += night(workplace, rows)
    emit(figures)


if __name__ == "__main__":
    main()
