"""A small hand-filled database: rows of registers and mirrors, straight by SQL, as a review would find them."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate

TODAY = date(2026, 11, 20)
_numbers = count(1)
HASHES = {"own_hash": b"o", "ssg_hash": b"s"}


_servers: list[tuple[EmbeddedPostgres, ExitStack]] = []
_users = 0


@contextmanager
def running_database() -> Iterator[Database]:
    """A new, migrated database on the one embedded server of this process; its last user stops the server."""
    global _users
    if not _servers:
        stack = ExitStack()
        # A short name: socket paths are short.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tc", dir="/tmp")))
        # Root runs the server as another user, who must pass through to the data; else they would lie elsewhere.
        folder.chmod(0o711)
        started = stack.enter_context(EmbeddedPostgres(folder))
        _servers.append((started, stack))
        with psycopg.connect(host=str(started.socket), user="tms", dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated")
        migrate(started.url("migrated"))
    server, stack = _servers[0]
    _users += 1
    name = f"world_{next(_numbers)}"
    with psycopg.connect(host=str(server.socket), user="tms", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    url = server.url(name)
    try:
        with Database(url, max_size=2) as db:
            yield db
    finally:
        _users -= 1
        if not _users:
            _servers.clear()
            # Nobody needs these data again: no checkpoint, which on a busy disk takes longer than all tests.
            os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            stack.close()


def emptied(db: Database) -> Database:
    """The same database without any row of ours."""
    with db.transaction() as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN "
            "('identity', 'intake', 'register', 'mirror', 'outbox', 'finding') AND tablename <> 'move'"
        ).fetchall()
        connection.execute(f"TRUNCATE {', '.join(name for (name,) in tables)} RESTART IDENTITY CASCADE")
    return db


class World:
    """Writes rows; what is not given gets a plain value."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.row_number = 1
        self.ssg_number = 0

    def insert(self, table: str, **values: Any) -> None:
        self.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(*table.split(".")),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() for _ in values),
            ),
            list(values.values()),
        )

    def submission(self, **values: Any) -> None:
        """A submission in any state, past the trigger that lets one begin only at its beginning."""
        self.connection.execute("SET LOCAL session_replication_role = 'replica'")
        self.insert("outbox.submission", **values)
        self.connection.execute("SET LOCAL session_replication_role = 'origin'")

    def register(self, kind: str, key: str, **values: Any) -> None:
        self.row_number += 1
        self.insert(f"register.{kind}", key=key, **values, row_hash=b"r", **HASHES, upload_id="U-1", sheet="Sheet1",
                    row_number=self.row_number)

    def at_ssg(self, kind: str, key: str | None, *, on: date | None = None, live: bool = True, **values: Any) -> str:
        """A mirror row, created at SSG on that day at 23:59 in Singapore (15:59 UTC)."""
        self.ssg_number += 1
        values.setdefault("ssg_ref", f"SSG-{self.ssg_number:04d}")
        created = None if on is None else datetime.combine(on, time(15, 59), UTC)
        values.setdefault("created_on", created)
        if kind == "session":
            values.setdefault("ssg_run_id", "1")
        if kind == "attendance":
            values.setdefault("ssg_session_id", "S1")
        self.insert(f"mirror.{kind}", key=key, live=live, seen_how="read", **HASHES, **values)
        return values["ssg_ref"]

    def course(self, reference: str = "TGS-2026000101", **values: Any) -> None:
        base = {"course_reference": reference, "course_title": "Food Hygiene", "full_course_fee": 480,
                "provider_type": "public", "funding_body": "SSG", "minimum_assessments": 1}
        self.register("course", reference, **base | values)

    def run(self, code: str, start: date, end: date, *, sessions: list[date] | None = None, **values: Any) -> None:
        """A run in good order: a session on its first and last day, a trainer, seats."""
        base = {"course_reference": "TGS-2026000101", "start_date": start, "end_date": end, "mode_of_training": "1",
                "intake_size": 25, "threshold": 0, "trainer_codes": "TR-01", "schedule_info": "Mon, 9am to 5pm"}
        self.register("course_run", code, run_code=code, **base | values)
        for number, day in enumerate(sorted({start, end}) if sessions is None else sessions, start=1):
            self.session(code, number, day)

    def session(self, run: str, number: int, day: date, *, hours: int = 8, mode: str = "1", **values: Any) -> None:
        self.register("session", f"{run}|{number}", run_code=run, session_no=number, session_date=day,
                      start_time=time(9), end_time=time(9 + hours), mode_of_training=mode, **values)

    def trainee(self, ref: str, **values: Any) -> None:
        self.insert("identity.trainee", trainee_ref=ref, nric_mark=ref.encode())
        base = {"email_mark": b"e", "phone_mark": b"p"}
        self.register("trainee", ref, trainee_ref=ref, nric_sealed=b"x", **base | values)

    def enrolment(self, run: str, ref: str, **values: Any) -> None:
        base = {"sponsorship_type": "INDIVIDUAL"}
        self.register("enrolment", f"{run}|{ref}", run_code=run, trainee_ref=ref, **base | values)

    def attendance(self, run: str, number: int, ref: str, mark: str = "present", **values: Any) -> None:
        self.register("attendance", f"{run}|{number}|{ref}", run_code=run, session_no=number, trainee_ref=ref,
                      mark=mark, live=mark != "absent", **values)

    def assessment(self, run: str, ref: str, day: date, **values: Any) -> None:
        self.register("assessment", f"{run}|{ref}|", run_code=run, trainee_ref=ref, skill_code="",
                      assessment_date=day, result="Pass", **values)

    def published(self, run: str) -> None:
        """The run and its sessions at SSG in good time."""
        (start,) = self.connection.execute(
            "SELECT start_date FROM register.course_run WHERE key = %s", [run]
        ).fetchone()
        self.at_ssg("course_run", run, on=start - timedelta(days=20))
        for (key,) in self.connection.execute(
            "SELECT key FROM register.session WHERE run_code = %s", [run]
        ).fetchall():
            self.at_ssg("session", key, run_code=run, on=start - timedelta(days=20))
