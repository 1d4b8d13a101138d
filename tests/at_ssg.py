"""What SSG must hold of a made-up term, written down apart from the pipeline, and what the simulator does hold.

Both sides become kind → Counter of plain tuples, so that a missing, foreign, different or doubled record shows.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.layout import ALL
from tms_pipeline.examples.term import Term

Held = dict[str, Counter[tuple[Any, ...]]]

_ROLES = {"trainer": ("Trainer",), "assessor": ("Assessor",), "both": ("Assessor", "Trainer")}
_NO_VENUE = {"2", "4"}


def wanted(term: Term, *, stage: str = ALL, extra: dict[str, list[dict[str, str | None]]] | None = None) -> Held:
    """What the files of the stage say SSG must hold; ``extra`` are records that were corrected later."""
    records = {kind: list(found) for kind, found in expected(term, stage=stage).records.items()}
    for kind, found in (extra or {}).items():
        records.setdefault(kind, []).extend(found)
    people = {record["nric"]: record for record in records["trainee"]}
    trainers = {record["trainer_code"]: record for record in records["trainer"]}
    runs = {record["run_code"]: record for record in records["course_run"] if record["run_status"] == "confirmed"}
    sessions = {
        (record["run_code"], record["session_no"]): record
        for record in records["session"]
        if record["run_code"] in runs and record["session_status"] == "confirmed"
    }
    paid = {(record["run_code"], record["nric"]): record["collection_status"] for record in records.get("fee", ())}
    return {
        "trainer": Counter(_trainer(record) for record in trainers.values()),
        "run": Counter(_run(record, trainers) for record in runs.values()),
        "session": Counter(_session(record, runs) for record in sessions.values()),
        "enrolment": Counter(
            _enrolment(record, people, runs, paid) for record in records["enrolment"] if record["run_code"] in runs
        ),
        "attendance": Counter(
            _attendance(record, people, sessions)
            for record in records.get("attendance", ())
            if record["mark"] in ("present", "late")
        ),
        "assessment": Counter(_assessment(record, people, runs) for record in records.get("assessment", ())),
    }


def held(term: Term, state: dict[str, Any]) -> Held:
    """What the simulator holds and has not deleted, with our run codes in place of its ids."""
    records = expected(term).records
    trainers = {record["trainer_code"]: record for record in records["trainer"]}
    codes = {_run(record, trainers): record["run_code"] for record in records["course_run"]}
    runs = {str(run["id"]): run for run in state["runs"] if not run["deleted"]}
    names = {number: codes.get(_run_at(run), f"no run of ours: {number}") for number, run in runs.items()}
    sessions = {item["id"]: item for item in state["sessions"] if not item["deleted"]}
    enrolments = {item["referenceNumber"]: item for item in state["enrolments"]}
    return {
        "trainer": Counter(map(_trainer_at, state["trainers"])),
        "run": Counter(map(_run_at, runs.values())),
        "session": Counter(_session_at(item, names) for item in sessions.values()),
        "enrolment": Counter(_enrolment_at(item, names) for item in enrolments.values()),
        "attendance": Counter(_attendance_at(item, sessions, names) for item in state["attendance"]),
        "assessment": Counter(_assessment_at(item, enrolments, names) for item in state["assessments"]),
    }


def differences(want: Held, have: Held) -> dict[str, dict[str, list[Any]]]:
    """Per kind what is missing and what is too much; empty when both are the same."""
    found = {}
    for kind in want.keys() | have.keys():
        missing, surplus = want.get(kind, Counter()) - have.get(kind, Counter()), have[kind] - want[kind]
        if missing or surplus:
            found[kind] = {"missing": sorted(map(str, missing))[:5], "too much": sorted(map(str, surplus))[:5]}
    return found


def counts(side: Held) -> dict[str, int]:
    """Kind → records."""
    return {kind: sum(found.values()) for kind, found in side.items()}


def _card(nric: str, residency: str | None) -> str:
    if nric[0] in "FGM":
        return "SO"
    return "SB" if residency == "pr" else "SP"


def _trainer(record: Any) -> tuple[Any, ...]:
    return (
        record["trainer_name"],
        record["trainer_email"],
        record["trainer_nric"],
        _ROLES[record["trainer_role"]],
        record["domain"],
        record["experience"] or "",
        record["salutation"],
    )


def _trainer_at(item: Any) -> tuple[Any, ...]:
    return (
        item["name"],
        item["email"],
        item["idNumber"],
        tuple(sorted(role["role"]["description"] for role in item["roles"])),
        item["domainAreaOfPractice"],
        item["experience"],
        str(item["salutationId"]),
    )


def _venue(record: Any) -> tuple[Any, ...]:
    names = ("block", "street", "floor", "unit", "building", "postal_code", "room")
    return tuple(record[name] or "" for name in names)


def _venue_at(item: Any) -> tuple[Any, ...]:
    return tuple(item["venue"].get(n, "") for n in ("block", "street", "floor", "unit", "building", "postalCode", "room"))


def _run(record: Any, trainers: Any) -> tuple[Any, ...]:
    days = (record[n].replace("-", "") for n in ("registration_open", "registration_close", "start_date", "end_date"))
    return (
        record["course_reference"],
        *days,
        _venue(record),
        record["wheelchair_access"] == "true",
        record["schedule_info"],
        record["mode_of_training"],
        record["admin_email"],
        record["vacancy"],
        int(record["intake_size"]),
        int(record["threshold"]),
        tuple(sorted(trainers[code]["trainer_nric"] for code in record["trainer_codes"].split(";"))),
    )


def _run_at(item: Any) -> tuple[Any, ...]:
    return (
        item["course"],
        *(str(item[name]) for name in ("opening", "closing", "start", "end")),
        _venue_at(item),
        item["venue"]["wheelChairAccess"],
        item["scheduleInfo"],
        item["modeOfTraining"],
        item["courseAdminEmail"],
        item["vacancy"],
        item["intakeSize"],
        item["threshold"],
        tuple(sorted(trainer["idNumber"] for trainer in item["trainers"])),
    )


def _session(record: Any, runs: Any) -> tuple[Any, ...]:
    mode = record["mode_of_training"]
    day = record["session_date"].replace("-", "")
    where = () if mode in _NO_VENUE else _venue(runs[record["run_code"]])
    return (record["run_code"], day, day, record["start_time"], record["end_time"], mode, where)


def _session_at(item: Any, names: Any) -> tuple[Any, ...]:
    where = () if item["modeOfTraining"] in _NO_VENUE else _venue_at(item)
    run = names.get(str(item["runId"]), "a deleted run")
    return (
        run, item["startDate"], item["endDate"], item["startTime"], item["endTime"], item["modeOfTraining"], where,
    )  # fmt: skip


def _enrolment(record: Any, people: Any, runs: Any, paid: Any) -> tuple[Any, ...]:
    person = people[record["nric"]]
    employer = record["sponsorship_type"] == "EMPLOYER"
    return (
        "Confirmed",
        record["run_code"],
        runs[record["run_code"]]["course_reference"],
        record["nric"],
        "FIN" if record["nric"][0] in "FGM" else "NRIC",
        person["full_name"],
        person["birth_date"],
        person["email"],
        f"+{person['phone_country']}",
        person["phone"],
        "Employer" if employer else "Individual",
        record["employer_uen"] if employer else "",
        record["employer_contact_name"] if employer else "",
        record["employer_contact_email"] if employer else "",
        record["employer_contact_phone"] if employer else "",
        Decimal(record["discount_amount"]),
        paid.get((record["run_code"], record["nric"]), "Pending Payment"),
        record["enrolment_date"],
    )


def _enrolment_at(item: Any, names: Any) -> tuple[Any, ...]:
    return (
        item["status"],
        names.get(item["runId"], "a deleted run"),
        item["course"],
        item["traineeId"],
        item["idType"],
        item["fullName"],
        item["dateOfBirth"],
        item["email"],
        item["phone"]["countryCode"],
        item["phone"]["phoneNumber"],
        item["sponsorship"],
        item["employerUen"],
        item["contactName"],
        item["contactEmail"],
        item["contactPhone"]["phoneNumber"],
        Decimal(item["discount"]),
        item["collection"],
        item["enrolmentDate"],
    )


def _attendance(record: Any, people: Any, sessions: Any) -> tuple[Any, ...]:
    person, session = people[record["nric"]], sessions[record["run_code"], record["session_no"]]
    return (
        record["run_code"],
        session["session_date"].replace("-", ""),
        session["start_time"],
        record["nric"],
        person["full_name"],
        person["email"],
        person["phone"],
        person["phone_country"],
        _card(record["nric"], person["residency"]),
        person["survey_language"],
        "1",
    )


def _attendance_at(item: Any, sessions: Any, names: Any) -> tuple[Any, ...]:
    session = sessions.get(item["sessionId"], {"startDate": "a deleted session", "startTime": ""})
    return (
        names.get(str(item["runId"]), "a deleted run"),
        session["startDate"],
        session["startTime"],
        item["traineeId"],
        item["name"],
        item["email"],
        item["mobile"],
        item["countryCode"],
        item["idType"],
        item["language"],
        item["statusCode"],
    )


def _assessment(record: Any, people: Any, runs: Any) -> tuple[Any, ...]:
    return (
        record["run_code"],
        runs[record["run_code"]]["course_reference"],
        record["nric"],
        "FIN" if record["nric"][0] in "FGM" else "NRIC",
        people[record["nric"]]["full_name"],
        record["result"],
        int(record["score"]) if record["score"] else None,
        record["grade"] or "",
        record["assessment_date"],
        record["skill_code"],
        False,
        (record["nric"], record["run_code"]),
    )


def _assessment_at(item: Any, enrolments: Any, names: Any) -> tuple[Any, ...]:
    enrolment = enrolments.get(item["enrolment"], {"traineeId": "no enrolment", "runId": ""})
    return (
        names.get(item["runId"], "a deleted run"),
        item["course"],
        item["traineeId"],
        item["idType"],
        item["fullName"],
        item["result"],
        item["score"],
        item["grade"] or "",
        item["assessmentDate"],
        item["skillCode"],
        item["voided"],
        (enrolment["traineeId"], names.get(enrolment["runId"], "")),
    )
