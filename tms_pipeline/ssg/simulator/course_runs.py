"""Course runs: publish, edit, delete (ssg-api 4.1 to 4.3, 4.7)."""

from __future__ import annotations

from . import trainers
from .calls import Call
from .codes import MODES, VACANCIES
from .envelopes import (
    BAD_UEN,
    EXPIRED,
    INVALID,
    Json,
    Reply,
    course_error,
    course_reply,
    detail,
    gateway_error,
)
from .fields import Problems, branch, compact_date, dig, text, truth, whole
from .sessions import (
    REQUIRED,
    add_session,
    apply_edits,
    check_venue,
    live_sessions,
    session_record,
    venue_record,
)

RUN_LIMITS = {
    "scheduleInfoType.code": 2,
    "scheduleInfoType.description": 32,
    "modeOfTraining": 4,
    "courseAdminEmail": 255,
    "courseVacancy.code": 1,
    "courseVacancy.description": 128,
    "file.Name": 255,
}
NOT_FOUND = "No course run found."
FULL_SET = (
    "registrationDates",
    "courseDates",
    "scheduleInfoType",
    "scheduleInfo",
    "courseVacancy",
    "modeOfTraining",
)
DATES = (
    ("opening", "registrationDates.opening"),
    ("closing", "registrationDates.closing"),
    ("start", "courseDates.start"),
    ("end", "courseDates.end"),
)


def _course_for_write(call: Call, body: Json) -> Json:
    """Caller's UEN first, then the course (ssg-api 14.3 applied to the course dialect [U])."""
    uen = text(dig(body, "trainingProvider.uen"))
    if uen and uen != call.app.uen:
        raise course_error(403, [detail("-", BAD_UEN)])
    problems = Problems("course.")
    problems.required(body, "courseReferenceNumber", "trainingProvider.uen", message=REQUIRED)
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    course = call.world.course(body["courseReferenceNumber"])
    if course is None or course["uen"] != call.app.uen or course.get("deleteFlag"):
        raise course_error(400, [detail("course.courseReferenceNumber", "No course found.")], INVALID)
    if course.get("expireFlag") and not truth(call.query.get("includeExpiredCourses")):
        raise course_error(400, [detail("course.courseReferenceNumber", "Course has expired.")], INVALID)
    return course


def run_record(
    call: Call, course: Json, given: Json, old: Json | None, problems: Problems, path: str
) -> Json:
    """A run from a request, merged over the old one, with every field rule of 4.1."""
    base, inner = old or {}, Problems(path)
    dates: dict[str, int | None] = {}
    for name, where in DATES:
        value = dig(given, where)
        dates[name] = compact_date(value) if text(value) else base.get(name)
        if dates[name] is None:
            inner.add(where, "Invalid date" if text(value) else REQUIRED)
    for group, pair in (("registrationDates", ("opening", "closing")), ("courseDates", ("start", "end"))):
        part = branch(given, group)
        if old and part and not all(text(part.get(name)) for name in pair):
            inner.add(group, "Both dates are required together")
    opening, closing, start, end = (dates[name] for name in ("opening", "closing", "start", "end"))
    if opening and closing and opening > closing:
        inner.add("registrationDates.opening", "Registration opening date is after the closing date")
    if start and end and start > end:
        inner.add("courseDates.start", "Course start date is after the end date")
    if opening and start and opening > start:
        inner.add("registrationDates.opening", "Registration opening date is after the course start date")
    if (
        call.settings.strict_past_registration
        and opening
        and opening != base.get("opening")
        and opening < call.world.clock.today()
    ):
        inner.add("registrationDates.opening", "Registration opening date is in the past")
    periods = [p for p in course["support"] if p.get("to")]
    if (
        call.settings.enforce_support_period
        and start
        and start != base.get("start")
        and periods
        and start > max(int(p["to"]) for p in periods)
    ):
        inner.add("courseDates.start", "Course start date is outside the course's support period")

    def kept(where: str, name: str, default: str = "") -> str:
        value = dig(given, where)
        return text(value) if value is not None else str(base.get(name, default))

    def counted(name: str) -> int:
        value = given.get(name)
        found = whole(value) if value is not None else int(base.get(name, 0))
        if found is None or found < 0:
            inner.add(name, "Invalid number")
            return 0
        return found

    mode, vacancy = kept("modeOfTraining", "modeOfTraining"), kept("courseVacancy.code", "vacancy").upper()
    texts = {
        "scheduleInfoType.code": kept("scheduleInfoType.code", "scheduleCode"),
        "scheduleInfoType.description": kept("scheduleInfoType.description", "scheduleDescription"),
        "scheduleInfo": kept("scheduleInfo", "scheduleInfo"),
        "modeOfTraining": mode,
        "courseAdminEmail": kept("courseAdminEmail", "courseAdminEmail"),
        "courseVacancy.code": vacancy,
    }
    for where, value in texts.items():
        if not value:
            inner.add(where, REQUIRED)
    if mode and mode not in MODES:
        inner.add("modeOfTraining", "Invalid mode of training")
    if vacancy and vacancy not in VACANCIES:
        inner.add("courseVacancy.code", "Invalid course vacancy")
    inner.lengths(given, RUN_LIMITS)
    venue = venue_record(branch(given, "venue")) if "venue" in given or not old else base["venue"]
    check_venue(venue, mode, inner, path + "venue.")
    intake, threshold, registered = (
        counted("intakeSize"),
        counted("threshold"),
        counted("registeredUserCount"),
    )
    if registered > intake + threshold:
        inner.add("registeredUserCount", "Registered users are more than intake size plus threshold")
    problems.details += inner.details
    return {
        **base,
        "course": course["referenceNumber"],
        "uen": course["uen"],
        **dates,
        "venue": venue,
        "sequenceNumber": whole(given.get("sequenceNumber")) or base.get("sequenceNumber", 0),
        "scheduleCode": texts["scheduleInfoType.code"],
        "scheduleDescription": texts["scheduleInfoType.description"],
        "scheduleInfo": texts["scheduleInfo"],
        "modeOfTraining": mode,
        "courseAdminEmail": texts["courseAdminEmail"],
        "vacancy": vacancy,
        "vacancyText": text(dig(given, "courseVacancy.description")) or VACANCIES.get(vacancy, ""),
        "intakeSize": intake,
        "threshold": threshold,
        "registeredUserCount": registered,
    }


