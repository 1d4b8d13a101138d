"""Grants: SSG makes them from enrolments, some time later; read only (ssg-api 8.1, 14.2)."""

from __future__ import annotations

from datetime import date

from . import searching
from .calls import Call, World, local_meta
from .clock import local_date, year_month
from .codes import FUNDING_COMPONENTS, FUNDING_SCHEMES
from .envelopes import Json, Reply, detail, tpg_error, tpg_reply, wrong_uen
from .fields import dashed, text

FILTERS = {
    "enrolment.referenceNumber": "enrolment",
    "trainee.id": "traineeId",
    "employer.uen": "employerUen",
    "trainingPartner.uen": "uen",
    "trainingPartner.code": "code",
    "course.referenceNumber": "course",
    "course.run.id": "runId",
}
NO_GRANT = "No grant found"
MCES_AGE = 40
MCES_TAG = "103"


def expect(world: World, enrolment: str) -> None:
    """An enrolment that will get its grants when their time comes."""
    world.awaiting[enrolment] = None


def resume(world: World) -> None:
    """After a restart: what is still to come follows from the records alone."""
    world.awaiting.clear()
    world.processing.clear()
    for enrolment in world.store.all("enrolments"):
        if enrolment["status"] == "Confirmed" and not enrolment.get("grantsMade"):
            world.awaiting[enrolment["referenceNumber"]] = None
    for grant in world.store.all("grants"):
        if grant["status"] == "Grant Processing":
            world.processing[grant["referenceNumber"]] = None


def _schemes(world: World, enrolment: Json, course: Json) -> list[tuple[str, float]]:
    """What one enrolment gets: a baseline, and a top-up where it fits (ssg-api 8.1; our shares)."""
    run = world.store.get("runs", enrolment["runId"])
    start = int(run["start"]) if run else world.clock.today()
    tags = {p["taggingCode"] for p in course["support"] if int(p["from"]) <= start <= int(p["to"])}
    if not tags:
        return []
    try:
        born = date.fromisoformat(enrolment["dateOfBirth"]).year
    except ValueError:
        born = start // 10000
    schemes = [("BASELINE", 0.5)]
    if MCES_TAG in tags and start // 10000 - born >= MCES_AGE:
        schemes.append(("MCES", 0.2))
    elif enrolment["sponsorship"] == "Employer":
        schemes.append(("ETSS", 0.2))
    return schemes


def settle(world: World) -> None:
    """Bring grants up to simulated now: make the due ones, complete the old ones."""
    now, store, settings = world.clock.now(), world.store, world.settings
    for key in list(world.awaiting):
        enrolment = store.get("enrolments", key)
        if enrolment is not None and enrolment["created"] + settings.grant_appears_seconds > now:
            break  # oldest first: the rest is not due either
        del world.awaiting[key]
        course = world.course(enrolment["course"]) if enrolment else None
        if enrolment is None or course is None or enrolment["status"] != "Confirmed":
            continue
        due = enrolment["created"] + settings.grant_appears_seconds
        with store.transaction():
            for scheme, share in _schemes(world, enrolment, course):
                head = f"GRN-{year_month(due)}"
                reference = f"{head}-{store.next_number(head):06d}"
                store.put(
                    "grants",
                    reference,
                    {
                        "referenceNumber": reference,
                        "enrolment": key,
                        "status": "Grant Processing",
                        "scheme": scheme,
                        "component": "CF",
                        "estimated": f"{float(course['trainingCost']) * share:.2f}",
                        "paid": "0.00",
                        "recovery": "0.00",
                        "reason": "",
                        "disbursementDate": "",
                        "created": due,
                        "updated": due,
                        **{
                            name: enrolment[name]
                            for name in (
                                "uen",
                                "code",
                                "course",
                                "runId",
                                "traineeId",
                                "fullName",
                                "employerUen",
                            )
                        },
                    },
                )
                world.processing[reference] = None
            store.put("enrolments", key, {**enrolment, "grantsMade": True})
    for key in list(world.processing):
        grant = store.get("grants", key)
        if grant is not None and grant["created"] + settings.grant_completes_seconds > now:
            break
        del world.processing[key]
        if grant is not None and grant["status"] == "Grant Processing":
            done = grant["created"] + settings.grant_completes_seconds
            store.put(
                "grants",
                key,
                {
                    **grant,
                    "status": "Completed",
                    "paid": grant["estimated"],
                    "disbursementDate": local_date(done),
                    "updated": done,
                },
            )


