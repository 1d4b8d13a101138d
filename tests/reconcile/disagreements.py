"""A fleet of disagreements: one small provider, and everything that can come to differ at SSG, each kind by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from submission_world import COURSE, World, course, run, session

from tms_pipeline.intake.nric import make_nric

PEOPLE = 44
EMPLOYED = range(30, 40)  # people whose employer pays
_DAYS = ("2026-12-07", "2026-12-11")
OTHER = "TGS-2026000102"
THIRD = "TGS-2026000103"
# (kind, key, class, field): what a reviewer is told.
Told = tuple[str, str, str, str]


def nric(number: int) -> str:
    """Made up: of a serial range that was never issued."""
    return make_nric("S", 9999200 + number)


def ref(number: int) -> str:
    return f"HB-{number:05d}"


def person(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "nric": nric(number), "full_name": f"Trainee Number {number}", "birth_date": f"1980-{1 + number % 12:02d}-01",
        "email": f"trainee{number}@example.test", "phone": f"9000{number:04d}", **changes,
    }  # fmt: skip


def enrolled(number: int, code: str = "A", **changes: Any) -> dict[str, Any]:
    employer = {
        "sponsorship_type": "Employer", "employer_uen": "201912345K", "employer_contact_name": "Contact Person",
        "employer_contact_email": "contact@example.test", "employer_contact_phone": "91112222",
    }  # fmt: skip
    own = employer if number in EMPLOYED else {"sponsorship_type": "Individual"}
    return {"run_code": code, "nric": nric(number), "enrolment_date": "2026-10-01", **own, **changes}


def teacher(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "trainer_code": f"TR-{number:02d}", "trainer_name": f"Trainer Number {number}",
        "trainer_nric": make_nric("S", 9999100 + number), "trainer_email": f"trainer{number}@example.test",
        "domain": "Cooked food and hygiene", **changes,
    }  # fmt: skip


def future(code: str, **changes: Any) -> dict[str, Any]:
    return run(code, *_DAYS, trainer_codes="TR-01", schedule_info=f"Run {code}", **changes)


def sat(number: int, code: str = "A", **changes: Any) -> dict[str, Any]:
    return {"run_code": code, "nric": nric(number), "assessment_date": "2026-11-17", "result": "Pass", "score": "80",
            "grade": "B", **changes}  # fmt: skip


def came(number: int, session_no: int = 1, **changes: Any) -> dict[str, Any]:
    return {"run_code": "A", "session_no": session_no, "nric": nric(number), "mark": "Present", **changes}


@dataclass
class Fleet:
    """The world, and how to reach its records at SSG."""

    world: World

    def there(self, kind: str, key: str) -> str:
        found: str = self.world.value(f"SELECT ssg_ref FROM mirror.{kind} WHERE key = %s AND live", key)
        assert found, (kind, key)
        return found.partition(":")[0] + f"/{nric(int(key[-5:]))}" if kind == "attendance" else found

    def change(self, action: str, kind: str, key: str, **values: Any) -> str:
        """Somebody does it at SSG."""
        place = {"course_run": "runs", "fee": "enrolments"}.get(kind, kind if kind == "attendance" else f"{kind}s")
        reply = self.world.ssg(
            "POST", "edit", {"kind": place, "key": self.there(kind, key), "action": action, "set": values}
        )
        record = reply["record"] or {}
        return str(record.get("referenceNumber") or record.get("id") or "")


def build(world: World) -> Fleet:
    """Everything taken in, sent, and agreed on."""
    world.ssg("POST", "seed", {"courses": [
        {"referenceNumber": reference, "externalReferenceNumber": reference, "title": title,
         "uen": world.workplace.settings.uen}
        for reference, title in ((OTHER, "Noodles"), (THIRD, "Soups"))
    ]})  # fmt: skip
    runs = [f"R{n:02d}" for n in range(1, 24)]
    everyone = range(1, PEOPLE + 1)
    world.load_term({
        "course": [
            course(), {**course(), "course_reference": OTHER, "course_title": "Noodles"},
            {**course(), "course_reference": THIRD, "course_title": "Soups"},
        ],
        "trainer": [teacher(n, experience="Ten years") for n in range(1, 23)],
        "course_run": [
            run("A", "2026-11-16", "2026-11-17", trainer_codes="TR-01", intake_size="60"),
            run("N", *_DAYS, trainer_codes="TR-01", course_reference=OTHER, schedule_info="Run N"),
            run("T", *_DAYS, trainer_codes="TR-01", course_reference=THIRD, schedule_info="Run T"),
            *(future(code) for code in runs),
        ],
        "session": [
            *(session("A", n, "2026-11-16", start_time=f"{8 + n:02d}:00", end_time=f"{8 + n:02d}:50") for n in range(1, 4)),
            *(session("R01", n, "2026-12-07", start_time=f"{8 + n:02d}:00", end_time=f"{8 + n:02d}:50")
              for n in range(1, 9)),
            session("R22", 1, "2026-12-07"),
        ],
        "trainee": [person(n) for n in everyone],
        "enrolment": [*(enrolled(n) for n in everyone if n != 44), enrolled(22, "R02"), enrolled(23, "R02")],
        "fee": [{"run_code": "A", "nric": nric(n), "collection_status": "Full Payment"} for n in (1, 2, 3, 41)],
        "attendance": [*(came(n) for n in range(1, 7)), came(1, 3)],
        "assessment": [sat(n) for n in range(1, 14)],
    })  # fmt: skip
    done = world.night()
    assert set(done.outcomes) == {"accepted"}, done
    assert world.reconcile() == {}
    return Fleet(world)


def _a(number: int) -> str:
    return f"A|{ref(number)}"


# name → (what happens at SSG, what a reviewer is told). Kind, key and class of the finding; its field if it is of one.
Case = tuple[Callable[[Fleet], Any], list[Told]]


def _edited(kind: str, key: str, field: str, **values: Any) -> Case:
    return (lambda fleet: fleet.change("set", kind, key, **values)), [(kind, key, "differs", field)]


def _cancelled(kind: str, key: str) -> Case:
    return (lambda fleet: fleet.change("cancel", kind, key)), [(kind, key, "missing there", "live")]


def cases() -> dict[str, Case]:
    """Every kind of disagreement that is made at SSG."""
    run_edits: list[tuple[str, dict[str, Any]]] = [
        ("registration_open", {"opening": 20260902}), ("registration_close", {"closing": 20261016}),
        ("start_date", {"start": 20261206}), ("end_date", {"end": 20261212}), ("schedule_info", {"scheduleInfo": "Else"}),
        ("mode_of_training", {"modeOfTraining": "5"}), ("block", {"venue.block": "9"}), ("street", {"venue.street": "S"}),
        ("floor", {"venue.floor": "9"}), ("unit", {"venue.unit": "99"}), ("building", {"venue.building": "B"}),
        ("postal_code", {"venue.postalCode": "059802"}), ("room", {"venue.room": "Else"}),
        ("wheelchair_access", {"venue.wheelChairAccess": True}), ("intake_size", {"intakeSize": 21}),
        ("threshold", {"threshold": 3}), ("admin_email", {"courseAdminEmail": "else@example.test"}),
        ("vacancy", {"vacancy": "F"}),
    ]  # fmt: skip
    enrolment_edits: list[tuple[str, int, dict[str, Any]]] = [
        ("enrolment_date", 10, {"enrolmentDate": "2026-10-02"}), ("sponsorship_type", 11, {"sponsorship": "Employer"}),
        ("employer_uen", 30, {"employerUen": "T08LL0001A"}), ("employer_contact_name", 31, {"contactName": "Else"}),
        ("employer_contact_email", 32, {"contactEmail": "else@example.test"}),
        ("employer_contact_phone", 33, {"contactPhone.phoneNumber": "98887777"}), ("discount_amount", 14, {"discount": "5.00"}),
        ("full_name", 15, {"fullName": "Else"}), ("birth_date", 16, {"dateOfBirth": "1981-01-01"}),
        ("email", 17, {"email": "else@example.test"}), ("phone", 18, {"phone.phoneNumber": "98887776"}),
        ("phone_country", 19, {"phone.countryCode": "+60"}),
    ]  # fmt: skip
    trainer_edits: list[tuple[str, dict[str, Any]]] = [
        ("trainer_name", {"name": "Else"}), ("trainer_email", {"email": "else@example.test"}),
        ("domain", {"domainAreaOfPractice": "Else"}), ("experience", {"experience": "Else"}),
        ("trainer_role", {"roles": [{"role": {"id": 2, "description": "Assessor"}}]}),
    ]  # fmt: skip
    session_edits: list[tuple[str, dict[str, Any]]] = [
        ("session_date", {"startDate": "20261208", "endDate": "20261208"}), ("start_time", {"startTime": "07:30"}),
        ("end_time", {"endTime": "20:00"}), ("mode_of_training", {"modeOfTraining": "5"}),
    ]  # fmt: skip
    assessment_edits: list[tuple[str, dict[str, Any]]] = [
        ("assessment_date", {"assessmentDate": "2026-11-18"}), ("result", {"result": "Fail"}), ("score", {"score": 81}),
        ("grade", {"grade": "C"}),
    ]  # fmt: skip
    found: dict[str, Case] = {}
    for number, (field, values) in enumerate(run_edits, start=3):
        found[f"run: {field} edited there"] = _edited("course_run", f"R{number:02d}", field, **values)
    for field, number, values in enrolment_edits:
        found[f"enrolment: {field} edited there"] = _edited("enrolment", _a(number), field, **values)
    for number, (field, values) in enumerate(trainer_edits, start=2):
        found[f"trainer: {field} edited there"] = _edited("trainer", f"TR-{number:02d}", field, **values)
    for number, (field, values) in enumerate(session_edits, start=1):
        found[f"session: {field} edited there"] = _edited("session", f"R01|{number}", field, **values)
    for number, (field, values) in enumerate(assessment_edits, start=1):
        found[f"assessment: {field} edited there"] = _edited("assessment", f"{_a(number)}|", field, **values)
    found |= {
        "fee: status changed there": _edited("fee", _a(1), "collection_status", collection="Pending Payment"),
        "attendance: rejected there": _edited("attendance", "A|1|" + ref(1), "mark", statusCode="3"),
        "attendance: unconfirmed there": _edited("attendance", "A|1|" + ref(2), "mark", statusCode="2"),
        "attendance: voided there": _cancelled("attendance", "A|1|" + ref(3)),
        "attendance: deleted there": (
            lambda fleet: fleet.change("delete", "attendance", "A|1|" + ref(4)),
            [("attendance", "A|1|" + ref(4), "missing there", "live")],
        ),
        "attendance: somebody else marked there": (
            lambda fleet: fleet.change("duplicate", "attendance", "A|1|" + ref(5), traineeId=nric(42)),
            [("attendance", "A|1|" + ref(42), "missing here", "")],
        ),
        "assessment: voided there": _cancelled("assessment", f"{_a(5)}|"),
        "assessment: deleted there": (
            lambda fleet: fleet.change("delete", "assessment", f"{_a(6)}|"),
            [("assessment", f"{_a(6)}|", "missing there", "live")],
        ),
        "assessment: duplicated there": (
            lambda fleet: fleet.change("duplicate", "assessment", f"{_a(7)}|"),
            [("assessment", f"{_a(7)}|", "duplicated there", "")],
        ),
        "assessment: made there for somebody else": (
            lambda fleet: fleet.change("duplicate", "assessment", f"{_a(8)}|", traineeId=nric(42)),
            [("assessment", f"{_a(42)}|", "missing here", "")],
        ),
        "enrolment: cancelled there": _cancelled("enrolment", _a(20)),
        "enrolment: deleted there": (
            lambda fleet: fleet.change("delete", "enrolment", _a(21)),
            [("enrolment", _a(21), "missing there", "live")],
        ),
        "enrolment: moved to another run of ours": (
            lambda fleet: fleet.change("set", "enrolment", "R02|" + ref(22), runId=fleet.there("course_run", "R21")),
            [("enrolment", "R02|" + ref(22), "differs", "run_code")],
        ),
        "enrolment: duplicated there": (
            lambda fleet: fleet.change("duplicate", "enrolment", _a(24)),
            [("enrolment", _a(24), "duplicated there", "")],
        ),
        "enrolment: a stranger enrolled there": (
            lambda fleet: fleet.change("duplicate", "enrolment", _a(25), traineeId=make_nric("S", 9999990)),
            [("enrolment", "", "missing here", "")],
        ),
        "enrolment and fee: one of ours enrolled and paid there": (
            lambda fleet: fleet.change("duplicate", "enrolment", _a(2), runId=fleet.there("course_run", "R02")),
            [("enrolment", "R02|" + ref(2), "missing here", ""), ("fee", "R02|" + ref(2), "missing here", "")],
        ),
        "session: deleted there": _cancelled("session", "R01|5"),
        "session: deleted there, with the attendance in it": (
            lambda fleet: fleet.change("cancel", "session", "A|3"),
            [("session", "A|3", "missing there", "live"), ("attendance", "A|3|" + ref(1), "missing there", "live")],
        ),
        "session: added there": (
            lambda fleet: fleet.change("duplicate", "session", "R01|7", startTime="18:00", endTime="19:00"),
            [("session", "", "missing here", "")],
        ),
        "session: duplicated there": (
            lambda fleet: fleet.change("duplicate", "session", "R01|6"),
            [("session", "R01|6", "duplicated there", "")],
        ),
        "run: deleted there, and its session with it": (
            lambda fleet: fleet.change("cancel", "course_run", "R22"),
            [("course_run", "R22", "missing there", "live"), ("session", "R22|1", "waiting", "")],
        ),
        "run: duplicated there": (
            lambda fleet: fleet.change("duplicate", "course_run", "R02"),
            [("course_run", "R02", "duplicated there", "")],
        ),
        "run: published there": (
            lambda fleet: fleet.change("duplicate", "course_run", "R23", scheduleInfo="Nobody told us"),
            [("course_run", "", "missing here", "")],
        ),
        "run: trainer replaced there": (
            lambda fleet: fleet.change("set", "course_run", "R21", trainers=_linked(fleet, "TR-10")),
            [("course_run", "R21", "differs", "trainer_codes")],
        ),
        "trainer: taken out of the profile there": (
            lambda fleet: fleet.change("delete", "trainer", "TR-08"),
            [("trainer", "TR-08", "missing there", "live")],
        ),
        "trainer: added to the profile there": (
            lambda fleet: fleet.change("duplicate", "trainer", "TR-09", name="New There", email="new@example.test"),
            [("trainer", "", "missing here", "")],
        ),
        "trainer: twice in the profile there": (
            lambda fleet: fleet.change("duplicate", "trainer", "TR-11"),
            [("trainer", "TR-11", "duplicated there", "")],
        ),
        "course: SSG shows it no more": (
            lambda fleet: fleet.world.ssg("POST", "edit", {"kind": "courses", "key": THIRD, "action": "delete"}),
            [("course", THIRD, "not shown there", ""), ("course_run", "T", "missing there", "live")],
        ),
        "course: another title there": (
            lambda fleet: fleet.world.ssg("POST", "edit", {
                "kind": "courses", "key": OTHER, "action": "set", "set": {"title": "Noodles and More"}}),
            [("course", OTHER, "differs", "course_title")],
        ),
    }  # fmt: skip
    return found


def _linked(fleet: Fleet, code: str) -> list[dict[str, Any]]:
    reference = fleet.there("trainer", code)
    (found,) = [row for row in fleet.world.held("trainers") if row["id"] == reference]
    return [{**found, "type": "1", "indexNumber": 0, "inProfile": True}]


__all__ = ["COURSE", "Fleet", "Told", "build", "cases", "came", "enrolled", "future", "nric", "person", "ref", "sat",
           "teacher"]  # fmt: skip
