"""Sending: one change as one call to SSG. Knows the calls, decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tms_pipeline.records import wire_out
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.codes import FeeStatus
from tms_pipeline.ssg.course_run import CourseRunEdit
from tms_pipeline.ssg.errors import ShapeError
from tms_pipeline.ssg.session import SessionAdd, SessionDelete, SessionUpdate
from tms_pipeline.ssg.trainer import RunTrainer
from tms_pipeline.submission.record import OpenRecord

ENDPOINTS: dict[tuple[str, str], str] = {
    ("trainer", "create"): "trainers.add",
    ("trainer", "update"): "trainers.update",
    ("course_run", "create"): "course_runs.publish",
    ("course_run", "update"): "course_runs.edit",
    ("course_run", "cancel"): "course_runs.delete",
    ("session", "create"): "course_runs.edit",
    ("session", "update"): "course_runs.edit",
    ("session", "cancel"): "course_runs.edit",
    ("enrolment", "create"): "enrolments.create",
    ("enrolment", "update"): "enrolments.update",
    ("enrolment", "cancel"): "enrolments.cancel",
    ("fee", "update"): "enrolments.update_fee",
    ("attendance", "create"): "attendance.upload",
    ("attendance", "update"): "attendance.upload",
    ("attendance", "cancel"): "attendance.upload",
    ("assessment", "create"): "assessments.create",
    ("assessment", "update"): "assessments.update",
    ("assessment", "cancel"): "assessments.void",
}


@dataclass(frozen=True)
class Sent:
    """What SSG answered. ``reference`` is None where SSG names none: then it must be looked up."""

    reference: str | None
    created_on: datetime | None = None
    updated_on: datetime | None = None


def send(
    client: SsgClient, record: OpenRecord, action: str, correlation_id: str, *, trainers: list[RunTrainer] | None
) -> Sent:
    """Make the call. Raises SsgError with its class; ShapeError before anything was sent.

    ``trainers`` are those that SSG holds of the run, with their id numbers: an edit replaces the whole list. None
    when an id number is not known: then no session can be edited without losing a trainer.
    """
    values = record.values
    reference = values.get("course_reference") or ""
    their_ref = record.their_ref or ""
    match record.kind, action:
        case "trainer", "create":
            return Sent(client.trainers.add(wire_out.trainer(values), correlation_id=correlation_id))
        case "trainer", "update":
            client.trainers.update(their_ref, wire_out.trainer(values), correlation_id=correlation_id)
        case "course_run", "create":
            body = wire_out.course_run(values, record.trainers)
            return Sent(str(client.course_runs.publish(reference, [body], correlation_id=correlation_id)[0]))
        case "course_run", "update":
            edit = wire_out.course_run_edit(values, record.trainers)
            client.course_runs.edit(record.run_id, reference, edit, correlation_id=correlation_id)
        case "course_run", "cancel":
            client.course_runs.delete(record.run_id, reference, correlation_id=correlation_id)
        case "session", _:
            _edit_session(client, record, action, correlation_id, trainers)
            return Sent(record.their_ref)
        case "enrolment", "create":
            reply = client.enrolments.create(
                wire_out.enrolment(values, course_reference=reference, run_id=record.run_id),
                correlation_id=correlation_id,
            )
            return Sent(reply.reference, reply.created_on, reply.updated_on)
        case "enrolment", "update":
            client.enrolments.update(
                their_ref, wire_out.enrolment_update(values, run_id=record.run_id), correlation_id=correlation_id
            )
        case "enrolment", "cancel":
            client.enrolments.cancel(their_ref, record.run_id, correlation_id=correlation_id)
        case "fee", "update":
            client.enrolments.update_fee(
                their_ref, FeeStatus(values["collection_status"] or ""), correlation_id=correlation_id
            )
        case "attendance", _:
            body_ = wire_out.attendance(
                values, session_id=values["ssg_session_id"] or "", course_reference=reference,
                present=action != "cancel",
            )
            client.attendance.upload(record.run_id, body_, correlation_id=correlation_id)
            return Sent(values["ssg_session_id"])
        case "assessment", "create":
            reply = client.assessments.create(
                wire_out.assessment(values, course_reference=reference, run_id=record.run_id),
                correlation_id=correlation_id,
            )
            return Sent(reply.reference, reply.created_on, reply.updated_on)
        case "assessment", "update":
            client.assessments.update(their_ref, wire_out.assessment_update(values), correlation_id=correlation_id)
        case "assessment", "cancel":
            client.assessments.void(their_ref, wire_out.assessment_update(values), correlation_id=correlation_id)
        case _:
            raise ValueError(f"there is no call to {action} a {record.kind}")
    return Sent(their_ref)


def _edit_session(
    client: SsgClient, record: OpenRecord, action: str, correlation_id: str, trainers: list[RunTrainer] | None
) -> None:
    """SSG changes sessions by an edit of their run; the run's other facts are sent as SSG holds them (ssg-api 4.2)."""
    if trainers is None:
        raise ShapeError(
            "linkCourseRunTrainer", "SSG holds a trainer of this run whom our trainer list does not know; add her "
            "there, because an edit of a session would take her off the run", endpoint="course_runs.edit",
        )
    change: SessionAdd | SessionUpdate | SessionDelete
    if action == "create":
        change = wire_out.session_add(record.values)
    elif action == "update":
        change = wire_out.session_update(record.their_ref or "", record.values)
    else:
        change = SessionDelete(session_id=record.their_ref or "", end_date=wire_out.session_add(record.values).end_date)
    view = client.course_runs.view(record.run_id)
    edit = CourseRunEdit.merged(view, trainers=trainers, sessions=[change])
    client.course_runs.edit(
        record.run_id, record.values["course_reference"] or "", edit, correlation_id=correlation_id
    )
