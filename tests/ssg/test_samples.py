"""The shapes of SSG's bodies: requests come out of the client like them, replies go in."""

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentQuery, AssessmentUpdate
from tms_pipeline.ssg.attendance import AttendanceBody
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.course_run import CourseRunBody, CourseRunEdit
from tms_pipeline.ssg.credit import ClaimRequest
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.enrolment import EnrolmentBody, EnrolmentQuery
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.grant import GrantQuery
from tms_pipeline.ssg.trainer import RunTrainer, TrainerBody

from .hostile import hostile, reply
from .world import COURSE, KEY, NRIC, client, enrolment, fixture

REF = "ENR-2610-000001"


def answered(body: Any, call: Callable[[SsgClient], Any], *, encrypt: bool = True, status: int = 200) -> Any:
    text = json.dumps(body)
    text = BodyCipher(KEY).encrypt(text) if encrypt else text
    with hostile(reply(text, f"{status} x")) as server, client(server.url) as ssg:
        return call(ssg)


def requested(call: Callable[[SsgClient], Any]) -> tuple[str, Any]:
    """Request line and decrypted body of a call that is answered with nothing useful."""
    with hostile(reply("{}")) as server, client(server.url) as ssg:
        with pytest.raises(SsgError):
            call(ssg)
        sent = server.received[0]
    text = sent.body.decode()
    if text and not text.startswith("{"):
        text = BodyCipher(KEY).decrypt(json.loads(text))
    return sent.line, json.loads(text) if text else None


def without_blanks(value: Any) -> Any:
    """SSG reads "" as "no filter"; the client leaves such members out."""
    if isinstance(value, dict):
        return {k: v for k, x in value.items() if (v := without_blanks(x)) not in ("", {}, None)}
    return value


def test_publish() -> None:
    wanted = fixture("courserun-publish.request")
    runs = [CourseRunBody.model_validate(run) for run in wanted["course"]["runs"]]
    line, body = requested(lambda ssg: ssg.course_runs.publish(COURSE, runs))
    assert body == wanted
    assert line.startswith("POST /courses/courseRuns/publish?includeExpiredCourses=true ")
    ids = answered(
        fixture("courserun-publish.response-200-actual"), lambda ssg: ssg.course_runs.publish(COURSE, runs)
    )
    assert ids == [900101]


@pytest.mark.parametrize("name", ["update-run-and-session", "delete-session"])
def test_edit(name: str) -> None:
    wanted = fixture(f"courserun-edit.request.{name}")
    edit = CourseRunEdit.model_validate(wanted["course"]["run"])
    line, body = requested(lambda ssg: ssg.course_runs.edit(900101, COURSE, edit))
    assert body == wanted
    assert line.startswith("POST /courses/courseRuns/edit/900101?")
    assert (
        answered(fixture("courserun-edit.response-200-actual"), lambda s: s.course_runs.edit(1, COURSE, edit))
        is None
    )


def test_delete_run() -> None:
    _, body = requested(lambda ssg: ssg.course_runs.delete(900101, COURSE))
    assert body == fixture("courserun-delete.request")


def test_delete_of_a_run_that_is_gone_is_done_already() -> None:
    gone = fixture("courserun-by-id.response-404-actual")
    with pytest.raises(SsgError) as caught:
        answered(gone, lambda ssg: ssg.course_runs.delete(1, COURSE), encrypt=False, status=404)
    assert caught.value.error_class == "already_done"
    with pytest.raises(SsgError) as caught:
        answered(gone, lambda ssg: ssg.course_runs.view(1), encrypt=False, status=404)
    assert caught.value.code == "SSG-NOT-FOUND"


@pytest.mark.parametrize("name", ["actual", "expected"])
def test_run_by_id(name: str) -> None:
    body = fixture(f"courserun-by-id.response-200-{name}")
    course = body["data"]["course"]
    nestings = [
        body,
        {**body, "data": {"run": course["run"]}},
        {"status": 200, "course": course, "error": {}},
        {"status": "200", "run": course["run"]},
    ]
    views = [answered(nested, lambda ssg: ssg.course_runs.view(900101), encrypt=False) for nested in nestings]
    assert {view.id for view in views} == {900101}
    view = views[0]
    assert view.course_start == view.registration_opening == dt.date(2026, 10, 1)
    assert view.course.title == "Hawker Stall Hygiene"
    assert view.course.supports[0].period_to == dt.date(2026, 10, 1)
    assert view.venue.building in (None, "Hawker House")
    merged = CourseRunEdit.merged(
        view, trainers=[RunTrainer(id_number=NRIC)], intake_size=99, schedule_info="x"
    )
    assert merged.to_wire()["intakeSize"] == 99
    assert merged.to_wire()["linkCourseRunTrainer"][0]["trainer"]["trainerType"] == {
        "code": "1",
        "description": "Existing",
    }


