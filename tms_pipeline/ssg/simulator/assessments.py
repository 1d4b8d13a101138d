"""Assessments: create, update, void, view, search (ssg-api 7)."""

from __future__ import annotations

from . import searching
from .calls import Call, local_meta, utc_meta
from .codes import GRADES, RESULTS, TPG_ID_TYPES
from .enrolment_views import narrowed
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
from .fields import Problems, branch, dashed, dig, iso_date, nric_valid, text, whole

NOT_CREATED = "Assessment cannot be created"
NOT_UPDATED = "Assessment cannot be updated"
REQUIRED = (
    "course.run.id",
    "trainee.id",
    "trainee.idType",
    "trainee.fullName",
    "result",
    "assessmentDate",
    "trainingPartner.code",
)
LIMITS = {
    "course.run.id": 20,
    "course.referenceNumber": 100,
    "trainee.id": 20,
    "trainee.fullName": 200,
    "skillCode": 30,
    "trainingPartner.code": 20,
    "trainingPartner.uen": 20,
}
FILTERS = {
    "course.referenceNumber": "course",
    "course.run.id": "runId",
    "trainee.id": "traineeId",
    "skillCode": "skillCode",
    "enrolment.referenceNumber": "enrolment",
    "trainingPartner.uen": "uen",
    "trainingPartner.code": "code",
}


def _check_marks(given: Json, problems: Problems) -> None:
    """Result, score, grade and date of a create or update (ssg-api 7.0, 7.1)."""
    result, score, grade = text(given.get("result")), given.get("score"), text(given.get("grade")).upper()
    if result and result.lower() not in RESULTS:
        problems.add("result", "Invalid result")
    if score is not None and text(score):
        found = whole(score)
        if found is None or not 0 <= found <= 100:
            problems.add("score", "Score must be a whole number from 0 to 100")
    if grade and grade not in GRADES:
        problems.add("grade", "Invalid grade")
    if text(given.get("assessmentDate")) and iso_date(given.get("assessmentDate")) is None:
        problems.add("assessmentDate", "Invalid date")


def _skill(course: Json, given: str, problems: Problems) -> str:
    """TGS-425 when the course has codes and this is none of them; without codes UAT kept "" (ssg-api 7.1)."""
    if given and course["skillCodes"]:
        if given not in course["skillCodes"]:
            problems.add("skillCode", "TGS-425 - Invalid skill code")
        return given
    return ""


def _linked(call: Call, trainee: str, run_id: str, course: str) -> Json | None:
    """The confirmed enrolment in that run, else the trainee's most recent of the course (ssg-api 7.1)."""
    found = [
        e
        for e in call.store.find("enrolment_by_trainee", trainee.upper())
        if e["uen"] == call.app.uen and e["course"] == course
    ]
    in_run = [e for e in found if e["runId"] == run_id and e["status"] == "Confirmed"]
    return max(in_run or found, key=lambda e: (e["created"], e["referenceNumber"]), default=None)


def create(call: Call) -> Reply:
    """POST /tpg/assessments (ssg-api 7.1); mind the plural in some field names (3.4)."""
    given = branch(call.body, "assessment")
    uen, reference = text(dig(given, "trainingPartner.uen")), text(dig(given, "course.referenceNumber"))
    if uen and uen != call.app.uen:
        raise wrong_uen()
    problems = Problems("assessments.")
    if not reference:
        problems.add("course.referenceNumber", BLANK)
    if not uen:
        problems.details.append(detail("assessment.trainingPartner.uen", BLANK))
    problems.required(given, *REQUIRED)
    if not reference:  # UAT 2025 adds these two to the blank-course reply
        problems.details.append(detail("assessment.trainingPartner.uen", BAD_UEN))
        problems.add("trainingPartner.code", BAD_UEN)
    problems.lengths(given, LIMITS)
    kind = text(dig(given, "trainee.idType")) or text(dig(given, "trainee.idType.type"))
    if kind and kind.upper() not in TPG_ID_TYPES:
        problems.add("trainee.idType", "Invalid id type")
    _check_marks(given, problems)
    trainee, run_id = text(dig(given, "trainee.id")), text(dig(given, "course.run.id"))
    if (
        call.settings.strict_nric_checksum
        and kind.upper() in ("NRIC", "FIN")
        and trainee
        and not nric_valid(trainee)
    ):
        problems.add("trainee.id", "Invalid id number")
    code = text(dig(given, "trainingPartner.code"))
    if call.settings.strict_partner_code and uen and code and not code.startswith(uen + "-"):
        problems.add("trainingPartner.code", BAD_UEN)
    course, skill, enrolment = call.world.course(reference), "", None
    if reference and course is None:
        problems.add("course.referenceNumber", BAD_COURSE)
    elif course is not None and course["uen"] != call.app.uen:
        problems.details.append(detail("course.referenceNumber", NOT_OWNED))
    elif course is not None:
        skill = _skill(course, text(given.get("skillCode")), problems)
        run = call.world.tpg_run(run_id)
        if run_id and (run is None or run["course"] != course["referenceNumber"]):
            problems.add("course.run.id", "Invalid course run id")
        enrolment = _linked(call, trainee, run_id, course["referenceNumber"]) if trainee else None
        if trainee and enrolment is None and not problems.details:
            problems.add("trainee.id", "No enrolment found for the trainee")
        if call.settings.strict_unique_assessments and any(
            a["runId"] == run_id and a["skillCode"] == skill and a["result"] != "Void"
            for a in call.store.find("assessment_by_trainee", trainee.upper())
        ):
            problems.add("trainee.id", "Assessment already exists")
    if problems.details or course is None or enrolment is None:
        raise tpg_error(400, NOT_CREATED, problems.details)
    record = {
        "uen": uen,
        "code": code,
        "course": course["referenceNumber"],
        "runId": run_id,
        "traineeId": trainee,
        "idType": kind.upper(),
        "fullName": text(dig(given, "trainee.fullName")),
        "result": RESULTS[text(given.get("result")).lower()],
        "score": whole(given.get("score")),
        "grade": text(given.get("grade")).upper(),
        "assessmentDate": text(given.get("assessmentDate")),
        "skillCode": skill,
        "institute": text(dig(given, "conferringInstitute.code")) or code,
        "enrolment": enrolment["referenceNumber"],
        "created": call.now,
        "updated": call.now,
        "voided": False,
    }
    with call.store.transaction():
        record["referenceNumber"] = call.world.reference("ASM")
        call.store.put("assessments", record["referenceNumber"], record)
    return tpg_reply({"assessment": {"referenceNumber": record["referenceNumber"]}}, utc_meta(record))


