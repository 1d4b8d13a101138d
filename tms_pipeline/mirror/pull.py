"""Pull: read what SSG holds into the mirror, scope by scope.

Enrolments (with their fees), assessments and grants can be asked for what changed since a day (``lastUpdateDateFrom``,
ssg-api 6.5, 7.4, 8.1); course runs, sessions, attendance and trainers cannot (ssg-api 4.4, 4.6, 4.8, 5.1), so they are
read whole every time. A read of changes shows no absence: after it one cheap call compares the number of records, and
every ``TMS_FULL_READ_DAYS`` days, or when the numbers part, the scope is read whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

from tms_pipeline.health.keys import must_fit
from tms_pipeline.mirror.alike import tell_apart
from tms_pipeline.mirror.pull_result import PullResult, ScopeRead
from tms_pipeline.mirror.rows import agree
from tms_pipeline.mirror.scope_reads import (
    Astray,
    Progress,
    ScopeReader,
    twice_if_empty,
)
from tms_pipeline.records import wire_in
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.assessment import AssessmentQuery
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.enrolment import EnrolmentQuery, EnrolmentView
from tms_pipeline.ssg.paging import STEADY
from tms_pipeline.store.database import copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

__all__ = ["PullResult", "ScopeRead", "pull"]


def pull(
    workplace: Workplace, client: SsgClient, *, progress: Progress = lambda _: None, whole: bool = False
) -> PullResult:
    """Read everything that SSG holds of this provider. Errors of SSG end as scopes "not read", never as exceptions.

    ``whole``: read every scope whole, though its changes would be enough. Raises KeyringError when the rings are
    another installation's: their marks would bind nobody.
    """
    must_fit(workplace)
    work = ScopeReader(workplace, client, progress, whole=whole)
    progress("reading trainers")
    work.scope(("trainer",), "all", lambda: (wire_in.trainer(view) for view in client.trainers.iter()))
    codes: dict[str, str] = dict(
        workplace.db.rows("SELECT lower(ssg_ref), key FROM mirror.trainer WHERE key IS NOT NULL")
    )
    courses = [row[0] for row in workplace.db.rows("SELECT key FROM register.course ORDER BY key")]
    for number, reference in enumerate(courses, start=1):
        progress(f"reading course runs, course {number} of {len(courses)}")
        _course(work, client, reference)
        work.scope(("course_run",), reference, partial(_course_runs, client, reference, codes))
    runs = workplace.db.rows(query("mirror/runs_to_read"), {"today": workplace.today()})
    for number, (ssg_run_id, reference, started) in enumerate(runs, start=1):
        progress(f"reading sessions and attendance, course run {number} of {len(runs)}")
        _run(work, client, int(ssg_run_id), reference, started)
    progress("reading enrolments")
    _changes_or_all(
        work, ("enrolment", "fee"), partial(_enrolments, client),
        lambda: client.enrolments.search(EnrolmentQuery(page_size=1)).total,
    )
    progress("reading assessments")
    _changes_or_all(
        work, ("assessment",), partial(_assessments, client),
        lambda: client.assessments.search(AssessmentQuery(page_size=1)).total,
    )
    _tell_apart(work)
    with workplace.db.transaction() as connection:
        agree(connection, [kind.name for kind in SUBMITTED])
    return work.result


def _tell_apart(work: ScopeReader) -> None:
    """Match the runs that are alike; where what tells them apart was not read, their course counts as not read."""
    failed = work.result.failed()
    with work.workplace.db.transaction() as connection:
        unclear = tell_apart(
            connection,
            enrolments_read=not any(read.kind == "enrolment" for read in failed),
            sessions_unread=frozenset(read.scope for read in failed if read.kind == "session"),
        )
    for reference, runs in unclear.items():
        work.unread(("course_run",), reference, "ALIKE_RUNS",
                    f"SSG holds course runs of this course that are alike in everything ({runs}), and the sessions and "
                    "enrolments that tell them apart could not be read.")


def _changes_or_all(
    work: ScopeReader, kinds: tuple[str, ...], read: Callable[[date | None], Iterator[Seen]], total: Callable[[], int]
) -> None:
    """Read what changed if that is enough, else all; all as well when the number of records then differs."""
    since = work.since(kinds[0], "all")
    if since is not None:
        try:
            work.scope(kinds, "all", partial(read, since), since=since, total=total)
        except Astray:
            work.progress(f"SSG holds another number of {kinds[0]} records than its changes account for: reading all")
        else:
            return
    work.scope(kinds, "all", partial(read, None))


def _course(work: ScopeReader, client: SsgClient, reference: str) -> None:
    """A course, and the periods in which SSG supports it.

    SSG has one answer for a course without runs and for one that it does not know (ssg-api 4.4): "not shown", which
    takes nothing away of what was seen before.
    """
    periods: list[tuple[object, ...]] = []
    shown = False

    def read() -> Iterator[Seen]:
        nonlocal shown
        periods.clear()
        page = client.course_runs.by_reference(reference, page=0, page_size=1)
        head = page.course
        shown = bool(page.total or head.title)
        if not shown:
            yield wire_in.course_not_shown(reference)
            return
        periods.extend(
            (reference, item.tagging_code or "", item.tagging_description or "", item.period_from, item.period_to)
            for item in head.supports
        )
        yield wire_in.course(head)

    if work.scope(("course",), reference, read) is not None and shown:
        _keep_support(work, reference, periods)


def _keep_support(work: ScopeReader, reference: str, periods: list[tuple[object, ...]]) -> None:
    """Replace the periods of a course if they changed; what was before stays in their history."""
    names = ("course_reference", "tagging_code", "description", "from_day", "to_day")
    with work.writing() as connection:
        known = connection.execute(query("mirror/support"), {"reference": reference}).fetchall()
        if Counter(known) != Counter(periods):
            connection.execute("DELETE FROM mirror.course_support WHERE course_reference = %s", (reference,))
            copy_rows(connection, "mirror.course_support", names, periods)


def _course_runs(client: SsgClient, reference: str, codes: dict[str, str]) -> Iterator[Seen]:
    for view in client.course_runs.iter_by_reference(reference):
        yield wire_in.course_run(view, codes)


def _run(work: ScopeReader, client: SsgClient, ssg_run_id: int, reference: str, started: bool) -> None:
    sessions = work.scope(
        ("session",), str(ssg_run_id),
        lambda: [wire_in.session(view, ssg_run_id) for view in client.course_runs.sessions(ssg_run_id, reference)],
    )
    if not started:
        return
    if sessions is None:
        work.unread(("attendance",), str(ssg_run_id), "SESSIONS_NOT_READ",
                    "The sessions of this run could not be read, so its attendance could not be asked for.")
        return

    before = work.settled(work.now())  # what we sent after this may not be shown yet
    held: dict[str, int] = dict(
        work.workplace.db.rows(query("mirror/marks_held"), {"run": str(ssg_run_id), "before": before})
    )

    def marks(session: str) -> list[Seen]:
        found = [
            wire_in.attendance(row, at, ssg_run_id)
            for at in client.attendance.view(ssg_run_id, reference, session)
            for row in at.attendance
        ]
        return [seen for seen in found if seen is not None]

    def rows() -> Iterator[Seen]:
        for session in sessions:
            if session.live:
                yield from twice_if_empty(partial(marks, session.ssg_ref), held.get(session.ssg_ref, 0))

    work.scope(("attendance",), str(ssg_run_id), rows, asks_twice=True)


def _enrolments(client: SsgClient, since: date | None) -> Iterator[Seen]:
    view: EnrolmentView
    wanted = EnrolmentQuery(updated_from=since, sort_by=STEADY, sort_order="asc")
    for view in client.enrolments.iter_search(wanted):
        yield wire_in.enrolment(view)
        yield wire_in.fee(view)


def _assessments(client: SsgClient, since: date | None) -> Iterator[Seen]:
    wanted = AssessmentQuery(updated_from=since, sort_by=STEADY, sort_order="asc")
    for view in client.assessments.iter_search(wanted):
        yield wire_in.assessment(view)