@pytest.mark.parametrize("name", ["actual", "expected"])
def test_runs_by_reference(name: str) -> None:
    body = fixture(f"courserun-by-reference.response-200-{name}")
    page = answered(body, lambda ssg: ssg.course_runs.by_reference(COURSE), encrypt=False)
    assert [run.id for run in page.runs] == [900101, 900102]
    assert page.total == 2
    assert page.runs[0].course_end == dt.date(2026, 10, 1)
    found = answered(body, lambda ssg: list(ssg.course_runs.iter_by_reference(COURSE)), encrypt=False)
    assert len(found) == 2
    line, _ = requested(lambda ssg: ssg.course_runs.by_reference("PA-X @ Home"))
    assert "courseReferenceNumber=PA-X%20%40%20Home&page=0&pageSize=100" in line
    none = fixture("courserun-by-id.response-404-actual")
    empty = answered(none, lambda ssg: ssg.course_runs.by_reference(COURSE), encrypt=False, status=404)
    assert (empty.runs, empty.total) == ((), 0)


@pytest.mark.parametrize("name", ["actual", "expected"])
def test_sessions(name: str) -> None:
    body = fixture(f"courserun-sessions.response-200-{name}")
    sessions = answered(body, lambda ssg: ssg.course_runs.sessions(900101, COURSE), encrypt=False)
    assert sessions[0].id == f"{COURSE}-900101-S1"
    assert sessions[0].venue.room is None
    assert isinstance(sessions[0].start_time, dt.time)
    none = {
        "data": {},
        "error": {"code": 404, "details": [], "errorId": "", "message": "Not Found"},
        "meta": {},
    }
    assert (
        answered(none, lambda s: s.course_runs.sessions(1, COURSE, "102026"), encrypt=False, status=404) == []
    )


def test_attendance() -> None:
    body = fixture("attendance-view.response-200-expected")
    sessions = answered(body, lambda ssg: ssg.attendance.view(900101, COURSE))
    row = sessions[0].attendance[0]
    assert (row.status, row.status_code, row.number_of_hours) == ("Confirmed", "1", Decimal("3.5"))
    assert (row.trainee_id, row.trainee.id_type.code, row.edited_by_tp) == (NRIC, "SB", False)
    assert sessions[0].run_id == 900101
    empty = answered(
        fixture("attendance-view.response-200-actual-empty"), lambda s: s.attendance.view(1, COURSE)
    )
    assert empty[0].attendance == ()
    body["meta"]["total"] = 99
    with pytest.raises(SsgError) as caught:
        answered(body, lambda ssg: ssg.attendance.view(900101, COURSE))
    assert caught.value.code == "SSG-LIST-CHANGED"


def test_attendance_upload() -> None:
    wanted = fixture("attendance-upload.request")
    upload = AttendanceBody.model_validate(
        {
            "session_id": wanted["course"]["sessionID"],
            "course_reference": wanted["course"]["referenceNumber"],
            "status": "1",
            "trainee": wanted["course"]["attendance"]["trainee"],
        }
    )
    line, body = requested(lambda ssg: ssg.attendance.upload(900101, upload))
    assert body == wanted
    assert line.startswith("POST /courses/runs/900101/sessions/attendance ")
    assert (
        answered(fixture("attendance-upload.response-200"), lambda s: s.attendance.upload(1, upload)) is None
    )


def test_enrolment_create() -> None:
    wanted = fixture("enrolment-create.request")
    _, body = requested(lambda ssg: ssg.enrolments.create(EnrolmentBody.model_validate(wanted["enrolment"])))
    assert body == wanted
    _, body = requested(lambda ssg: ssg.enrolments.create(enrolment()))
    assert body == wanted
    for name in ("actual", "expected"):
        answer = answered(
            fixture(f"enrolment-create.response-200-{name}"), lambda ssg: ssg.enrolments.create(enrolment())
        )
        assert (answer.reference, answer.status) == (REF, "Confirmed")


