"""Course runs as they are read: by id and by reference (ssg-api 4.4, 4.5)."""

from __future__ import annotations

from typing import Any

from . import trainers
from .calls import Call
from .course_runs import NOT_FOUND
from .envelopes import INVALID, Json, Reply, course_error, course_reply, detail
from .fields import Problems, compact_date, truth
from .sessions import REQUIRED, paged


def _run_view(call: Call, run: Json) -> Json:
    return {
        "attendanceTaken": run["attendanceTaken"],
        "courseAdminEmail": run["courseAdminEmail"],
        "courseVacancy": {"code": run["vacancy"], "description": run["vacancyText"]},
        "file": {},
        "id": run["id"],
        "intakeSize": run["intakeSize"],
        "threshold": run["threshold"],
        "linkCourseRunTrainer": [trainers.run_view(call.world, t) for t in run["trainers"]],
        "modeOfTraining": run["modeOfTraining"],
        "organizationKey": run["uen"],
        "qrCodeLink": f"https://uat.myskillsfuture.gov.sg/api/uat/take-attendance/RA{run['qr']}",
        "referenceNumber": run["course"],
        "registeredUserCount": run["registeredUserCount"],
        "scheduleInfo": run["scheduleInfo"],
        "scheduleInfoType": {"code": run["scheduleCode"], "description": run["scheduleDescription"]},
        "venue": run["venue"],
    }


def _course_view(course: Json) -> Json:
    return {
        name: course.get(name)
        for name in ("deleteFlag", "expireFlag", "externalReferenceNumber", "referenceNumber", "title")
    }


def _support_view(course: Json, code_name: str, code_value: Any) -> list[Json]:
    meta = {
        "createBy": "Batch Processing From TGS",
        "createDate": "2023-05-12T23:25:22.413",
        "updateBy": "Batch Processing From TGS",
        "updateDate": "2023-05-12T23:25:22.413",
    }
    return [
        {
            "category": item.get("category", "B"),
            "detailsId": 0,
            "effectiveDate": 0,
            "meta": meta,
            "period": {
                "from": item["from"],
                "taggingCode": item["taggingCode"],
                "taggingDescription": item["taggingDescription"],
                "to": item["to"],
            },
            "referenceNumber": course["referenceNumber"],
            code_name: code_value,
        }
        for item in course["support"]
    ]


def by_id(call: Call) -> Reply:
    """GET /courses/courseRuns/id/{runId}: flat dates, `support` with `supportCode` (ssg-api 4.5)."""
    run = call.world.run(call.path_params["run_id"])
    course = call.world.course(run["course"]) if run else None
    if run is None or course is None or call.pretend_empty:
        raise course_error(404, [detail("", NOT_FOUND)])
    view = {
        **_run_view(call, run),
        "courseStartDate": run["start"],
        "courseEndDate": run["end"],
        "registrationOpeningDate": run["opening"],
        "registrationClosingDate": run["closing"],
    }
    return course_reply(
        {"course": {**_course_view(course), "run": view, "support": _support_view(course, "supportCode", "")}}
    )


def by_reference(call: Call) -> Reply:
    """GET /courses/courseRuns/reference and its legacy alias: newest run first (ssg-api 4.4, 4.7)."""
    problems = Problems()
    problems.required(call.query, "uen", "courseReferenceNumber", message=REQUIRED)
    wanted = call.query.get("courseRunStartDate", "")
    if wanted and compact_date(wanted) is None:
        problems.add("courseRunStartDate", "Invalid date")
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    page, size = paged(call, 20)
    course = call.world.course(call.query["courseReferenceNumber"])
    hidden = (
        course is not None and course.get("expireFlag") and not truth(call.query.get("includeExpiredCourses"))
    )
    if course is None or hidden or course["uen"] != call.query["uen"] or call.pretend_empty:
        raise course_error(404, [detail("", NOT_FOUND)])
    found = [
        run
        for run in call.store.find("run_by_course", course["referenceNumber"])
        if not run["deleted"] and (not wanted or run["start"] == compact_date(wanted))
    ]
    if not found:
        raise course_error(404, [detail("", NOT_FOUND)])
    found.sort(key=lambda run: -int(run["id"]))
    rows = [
        {
            **_run_view(call, run),
            "courseDates": {"end": run["end"], "start": run["start"]},
            "registrationDates": {"closing": run["closing"], "opening": run["opening"]},
            "sequenceNumber": run["sequenceNumber"],
        }
        for run in found[page * size : (page + 1) * size]
    ]
    return course_reply(
        {
            "course": {
                **_course_view(course),
                "runs": rows,
                "supports": _support_view(course, "support", None),
            }
        },
        {"total": len(found)},
    )