def cancel(world: World, enrolment: str) -> None:
    """The grants of a cancelled enrolment are cancelled (ssg-api 14.2); a paid amount is recovered."""
    settle(world)
    world.awaiting.pop(enrolment, None)
    for grant in world.store.find("grant_by_enrolment", enrolment):
        world.processing.pop(grant["referenceNumber"], None)
        world.store.put(
            "grants",
            grant["referenceNumber"],
            {**grant, "status": "Cancelled", "recovery": grant["paid"], "updated": world.clock.now()},
        )


def grant_view(call: Call, grant: Json) -> Json:
    """One grant; the fields beside those of 8.1 are by analogy with enrolments [U]."""
    course = call.world.course(grant["course"]) or {}
    run: Json = call.store.get("runs", grant["runId"]) or {}
    partner = call.world.app_of(grant["uen"])
    return {
        "referenceNumber": grant["referenceNumber"],
        "status": grant["status"],
        "trainingPartner": {
            "code": grant["code"],
            "uen": grant["uen"],
            "name": partner.name if partner else "",
        },
        "course": {
            "referenceNumber": grant["course"],
            "title": course.get("title", ""),
            "run": {
                "id": grant["runId"],
                "startDate": dashed(run.get("start")),
                "endDate": dashed(run.get("end")),
            },
        },
        "trainee": {"id": grant["traineeId"], "fullName": grant["fullName"]},
        "enrolment": {"referenceNumber": grant["enrolment"]},
        "fundingScheme": {
            "code": grant["scheme"],
            "description": FUNDING_SCHEMES.get(grant["scheme"], ""),
        },
        "fundingComponent": {
            "code": grant["component"],
            "description": FUNDING_COMPONENTS.get(grant["component"], ""),
        },
        "grantAmount": {
            "estimated": grant["estimated"],
            "paid": grant["paid"],
            "recovery": grant["recovery"],
        },
        "disbursementDate": grant["disbursementDate"],
        **_reason(call, grant),
    }


def _reason(call: Call, grant: Json) -> Json:
    name = call.settings.grant_reason_member
    return {name: grant["reason"]} if name and grant.get("reason") else {}


def search(call: Call) -> Reply:
    """POST /tpg/grants/search; nothing found is 404 by default (ssg-api 8.1)."""
    win = searching.window(call, "grants", ("updatedOn", "createdOn"))
    settle(call.world)
    filters = searching.wanted(call.body, "grants", FILTERS)
    found = (
        call.store.find("grant_by_enrolment", filters["enrolment"])
        if "enrolment" in filters
        else call.store.find("grant_by_uen", call.app.uen)
    )
    found = [grant for grant in found if searching.matches(grant, filters)]
    return searching.answer(
        call,
        win,
        found,
        lambda g: {**grant_view(call, g), "meta": local_meta(g)},
        call.settings.empty_grants_status,
        NO_GRANT,
    )


def view(call: Call) -> Reply:
    """GET /tpg/grants/details/{ref} (ssg-api 8.1)."""
    settle(call.world)
    grant = call.store.get("grants", text(call.path_params["ref"]))
    if grant is None or call.pretend_empty:
        raise tpg_error(404, NO_GRANT, [detail("-", NO_GRANT)])
    if grant["uen"] != call.app.uen:
        raise wrong_uen()
    return tpg_reply(grant_view(call, grant), local_meta(grant), text_status=True)