@pytest.mark.parametrize(
    ("name", "status", "code", "fields"),
    [
        ("403-actual", 403, "SSG-TGS-405", ()),
        (
            "400-bad-course-ref-actual",
            400,
            "SSG-TGS-406",
            ("enrolment.course.referenceNumber", "course.referenceNumber"),
        ),
        ("400-bad-course-ref-expected", 400, "SSG-TGS-406", ("enrolment.course.referenceNumber",)),
        (
            "400-blank-course-ref-actual",
            400,
            "SSG-TGS-441",
            ("enrolment.course.referenceNumber", "course.referenceNumber"),
        ),
        (
            "400-blank-tp-uen-actual",
            400,
            "SSG-TGS-441",
            ("enrolment.trainingPartner.uen", "course.referenceNumber"),
        ),
        ("400-blank-tp-uen-expected", 400, "SSG-TGS-441", ("enrolment.trainingPartner.uen",)),
    ],
)
@pytest.mark.parametrize("encrypt", [True, False])
@pytest.mark.parametrize("as_200", [True, False])
def test_enrolment_refused(
    name: str, status: int, code: str, fields: tuple[str, ...], encrypt: bool, as_200: bool
) -> None:
    with pytest.raises(SsgError) as caught:
        answered(
            fixture(f"enrolment-create.response-{name}"),
            lambda ssg: ssg.enrolments.create(enrolment()),
            encrypt=encrypt,
            status=200 if as_200 else status,
        )
    assert (caught.value.code, caught.value.fields) == (code, fields)
    assert caught.value.error_class == "permanent"


def test_version_expired() -> None:
    with pytest.raises(SsgError) as caught:
        answered(
            fixture("enrolment-create.response-403-api-version"),
            lambda ssg: ssg.enrolments.create(enrolment()),
            encrypt=False,
            status=403,
        )
    assert caught.value.error_class == "configuration"


@pytest.mark.parametrize("name", ["actual", "expected"])
def test_enrolment_view(name: str) -> None:
    view = answered(fixture(f"enrolment-view.response-200-{name}"), lambda ssg: ssg.enrolments.view(REF))
    assert (view.reference_number, view.status, view.course.run.id) == (REF, "Confirmed", 900101)
    assert view.trainee.email == "made.up@example.test"
    assert view.trainee.sponsorship_type in ("EMPLOYER", "INDIVIDUAL")
    assert view.trainee.fees.discount_amount in (Decimal("50.25"), Decimal("0"))
    assert view.updated_on == dt.datetime(2026, 10, 1, 4, 1, 54, tzinfo=dt.UTC)
    assert NRIC not in repr(view) + str(view)


def test_enrolment_search() -> None:
    wanted = fixture("enrolment-search.request")
    query = EnrolmentQuery(
        status="Confirmed",
        course_reference=COURSE,
        run_id=900101,
        updated_from=dt.date(2026, 1, 1),
        updated_to=dt.date(2026, 12, 31),
        sort_order="asc",
        page_size=50,
    )
    _, body = requested(lambda ssg: ssg.enrolments.search(query))
    assert body == without_blanks(wanted)
    found = answered(
        fixture("enrolment-search.response-200-expected"), lambda ssg: list(ssg.enrolments.iter_search(query))
    )
    assert [row.reference_number for row in found] == ["ENR-2610-000001"]
    assert found[0].created_on is not None


def test_enrolment_changes() -> None:
    _, body = requested(lambda ssg: ssg.enrolments.cancel(REF, 900101))
    assert body == {"enrolment": {"action": "Cancel", "course": {"run": {"id": "900101"}}}}
    line, body = requested(lambda ssg: ssg.enrolments.update_fee(REF, "full payment"))
    assert body == {"enrolment": {"fees": {"collectionStatus": "Full Payment"}}}
    assert f"/tpg/enrolments/feeCollections/{REF} " in line
    for name in ("actual", "expected"):
        answer = answered(
            fixture(f"enrolment-cancel.response-200-{name}"), lambda ssg: ssg.enrolments.cancel(REF, 900101)
        )
        assert answer.status == "Cancelled"


