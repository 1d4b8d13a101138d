"""Enrolments: create, update, cancel, fee collection (ssg-api 6.1 to 6.3)."""

from __future__ import annotations

from . import grants
from .calls import Call, World, local_meta, utc_meta
from .codes import COLLECTIONS, SPONSORSHIPS, TPG_ID_TYPES
from .envelopes import (
    BAD_COURSE,
    BAD_UEN,
    BLANK,
    NOT_OWNED,
    Json,
    Reply,
    detail,
    tpg_error,
    tpg_reply,
    wrong_uen,
)
from .fields import Problems, amount, branch, dig, first_text, iso_date, nric_valid, number, text

NOT_CREATED = "Enrolment cannot be created"
NOT_UPDATED = "Enrolment cannot be updated"
REQUIRED = (
    "trainingPartner.code",
    "trainingPartner.uen",
    "course.referenceNumber",
    "course.run.id",
    "trainee.id",
    "trainee.idType.type",
    "trainee.fullName",
    "trainee.dateOfBirth",
    "trainee.contactNumber.countryCode",
    "trainee.sponsorshipType",
    "trainee.fees.collectionStatus",
)
LIMITS = {
    "course.run.id": 20,
    "course.referenceNumber": 100,
    "trainee.id": 20,
    "trainee.fullName": 200,
    "trainee.emailAddress": 100,
    "trainee.contactNumber.countryCode": 5,
    "trainee.contactNumber.areaCode": 10,
    "trainee.contactNumber.phoneNumber": 20,
    "trainee.employer.uen": 50,
    "trainee.employer.contact.fullName": 50,
    "trainee.employer.contact.emailAddress": 100,
    "trainee.employer.contact.contactNumber.countryCode": 5,
    "trainee.employer.contact.contactNumber.areaCode": 10,
    "trainee.employer.contact.contactNumber.phoneNumber": 20,
    "trainingPartner.code": 20,
    "trainingPartner.uen": 20,
}


def _phone(given: Json) -> Json:
    return {
        "countryCode": text(given.get("countryCode")),
        "areaCode": text(given.get("areaCode")),
        "phoneNumber": first_text(given, "phoneNumber", "phone"),
    }


def _email(given: Json) -> str:
    return first_text(given, "emailAddress", "email")


def fee_status(fees: Json) -> str:
    """The fee status under any of its three spellings (ssg-api 6.2, 14.4)."""
    return first_text(fees, "collectionStatus", "feecollectionStatus", "feeCollectionStatus")


def _check_create(call: Call, given: Json) -> Problems:
    """Steps 5 to 8 of the check order (ssg-api 14.3); texts without a TGS code are our own."""
    trainee, problems = branch(given, "trainee"), Problems("enrolment.")
    problems.required(given, *REQUIRED)
    fees, employer = branch(trainee, "fees"), branch(trainee, "employer")
    if not _email(trainee):
        problems.add("trainee.emailAddress", BLANK)
    if not _phone(branch(trainee, "contactNumber"))["phoneNumber"]:
        problems.add("trainee.contactNumber.phoneNumber", BLANK)
    sponsor, kind = text(trainee.get("sponsorshipType")).upper(), text(dig(trainee, "idType.type")).upper()
    if sponsor == "EMPLOYER":
        contact = branch(employer, "contact")
        problems.required(
            given,
            "trainee.employer.uen",
            "trainee.employer.contact.fullName",
            "trainee.employer.contact.contactNumber.countryCode",
        )
        if not _email(contact):
            problems.add("trainee.employer.contact.emailAddress", BLANK)
        if not _phone(branch(contact, "contactNumber"))["phoneNumber"]:
            problems.add("trainee.employer.contact.contactNumber.phoneNumber", BLANK)
    if sponsor and sponsor not in SPONSORSHIPS:
        problems.add("trainee.sponsorshipType", "Invalid sponsorship type")
    if kind and kind not in TPG_ID_TYPES:
        problems.add("trainee.idType.type", "Invalid id type")
    status = text(fees.get("collectionStatus")).lower()
    if status and (status not in COLLECTIONS or status == "cancelled"):
        problems.add("trainee.fees.collectionStatus", "Invalid fee collection status")
    discount = fees.get("discountAmount")
    if discount is not None and text(discount) and (number(discount) is None or (number(discount) or 0) < 0):
        problems.add("trainee.fees.discountAmount", "Invalid discount amount")
    for name in ("dateOfBirth", "enrolmentDate"):
        if text(trainee.get(name)) and iso_date(trainee.get(name)) is None:
            problems.add(f"trainee.{name}", "Invalid date")
    if (
        call.settings.strict_nric_checksum
        and kind in ("NRIC", "FIN")
        and text(trainee.get("id"))
        and not nric_valid(text(trainee.get("id")))
    ):
        problems.add("trainee.id", "Invalid id number")
    problems.lengths(given, LIMITS)
    uen, code = text(dig(given, "trainingPartner.uen")), text(dig(given, "trainingPartner.code"))
    if call.settings.strict_partner_code and uen and code and not code.startswith(uen + "-"):
        problems.add("trainingPartner.code", BAD_UEN)
    reference = text(dig(given, "course.referenceNumber"))
    course = call.world.course(reference)
    if reference and course is None:
        problems.add("course.referenceNumber", BAD_COURSE)
    if not uen or course is None or course["uen"] != uen:
        problems.details.append(detail("course.referenceNumber", NOT_OWNED))
    elif text(dig(given, "course.run.id")) and _run(call, course["referenceNumber"], given) is None:
        problems.add("course.run.id", "Invalid course run id")
    return problems


