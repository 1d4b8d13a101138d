"""Our records as SSG wants them: the way out to the wire.

Pure. ``Values`` are canonical texts by field, personal ones in clear: they live as long as one call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tms_pipeline.records.vocabulary import MODES_WITHOUT_VENUE
from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentTrainee, AssessmentUpdate
from tms_pipeline.ssg.attendance import AttendanceBody, AttendanceContact, AttendanceTrainee
from tms_pipeline.ssg.codes import (
    AssessmentResult,
    AttendanceStatus,
    FeeStatus,
    Grade,
    IdCode,
    IdType,
    Salutation,
    SponsorshipType,
    SurveyLanguage,
    TrainingMode,
    VacancyCode,
)
from tms_pipeline.ssg.course_run import CourseDates, CourseRunBody, CourseRunEdit, CourseVacancy, RegistrationDates
from tms_pipeline.ssg.enrolment import (
    Employer,
    EmployerContact,
    EmployerContactChange,
    EnrolmentBody,
    EnrolmentTrainee,
    EnrolmentUpdate,
    Fees,
    FeesChange,
    TraineeChange,
)
from tms_pipeline.ssg.party import ContactNumber, CourseAndRun
from tms_pipeline.ssg.session import SessionAdd, SessionUpdate
from tms_pipeline.ssg.trainer import ASSESSOR_ROLE, TRAINER_ROLE, RunTrainer, TrainerBody
from tms_pipeline.ssg.venue import SessionVenue, Venue

Values = Mapping[str, str | None]


def id_type(nric: str) -> IdType:
    """The long form of the id type, from the prefix (ssg-api 9.1)."""
    return IdType.NRIC if nric[:1] in "ST" else IdType.FIN if nric[:1] in "FGM" else IdType.OTHERS


def id_code(nric: str, residency: str | None = None) -> IdCode:
    """The short form: pink and blue cards are told apart by the residency, which the number cannot tell."""
    if nric[:1] in "FGM":
        return IdCode.FIN
    if nric[:1] not in "ST":
        return IdCode.OTHERS
    return IdCode.BLUE_CARD if residency == "pr" else IdCode.PINK_CARD


def trainer(values: Values) -> TrainerBody:
    """A trainer for the provider's profile (ssg-api 4.8)."""
    role = values["trainer_role"]
    roles = (
        (TRAINER_ROLE, ASSESSOR_ROLE) if role == "both" else (ASSESSOR_ROLE if role == "assessor" else TRAINER_ROLE,)
    )
    nric = _need(values, "trainer_nric")
    return TrainerBody(
        name=_need(values, "trainer_name"),
        email=_need(values, "trainer_email"),
        id_number=nric,
        id_type=id_code(nric),
        roles=roles,
        domain_area_of_practice=_need(values, "domain"),
        experience=values.get("experience") or "",
        salutation_id=Salutation(int(values.get("salutation") or 1)),
    )


def existing_trainers(trainers: Sequence[Values]) -> tuple[RunTrainer, ...]:
    """Trainers of the profile for a run: the id number is enough (ssg-api 4.1)."""
    return tuple(RunTrainer(id_number=_need(values, "trainer_nric")) for values in trainers)


def course_run(values: Values, trainers: Sequence[Values]) -> CourseRunBody:
    """A run to publish (ssg-api 4.1)."""
    return CourseRunBody(**_run_fields(values), trainers=existing_trainers(trainers))


def course_run_edit(values: Values, trainers: Sequence[Values]) -> CourseRunEdit:
    """A whole run to edit, trainers resent, because SSG replaces their list (ssg-api 4.2)."""
    return CourseRunEdit(**_run_fields(values), trainers=existing_trainers(trainers))


def _run_fields(values: Values) -> dict[str, object]:
    return {
        "registration_dates": RegistrationDates(
            opening=_day(values, "registration_open"), closing=_day(values, "registration_close")
        ),
        "course_dates": CourseDates(start=_day(values, "start_date"), end=_day(values, "end_date")),
        "schedule_info": _need(values, "schedule_info"),
        "venue": Venue(
            block=values.get("block"),
            street=values.get("street"),
            floor=values.get("floor"),
            unit=values.get("unit"),
            building=values.get("building"),
            postal_code=values.get("postal_code"),
            room=values.get("room"),
            wheel_chair_access=values.get("wheelchair_access") == "true",
        ),
        "intake_size": int(_need(values, "intake_size")),
        "threshold": int(values.get("threshold") or 0),
        "mode_of_training": TrainingMode(_need(values, "mode_of_training")),
        "course_admin_email": _need(values, "admin_email"),
        "course_vacancy": CourseVacancy(code=VacancyCode(_need(values, "vacancy"))),
    }


def session_add(values: Values) -> SessionAdd:
    """A new session, at the run's venue (ssg-api 4.1: primaryVenue copies it)."""
    mode = _need(values, "mode_of_training")
    return SessionAdd(
        start_date=_day(values, "session_date"),
        end_date=_day(values, "session_date"),
        start_time=_time(values, "start_time"),
        end_time=_time(values, "end_time"),
        mode_of_training=TrainingMode(mode),
        venue=None if mode in MODES_WITHOUT_VENUE else _session_venue(values),
    )


def session_update(session_id: str, values: Values) -> SessionUpdate:
    """A changed session (ssg-api 4.2)."""
    mode = _need(values, "mode_of_training")
    return SessionUpdate(
        session_id=session_id,
        start_date=_day(values, "session_date"),
        end_date=_day(values, "session_date"),
        start_time=_time(values, "start_time"),
        end_time=_time(values, "end_time"),
        mode_of_training=TrainingMode(mode),
        venue=None if mode in MODES_WITHOUT_VENUE else _session_venue(values),
    )


