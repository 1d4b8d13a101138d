"""Looking: how SSG holds one record now. The only way out of an unknown outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import row_of
from tms_pipeline.records import wire_in
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.assessment import AssessmentQuery
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.enrolment import EnrolmentQuery, EnrolmentView
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.submission.ours import as_seen
from tms_pipeline.submission.record import OpenRecord

References = Callable[[str, Iterable[str]], set[str]]


@dataclass(frozen=True)
class Neighbours:
    """What else we know of SSG's references: ``bound`` of them belong to another record of ours, ``older`` of them
    were there before we first sent this one. ``sent``: a record is just as we sent it, whatever our register holds by
    now. ``trainers``: our codes of SSG's trainers, by their ids in small letters."""

    bound: References
    older: References
    sent: Callable[[Seen], bool]
    trainers: Callable[[], dict[str, str]]


NOT_FOUND = frozenset({"SSG-RUN-GONE", "SSG-NOT-FOUND", "SSG-HTTP-404"})


def look(
    client: SsgClient, marker: Marker, record: OpenRecord, action: str, neighbours: Neighbours
) -> tuple[Seen, ...]:
    """The record as SSG holds it now, and what SSG holds inside it (a fee in its enrolment); empty if a successful
    read did not find it. Raises SsgError if a read fails."""
    return _LOOKS[record.kind](client, record, action, neighbours)


def same_content(marker: Marker, record: OpenRecord, seen: Seen) -> bool:
    """Whether SSG holds what our register holds."""
    theirs = row_of(marker, seen)["ssg_hash"]
    ours = as_seen(record, seen.ssg_ref, new=False, created_on=None, updated_on=None)[0]
    return bool(row_of(marker, ours)["ssg_hash"] == theirs)


