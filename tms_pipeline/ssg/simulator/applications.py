"""Direct course applications made by learners on MySkillsFuture (ssg-api 8.4)."""

from __future__ import annotations

from typing import Any

from .calls import Call, World
from .envelopes import INVALID, Json, Reply, course_error, course_reply, detail, wrong_uen
from .fields import Problems, branch, compact_date, dig, text, whole

SORTS = {"createdOn", "modifiedOn", "applicationId"}


def seeded(world: World, given: Json) -> Json:
    """One application from the data file or the control API, kept in the shape of 8.4."""
    key = text(given.get("applicationId")) or f"APP-{world.store.next_number('application'):06d}"
    course = world.course(dig(given, "course.courseReferenceNumber"))
    uen = text(given.get("uen")) or (course["uen"] if course else world.apps[0].uen)
    record = {
        "uen": uen,
        "view": {
            "applicationId": key,
            "applicationStatus": "New",
            "createdOn": "",
            "modifiedOn": "",
            "confirmedOn": "",
            "finalisedOn": "",
            "cancelledOn": "",
            "cancelledBy": "",
            "reasonForCancellation": "",
            "sfcClaimId": "",
            "paymentDetail": {},
            "run": {"current": {}, "previous": {}},
            "course": {},
            "profile": {},
            "feeDetail": {},
            **{name: value for name, value in given.items() if name != "uen"},
        },
    }
    world.store.put("applications", key, record)
    return record


def search(call: Call) -> Reply:
    """POST /courses/applications/trainingprovider/filter; none -> 404 (ssg-api 8.4)."""
    body: Any = call.body if isinstance(call.body, dict) else {}
    uen = text(body.get("uen"))
    if uen and uen != call.app.uen:
        raise wrong_uen()
    problems = Problems()
    problems.required(body, "uen", message="This field is required.")
    page, size = whole(body.get("page", 0)), whole(body.get("pageSize", 20))
    if page is None or page < 0 or size is None or not 1 <= size <= 100:
        problems.add("pageSize", "Page size must be between 1 and 100")
    if problems.details or page is None or size is None:
        raise course_error(400, problems.details, INVALID)
    span = branch(body, "runStartDate")
    since, until = compact_date(span.get("from")), compact_date(span.get("to"))
    updated, status = compact_date(body.get("lastUpdateDate")), text(body.get("applicationStatus")).lower()
    wanted, keyword = text(body.get("applicationId")), text(body.get("keyword")).lower()

    def fits(row: Json) -> bool:
        start = compact_date(dig(row, "run.current.startDate"))
        changed = compact_date(text(row.get("modifiedOn"))[:10]) or compact_date(
            text(row.get("createdOn"))[:10]
        )
        return (
            (not wanted or row["applicationId"] == wanted)
            and (not status or text(row["applicationStatus"]).lower() == status)
            and (not since or (start or 0) >= since)
            and (not until or (start or 0) <= until)
            and (not updated or (changed or 0) >= updated)
            and (not keyword or keyword in f"{row['profile']} {row['course']}".lower())
        )

    found = (
        []
        if call.pretend_empty
        else [r["view"] for r in call.store.find("application_by_uen", call.app.uen) if fits(r["view"])]
    )
    if not found:
        raise course_error(404, [detail("", "No course application found.")])
    field = text(body.get("sortBy"))
    found.sort(
        key=lambda row: str(row.get(field if field in SORTS else "createdOn", "")),
        reverse=text(body.get("sortOrder")).lower() == "desc",
    )
    return course_reply({"courseApplications": found[page * size : (page + 1) * size]}, {"total": len(found)})
