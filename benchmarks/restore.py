"""Restore of a million rows beside bare pg_restore: verifying, opening, counting, keys and safety cost the difference.

The limit is ``pg_restore`` of the same dump, unsealed, into an empty database. Ours is the whole of ``tms restore`` but
the backup of what was there before, which is shown as a figure of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tms_pipeline.backups.making import dump, make
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.programs import program
from tms_pipeline.backups.restoring import restore
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import open_workplace

MARKS = """
INSERT INTO register.attendance (key, trainee_ref, run_code, session_no, mark, row_hash, own_hash, ssg_hash, upload_id,
                                 sheet, row_number)
SELECT 'R' || n / 200 || '|' || n, 'HB-1', 'R' || n / 200, n / 20, 'present', sha256(n::text::bytea),
       sha256(n::text::bytea), sha256(n::text::bytea), 'U', 'S', n
FROM generate_series(1, %s) n
"""
PERSON = "INSERT INTO identity.trainee (trainee_ref, nric_mark) VALUES ('HB-1', '\\x01')"
BOUND = 3.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tr", dir="/tmp") as folder, contextlib.ExitStack() as stack:
        Path(folder).chmod(0o711)
        settings = load_settings(_env_file=None, tms_home=Path(folder) / "h", TMS_ACTOR="bench")
        workplace = stack.enter_context(open_workplace(settings))
        with workplace.db.transaction() as connection:
            connection.execute(PERSON)
            connection.execute(MARKS, (given.rows,))
        actor = workplace.actor()
        began = time.perf_counter()
        made = make(workplace, actor=actor)
        backup = time.perf_counter() - began
        plain = Path(folder) / "plain.dump"
        dump(workplace, plain)
        bare = _bare(workplace, plain)
        done = restore(workplace, Place(settings.backup_place), made.name, actor=actor, backup_first=False)
        assert done is not None
        ratio = done.seconds / bare
    found: list[dict[str, Any]] = [
        {"stage": "restore, whole", "size": given.rows, "ours": done.seconds, "limit": round(bare, 2),
         "ratio": round(ratio, 2), "against": "limit", "bound": BOUND, "met": ratio <= BOUND,
         "facts": {"steps": done.steps, "backup_seconds": round(backup, 2), "backup_mb": round(made.bytes / 1e6, 1)}},
    ]  # fmt: skip
    print(json.dumps(found if given.json else found[0], indent=2))


def _bare(workplace: Any, plain: Path) -> float:
    url = workplace.db.url.set(database="bare")
    server = workplace.db.url.set(database="postgres", drivername="postgresql").render_as_string(hide_password=False)
    with contextlib.closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE bare TEMPLATE template0")
        major = connection.info.server_version // 10000
        began = time.perf_counter()
        subprocess.run(
            [program("pg_restore", major), "--no-owner", "--no-privileges", "-h", url.query["host"], "-U", url.username,
             "-d", "bare", str(plain)], check=True, capture_output=True,
        )  # fmt: skip
        taken = time.perf_counter() - began
        connection.execute("DROP DATABASE bare WITH (FORCE)")
    return taken


if __name__ == "__main__":
    main()
