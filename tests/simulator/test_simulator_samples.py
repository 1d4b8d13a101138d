"""Replies equal in shape, types, key names, key order and texts to what UAT answered (ssg-api 3, 13)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from simulator_wire import (
    COURSE,
    FOREIGN,
    OTHER_UEN,
    SKILL,
    SKILLED,
    UEN,
    Sim,
    encrypt,
    enrolment,
    fixture,
    put,
)

LOCAL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z")
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
FORMS = (
    LOCAL,
    UTC,
    re.compile(r"(ENR|ASM|GRN)-\d{4}-\d{6}\Z"),
    re.compile(r"\d{4}-\d\d-\d\d\Z"),
    re.compile(r"\d{8}\Z"),
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"),
    re.compile(r"[0-9a-f]{32}\Z"),
    re.compile(r"\*{5}\d{3}[A-Z]\Z"),
    re.compile(r"https://uat\.\S+/RA\d+\Z"),
    re.compile(r"TGS-\d{10}-\d{6}-S\d+\Z"),
)


def same_form(ours: Any, theirs: Any, path: str = "$") -> None:
    """The same keys in the same order, the same types, and texts of the same form."""
    assert type(ours) is type(theirs), f"{path}: {ours!r} against {theirs!r}"
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), path
        for key in theirs:
            same_form(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(theirs, list):
        assert bool(ours) == bool(theirs), path
        for item in ours:
            same_form(item, theirs[0], f"{path}[]")
    elif isinstance(theirs, str):
        for form in FORMS:
            assert bool(form.match(ours)) == bool(form.match(theirs)), f"{path}: {ours!r} against {theirs!r}"
        assert bool(ours) == bool(theirs), f"{path}: {ours!r} against {theirs!r}"


def test_the_comparison_itself_notices_every_kind_of_difference() -> None:
    """A guard that cannot fail is none."""
    pairs = [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1, "1"),
        ([], [1]),
        ("2025-10-28T04:01:54Z", "2025-10-28 04:01:54"),
        ("", "x"),
        ({"a": None}, {"a": ""}),
        (1, 1.0),
    ]
    for ours, theirs in pairs:
        with pytest.raises(AssertionError):
            same_form(ours, theirs)


# Enrolment workbook
def test_enrolment_ts01_mismatched_uen(sim: Sim) -> None:
    body = enrolment(sim.run(), trainingPartner__uen="19203882S", course__referenceNumber="")
    assert sim.post("/tpg/enrolments", body) == (403, fixture("forbidden.response-403"))


@pytest.mark.parametrize(
    ("path", "value", "reply"),
    [
        ("trainingPartner.uen", "", "blank-tp-uen"),
        ("course.referenceNumber", "", "blank-course-ref"),
        ("course.referenceNumber", "XTC-123123", "bad-course-ref"),
    ],
)
def test_enrolment_ts02_missing_mandatory(sim: Sim, path: str, value: str, reply: str) -> None:
    body = enrolment(sim.run())
    put(body["enrolment"], path, value)
    assert sim.post("/tpg/enrolments", body) == (400, fixture(f"enrolment-create.response-400-{reply}"))


def test_enrolment_ts03_to_ts07_create_view_search_update_cancel(sim: Sim) -> None:
    run = sim.run(start=20251027)
    status, made = sim.post("/tpg/enrolments", enrolment(run))
    assert status == 200
    same_form(made, fixture("enrolment-create.response-200"))
    ref = made["data"]["enrolment"]["referenceNumber"]
    status, seen = sim.get(f"/tpg/enrolments/details/{ref}")
    expected = fixture("enrolment-view.response-200")
    same_form(seen, expected)
    for part in (seen, expected):  # what differs by nature
        part["data"]["enrolment"]["course"]["run"]["id"] = part["meta"] = part["data"]["enrolment"][
            "referenceNumber"
        ] = ""
    assert seen == expected
    status, found = sim.post(
        "/tpg/enrolments/search", fixture("enrolment-search.request", uen=UEN, course=COURSE, run=run)
    )
    same_form(found, fixture("enrolment-search.response-200"))
    assert [row["enrolment"]["referenceNumber"] for row in found["data"]] == [ref] and found["meta"][
        "totalRecords"
    ] == 1
    status, changed = sim.post(f"/tpg/enrolments/details/{ref}", fixture("enrolment-update.request", run=run))
    same_form(changed, fixture("enrolment-update.response-200"))
    assert changed["data"]["enrolment"] == {"referenceNumber": ref, "status": "Confirmed"}
    trainee = sim.get(f"/tpg/enrolments/details/{ref}")[1]["data"]["enrolment"]["trainee"]
    assert (
        trainee["email"] == {"full": "new@example.test"}
        and trainee["contactNumber"]["phoneNumber"] == "92000001"
    )
    assert trainee["fees"] == {"discountAmount": "0", "collectionStatus": "Full Payment"}
    assert trainee["employer"]["contact"]["fullName"] == "Made Up Contact"  # blanks change nothing
    status, gone = sim.post(f"/tpg/enrolments/details/{ref}", fixture("enrolment-cancel.request", run=run))
    same_form(gone, fixture("enrolment-cancel.response-200"))
    assert gone["data"]["enrolment"]["status"] == "Cancelled"
    assert sim.get(f"/tpg/enrolments/details/{ref}")[1]["data"]["enrolment"]["status"] == "Cancelled"
    for path, body in (
        (f"details/{ref}", fixture("enrolment-update.request", run=run)),
        (f"details/{ref}", fixture("enrolment-cancel.request", run=run)),
        (f"feeCollections/{ref}", {"enrolment": {"fees": {"collectionStatus": "Full Payment"}}}),
    ):
        status, refused = sim.post(f"/tpg/enrolments/{path}", body)
        assert status == 400 and refused["error"]["details"][0]["message"].startswith("TGS-439")


def test_enrolment_ts08_fee_collection(sim: Sim) -> None:
    ref = sim.enrol(sim.run())
    status, reply = sim.post(
        f"/tpg/enrolments/feeCollections/{ref}",
        {"enrolment": {"fees": {"collectionStatus": "partial payment"}}},
    )
    assert status == 200
    same_form(reply, fixture("enrolment-fees.response-200"))
    fees = sim.get(f"/tpg/enrolments/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fees"]
    assert fees["collectionStatus"] == "Partial Payment"


def test_an_individual_has_an_empty_employer(sim: Sim) -> None:
    ref = sim.enrol(
        sim.run(),
        trainee__sponsorshipType="INDIVIDUAL",
        trainee__employer=None,
        trainee__fees__discountAmount=1500,
    )
    trainee = sim.get(f"/tpg/enrolments/details/{ref}")[1]["data"]["enrolment"]["trainee"]
    empty = {"countryCode": "", "areaCode": "", "phoneNumber": ""}
    assert trainee["employer"] == {
        "uen": "",
        "name": "",
        "contact": {"fullName": "", "contactNumber": empty, "email": {"full": ""}},
    }
    assert trainee["sponsorshipType"] == "Individual" and trainee["fees"]["discountAmount"] == "1500"


# Assessment workbook
def test_assessment_ts01_ts02_refusals(sim: Sim) -> None:
    run = sim.run()
    body = fixture(
        "assessment-create.request", uen=UEN, course=COURSE, run=run, trainee="S9999107J", skill=""
    )
    put(body, "assessment.trainingPartner.uen", "19203882S")
    assert sim.post("/tpg/assessments", body) == (403, fixture("forbidden.response-403"))
    put(body, "assessment.trainingPartner.uen", UEN)
    for value, name in (("XTC-123123", "bad-course-ref"), ("", "blank-course-ref")):
        put(body, "assessment.course.referenceNumber", value)
        assert sim.post("/tpg/assessments", body) == (400, fixture(f"assessment-create.response-400-{name}"))


def test_assessment_ts03_to_ts07_create_view_search_update_void(sim: Sim) -> None:
    run = sim.run(start=20251027)
    enrolled = sim.enrol(run)
    body = fixture(
        "assessment-create.request",
        uen=UEN,
        course=COURSE,
        run=run,
        trainee="S9999107J",
        skill="AAA-BBB-1000-1.1",
    )
    status, made = sim.post("/tpg/assessments", body)
    assert status == 200, made
    same_form(made, fixture("assessment-create.response-200"))
    ref = made["data"]["assessment"]["referenceNumber"]
    seen = sim.get(f"/tpg/assessments/details/{ref}")[1]
    same_form(seen, fixture("assessment-view.response-200"))
    assert seen["data"]["enrolment"]["referenceNumber"] == enrolled and seen["data"]["score"] == 80
    search = fixture("assessment-search.request", uen=UEN, course=COURSE, run=run)
    found = sim.post("/tpg/assessments/search", search)[1]
    same_form(found, fixture("assessment-search.response-200"))
    assert found["data"][0]["score"] == "80" and found["data"][0]["skillCode"] == ""
    update = fixture("assessment-update.request", action="update", skill="")
    same_form(
        sim.post(f"/tpg/assessments/details/{ref}", update)[1], fixture("assessment-update.response-200")
    )
    void = fixture("assessment-update.request", action="void", skill="")
    same_form(sim.post(f"/tpg/assessments/details/{ref}", void)[1], fixture("assessment-void.response-200"))
    after = sim.get(f"/tpg/assessments/details/{ref}")[1]["data"]
    assert (after["result"], after["score"], after["grade"]) == ("Void", 90, "A")
    assert sim.post(f"/tpg/assessments/details/{ref}", update)[0] == 400


def test_a_skill_code_that_is_not_the_courses_is_tgs_425(sim: Sim) -> None:
    run = sim.run(SKILLED)
    sim.enrol(run, course=SKILLED)
    fill = {"uen": UEN, "course": SKILLED, "run": run, "trainee": "S9999107J"}
    status, reply = sim.post(
        "/tpg/assessments", fixture("assessment-create.request", skill="AAA-BBB-1000-1.1", **fill)
    )
    assert status == 400 and reply["error"]["details"][0]["message"].startswith("TGS-425")
    status, reply = sim.post("/tpg/assessments", fixture("assessment-create.request", skill=SKILL, **fill))
    ref = reply["data"]["assessment"]["referenceNumber"]
    view = sim.get(f"/tpg/assessments/details/{ref}")[1]["data"]
    assert view["skillCode"] == SKILL and list(view)[-3:] == ["skillCode", "conferringInstitute", "enrolment"]


# Publish, edit and retrieve workbooks
def test_publish_read_back_edit_and_delete(sim: Sim) -> None:
    status, made = sim.post(
        "/courses/courseRuns/publish?includeExpiredCourses=True",
        fixture("courserun-publish.request", uen=UEN, course=COURSE),
    )
    assert status == 200, made
    same_form(made, fixture("courserun-publish.response-200"))
    run = made["data"]["runs"][0]["id"]
    status, seen = sim.get(f"/courses/courseRuns/id/{run}?includeExpiredCourses=true")
    same_form(seen, fixture("courserun-by-id.response-200"))
    reference = f"/courses/courseRuns/reference?uen={UEN}&courseReferenceNumber={COURSE}&page=0&pageSize=10"
    listed = sim.get(reference)[1]
    same_form(listed, fixture("courserun-by-reference.response-200"))
    assert sim.get(reference.replace("courseRuns/reference", "runs"))[1] == listed  # legacy alias
    edit = f"/courses/courseRuns/edit/{run}"
    assert sim.post(edit, fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)) == (
        200,
        fixture("courserun-edit.response-200"),
    )
    sessions = f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}"
    assert [s["id"][-2:] for s in sim.get(sessions)[1]["data"]["sessions"]] == ["S1", "S2"]
    assert len(sim.get(sessions + "&sessionMonth=122022")[1]["data"]["sessions"]) == 1
    delete = fixture(
        "courserun-edit.request.delete-session", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1"
    )
    assert sim.post(edit, delete)[0] == 200
    assert [s["id"][-2:] for s in sim.get(sessions)[1]["data"]["sessions"]] == ["S2"]
    assert sim.post(edit, fixture("courserun-delete.request", uen=UEN, course=COURSE)) == (
        200,
        fixture("courserun-edit.response-200"),
    )
    assert sim.get(f"/courses/courseRuns/id/{run}") == (404, fixture("courserun.response-404"))
    assert sim.get(reference)[0] == 404
    assert sim.get(sessions)[0] == 404


def test_sessions_without_a_venue(sim: Sim) -> None:
    run = sim.run(
        start=20251201,
        sessions=[
            {
                "startDate": "2025-12-01",
                "endDate": "2025-12-01",
                "startTime": "12:30:00",
                "endTime": "17:30",
                "modeOfTraining": "2",
            }
        ],
    )
    status, reply = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")
    expected = fixture("courserun-sessions.response-200")
    expected["data"]["sessions"][0]["id"] = f"{COURSE}-{run}-S1"
    assert (status, reply) == (200, expected)
    none = sim.run(sessions=[])
    status, reply = sim.get(f"/courses/runs/{none}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")
    assert status == 404 and reply["error"] == {
        "code": 404,
        "details": [],
        "errorId": "",
        "message": "Not Found",
    }


# Attendance workbook
def test_attendance_runs_sessions_attendance(sim: Sim) -> None:
    run = sim.run(
        start=20251201,
        sessions=[
            {
                "startDate": "20251201",
                "endDate": "20251201",
                "startTime": "12:30",
                "endTime": "17:30",
                "modeOfTraining": "2",
            },
            {"startDate": "20251201", "endDate": "20251201", "modeOfTraining": "4"},
        ],
    )
    one, two = f"{COURSE}-{run}-S1", f"{COURSE}-{run}-S2"
    view = f"/courses/runs/{run}/sessions/attendance?uen={UEN}&courseReferenceNumber={COURSE}"
    raw = sim.http.get(view + f"&sessionId={one}")
    assert not raw.text.startswith("{")  # encrypted
    status, empty = sim.read(raw)
    expected = fixture("attendance-view.response-200-empty")
    put(expected, "data.courseRun.id", run)
    expected["data"]["courseRun"]["sessions"][0]["id"] = one
    assert (status, empty) == (200, expected)
    sim.enrol(run)
    upload = fixture("attendance-upload.request", uen=UEN, course=COURSE, session=two)
    raw = sim.http.post(view, content=encrypt(json.dumps(upload)))  # bare
    assert raw.json() == {"data": {}, "error": {}, "meta": {}, "status": 200}
    seen = sim.get(view + f"&sessionId={two}")[1]
    same_form(seen, fixture("attendance-view.response-200"))
    row = seen["data"]["courseRun"]["sessions"][0]["attendance"][0]
    assert row["numberOfHours"] == "3.5" and row["nric"] == "S9999107J" and row["editedByTP"] == "No"
    put(upload, "course.attendance.status.code", "4")
    assert sim.post(view, upload)[0] == 200
    row = sim.get(view)[1]["data"]["courseRun"]["sessions"][1]["attendance"][0]
    assert (row["status"], row["editedByTP"]) == ("TP Voided", "Yes") and sim.get(view)[1]["meta"] == {
        "total": 1
    }
    assert sim.get(f"/courses/courseRuns/id/{run}")[1]["data"]["course"]["run"]["attendanceTaken"] is True
    assert [
        s["attendanceTaken"] for s in sim.get(view.replace("/attendance", ""))[1]["data"]["sessions"]
    ] == [False, True]


# Grants, credit, other
def test_grants_appear_and_move(sim: Sim) -> None:
    sim.control("clock", {"set": "2025-10-28T12:00:00", "frozen": True})
    run = sim.run(SKILLED, start=20251027)
    ref = sim.enrol(run, course=SKILLED)
    search = fixture("grant-search.request", uen=UEN, course=SKILLED, run=run, enrolment=ref)
    assert sim.post("/tpg/grants/search", search)[0] == 404
    sim.control("clock", {"advance_seconds": 61})
    status, found = sim.post("/tpg/grants/search", search)
    same_form(found, fixture("grant-search.response-200"))
    assert {g["fundingScheme"]["code"] for g in found["data"]} == {"BASELINE", "MCES"}
    assert [
        g["grantAmount"]["estimated"] for g in sorted(found["data"], key=lambda g: g["referenceNumber"])
    ] == ["400.00", "160.00"]
    sim.control("clock", {"advance_seconds": 3600})
    grant = found["data"][0]["referenceNumber"]
    seen = sim.get(f"/tpg/grants/details/{grant}")[1]["data"]
    assert seen["status"] == "Completed" and seen["grantAmount"]["paid"] == seen["grantAmount"]["estimated"]
    sim.post(f"/tpg/enrolments/details/{ref}", fixture("enrolment-cancel.request", run=run))
    assert {g["status"] for g in sim.post("/tpg/grants/search", search)[1]["data"]} == {"Cancelled"}


def test_the_credit_journey(sim: Sim) -> None:
    base = "/skillsFutureCredits/claims"
    sealed = sim.post(f"{base}/encryptRequests", fixture("sfc-encrypt.request"))[1]["data"]["claimRequest"]
    back = sim.control("sfc-payment", {"claimRequest": sealed})["claimRequestStatus"]
    reply = sim.post(f"{base}/decryptRequests", {"claimRequestStatus": back})[1]
    same_form(reply, fixture("sfc-decrypt.response-200"))
    claim = reply["data"]["claimRequestStatus"]["claim"]["id"]
    paper = {
        "fileName": "a.pdf",
        "fileSize": "0.1",
        "fileType": "pdf",
        "attachmentId": "1",
        "attachmentByte": "QQ==",
    }
    assert (
        sim.post(f"{base}/{claim}/supportingdocuments", {"nric": "T9999001A", "attachments": [paper]})[0]
        == 200
    )
    assert (
        sim.post(
            f"{base}/{claim}/supportingdocuments",
            {"nric": "T9999001A", "attachments": [{**paper, "fileType": "exe"}]},
        )[0]
        == 400
    )
    assert sim.post(f"{base}/{claim}", {"nric": "T9999001A", "claimCancelCode": "99"})[0] == 400
    assert sim.post(f"{base}/{claim}", {"nric": "T9999001A", "claimCancelCode": "51"})[0] == 200
    assert sim.get(f"{base}/{claim}?nric=T9999001A")[1]["data"]["claim"]["status"] == "Cancelled"
    assert sim.get(f"{base}/{claim}?nric=S9999107J")[0] == 404


def test_trainers_are_listed_masked_added_updated_and_deleted(sim: Sim) -> None:
    path = f"/trainingProviders/{UEN}/trainers"
    one = sim.get(path + "?page=0&pageSize=20")[1]
    assert (
        one["meta"] == {"total": 1, "page": 0, "pageSize": 20}
        and one["data"]["trainers"][0]["idNumber"] == "*****111I"
    )
    key = one["data"]["trainers"][0]["id"]
    assert sim.post(f"{path}/{key.upper()}", fixture("trainer-update.request")) == (
        200,
        {"data": {}, "error": {}, "meta": {}, "status": 200},
    )
    renamed = sim.get(path + "?keyword=renamed")[1]["data"]["trainers"][0]
    assert renamed["qualifications"] == [
        {"description": "First degree", "level": {"code": "71", "description": "First degree"}}
    ]
    assert (
        sim.http.post(f"{path}/{key}", json=fixture("trainer-update.request")).status_code == 400
    )  # plain [A]
    fresh = fixture("trainer-update.request")["trainer"] | {"idNumber": "S9999101A"}
    status, added = sim.post(path, {"trainer": fresh})
    assert status == 200 and sim.get(path)[1]["meta"]["total"] == 2
    assert sim.post(f"{path}/{added['data']['trainer']['id']}", {"trainer": {"action": "delete"}})[0] == 200
    assert sim.get(path)[1]["meta"]["total"] == 1
    assert sim.get(f"/trainingProviders/{OTHER_UEN}/trainers")[0] == 403


def test_look_ups_registry_calculator_applications(sim: Sim) -> None:
    assert {row["code"] for row in sim.get("/tpg/codes/grants/fundingComponent")[1]["data"]} == {
        "CF",
        "AF",
        "AP",
        "TA",
    }
    assert (
        sim.get("/tpg/codes/enrolments/sponsorshipType")[0]
        == sim.get("/tpg/codes/assessments/idType")[0]
        == 200
    )
    assert (
        sim.get("/tpg/codes/error/TGS-441")[1]["data"][0]["description"] == "Required fields cannot be blank"
    )
    assert sim.get("/tpg/codes/grants/nonsense")[0] == 404
    found = sim.http.post(
        "/tpg/courses/registry/search",
        json={"keyword": "wok", "page": 0, "pageSize": 20},
        headers={"UEN": UEN, "x-api-version": "v8.0"},
    )
    assert [c["referenceNumber"] for c in found.json()["data"]["courses"]] == [SKILLED]
    assert found.json()["data"]["courses"][0]["skills"][0]["code"] == SKILL
    assert sim.http.post("/tpg/courses/registry/search", json={"pageSize": 21}).status_code == 400
    assert sim.get(f"/tpg/courses/registry/details/{COURSE}")[1]["data"]["course"]["title"] == "Hawker Basics"
    assert sim.get(f"/tpg/courses/registry/details/{FOREIGN}")[0] == 404
    body = {"courses": [{"trainingPartnerUen": UEN, "courseReferenceNumber": SKILLED}]}
    estimate = sim.http.post("/grantCalculators/individual", json=body).json()["data"][0]["grants"][0]
    assert estimate["grantAmount"]["estimated"] == "400.00"
    wanted = {"uen": UEN, "page": 0, "pageSize": 20}
    assert sim.http.post("/courses/applications/trainingprovider/filter", json=wanted).status_code == 404
    sim.control(
        "seed", {"applications": [{"applicationStatus": "New", "course": {"courseReferenceNumber": COURSE}}]}
    )
    reply = sim.http.post("/courses/applications/trainingprovider/filter", json=wanted).json()
    assert (
        reply["meta"] == {"total": 1} and reply["data"]["courseApplications"][0]["applicationStatus"] == "New"
    )