def _trainer(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    name, email = record.values["trainer_name"], record.values["trainer_email"]
    tail = (record.values.get("trainer_nric") or "")[-4:]
    exact, likely = [], []
    for view in client.trainers.iter():
        seen = wire_in.trainer(view)
        if record.their_ref == seen.ssg_ref:
            return (seen,)
        same = ((seen.clear["trainer_name"] == name) + (seen.clear["trainer_email"] == email))
        if same == 2 or neighbours.sent(seen):
            exact.append(seen)
        elif same and tail and seen.links["nric_tail"] == tail:
            likely.append(seen)
    if action != "create" and record.their_ref:
        return ()
    return _first_free("trainer", exact, neighbours) or _first_free("trainer", likely, neighbours)


def _course_run(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    reference = record.values["course_reference"] or ""
    if action != "create" and record.their_ref:
        try:
            view = client.course_runs.view(int(record.their_ref))
        except SsgError as error:
            if error.code in NOT_FOUND:
                return ()
            raise
        return (wire_in.course_run(view, _codes(record, view, neighbours)),)
    views = client.course_runs.iter_by_reference(reference)
    seen = [wire_in.course_run(view, _codes(record, view, neighbours)) for view in views]
    found = _as_sent("course_run", seen, neighbours) or _first_free(
        "course_run", [one for one in seen if _alike(record, one)], neighbours
    )
    if found:
        return found
    # SSG may keep a text otherwise than we sent it. A run of the same days, that nobody knew before we sent ours, is
    # ours all the same: to publish it once more would be the greater fault.
    days = ("start_date", "end_date", "registration_open", "registration_close", "mode_of_training")
    near = [one for one in seen if all(one.values[name] == record.values[name] for name in days)]
    old = neighbours.older("course_run", [one.ssg_ref for one in near])
    return _first_free("course_run", [one for one in near if one.ssg_ref not in old], neighbours)


def _first_free(kind: str, found: list[Seen], neighbours: Neighbours) -> tuple[Seen, ...]:
    """The first that is not bound to another record of ours; of two alike each record takes its own."""
    if not found:
        return ()
    taken = neighbours.bound(kind, [seen.ssg_ref for seen in found])
    free = [seen for seen in found if seen.ssg_ref not in taken]
    return tuple(sorted(free, key=lambda seen: (len(seen.ssg_ref), seen.ssg_ref))[:1])


def _as_sent(kind: str, found: Sequence[Seen], neighbours: Neighbours) -> tuple[Seen, ...]:
    """The one that is just as we sent it and that nobody knew before: our register may have moved on since."""
    alike = [seen for seen in found if neighbours.sent(seen)]
    old = neighbours.older(kind, [seen.ssg_ref for seen in alike]) if alike else set()
    return _first_free(kind, [seen for seen in alike if seen.ssg_ref not in old], neighbours)


def _alike(record: OpenRecord, seen: Seen) -> bool:
    """A run is recognised by everything that we send of it but its trainers, whom SSG shows masked."""
    return all(
        (record.values.get(name) or "") == (value or "")
        for name, value in seen.values.items()
        if name != "trainer_codes"
    )


def _codes(record: OpenRecord, view: object, neighbours: Neighbours) -> dict[str, str]:
    """SSG's trainers of this run under our codes: those of the run if they are as many, since their numbers are masked;
    else those that the mirror knows."""
    ours = (record.values.get("trainer_codes") or "").split(";") if record.values.get("trainer_codes") else []
    theirs = [(item.id or "").lower() for item in getattr(view, "trainers", ())]
    return dict(zip(theirs, ours, strict=False)) if len(ours) == len(theirs) else neighbours.trainers()


def _session(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    views = client.course_runs.sessions(record.run_id, record.values["course_reference"] or "")
    seen = [one for one in (wire_in.session(view, record.run_id) for view in views) if one.live]
    if record.their_ref:
        return tuple(one for one in seen if one.ssg_ref == record.their_ref)[:1]
    times = ("session_date", "start_time", "end_time")
    return _as_sent("session", seen, neighbours) or _first_free(
        "session", [one for one in seen if all(one.values[name] == record.values[name] for name in times)], neighbours
    )


def _enrolment(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    if action != "create" and record.their_ref:
        return _with_fee(client.enrolments.view(record.their_ref))
    query = EnrolmentQuery(run_id=record.run_id, trainee_id=record.values["nric"])
    found = [_with_fee(view) for view in client.enrolments.iter_search(query)]
    found.sort(key=lambda both: both[0].ssg_ref)
    return next((both for both in found if both[0].live), ()) or _taken_away("enrolment", found, neighbours)


def _taken_away(kind: str, found: Sequence[tuple[Seen, ...]], neighbours: Neighbours) -> tuple[Seen, ...]:
    """The last one that is cancelled and that nobody knew before we first sent ours: it is ours, and somebody has taken
    it away already. To make it again would undo what they did."""
    old = neighbours.older(kind, [one[0].ssg_ref for one in found])
    fresh = [one for one in found if one[0].ssg_ref not in old]
    return fresh[-1] if fresh else ()


def _with_fee(view: EnrolmentView) -> tuple[Seen, ...]:
    return (wire_in.enrolment(view), wire_in.fee(view))


def _fee(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    return (wire_in.fee(client.enrolments.view(record.their_ref)),) if record.their_ref else ()


def _attendance(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    session_id = record.values["ssg_session_id"]
    if not session_id:
        return ()
    for at in client.attendance.view(record.run_id, record.values["course_reference"] or "", session_id):
        for row in at.attendance:
            if at.id == session_id and row.trainee_id == record.values["nric"]:
                seen = wire_in.attendance(row, at, record.run_id)
                return (seen,) if seen is not None else ()
    return ()


def _assessment(client: SsgClient, record: OpenRecord, action: str, neighbours: Neighbours) -> tuple[Seen, ...]:
    if action != "create" and record.their_ref:
        return (wire_in.assessment(client.assessments.view(record.their_ref)),)
    query = AssessmentQuery(run_id=record.run_id, trainee_id=record.values["nric"])
    found = [wire_in.assessment(view) for view in client.assessments.iter_search(query)]
    skill = record.values.get("skill_code") or ""
    alike = [seen for seen in found if seen.links.get("skill_code") in ("", skill)]
    alike.sort(key=lambda seen: seen.ssg_ref)
    live = [seen for seen in alike if seen.live]
    exact = [seen for seen in live if seen.links.get("skill_code") == skill]
    return (
        _first_free("assessment", exact, neighbours)
        or _first_free("assessment", live, neighbours)
        or _taken_away("assessment", [(seen,) for seen in alike], neighbours)
    )


_LOOKS: dict[str, Callable[[SsgClient, OpenRecord, str, Neighbours], tuple[Seen, ...]]] = {
    "trainer": _trainer,
    "course_run": _course_run,
    "session": _session,
    "enrolment": _enrolment,
    "fee": _fee,
    "attendance": _attendance,
    "assessment": _assessment,
}
