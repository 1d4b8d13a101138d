"""What SSG holds after a write of ours, as the mirror would have read it."""

from __future__ import annotations

import datetime as dt

from tms_pipeline.records import content
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.submission.record import OpenRecord

_TRAINEE = kind_named("trainee")
_LIVE_WORDS = {"enrolment": "Confirmed", "attendance": "Confirmed", "assessment": "recorded", "course_run": "published",
               "session": "planned"}
CANCELLED_WORDS = {"enrolment": "Cancelled", "fee": "Cancelled", "attendance": "TP Voided", "assessment": "Void",
                   "course_run": "deleted", "session": "deleted"}


def as_seen(
    record: OpenRecord, ssg_ref: str, *, new: bool, created_on: dt.datetime | None, updated_on: dt.datetime | None
) -> list[Seen]:
    """The record as SSG should now hold it. A new enrolment brings its fee; a changed one does not touch it."""
    kind = kind_named(record.kind)
    values = {field.name: record.values.get(field.name) for field in kind.ssg_fields if not field.personal}
    clear = {field.name: record.values.get(field.name) for field in kind.ssg_fields if field.personal}
    links: dict[str, str | None] = {}
    if record.kind == "enrolment":
        for field in _TRAINEE.ssg_fields:
            (clear if field.personal else values)[field.name] = record.values.get(field.name)
        clear["nric"] = record.values["nric"]
        links = {"ssg_run_id": str(record.run_id), "course_reference": record.values["course_reference"],
                 "run_code": record.values["run_code"], "trainee_ref": record.values["trainee_ref"]}
    elif record.kind == "session":
        links = {"ssg_run_id": str(record.run_id), "run_code": record.values["run_code"]}
    elif record.kind == "fee":
        links = {"run_code": record.values["run_code"], "trainee_ref": record.values["trainee_ref"]}
    elif record.kind == "attendance":
        values = {"status_code": "1", "hours": record.values.get("hours")}
        clear = {"nric": record.values["nric"]}
        links = {"ssg_session_id": record.values["ssg_session_id"], "ssg_run_id": str(record.run_id),
                 "run_code": record.values["run_code"], "session_no": record.values["session_no"],
                 "trainee_ref": record.values["trainee_ref"]}
        ssg_ref = str(record.values["ssg_session_id"])
    elif record.kind == "assessment":
        clear = {"nric": record.values["nric"]}
        links = {"ssg_run_id": str(record.run_id), "run_code": record.values["run_code"],
                 "trainee_ref": record.values["trainee_ref"], "skill_code": record.values["skill_code"]}
    elif record.kind == "trainer":
        links = {"nric_tail": (record.values.get("trainer_nric") or "")[-4:]}
    seen = Seen(kind=record.kind, ssg_ref=ssg_ref, live=True, status=_LIVE_WORDS.get(record.kind, "active"),
                values=values, clear=clear, links=links, created_on=created_on, updated_on=updated_on)
    found = [seen]
    if record.kind == "enrolment" and new:
        fee = Seen(kind="fee", ssg_ref=ssg_ref, live=True, status=seen.status,
                   values={"collection_status": record.values["collection_status"]},
                   links={"run_code": record.values["run_code"], "trainee_ref": record.values["trainee_ref"]},
                   created_on=created_on, updated_on=updated_on)
        found.append(fee)
    return found


def content_columns(kind: str) -> tuple[str, ...]:
    """The names that make the content of this kind; for tests that compare both sides."""
    return content.ssg_columns(kind_named(kind))
