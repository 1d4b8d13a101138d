"""Searches files and databases for people: the same search that must find a planted value."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

from psycopg import sql

from tms_pipeline.examples.term import Term
from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import BUSINESS, DAGSTER, EmbeddedPostgres

# What ops get back is theirs; the samples are the demo's input; the simulator plays SSG.
EXCEPTED = ("samples", "results/*.xlsx", "simulator/state.jsonl", "simulator/data.json")


def people_of(term: Term) -> tuple[set[str], set[str]]:
    """(what may stand nowhere at all, numbers that may not stand as a word) of everybody in the term."""
    anywhere, words = set(), set()
    for person in (*term.trainees, *term.spares):
        year, month, day = person.birth.split("-")
        wide = "".join(chr(ord(letter) + 0xFEE0) for letter in person.nric)
        anywhere |= {person.nric, wide, person.name, person.email, person.birth, f"{day}/{month}/{year}"}
        anywhere.add(f"{person.phone[:4]} {person.phone[4:]}")
        words.add(person.phone)
    for trainer in term.trainers:
        anywhere |= {trainer.nric, trainer.name, trainer.email}
    for employer in term.employers:
        anywhere |= {employer.contact, employer.email}
        words.add(employer.phone)
    return anywhere, words


def dump(db: Database, folder: Path) -> int:
    """Write every column of every table of the database to the folder, as text; returns how many rows."""
    folder.mkdir(parents=True)
    columns: dict[str, list[tuple[str, str]]] = {}
    for schema, table, column, kind in db.rows(
        "SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
        "JOIN information_schema.tables t USING (table_schema, table_name) "
        "WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')"
    ):
        columns.setdefault(f"{schema}.{table}", []).append((column, kind))
    rows = 0
    for name, found in sorted(columns.items()):
        parts = [
            sql.SQL("encode({}, 'escape')" if kind == "bytea" else "{}::text").format(sql.Identifier(column))
            for column, kind in found
        ]
        with (folder / f"{name}.txt").open("w", encoding="utf-8") as out, db.transaction() as connection:
            cursor = connection.execute(
                sql.SQL("SELECT concat_ws(chr(10), {}) FROM {}").format(
                    sql.SQL(", ").join(parts), sql.Identifier(*name.split("."))
                )
            )
            for (text,) in cursor:
                out.write(f"{text}\n")
                rows += 1
    return rows


def unpack(folder: Path, into: Path) -> None:
    """Unpack every zip file (workbooks are such) under the folder, so that the search sees what is in them."""
    for path in folder.rglob("*"):
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                packed.extractall(into / path.name)


def found_in(folders: Iterable[Path], anywhere: set[str], words: set[str], scratch: Path) -> dict[str, set[str]]:
    """File → what was found in it, in any case of letters, in every file under the folders."""
    hits: dict[str, set[str]] = {}
    scratch.mkdir(parents=True, exist_ok=True)
    for name, patterns, how in (("anywhere", anywhere, "-Foai"), ("words", words, "-Foaiw")):
        assert patterns and all(len(pattern) > 5 for pattern in patterns), "such a pattern would be found everywhere"
        listed = scratch / f"{name}.patterns"
        listed.write_text("\n".join(sorted(patterns)) + "\n", encoding="utf-8")
        done = subprocess.run(
            ["grep", "-r", how, "--with-filename", "--null", "-f", str(listed), *map(str, folders)],
            capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr.decode()
        for line in done.stdout.decode(errors="replace").splitlines():
            file, _, value = line.partition("\0")
            hits.setdefault(file, set()).add(value)
    return hits


def copy_to_search(home: Path, outputs: Iterable[str], into: Path) -> None:
    """Everything under the state folder but what is excepted, both databases, and what was said, as files to search."""
    (into / "output").mkdir()
    for number, text in enumerate(outputs):
        (into / "output" / f"{number}.txt").write_text(text)
    shutil.copytree(
        home, into / "home", ignore=shutil.ignore_patterns("samples", "run", "*.sock"), ignore_dangling_symlinks=True
    )
    for pattern in EXCEPTED:
        for path in (into / "home").glob(pattern):
            path.unlink()
    unpack(into / "home", into / "unpacked")
    with EmbeddedPostgres(home) as server:
        for name, least in ((BUSINESS, 5000), (DAGSTER, 300)):
            with Database(server.url(name)) as db:
                assert dump(db, into / "tables" / name) > least, f"database {name} seems not to be searched"
