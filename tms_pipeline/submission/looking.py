"""Looking: how SSG holds one record now. The only way out of an unknown outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import row_of
from tms_pipeline.records import wire_in
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.assessment import AssessmentQuery
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.codes import EnrolmentStatus
from tms_pipeline.ssg.enrolment import EnrolmentQuery
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.submission.ours import as_seen
from tms_pipeline.submission.record import OpenRecord

Bound = Callable[[str, Iterable[str]], set[str]]
NOT_FOUND = frozenset({"SSG-RUN-GONE", "SSG-NOT-FOUND", "SSG-HTTP-404"})


def look(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    """The record as SSG holds it now, None if a successful read did not find it. Raises SsgError if a read fails.

    ``bound`` tells which of some references belong to another record of ours already: they are not this one.
    """
    return _LOOKS[record.kind](client, marker, record, action, bound)


def same_content(marker: Marker, record: OpenRecord, seen: Seen) -> bool:
    """Whether SSG holds what our register holds."""
    theirs = row_of(marker, seen)["ssg_hash"]
    for item, _ in as_seen(record, seen.ssg_ref, live=True, created_on=None, updated_on=None):
        if item.kind == record.kind:
            return bool(row_of(marker, item)["ssg_hash"] == theirs)
    return False


def _trainer(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    want = (record.values["trainer_name"], record.values["trainer_email"])
    for view in client.trainers.iter():
        seen = wire_in.trainer(view)
        if record.their_ref == seen.ssg_ref:
            return seen
        if (seen.clear["trainer_name"], seen.clear["trainer_email"]) == want and not bound("trainer", [seen.ssg_ref]):
            return seen
    return None


def _course_run(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    reference = record.values["course_reference"] or ""
    if action != "create" and record.their_ref:
        try:
            view = client.course_runs.view(int(record.their_ref))
        except SsgError as error:
            if error.code in NOT_FOUND:
                return None
            raise
        return wire_in.course_run(view, _codes(record, view))
    found = []
    for view in client.course_runs.iter_by_reference(reference):
        seen = wire_in.course_run(view, _codes(record, view))
        if _alike(record, seen):
            found.append(seen)
    taken = bound("course_run", [seen.ssg_ref for seen in found])
    free = sorted((seen for seen in found if seen.ssg_ref not in taken), key=lambda seen: int(seen.ssg_ref))
    return free[0] if free else None


def _alike(record: OpenRecord, seen: Seen) -> bool:
    """A run is recognised by everything that we send of it but its trainers, whom SSG shows masked."""
    return all(
        (record.values.get(name) or "") == (value or "")
        for name, value in seen.values.items()
        if name != "trainer_codes"
    )


def _codes(record: OpenRecord, view: object) -> dict[str, str]:
    """SSG's trainers of this run under our codes, if they are as many as ours: their numbers are masked."""
    ours = (record.values.get("trainer_codes") or "").split(";") if record.values.get("trainer_codes") else []
    theirs = [(item.id or "").lower() for item in getattr(view, "trainers", ())]
    return dict(zip(theirs, ours, strict=False)) if len(ours) == len(theirs) else {}


def _session(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    views = client.course_runs.sessions(record.run_id, record.values["course_reference"] or "")
    seen = [wire_in.session(view, record.run_id) for view in views]
    if record.their_ref:
        return next((item for item in seen if item.ssg_ref == record.their_ref and item.live), None)
    alike = [
        item
        for item in seen
        if item.live
        and item.values["session_date"] == record.values["session_date"]
        and item.values["start_time"] == record.values["start_time"]
        and item.values["end_time"] == record.values["end_time"]
    ]
    taken = bound("session", [item.ssg_ref for item in alike])
    return next((item for item in alike if item.ssg_ref not in taken), None)


def _enrolment(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    if action != "create" and record.their_ref:
        return wire_in.enrolment(client.enrolments.view(record.their_ref))
    query = EnrolmentQuery(
        run_id=record.run_id, trainee_id=record.values["nric"], status=EnrolmentStatus.CONFIRMED
    )
    found = sorted((wire_in.enrolment(view) for view in client.enrolments.iter_search(query)), key=lambda s: s.ssg_ref)
    return next((seen for seen in found if seen.live), None)


def _fee(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    return wire_in.fee(client.enrolments.view(record.their_ref)) if record.their_ref else None


def _attendance(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    session_id = record.values["ssg_session_id"]
    if not session_id:
        return None
    for at in client.attendance.view(record.run_id, record.values["course_reference"] or "", session_id):
        for row in at.attendance:
            if at.id == session_id and row.trainee_id == record.values["nric"]:
                return wire_in.attendance(row, at, record.run_id)
    return None


def _assessment(client: SsgClient, marker: Marker, record: OpenRecord, action: str, bound: Bound) -> Seen | None:
    if action != "create" and record.their_ref:
        return wire_in.assessment(client.assessments.view(record.their_ref))
    query = AssessmentQuery(run_id=record.run_id, trainee_id=record.values["nric"])
    found = [wire_in.assessment(view) for view in client.assessments.iter_search(query)]
    alike = [
        seen
        for seen in found
        if seen.live and seen.links.get("skill_code") in ("", record.values.get("skill_code") or "")
    ]
    taken = bound("assessment", [seen.ssg_ref for seen in alike])
    free = sorted((seen for seen in alike if seen.ssg_ref not in taken), key=lambda seen: seen.ssg_ref)
    return free[0] if free else None


_LOOKS: dict[str, Callable[[SsgClient, Marker, OpenRecord, str, Bound], Seen | None]] = {
    "trainer": _trainer,
    "course_run": _course_run,
    "session": _session,
    "enrolment": _enrolment,
    "fee": _fee,
    "attendance": _attendance,
    "assessment": _assessment,
}
