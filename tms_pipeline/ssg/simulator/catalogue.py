"""Course directory (OAuth), course registry (mTLS) and a provider's courses (ssg-api 8.5)."""

from __future__ import annotations

from .calls import Call, World
from .clock import iso_utc
from .codes import MODES
from .envelopes import INVALID, Json, Reply, course_error, course_reply, detail, tpg_error, tpg_reply
from .fields import branch, compact_date, dashed, dig, text, whole

REGISTRY_PAGE = 20
SEEDED_AT = 1577836800.0  # 2020-01-01: when the registry says that seeded courses were made


def seeded(world: World, given: Json) -> Json:
    """A course record from the data file or the control API, defaults filled (ssg-api 14.1)."""
    reference = text(given.get("referenceNumber"))
    if not reference or not text(given.get("uen")):
        raise ValueError("a course needs referenceNumber and uen")
    support = given.get("support")
    if support is None:
        support = [
            {"from": 20200101, "to": 20991231, "taggingCode": code, "taggingDescription": label}
            for code, label in (("1", "SFC"), ("103", "MCES"))
        ]
    if not isinstance(support, list):
        raise ValueError(f"course {reference}: support must be a list")
    periods = []
    for item in support:
        period = item.get("period", item) if isinstance(item, dict) else {}
        start, end = compact_date(period.get("from")), compact_date(period.get("to"))
        if start is None or end is None:
            raise ValueError(f"course {reference}: a support period needs from and to")
        periods.append(
            {
                "category": text(item.get("category")) or "B",
                "from": start,
                "to": end,
                "taggingCode": text(period.get("taggingCode")) or "1",
                "taggingDescription": text(period.get("taggingDescription")) or "SFC",
            }
        )
    record = {
        **given,
        "referenceNumber": reference,
        "externalReferenceNumber": text(given.get("externalReferenceNumber")) or reference,
        "title": text(given.get("title")) or reference,
        "uen": text(given["uen"]),
        "skillCodes": [text(code) for code in given.get("skillCodes") or []],
        "support": periods,
        "trainingCost": float(given.get("trainingCost") or 1000),
        "deleteFlag": given.get("deleteFlag") is True,
        "expireFlag": given.get("expireFlag") is True,
        "created": SEEDED_AT,
        "updated": SEEDED_AT,
    }
    world.store.put("courses", reference, record)
    return record


def _registry_view(call: Call, course: Json) -> Json:
    partner = call.world.app_of(course["uen"])
    skills = [{"code": code, "title": code} for code in course["skillCodes"]]
    cost = f"{course['trainingCost']:.2f}"
    return {
        "referenceNumber": course["referenceNumber"],
        "migratedReferenceNumber": course["externalReferenceNumber"],
        "title": course["title"],
        "objectives": text(course.get("objectives")),
        "description": text(course.get("description")),
        "isActive": not course["expireFlag"],
        "trainingPartner": {
            "uen": course["uen"],
            "code": partner.code if partner else f"{course['uen']}-01",
            "name": partner.name if partner else "",
        },
        "skills": skills,
        "uniqueSkills": [],
        "tags": [],
        "bundles": [],
        "support": [
            {
                "code": p["taggingCode"],
                "description": p["taggingDescription"],
                "period": [{"startDate": dashed(p["from"]), "endDate": dashed(p["to"])}],
            }
            for p in course["support"]
        ],
        "modesOfLearning": [{"type": MODES["1"], "hours": course.get("hours", 8)}],
        "totalTrainingDurationHours": course.get("hours", 8),
        "noOfTrainingDays": 1,
        "lengthOfCourseDurationMonths": 0,
        "costOfTrainingPerTrainee": {"cost": cost, "currency": "SGD", "feeType": "Course Fee"},
        "costComponents": [],
        "languages": [],
        "contactPersons": [],
        "areaOfTraining": "",
        "trainingMode": "",
        "programmeType": "",
        "minimumEntryRequirements": "",
        "isCourseExaminable": True,
        "meta": {
            "createdBy": "SYSTEM",
            "createdDate": iso_utc(course["created"]),
            "updatedBy": "SYSTEM",
            "updatedDate": iso_utc(course["updated"]),
        },
    }