def _session_venue(values: Values) -> SessionVenue:
    # The venue is written out beside primaryVenue: SSG's own sample does both.
    return SessionVenue(
        block=values.get("run_block"),
        street=values.get("run_street"),
        floor=values.get("run_floor"),
        unit=values.get("run_unit"),
        building=values.get("run_building"),
        postal_code=values.get("run_postal_code"),
        room=values.get("run_room"),
        primary_venue=True,
    )


def enrolment(values: Values, *, course_reference: str, run_id: int) -> EnrolmentBody:
    """A new enrolment with the trainee's particulars and the fee status (ssg-api 6.1)."""
    nric = _need(values, "nric")
    sponsored = values["sponsorship_type"] == "EMPLOYER"
    employer = None
    if sponsored:
        employer = Employer(
            uen=_need(values, "employer_uen"),
            contact=EmployerContact(
                full_name=_need(values, "employer_contact_name"),
                email_address=_need(values, "employer_contact_email"),
                contact_number=ContactNumber(phone_number=_need(values, "employer_contact_phone")),
            ),
        )
    return EnrolmentBody(
        course=CourseAndRun(reference_number=course_reference, run_id=run_id),
        trainee=EnrolmentTrainee(
            id=nric,
            id_type=id_type(nric),
            full_name=_need(values, "full_name"),
            date_of_birth=_day(values, "birth_date"),
            email_address=_need(values, "email"),
            contact_number=_contact(values),
            enrolment_date=_day(values, "enrolment_date"),
            sponsorship_type=SponsorshipType(_need(values, "sponsorship_type")),
            employer=employer,
            fees=Fees(
                discount_amount=Decimal(values.get("discount_amount") or "0"),
                collection_status=FeeStatus(values.get("collection_status") or "Pending Payment"),
            ),
        ),
    )


def enrolment_update(values: Values, *, run_id: int) -> EnrolmentUpdate:
    """What SSG lets change of an enrolment (ssg-api 6.2)."""
    employer_contact = None
    if values["sponsorship_type"] == "EMPLOYER":
        employer_contact = EmployerContactChange(
            full_name=values.get("employer_contact_name"),
            email=values.get("employer_contact_email"),
            contact_number=ContactNumber(phone_number=_need(values, "employer_contact_phone")),
        )
    return EnrolmentUpdate(
        run_id=run_id,
        trainee=TraineeChange(email=_need(values, "email"), contact_number=_contact(values)),
        employer_contact=employer_contact,
        fees=FeesChange(discount_amount=Decimal(values.get("discount_amount") or "0")),
        enrolment_date=_day(values, "enrolment_date"),
    )


def _contact(values: Values) -> ContactNumber:
    return ContactNumber(country_code=f"+{values.get('phone_country') or '65'}", phone_number=_need(values, "phone"))


def attendance(values: Values, *, session_id: str, course_reference: str, present: bool) -> AttendanceBody:
    """One trainee's attendance of one session: Confirmed, or TP Voided to take it back (ssg-api 5.2)."""
    nric = _need(values, "nric")
    hours = values.get("hours")
    mode = TrainingMode(_need(values, "mode_of_training"))
    phone = values.get("phone")
    return AttendanceBody(
        session_id=session_id,
        course_reference=course_reference,
        status=AttendanceStatus("1" if present else "4"),
        mode_of_training=mode,
        trainee=AttendanceTrainee(
            id=nric,
            name=_need(values, "full_name")[:66],
            email=values.get("email"),
            id_type=id_code(nric, values.get("residency")),
            contact_number=AttendanceContact(mobile=phone, country_code=int(values.get("phone_country") or 65)),
            number_of_hours=Decimal(hours) if hours and mode is TrainingMode.ON_THE_JOB else None,
            survey_language=SurveyLanguage(values.get("survey_language") or "EL"),
        ),
    )


def assessment(values: Values, *, course_reference: str, run_id: int) -> AssessmentBody:
    """A new assessment (ssg-api 7.1)."""
    nric = _need(values, "nric")
    return AssessmentBody(
        course=CourseAndRun(reference_number=course_reference, run_id=run_id),
        trainee=AssessmentTrainee(id_type=id_type(nric), id=nric, full_name=_need(values, "full_name")),
        result=AssessmentResult(_need(values, "result")),
        score=int(_need(values, "score")) if values.get("score") else None,
        grade=Grade(_need(values, "grade")) if values.get("grade") else None,
        assessment_date=_day(values, "assessment_date"),
        skill_code=values.get("skill_code") or None,
    )


def assessment_update(values: Values) -> AssessmentUpdate:
    """A changed assessment, or the last values of one to void (ssg-api 7.2)."""
    return AssessmentUpdate(
        full_name=_need(values, "full_name"),
        result=AssessmentResult(_need(values, "result")),
        score=int(_need(values, "score")) if values.get("score") else None,
        grade=Grade(_need(values, "grade")) if values.get("grade") else None,
        assessment_date=_day(values, "assessment_date"),
        skill_code=values.get("skill_code") or None,
    )


def _need(values: Values, name: str) -> str:
    return values.get(name) or ""


def _day(values: Values, name: str) -> dt.date:
    return dt.date.fromisoformat(_need(values, name))


def _time(values: Values, name: str) -> dt.time:
    return dt.time.fromisoformat(_need(values, name))
