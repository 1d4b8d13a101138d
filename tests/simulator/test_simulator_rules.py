"""Rules, limits, leniency and switches of the simulator (ssg-api 3, 4 to 8, 14)."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from simulator_wire import (
    COURSE,
    FOREIGN,
    KEY,
    OTHER,
    OTHER_UEN,
    SKILLED,
    UEN,
    Sim,
    decrypt,
    encrypt,
    enrolment,
    fixture,
    put,
)

PATH = "/tpg/enrolments"


def search(page: Any = 0, size: Any = 50, **filters: Any) -> Any:
    return {
        "enrolment": {"trainingPartner": {"uen": UEN, "code": f"{UEN}-01"}, **filters},
        "parameters": {"page": page, "pageSize": size},
    }


# The wire
def test_both_body_forms_are_taken_and_the_object_form_is_not(sim: Sim) -> None:
    run = sim.run()
    token = encrypt(json.dumps(enrolment(run)))
    escaped = json.dumps(token).replace("/", "\\/")  # as PHP writes it
    for body in (token, json.dumps(token), escaped, f"  {token}\n"):
        reply = sim.http.post(PATH, content=body)
        assert reply.status_code == 200 and json.loads(decrypt(reply.text))["status"] == 200
    refused = {"status": 400, "error": {"message": "Unable to perform decryption due invalid request"}}
    for body in (
        json.dumps({"payload": token}),
        json.dumps(enrolment(run)),
        "",
        '""',
        encrypt("{}", OTHER),
        "AAAA",
    ):
        reply = sim.http.post(PATH, content=body)
        assert (reply.status_code, reply.json()) == (400, refused)


def test_ciphertext_of_no_json_is_a_business_400(sim: Sim) -> None:
    for text in ("hello", "[" * 100_000):
        reply = sim.http.post(PATH, content=encrypt(text))
        assert reply.status_code == 400 and json.loads(decrypt(reply.text))["error"]["details"]


@pytest.mark.parametrize(
    "value", [[], 7, "text", None, {}, {"enrolment": []}, {"enrolment": {"course": "x"}}]
)
def test_json_of_another_shape_is_refused_field_by_field(sim: Sim, value: Any) -> None:
    status, reply = sim.post(PATH, value)
    fields = [d["field"] for d in reply["error"]["details"]]
    assert status == 400 and "enrolment.trainee.id" in fields and fields[-1] == "course.referenceNumber"


def test_business_errors_travel_encrypted_and_gateway_errors_plain(sim: Sim) -> None:
    body = json.dumps(encrypt(json.dumps(enrolment(sim.run(), trainingPartner__uen="19203882S"))))
    assert not sim.http.post(PATH, content=body).text.startswith("{")
    sim.control("settings", {"encrypt_business_errors": False})
    assert sim.http.post(PATH, content=body).json() == fixture("forbidden.response-403")
    sim.control("settings", {"business_errors_http_200": True})
    reply = sim.http.post(PATH, content=body)
    assert (reply.status_code, reply.json()["status"]) == (200, 403)
    assert sim.http.post(PATH, content="?").status_code == 400


def test_replies_in_the_other_forms(sim: Sim) -> None:
    body = json.dumps(encrypt(json.dumps(search())))
    bare = sim.http.post(f"{PATH}/search", content=body).text
    sim.control("settings", {"reply_form": "quoted"})
    assert sim.http.post(f"{PATH}/search", content=body).json() == bare
    sim.control("settings", {"reply_form": "plain"})
    assert sim.http.post(f"{PATH}/search", content=body).json()["data"] == []
    sim.control("settings", {"reply_form": "bare", "encrypt_error_member": True})
    refused = sim.http.post(PATH, content=json.dumps(encrypt("{}"))).json()
    assert (
        refused["status"] == 400
        and json.loads(decrypt(refused["error"]))["message"] == "Enrolment cannot be created"
    )


def test_fee_collection_is_taken_unencrypted_unless_switched_off(sim: Sim) -> None:
    ref, body = sim.enrol(sim.run()), {"enrolment": {"fees": {"feeCollectionStatus": "PENDING PAYMENT"}}}
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json=body).status_code == 200
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json={"payload": "x"}).status_code == 400
    sim.control("settings", {"fee_collection_accepts_plain": False})
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json=body).status_code == 400


# Gateway
@pytest.mark.parametrize("version", ["", "v1", "v1.0", "1", "V3.0", "v3"])
def test_listed_versions_are_taken(sim: Sim, version: str) -> None:
    headers = {"X-API-Version": version} if version else {}
    assert sim.post(f"{PATH}/search", search(), **headers)[0] == 200


def test_unknown_and_expired_versions(sim: Sim) -> None:
    message = {"status": 403, "error": {"message": "This API version does not seem to exist"}}
    assert sim.post(f"{PATH}/search", search(), **{"x-api-version": "v9.9"}) == (403, message)
    expired = fixture("gateway.response-403")
    assert sim.post("/courses/runs", {}) == sim.post("/courses/runs/850001", {}) == (403, expired)
    # the version is judged before the body (14.3)
    assert sim.http.post(PATH, content="nonsense", headers={"x-api-version": "v9.9"}).json() == message


def test_subscription_certificate_and_other_providers(sim: Sim) -> None:
    stranger = {"X-Sim-Cert-Uen": OTHER_UEN}
    disallowed = {"status": 403, "error": {"message": "Access to this API has been disallowed"}}
    assert sim.get("/courses/courseRuns/id/1", **stranger) == (403, disallowed)
    assert sim.get("/courses/courseRuns/id/1", **{"X-Sim-Cert-Uen": "T00XX0000A"}) == (403, disallowed)
    ref = sim.enrol(sim.run())
    reply = sim.http.get(f"{PATH}/details/{ref}", headers=stranger)  # with the other's key
    assert reply.status_code == 403
    assert json.loads(decrypt(reply.text, OTHER)) == fixture("forbidden.response-403")
    body = json.dumps(
        encrypt(json.dumps({**search(), "enrolment": {"trainingPartner": {"uen": OTHER_UEN}}}), OTHER)
    )
    found = sim.http.post(f"{PATH}/search", content=body, headers=stranger)
    assert json.loads(decrypt(found.text, OTHER))["data"] == []


def test_wrong_paths_methods_and_trailing_slashes(sim: Sim) -> None:
    assert sim.get("/tpg/nothing")[0] == 404
    assert sim.http.put(PATH).status_code == 405
    assert sim.get("/courses/courseRuns/id/1/") == (404, fixture("courserun.response-404"))


def test_bearer_for_the_directory(sim: Sim) -> None:
    path = f"/courses/directory/{COURSE}"
    assert sim.get(path)[0] == 403
    form = {"grant_type": "client_credentials"}
    assert sim.http.post("/dp-oauth/oauth/token", data=form, auth=("cid", "wrong")).status_code == 401
    assert sim.http.post("/dp-oauth/oauth/token", data={}, auth=("cid", "shh")).status_code == 400
    reply = sim.http.post("/dp-oauth/oauth/token", data=form, auth=("cid", "shh")).json()
    assert sorted(reply) == ["access_token", "expires_in", "token_type"] and reply["expires_in"] == 1800
    bearer = {"Authorization": f"Bearer {reply['access_token']}"}
    assert sim.get(path, **bearer)[1]["data"]["courses"][0]["title"] == "Hawker Basics"
    assert sim.get(path + "/quality", **bearer)[1]["data"]["quality"]["numberOfRespondents"] == 0
    assert sim.get("/courses/directory?keyword=wok", **bearer)[1]["meta"]["total"] == 1
    assert (
        sim.get(path, **bearer, **{"x-api-version": "v1.1"})[1]["error"]["message"]
        == "Api Version has expired"
    )
    sim.control("clock", {"advance_seconds": 1801})
    assert sim.get(path, **bearer)[0] == 401


# Enrolment rules
REQUIRED = [
    "trainee.id",
    "trainee.fullName",
    "trainee.dateOfBirth",
    "trainee.emailAddress",
    "trainee.contactNumber.phoneNumber",
    "trainee.contactNumber.countryCode",
    "trainee.sponsorshipType",
    "trainee.fees.collectionStatus",
    "trainee.employer.uen",
    "trainee.employer.contact.emailAddress",
    "trainingPartner.code",
    "course.run.id",
    "trainee.idType.type",
]


@pytest.mark.parametrize("path", REQUIRED)
def test_each_required_field_is_tgs_441(sim: Sim, path: str) -> None:
    body = enrolment(sim.run())
    put(body["enrolment"], path, None)
    detail = {"field": f"enrolment.{path}", "message": "TGS-441 - Required fields cannot be blank"}
    status, reply = sim.post(PATH, body)
    assert status == 400 and reply["error"]["details"] == [detail]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("trainee.id", "9" * 21),
        ("trainee.fullName", "n" * 201),
        ("trainee.dateOfBirth", "01-02-1990"),
        ("trainee.sponsorshipType", "STATE"),
        ("trainee.fees.collectionStatus", "Cancelled"),
        ("trainee.fees.discountAmount", -1),
        ("trainee.idType.type", "PASSPORT"),
        ("course.run.id", "1"),
        ("course.referenceNumber", FOREIGN),
        ("trainee.enrolmentDate", "2025-02-30"),
    ],
)
def test_bad_values_are_refused(sim: Sim, path: str, value: Any) -> None:
    body = enrolment(sim.run())
    put(body["enrolment"], path, value)
    status, reply = sim.post(PATH, body)
    assert status == 400 and len(reply["error"]["details"]) == 1
    assert sim.control("counts")["records"]["enrolments"] == 0


def test_strangers_spellings_are_taken(sim: Sim) -> None:
    run = sim.run()
    body = enrolment(
        run,
        trainee__idType__type="nric",
        trainee__sponsorshipType="employer",
        trainee__fees__collectionStatus="full payment",
        unknown={"a": 1},
    )
    put(body, "enrolment.trainee.contactNumber", {"countryCode": 65, "areaCode": None, "phone": 81230001})
    put(body, "enrolment.trainee.emailAddress", None)
    put(body, "enrolment.trainee.email", "e@example.test")
    put(body, "enrolment.course.run.id", run)  # an int
    status, reply = sim.post(PATH, body, UEN=UEN)
    assert status == 200, reply
    view = sim.get(f"{PATH}/details/{reply['data']['enrolment']['referenceNumber']}")[1]["data"]["enrolment"]
    assert (
        view["course"]["run"]["id"] == str(run)
        and view["trainee"]["contactNumber"]["phoneNumber"] == "81230001"
    )
    assert view["trainee"]["email"] == {"full": "e@example.test"} and view["trainee"]["idType"] == {
        "type": "NRIC"
    }


@pytest.mark.parametrize("name", ["collectionStatus", "feecollectionStatus", "feeCollectionStatus"])
def test_the_three_spellings_of_the_fee_status(sim: Sim, name: str) -> None:
    ref = sim.enrol(sim.run())
    body = {"enrolment": {"action": "update", "fees": {name: "partial payment"}}}
    assert sim.post(f"{PATH}/details/{ref}", body)[0] == 200
    fees = sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fees"]
    assert fees["collectionStatus"] == "Partial Payment"


def test_an_update_may_point_to_another_run_of_the_same_course_only(sim: Sim) -> None:
    first, second, foreign = sim.run(), sim.run(), sim.run(SKILLED)
    ref = sim.enrol(first)
    move = {"enrolment": {"action": "Update", "course": {"run": {"id": str(second)}}}}
    assert sim.post(f"{PATH}/details/{ref}", move)[1]["data"]["enrolment"]["referenceNumber"] == ref
    assert sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["course"]["run"]["id"] == str(second)
    found = sim.post(f"{PATH}/search", search(course={"run": {"id": str(second)}}))[1]
    assert found["meta"]["totalRecords"] == 1  # the index moved with it
    assert (
        sim.post(f"{PATH}/search", search(course={"run": {"id": str(first)}}))[1]["meta"]["totalRecords"] == 0
    )
    put(move, "enrolment.course.run.id", str(foreign))
    assert sim.post(f"{PATH}/details/{ref}", move)[0] == 400
    assert sim.post(f"{PATH}/details/{ref}", {"enrolment": {"action": "Delete"}})[0] == 400
    assert sim.post(f"{PATH}/details/ENR-2510-999999", move)[1]["error"]["message"] == "Enrolment not found"


# Searching
@pytest.mark.parametrize(
    ("page", "size"), [(0, 0), (0, 101), (-1, 10), (0, "x"), (None, 10), (0, None), (0.5, 10)]
)
def test_search_paging_limits(sim: Sim, page: Any, size: Any) -> None:
    for path, body in (
        (f"{PATH}/search", search(page, size)),
        ("/tpg/assessments/search", {**search(page, size), "assessments": search()["enrolment"]}),
        ("/tpg/grants/search", {**search(page, size), "grants": search()["enrolment"]}),
    ):
        assert sim.post(path, body)[0] == 400


def test_search_pages_add_up_in_order(sim: Sim) -> None:
    run = sim.run()
    sim.control("clock", {"set": "2025-10-28T10:00:00", "frozen": True})
    made = []
    for n in range(7):
        made.append(sim.enrol(run, trainee=f"S99991{n:02d}A"))
        sim.control("clock", {"advance_seconds": 86400})
    pages = []
    for page in range(4):
        status, reply = sim.post(f"{PATH}/search", search(page, 3))
        assert status == 200 and reply["meta"]["totalRecords"] == 7
        pages.append([row["enrolment"]["referenceNumber"] for row in reply["data"]])
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert sum(pages, []) == made[::-1]  # updatedOn, newest first, is the default
    ascending = sim.post(f"{PATH}/search", {**search(), "sortBy": {"field": "createdOn", "order": "asc"}})[1]
    assert [row["enrolment"]["referenceNumber"] for row in ascending["data"]] == made
    window = {"lastUpdateDateFrom": "2025-10-29", "lastUpdateDateTo": "2025-10-30"}
    assert sim.post(f"{PATH}/search", {**search(), "meta": window})[1]["meta"]["totalRecords"] == 2
    one = sim.post(f"{PATH}/search", search(trainee={"id": "S9999103A"}))[1]
    assert [row["enrolment"]["referenceNumber"] for row in one["data"]] == [made[3]]
    status, reply = sim.post(f"{PATH}/search", search(status="Cancelled"))
    assert (status, reply["data"], reply["meta"]) == (200, [], {"totalRecords": 0})
    sim.control("settings", {"empty_search_status": 404})
    assert sim.post(f"{PATH}/search", search(status="Cancelled"))[0] == 404


def test_search_of_another_providers_or_nobodys_uen(sim: Sim) -> None:
    body = search()
    put(body, "enrolment.trainingPartner.uen", OTHER_UEN)
    assert sim.post(f"{PATH}/search", body) == (403, fixture("forbidden.response-403"))
    put(body, "enrolment.trainingPartner.uen", "")
    assert (
        sim.post(f"{PATH}/search", body)[1]["error"]["details"][0]["field"] == "enrolment.trainingPartner.uen"
    )


# Course runs
def publish(sim: Sim, **changes: Any) -> tuple[int, Any]:
    body = fixture("courserun-publish.request", uen=UEN, course=changes.pop("course", COURSE))
    for path, value in changes.items():
        put(body["course"]["runs"][0], path.replace("__", "."), value)
    return sim.post("/courses/courseRuns/publish", body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("registrationDates.opening", 20221127),
        ("registrationDates.opening", "x"),
        ("courseDates.start", 20230101),
        ("courseDates.end", None),
        ("scheduleInfo", ""),
        ("venue.room", ""),
        ("venue.floor", "1234"),
        ("registeredUserCount", 61),
        ("modeOfTraining", "10"),
        ("courseVacancy.code", "01"),
        ("courseAdminEmail", ""),
        ("intakeSize", -1),
    ],
)
def test_publish_rules(sim: Sim, path: str, value: Any) -> None:
    status, reply = publish(sim, **{path.replace(".", "__"): value})
    assert (
        status == 400 and reply["error"]["message"] == "Invalid input parameter(s)." and reply["meta"] == {}
    )
    assert any(d["field"].startswith("course.runs[0].") for d in reply["error"]["details"])
    assert sim.control("counts")["records"]["runs"] == 0


def test_publish_takes_several_runs_all_or_none(sim: Sim) -> None:
    body = fixture("courserun-publish.request", uen=UEN, course=COURSE)
    body["course"]["runs"] *= 3
    status, reply = sim.post("/courses/courseRuns/publish", body)
    assert status == 200 and len({run["id"] for run in reply["data"]["runs"]}) == 3
    body = json.loads(json.dumps(body))
    body["course"]["runs"][2]["scheduleInfo"] = ""
    assert sim.post("/courses/courseRuns/publish", body)[0] == 400
    assert sim.control("counts")["records"]["runs"] == 3
    sim.control("settings", {"strict_duplicate_runs": True})
    status, reply = publish(sim)
    assert status == 400 and reply["error"]["details"][0]["message"] == "course run already exist"


def test_publish_takes_ints_dashes_and_venueless_modes(sim: Sim) -> None:
    assert publish(sim, venue__postalCode=69141, sessions=[])[0] == 200
    status, reply = publish(
        sim,
        modeOfTraining="2",
        venue=None,
        linkCourseRunTrainer=None,
        sessions=[{"startDate": "2022-11-26", "endDate": "2022-12-01", "modeOfTraining": "2"}],
    )
    assert status == 200, reply
    run = reply["data"]["runs"][0]["id"]
    session = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")[1]["data"][
        "sessions"
    ][0]
    assert (session["startDate"], session["endDate"]) == ("20221126", "20221201")
    assert (session["startTime"], session["endTime"], session["venue"]["room"]) == ("00:00", "23:59", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"startDate": "20221125"}, "startDate"),
        ({"endTime": "15:00"}, "endTime"),
        ({"startTime": "25:00"}, "startTime"),
        ({"startDate": "tomorrow"}, "startDate"),
        ({"modeOfTraining": ""}, "modeOfTraining"),
        ({"venue": {}}, "venue.floor"),
    ],
)
def test_session_rules(sim: Sim, change: Any, field: str) -> None:
    session = fixture("courserun-publish.request", uen=UEN, course=COURSE)["course"]["runs"][0]["sessions"][0]
    status, reply = publish(sim, sessions=[{**session, **change}])
    assert status == 400 and reply["error"]["details"][0]["field"] == f"course.runs[0].sessions[0].{field}"


def test_a_session_id_is_not_reused_and_a_primary_venue_is_the_runs(sim: Sim) -> None:
    run = publish(sim)[1]["data"]["runs"][0]["id"]
    edit = f"/courses/courseRuns/edit/{run}"
    body = fixture(
        "courserun-edit.request.delete-session", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1"
    )
    assert sim.post(edit, body)[0] == 200
    assert sim.post(edit, body)[0] == 400  # it is gone
    add = fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)
    add["course"]["run"]["sessions"][0]["venue"] = {"primaryVenue": True}
    assert sim.post(edit, add)[0] == 200
    sessions = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")[1]["data"][
        "sessions"
    ]
    assert [s["id"] for s in sessions] == [f"{COURSE}-{run}-S2"] and sessions[0]["venue"]["room"] == "24"


def test_editing_replaces_the_trainers(sim: Sim) -> None:
    run = publish(sim)[1]["data"]["runs"][0]["id"]

    def trainers() -> list[Any]:
        view = sim.get(f"/courses/courseRuns/id/{run}")[1]["data"]["course"]["run"]
        return [t["trainer"]["name"] for t in view["linkCourseRunTrainer"]]

    assert trainers() == ["made up"]
    edit = {
        "course": {
            "courseReferenceNumber": COURSE,
            "trainingProvider": {"uen": UEN},
            "run": {"action": "update"},
        }
    }
    edit["course"]["run"]["linkCourseRunTrainer"] = [  # type: ignore[index]
        {"trainer": {"trainerType": {"code": "1", "description": "Existing"}, "idNumber": "s9999111i"}}
    ]
    assert sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 200
    assert trainers() == ["Trainer One"]
    put(edit, "course.run.linkCourseRunTrainer", None)
    assert (
        sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 200
    )  # partial is taken, and the list is gone
    assert trainers() == []
    status, reply = publish(
        sim, linkCourseRunTrainer=[{"trainer": {"trainerType": {"code": "1"}, "idNumber": "S0000000X"}}]
    )
    assert status == 400 and reply["error"]["details"][0]["message"] == "existing_trainer_notfound"
    sim.control("settings", {"strict_full_run_update": True})
    assert sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 400


def test_runs_with_enrolments_are_kept_unless_switched(sim: Sim) -> None:
    run = sim.run()
    ref, delete = sim.enrol(run), fixture("courserun-delete.request", uen=UEN, course=COURSE)
    assert sim.post(f"/courses/courseRuns/edit/{run}", delete)[0] == 400
    sim.control("settings", {"refuse_run_delete_with_enrolments": False})
    assert sim.post(f"/courses/courseRuns/edit/{run}", delete)[0] == 200
    assert sim.post(PATH, enrolment(run))[0] == 400
    assert sim.get(f"{PATH}/details/{ref}")[0] == 200


def test_runs_of_a_course_are_paged_newest_first(sim: Sim) -> None:
    runs = [sim.run(start=20250101 + n) for n in range(5)]
    path = f"/courses/courseRuns/reference?uen={UEN}&courseReferenceNumber={COURSE}"
    status, reply = sim.get(path + "&page=1&pageSize=2")
    assert [r["id"] for r in reply["data"]["course"]["runs"]] == runs[::-1][2:4] and reply["meta"] == {
        "total": 5
    }
    assert [r["id"] for r in sim.get(path + "&courseRunStartDate=20250103")[1]["data"]["course"]["runs"]] == [
        runs[2]
    ]
    for bad in ("&pageSize=101", "&pageSize=0", "&page=-1", "&page=x", "&courseRunStartDate=soon"):
        assert sim.get(path + bad)[0] == 400
    assert sim.get(f"/courses/courseRuns/reference?uen={UEN}")[0] == 400


def test_expired_courses_and_ended_support(sim: Sim) -> None:
    for value, status in (("false", 400), ("True", 200)):
        body = fixture("courserun-publish.request", uen=UEN, course="TGS-2018000001")
        assert sim.post(f"/courses/courseRuns/publish?includeExpiredCourses={value}", body)[0] == status
    assert publish(sim, course="TGS-2018000002")[0] == 400
    sim.control("settings", {"enforce_support_period": False})
    assert publish(sim, course="TGS-2018000002")[0] == 200


def test_legacy_references_with_spaces_and_signs(sim: Sim) -> None:
    name = "PA-EXAMPLE-01-Cook @ 7"
    assert publish(sim, course=name)[0] == 200
    reply = sim.http.get("/courses/courseRuns/reference", params={"uen": UEN, "courseReferenceNumber": name})
    assert reply.json()["meta"] == {"total": 1}
    run = publish(sim, course="TGS-2019000202")[1]["data"]["runs"][0]["id"]  # by external reference
    found = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={SKILLED}")[1]
    assert found["data"]["sessions"][0]["id"] == f"TGS-2019000202-{run}-S1"


# Attendance
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("course.sessionID", "X-1-S1"),
        ("course.attendance.status.code", "5"),
        ("course.attendance.trainee.id", ""),
        ("course.attendance.trainee.idType.code", "XX"),
        ("course.attendance.trainee.surveyLanguage.code", "ML"),
        ("course.referenceNumber", SKILLED),
        ("corppassId", ""),
        ("course.attendance.trainee.name", "n" * 67),
    ],
)
def test_attendance_refusals(sim: Sim, path: str, value: str) -> None:
    run = sim.run()
    body = fixture("attendance-upload.request", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1")
    put(body, path, value)
    status, reply = sim.post(f"/courses/runs/{run}/sessions/attendance", body)
    assert status == 400 and len(reply["error"]["details"]) == 1, reply


def test_attendance_contact_hours_and_enrolment(sim: Sim) -> None:
    run = sim.run(
        sessions=[{"startDate": "20261201", "endDate": "20261201", "modeOfTraining": "4"}], start=20261201
    )
    body = fixture("attendance-upload.request", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1")
    path, trainee = f"/courses/runs/{run}/sessions/attendance", body["course"]["attendance"]["trainee"]
    for hours, status in ((0.4, 400), (8.5, 400), (None, 400), (8, 200), ("0.5", 200)):
        trainee["numberOfHours"] = hours
        assert sim.post(path, body)[0] == status
    trainee["email"], trainee["contactNumber"]["mobile"] = "", 81230001
    assert sim.post(path, body)[0] == 200
    trainee["contactNumber"]["mobile"] = ""
    assert sim.post(path, body)[0] == 400
    row = sim.get(path)[1]["data"]["courseRun"]["sessions"][0]["attendance"][0]
    assert row["errorMessage"] and row["trainee"]["contactNumber"]["mobile"] == "81230001"
    body["uen"] = OTHER_UEN
    assert sim.post(path, body)[0] == 403
    sim.control("settings", {"strict_attendance_enrolled": True})
    body["uen"], trainee["contactNumber"]["mobile"] = UEN, "81230001"
    assert sim.post(path, body)[0] == 400
    other = sim.run()
    sim.control("settings", {"empty_attendance_status": 404})
    assert sim.get(f"/courses/runs/{other}/sessions/attendance?uen={UEN}")[0] == 404


# Switches and time
def test_strict_switches_on_enrolments(sim: Sim) -> None:
    run = sim.run()
    assert sim.enrol(run) != sim.enrol(run)  # duplicates are taken by default
    sim.control("settings", {"strict_duplicate_enrolments": True})
    assert sim.post(PATH, enrolment(run))[0] == 400
    assert sim.post(PATH, enrolment(run, trainee="S9999107A"))[0] == 200  # wrong check letter, not looked at
    sim.control("settings", {"strict_nric_checksum": True})
    assert sim.post(PATH, enrolment(run, trainee="S9999108A"))[0] == 400
    assert sim.post(PATH, enrolment(run, trainee="T1234567J"))[0] == 200
    sim.control("settings", {"strict_partner_code": True})
    assert sim.post(PATH, enrolment(run, trainee="M1234567K", trainingPartner__code="X-01"))[0] == 400
    sim.control("settings", {"strict_uen_header": True})
    assert sim.post(f"{PATH}/search", search(), uen=OTHER_UEN)[0] == 403
    assert (
        sim.post(
            "/tpg/grants/search", {"grants": search()["enrolment"], "parameters": {"page": 0, "pageSize": 1}}
        )[0]
        == 403
    )


def test_strict_past_dates_and_unique_assessments(sim: Sim) -> None:
    run, past = sim.run(), publish(sim)[1]["data"]["runs"][0]["id"]
    sim.control("settings", {"strict_past_sessions": True, "strict_past_registration": True})
    status, reply = publish(sim)
    assert status == 400 and len(reply["error"]["details"]) == 2
    body = fixture(
        "courserun-edit.request.delete-session", uen=UEN, course=COURSE, session=f"{COURSE}-{past}-S1"
    )
    assert (
        "Past sessions"
        in sim.post(f"/courses/courseRuns/edit/{past}", body)[1]["error"]["details"][0]["message"]
    )
    sim.control("settings", {"strict_completed_runs": True})
    body = fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)
    assert sim.post(f"/courses/courseRuns/edit/{past}", body)[0] == 400
    sim.enrol(run)
    body = fixture(
        "assessment-create.request", uen=UEN, course=COURSE, run=run, trainee="S9999107J", skill=""
    )
    assert sim.post("/tpg/assessments", body)[0] == sim.post("/tpg/assessments", body)[0] == 200
    sim.control("settings", {"strict_unique_assessments": True})
    assert sim.post("/tpg/assessments", body)[0] == 400
    put(body, "assessment.trainee.id", "S9999105H")
    assert "No enrolment" in sim.post("/tpg/assessments", body)[1]["error"]["details"][0]["message"]


def test_strict_fee_change_after_the_grant(sim: Sim) -> None:
    sim.control("settings", {"strict_fee_after_grant": True})
    ref, body = sim.enrol(sim.run()), {"enrolment": {"fees": {"collectionStatus": "Pending Payment"}}}
    sim.control("clock", {"advance_seconds": 4000})
    assert sim.post(f"{PATH}/feeCollections/{ref}", body)[0] == 400


def test_a_new_run_is_invisible_to_tpg_for_fifteen_minutes(sim: Sim) -> None:
    sim.control("settings", {"visibility_delay_seconds": 900})
    run = publish(sim)[1]["data"]["runs"][0]["id"]
    assert sim.get(f"/courses/courseRuns/id/{run}")[0] == 200
    assert sim.post(PATH, enrolment(run))[1]["error"]["details"][0]["field"] == "enrolment.course.run.id"
    sim.control("clock", {"advance_seconds": 901})
    assert sim.post(PATH, enrolment(run))[0] == 200


def test_references_carry_the_simulated_month_in_singapore(sim: Sim) -> None:
    run = sim.run()
    sim.control("clock", {"set": "2025-10-31T16:30:00+00:00", "frozen": True})  # 1 November in Singapore
    status, reply = sim.post(PATH, enrolment(run))
    ref = reply["data"]["enrolment"]["referenceNumber"]
    assert ref.startswith("ENR-2511-") and reply["meta"]["createdOn"] == "2025-10-31T16:30:00Z"
    assert sim.get(f"{PATH}/details/{ref}")[1]["meta"]["createdOn"] == "2025-11-01 00:30:00"


# Control
def test_control_puts_back_what_was_kept_numbering_and_all(sim: Sim) -> None:
    first = sim.enrol(sim.run())
    before = sim.control("state")
    sim.control("keep", {"name": "one"})
    sim.control("edit", {"kind": "enrolments", "key": first, "action": "cancel"})
    second = sim.enrol(sim.run())
    assert sim.control("counts")["records"]["enrolments"] == 2
    sim.control("faults", {"kind": "503", "endpoint": "*"})
    for _ in range(2):
        sim.control("put-back", {"name": "one"})
        assert sim.control("state") == before and sim.control("faults") == {"faults": []}
        assert sim.control("counts")["writes"] == {}
        assert sim.enrol(sim.run()) == second, "the next number is the next number again"
    assert httpx.post(sim.url + "/_control/put-back", json={"name": "two"}).status_code == 404
    assert httpx.post(sim.url + "/_control/keep", json={}).status_code == 400


def test_control_edit_seed_counts_and_calls(sim: Sim) -> None:
    run = sim.run()
    ref = sim.enrol(run)
    sim.control("edit", {"kind": "enrolments", "key": ref, "set": {"fullName": "Somebody Else"}})
    assert sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fullName"] == "Somebody Else"
    twin = sim.control("edit", {"kind": "enrolments", "key": ref, "action": "duplicate"})["record"][
        "referenceNumber"
    ]
    assert sim.post(f"{PATH}/search", search())[1]["meta"]["totalRecords"] == 2
    sim.control("edit", {"kind": "enrolments", "key": ref, "action": "cancel"})
    assert sim.control("counts")["live"]["enrolments"] == 1
    sim.control("edit", {"kind": "enrolments", "key": twin, "action": "delete"})
    assert sim.get(f"{PATH}/details/{twin}")[0] == 404
    sim.control("edit", {"kind": "runs", "key": run, "action": "cancel"})
    assert sim.get(f"/courses/courseRuns/id/{run}")[0] == 404
    sim.get("/courses/courseRuns/id/1", **{"X-Correlation-Id": "abc-1"})
    calls = sim.control("calls?limit=2")
    assert calls["calls"][0]["correlation"] == {"x-correlation-id": "abc-1"} and len(calls["calls"]) == 2
    assert calls["writes"] == {"enrolment.create": 1} and calls["counts"]["enrolment.view"] == 2
    assert set(sim.control("state?kind=runs")) == {"runs"}
    for body in (
        {"kind": "nonsense", "key": "1", "set": {"a": 1}},
        {"kind": "runs", "key": run, "set": {"nope": 1}},
        {"kind": "runs", "key": run, "set": {"start": "x"}},
        {"kind": "runs", "key": run, "action": "burn"},
    ):
        assert httpx.post(sim.url + "/_control/edit", json=body).status_code in (400, 404)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("settings", {"nonsense": 1}),
        ("settings", {"latency_ms": "fast"}),
        ("settings", {"strict_partner_code": 1}),
        ("clock", {}),
        ("clock", {"set": "yesterday"}),
        ("clock", {"advance_seconds": 1e300}),
        ("seed", {"ghosts": []}),
        ("seed", {"courses": [{}]}),
        ("seed", {"runs": [{"courseReferenceNumber": "none"}]}),
        ("seed", []),
        ("sfc-payment", {}),
        ("faults", {"kind": "meteor"}),
        ("faults", {"endpoint": "x.y", "kind": "slow"}),
    ],
)
def test_control_says_what_is_wrong(sim: Sim, name: str, body: Any) -> None:
    before = sim.control("state")
    reply = httpx.post(f"{sim.url}/_control/{name}", json=body)
    assert reply.status_code in (400, 404) and reply.json()["error"]
    assert sim.control("state") == before


def test_control_and_page_refuse_other_hosts_and_origins(sim: Sim) -> None:
    for path in ("/", "/_control/health", "/_control/state"):
        assert httpx.get(sim.url + path).status_code == 200
        assert httpx.get(sim.url + path, headers={"Host": "evil.example"}).status_code == 403
    assert (
        httpx.post(sim.url + "/_control/reset", headers={"Origin": "https://evil.example"}).status_code == 403
    )
    assert httpx.post(sim.url + "/_control/reset", headers={"Origin": sim.url}).status_code == 200


def test_the_page_shows_records_faults_and_calls_escaped(sim: Sim) -> None:
    sim.enrol(sim.run(), trainee__fullName="<script>x</script>")
    sim.fault("grant.search", "503")
    page = httpx.get(sim.url).text
    assert (
        "<script>" not in page
        and "&lt;script&gt;" in page
        and "grant.search" in page
        and "enrolment.create" in page
    )
    assert 'lang="en"' in page and "<caption>" in page and "http://" not in page and "https://" not in page


def test_the_vectors_of_the_specification() -> None:
    """The helper of these tests agrees with 2.3; the simulator agrees with the helper everywhere else."""
    assert encrypt("hello") == "oy7uWlpoiIULTs1Nfv7KrQ==" and len(base64.b64decode(KEY)) == 32
    text = '{"enrolment":{"fees":{"collectionStatus":"Full Payment"}}}'
    token = "0tq8qKRiUHgrmM6W+GXhhb4oeIgKehVGD4Py28s1laTUh1at5WqDX15UPwLesntOLcgaPK3wNpH7kfJr3caadA=="
    assert encrypt(text) == token and decrypt(token) == text
