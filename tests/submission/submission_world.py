"""A small provider for tests: one course, three runs, three trainees; real Postgres, real simulator, real intake."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tms_pipeline.audit.log import Actor
from tms_pipeline.diff.plan import Plan
from tms_pipeline.identity import keyring
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.mirror.pull import PullResult, pull
from tms_pipeline.operations.simulator_process import simulator
from tms_pipeline.operations.ssg_access import ssg_client
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.settings import Settings, load_settings
from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate
from tms_pipeline.submission.approvals import approve_by_policy
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.submission.verdict import Pace
from tms_pipeline.submission.worker import Worker, WorkResult
from tms_pipeline.workplace import Workplace, new_correlation_id

TODAY = "2026-11-21"
COURSE = "TGS-2026000101"
NRICS = {"T1": make_nric("S", 9999001), "T2": make_nric("S", 9999002), "T3": make_nric("S", 9999003)}
TRAINER_NRICS = {"TR-01": make_nric("S", 9999101), "TR-02": make_nric("S", 9999102)}
REFS = {"T1": "HB-00001", "T2": "HB-00002", "T3": "HB-00003"}
# Quick and bounded: a second stands for minutes.
PACE = Pace(max_attempts=6, max_age=3600.0, first=0.02, settle=0.1, visible=0.0, grace=0.5, ours=0.05)

Row = dict[str, Any]


def course() -> Row:
    return {
        "course_reference": COURSE,
        "course_title": "Food Hygiene for Hawkers",
        "full_course_fee": "480.00",
        "duration_hours": "16",
    }


def trainer(code: str, **changes: Any) -> Row:
    number = code[-1]
    return {
        "trainer_code": code,
        "trainer_name": f"Trainer Number {number}",
        "trainer_nric": TRAINER_NRICS[code],
        "trainer_email": f"trainer{number}@example.test",
        "domain": "Cooked food and hygiene",
        **changes,
    }


def run(code: str, start: str, end: str, **changes: Any) -> Row:
    return {
        "run_code": code,
        "course_reference": COURSE,
        "registration_open": "2026-09-01",
        "registration_close": "2026-10-15",
        "start_date": start,
        "end_date": end,
        "schedule_info": "Two days, 9am to 5pm",
        "mode_of_training": "Classroom",
        "floor": "02",
        "unit": "11",
        "postal_code": "059801",
        "room": "Kitchen 1",
        "intake_size": "20",
        "admin_email": "courses@example.test",
        "trainer_codes": "TR-01; TR-02",
        **changes,
    }


def session(code: str, number: int, day: str, **changes: Any) -> Row:
    return {
        "run_code": code,
        "session_no": number,
        "session_date": day,
        "start_time": "09:00",
        "end_time": "17:00",
        "mode_of_training": "Classroom",
        **changes,
    }


def trainee(name: str, **changes: Any) -> Row:
    number = name[-1]
    return {
        "nric": NRICS[name],
        "full_name": f"Trainee Number {number}",
        "birth_date": f"1980-01-0{number}",
        "email": f"trainee{number}@example.test",
        "phone": f"9000000{number}",
        **changes,
    }


def enrolment(code: str, name: str, **changes: Any) -> Row:
    return {
        "run_code": code,
        "nric": NRICS[name],
        "enrolment_date": "2026-10-01",
        "sponsorship_type": "Individual",
        **changes,
    }


def fee(code: str, name: str, status: str = "Full Payment", **changes: Any) -> Row:
    return {"run_code": code, "nric": NRICS[name], "collection_status": status, **changes}


def attendance(code: str, number: int, name: str, mark: str = "Present", **changes: Any) -> Row:
    return {"run_code": code, "session_no": number, "nric": NRICS[name], "mark": mark, **changes}


def assessment(code: str, name: str, **changes: Any) -> Row:
    return {
        "run_code": code,
        "nric": NRICS[name],
        "assessment_date": "2026-11-17",
        "result": "Pass",
        "score": "80",
        "grade": "B",
        **changes,
    }


def term() -> dict[str, list[Row]]:
    """Run A is over, B and C are alike in everything and still to come."""
    return {
        "course": [course()],
        "trainer": [trainer("TR-01"), trainer("TR-02")],
        "course_run": [
            run("A", "2026-11-16", "2026-11-17"),
            run("B", "2026-12-07", "2026-12-08"),
            run("C", "2026-12-07", "2026-12-08"),
        ],
        "session": [
            session("A", 1, "2026-11-16"),
            session("A", 2, "2026-11-17"),
            session("B", 1, "2026-12-07"),
            session("B", 2, "2026-12-08"),
            session("C", 1, "2026-12-07"),
        ],
        "trainee": [trainee(name) for name in NRICS],
        "enrolment": [enrolment("A", "T1"), enrolment("A", "T2"), enrolment("B", "T3")],
        "fee": [fee("A", "T1"), fee("A", "T2", "Pending Payment")],
        "attendance": [
            attendance("A", 1, "T1"),
            attendance("A", 2, "T1"),
            attendance("A", 1, "T2"),
            attendance("A", 2, "T2", "Absent"),
        ],
        "assessment": [assessment("A", "T1"), assessment("A", "T2", result="Fail", score="30", grade="F")],
    }


def sheet(kind: str, rows: list[Row]) -> bytes:
    """Rows of one kind as ops would drop them."""
    fields = kind_named(kind).fields
    names = [item.name for item in fields if any(item.name in row for row in rows)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([kind_named(kind).field(name).title for name in names])
    writer.writerows([[row.get(name, "") for name in names] for row in rows])
    return text.getvalue().encode()


@dataclass
class Site:
    """What one test session shares: the Postgres server, the simulator, the home folder with its keys."""

    home: Path
    server: EmbeddedPostgres
    ssg: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def settings(self, database: str, **changes: Any) -> Settings:
        url = self.server.url(database).render_as_string(hide_password=False)
        return load_settings(
            tms_home=self.home,
            database_url=url,
            ssg_base_url=self.ssg,
            TMS_TODAY=TODAY,
            TMS_ACTOR="tester",
            ssg_concurrency=2,
            ssg_timeout_seconds=0.4,
            **{"TMS_LEASE_SECONDS": 20.0, **changes},
        )

    def sql(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.server.socket), user="tms", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def fresh(self, template: str | None = None) -> str:
        """A new database, empty or like the template."""
        name = f"case_{os.getpid()}_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""))
        if template is None:
            migrate(self.server.url(name))
        return name

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextlib.contextmanager
    def world(self, template: str | None = None, **changes: Any) -> Iterator[World]:
        """A world of its own; SSG starts with what the template's SSG held (``snapshot``)."""
        name = self.fresh(template)
        settings = self.settings(name, **changes)
        rings = keyring.load(self.home)
        with Database(settings_url(settings), max_size=8) as db:
            world = World(self, name, Workplace(settings, db, rings, self.server.url("dagster")))
            world.reset_ssg()
            yield world
        self.drop(name)


