"""SkillsFuture Credit claims: encrypt, decrypt, documents, view, cancel (ssg-api 8.3)."""

from __future__ import annotations

import json
from typing import Any

from . import cipher
from .calls import App, Call, World
from .clock import local_date
from .codes import CLAIM_CANCEL
from .envelopes import INVALID, Json, Reply, course_error, detail
from .fields import Problems, amount, branch, dig, iso_date, number, text

REQUIRED = "This field is required."
FILE_TYPES = ("pdf", "doc", "docx", "tif", "jpg", "jpeg", "png", "xls", "xlsm", "xlsx")
LIMITS = {
    "individual.nric": 9,
    "individual.mobileNumber": 8,
    "individual.homeNumber": 8,
    "individual.email": 241,
    "course.id": 50,
    "course.runId": 50,
    "course.startDate": 10,
    "course.fee": 9,
    "additionalInformation": 512,
}


def _old_envelope(data: Json) -> Reply:
    """The credit API still has the old envelope with `errors` (ssg-api 8.3)."""
    return Reply(200, {"status": 200, "data": data, "errors": []})


def _checked(given: Json) -> None:
    problems = Problems("claimRequest.")
    problems.required(
        given, "individual.nric", "course.id", "course.startDate", "course.fee", message=REQUIRED
    )
    problems.lengths(given, LIMITS)
    if text(dig(given, "course.startDate")) and iso_date(dig(given, "course.startDate")) is None:
        problems.add("course.startDate", "Invalid date")
    fee = dig(given, "course.fee")
    if text(fee) and ((number(fee) or 0) <= 0):
        problems.add("course.fee", "Invalid fee")
    if problems.details:
        raise course_error(400, problems.details, INVALID)


def encrypt_request(call: Call) -> Reply:
    """POST .../claims/encryptRequests: the text that the browser posts to the payment gateway."""
    given = branch(call.body, "claimRequest")
    _checked(given)
    return _old_envelope({"claimRequest": cipher.encrypt(call.app.key, json.dumps({"claimRequest": given}))})


def _opened(app: App, token: Any) -> Json:
    try:
        body = json.loads(cipher.decrypt(app.key, text(token)))
    except (ValueError, RecursionError) as error:
        raise course_error(400, [detail("claimRequestStatus", "Unable to decrypt")], INVALID) from error
    return body if isinstance(body, dict) else {}


def decrypt_request(call: Call) -> Reply:
    """POST .../claims/decryptRequests: what the payment gateway sent back."""
    found = branch(_opened(call.app, dig(call.body, "claimRequestStatus")), "claimRequestStatus")
    if not found:
        raise course_error(400, [detail("claimRequestStatus", REQUIRED)], INVALID)
    return _old_envelope({"claimRequestStatus": found})


def pay(world: World, app: App, token: Any, wanted: Any = None) -> str:
    """The payment gateway's part, done by the control API: a claim, and its encrypted answer."""
    given = branch(_opened(app, token), "claimRequest")
    _checked(given)
    with world.store.transaction():
        key = str(world.store.next_number("claim", 2000217501))
        claim = {
            "id": key,
            "uen": app.uen,
            "nric": text(dig(given, "individual.nric")),
            "course": {
                "id": text(dig(given, "course.id")),
                "runId": text(dig(given, "course.runId")),
                "startDate": text(dig(given, "course.startDate")),
            },
            "amount": str(float(amount(wanted if wanted is not None else dig(given, "course.fee")))),
            "date": local_date(world.clock.now()),
            "status": "Submitted",
            "documents": [],
        }
        world.store.put("claims", key, claim)
    return cipher.encrypt(
        app.key,
        json.dumps(
            {
                "claimRequestStatus": {
                    "transactionStatus": "X",
                    "individual": {"nric": claim["nric"]},
                    "course": claim["course"],
                    "claim": {"id": key, "amount": claim["amount"], "date": claim["date"]},
                    "additionalInformation": text(given.get("additionalInformation")),
                }
            }
        ),
    )


def _claim(call: Call, nric: str) -> Json:
    claim = call.store.get("claims", call.path_params["claim_id"])
    if not nric:
        raise course_error(400, [detail("nric", REQUIRED)], INVALID)
    if claim is None or claim["uen"] != call.app.uen or claim["nric"].upper() != nric.upper():
        raise course_error(404, [detail("", "No claim found.")])
    return claim


def view(call: Call) -> Reply:
    """GET .../claims/{claimId}?nric=; the names are those of the decrypt reply [U]."""
    claim = _claim(call, call.query.get("nric", ""))
    return _old_envelope(
        {
            "individual": {"nric": claim["nric"]},
            "course": claim["course"],
            "claim": {
                "id": claim["id"],
                "amount": claim["amount"],
                "date": claim["date"],
                "status": claim["status"],
            },
        }
    )


def cancel(call: Call) -> Reply:
    """POST .../claims/{claimId}: `nric`, `claimCancelCode` 51 to 55."""
    claim = _claim(call, text(dig(call.body, "nric")))
    if text(dig(call.body, "claimCancelCode")) not in CLAIM_CANCEL:
        raise course_error(400, [detail("claimCancelCode", "Invalid cancel code")], INVALID)
    if claim["status"] == "Cancelled":
        raise course_error(400, [detail("claimId", "Claim is already cancelled")], INVALID)
    call.store.put(
        "claims",
        claim["id"],
        {**claim, "status": "Cancelled", "cancelCode": text(dig(call.body, "claimCancelCode"))},
    )
    return _old_envelope({"claim": {"id": claim["id"], "status": "Cancelled"}})


def add_documents(call: Call) -> Reply:
    """POST .../claims/{claimId}/supportingdocuments (ssg-api 8.3)."""
    claim = _claim(call, text(dig(call.body, "nric")))
    given, problems, added = dig(call.body, "attachments"), Problems("attachments"), []
    if not isinstance(given, list) or not given:
        problems.add("", REQUIRED)
    for index, item in enumerate(given if isinstance(given, list) else []):
        inner = Problems(f"attachments[{index}].")
        entry = item if isinstance(item, dict) else {}
        inner.required(entry, "fileName", "fileType", "attachmentByte", message=REQUIRED)
        if text(entry.get("fileType")) and text(entry["fileType"]).lower().lstrip(".") not in FILE_TYPES:
            inner.add("fileType", "Invalid file type")
        problems.details += inner.details
        added.append({"fileName": text(entry.get("fileName")), "fileType": text(entry.get("fileType"))})
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    call.store.put("claims", claim["id"], {**claim, "documents": claim["documents"] + added})
    return _old_envelope({"claim": {"id": claim["id"]}})
