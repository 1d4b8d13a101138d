"""The scenarios of ssg-api 13, through the client, against the simulator as a real process."""

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentQuery, AssessmentUpdate
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.course_run import CourseRunEdit
from tms_pipeline.ssg.enrolment import (
    EnrolmentBody,
    EnrolmentQuery,
    EnrolmentUpdate,
    FeesChange,
    TraineeChange,
)
from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.ssg.grant import GrantQuery
from tms_pipeline.ssg.id_number import check_letter_fits
from tms_pipeline.ssg.paging import STEADY
from tms_pipeline.ssg.party import CourseAndRun, TrainingPartner
from tms_pipeline.ssg.session import SessionAdd, SessionDelete
from tms_pipeline.ssg.trainer import TRAINER_ROLE, RunTrainer, TrainerBody
from tms_pipeline.ssg.venue import SessionVenue

from .conftest import Simulator
from .world import (
    COURSE,
    EMAIL,
    NAME,
    NRIC,
    OTHER_KEY,
    UEN,
    assessment,
    attendance,
    client,
    course_run,
    enrolment,
)

START = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
TRAINER_NRIC = "S9999201H"
STRANGER = TrainingPartner(uen="199912345A", code="199912345A-01")


@pytest.fixture
def ssg(simulator: Simulator) -> Any:
    with client(simulator.url) as made:
        yield made


def failed(call: Callable[[], Any]) -> SsgError:
    with pytest.raises(SsgError) as caught:
        call()
    return caught.value


def made_up_nric(number: int) -> str:
    return next(
        text
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        if check_letter_fits(text := f"S9999{number:03d}{letter}")
    )


def published(ssg: SsgClient, **changes: Any) -> int:
    return ssg.course_runs.publish(COURSE, [course_run(START, START + dt.timedelta(days=1), **changes)])[0]


def new_trainer() -> RunTrainer:
    return RunTrainer(
        trainer_type="2",
        name=NAME,
        email=EMAIL,
        id_number=TRAINER_NRIC,
        id_type="SP",
        roles=(TRAINER_ROLE,),
        domain_area_of_practice="Made-up practice",
    )


def blank_partner(body: Any) -> Any:
    """A body that our models would refuse: what the test scripts send to see SSG refuse it."""
    return body.model_copy(
        update={"training_partner": TrainingPartner.model_construct(uen="", code=f"{UEN}-01")}
    )


def with_course(body: Any, reference: str) -> Any:
    course = CourseAndRun.model_construct(reference_number=reference, run_id=body.course.run_id)
    return body.model_copy(update={"course": course})


# ---- course runs ----


def test_publish_with_a_session_and_a_trainer_then_read_back(ssg: SsgClient) -> None:
    run_id = published(ssg, trainers=(new_trainer(),))
    view = ssg.course_runs.view(run_id)
    assert (view.id, view.course_start, view.course.reference_number) == (run_id, START, COURSE)
    assert view.trainers[0].id_number == "*****201H"
    assert view.registration_opening == START - dt.timedelta(days=20)
    page = ssg.course_runs.by_reference(COURSE, page_size=1)
    assert page.total == len(list(ssg.course_runs.iter_by_reference(COURSE, page_size=1)))
    assert [session.start_date for session in ssg.course_runs.sessions(run_id, COURSE)] == [START]
    assert len(ssg.course_runs.sessions(run_id, COURSE, START.strftime("%m%Y"))) == 1


def test_several_runs_in_one_call(ssg: SsgClient) -> None:
    runs = [course_run(START), course_run(START + dt.timedelta(days=7))]
    ids = ssg.course_runs.publish(COURSE, runs)
    assert [ssg.course_runs.view(run_id).course_start for run_id in ids] == [
        run.course_dates.start for run in runs
    ]