def settings_url(settings: Settings) -> Any:
    from tms_pipeline.store.database import normalise_url

    assert settings.database_url is not None
    return normalise_url(settings.database_url.get_secret_value())


@contextlib.contextmanager
def running_site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="ts", dir="/tmp"))
    folder.chmod(0o711)
    try:
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(EmbeddedPostgres(folder))
            keyring.create(folder)
            url = stack.enter_context(simulator(load_settings(tms_home=folder)))
            site = Site(folder, server, url)
            # Nothing of a test has to survive the machine; kills are of processes.
            site.sql("ALTER SYSTEM SET synchronous_commit = off")
            site.sql("ALTER SYSTEM SET fsync = off")
            site.sql("SELECT pg_reload_conf()")
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class World:
    """One database and one SSG, and what a person or the nightly sync would do."""

    site: Site
    database: str
    workplace: Workplace
    kept: Any = None  # one client for all, where a test makes very many calls

    # ---- people ----

    def actor(self, name: str = "tester", role: str = "ops admin") -> Actor:
        return Actor(name=name, role=role, correlation_id=new_correlation_id())

    def upload(self, kind: str, *rows: Row, by: str = "tester") -> Taken:
        """Drop a file and take it in; every row must be taken."""
        content = sheet(kind, list(rows))
        upload_id, new = receive(self.workplace, f"{kind}.csv", content, source="inbox", actor=self.actor(by))
        assert new, "this very file was dropped before"
        taken = take_in(self.workplace, upload_id, actor=self.actor(by))
        faults = [
            (f.code, f.column) for items in taken.evaluation.faults.values() for f in items if f.severity == "error"
        ]
        assert not faults and not taken.file_faults, (kind, faults, [f.code for f in taken.file_faults])
        return taken

    def load_term(self, rows: dict[str, list[Row]] | None = None) -> None:
        for kind, items in (rows or term()).items():
            self.upload(kind, *items)
        look_again(self.workplace, actor=self.actor())

    # ---- the pipeline ----

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        if self.kept is not None:
            yield self.kept
            return
        with ssg_client(self.workplace) as (client, _):
            yield client

    def pull(self, *, whole: bool = False) -> PullResult:
        with self.client() as client:
            return pull(self.workplace, client, whole=whole)

    def plan(self, **options: Any) -> tuple[str, Plan]:
        return plan_now(self.workplace, actor=self.actor(), **options)

    def approve(self, plan_id: str, plan: Plan) -> int:
        return approve_by_policy(self.workplace, plan_id, plan.hash, actor=self.actor()).ready

    def work(self, *, patience: float = 1.0, pace: Pace = PACE, threads: int = 2, seed: int | None = 1) -> WorkResult:
        with self.client() as client:
            worker = Worker(self.workplace, client, actor=self.actor(), pace=pace, threads=threads, seed=seed)
            return worker.run(patience=patience)

    def submit(self, *, rounds: int = 4, patience: float = 1.0, not_read: Sequence[str] = ()) -> WorkResult:
        """Plan, approve by policy, work; until nothing new is accepted."""
        total = WorkResult()
        for _ in range(rounds):
            plan_id, plan = self.plan(not_read=not_read)
            self.approve(plan_id, plan)
            done = self.work(patience=patience)
            total.outcomes.update(done.outcomes)
            total.stopped = total.stopped or done.stopped
            if not done.outcomes.get("accepted"):
                break
        return total

    def night(self) -> WorkResult:
        """Pull, submit, pull again."""
        pulled = self.pull()
        done = self.submit(not_read=sorted(pulled.kinds_not_read()))
        self.pull()
        return done

    def reconcile(self) -> dict[str, Any]:
        return reconcile(self.workplace, self.pull(), actor=self.actor())["counts"]["discrepancies"]

    # ---- SSG ----

    def ssg(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.site.http.request(method, f"{self.site.ssg}/_control/{path}", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def reset_ssg(self) -> None:
        self.ssg("POST", "reset")
        uen = self.workplace.settings.uen
        self.ssg(
            "POST",
            "seed",
            {
                "courses": [
                    {
                        "referenceNumber": COURSE,
                        "externalReferenceNumber": COURSE,
                        "title": "Food Hygiene for Hawkers",
                        "uen": uen,
                    }
                ]
            },
        )

    def keep_ssg(self, name: str) -> None:
        """Remember what SSG holds."""
        self.ssg("POST", "keep", {"name": name})

    def put_back_ssg(self, name: str) -> None:
        """SSG holds again what was remembered; nothing is armed and no call was made."""
        self.ssg("POST", "put-back", {"name": name})

    def fault(self, kind: str, endpoint: str = "*", **options: Any) -> None:
        self.ssg("POST", "faults", {"kind": kind, "endpoint": endpoint, **options})

    def mend(self) -> None:
        self.ssg("DELETE", "faults")

    def held(self, kind: str, *, live: bool = True, state: Any = None) -> list[dict[str, Any]]:
        """The records that SSG holds; by default the live ones."""
        rows = (state or self.ssg("GET", f"state?kind={kind}"))[kind]
        dead = {
            "runs": lambda r: r["deleted"],
            "sessions": lambda r: r["deleted"],
            "enrolments": lambda r: r["status"] != "Confirmed",
            "assessments": lambda r: r["voided"],
            "attendance": lambda r: r["statusCode"] == "4",
        }.get(kind, lambda r: False)
        return [row for row in rows if not (live and dead(row))]

    def edit(self, kind: str, key: str, **values: Any) -> None:
        """Somebody changes SSG's side."""
        self.ssg("POST", "edit", {"kind": kind, "key": key, "action": "set", "set": values})

    def cancel_there(self, kind: str, key: str) -> None:
        self.ssg("POST", "edit", {"kind": kind, "key": key, "action": "cancel"})

    def writes(self) -> dict[str, int]:
        return self.ssg("GET", "counts")["writes"]

    def forget_calls(self) -> None:
        self.ssg("DELETE", "calls")

    # ---- Postgres ----

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.workplace.db.rows(statement, parameters or None)

    def value(self, statement: str, *parameters: Any) -> Any:
        return self.workplace.db.value(statement, parameters or None)

    def execute(self, statement: str, *parameters: Any) -> int:
        with self.workplace.db.transaction() as connection:
            return connection.execute(statement, parameters or None).rowcount  # type: ignore[arg-type]

    def states(self, kind: str = "%") -> dict[str, int]:
        return dict(self.rows("SELECT state, count(*) FROM outbox.submission WHERE kind LIKE %s GROUP BY 1", kind))

    def submission(self, kind: str, key: str) -> dict[str, Any]:
        """The newest submission of a record."""
        from psycopg.rows import dict_row

        with self.workplace.db.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(
                "SELECT * FROM outbox.submission WHERE kind = %s AND key = %s ORDER BY submission_id DESC LIMIT 1",
                (kind, key),
            ).fetchone()
        assert row is not None, f"no submission of {kind} {key}"
        return row

    def now(self) -> datetime:
        return self.value("SELECT clock_timestamp()")


def key(code: str, *parts: Any) -> str:
    """The key of a record: run, then trainee or number."""
    return "|".join([code, *[REFS.get(str(part), str(part)) for part in parts]])


TABLES = ("finding", "identity", "intake", "mirror", "outbox", "register", "ssg")


def keep(world: World, name: str) -> None:
    """Remember all tables that a case changes."""
    with world.workplace.db.transaction() as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[arg-type]
        for schema, table in _tables(connection):
            connection.execute(f'CREATE TABLE {name}."{schema}.{table}" AS TABLE {schema}.{table}')  # type: ignore[arg-type]


def restore(world: World, name: str, only: tuple[str, ...] = TABLES) -> None:
    """Put all tables back as they were, without triggers: states and all. One round trip."""
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        script = "; ".join(
            f"DELETE FROM {schema}.{table}; "
            f'INSERT INTO {schema}.{table} OVERRIDING SYSTEM VALUE SELECT * FROM {name}."{schema}.{table}"'
            for schema, table in _tables(connection)
            if schema in only and table != "move"
        )
        connection.execute(script)  # type: ignore[arg-type]
        if "finding" not in only:  # what the triggers would have said
            connection.execute("INSERT INTO finding.touched_run (run_code) VALUES ('*')")


def _tables(connection: Any) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2", (list(TABLES),)
    ).fetchall()
