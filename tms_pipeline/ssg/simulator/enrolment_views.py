"""Enrolments as they are read: view and search (ssg-api 6.4, 6.5)."""

from __future__ import annotations

from typing import Any

from . import searching
from .calls import Call, local_meta
from .enrolments import fee_status, own
from .envelopes import Json, Reply, tpg_reply
from .fields import branch, dashed

FILTERS = {
    "status": "status",
    "course.referenceNumber": "course",
    "course.run.id": "runId",
    "trainee.id": "traineeId",
    "trainee.idType.type": "idType",
    "trainee.sponsorshipType": "sponsorship",
    "trainee.enrolmentDate": "enrolmentDate",
    "trainee.employer.uen": "employerUen",
    "trainee.fees.feeCollectionStatus": "collection",
    "trainingPartner.uen": "uen",
    "trainingPartner.code": "code",
}


def enrolment_view(call: Call, e: Json) -> Json:
    """The enrolment object of views and searches: `email.full`, amounts as texts (ssg-api 6.4)."""
    course = call.world.course(e["course"]) or {}
    run: Json = call.store.get("runs", e["runId"]) or {}
    partner = call.world.app_of(e["uen"])
    return {
        "referenceNumber": e["referenceNumber"],
        "status": e["status"],
        "trainingPartner": {"code": e["code"], "uen": e["uen"], "name": partner.name if partner else ""},
        "course": {
            "referenceNumber": e["course"],
            "title": course.get("title", ""),
            "run": {
                "id": e["runId"],
                "startDate": dashed(run.get("start")),
                "endDate": dashed(run.get("end")),
            },
        },
        "trainee": {
            "idType": {"type": e["idType"]},
            "id": e["traineeId"],
            "dateOfBirth": e["dateOfBirth"],
            "fullName": e["fullName"],
            "contactNumber": e["phone"],
            "email": {"full": e["email"]},
            "sponsorshipType": e["sponsorship"],
            "employer": {
                "uen": e["employerUen"],
                "name": e["employerName"],
                "contact": {
                    "fullName": e["contactName"],
                    "contactNumber": e["contactPhone"],
                    "email": {"full": e["contactEmail"]},
                },
            },
            "fees": {"discountAmount": e["discount"], "collectionStatus": e["collection"]},
            "enrolmentDate": e["enrolmentDate"],
        },
    }


def view(call: Call) -> Reply:
    """GET /tpg/enrolments/details/{ref}: status as text, local meta (ssg-api 3.1, 6.4)."""
    record = own(call)
    return tpg_reply({"enrolment": enrolment_view(call, record)}, local_meta(record), text_status=True)


def narrowed(call: Call, kind: str, filters: dict[str, str]) -> list[Json]:
    """The smallest index that covers the filters; never all records of all providers."""
    if "traineeId" in filters:
        found = call.store.find(f"{kind}_by_trainee", filters["traineeId"].upper())
    elif "runId" in filters:
        found = call.store.find(f"{kind}_by_run", filters["runId"])
    else:
        found = call.store.find(f"{kind}_by_uen", call.app.uen)
    return [record for record in found if searching.matches(record, filters)]


def search(call: Call) -> Reply:
    """POST /tpg/enrolments/search (ssg-api 6.5)."""
    win = searching.window(call, "enrolment", ("updatedOn", "createdOn"))
    body: Any = call.body
    filters = searching.wanted(body, "enrolment", FILTERS)
    status = fee_status(branch(body, "enrolment.trainee.fees"))
    if status:
        filters["collection"] = status
    found = narrowed(call, "enrolment", filters)

    def row(record: Json) -> Json:
        return {"enrolment": enrolment_view(call, record), "meta": local_meta(record)}

    return searching.answer(call, win, found, row, call.settings.empty_search_status, "No enrolment found")
