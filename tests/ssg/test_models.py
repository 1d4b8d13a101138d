"""Limits and conditional rules of the request models; how tolerant the replies are."""

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentQuery, AssessmentView
from tms_pipeline.ssg.attendance import AttendanceBody, AttendanceContact, AttendanceTrainee
from tms_pipeline.ssg.catalogue import RegistryQuery
from tms_pipeline.ssg.codes import FeeStatus, IdCode, IdType, SponsorshipType, TrainingMode
from tms_pipeline.ssg.course_run import (
    CourseDates,
    CourseRunBody,
    CourseRunEdit,
    RegistrationDates,
)
from tms_pipeline.ssg.enrolment import (
    EnrolmentBody,
    EnrolmentQuery,
    EnrolmentUpdate,
    EnrolmentView,
    Fees,
    FeesChange,
    TraineeChange,
)
from tms_pipeline.ssg.errors import ShapeError
from tms_pipeline.ssg.grant import GrantQuery
from tms_pipeline.ssg.id_number import check_letter_fits
from tms_pipeline.ssg.party import ContactNumber, CourseAndRun
from tms_pipeline.ssg.session import SessionAdd, SessionDelete, SessionUpdate
from tms_pipeline.ssg.trainer import TRAINER_ROLE, RunTrainer, TrainerBody
from tms_pipeline.ssg.values import parse_instant
from tms_pipeline.ssg.venue import SessionVenue, Venue

from .hostile import hostile, silence
from .world import COURSE, EMAIL, NAME, NRIC, SECRETS, assessment, attendance, client, course_run, enrolment

DAY = dt.date(2026, 12, 1)
ROOM = Venue(floor="1", unit="2", postal_code="069999", room="A")
texts = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))
amounts = st.decimals(0, 99_999, places=2)


def session(**changes: Any) -> SessionAdd:
    values: dict[str, Any] = {
        "start_date": DAY,
        "start_time": "09:00",
        "end_time": "17:00",
        "mode_of_training": "1",
        "venue": SessionVenue(primary_venue=True),
    }
    return SessionAdd(**{**values, **changes})


def new_trainer(**changes: Any) -> RunTrainer:
    values: dict[str, Any] = {
        "trainer_type": "2",
        "name": NAME,
        "email": EMAIL,
        "id_number": NRIC,
        "id_type": "SP",
        "roles": (TRAINER_ROLE,),
        "domain_area_of_practice": "x",
    }
    return RunTrainer(**{**values, **changes})


