"""Rules and searches of enrolments at the simulator (ssg-api 6)."""

from __future__ import annotations

from typing import Any

import pytest
from simulator_wire import (
    FOREIGN,
    OTHER_UEN,
    PATH,
    SKILLED,
    UEN,
    Sim,
    enrolment,
    fixture,
    put,
    search,
)

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