def _run(call: Call, course: str, given: Json) -> Json | None:
    run = call.world.tpg_run(dig(given, "course.run.id"))
    return run if run is not None and run["course"] == course else None


def create(call: Call) -> Reply:
    """POST /tpg/enrolments: straight to Confirmed (ssg-api 6.1)."""
    given = branch(call.body, "enrolment")
    uen = text(dig(given, "trainingPartner.uen"))
    if uen and uen != call.app.uen:
        raise wrong_uen()
    problems = _check_create(call, given)
    trainee, run_id = branch(given, "trainee"), text(dig(given, "course.run.id"))
    if (
        call.settings.strict_duplicate_enrolments
        and not problems.details
        and any(
            e["status"] == "Confirmed" and e["runId"] == run_id
            for e in call.store.find("enrolment_by_trainee", text(trainee.get("id")).upper())
        )
    ):
        problems.add("trainee.id", "Trainee is already enrolled in the course run")
    course = call.world.course(dig(given, "course.referenceNumber"))
    if problems.details or course is None:
        raise tpg_error(400, NOT_CREATED, problems.details)
    employer, fees = branch(trainee, "employer"), branch(trainee, "fees")
    contact = branch(employer, "contact")
    record = {
        "uen": uen,
        "code": text(dig(given, "trainingPartner.code")),
        "course": course["referenceNumber"],
        "runId": run_id,
        "status": "Confirmed",
        "idType": text(dig(trainee, "idType.type")).upper(),
        "traineeId": text(trainee.get("id")),
        "dateOfBirth": text(trainee.get("dateOfBirth")),
        "fullName": text(trainee.get("fullName")),
        "phone": _phone(branch(trainee, "contactNumber")),
        "email": _email(trainee),
        "sponsorship": SPONSORSHIPS[text(trainee.get("sponsorshipType")).upper()],
        "employerUen": text(employer.get("uen")),
        "employerName": call.world.employer_name(text(employer.get("uen"))),
        "contactName": text(contact.get("fullName")),
        "contactPhone": _phone(branch(contact, "contactNumber")),
        "contactEmail": _email(contact),
        "discount": amount(fees.get("discountAmount")),
        "collection": COLLECTIONS[text(fees.get("collectionStatus")).lower()],
        "enrolmentDate": text(trainee.get("enrolmentDate"))
        or local_meta({"created": call.now, "updated": call.now})["createdOn"][:10],
        "created": call.now,
        "updated": call.now,
    }
    with call.store.transaction():
        record["referenceNumber"] = call.world.reference("ENR")
        call.store.put("enrolments", record["referenceNumber"], record)
    grants.expect(call.world, record["referenceNumber"])
    return _written(record)


def _written(record: Json, with_status: bool = True) -> Reply:
    shown = {"referenceNumber": record["referenceNumber"]}
    if with_status:
        shown["status"] = record["status"]
    return tpg_reply({"enrolment": shown}, utc_meta(record))


def own(call: Call) -> Json:
    """The enrolment of the path, when it is the caller's; not found is 404 by 6.4 [U]."""
    record = call.store.get("enrolments", call.path_params["ref"].strip())
    if record is None or call.pretend_empty:
        raise tpg_error(404, "Enrolment not found", [detail("-", "Enrolment not found")])
    if record["uen"] != call.app.uen:
        raise wrong_uen()
    return record


