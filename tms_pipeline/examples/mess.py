"""The harmful part of the mess: rows that must be rejected, superseded or warned about, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from tms_pipeline.examples import facts
from tms_pipeline.examples.cells import Cell, ErrorCell
from tms_pipeline.examples.facts import Record
from tms_pipeline.examples.people import wrong_letter
from tms_pipeline.examples.term import GOOGLE, MICROSOFT, Enrolment, Run, Term

ACCEPTED, REJECTED, SUPERSEDED = "accepted", "rejected", "superseded"

# Every mess by its code, and what becomes of the row. The one place to change if a code gets another name.
CODES = {
    "unknown heading": ("HEADING_UNKNOWN", ACCEPTED),
    "session outside its run": ("SESSION_OUTSIDE_RUN", REJECTED),
    "wrong check letter": ("NRIC_CHECK_LETTER", REJECTED),
    "impossible date": ("DATE_IMPOSSIBLE", REJECTED),
    "missing value": ("VALUE_MISSING", REJECTED),
    "hidden row": ("HIDDEN_ROW", ACCEPTED),
    "same row again": ("ROW_REPEATED", SUPERSEDED),
    "contradiction": ("ROWS_CONTRADICT", REJECTED),
    "unknown run": ("RUN_UNKNOWN", REJECTED),
    "no employer": ("EMPLOYER_INCOMPLETE", REJECTED),
    "late row": ("LATE_ROW", ACCEPTED),
    "formula error": ("CELL_ERROR", REJECTED),
    "unknown word": ("CHOICE_UNKNOWN", REJECTED),
    "answered again": ("ANSWER_SUPERSEDED", SUPERSEDED),
    "assessed before the run": ("ASSESSMENT_BEFORE_RUN", REJECTED),
}
UNKNOWN_RUN = "HYG-2699-Z"


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A row to be typed: its canonical record, what becomes of it, and cells that are typed otherwise."""

    record: Record
    outcome: str = ACCEPTED
    code: str | None = None
    hidden: bool = False
    typed: dict[str, Cell] = field(default_factory=dict)


def bad(mess: str, record: Record, **typed: Cell) -> RowPlan:
    """The row of a mess."""
    code, outcome = CODES[mess]
    return RowPlan(record, outcome, code, typed=typed)


def plain(records: Iterable[Record]) -> Iterator[RowPlan]:
    """Rows with nothing wrong."""
    return map(RowPlan, records)


def inserted(plans: Iterable[RowPlan], extra: dict[int, RowPlan]) -> Iterator[RowPlan]:
    """The plans with each extra one put before the good row of that index, or at the end."""
    last = -1
    for last, item in enumerate(plans):
        if last in extra:
            yield extra[last]
        yield item
    for index in sorted(extra):
        if index > last:
            yield extra[index]


def sessions(term: Term) -> Iterator[RowPlan]:
    """Sessions; one lies after the end of its run."""
    run = _soon(term)
    final = term.sessions[run.code][-1]
    stray = replace(final, number=final.number + 1, day=run.end + timedelta(days=5))
    return inserted(plain(facts.sessions(term)), {40: bad("session outside its run", facts.session_record(stray))})


def trainees(term: Term) -> Iterator[RowPlan]:
    """Trainees; a wrong check letter, an impossible birth date, a missing phone, and one hidden row."""
    checksum, impossible, phoneless = (facts.trainee_record(person) for person in term.spares[:3])
    plans = inserted(plain(facts.trainees(term)), {
        21: bad("wrong check letter", checksum, nric=wrong_letter(checksum["nric"] or "")),
        64: bad("impossible date", impossible, birth_date="30/02/1988"),
        90: bad("missing value", phoneless, phone=None),
    })
    for index, plan in enumerate(plans):
        yield replace(plan, code=CODES["hidden row"][0], hidden=True) if index == 50 else plan


def enrolments(term: Term) -> Iterator[RowPlan]:
    """Enrolments; one late, one twice, two that contradict, one in no run of ours, one with no employer.

    The late one is the only enrolment of the only run that began more than 45 days ago.
    """
    second, future = term.runs[1], _soon(term)
    again = facts.enrolment_record(term.enrolments[second.code][9])
    stranger, torn, unpaid = islice(term.outsiders(future), 3)
    employer = term.employers[0]
    day = term.today - timedelta(days=4)
    individual = Enrolment(future, torn, day, None, "0.00", dropped=False)
    alone = facts.enrolment_record(individual)
    sent = facts.enrolment_record(replace(individual, employer=employer))
    nowhere = facts.enrolment_record(replace(individual, run=replace(future, code=UNKNOWN_RUN), trainee=stranger))
    lacking = facts.enrolment_record(replace(individual, trainee=unpaid, employer=employer))
    return inserted((_enrolment_plan(term, enrolment) for enrolment in term.all_enrolments()), {
        13: bad("same row again", again),
        40: bad("contradiction", alone),
        75: bad("unknown run", nowhere),
        86: bad("no employer", lacking, employer_uen=None),
        110: bad("contradiction", sent),
    })


def _enrolment_plan(term: Term, enrolment: Enrolment) -> RowPlan:
    late = enrolment.run is term.runs[0]
    return RowPlan(facts.enrolment_record(enrolment), code=CODES["late row"][0] if late else None)


def fees(term: Term) -> Iterator[RowPlan]:
    """Fees; one status is a lookup that failed, so that one enrolment has no fee."""
    for index, record in enumerate(facts.fees(term)):
        if index == 30:
            error = ErrorCell('=VLOOKUP("RC-0000",Payments!A:B,2,FALSE)', "#N/A")
            yield bad("formula error", record, collection_status=error)
        else:
            yield RowPlan(record)


def register(term: Term) -> Iterator[RowPlan]:
    """The attendance workbook; one mark is a word that means nothing."""
    for index, record in enumerate(facts.register_marks(term)):
        yield bad("unknown word", record, mark="Maybe") if index == 133 else RowPlan(record)


def google(term: Term) -> Iterator[RowPlan]:
    """The Google form; one trainee answers first "Yes", then "Came late": the later answer stands."""
    waiting = True
    for record in facts.form_marks(term, GOOGLE):
        if waiting and record["mark"] == "late":
            waiting = False
            yield bad("answered again", {**record, "mark": "present", "marked_at": _earlier(record)})
        yield RowPlan(record)


def _earlier(record: Record) -> str:
    """A moment two seconds before: close enough to keep the answers in the order in which they came."""
    return (datetime.fromisoformat(record["marked_at"] or "") - timedelta(seconds=2)).isoformat()


def microsoft(term: Term) -> Iterator[RowPlan]:
    """The Microsoft form; nothing is wrong in it but its US dates."""
    return plain(facts.form_marks(term, MICROSOFT))


def assessments(term: Term) -> Iterator[RowPlan]:
    """Assessments; one is dated before its run began, so that one trainee has none."""
    start = {run.code: run.start for run in term.runs}
    for index, record in enumerate(facts.assessments(term)):
        if index == 57:
            early = start[record["run_code"] or ""] - timedelta(days=6)
            yield bad("assessed before the run", {**record, "assessment_date": early.isoformat()})
        else:
            yield RowPlan(record)


def _soon(term: Term) -> Run:
    return next(run for run in term.runs if run.phase == "soon")