def test_assessments() -> None:
    wanted = fixture("assessment-create.request")
    _, body = requested(
        lambda ssg: ssg.assessments.create(AssessmentBody.model_validate(wanted["assessment"]))
    )
    assert body == wanted
    update = AssessmentUpdate.model_validate(
        {k: v for k, v in fixture("assessment-update.request")["assessment"].items() if k != "action"}
    )
    _, body = requested(lambda ssg: ssg.assessments.update("ASM-2610-000001", update))
    assert body == fixture("assessment-update.request")
    for name in ("actual", "expected"):
        view = answered(
            fixture(f"assessment-view.response-200-{name}"), lambda s: s.assessments.view("ASM-2610-000001")
        )
        assert view.score in (80, 90)
        assert (view.trainee.id_type, view.enrolment_reference) == ("NRIC", REF)
        page = answered(
            fixture(f"assessment-search.response-200-{name}"),
            lambda s: s.assessments.search(AssessmentQuery()),
        )
        assert page.items[0].reference_number == "ASM-2610-000001"
        assert isinstance(page.items[0].score, int)
        answered(
            fixture(f"assessment-update.response-200-{name}"),
            lambda s: s.assessments.void("ASM-2610-000001", update),
        )
    query = AssessmentQuery(
        course_reference=COURSE,
        run_id=900101,
        updated_from=dt.date(2026, 1, 1),
        updated_to=dt.date(2026, 12, 31),
        sort_order="asc",
        page_size=50,
    )
    _, body = requested(lambda ssg: ssg.assessments.search(query))
    assert body == without_blanks(fixture("assessment-search.request"))


def test_grants() -> None:
    query = GrantQuery(
        enrolment_reference=REF,
        course_reference=COURSE,
        run_id=900101,
        updated_from=dt.date(2026, 1, 1),
        updated_to=dt.date(2026, 12, 31),
        page_size=20,
    )
    _, body = requested(lambda ssg: ssg.grants.search(query))
    assert body == without_blanks(fixture("grant-search.request"))
    page = answered(fixture("grant-search.response-200"), lambda ssg: ssg.grants.search(query))
    grant = page.items[0]
    assert (grant.grant_amount.estimated, grant.enrolment_reference) == (Decimal("100.00"), REF)
    assert grant.disbursement_date is None
    for status in (400, 404):
        none = {
            "status": status,
            "data": {},
            "meta": {},
            "error": {"message": "No grant found", "details": []},
        }
        assert answered(none, lambda ssg: ssg.grants.search(query), status=status).total == 0


def test_trainers() -> None:
    wanted = fixture("trainer-update.request")
    body = TrainerBody.model_validate({k: v for k, v in wanted["trainer"].items() if k != "action"})
    line, sent = requested(lambda ssg: ssg.trainers.update("abc", body))
    assert sent == wanted
    assert line.startswith("POST /trainingProviders/201912345K/trainers/abc ")
    listed = {
        "data": {
            "trainers": [{"id": "a", "idType": {"id": "SP"}, "roles": [{"role": {"id": 1}}], "photo": None}]
        },
        "meta": {"total": 1, "page": 0, "pageSize": 20},
        "status": 200,
    }
    page = answered(listed, lambda ssg: ssg.trainers.list())
    assert (page.items[0].id_type.id, page.items[0].roles[0].id) == ("SP", 1)
    assert len(answered(listed, lambda ssg: list(ssg.trainers.iter()))) == 1


def test_credit() -> None:
    wanted = fixture("sfc-encrypt.request")
    claim = ClaimRequest.model_validate(wanted["claimRequest"])
    _, body = requested(lambda ssg: ssg.credit.encrypt_request(claim))
    assert body == wanted
    status = answered(fixture("sfc-decrypt.response-200"), lambda ssg: ssg.credit.decrypt_request("abc"))
    assert (status.amount, status.transaction_status) == (Decimal("1.0"), "X")
    _, body = requested(lambda ssg: ssg.credit.cancel_claim("1", NRIC, "53"))
    assert body == {"nric": NRIC, "claimCancelCode": "53"}
    line, _ = requested(lambda ssg: ssg.credit.view_claim("1", NRIC))
    assert line.startswith(f"GET /skillsFutureCredits/claims/1?nric={NRIC} ")
