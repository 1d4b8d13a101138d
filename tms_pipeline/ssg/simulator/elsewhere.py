"""Somebody changes SSG's records behind the client's back: faults and control edits (ssg-api 14.2)."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from . import enrolments, grants
from .calls import World
from .envelopes import Json
from .faults import Fault
from .fields import dig, text
from .store import SHOWN

FAMILY = {
    "enrolment": "enrolments",
    "assessment": "assessments",
    "course_run": "runs",
    "session": "sessions",
    "attendance": "attendance",
    "trainer": "trainers",
    "grant": "grants",
    "credit": "claims",
}
PREFIX = {"ENR": "enrolments", "ASM": "assessments", "GRN": "grants"}
USUAL_EDIT: dict[str, Json] = {
    "enrolments": {"email": "changed.elsewhere@example.test"},
    "assessments": {"grade": "F"},
    "runs": {"scheduleInfo": "Changed elsewhere"},
    "trainers": {"experience": "Changed elsewhere"},
    "sessions": {"startTime": "08:00"},
    "attendance": {"statusCode": "3"},
    "grants": {"status": "Grant Processing"},
    "claims": {"status": "Cancelled"},
}
KEYS = {"runs": "id", "sessions": "id", "trainers": "id", "claims": "id", "applications": "applicationId"}


def _target(fault: Fault, name: str, path_params: dict[str, str], answer: Any) -> tuple[str, str]:
    """Which record: the fault's `reference`, the one in the path, or the one just made."""
    given = text(fault.params.get("reference"))
    kind = PREFIX.get(given[:3]) or FAMILY.get(name.partition(".")[0], "")
    key = given or path_params.get("ref") or path_params.get("run_id") or path_params.get("trainer_id") or ""
    for path in ("data.enrolment.referenceNumber", "data.assessment.referenceNumber", "data.referenceNumber"):
        key = key or text(dig(answer, path))
    rows = dig(answer, "data")
    if not key and isinstance(rows, list) and rows:
        key = (
            text(dig(rows[0], "enrolment.referenceNumber"))
            if "enrolment" in rows[0] and kind == "enrolments"
            else text(dig(rows[0], "referenceNumber"))
        )
    runs = dig(answer, "data.runs")
    if not key and isinstance(runs, list) and runs:
        key = text(dig(runs[0], "id"))
    return kind, key


def strike(world: World, fault: Fault, name: str, path_params: dict[str, str], answer: Any) -> None:
    """Carry out cancelled_elsewhere or edited_elsewhere; nothing happens when there is no such record."""
    kind, key = _target(fault, name, path_params, answer)
    if not kind or world.store.get(kind, key) is None:
        return
    if fault.kind == "cancelled_elsewhere":
        cancel(world, kind, key)
    else:
        change(world, kind, key, fault.params.get("set") or USUAL_EDIT.get(kind, {}))


def _need(world: World, kind: str, key: str) -> Json:
    if kind not in SHOWN:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(SHOWN)}")
    found = world.store.get(kind, key)
    if found is None:
        raise LookupError(f"no record {key!r} among the {kind}")
    return found


def cancel(world: World, kind: str, key: str) -> Json:
    """Cancel an enrolment, void an assessment, delete a run or session, cancel a grant or claim."""
    record, now = _need(world, kind, key), world.clock.now()
    if kind == "enrolments":
        return record if record["status"] == "Cancelled" else enrolments.cancelled(world, record)
    changes: dict[str, Json] = {
        "assessments": {"result": "Void", "voided": True},
        "runs": {"deleted": True},
        "sessions": {"deleted": True},
        "grants": {"status": "Cancelled"},
        "claims": {"status": "Cancelled"},
        "attendance": {"statusCode": "4"},
    }
    if kind not in changes:
        raise ValueError(f"{kind} cannot be cancelled")
    changed = {**record, **changes[kind], **({"updated": now} if "updated" in record else {})}
    world.store.put(kind, key, changed)
    return changed


def change(world: World, kind: str, key: str, values: Json) -> Json:
    """Set fields of a record by their names in /_control/state; a dotted name goes deeper."""
    record = dict(_need(world, kind, key))
    for name, value in values.items():
        steps, place = name.split("."), record
        for step in steps[:-1]:
            inner = place.get(step)
            place[step] = dict(inner) if isinstance(inner, dict) else {}
            place = place[step]
        if steps[-1] not in place:
            raise ValueError(f"{kind} have no field {name!r}; they have: {', '.join(sorted(record))}")
        was = place[steps[-1]]
        if (
            was is not None
            and value is not None
            and type(was) is not type(value)
            and not (isinstance(was, int | float) and isinstance(value, int | float))
        ):
            raise ValueError(f"field {name!r} of {kind} takes a {type(was).__name__}")
        place[steps[-1]] = value
    if "updated" in record and "updated" not in values:
        record["updated"] = world.clock.now()
    if KEYS.get(kind, "referenceNumber") in values:
        raise ValueError("the key of a record cannot be changed")
    world.store.put(kind, key, record)
    if kind == "enrolments" and record["status"] == "Cancelled":
        grants.cancel(world, key)
    return record


def delete(world: World, kind: str, key: str) -> None:
    """Remove a record as if it had never been."""
    _need(world, kind, key)
    world.store.delete(kind, key)


def duplicate(world: World, kind: str, key: str, values: Json | None = None) -> Json:
    """A second record like the first, under a new reference; with ``values`` one that differs in these fields."""
    record, now, changes = dict(_need(world, kind, key)), world.clock.now(), dict(values or {})
    prefix = {target: head for head, target in PREFIX.items()}.get(kind)
    with world.store.transaction():
        if prefix:
            fresh = world.reference(prefix)
            record |= {"referenceNumber": fresh, "created": now, "updated": now}
            record.pop("grantsMade", None)
        elif kind == "runs":
            fresh = str(world.store.next_number("run", 850001))
            record |= {"id": int(fresh), "created": now, "updated": now, "nextSession": 1}
        elif kind == "sessions":
            run = _need(world, "runs", str(record["runId"]))
            fresh = f"{str(record['id']).rpartition('-S')[0]}-S{run['nextSession']}"
            world.store.put("runs", run["id"], {**run, "nextSession": run["nextSession"] + 1})
            record |= {"id": fresh, "attendanceTaken": False}
        elif kind == "trainers":
            fresh = str(uuid5(NAMESPACE_URL, f"{key}/{world.store.next_number('trainer', 1)}"))
            record |= {"id": fresh}
        elif kind == "attendance" and {"traineeId", "sessionId"} & set(changes):
            fresh = f"{changes.get('sessionId', record['sessionId'])}/{changes.get('traineeId', record['traineeId'])}"
            record |= {"id": str(world.store.next_number("attendance", 18001))}
        else:
            raise ValueError(f"{kind} cannot be duplicated")
        world.store.put(kind, fresh, record)
        if changes:
            record = change(world, kind, fresh, changes)
    if kind == "enrolments" and record["status"] == "Confirmed":
        grants.expect(world, fresh)
    if kind == "grants" and record["status"] == "Grant Processing":
        world.processing[fresh] = None
    return record
