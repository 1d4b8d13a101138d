"""What SSG holds, as canonical values of our record kinds: the way in from the wire.

Pure. Personal values are in clear here for one moment; whoever calls makes marks of them at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tms_pipeline.ssg.assessment import AssessmentView
from tms_pipeline.ssg.attendance import AttendanceRow, SessionAttendance
from tms_pipeline.ssg.course_run_view import CourseHead, CourseRunView
from tms_pipeline.ssg.enrolment import EnrolmentView
from tms_pipeline.ssg.session import SessionView
from tms_pipeline.ssg.trainer import TrainerView

# Words of the simulated and the real SSG for a fee that has been taken back with its enrolment (ssg-api 6.0).
_VOID = "void"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One record as SSG holds it. ``values`` are canonical text by field; ``clear`` the personal ones among them."""

    kind: str
    ssg_ref: str
    live: bool
    status: str | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    clear: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    links: Mapping[str, str | None] = field(default_factory=dict)
    created_on: dt.datetime | None = None
    updated_on: dt.datetime | None = None


def course(head: CourseHead) -> Seen:
    """A course, from the head that every answer about its runs carries (ssg-api 4.4)."""
    reference = head.reference_number or head.external_reference_number or ""
    return Seen(
        kind="course",
        ssg_ref=reference,
        live=not head.delete_flag,
        status="expired" if head.expire_flag else "active",
        values={"course_reference": reference, "course_title": head.title},
    )


def course_not_shown(reference: str) -> Seen:
    """A course of which SSG shows nothing: it has no run there, or is not there at all (ssg-api 4.4)."""
    return Seen(
        kind="course", ssg_ref=reference, live=False, status="not shown",
        values={"course_reference": reference, "course_title": None},
    )


def trainer(view: TrainerView) -> Seen:
    """A trainer of the provider's profile (ssg-api 4.8); the id number is masked there."""
    roles = {role.id for role in view.roles}
    role = "both" if {1, 2} <= roles else "assessor" if 2 in roles else "trainer"
    return Seen(
        kind="trainer",
        ssg_ref=view.id or "",
        live=True,
        values={"trainer_role": role, "domain": view.domain_area_of_practice, "experience": view.experience},
        clear={"trainer_name": view.name, "trainer_email": _lower(view.email)},
        links={"nric_tail": (view.id_number or "")[-4:] or None},
    )


def course_run(view: CourseRunView, trainer_codes: Mapping[str, str]) -> Seen:
    """A course run (ssg-api 4.4, 4.5). ``trainer_codes`` maps SSG's trainer ids to our trainer codes."""
    codes = sorted(trainer_codes.get((item.id or "").lower(), f"SSG:{item.id}") for item in view.trainers)
    venue = view.venue
    return Seen(
        kind="course_run",
        ssg_ref=str(view.id),
        live=True,
        status="published",
        values={
            "course_reference": view.reference_number,
            "registration_open": _day(view.registration_opening),
            "registration_close": _day(view.registration_closing),
            "start_date": _day(view.course_start),
            "end_date": _day(view.course_end),
            "schedule_info": view.schedule_info,
            "mode_of_training": view.mode_of_training,
            "block": venue.block,
            "street": venue.street,
            "floor": venue.floor,
            "unit": venue.unit,
            "building": venue.building,
            "postal_code": venue.postal_code,
            "room": venue.room,
            "wheelchair_access": "true" if venue.wheel_chair_access else "false",
            "intake_size": _number(view.intake_size),
            "threshold": _number(view.threshold or 0),
            "admin_email": _lower(view.course_admin_email),
            "vacancy": view.course_vacancy.code,
            "trainer_codes": ";".join(codes) or None,
        },
    )


def session(view: SessionView, ssg_run_id: int) -> Seen:
    """A session of a run (ssg-api 4.6)."""
    return Seen(
        kind="session",
        ssg_ref=view.id,
        live=not view.deleted,
        status="deleted" if view.deleted else "planned",
        values={
            "session_date": _day(view.start_date),
            "start_time": _time(view.start_time),
            "end_time": _time(view.end_time),
            "mode_of_training": view.mode_of_training,
        },
        links={"ssg_run_id": str(ssg_run_id)},
    )


