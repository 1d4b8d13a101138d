"""Session attendance: view and upload (ssg-api 5)."""

from __future__ import annotations

from .calls import Call
from .codes import ATTENDANCE, ID_TYPES, SURVEY_LANGUAGES
from .envelopes import BAD_UEN, INVALID, Json, Reply, course_error, course_reply, detail
from .fields import Problems, branch, dig, nric_valid, number, text
from .sessions import REQUIRED, live_sessions

NO_ENROLMENT = "No confirmed enrolment found for the trainee."  # possible texts not found (5.2) [U]


def _row_view(row: Json) -> Json:
    """One attendance row of 5.1; the id travels unmasked, inside the encrypted body."""
    return {
        "editedByTP": row["editedByTP"],
        "entryMode": row["entryMode"],
        "errorMessage": row["errorMessage"],
        "id": row["id"],
        "latitude": "",
        "longitude": "",
        "manuallyAdded": row["manuallyAdded"],
        "nric": row["traineeId"],
        "numberOfHours": row["numberOfHours"],
        "sentToTraqom": "Pending Upload to TRAQOM.",
        "status": ATTENDANCE[row["statusCode"]],
        "trainee": {
            "accountType": "",
            "contactNumber": {
                "areaCode": row["areaCode"],
                "countryCode": row["countryCode"],
                "mobile": row["mobile"],
            },
            "email": row["email"],
            "id": row["traineeId"],
            "idType": {"code": row["idType"], "description": ID_TYPES[row["idType"]]},
            "individualId": None,
            "name": row["name"],
            "surveyLanguage": {"code": row["language"], "description": SURVEY_LANGUAGES[row["language"]]},
        },
    }


def view(call: Call) -> Reply:
    """GET /courses/runs/{runId}/sessions/attendance, one session or all (ssg-api 5.1)."""
    run = call.world.run(call.path_params["run_id"])
    course = call.world.course(run["course"]) if run else None
    if run is None or course is None or run["uen"] != call.app.uen:
        raise course_error(404, [detail("", "No course run found.")])
    wanted = call.query.get("sessionId", "")
    held = [s for s in live_sessions(call, run["id"]) if not wanted or s["id"] == wanted]
    if wanted and not held:
        raise course_error(404, [])
    total, sessions = 0, []
    for session in held:
        rows = [] if call.pretend_empty else call.store.find("attendance_by_session", session["id"])
        total += len(rows)
        sessions.append(
            {
                "attendance": [_row_view(row) for row in rows],
                "endDate": session["endDate"],
                "endTime": session["endTime"],
                "id": session["id"],
                "modeOfTraining": session["modeOfTraining"],
                "startDate": session["startDate"],
                "startTime": session["startTime"],
                "venue": session["venue"],
            }
        )
    if not total and call.settings.empty_attendance_status == 404:
        raise course_error(404, [])
    return course_reply(
        {
            "courseRun": {
                "courseDates": {"end": str(run["end"]), "start": str(run["start"])},
                "externalReferenceNumber": course["externalReferenceNumber"],
                "id": run["id"],
                "modeOfTraining": run["modeOfTraining"],
                "referenceNumber": run["course"],
                "sessions": sessions,
                "title": course["title"],
            }
        },
        {"total": total},
    )


