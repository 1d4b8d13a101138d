"""The term: its size, its people, and how it moves with the day."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pandas as pd
import phonenumbers
import pytest
from email_validator import validate_email
from stdnum.sg import uen as uen_numbers

from tms_pipeline.examples import facts
from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.people import make_nric, nric_is_valid, wrong_letter
from tms_pipeline.examples.ssg_seed import ssg_data
from tms_pipeline.examples.term import make_term, trainees_for
from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.kinds import KINDS

TODAY = date(2026, 11, 21)
DAYS = [TODAY + timedelta(days=step) for step in range(0, 400, 17)]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_minima_hold_on_every_day(day):
    counts = {kind: len(records) for kind, records in expected(make_term(today=day)).records.items()}
    assert counts["course"] == 4
    assert counts["course_run"] >= 14
    assert counts["session"] >= 44
    assert 4 <= counts["trainer"] <= 5
    assert counts["trainee"] >= 225
    assert counts["enrolment"] >= 265
    assert counts["attendance"] >= 2050
    assert counts["assessment"] >= 235
    assert counts["fee"] >= 260


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_dates_agree_with_one_another(day):
    term = make_term(today=day)
    assert len({run.code for run in term.runs}) == len(term.runs)
    for run in term.runs:
        assert run.registration_open <= run.registration_close <= run.start <= run.end
        assert (run.end < day) == (run.phase == "ended")
        assert (run.start > day) == (run.phase in {"soon", "cancelled"})
        for session in term.sessions[run.code]:
            assert run.start <= session.day <= run.end
            assert session.start < session.end
        days = [session.day for session in term.sessions[run.code]]
        assert not days or (days[0], days[-1]) == (run.start, run.end), "sessions span the run"
        for enrolment in term.enrolments[run.code]:
            assert enrolment.enrolled_on <= min(run.start, day)
    assert {run.phase for run in term.runs} == {"ended", "running", "soon", "cancelled"}
    began_long_ago = [run for run in term.runs if run.start + timedelta(days=45) < day]
    assert sum(len(term.enrolments[run.code]) for run in began_long_ago) == 1, "one late enrolment"
    ends = [(run.end + timedelta(days=14) - day).days for run in term.runs if run.phase == "ended"]
    assert min(ends) < 0, "some deadlines are missed"
    assert any(0 <= left <= 5 for left in ends), "some are near"


def test_marks_are_of_the_past_and_assessments_of_ended_runs():
    term = make_term(today=TODAY)
    days = {(run.code, str(item.number)): item.day for run in term.runs for item in term.sessions[run.code]}
    marks = expected(term).records["attendance"]
    assert all(days[mark["run_code"], mark["session_no"]] < TODAY for mark in marks)
    assert len({(mark["run_code"], mark["session_no"], mark["nric"]) for mark in marks}) == len(marks)
    ended = {run.code for run in term.runs if run.phase == "ended"}
    assert {item["run_code"] for item in facts.assessments(term)} <= ended


def test_people_are_valid_and_visibly_made_up():
    term = make_term(today=TODAY)
    people = [*term.trainees, *term.spares]
    numbers = [person.nric for person in people] + [trainer.nric for trainer in term.trainers]
    assert all(map(nric_is_valid, numbers))
    assert len(set(numbers)) == len(numbers)
    assert {number[0] for number in numbers} == set("STFGM")
    assert all(number[1:5] == "9999" for number in numbers)
    assert not nric_is_valid(wrong_letter(numbers[0]))
    contacts = [(person.email, person.phone) for person in [*people, *term.employers]]
    for email, phone in contacts:
        assert email.endswith("@example.com")
        assert validate_email(email, check_deliverability=False).normalized == email
        assert phonenumbers.is_valid_number(phonenumbers.parse(phone, "SG"))
    assert all(uen_numbers.is_valid(employer.uen) for employer in term.employers)
    assert len({employer.uen for employer in term.employers}) == len(term.employers)
    for person in people:
        born = date.fromisoformat(person.birth)
        assert born.year <= TODAY.year - 19
        assert person.nric[0] not in "ST" or (born.year >= 2000) == (person.nric[0] == "T")


@pytest.mark.parametrize(("prefix", "serial", "nric"), [
    ("S", 1234567, "S1234567D"), ("T", 1234567, "T1234567J"), ("F", 1234567, "F1234567N"),
    ("G", 1234567, "G1234567X"), ("M", 1234567, "M1234567K"), ("M", 5398242, "M5398242L"),
])  # fmt: skip
def test_check_letters_are_those_of_the_official_code(prefix, serial, nric):
    assert make_nric(prefix, serial) == nric


def test_accepted_records_pass_every_row_check():
    term = make_term(today=TODAY)
    for kind, records in expected(term).records.items():
        frame = pd.DataFrame(records, columns=list(KINDS[kind].names)).astype(object)
        frame = frame.where(frame.notna(), None)
        assert check_rows(KINDS[kind], frame, today=TODAY).faults == []
        keys = Counter(tuple(record[name] for name in KINDS[kind].key) for record in records)
        assert max(keys.values()) == 1


def test_sponsors_are_of_both_kinds():
    kinds = Counter(item["sponsorship_type"] for item in facts.enrolments(make_term(today=TODAY)))
    assert kinds["EMPLOYER"] > 80
    assert kinds["INDIVIDUAL"] > 80


def test_the_simulator_learns_the_courses_and_nothing_more():
    data = ssg_data(make_term(today=TODAY), uen="201999999Z", key="k", name="Hawker Boys")
    assert data["apps"] == [{"uen": "201999999Z", "key": "k", "name": "Hawker Boys"}]
    assert [course["referenceNumber"][:8] for course in data["courses"]] == ["TGS-2026"] * 4
    names = {"referenceNumber", "externalReferenceNumber", "title", "uen", "skillCodes", "support"}
    assert all(set(course) == names for course in data["courses"])


def test_a_term_too_small_for_its_mess_is_refused():
    with pytest.raises(ValueError, match="at least 120"):
        make_term(today=TODAY, trainees=50)
    assert make_term(today=TODAY, trainees=120).trainees


@pytest.mark.parametrize("day", DAYS[::5], ids=str)
def test_rows_asks_for_attendance_marks(day):
    term = make_term(today=day, trainees=trainees_for(5000))
    assert len(expected(term).records["attendance"]) >= 5000
