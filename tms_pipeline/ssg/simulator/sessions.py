"""Sessions of a run: ids, add, update, delete, list (ssg-api 4.1, 4.2, 4.6)."""

from __future__ import annotations

import re
from typing import Any

from .calls import Call
from .codes import MODES, VENUELESS
from .envelopes import INVALID, Json, Reply, course_error, course_reply, detail
from .fields import Problems, branch, clock_time, compact_date, dig, text, whole

VENUE_PARTS = ("block", "street", "floor", "unit", "building", "postalCode", "room")
VENUE_LIMITS = {
    "block": 10,
    "street": 32,
    "floor": 3,
    "unit": 5,
    "building": 66,
    "postalCode": 6,
    "room": 255,
}
VENUE_REQUIRED = ("floor", "unit", "postalCode", "room")
REQUIRED = "This field is required."


def venue_record(given: Json) -> Json:
    """A venue as kept: texts, plus wheelChairAccess; a postal code may come as an int (ssg-api 14.4)."""
    venue: Json = {part: text(given.get(part)) for part in VENUE_PARTS}
    code = given.get("postalCode")
    if isinstance(code, int) and not isinstance(code, bool):
        venue["postalCode"] = f"{code:06d}"
    venue["wheelChairAccess"] = given.get("wheelChairAccess") is True
    return venue


def check_venue(venue: Json, mode: str, problems: Problems, prefix: str) -> None:
    """Venue rules: four parts required unless mode 2 or 4 (ssg-api 4.1)."""
    inner = Problems(prefix)
    if mode not in VENUELESS:
        inner.required(venue, *VENUE_REQUIRED, message=REQUIRED)
    inner.lengths(venue, VENUE_LIMITS)
    problems.details += inner.details


def session_record(
    call: Call, run: Json, given: Json, old: Json | None, problems: Problems, path: str
) -> Json:
    """A session from a request entry, merged over the old one, checked against the run (ssg-api 4.1, 4.2)."""
    base = old or {}
    mode = (
        text(given.get("modeOfTraining"))
        or base.get("modeOfTraining")
        or (run["modeOfTraining"] if old else "")
    )
    inner = Problems(path)
    if mode not in MODES:
        inner.add("modeOfTraining", "Invalid mode of training" if mode else REQUIRED)
    start = (
        compact_date(given.get("startDate")) if text(given.get("startDate")) else whole(base.get("startDate"))
    )
    end = compact_date(given.get("endDate")) if text(given.get("endDate")) else whole(base.get("endDate"))
    if start is None:
        inner.add("startDate", "Invalid date" if text(given.get("startDate")) else REQUIRED)
    if mode not in VENUELESS and start is not None:
        end = start  # 4.1: forced for classroom-like modes
    if end is None:
        inner.add("endDate", "Invalid date" if text(given.get("endDate")) else REQUIRED)
    times: list[str | None] = []
    for name, default in (("startTime", "00:00"), ("endTime", "23:59")):
        value = text(given.get(name)) or base.get(name) or (default if mode in VENUELESS else "")
        times.append(clock_time(value))
        if times[-1] is None:
            inner.add(name, "Invalid time" if value else REQUIRED)
    if start and end and times[0] and times[1]:
        if end < start:
            inner.add("endDate", "End date is before start date")
        elif start == end and times[1] <= times[0]:
            inner.add("endTime", "End time must be after start time")
        if start < run["start"] or end > run["end"]:
            inner.add("startDate", "Session is outside the course run dates")
        if call.settings.strict_past_sessions and old is None and end < call.world.clock.today():
            inner.add("startDate", "Past sessions cannot be created")
    if dig(given, "venue.primaryVenue") is True:
        venue = dict(run["venue"])
    elif "venue" in given or not base:
        venue = venue_record(branch(given, "venue"))
        check_venue(venue, mode, inner, path + "venue.")
    else:
        venue = base["venue"]
    if mode in VENUELESS:
        venue = venue_record({})  # the captures show empty venues for these modes
    problems.details += inner.details
    return {
        "id": base.get("id", ""),
        "runId": run["id"],
        "startDate": str(start),
        "endDate": str(end),
        "startTime": times[0],
        "endTime": times[1],
        "modeOfTraining": mode,
        "venue": venue,
        "attendanceTaken": base.get("attendanceTaken", False),
        "deleted": False,
    }