def enrolment(view: EnrolmentView) -> Seen:
    """An enrolment (ssg-api 6.4). The trainee's particulars come with it."""
    trainee, employer = view.trainee, view.trainee.employer
    sponsored = trainee.sponsorship_type == "EMPLOYER"
    return Seen(
        kind="enrolment",
        ssg_ref=view.reference_number,
        live=view.status != "Cancelled",
        status=view.status,
        values={
            "enrolment_date": _day(trainee.enrolment_date),
            "sponsorship_type": trainee.sponsorship_type,
            "employer_uen": employer.uen if sponsored else None,
            "discount_amount": _amount(trainee.fees.discount_amount),
            "phone_country": (trainee.contact_number.country_code or "65").lstrip("+"),
        },
        clear={
            "employer_contact_name": employer.contact.full_name if sponsored else None,
            "employer_contact_email": _lower(employer.contact.email) if sponsored else None,
            "employer_contact_phone": employer.contact.contact_number.phone_number if sponsored else None,
            "full_name": trainee.full_name,
            "birth_date": _day(trainee.date_of_birth),
            "email": _lower(trainee.email),
            "phone": trainee.contact_number.phone_number,
            "nric": trainee.id,
        },
        links={"ssg_run_id": _number(view.course.run.id), "course_reference": view.course.reference_number},
        created_on=view.created_on,
        updated_on=view.updated_on,
    )


def fee(view: EnrolmentView) -> Seen:
    """The fee inside an enrolment (ssg-api 6.4)."""
    return Seen(
        kind="fee",
        ssg_ref=view.reference_number,
        live=view.status != "Cancelled",
        status=view.status,
        values={"collection_status": view.trainee.fees.collection_status},
        created_on=view.created_on,
        updated_on=view.updated_on,
    )


def attendance(row: AttendanceRow, at: SessionAttendance, ssg_run_id: int) -> Seen | None:
    """One row of a session's attendance (ssg-api 5.1); None for a row without a trainee."""
    if not row.trainee_id:
        return None
    code = str(row.status_code) if row.status_code else None
    return Seen(
        kind="attendance",
        ssg_ref=at.id,  # completed with the trainee's mark, as SSG answers no id to an upload
        live=code != "4" and code is not None,
        status=row.status,
        values={"status_code": code, "hours": _hours(row.number_of_hours)},
        clear={"nric": row.trainee_id},
        links={
            "ssg_session_id": at.id,
            "ssg_run_id": str(ssg_run_id),
            "ssg_attendance_id": row.id,
            "entry_mode": row.entry_mode,
        },
    )


def assessment(view: AssessmentView) -> Seen:
    """An assessment (ssg-api 7.3); a voided one keeps score and grade under the result Void."""
    void = (view.result or "").casefold() == _VOID
    return Seen(
        kind="assessment",
        ssg_ref=view.reference_number,
        live=not void,
        status=view.result,
        values={
            "assessment_date": _day(view.assessment_date),
            "result": view.result.capitalize() if view.result else None,
            "score": _number(view.score),
            "grade": view.grade,
        },
        clear={"nric": view.trainee.id},
        links={
            "ssg_run_id": _number(view.course.run.id),
            "skill_code": view.skill_code or "",
            "enrolment_reference": view.enrolment_reference,
        },
        created_on=view.created_on,
        updated_on=view.updated_on,
    )


def _day(value: dt.date | None) -> str | None:
    return value.isoformat() if value else None


def _time(value: dt.time | None) -> str | None:
    return value.strftime("%H:%M") if value else None


def _number(value: Any) -> str | None:
    return str(int(value)) if value is not None else None


def _amount(value: Decimal | None) -> str:
    return f"{value or Decimal(0):.2f}"


def _hours(value: Decimal | None) -> str | None:
    return f"{value.normalize():f}" if value is not None else None


def _lower(value: str | None) -> str | None:
    return value.lower() if value else value