def edit(**changes: Any) -> CourseRunEdit:
    run = course_run(DAY)
    values = {
        name: getattr(run, name)
        for name in CourseRunEdit.model_fields
        if name not in ("sessions", "trainers")
    }
    return CourseRunEdit(**{**values, "trainers": (), **changes})


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: course_run(DAY, venue=None), "course.runs.venue.floor"),
    (lambda: course_run(DAY, venue=Venue(floor="1", unit="2", room="A")), "course.runs.venue.postalCode"),
    (
        lambda: course_run(DAY, venue=Venue(floor="1", unit="2", postal_code="069999", room=" ")),
        "course.runs.venue.room",
    ),
    (lambda: Venue(floor="1234"), "venue.floor"),
    (lambda: Venue(postal_code="1234567"), "venue.postalCode"),
    (lambda: Venue(street="x" * 33), "venue.street"),
    (lambda: course_run(DAY, mode_of_training="10"), "course.runs.modeOfTraining"),
    (lambda: course_run(DAY, schedule_info=" "), "course.runs.scheduleInfo"),
    (lambda: course_run(DAY, course_admin_email="x" * 256), "course.runs.courseAdminEmail"),
    (lambda: course_run(DAY, registered_user_count=33), "course.runs.registeredUserCount"),
    (lambda: course_run(DAY, unknown=1), "course.runs.unknown"),
    (lambda: RegistrationDates(opening=DAY, closing=DAY - dt.timedelta(1)), "registrationDates.closing"),
    (lambda: CourseDates(start=DAY, end=DAY - dt.timedelta(1)), "courseDates.end"),
    (lambda: CourseDates(start="32/13/2026", end=DAY), "courseDates.start"),
    (
        lambda: course_run(DAY, registration_dates=RegistrationDates(opening="20261202", closing="20261203")),
        "course.runs.registrationDates.opening",
    ),
    (lambda: course_run(DAY, sessions=(session(start_date="2026-12-02"),)), "course.runs.sessions.startDate"),
    (lambda: session(end_time="09:00"), "sessions.endTime"),
    (lambda: session(end_date=DAY + dt.timedelta(1)), "sessions.endDate"),
    (lambda: session(mode_of_training="2", end_date=DAY - dt.timedelta(1)), "sessions.endDate"),
    (lambda: session(venue=None), "sessions.venue.floor"),
    (lambda: session(start_time="9 o'clock"), "sessions.startTime"),
    (lambda: session(start_time=None), "sessions.startTime"),
    (lambda: SessionUpdate(session_id="x" * 301), "sessions.sessionId"),
    (lambda: SessionUpdate(session_id="x", start_time="10:00", end_time="09:00"), "sessions.endTime"),
    (lambda: SessionDelete(session_id=""), "sessions.sessionId"),
    (lambda: new_trainer(name=None), "linkCourseRunTrainer.trainer.name"),
    (lambda: new_trainer(email=None), "linkCourseRunTrainer.trainer.email"),
    (lambda: new_trainer(id_type=None), "linkCourseRunTrainer.trainer.idType"),
    (lambda: new_trainer(roles=()), "linkCourseRunTrainer.trainer.roles"),
    (lambda: new_trainer(domain_area_of_practice=None), "linkCourseRunTrainer.trainer.domainAreaOfPractice"),
    (lambda: RunTrainer(id_number=" "), "linkCourseRunTrainer.trainer.idNumber"),
    (lambda: new_trainer(linked_in_url="x" * 256), "linkCourseRunTrainer.trainer.linkedInURL"),
    (lambda: edit(trainers=None), "course.run.linkCourseRunTrainer"),
    (lambda: attendance("S1", status="5"), "course.attendance.status"),
    (lambda: attendance("S1", mode_of_training="4"), "course.attendance.trainee.numberOfHours"),
    (lambda: attendance(" "), "course.attendance.sessionId"),
    (lambda: AttendanceTrainee(id=NRIC, name=NAME, id_type="SP"), "course.attendance.trainee.email"),
    (
        lambda: AttendanceTrainee(
            id=NRIC, name=NAME, id_type="SP", email=EMAIL, number_of_hours=Decimal("8.5")
        ),
        "course.attendance.trainee.numberOfHours",
    ),
    (
        lambda: AttendanceTrainee(
            id=NRIC, name=NAME, id_type="SP", email=EMAIL, number_of_hours=Decimal("0.4")
        ),
        "course.attendance.trainee.numberOfHours",
    ),
    (
        lambda: AttendanceTrainee(id=NRIC, name="x" * 67, id_type="SP", email=EMAIL),
        "course.attendance.trainee.name",
    ),
    (lambda: AttendanceContact(country_code=1000), "course.attendance.trainee.contactNumber.countryCode"),
    (lambda: enrolment(employer=None), "enrolment.trainee.employer"),
    (lambda: enrolment(id="x" * 21), "enrolment.trainee.id"),
    (lambda: enrolment(id_type="PASSPORT"), "enrolment.trainee.idType"),
    (lambda: enrolment(full_name=""), "enrolment.trainee.fullName"),
    (lambda: enrolment(date_of_birth=None), "enrolment.trainee.dateOfBirth"),
    (lambda: enrolment(email_address="x" * 101), "enrolment.trainee.emailAddress"),
    (lambda: enrolment(run_id=0), "course.run"),
    (lambda: ContactNumber(phone_number=" "), "contactNumber.phoneNumber"),
    (lambda: ContactNumber(phone_number="1", country_code="123456"), "contactNumber.countryCode"),
    (lambda: CourseAndRun(reference_number="x" * 101, run_id=1), "course.referenceNumber"),
    (
        lambda: Fees(discount_amount=Decimal(-1), collection_status="Full Payment"),
        "enrolment.trainee.fees.discountAmount",
    ),
    (lambda: Fees(collection_status="Cancelled"), "enrolment.trainee.fees.collectionStatus"),
    (lambda: Fees(collection_status="Free"), "enrolment.trainee.fees.collectionStatus"),
    (lambda: EnrolmentQuery(page_size=101), "search.pageSize"),
    (lambda: EnrolmentQuery(page=-1), "search.page"),
    (lambda: EnrolmentQuery(sort_by="nric"), "search.sortBy"),
    (lambda: AssessmentQuery(page_size=0), "search.pageSize"),
    (lambda: GrantQuery(page_size=101), "search.pageSize"),
    (lambda: RegistryQuery(page_size=21), "search.pageSize"),
    (lambda: assessment(score=101), "assessment.score"),
    (lambda: assessment(result="Void"), "assessment.result"),
    (lambda: assessment(grade="G"), "assessment.grade"),
    (lambda: assessment(skill_code="x" * 31), "assessment.skillCode"),
    (lambda: TrainerBody(name=NAME), "trainer.email"),
]


