"""Restore of a million rows beside bare pg_restore: verifying, opening, counting, keys and safety cost the difference.

The limit is ``pg_restore`` of the same dump, unsealed, into an empty database, as one would type it. Ours is the whole
of ``tms restore`` but the backup of what was there before; the drill of the same backup is shown as a fact.

    python -m benchmarks.restore [--rows 1000000] [--drill] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from benchmarks.harness import Figure, emit
from tms_pipeline.backups.drill import drill
from tms_pipeline.backups.making import dump, make, plain
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.programs import program
from tms_pipeline.backups.restoring import restore
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

MARKS = """
INSERT INTO register.attendance (key, trainee_ref, run_code, session_no, mark, row_hash, own_hash, ssg_hash, upload_id,
                                 sheet, row_number)
SELECT 'R' || n / 200 || '|' || n, 'HB-1', 'R' || n / 200, n / 20, 'present', sha256(n::text::bytea),
       sha256(n::text::bytea), sha256(n::text::bytea), 'U', 'S', n
FROM generate_series(1, %s) n
"""
PERSON = "INSERT INTO identity.trainee (trainee_ref, nric_mark) VALUES ('HB-1', '\\x01')"
BOUND = 3.0


def measure(rows: int, folder: Path, *, with_drill: bool) -> Figure:
    """One figure: the whole of a restore, and bare ``pg_restore`` before and after it."""
    settings = load_settings(_env_file=None, tms_home=folder / "h", TMS_ACTOR="bench")
    with open_workplace(settings) as workplace:
        with workplace.whole_db.transaction() as connection:
            connection.execute(PERSON)
            connection.execute(MARKS, (rows,))
        actor = workplace.actor()
        made = make(workplace, actor=actor)
        unsealed = folder / "plain.dump"
        dump(workplace, unsealed)
        place = Place(settings.backup_place)
        facts: dict[str, object] = {"backup_seconds": round(made.seconds, 2), "backup_mb": round(made.bytes / 1e6, 1)}
        if with_drill:
            began = time.perf_counter()
            tried = drill(workplace, place, made.name, actor=actor)
            facts["drill"] = {**tried.seconds, "whole": round(time.perf_counter() - began, 2), "well": tried.well}
        bare = [_bare(workplace, unsealed)]
        done = restore(workplace, place, made.name, actor=actor, backup_first=False)
        if done is None or done.rows < rows:
            raise SystemExit("The restore did not bring every row back.")
        bare.append(_bare(workplace, unsealed))
        facts |= {"steps": done.steps, "rows": done.rows, "bare": [round(seconds, 2) for seconds in bare]}
    return Figure(
        stage="restore, whole", size=rows, ours=done.seconds, limit=round(sum(bare) / len(bare), 2), bound=BOUND,
        facts=facts,
    )  # fmt: skip


def _bare(workplace: Workplace, unsealed: Path) -> float:
    """Seconds of ``pg_restore`` into a database of its own, which is dropped."""
    url = workplace.whole_db.url.set(database="bare")
    with contextlib.closing(psycopg.connect(plain(url.set(database="postgres")), autocommit=True)) as connection:
        connection.execute("CREATE DATABASE bare TEMPLATE template0")
        major = connection.info.server_version // 10000
        began = time.perf_counter()
        subprocess.run(
            [program("pg_restore", major), "--no-owner", "--no-privileges", "-d", plain(url), str(unsealed)],
            check=True, capture_output=True,
        )  # fmt: skip
        taken = time.perf_counter() - began
        connection.execute("DROP DATABASE bare WITH (FORCE)")
    return taken


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--drill", action="store_true", help="time a drill of the same backup too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory(prefix="tr", dir="/tmp") as folder:
            Path(folder).chmod(0o711)
            figures.append(measure(rows, Path(folder), with_drill=options.drill))
    emit(figures)


if __name__ == "__main__":
    main()