def test_edit_read_add_session_delete_session_delete_run(ssg: SsgClient) -> None:
    run_id = published(ssg, trainers=(new_trainer(),))
    keep = RunTrainer(id_number=TRAINER_NRIC)
    extra = SessionAdd(
        start_date=START + dt.timedelta(days=1),
        start_time="15:30",
        end_time="17:30",
        mode_of_training="1",
        venue=SessionVenue(primary_venue=True),
    )
    view = ssg.course_runs.view(run_id)
    ssg.trainers.add(trainer_body())
    ssg.course_runs.edit(
        run_id, COURSE, CourseRunEdit.merged(view, trainers=[keep], sessions=[extra], intake_size=44)
    )
    sessions = ssg.course_runs.sessions(run_id, COURSE)
    assert [session.id[-2:] for session in sessions] == ["S1", "S2"]
    view = ssg.course_runs.view(run_id)
    assert (view.intake_size, len(view.trainers)) == (44, 1)
    gone = SessionDelete(session_id=sessions[0].id, end_date=START)
    ssg.course_runs.edit(run_id, COURSE, CourseRunEdit.merged(view, trainers=[], sessions=[gone]))
    assert [s.id for s in ssg.course_runs.sessions(run_id, COURSE) if not s.deleted] == [sessions[1].id]
    assert ssg.course_runs.view(run_id).trainers == ()
    ssg.course_runs.delete(run_id, COURSE)
    assert failed(lambda: ssg.course_runs.view(run_id)).code == "SSG-NOT-FOUND"
    assert failed(lambda: ssg.course_runs.delete(run_id, COURSE)).error_class == "already_done"
    assert ssg.course_runs.sessions(run_id, COURSE) == []


def trainer_body(**changes: Any) -> TrainerBody:
    values: dict[str, Any] = {
        "name": NAME,
        "email": EMAIL,
        "id_number": TRAINER_NRIC,
        "id_type": "SP",
        "roles": (TRAINER_ROLE,),
        "domain_area_of_practice": "Made-up practice",
    }
    return TrainerBody(**{**values, **changes})


def test_trainers(ssg: SsgClient) -> None:
    before = ssg.trainers.list().total
    ssg.trainers.add(trainer_body())
    found = [trainer for trainer in ssg.trainers.iter() if (trainer.id_number or "").endswith("201H")]
    assert (len(found), ssg.trainers.list().total) == (1, before + 1)
    assert found[0].id
    ssg.trainers.update(found[0].id, trainer_body(experience="Much"))
    ssg.trainers.delete(found[0].id, trainer_body())
    assert ssg.trainers.list().total == before
    unknown = RunTrainer(id_number="S9999299J")
    error = failed(lambda: published(ssg, trainers=(unknown,)))
    assert (error.error_class, error.code) == ("permanent", "SSG-RUN-TRAINER-UNKNOWN")


# ---- enrolments ----


def test_enrolment_ts01_ts02_refusals(ssg: SsgClient) -> None:
    run_id = published(ssg)
    body = enrolment(run_id)
    cases: list[tuple[EnrolmentBody, str, int]] = [
        (body.model_copy(update={"training_partner": STRANGER}), "SSG-TGS-405", 403),
        (blank_partner(body), "SSG-TGS-441", 400),
        (with_course(body, ""), "SSG-TGS-441", 400),
        (with_course(body, "XTC-123123"), "SSG-TGS-406", 400),
    ]
    for wrong, code, status in cases:
        error = failed(partial(ssg.enrolments.create, wrong))
        assert (error.code, error.http_status, error.error_class) == (code, status, "permanent")
    assert ssg.enrolments.search(EnrolmentQuery(run_id=run_id)).total == 0


def test_enrolment_ts03_to_ts08(ssg: SsgClient) -> None:
    run_id, other_run = published(ssg), published(ssg)
    made = ssg.enrolments.create(enrolment(run_id))
    assert made.status == "Confirmed"
    assert made.reference.startswith("ENR-")
    view = ssg.enrolments.view(made.reference)
    assert (view.course.run.id, view.trainee.id, view.trainee.email) == (run_id, NRIC, EMAIL)
    assert view.trainee.fees.discount_amount == Decimal("50.25")
    assert (view.trainee.sponsorship_type, view.trainee.date_of_birth) == ("EMPLOYER", dt.date(1990, 1, 31))
    assert view.created_on == made.created_on
    found = list(
        ssg.enrolments.iter_search(EnrolmentQuery(run_id=run_id, trainee_id=NRIC, status="Confirmed"))
    )
    assert [row.reference_number for row in found] == [made.reference]
    update = EnrolmentUpdate(
        run_id=other_run,
        trainee=TraineeChange(email="other@example.test"),
        fees=FeesChange(collection_status="Partial Payment"),
    )
    assert ssg.enrolments.update(made.reference, update).reference == made.reference
    view = ssg.enrolments.view(made.reference)
    assert (view.course.run.id, view.trainee.email) == (other_run, "other@example.test")
    assert view.trainee.fees.collection_status == "Partial Payment"
    ssg.enrolments.update_fee(made.reference, "Full Payment")
    assert ssg.enrolments.view(made.reference).trainee.fees.collection_status == "Full Payment"
    assert ssg.enrolments.cancel(made.reference, other_run).status == "Cancelled"
    assert ssg.enrolments.view(made.reference).status == "Cancelled"
    assert failed(lambda: ssg.enrolments.cancel(made.reference, other_run)).error_class == "already_done"
    assert failed(lambda: ssg.enrolments.update(made.reference, update)).code == "SSG-TGS-439"
    assert (
        failed(lambda: ssg.enrolments.update_fee(made.reference, "Full Payment")).error_class == "permanent"
    )
    assert failed(lambda: ssg.enrolments.view("ENR-2001-000001")).code == "SSG-NOT-FOUND"