@pytest.mark.parametrize(("build", "field"), REFUSED, ids=[field for _, field in REFUSED])
def test_what_ssg_would_refuse_is_refused_with_the_field(build: Callable[[], Any], field: str) -> None:
    with pytest.raises(ShapeError) as caught:
        build()
    assert caught.value.field == field
    assert caught.value.limit
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert not any(secret in str(caught.value) + repr(caught.value) for secret in SECRETS)


def test_what_a_call_refuses() -> None:
    with (
        hostile(silence) as server,
        client(server.url) as ssg,
        client(server.url, corppass_id="") as anonymous,
    ):
        refused: list[tuple[Callable[[], Any], str]] = [
            (lambda: ssg.enrolments.create(enrolment(nric="S9999203A")), "enrolment.trainee.id"),
            (lambda: ssg.assessments.create(assessment(nric="S9999203A")), "assessment.trainee.id"),
            (lambda: ssg.attendance.upload(1, attendance("S1", nric="")), "course.attendance.trainee.id"),
            (lambda: anonymous.attendance.upload(1, attendance("S1")), "corppassId"),
            (lambda: ssg.course_runs.publish(COURSE, []), "course.runs"),
            (lambda: ssg.course_runs.publish(" ", [course_run(DAY)]), "course.courseReferenceNumber"),
            (lambda: ssg.course_runs.by_reference(COURSE, page_size=101), "pageSize"),
            (lambda: ssg.course_runs.by_reference(COURSE, page=-1), "page"),
            (lambda: ssg.course_runs.sessions(1, COURSE, "202610"), "sessionMonth"),
            (lambda: ssg.trainers.list(page_size=0), "pageSize"),
            (lambda: ssg.enrolments.cancel("ENR", 0), "enrolment.course.run.id"),
            (lambda: ssg.enrolments.cancel("", 1), "enrolmentReferenceNumber"),
            (lambda: ssg.enrolments.update_fee("ENR", "Free"), "enrolment.fees.collectionStatus"),
            (lambda: ssg.credit.cancel_claim("1", NRIC, "56"), "claimCancelCode"),
            (lambda: ssg.credit.view_claim("1", "S9999203A"), "nric"),
        ]
        for call, field in refused:
            with pytest.raises(ShapeError) as caught:
                call()
            assert caught.value.field == field
            assert "S9999203A" not in str(caught.value)
    assert server.received == []


def test_id_numbers_are_checked_unless_switched_off() -> None:
    for good in (
        "S1234567D",
        "T1234567J",
        "F1234567N",
        "G1234567X",
        "M1234567K",
        "S5398242E",
        "T5398242A",
        "M5398242L",
    ):
        assert check_letter_fits(good)
        assert not check_letter_fits(good[:-1] + ("A" if good[-1] != "A" else "B"))
    assert not check_letter_fits("X1234567D")