def _open(record: Json) -> None:
    if record["status"] == "Cancelled":
        # the text behind the code was never captured (3.4)
        raise tpg_error(
            400, NOT_UPDATED, [detail("enrolment.status", "TGS-439 - Enrolment is already cancelled")]
        )


def cancelled(world: World, record: Json) -> Json:
    """Cancel an enrolment; its grants follow (ssg-api 14.2). Final."""
    now = world.clock.now()
    with world.store.transaction():
        changed = {**record, "status": "Cancelled", "updated": now}
        world.store.put("enrolments", record["referenceNumber"], changed)
        grants.cancel(world, record["referenceNumber"])
    return changed


def update(call: Call) -> Reply:
    """POST /tpg/enrolments/details/{ref}: action Update or Cancel (ssg-api 6.2)."""
    record, given = own(call), branch(call.body, "enrolment")
    action = text(given.get("action")).lower()
    if action not in ("update", "cancel"):
        raise tpg_error(
            400, NOT_UPDATED, [detail("enrolment.action", BLANK if not action else "Invalid action")]
        )
    _open(record)
    if action == "cancel":
        return _written(cancelled(call.world, record))
    problems, changed = Problems("enrolment."), dict(record)
    run_id = text(dig(given, "course.run.id"))
    if run_id and run_id != record["runId"]:
        if _run(call, record["course"], given) is None:
            problems.add("course.run.id", "Invalid course run id")
        changed["runId"] = run_id
    trainee, contact, fees = (
        branch(given, "trainee"),
        branch(given, "employer.contact"),
        branch(given, "fees"),
    )
    changed["email"] = _email(trainee) or record["email"]
    changed["phone"] = _merged(record["phone"], _phone(branch(trainee, "contactNumber")))
    changed["contactName"] = text(contact.get("fullName")) or record["contactName"]
    changed["contactEmail"] = _email(contact) or record["contactEmail"]
    changed["contactPhone"] = _merged(record["contactPhone"], _phone(branch(contact, "contactNumber")))
    if text(fees.get("discountAmount")):
        if (number(fees["discountAmount"]) or 0) < 0 or number(fees["discountAmount"]) is None:
            problems.add("fees.discountAmount", "Invalid discount amount")
        changed["discount"] = amount(fees["discountAmount"])
    status = fee_status(fees).lower()
    if status:
        if status not in COLLECTIONS:
            problems.add("fees.collectionStatus", "Invalid fee collection status")
        changed["collection"] = COLLECTIONS.get(status, "")
        _fee_rule(call, record, changed, problems)
    if text(given.get("enrolmentDate")):
        if iso_date(given["enrolmentDate"]) is None:
            problems.add("enrolmentDate", "Invalid date")
        changed["enrolmentDate"] = text(given["enrolmentDate"])
    problems.lengths(
        {"e": changed["email"], "n": changed["contactName"], "c": changed["contactEmail"]},
        {"e": 100, "n": 50, "c": 100},
    )
    if problems.details:
        raise tpg_error(400, NOT_UPDATED, problems.details)
    changed["updated"] = call.now
    call.store.put("enrolments", record["referenceNumber"], changed)
    return _written(changed)


def _merged(old: Json, new: Json) -> Json:
    return {name: new[name] or old[name] for name in old}


def _fee_rule(call: Call, record: Json, changed: Json, problems: Problems) -> None:
    """DLT: no fee change once the grant has been approved (ssg-api 6.3); strict only."""
    grants.settle(call.world)
    if (
        call.settings.strict_fee_after_grant
        and changed["collection"] != record["collection"]
        and any(
            g["status"] == "Completed"
            for g in call.store.find("grant_by_enrolment", record["referenceNumber"])
        )
    ):
        problems.add("fees.collectionStatus", "Grant has been approved")


def update_fees(call: Call) -> Reply:
    """POST /tpg/enrolments/feeCollections/{ref}: reply without a status (ssg-api 6.3)."""
    record = own(call)
    _open(record)
    status = fee_status(branch(call.body, "enrolment.fees")).lower()
    problems = Problems("enrolment.")
    changed = {**record, "collection": COLLECTIONS.get(status, ""), "updated": call.now}
    if not status:
        problems.add("fees.collectionStatus", BLANK)
    elif status not in COLLECTIONS or status == "cancelled":
        problems.add("fees.collectionStatus", "Invalid fee collection status")
    else:
        _fee_rule(call, record, changed, problems)
    if problems.details:
        raise tpg_error(400, NOT_UPDATED, problems.details)
    call.store.put("enrolments", record["referenceNumber"], changed)
    return _written(changed, with_status=False)