def test_search_over_pages(ssg: SsgClient) -> None:
    run_id = published(ssg)
    people = [made_up_nric(100 + n) for n in range(7)]
    references = [ssg.enrolments.create(enrolment(run_id, nric)).reference for nric in people]
    query = EnrolmentQuery(run_id=run_id, page_size=3, sort_by="createdOn", sort_order="asc")
    assert sorted(row.reference_number for row in ssg.enrolments.iter_search(query)) == sorted(references)
    assert ssg.enrolments.search(EnrolmentQuery(trainee_id=made_up_nric(999))).total == 0


def test_an_edit_while_pages_are_read_moves_no_row_of_a_list_in_the_order_of_creation(
    ssg: SsgClient, simulator: Simulator
) -> None:
    run_id = published(ssg)
    references = [ssg.enrolments.create(enrolment(run_id, made_up_nric(400 + n))).reference for n in range(5)]

    def read(edited: str, **order: str) -> list[str]:
        simulator.calm()
        simulator.fault("enrolment.search", "edited_elsewhere", reference=edited, on_call=[2])
        query = EnrolmentQuery.model_validate({"run_id": run_id, "page_size": 2, **order})
        return [row.reference_number for row in ssg.enrolments.iter_search(query)]

    for edited in references:
        assert read(edited, sort_by=STEADY, sort_order="asc") == references
    assert failed(lambda: read(references[0])).code == "SSG-LIST-CHANGED"  # as in SSG's own order


# ---- assessments, grants, attendance ----


def test_assessments(ssg: SsgClient) -> None:
    run_id = published(ssg)
    made_enrolment = ssg.enrolments.create(enrolment(run_id))
    body = assessment(run_id)
    cases: list[tuple[AssessmentBody, str, int]] = [
        (body.model_copy(update={"training_partner": STRANGER}), "SSG-TGS-405", 403),
        (with_course(body, ""), "SSG-TGS-441", 400),
        (with_course(body, "XTC-123123"), "SSG-TGS-406", 400),
    ]
    for wrong, code, status in cases:
        error = failed(partial(ssg.assessments.create, wrong))
        assert (error.code, error.http_status) == (code, status)
    made = ssg.assessments.create(body)
    assert made.reference.startswith("ASM-")
    view = ssg.assessments.view(made.reference)
    assert (view.result, view.score, view.grade) == ("Pass", 80, "B")
    assert view.enrolment_reference == made_enrolment.reference
    query = AssessmentQuery(run_id=run_id, course_reference=COURSE)
    assert [row.score for row in ssg.assessments.iter_search(query)] == [80]
    change = AssessmentUpdate(
        full_name=NAME, result="Pass", score=90, grade="A", assessment_date=dt.date(2026, 10, 5)
    )
    ssg.assessments.update(made.reference, change)
    assert ssg.assessments.view(made.reference).score == 90
    ssg.assessments.void(made.reference, change)
    view = ssg.assessments.view(made.reference)
    assert (view.result, view.score) == ("Void", 90)


def test_void_without_values(ssg: SsgClient) -> None:
    run_id = published(ssg)
    ssg.enrolments.create(enrolment(run_id))
    made = ssg.assessments.create(assessment(run_id))
    ssg.assessments.void(made.reference)
    assert ssg.assessments.view(made.reference).result == "Void"


def test_grants_appear_later(ssg: SsgClient, simulator: Simulator) -> None:
    made = ssg.enrolments.create(enrolment(published(ssg)))
    query = GrantQuery(enrolment_reference=made.reference)
    assert ssg.grants.search(query).total == 0
    simulator.control("POST", "clock", {"advance_seconds": 120})
    grants = list(ssg.grants.iter_search(query))
    assert grants
    assert grants[0].enrolment_reference == made.reference
    assert ssg.grants.view(grants[0].reference_number).status == grants[0].status


