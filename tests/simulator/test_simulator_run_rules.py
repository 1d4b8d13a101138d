"""Rules of course runs, sessions, trainers and attendance at the simulator (ssg-api 4, 5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simulator_wire import (
    COURSE,
    OTHER_UEN,
    PATH,
    SKILLED,
    UEN,
    Sim,
    enrolment,
    fixture,
    publish,
    put,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("registrationDates.opening", 20221127),
        ("registrationDates.opening", "x"),
        ("courseDates.start", 20230101),
        ("courseDates.end", None),
        ("scheduleInfo", ""),
        ("venue.room", ""),
        ("venue.floor", "1234"),
        ("registeredUserCount", 61),
        ("modeOfTraining", "10"),
        ("courseVacancy.code", "01"),
        ("courseAdminEmail", ""),
        ("intakeSize", -1),
    ],
)
def test_publish_rules(sim: Sim, path: str, value: Any) -> None:
    status, reply = publish(sim, **{path.replace(".", "__"): value})
    assert (
        status == 400 and reply["error"]["message"] == "Invalid input parameter(s)." and reply["meta"] == {}
    )
    assert any(d["field"].startswith("course.runs[0].") for d in reply["error"]["details"])
    assert sim.control("counts")["records"]["runs"] == 0


def test_publish_takes_several_runs_all_or_none(sim: Sim) -> None:
    body = fixture("courserun-publish.request", uen=UEN, course=COURSE)
    body["course"]["runs"] *= 3
    status, reply = sim.post("/courses/courseRuns/publish", body)
    assert status == 200 and len({run["id"] for run in reply["data"]["runs"]}) == 3
    body = json.loads(json.dumps(body))
    body["course"]["runs"][2]["scheduleInfo"] = ""
    assert sim.post("/courses/courseRuns/publish", body)[0] == 400
    assert sim.control("counts")["records"]["runs"] == 3
    sim.control("settings", {"strict_duplicate_runs": True})
    status, reply = publish(sim)
    assert status == 400 and reply["error"]["details"][0]["message"] == "course run already exist"


def test_publish_takes_ints_dashes_and_venueless_modes(sim: Sim) -> None:
    assert publish(sim, venue__postalCode=69141, sessions=[])[0] == 200
    status, reply = publish(
        sim,
        modeOfTraining="2",
        venue=None,
        linkCourseRunTrainer=None,
        sessions=[{"startDate": "2022-11-26", "endDate": "2022-12-01", "modeOfTraining": "2"}],
    )
    assert status == 200, reply
    run = reply["data"]["runs"][0]["id"]
    session = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")[1]["data"][
        "sessions"
    ][0]
    assert (session["startDate"], session["endDate"]) == ("20221126", "20221201")
    assert (session["startTime"], session["endTime"], session["venue"]["room"]) == ("00:00", "23:59", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"startDate": "20221125"}, "startDate"),
        ({"endTime": "15:00"}, "endTime"),
        ({"startTime": "25:00"}, "startTime"),
        ({"startDate": "tomorrow"}, "startDate"),
        ({"modeOfTraining": ""}, "modeOfTraining"),
        ({"venue": {}}, "venue.floor"),
    ],
)
def test_session_rules(sim: Sim, change: Any, field: str) -> None:
    session = fixture("courserun-publish.request", uen=UEN, course=COURSE)["course"]["runs"][0]["sessions"][0]
    status, reply = publish(sim, sessions=[{**session, **change}])
    assert status == 400 and reply["error"]["details"][0]["field"] == f"course.runs[0].sessions[0].{field}"


def test_a_session_id_is_not_reused_and_a_primary_venue_is_the_runs(sim: Sim) -> None:
    run = publish(sim)[1]["data"]["runs"][0]["id"]
    edit = f"/courses/courseRuns/edit/{run}"
    body = fixture(
        "courserun-edit.request.delete-session", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1"
    )
    assert sim.post(edit, body)[0] == 200
    assert sim.post(edit, body)[0] == 400  # it is gone
    add = fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)
    add["course"]["run"]["sessions"][0]["venue"] = {"primaryVenue": True}
    assert sim.post(edit, add)[0] == 200
    sessions = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={COURSE}")[1]["data"][
        "sessions"
    ]
    assert [s["id"] for s in sessions] == [f"{COURSE}-{run}-S2"] and sessions[0]["venue"]["room"] == "24"


def test_editing_replaces_the_trainers(sim: Sim) -> None:
    run = publish(sim)[1]["data"]["runs"][0]["id"]

    def trainers() -> list[Any]:
        view = sim.get(f"/courses/courseRuns/id/{run}")[1]["data"]["course"]["run"]
        return [t["trainer"]["name"] for t in view["linkCourseRunTrainer"]]

    assert trainers() == ["made up"]
    edit = {
        "course": {
            "courseReferenceNumber": COURSE,
            "trainingProvider": {"uen": UEN},
            "run": {"action": "update"},
        }
    }
    edit["course"]["run"]["linkCourseRunTrainer"] = [  # type: ignore[index]
        {"trainer": {"trainerType": {"code": "1", "description": "Existing"}, "idNumber": "s9999111i"}}
    ]
    assert sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 200
    assert trainers() == ["Trainer One"]
    put(edit, "course.run.linkCourseRunTrainer", None)
    assert (
        sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 200
    )  # partial is taken, and the list is gone
    assert trainers() == []
    status, reply = publish(
        sim, linkCourseRunTrainer=[{"trainer": {"trainerType": {"code": "1"}, "idNumber": "S0000000X"}}]
    )
    assert status == 400 and reply["error"]["details"][0]["message"] == "existing_trainer_notfound"
    sim.control("settings", {"strict_full_run_update": True})
    assert sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 400


def test_runs_with_enrolments_are_kept_unless_switched(sim: Sim) -> None:
    run = sim.run()
    ref, delete = sim.enrol(run), fixture("courserun-delete.request", uen=UEN, course=COURSE)
    assert sim.post(f"/courses/courseRuns/edit/{run}", delete)[0] == 400
    sim.control("settings", {"refuse_run_delete_with_enrolments": False})
    assert sim.post(f"/courses/courseRuns/edit/{run}", delete)[0] == 200
    assert sim.post(PATH, enrolment(run))[0] == 400
    assert sim.get(f"{PATH}/details/{ref}")[0] == 200


def test_runs_of_a_course_are_paged_newest_first(sim: Sim) -> None:
    runs = [sim.run(start=20250101 + n) for n in range(5)]
    path = f"/courses/courseRuns/reference?uen={UEN}&courseReferenceNumber={COURSE}"
    status, reply = sim.get(path + "&page=1&pageSize=2")
    assert [r["id"] for r in reply["data"]["course"]["runs"]] == runs[::-1][2:4] and reply["meta"] == {
        "total": 5
    }
    assert [r["id"] for r in sim.get(path + "&courseRunStartDate=20250103")[1]["data"]["course"]["runs"]] == [
        runs[2]
    ]
    for bad in ("&pageSize=101", "&pageSize=0", "&page=-1", "&page=x", "&courseRunStartDate=soon"):
        assert sim.get(path + bad)[0] == 400
    assert sim.get(f"/courses/courseRuns/reference?uen={UEN}")[0] == 400


def test_expired_courses_and_ended_support(sim: Sim) -> None:
    for value, status in (("false", 400), ("True", 200)):
        body = fixture("courserun-publish.request", uen=UEN, course="TGS-2018000001")
        assert sim.post(f"/courses/courseRuns/publish?includeExpiredCourses={value}", body)[0] == status
    assert publish(sim, course="TGS-2018000002")[0] == 400
    sim.control("settings", {"enforce_support_period": False})
    assert publish(sim, course="TGS-2018000002")[0] == 200


def test_legacy_references_with_spaces_and_signs(sim: Sim) -> None:
    name = "PA-EXAMPLE-01-Cook @ 7"
    assert publish(sim, course=name)[0] == 200
    reply = sim.http.get("/courses/courseRuns/reference", params={"uen": UEN, "courseReferenceNumber": name})
    assert reply.json()["meta"] == {"total": 1}
    run = publish(sim, course="TGS-2019000202")[1]["data"]["runs"][0]["id"]  # by external reference
    found = sim.get(f"/courses/runs/{run}/sessions?uen={UEN}&courseReferenceNumber={SKILLED}")[1]
    assert found["data"]["sessions"][0]["id"] == f"TGS-2019000202-{run}-S1"


# Attendance
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("course.sessionID", "X-1-S1"),
        ("course.attendance.status.code", "5"),
        ("course.attendance.trainee.id", ""),
        ("course.attendance.trainee.idType.code", "XX"),
        ("course.attendance.trainee.surveyLanguage.code", "ML"),
        ("course.referenceNumber", SKILLED),
        ("corppassId", ""),
        ("course.attendance.trainee.name", "n" * 67),
    ],
)
def test_attendance_refusals(sim: Sim, path: str, value: str) -> None:
    run = sim.run()
    body = fixture("attendance-upload.request", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1")
    put(body, path, value)
    status, reply = sim.post(f"/courses/runs/{run}/sessions/attendance", body)
    assert status == 400 and len(reply["error"]["details"]) == 1, reply


def test_attendance_contact_hours_and_enrolment(sim: Sim) -> None:
    run = sim.run(
        sessions=[{"startDate": "20261201", "endDate": "20261201", "modeOfTraining": "4"}], start=20261201
    )
    body = fixture("attendance-upload.request", uen=UEN, course=COURSE, session=f"{COURSE}-{run}-S1")
    path, trainee = f"/courses/runs/{run}/sessions/attendance", body["course"]["attendance"]["trainee"]
    for hours, status in ((0.4, 400), (8.5, 400), (None, 400), (8, 200), ("0.5", 200)):
        trainee["numberOfHours"] = hours
        assert sim.post(path, body)[0] == status
    trainee["email"], trainee["contactNumber"]["mobile"] = "", 81230001
    assert sim.post(path, body)[0] == 200
    trainee["contactNumber"]["mobile"] = ""
    assert sim.post(path, body)[0] == 400
    row = sim.get(path)[1]["data"]["courseRun"]["sessions"][0]["attendance"][0]
    assert row["errorMessage"] and row["trainee"]["contactNumber"]["mobile"] == "81230001"
    body["uen"] = OTHER_UEN
    assert sim.post(path, body)[0] == 403
    sim.control("settings", {"strict_attendance_enrolled": True})
    body["uen"], trainee["contactNumber"]["mobile"] = UEN, "81230001"
    assert sim.post(path, body)[0] == 400
    other = sim.run()
    sim.control("settings", {"empty_attendance_status": 404})
    assert sim.get(f"/courses/runs/{other}/sessions/attendance?uen={UEN}")[0] == 404
