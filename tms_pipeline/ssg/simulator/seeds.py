"""Putting courses, trainers, runs and other records into the world: data file and control API."""

from __future__ import annotations

from typing import Any

from . import applications, assessments, catalogue, course_runs, enrolments, grants, trainers
from .calls import App, Call, World
from .endpoints import ENDPOINTS
from .envelopes import Json, Refusal
from .fields import Problems, branch, text, whole
from .sessions import add_session, session_record
from .settings import Settings

LISTS = ("courses", "trainers", "runs", "applications", "enrolments", "assessments", "employers")


def _lenient() -> Settings:
    """Seeded records may lie in the past and outside support periods."""
    return Settings(enforce_support_period=False)


def _call(world: World, app: App, body: Any) -> Call:
    return Call(ENDPOINTS[0], world, {}, {"includeExpiredCourses": "true"}, {}, app, _lenient(), body)


def _app(world: World, uen: str) -> App:
    app = world.app_of(uen)
    if app is None:
        raise ValueError(f"no app has the UEN {uen}")
    return app


def add_run(world: World, given: Json) -> Json:
    """A run as in a publish body, plus courseReferenceNumber and optionally id; gaps get plain values."""
    course = world.course(given.get("courseReferenceNumber"))
    if course is None:
        raise ValueError(f"no course {given.get('courseReferenceNumber')!r} for a run")
    dates = branch(given, "courseDates")
    start = dates.get("start") or given.get("start") or world.clock.today()
    end = dates.get("end") or given.get("end") or start
    filled: Json = {
        "courseDates": {"start": start, "end": end},
        "registrationDates": {"opening": start, "closing": start},
        "scheduleInfoType": {"code": "01", "description": "Description"},
        "scheduleInfo": "As arranged",
        "venue": {"floor": "1", "unit": "1", "postalCode": "169876", "room": "1"},
        "intakeSize": 30,
        "modeOfTraining": "1",
        "courseAdminEmail": "admin@example.test",
        "courseVacancy": {"code": "A"},
        **given,
    }
    call, problems = _call(world, _app(world, course["uen"]), None), Problems()
    run = course_runs.run_record(call, course, filled, None, problems, "")
    run["trainers"] = trainers.resolve(
        call, course["uen"], given.get("linkCourseRunTrainer"), problems, "trainers"
    )
    if problems.details:
        raise ValueError(f"run of {course['referenceNumber']}: {problems.details[0]}")
    listed = given.get("sessions")
    if listed is None:
        listed = [
            {
                "startDate": str(start),
                "endDate": str(start),
                "startTime": "09:00",
                "endTime": "17:00",
                "modeOfTraining": run["modeOfTraining"],
                "venue": {"primaryVenue": True},
            }
        ]
    with world.store.transaction():
        run = course_runs.new_run(call, run)
        if (wanted := whole(given.get("id"))) is not None:
            if world.store.get("runs", wanted) is not None:
                raise ValueError(f"run {wanted} is there already")
            run["id"] = wanted
        for item in listed:
            record = session_record(call, run, item, None, problems, "")
            if problems.details:
                raise ValueError(f"session of {course['referenceNumber']}: {problems.details[0]}")
            run = add_session(call, run, course["externalReferenceNumber"], record)
        world.store.put("runs", run["id"], run)
        trainers.remember(call, run["trainers"])
    return run


def plant(world: World, data: Json, only_missing: bool = False) -> Json:
    """Add the records of a data document; returns the keys of what was added, by list."""
    added: Json = {name: [] for name in LISTS}
    if unknown := sorted(set(data) - {*LISTS, "apps", "settings"}):
        raise ValueError(f"unknown list {unknown[0]!r}; known: {', '.join(LISTS)}")
    with world.store.transaction():
        world.employers.update({text(k): text(v) for k, v in branch(data, "employers").items()})
        for item in data.get("courses") or []:
            if not isinstance(item, dict):
                raise ValueError("a course is an object")
            if only_missing and world.store.get("courses", text(item.get("referenceNumber"))) is not None:
                continue
            course = catalogue.seeded(world, {**item, "uen": text(item.get("uen")) or world.apps[0].uen})
            added["courses"].append(course["referenceNumber"])
        for item in data.get("trainers") or []:
            uen = text(item.get("uen")) or world.apps[0].uen
            if not text(item.get("idNumber")):
                raise ValueError("a trainer needs an idNumber")
            if only_missing and trainers.profile_by_id_number(world, uen, text(item["idNumber"])) is not None:
                continue
            added["trainers"].append(trainers.seeded(world, uen, item)["id"])
        for item in data.get("runs") or []:
            if (
                only_missing
                and item.get("id") is not None
                and world.store.get("runs", item["id"]) is not None
            ):
                continue
            added["runs"].append(add_run(world, item)["id"])
        for item in data.get("applications") or []:
            added["applications"].append(applications.seeded(world, item)["view"]["applicationId"])
        for name, root, create in (
            ("enrolments", "enrolment", enrolments.create),
            ("assessments", "assessment", assessments.create),
        ):
            for item in data.get(name) or []:
                body = item if root in item else {root: item}
                app = _app(
                    world, text(branch(body, f"{root}.trainingPartner").get("uen")) or world.apps[0].uen
                )
                try:
                    reply = create(_call(world, app, body))
                except Refusal as refusal:
                    raise ValueError(f"{root}: {refusal.reply.body['error']}") from refusal
                added[name].append(reply.body["data"][root]["referenceNumber"])
    return {name: keys for name, keys in added.items() if keys}


def furnish(world: World, data: Json) -> None:
    """At start: everything into an empty world; into a restored one only missing courses and trainers."""
    if world.store.all("courses"):
        data = {name: data[name] for name in ("courses", "trainers", "employers") if name in data}
    plant(world, data, only_missing=True)
    grants.resume(world)