@pytest.mark.parametrize("status", [200, 400, 404])
def test_no_grants_in_every_way(ssg: SsgClient, simulator: Simulator, status: int) -> None:
    simulator.control("POST", "settings", {"empty_grants_status": status})
    assert ssg.grants.search(GrantQuery(enrolment_reference="ENR-2001-000001")).total == 0


def test_attendance(ssg: SsgClient) -> None:
    run_id = published(ssg)
    ssg.enrolments.create(enrolment(run_id))
    session = ssg.course_runs.sessions(run_id, COURSE)[0]
    assert [view.attendance for view in ssg.attendance.view(run_id, COURSE, session.id)] == [()]
    ssg.attendance.upload(run_id, attendance(session.id))
    (view,) = ssg.attendance.view(run_id, COURSE, session.id)
    assert [(row.trainee_id, row.status_code) for row in view.attendance] == [(NRIC, "1")]
    ssg.attendance.upload(run_id, attendance(session.id, status="4"))
    (view,) = ssg.attendance.view(run_id, COURSE)
    assert [row.status_code for row in view.attendance] == ["4"]
    assert ssg.course_runs.sessions(run_id, COURSE)[0].attendance_taken


# ---- the rest of the surface ----


def test_catalogue_codes_credit(ssg: SsgClient, simulator: Simulator) -> None:
    from tms_pipeline.ssg.catalogue import RegistryQuery

    with client(simulator.url, client_id=f"sim-client-{UEN}", client_secret="sim-secret") as known:
        for call in (known.catalogue.directory, known.catalogue.quality, known.catalogue.outcome):
            assert call(COURSE).data
        assert known.ping().token_checked
    assert COURSE in {course.reference_number for course in ssg.catalogue.iter_registry(RegistryQuery())}
    assert ssg.catalogue.registry_details(COURSE).reference_number == COURSE
    for kind, parameter in (
        ("grants", "fundingComponent"),
        ("enrolments", "sponsorshipType"),
        ("error", "TGS-441"),
    ):
        assert ssg.codes.look_up(kind, parameter).data  # type: ignore[arg-type]
    assert failed(lambda: ssg.credit.view_claim("1", NRIC)).error_class == "permanent"


def test_wrong_key_wrong_version_wrong_secret(simulator: Simulator) -> None:
    with client(simulator.url, encryption_key=OTHER_KEY) as ssg:
        assert failed(lambda: ssg.enrolments.create(enrolment())).error_class == "configuration"
    with client(simulator.url, api_versions={"enrolments": "v9.9"}) as ssg:
        assert failed(lambda: ssg.enrolments.create(enrolment())).code == "SSG-GATEWAY-VERSION-UNKNOWN"
    with client(simulator.url) as ssg:
        assert failed(lambda: ssg.catalogue.directory(COURSE)).code == "SSG-OAUTH"


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("as_200", [True, False])
@pytest.mark.parametrize("quoted", [True, False])
def test_where_sources_disagree_the_client_takes_both(
    simulator: Simulator, plain: bool, as_200: bool, quoted: bool
) -> None:
    settings = {
        "encrypt_business_errors": not plain,
        "business_errors_http_200": as_200,
        "empty_search_status": 404,
        "empty_attendance_status": 404,
    }
    simulator.control("POST", "settings", settings)
    with client(simulator.url, quoted_body=quoted) as ssg:
        run_id = published(ssg)
        session = ssg.course_runs.sessions(run_id, COURSE)[0]
        assert ssg.enrolments.search(EnrolmentQuery(run_id=run_id)).total == 0
        assert ssg.assessments.search(AssessmentQuery(run_id=run_id)).total == 0
        assert ssg.attendance.view(run_id, COURSE, session.id) == []
        error = failed(lambda: ssg.enrolments.create(with_course(enrolment(run_id), "XTC-1")))
        assert error.code == "SSG-TGS-406"
        made = ssg.enrolments.create(enrolment(run_id))
        ssg.enrolments.cancel(made.reference, run_id)
        assert failed(lambda: ssg.enrolments.cancel(made.reference, run_id)).error_class == "already_done"
        assert failed(lambda: ssg.enrolments.view("ENR-2001-000001")).error_class == "permanent"


STRICT = [
    ("strict_duplicate_runs", lambda ssg, run: published(ssg), "already_done"),
    ("strict_duplicate_enrolments", lambda ssg, run: ssg.enrolments.create(enrolment(run)), "already_done"),
    ("strict_unique_assessments", lambda ssg, run: ssg.assessments.create(assessment(run)), "already_done"),
]


