"""Pull: read what SSG holds into the mirror, scope by scope.

A failed or empty read never means "nothing there": a scope that was not read whole changes nothing, and one that
suddenly shows nothing is kept as it was and shown as not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import agree, bind, merge, row_of
from tms_pipeline.records import wire_in
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.assessment import AssessmentQuery
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.enrolment import EnrolmentQuery, EnrolmentView
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

Progress = Callable[[str], None]

# A scope that held more than this and now shows nothing is not believed.
BELIEVED_EMPTY_UP_TO = 3


@dataclass
class ScopeRead:
    """How one scope was read."""

    kind: str
    scope: str
    state: str
    records: int = 0
    error_code: str | None = None
    sentence: str | None = None


@dataclass
class PullResult:
    """What a pull saw: a line a scope."""

    reads: list[ScopeRead] = field(default_factory=list)
    calls: int = 0

    def failed(self) -> list[ScopeRead]:
        """The scopes that were not read."""
        return [read for read in self.reads if read.state != "read"]

    def kinds_not_read(self) -> set[str]:
        """The kinds that were not read at all, or not whole; a run or course that was not read is left to the plan."""
        return {read.kind for read in self.failed() if read.scope == "all"}

    def kinds_in_part(self) -> set[str]:
        """The kinds of which at least one scope was not read."""
        return {read.kind for read in self.failed()}


class _Pull:
    def __init__(self, workplace: Workplace, client: SsgClient, progress: Progress) -> None:
        self.workplace, self.client, self.progress = workplace, client, progress
        self.marker = Marker(workplace.rings.index.key)
        self.result = PullResult()

    def scope(self, kinds: tuple[str, ...], scope: str, read: Callable[[], Iterable[Seen]]) -> list[Seen] | None:
        """Read one scope of one or several kinds; None if it could not be read."""
        started = self._now()
        try:
            seen = list(read())
        except SsgError as error:
            self._note(kinds, scope, started, "not read", 0, error.code, error.sentence)
            return None
        with self.workplace.db.transaction() as connection:
            for kind in kinds:
                rows = [row_of(self.marker, item) for item in seen if item.kind == kind]
                held = connection.execute(
                    query("mirror/held", mirror=f"mirror.{kind}", where=_scope_column(kind)),
                    {"scope": scope, "before": self._settled(started)},
                ).fetchone()
                if held and held[0] > BELIEVED_EMPTY_UP_TO and not rows:
                    self._note((kind,), scope, started, "not read", 0, "EMPTY_READ",
                               f"SSG shows none of {held[0]} records that it held before; this read is not believed.")
                    continue
                if kind != "course":
                    self._gone(connection, kind, scope, rows, started)
                merge(connection, kind, rows, how="read", seen_at=started)
                if kind == "course_run":
                    connection.execute(query("mirror/sessions_gone"), {"seen_at": started})
                bind(connection, (kind,))
                self._note((kind,), scope, started, "read", len(rows), connection=connection)
        return seen

    def _now(self) -> datetime:
        """By the clock of Postgres, which stamps what workers write as well: two clocks would make a read look later
        than a write that it did not see."""
        moment: datetime = self.workplace.db.value("SELECT clock_timestamp()")
        return moment

    def _gone(self, connection: Any, kind: str, scope: str, rows: list[dict[str, Any]], started: datetime) -> None:
        connection.execute(
            query("mirror/gone", mirror=f"mirror.{kind}", where=_scope_column(kind)),
            {"scope": scope, "refs": [row["ssg_ref"] for row in rows], "before": self._settled(started),
             "seen_at": started},
        )

    def _settled(self, started: datetime) -> datetime:
        """What was written after this may not be visible yet, so its absence says nothing (ssg-api 4.1)."""
        return started - timedelta(minutes=self.workplace.settings.visibility_minutes)

    def _note(
        self, kinds: tuple[str, ...], scope: str, started: datetime, state: str, records: int,
        code: str | None = None, sentence: str | None = None, connection: Any = None,
    ) -> None:
        for kind in kinds:
            self.result.reads.append(ScopeRead(kind, scope, state, records, code, sentence))
            parameters = (kind, scope, started, state, records, code, sentence)
            statement = (
                "INSERT INTO mirror.read (kind, scope, started_at, finished_at, state, records, error_code, sentence) "
                "VALUES (%s, %s, %s, clock_timestamp(), %s, %s, %s, %s)"
            )
            if connection is not None:
                connection.execute(statement, parameters)
            else:
                with self.workplace.db.transaction() as fresh:
                    fresh.execute(statement, parameters)


def _scope_column(kind: str) -> Any:
    """The condition that says which mirror rows a scope covers."""
    from psycopg import sql

    return {
        "course": sql.SQL("m.course_reference = %(scope)s"),
        "course_run": sql.SQL("m.course_reference = %(scope)s"),
        "session": sql.SQL("m.ssg_run_id = %(scope)s"),
        "attendance": sql.SQL("m.ssg_run_id = %(scope)s"),
    }.get(kind, sql.SQL("%(scope)s <> ''"))


def pull(workplace: Workplace, client: SsgClient, *, progress: Progress = lambda _: None) -> PullResult:
    """Read everything that SSG holds of this provider. Errors of SSG end as scopes "not read", never as exceptions."""
    work = _Pull(workplace, client, progress)
    progress("reading trainers")
    work.scope(("trainer",), "all", lambda: (wire_in.trainer(view) for view in client.trainers.iter()))
    codes: dict[str, str] = dict(
        workplace.db.rows("SELECT lower(ssg_ref), key FROM mirror.trainer WHERE key IS NOT NULL")
    )
    courses = [row[0] for row in workplace.db.rows("SELECT key FROM register.course ORDER BY key")]
    for number, reference in enumerate(courses, start=1):
        progress(f"reading course runs, course {number} of {len(courses)}")
        work.scope(("course",), reference, partial(_course, client, reference))
        work.scope(("course_run",), reference, partial(_course_runs, client, reference, codes))
    runs = workplace.db.rows(query("mirror/runs_to_read"), {"today": workplace.today()})
    for number, (ssg_run_id, reference, started) in enumerate(runs, start=1):
        progress(f"reading sessions and attendance, course run {number} of {len(runs)}")
        _run(work, client, int(ssg_run_id), reference, started)
    progress("reading enrolments")
    work.scope(("enrolment", "fee"), "all", lambda: _enrolments(client))
    progress("reading assessments")
    work.scope(
        ("assessment",), "all",
        lambda: (wire_in.assessment(view) for view in client.assessments.iter_search(AssessmentQuery())),
    )
    with workplace.db.transaction() as connection:
        agree(connection, [kind.name for kind in SUBMITTED])
    return work.result


def _course(client: SsgClient, reference: str) -> Iterator[Seen]:
    page = client.course_runs.by_reference(reference, page=0, page_size=1)
    yield wire_in.course(page.course)


def _course_runs(client: SsgClient, reference: str, codes: dict[str, str]) -> Iterator[Seen]:
    for view in client.course_runs.iter_by_reference(reference):
        yield wire_in.course_run(view, codes)


def _run(work: _Pull, client: SsgClient, ssg_run_id: int, reference: str, started: bool) -> None:
    sessions = work.scope(
        ("session",), str(ssg_run_id),
        lambda: [wire_in.session(view, ssg_run_id) for view in client.course_runs.sessions(ssg_run_id, reference)],
    )
    if not sessions or not started:
        return

    def rows() -> Iterator[Seen]:
        for session in sessions:
            if not session.live:
                continue
            for at in client.attendance.view(ssg_run_id, reference, session.ssg_ref):
                for row in at.attendance:
                    seen = wire_in.attendance(row, at, ssg_run_id)
                    if seen is not None:
                        yield seen

    work.scope(("attendance",), str(ssg_run_id), rows)


def _enrolments(client: SsgClient) -> Iterator[Seen]:
    view: EnrolmentView
    for view in client.enrolments.iter_search(EnrolmentQuery()):
        yield wire_in.enrolment(view)
        yield wire_in.fee(view)