def registry_search(call: Call) -> Reply:
    """POST /tpg/courses/registry/search: plain both ways, at most 20 a page (ssg-api 8.5, 10)."""
    body = call.body if isinstance(call.body, dict) else {}
    page, size = whole(body.get("page", 0)), whole(body.get("pageSize", REGISTRY_PAGE))
    if page is None or page < 0 or size is None or not 1 <= size <= REGISTRY_PAGE:
        raise tpg_error(
            400, INVALID, [detail("pageSize", f"Page size must be between 1 and {REGISTRY_PAGE}")]
        )
    window = branch(body, "course.meta.updatedDate")
    since, until = compact_date(window.get("from")), compact_date(window.get("to"))
    keyword = text(body.get("keyword")).lower()

    def fits(course: Json) -> bool:
        day = int(iso_utc(course["updated"])[:10].replace("-", ""))
        return (
            course["uen"] == call.app.uen
            and (not since or day >= since)
            and (not until or day <= until)
            and (not keyword or keyword in f"{course['referenceNumber']} {course['title']}".lower())
        )

    found = [] if call.pretend_empty else [c for c in call.store.all("courses") if fits(c)]
    found.sort(
        key=lambda c: (c["updated"], c["referenceNumber"]),
        reverse=text(dig(body, "sortBy.order")).lower() != "asc",
    )
    rows = [_registry_view(call, c) for c in found[page * size : (page + 1) * size]]
    return tpg_reply({"courses": rows}, {"total": len(found)})


def registry_view(call: Call) -> Reply:
    """GET /tpg/courses/registry/details/{ref} (ssg-api 8.5)."""
    course = call.world.course(call.path_params["ref"])
    if course is None or course["uen"] != call.app.uen:
        raise tpg_error(404, "Not Found", [detail("-", "Course not found")])
    return tpg_reply({"course": _registry_view(call, course)}, {})


def provider_courses(call: Call) -> Reply:
    """GET /trainingproviders/{uen}/courses (ssg-api 8.5); the rows are those of the directory [U]."""
    found = [c for c in call.store.all("courses") if c["uen"] == call.path_params["uen"]]
    if not found:
        raise course_error(404, [])
    return course_reply({"courses": [_directory_view(call, c) for c in found]}, {"total": len(found)})


def _directory_view(call: Call, course: Json) -> Json:
    partner = call.world.app_of(course["uen"])
    return {
        "referenceNumber": course["referenceNumber"],
        "externalReferenceNumber": course["externalReferenceNumber"],
        "title": course["title"],
        "objective": text(course.get("objectives")),
        "trainingProvider": {"uen": course["uen"], "name": partner.name if partner else ""},
    }


def _listed(call: Call) -> Json:
    course = call.world.course(call.path_params["ref"])
    if course is None or course["deleteFlag"]:
        raise course_error(404, [detail("", "No course found.")])
    return course


def directory_view(call: Call) -> Reply:
    """GET /courses/directory/{ref} (ssg-api 8.5); the body was never captured in full [U]."""
    return course_reply({"courses": [_directory_view(call, _listed(call))]}, {"total": 1})


def directory_list(call: Call) -> Reply:
    """GET /courses/directory and its autocomplete, popular, featured, related forms (ssg-api 8.5) [T]."""
    keyword = call.query.get("keyword", "").lower()
    found = [
        c
        for c in call.store.all("courses")
        if not c["deleteFlag"] and not c["expireFlag"] and keyword in c["title"].lower()
    ]
    return course_reply({"courses": [_directory_view(call, c) for c in found]}, {"total": len(found)})


def directory_related(call: Call) -> Reply:
    """GET /courses/directory/{ref}/related: the provider's other courses (ssg-api 8.5) [T]."""
    course = _listed(call)
    found = [c for c in call.store.all("courses") if c["uen"] == course["uen"] and c is not course]
    return course_reply({"courses": [_directory_view(call, c) for c in found]}, {"total": len(found)})


def categories(call: Call) -> Reply:
    """GET /courses/categories and /courses/tags: the simulator holds none (ssg-api 8.5) [T]."""
    return course_reply({call.endpoint.name.rpartition(".")[2]: []}, {"total": 0})


def _ratings(name: str) -> Json:
    rating = {"average": 0.0, "starsRating": 0.0}
    items = ("quality",) if name == "quality" else ("outcome",)
    return {
        "numberOfRespondents": 0,
        **dict.fromkeys(items, rating),
        "meta": {
            "createBy": "SYSTEM",
            "createDate": iso_utc(SEEDED_AT),
            "updateBy": "SYSTEM",
            "updateDate": iso_utc(SEEDED_AT),
        },
    }


def directory_rating(call: Call) -> Reply:
    """GET /courses/directory/{ref}/quality and /outcome, v2.0 (ssg-api 8.5)."""
    name = call.endpoint.name.rpartition(".")[2]
    course = _listed(call)
    return course_reply({name: course.get(name) or _ratings(name)}, {})
