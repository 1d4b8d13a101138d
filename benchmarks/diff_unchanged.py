"""A night with nothing to do over a million attendance marks, and one with 1 % changed: the diff that the nightly sync
makes, of all kinds and with all guards, beside a bare join of the same two tables in the same database.

    python -m benchmarks.diff_unchanged [--rows 1000000] [--repeats 5]

The naive way pulls both sides into pandas and merges them; the peer is polars on what COPY hands out. reladiff takes no
key of text such as ours, and datacompy wants an older pandas than pandera does: neither can be asked.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from benchmarks.harness import Figure, emit, have_peers, in_own_process, options, seconds_of, state_folder
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.identity import keyring
from tms_pipeline.settings import load_settings
from tms_pipeline.settled.keep import compare, keep, one_at_a_time
from tms_pipeline.settled.scope import scope_of
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
OURS, THEIRS = "register.attendance", "mirror.attendance"


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


def naive(url: str) -> dict[str, Any]:
    """Both sides into pandas, merged."""
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(url)
    sides = [pd.read_sql(f"SELECT key, encode(ssg_hash, 'hex') AS h FROM {name}", engine) for name in (OURS, THEIRS)]
    both = sides[0].merge(sides[1], on="key", how="outer", suffixes=("", "_ssg"), indicator=True)
    return {"found": int(((both["_merge"] != "both") | (both["h"] != both["h_ssg"])).sum())}


def outside(url: URL) -> dict[str, dict[str, Any]]:
    """What pulling both sides out of the database costs, each in a process of its own."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    found = {"naive": in_own_process("benchmarks.diff_unchanged", "naive", url=url.render_as_string(hide_password=False))}
    if have_peers():
        found["polars"] = in_own_process(
            "benchmarks.peers", "polars_join", peers=True, conninfo=plain, ours=OURS, theirs=THEIRS
        )
    return found


def measure(rows: int, repeats: int, folder: Path) -> list[Figure]:
    """Nothing changed, then 1 % changed in the register."""
    home = folder / "h"
    home.mkdir(mode=0o711)
    with EmbeddedPostgres(home) as server:
        keyring.create(home)
        migrate(server.url())
        settings = load_settings(_env_file=None, tms_home=home, TMS_TODAY="2026-11-21")
        with Database(server.url()) as db:
            workplace = Workplace(settings, db, keyring.load(home), server.url("dagster"))
            return compared(workplace, server, rows, repeats)


def compared(workplace: Workplace, server: EmbeddedPostgres, rows: int, repeats: int) -> list[Figure]:
    """Ours and the bare joins in turns; what is outside the database once."""
    with workplace.db.transaction() as connection:
        fill(connection, rows)
    vacuum(workplace)
    changes: list[int] = []

    def ours() -> None:
        _, plan = plan_now(workplace, actor=workplace.actor(), keep=False)
        changes.append(len(plan.changes))

    def in_turns(statement: str) -> tuple[float, float]:
        def bare() -> None:
            workplace.db.rows(statement)

        ours()
        bare()
        pairs = [(seconds_of(ours), seconds_of(bare)) for _ in range(repeats)]
        return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)

    def figure(stage: str, statement: str, limit_name: str, expected: int) -> Figure:
        changes.clear()
        mine, bare = in_turns(statement)
        others = outside(server.url())
        if set(changes) != {expected} or {one["found"] for one in others.values()} - {expected}:
            raise SystemExit(f"{expected} were changed, and the ways found {set(changes)} and {others}")
        peers = [(one["seconds"], name) for name, one in others.items() if name != "naive"]
        peer = min(peers) if peers else (None, "")
        return Figure(
            stage, rows, mine, limit=bare, limit_name=limit_name, naive=others["naive"]["seconds"],
            naive_name="read_sql and merge", peer=peer[0], peer_name=peer[1], peak_mb={"naive": others["naive"]["peak_mb"]},
            facts={"changed": expected, **{name: round(one["seconds"], 3) for name, one in others.items()}},
        )  # fmt: skip

    full = statistics.median(seconds_of(ours) for _ in range(repeats))
    looked(workplace)
    first = figure("diff, nothing changed", ON_HASHES, "join on stored hashes", 0)
    first.facts["full_look"] = round(full, 3)
    with workplace.db.transaction() as connection:
        changed = connection.execute(
            "UPDATE register.attendance SET ssg_hash = sha256(ssg_hash), own_hash = ssg_hash WHERE session_no = 1 "
            "AND right(run_code, 1) IN ('0', '5')"
        ).rowcount
    vacuum(workplace)
    return [first, figure("diff, 1 % changed", ON_ROWS, "row IS DISTINCT FROM", changed)]


def looked(workplace: Workplace) -> None:
    """What the compliance review of the night before leaves: which runs are at one with SSG."""
    with workplace.db.transaction() as connection:
        one_at_a_time(connection)
        scope = scope_of(connection, today=workplace.today(), rules=rules_of(workplace.settings))
        compare(connection, scope)
        keep(connection, scope, review=0, today=workplace.today(), not_over=())


def vacuum(workplace: Workplace) -> None:
    """As autovacuum leaves the tables."""
    with workplace.db.transaction() as connection:
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.autocommit = False


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[1_000_000], repeats=5)
    figures = []
    for rows in given.rows:
        with state_folder() as folder:
            figures += measure(rows, given.repeats, folder)
    emit(figures)


if __name__ == "__main__":
    main()