@pytest.mark.parametrize(("setting", "again", "wanted"), STRICT, ids=[case[0] for case in STRICT])
def test_duplicates_where_ssg_is_strict(
    ssg: SsgClient, simulator: Simulator, setting: str, again: Callable[..., Any], wanted: str
) -> None:
    run_id = published(ssg)
    ssg.enrolments.create(enrolment(run_id))
    ssg.assessments.create(assessment(run_id))
    simulator.control("POST", "settings", {setting: True})
    assert failed(lambda: again(ssg, run_id)).error_class == wanted


# ---- faults: the class is right, and `unknown` never hides that nothing may be sent again ----

FAULTS = [
    ("timeout_before_commit", {"seconds": 2}, "unknown", 0),
    ("timeout_after_commit", {"seconds": 2}, "unknown", 1),
    ("reset_before_commit", {}, "unknown", 0),
    ("reset_after_commit", {}, "unknown", 1),
    ("429", {"retry_after": 3}, "retryable", 0),
    ("500", {}, "unknown", 0),
    ("500", {"commit": True}, "unknown", 1),
    ("502", {"commit": True}, "unknown", 1),
    ("503", {"retry_after": 3}, "unknown", 0),
    ("version_expired", {}, "configuration", 0),
    ("error_in_200", {}, "permanent", 0),
    ("error_in_200", {"code": "TGS-441 - Required fields cannot be blank"}, "permanent", 0),
    ("non_json", {"commit": True}, "unknown", 1),
    ("truncated", {}, "unknown", 1),
    ("truncated", {"close": False}, "unknown", 1),
    ("wrong_encryption", {}, "unknown", 1),
]


@pytest.mark.parametrize(("kind", "params", "wanted", "held"), FAULTS, ids=lambda value: str(value))
def test_faults_on_a_create(
    simulator: Simulator, kind: str, params: dict[str, Any], wanted: str, held: int
) -> None:
    with client(simulator.url, timeout_seconds=0.4) as ssg:
        run_id = published(ssg)
        simulator.fault("enrolment.create", kind, times=1, **params)
        error = failed(lambda: ssg.enrolments.create(enrolment(run_id)))
        assert error.error_class == wanted
        if "retry_after" in params:
            assert error.retry_after_seconds == 3
        time.sleep(0.05)
        assert ssg.enrolments.search(EnrolmentQuery(run_id=run_id, trainee_id=NRIC)).total == held
        if wanted not in ("unknown", "retryable"):
            return
        assert ssg.enrolments.create(enrolment(run_id)).status == "Confirmed"


@pytest.mark.parametrize(
    "kind", ["timeout_before_commit", "reset_before_commit", "500", "503", "truncated", "non_json"]
)
def test_faults_on_a_search_are_retryable(simulator: Simulator, kind: str) -> None:
    with client(simulator.url, timeout_seconds=0.4) as ssg:
        simulator.fault("enrolment.search", kind, times=1, **({"seconds": 2} if "timeout" in kind else {}))
        error = failed(lambda: ssg.enrolments.search(EnrolmentQuery()))
        assert error.error_class is ErrorClass.RETRYABLE
        assert ssg.enrolments.search(EnrolmentQuery()).total >= 0


def test_page_two_failing_and_empty(ssg: SsgClient, simulator: Simulator) -> None:
    run_id = published(ssg)
    for number in range(5):
        ssg.enrolments.create(enrolment(run_id, made_up_nric(300 + number)))
    query = EnrolmentQuery(run_id=run_id, page_size=2)
    simulator.fault("enrolment.search", "page_failing", page=1)
    assert failed(lambda: list(ssg.enrolments.iter_search(query))).error_class == "retryable"
    simulator.calm()
    simulator.fault("enrolment.search", "empty_page", page=1)
    assert failed(lambda: list(ssg.enrolments.iter_search(query))).code == "SSG-LIST-CHANGED"
    simulator.calm()
    assert len(list(ssg.enrolments.iter_search(query))) == 5


def test_over_mutual_tls(start_simulator: Callable[..., Any], tmp_path: Any) -> None:
    folder = tmp_path / "tls"
    with start_simulator("--tls", str(folder)) as simulator:
        ca, pair = folder / "server.crt", (folder / f"client-{UEN}.crt", folder / f"client-{UEN}.key")
        options: dict[str, Any] = {"oauth_base_url": "", "client_id": "", "ca_file": ca}
        with client(simulator.url, cert_file=pair[0], key_file=pair[1], **options) as ssg:
            assert ssg.ping().certificate_expires_at is not None
            assert published(ssg)
        with client(simulator.url, **options) as ssg:
            assert failed(ssg.ping).error_class == "credentials"