def add_session(call: Call, run: Json, external: str, record: Json) -> Json:
    """Give a session its id `{externalRef}-{runId}-S{n}`; n is not reused (ssg-api 4.6). Returns the run."""
    number = run["nextSession"]
    key = f"{external}-{run['id']}-S{number}"
    call.store.put("sessions", key, {**record, "id": key, "runId": run["id"]})
    return {**run, "nextSession": number + 1}


def apply_edits(call: Call, run: Json, external: str, given: Any, problems: Problems, path: str) -> list[Any]:
    """Plan the session part of an edit: add, update and delete; unmentioned sessions stay (ssg-api 4.2)."""
    plan: list[Any] = []
    if given is None:
        return plan
    if not isinstance(given, list):
        problems.add(path, "Invalid session list")
        return plan
    for number, item in enumerate(given):
        entry, where = item if isinstance(item, dict) else {}, f"{path}[{number}]."
        action, key = text(entry.get("action")).lower(), text(entry.get("sessionId"))
        if not action:
            action = "update" if key else "add"
        if action == "add":
            plan.append(("add", session_record(call, run, entry, None, problems, where)))
            continue
        old = call.store.get("sessions", key)
        if action not in ("update", "delete"):
            problems.add(where + "action", "Action must be add, update or delete")
        elif old is None or old["deleted"] or str(old["runId"]) != str(run["id"]):
            problems.add(where + "sessionId", "No session found.")
        elif action == "update":
            plan.append(("put", session_record(call, run, entry, old, problems, where)))
        elif call.settings.strict_past_sessions and int(old["endDate"]) < call.world.clock.today():
            problems.add(where + "sessionId", "Past sessions cannot be deleted")
        else:
            plan.append(("put", {**old, "deleted": True}))
    return plan


def live_sessions(call: Call, run_id: Any) -> list[Json]:
    """The sessions of a run that are not deleted."""
    return [s for s in call.store.find("session_by_run", run_id) if not s["deleted"]]


def paged(call: Call, default_size: int) -> tuple[int, int]:
    """page (from 0) and pageSize (1 to 100) of a course-API query (ssg-api 4.4, 10)."""
    page, size = whole(call.query.get("page") or 0), whole(call.query.get("pageSize") or default_size)
    problems = Problems()
    if page is None or page < 0:
        problems.add("page", "Page must be 0 or more")
    if size is None or not 1 <= size <= 100:
        problems.add("pageSize", "Page size must be between 1 and 100")
    if problems.details or page is None or size is None:
        raise course_error(400, problems.details, INVALID)
    return page, size


def list_sessions(call: Call) -> Reply:
    """GET /courses/runs/{runId}/sessions; no sessions -> 404 without details (ssg-api 3.2, 4.6)."""
    run = call.world.run(call.path_params["run_id"])
    if run is None:
        raise course_error(404, [detail("", "No course run found.")])
    page, size = paged(call, 100)
    month = call.query.get("sessionMonth", "")
    if month and not re.fullmatch(r"(0[1-9]|1[0-2])\d{4}", month):
        raise course_error(400, [detail("sessionMonth", "Session month must be MMYYYY")], INVALID)
    course = call.world.course(run["course"])
    asked = call.query.get("courseReferenceNumber", "")
    wrong = bool(asked) and asked not in (run["course"], (course or {}).get("externalReferenceNumber"))
    found = (
        []
        if wrong or call.pretend_empty
        else [
            s
            for s in live_sessions(call, run["id"])
            if not month
            or s["startDate"][:6] == month[2:] + month[:2]
            or s["endDate"][:6] == month[2:] + month[:2]
        ]
    )
    if not found:
        raise course_error(404, [])
    rows = []
    for session in found[page * size : (page + 1) * size]:
        venue = {part: session["venue"][part] or None for part in VENUE_PARTS}
        rows.append(
            {
                "id": session["id"],
                "startDate": session["startDate"],
                "endDate": session["endDate"],
                "startTime": session["startTime"],
                "endTime": session["endTime"],
                "modeOfTraining": session["modeOfTraining"],
                "venue": {**venue, "wheelChairAccess": session["venue"]["wheelChairAccess"]},
                "attendanceTaken": session["attendanceTaken"],
                "deleted": False,
            }
        )
    return course_reply({"sessions": rows}, {"total": len(found)})
