"""The accepted records of a term, kind by kind, in canonical form: what the registers must hold in the end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from tms_pipeline.examples.courses import ADMIN_EMAIL
from tms_pipeline.examples.people import Trainee
from tms_pipeline.examples.term import WORKBOOK, Enrolment, Session, Term
from tms_pipeline.records.kinds import kind_named

Record = dict[str, str | None]

_GRADES = ((85, "A"), (70, "B"), (60, "C"), (50, "D"), (45, "E"), (0, "F"))


def record(kind: str, **values: str | None) -> Record:
    """A canonical record: every field of the kind, with its default or None where no value is given."""
    fields = kind_named(kind).fields
    unknown = values.keys() - {item.name for item in fields}
    if unknown:
        raise KeyError(f"{kind} has no field {', '.join(sorted(unknown))}")
    return {item.name: values.get(item.name) if values.get(item.name) is not None else item.default for item in fields}


def courses(term: Term) -> Iterator[Record]:
    """Every course."""
    for course in term.courses:
        yield record("course", course_reference=course.reference, course_title=course.title,
                     skill_code=course.skill_code, full_course_fee=course.fee, duration_hours=course.hours)


def trainers(term: Term) -> Iterator[Record]:
    """Every trainer."""
    for trainer in term.trainers:
        yield record("trainer", trainer_code=trainer.code, trainer_name=trainer.name, trainer_nric=trainer.nric,
                     trainer_email=trainer.email, salutation=trainer.salutation, trainer_role=trainer.role,
                     domain=trainer.domain, experience=trainer.experience)


def runs(term: Term) -> Iterator[Record]:
    """Every course run, the cancelled one too."""
    for run in term.runs:
        venue = run.venue
        yield record(
            "course_run", run_code=run.code, course_reference=run.course.reference,
            registration_open=run.registration_open.isoformat(), registration_close=run.registration_close.isoformat(),
            start_date=run.start.isoformat(), end_date=run.end.isoformat(), schedule_info=run.course.schedule,
            mode_of_training=run.course.mode, block=venue.block, street=venue.street, floor=venue.floor,
            unit=venue.unit, building=venue.building, postal_code=venue.postal_code, room=venue.room,
            wheelchair_access=venue.wheelchair, intake_size="30", threshold="2", admin_email=ADMIN_EMAIL,
            vacancy={"ended": "F", "running": "L"}.get(run.phase, "A"), trainer_codes=";".join(sorted(run.trainers)),
            run_status=run.status,
        )


def session_record(session: Session) -> Record:
    """One session."""
    return record("session", run_code=session.run.code, session_no=str(session.number),
                  session_date=session.day.isoformat(), start_time=session.start, end_time=session.end,
                  mode_of_training=session.mode)


def sessions(term: Term) -> Iterator[Record]:
    """Every session, run by run."""
    for run in term.runs:
        for session in term.sessions[run.code]:
            yield session_record(session)


def trainee_record(person: Trainee) -> Record:
    """One trainee."""
    return record("trainee", nric=person.nric, full_name=person.name, birth_date=person.birth, email=person.email,
                  phone=person.phone, residency=person.residency, survey_language=person.language)


def trainees(term: Term) -> Iterator[Record]:
    """Every trainee."""
    return map(trainee_record, term.trainees)


def enrolment_record(enrolment: Enrolment) -> Record:
    """One enrolment."""
    employer = enrolment.employer
    return record(
        "enrolment", run_code=enrolment.run.code, nric=enrolment.trainee.nric,
        enrolment_date=enrolment.enrolled_on.isoformat(),
        sponsorship_type="EMPLOYER" if employer else "INDIVIDUAL", employer_uen=employer.uen if employer else None,
        employer_contact_name=employer.contact if employer else None,
        employer_contact_email=employer.email if employer else None,
        employer_contact_phone=employer.phone if employer else None, discount_amount=enrolment.discount,
    )


def enrolments(term: Term) -> Iterator[Record]:
    """Every enrolment, run by run."""
    return map(enrolment_record, term.all_enrolments())


def fees(term: Term) -> Iterator[Record]:
    """The fee of every enrolment. The longer ago the run, the likelier it is paid."""
    paid_share = {"ended": 0.85, "running": 0.6, "soon": 0.3}
    for run in term.runs:
        rng = term.random_for("fees", run.code)
        for number, enrolment in enumerate(term.enrolments[run.code], start=1):
            due = float(run.course.fee) - float(enrolment.discount)
            draw = rng.random()
            status, amount = "Pending Payment", "0.00"
            if draw < paid_share[run.phase]:
                status, amount = "Full Payment", f"{due:.2f}"
            elif draw < paid_share[run.phase] + 0.08:
                status, amount = "Partial Payment", f"{due / 2:.2f}"
            paid = status != "Pending Payment"
            day = min(enrolment.enrolled_on + timedelta(days=rng.randint(0, 9)), term.today)
            yield record("fee", run_code=run.code, nric=enrolment.trainee.nric, collection_status=status,
                         amount_collected=amount, collected_on=day.isoformat() if paid else None,
                         receipt_no=f"RC-{run.code}-{number:02d}" if paid else None)


def session_marks(term: Term, session: Session) -> Iterator[Record]:
    """The mark of everybody in one session; who answered a form has the moment of the answer too."""
    run = session.run
    rng = term.random_for("marks", run.code, session.number)
    for enrolment in term.enrolments[run.code]:
        mark = _mark(rng, gone=enrolment.dropped and session.number > 2)
        answered = _answered(rng, session, mark) if run.channel != WORKBOOK and mark != "absent" else None
        yield record("attendance", run_code=run.code, session_no=str(session.number), nric=enrolment.trainee.nric,
                     mark=mark, marked_at=answered.isoformat() if answered else None)


def _mark(rng: random.Random, *, gone: bool) -> str:
    draw = rng.random()
    if gone or draw < 0.04:
        return "absent"
    return "late" if draw < 0.09 else "present"


def _answered(rng: random.Random, session: Session, mark: str) -> datetime:
    opening = datetime.fromisoformat(f"{session.day.isoformat()}T{session.start}:00")
    seconds = rng.randint(16 * 60, 45 * 60) if mark == "late" else rng.randint(-12 * 60, 9 * 60)
    return opening + timedelta(seconds=seconds)


def register_marks(term: Term) -> Iterator[Record]:
    """The marks in the attendance workbook: whole runs, and of the runs with a form those who were absent."""
    for run in term.runs:
        for session in term.past_sessions(run):
            for mark in session_marks(term, session):
                if mark["marked_at"] is None:
                    yield mark


def form_marks(term: Term, channel: str) -> Iterator[Record]:
    """The answers to one form in the order in which they came, holding one sitting's answers at a time."""
    sittings = sorted(
        (session for run in term.runs if run.channel == channel for session in term.past_sessions(run)),
        key=lambda session: (session.day, session.start, session.run.code),
    )
    for _, together in groupby(sittings, key=lambda session: (session.day, session.start)):
        answers = [mark for session in together for mark in session_marks(term, session) if mark["marked_at"]]
        yield from sorted(answers, key=lambda mark: (mark["marked_at"] or "", mark["nric"] or ""))


def assessments(term: Term) -> Iterator[Record]:
    """The result of everybody in the ended runs, but those who dropped out."""
    for run in term.runs:
        if run.phase != "ended":
            continue
        rng = term.random_for("assessments", run.code)
        for enrolment in term.enrolments[run.code]:
            score = min(98, max(31, round(rng.gauss(68, 13))))
            exempt = rng.random() < 0.02
            if enrolment.dropped:
                continue
            yield record(
                "assessment", run_code=run.code, nric=enrolment.trainee.nric, skill_code=run.course.skill_code,
                assessment_date=run.end.isoformat(), result="Exempt" if exempt else ("Pass" if score >= 50 else "Fail"),
                score=None if exempt else str(score), grade=None if exempt else _grade(score),
                assessor_code=run.trainers[-1],
            )


def _grade(score: int) -> str:
    return next(grade for floor, grade in _GRADES if score >= floor)