def test_venues_that_may_be_missing() -> None:
    assert course_run(DAY, venue=None, mode_of_training="2", sessions=()).venue is None
    assert course_run(DAY, venue=None, mode_of_training="4", sessions=()).venue is None
    online = SessionAdd(start_date=DAY, mode_of_training="2")
    assert online.to_wire() == {
        "startDate": "20261201",
        "endDate": "20261201",
        "startTime": "00:00",
        "endTime": "23:59",
        "modeOfTraining": "2",
    }


def test_sessions_of_an_edit() -> None:
    wire = edit(
        sessions=(SessionUpdate(session_id="a"), SessionDelete(session_id="b", end_date=DAY), session())
    ).to_wire()
    assert [item.get("action") for item in wire["sessions"]] == ["update", "delete", None]
    assert wire["linkCourseRunTrainer"] == []
    assert wire["action"] == "update"
    again = CourseRunEdit.model_validate(json.loads(json.dumps(wire)))
    assert [type(item) for item in again.sessions] == [SessionUpdate, SessionDelete, SessionAdd]


def test_nothing_of_a_person_shows() -> None:
    models = [
        enrolment(),
        assessment(),
        attendance("S1"),
        new_trainer(),
        enrolment().trainee,
        course_run(DAY),
    ]
    for model in models:
        for shown in (repr(model), str(model), f"{model}", repr([model])):
            assert not any(secret in shown for secret in SECRETS)


def test_models_do_not_change() -> None:
    body = enrolment()
    with pytest.raises(AttributeError, match="frozen") as caught:
        body.trainee.full_name = NAME  # type: ignore[misc]
    assert NAME not in str(caught.value)


@settings(max_examples=60)
@given(
    texts,
    st.sampled_from(IdType),
    texts,
    days,
    texts,
    st.sampled_from(list(FeeStatus)[:3]),
    amounts,
    st.integers(1),
)
def test_enrolment_round_trip(
    number: str,
    id_type: IdType,
    name: str,
    born: dt.date,
    phone: str,
    fee: FeeStatus,
    discount: Decimal,
    run: int,
) -> None:
    run %= 10**9
    body = enrolment(
        run_id=run + 1,
        nric=number,
        id_type=id_type,
        full_name=name,
        date_of_birth=born,
        contact_number=ContactNumber(phone_number=phone),
        fees=Fees(discount_amount=discount, collection_status=fee),
        sponsorship_type=SponsorshipType.INDIVIDUAL,
        employer=None,
    )
    wire = json.loads(json.dumps(body.to_wire()))
    assert wire["course"]["run"]["id"] == str(run + 1)
    again = EnrolmentBody.model_validate(wire)
    assert again.to_wire() == body.to_wire()
    assert again.trainee.fees.discount_amount == Decimal(str(float(discount)))
    view = EnrolmentView.model_validate({**wire, "referenceNumber": "ENR-2610-000001"})
    assert view.trainee.id_type == id_type.value
    assert view.course.run.id == run + 1
    assert view.trainee.date_of_birth == born


@settings(max_examples=40)
@given(st.integers(0, 100), days, st.sampled_from(["pass", "FAIL", "Exempt"]), st.none() | texts)
def test_assessment_round_trip(score: int, day: dt.date, result: str, skill: str | None) -> None:
    body = assessment(score=score, assessment_date=day, result=result, skill_code=skill)
    wire = json.loads(json.dumps(body.to_wire()))
    assert AssessmentBody.model_validate(wire) == body
    for form in (score, str(score), f"{score}.0"):
        view = AssessmentView.model_validate({**wire, "score": form, "referenceNumber": "ASM-2610-000001"})
        assert (view.score, view.assessment_date) == (score, day)