def _own(call: Call) -> Json:
    record = call.store.get("assessments", call.path_params["ref"].strip())
    if record is None or call.pretend_empty:
        raise tpg_error(404, "Assessment not found", [detail("-", "Assessment not found")])
    if record["uen"] != call.app.uen:
        raise wrong_uen()
    return record


def update(call: Call) -> Reply:
    """POST /tpg/assessments/details/{ref}: update or void; text status, local meta (ssg-api 7.2)."""
    record, given = _own(call), branch(call.body, "assessment")
    action, problems = text(given.get("action")).lower(), Problems("assessment.")
    if action not in ("update", "void"):
        problems.add("action", BLANK if not action else "Invalid action")
    elif record["voided"]:
        problems.add("result", "Assessment is already void")  # not captured [U]
    changed = {**record, "updated": call.now}
    if action == "void":
        changed |= {"result": "Void", "voided": True}  # score and grade keep their values
    elif not problems.details:
        _check_marks(given, problems)
        course = call.world.course(record["course"])
        if text(given.get("skillCode")) and course is not None:
            changed["skillCode"] = _skill(course, text(given["skillCode"]), problems)
        changed["fullName"] = text(dig(given, "trainee.fullName")) or record["fullName"]
        changed["result"] = RESULTS.get(text(given.get("result")).lower(), record["result"])
        if text(given.get("score")):
            changed["score"] = whole(given["score"])
        changed["grade"] = text(given.get("grade")).upper() or record["grade"]
        changed["assessmentDate"] = text(given.get("assessmentDate")) or record["assessmentDate"]
        problems.lengths(given, {"trainee.fullName": 200, "skillCode": 30})
    if problems.details:
        raise tpg_error(400, NOT_UPDATED, problems.details)
    call.store.put("assessments", record["referenceNumber"], changed)
    meta = local_meta(changed)
    if action == "void":
        meta |= {"createdBy": "TGS-API", "updatedBy": "TGS-API"}
    return tpg_reply({"assessment": {"referenceNumber": record["referenceNumber"]}}, meta, text_status=True)


def assessment_view(call: Call, a: Json, in_search: bool) -> Json:
    """The flat object; a search has the score as text and always a skillCode (ssg-api 7.3, 7.4)."""
    course = call.world.course(a["course"]) or {}
    run: Json = call.store.get("runs", a["runId"]) or {}
    partner = call.world.app_of(a["uen"])
    name = partner.name if partner else ""
    shown: Json = {
        "referenceNumber": a["referenceNumber"],
        "trainingPartner": {"code": a["code"], "uen": a["uen"], "name": name},
        "course": {
            "referenceNumber": a["course"],
            "title": course.get("title", ""),
            "run": {
                "id": a["runId"],
                "startDate": dashed(run.get("start")),
                "endDate": dashed(run.get("end")),
            },
        },
        "trainee": {"idType": {"type": a["idType"]}, "id": a["traineeId"], "fullName": a["fullName"]},
        "result": a["result"],
    }
    institute = {"code": a["institute"], "uen": a["uen"], "name": name}
    if in_search:
        shown |= {
            "score": "" if a["score"] is None else str(a["score"]),
            "grade": a["grade"],
            "assessmentDate": a["assessmentDate"],
            "conferringInstitute": {"uen": a["uen"], "code": a["institute"], "name": name},
            "skillCode": a["skillCode"],
        }
    else:
        if a["score"] is not None:
            shown["score"] = a["score"]
        shown |= {"grade": a["grade"], "assessmentDate": a["assessmentDate"]}
        if a["skillCode"]:
            shown["skillCode"] = a["skillCode"]
        shown["conferringInstitute"] = institute
    shown["enrolment"] = {"referenceNumber": a["enrolment"]}
    if in_search:
        shown["meta"] = local_meta(a)
    return shown


def view(call: Call) -> Reply:
    """GET /tpg/assessments/details/{ref}: `data` is the assessment itself (ssg-api 7.3)."""
    record = _own(call)
    return tpg_reply(assessment_view(call, record, False), local_meta(record), text_status=True)


def search(call: Call) -> Reply:
    """POST /tpg/assessments/search; the root is plural (ssg-api 7.4)."""
    win = searching.window(call, "assessments", ("updatedOn", "createdOn", "assessmentDate"))
    found = narrowed(call, "assessment", searching.wanted(call.body, "assessments", FILTERS))
    return searching.answer(
        call,
        win,
        found,
        lambda a: assessment_view(call, a, True),
        call.settings.empty_search_status,
        "No assessment found",
    )