def upload(call: Call) -> Reply:
    """POST the same path: one trainee of one session; a second upload changes the row (ssg-api 5.2)."""
    body = call.body if isinstance(call.body, dict) else {}
    uen = text(body.get("uen"))
    if uen and uen != call.app.uen:
        raise course_error(403, [detail("-", BAD_UEN)])
    trainee, problems = branch(body, "course.attendance.trainee"), Problems()
    problems.required(
        body,
        "uen",
        "corppassId",
        "course.sessionID",
        "course.referenceNumber",
        "course.attendance.status.code",
        message=REQUIRED,
    )
    inner = Problems("course.attendance.trainee.")
    inner.required(
        trainee,
        "id",
        "name",
        "idType.code",
        "contactNumber.countryCode",
        "surveyLanguage.code",
        message=REQUIRED,
    )
    if not text(trainee.get("email")) and not text(dig(trainee, "contactNumber.mobile")):
        inner.add("email", "Email or mobile is required.")
    inner.lengths(
        trainee,
        {
            "id": 50,
            "name": 66,
            "email": 320,
            "contactNumber.mobile": 15,
            "contactNumber.areaCode": 5,
            "contactNumber.countryCode": 4,
        },
    )
    status = text(dig(body, "course.attendance.status.code"))
    id_type, language = (
        text(dig(trainee, "idType.code")).upper(),
        text(dig(trainee, "surveyLanguage.code")).upper(),
    )
    if status and status not in ATTENDANCE:
        problems.add("course.attendance.status.code", "Invalid attendance status")
    if id_type and id_type not in ID_TYPES:
        inner.add("idType.code", "Invalid id type")
    if language and language not in SURVEY_LANGUAGES:
        inner.add("surveyLanguage.code", "Invalid survey language")
    trainee_id = text(trainee.get("id"))
    if (
        call.settings.strict_nric_checksum
        and id_type in ("SP", "SB", "SO")
        and trainee_id
        and not nric_valid(trainee_id)
    ):
        inner.add("id", "Invalid id number")
    run = call.world.run(call.path_params["run_id"])
    if run is None or run["uen"] != call.app.uen:
        raise course_error(404, [detail("", "No course run found.")])
    course, session = (
        call.world.course(run["course"]),
        call.store.get("sessions", text(dig(body, "course.sessionID"))),
    )
    if session is not None and (session["deleted"] or str(session["runId"]) != str(run["id"])):
        session = None
    if session is None and text(dig(body, "course.sessionID")):
        problems.add("course.sessionID", "No session found.")
    reference = text(dig(body, "course.referenceNumber"))
    if reference and reference not in (run["course"], (course or {}).get("externalReferenceNumber")):
        problems.add("course.referenceNumber", "Course run is of another course.")
    hours = number(trainee.get("numberOfHours"))
    if session is not None and session["modeOfTraining"] == "4":
        if hours is None or not 0.5 <= hours <= 8.0:
            inner.add("numberOfHours", "Number of hours must be between 0.5 and 8.0")
    else:
        hours = None  # asked for On-the-Job only (5.2)
    enrolled = any(
        e["status"] == "Confirmed" and str(e["runId"]) == str(run["id"])
        for e in call.store.find("enrolment_by_trainee", trainee_id.upper())
    )
    if call.settings.strict_attendance_enrolled and trainee_id and not enrolled:
        inner.add("id", NO_ENROLMENT)
    problems.details += inner.details
    if problems.details or session is None:
        raise course_error(400, problems.details, INVALID)
    key = f"{session['id']}/{trainee_id.upper()}"
    old = call.store.get("attendance", key)
    phone = branch(trainee, "contactNumber")
    row = {
        "sessionId": session["id"],
        "runId": run["id"],
        "traineeId": trainee_id,
        "statusCode": status,
        "numberOfHours": f"{hours:g}" if hours is not None else "0",
        "name": text(trainee.get("name")),
        "email": text(trainee.get("email")),
        "idType": id_type,
        "language": language,
        "mobile": text(phone.get("mobile")),
        "areaCode": text(phone.get("areaCode")) or "0",
        "countryCode": text(phone.get("countryCode")).lstrip("+"),
        "entryMode": "Manual",
        "manuallyAdded": True,
        "editedByTP": "Yes" if old else "No",
        "errorMessage": "" if enrolled else NO_ENROLMENT,
        "corppassId": text(body.get("corppassId")),
        "updated": call.now,
    }
    with call.store.transaction():
        row["id"] = old["id"] if old else str(call.store.next_number("attendance", 18001))
        call.store.put("attendance", key, row)
        if not session["attendanceTaken"]:
            call.store.put("sessions", session["id"], {**session, "attendanceTaken": True})
        if not run["attendanceTaken"]:
            call.store.put("runs", run["id"], {**run, "attendanceTaken": True})
    return course_reply({})
