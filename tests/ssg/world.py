"""Made-up people and settings that the tests share. Nobody here exists."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentTrainee
from tms_pipeline.ssg.attendance import AttendanceBody, AttendanceContact, AttendanceTrainee
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.course_run import (
    CourseDates,
    CourseRunBody,
    CourseVacancy,
    RegistrationDates,
)
from tms_pipeline.ssg.enrolment import (
    Employer,
    EmployerContact,
    EnrolmentBody,
    EnrolmentTrainee,
    Fees,
)
from tms_pipeline.ssg.party import ContactNumber, CourseAndRun
from tms_pipeline.ssg.session import SessionAdd
from tms_pipeline.ssg.venue import SessionVenue, Venue

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # the vector key of ssg-api 2.3
OTHER_KEY = "/////////////////////////////////////////w8="
UEN = "201912345K"
COURSE = "TGS-2024000101"
NRIC = "S9999203D"
NAME = "Made-up Person Tan"
PHONE = "80000001"
EMAIL = "made.up@example.test"
SECRETS = (NRIC, NAME, PHONE, EMAIL, "1990-01-31", "made-up-secret", KEY)
FIXTURES = Path(__file__).parent / "fixtures"


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def config(url: str, **changes: Any) -> ClientConfig:
    values: dict[str, Any] = {
        "base_url": url,
        "oauth_base_url": url,
        "uen": UEN,
        "encryption_key": KEY,
        "client_id": "made-up-client",
        "client_secret": "made-up-secret",
        "corppass_id": "S9999202F",
        "timeout_seconds": 5.0,
    }
    return ClientConfig(**{**values, **changes})


def client(url: str, **changes: Any) -> SsgClient:
    return SsgClient(config(url, **changes))


def enrolment(run_id: int = 900101, nric: str = NRIC, **changes: Any) -> EnrolmentBody:
    trainee: dict[str, Any] = {
        "id": nric,
        "id_type": "NRIC",
        "full_name": NAME,
        "date_of_birth": dt.date(1990, 1, 31),
        "email_address": EMAIL,
        "contact_number": ContactNumber(phone_number=PHONE),
        "enrolment_date": dt.date(2026, 10, 1),
        "sponsorship_type": "EMPLOYER",
        "employer": Employer(
            uen="201912345K",
            contact=EmployerContact(
                full_name=NAME, email_address=EMAIL, contact_number=ContactNumber(phone_number=PHONE)
            ),
        ),
        "fees": Fees(discount_amount=Decimal("50.25"), collection_status="Full Payment"),
    }
    return EnrolmentBody(
        course=CourseAndRun(reference_number=COURSE, run_id=run_id),
        trainee=EnrolmentTrainee(**{**trainee, **changes}),
    )


def assessment(run_id: int = 900101, nric: str = NRIC, **changes: Any) -> AssessmentBody:
    values: dict[str, Any] = {
        "course": CourseAndRun(reference_number=COURSE, run_id=run_id),
        "trainee": AssessmentTrainee(id_type="NRIC", id=nric, full_name=NAME),
        "result": "Pass",
        "score": 80,
        "grade": "B",
        "assessment_date": dt.date(2026, 10, 5),
    }
    return AssessmentBody(**{**values, **changes})


def attendance(session_id: str, nric: str = NRIC, **changes: Any) -> AttendanceBody:
    values: dict[str, Any] = {
        "session_id": session_id,
        "course_reference": COURSE,
        "status": "1",
        "trainee": AttendanceTrainee(
            id=nric,
            name=NAME,
            email=EMAIL,
            id_type="SP",
            contact_number=AttendanceContact(mobile="80000002"),
            survey_language="EL",
        ),
    }
    return AttendanceBody(**{**values, **changes})


def course_run(start: dt.date, end: dt.date | None = None, **changes: Any) -> CourseRunBody:
    end = end or start
    values: dict[str, Any] = {
        "registration_dates": RegistrationDates(opening=start - dt.timedelta(days=20), closing=start),
        "course_dates": CourseDates(start=start, end=end),
        "schedule_info": "Mon to Tue, 9am to 5pm",
        "venue": Venue(floor="03", unit="12", postal_code="069999", room="Room A"),
        "intake_size": 30,
        "threshold": 2,
        "registered_user_count": 0,
        "mode_of_training": "1",
        "course_admin_email": "office@example.test",
        "course_vacancy": CourseVacancy(code="A"),
        "sessions": (
            SessionAdd(
                start_date=start,
                start_time="09:00",
                end_time="17:00",
                mode_of_training="1",
                venue=SessionVenue(primary_venue=True),
            ),
        ),
    }
    return CourseRunBody(**{**values, **changes})