def new_run(call: Call, record: Json) -> Json:
    """Number, QR token and times of a fresh run (ssg-api 1.1, 4.1)."""
    return {
        **record,
        "id": call.store.next_number("run", 850001),
        "qr": call.store.next_number("qr", 145001),
        "created": call.now,
        "updated": call.now,
        "deleted": False,
        "attendanceTaken": False,
        "nextSession": 1,
    }


def publish(call: Call) -> Reply:
    """POST /courses/courseRuns/publish: one or more runs, all or none (ssg-api 4.1)."""
    body = branch(call.body, "course")
    course = _course_for_write(call, body)
    given, problems, planned = body.get("runs"), Problems(), []
    if not isinstance(given, list) or not given:
        raise course_error(400, [detail("course.runs", REQUIRED)], INVALID)
    for number, item in enumerate(given):
        entry, path = item if isinstance(item, dict) else {}, f"course.runs[{number}]."
        run = run_record(call, course, entry, None, problems, path)
        run["trainers"] = trainers.resolve(
            call, course["uen"], entry.get("linkCourseRunTrainer"), problems, path + "linkCourseRunTrainer"
        )
        held: list[Json] = []
        listed = entry.get("sessions") or []
        for index, one in enumerate(listed if isinstance(listed, list) else [None]):
            shape = {**run, "id": "", "start": run["start"] or 0, "end": run["end"] or 99999999}
            held.append(
                session_record(
                    call,
                    shape,
                    one if isinstance(one, dict) else {},
                    None,
                    problems,
                    f"{path}sessions[{index}].",
                )
            )
        same = [
            r
            for r in call.store.find("run_by_course", course["referenceNumber"])
            if not r["deleted"] and (r["start"], r["end"]) == (run["start"], run["end"])
        ]
        if call.settings.strict_duplicate_runs and same:
            problems.add(path + "courseDates", "course run already exist")
        planned.append((run, held))
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    ids = []
    with call.store.transaction():
        for run, held in planned:
            run = new_run(call, run)
            for session in held:
                run = add_session(call, run, course["externalReferenceNumber"], session)
            call.store.put("runs", run["id"], run)
            trainers.remember(call, run["trainers"])
            ids.append({"id": run["id"]})
    return course_reply({"runs": ids})


def edit(call: Call) -> Reply:
    """POST /courses/courseRuns/edit/{runId}: update or delete (ssg-api 4.2, 4.3)."""
    body = branch(call.body, "course")
    course = _course_for_write(call, body)
    run = call.world.run(call.path_params["run_id"])
    if run is None or run["uen"] != call.app.uen:
        raise course_error(404, [detail("", NOT_FOUND)])
    if run["course"] != course["referenceNumber"]:
        raise course_error(
            400, [detail("course.courseReferenceNumber", "Course run is of another course.")], INVALID
        )
    given = branch(body, "run")
    action = text(given.get("action")).lower()
    if action == "delete":
        return _delete(call, run)
    if action != "update":
        raise course_error(400, [detail("course.run.action", "Action must be update or delete")], INVALID)
    problems, path = Problems(), "course.run."
    if call.settings.strict_completed_runs and run["end"] < call.world.clock.today():
        problems.add(path + "action", "Course run is completed and cannot be edited")
    if call.settings.strict_full_run_update:
        for name in FULL_SET:
            if not given.get(name):
                problems.add(path + name, REQUIRED)
    changed = run_record(call, course, given, run, problems, path)
    # 4.2: leaving the list out removes the trainers, even when only a session was edited
    changed["trainers"] = trainers.resolve(
        call, course["uen"], given.get("linkCourseRunTrainer"), problems, path + "linkCourseRunTrainer"
    )
    plan = apply_edits(
        call, changed, course["externalReferenceNumber"], given.get("sessions"), problems, path + "sessions"
    )
    if problems.details:
        raise course_error(400, problems.details, INVALID)
    changed["updated"] = call.now
    with call.store.transaction():
        for kind, session in plan:
            if kind == "add":
                changed = add_session(call, changed, course["externalReferenceNumber"], session)
            else:
                call.store.put("sessions", session["id"], session)
        call.store.put("runs", run["id"], changed)
        trainers.remember(call, changed["trainers"])
    return course_reply({})


def _delete(call: Call, run: Json) -> Reply:
    enrolled = any(e["status"] == "Confirmed" for e in call.store.find("enrolment_by_run", run["id"]))
    if enrolled and call.settings.refuse_run_delete_with_enrolments:
        raise course_error(400, [detail("course.run.action", "Course run has confirmed enrolments")], INVALID)
    with call.store.transaction():
        for session in live_sessions(call, run["id"]):
            call.store.put("sessions", session["id"], {**session, "deleted": True})
        call.store.put("runs", run["id"], {**run, "deleted": True, "updated": call.now})
    return course_reply({})


def legacy_write(call: Call) -> Reply:
    """POST /courses/runs and /courses/runs/{id}: retired about November 2022 (ssg-api 4.7)."""
    raise gateway_error(403, EXPIRED)