@settings(max_examples=40)
@given(st.sampled_from(TrainingMode), days, st.times(), st.times())
def test_session_round_trip(mode: TrainingMode, day: dt.date, start: dt.time, end: dt.time) -> None:
    start, end = (at.replace(second=0, microsecond=0) for at in sorted((start, end)))
    if start == end:
        return
    made = SessionAdd(
        start_date=day,
        start_time=start,
        end_time=end,
        mode_of_training=mode,
        venue=SessionVenue(primary_venue=True),
    )
    assert SessionAdd.model_validate(json.loads(json.dumps(made.to_wire()))) == made


@settings(max_examples=40)
@given(texts, texts, st.sampled_from(IdCode), st.none() | st.decimals("0.5", "8", places=1))
def test_attendance_round_trip(number: str, name: str, id_code: IdCode, hours: Decimal | None) -> None:
    trainee = AttendanceTrainee(id=number, name=name, email=EMAIL, id_type=id_code, number_of_hours=hours)
    wire = json.loads(json.dumps(trainee.to_wire()))
    assert wire["idType"] == {"code": id_code.value}
    assert AttendanceTrainee.model_validate(wire) == trainee
    body = AttendanceBody(session_id="S", course_reference=COURSE, status="1", trainee=trainee)
    assert body.to_body("U", "C")["course"]["attendance"]["trainee"]["contactNumber"]["areaCode"] is None


@settings(max_examples=40)
@given(days, st.integers(0, 400), st.sampled_from(["A", "F", "L"]), st.integers(0, 500))
def test_course_run_round_trip(start: dt.date, length: int, vacancy: str, size: int) -> None:
    end = start + dt.timedelta(days=length)
    run = course_run(start, end, intake_size=size, course_vacancy={"code": vacancy}, venue=ROOM, sessions=())
    assert CourseRunBody.model_validate(json.loads(json.dumps(run.to_wire()))) == run


def test_update_has_the_names_of_the_official_client() -> None:
    update = EnrolmentUpdate(
        run_id=900101,
        trainee=TraineeChange(email=EMAIL, contact_number=ContactNumber(phone_number="8")),
        fees=FeesChange(collection_status="full payment", discount_amount=Decimal("1.5")),
    )
    assert update.to_wire() == {
        "course": {"run": {"id": "900101"}},
        "trainee": {
            "email": EMAIL,
            "contactNumber": {"countryCode": "+65", "areaCode": "", "phoneNumber": "8"},
        },
        "fees": {"discountAmount": 1.5, "collectionStatus": "Full Payment"},
    }


def test_replies_take_what_ssg_is_known_to_send() -> None:
    bare = EnrolmentView.model_validate({"referenceNumber": "ENR-1"})
    assert (bare.trainee.email, bare.course.run.id, bare.trainee.employer.uen) == (None, None, None)
    odd = EnrolmentView.model_validate(
        {
            "referenceNumber": "ENR-1",
            "status": "confirmed",
            "new": {"member": 1},
            "course": {"run": {"id": 850064, "startDate": 20261001, "endDate": ""}},
            "trainee": {
                "idType": {"type": "nric"},
                "email": {"full": ""},
                "employer": None,
                "fees": {"discountAmount": "1,500.00", "collectionStatus": "full payment"},
            },
        }
    )
    assert odd.status == "Confirmed"
    assert (odd.course.run.id, odd.course.run.start_date) == (850064, dt.date(2026, 10, 1))
    assert odd.course.run.end_date is None
    assert (odd.trainee.id_type, odd.trainee.email) == ("NRIC", None)
    assert odd.trainee.fees.discount_amount == Decimal(1500)
    assert odd.trainee.fees.collection_status == "Full Payment"
    old = EnrolmentView.model_validate(
        {
            "referenceNumber": "ENR-1",
            "course": {"run": {"id": "TCA-WSS 7a"}},
            "trainee": {"dateOfBirth": "1952-00-00"},
        }
    )
    assert (old.course.run.id, old.trainee.date_of_birth) == (None, None)
    moment = dt.datetime(2026, 10, 1, 4, 1, 54, tzinfo=dt.UTC)
    assert parse_instant("2026-10-01T04:01:54Z") == parse_instant("2026-10-01 12:01:54") == moment
