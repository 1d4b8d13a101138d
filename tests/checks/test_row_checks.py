"""Every code that a row can raise by itself, by name, and the edges around it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pandas as pd
import pytest

from tms_pipeline.records.checks import check_rows, codes_of_kind, model_of
from tms_pipeline.records.fault import catalogue, fault
from tms_pipeline.records.kinds import KINDS, kind_named

from .frames import GOOD, TODAY, codes, faults_of, frame_of

# code, kind, what is wrong with the good row, the field that is marked
CASES: list[tuple[str, str, dict[str, str | None], str]] = [
    ("TEXT_TOO_LONG", "course", {"course_title": "x" * 201}, "course_title"),
    ("TEXT_TOO_LONG", "trainee", {"full_name": "x" * 201}, "full_name"),
    ("FORM_UNEXPECTED", "course", {"course_reference": "TGS-1999"}, "course_reference"),
    ("FORM_UNEXPECTED", "course_run", {"run_code": "HYG 1"}, "run_code"),
    ("NUMBER_TOO_SMALL", "course_run", {"intake_size": "0"}, "intake_size"),
    ("NUMBER_TOO_SMALL", "attendance", {"hours": "0.4"}, "hours"),
    ("NUMBER_TOO_LARGE", "attendance", {"hours": "8.1"}, "hours"),
    ("NUMBER_TOO_LARGE", "assessment", {"score": "101"}, "score"),
    ("DATE_FAR_AWAY", "session", {"session_date": "2062-09-07"}, "session_date"),
    ("DATE_FAR_AWAY", "enrolment", {"enrolment_date": "2006-08-31"}, "enrolment_date"),
    ("SKILL_CODE_UNUSUAL", "course", {"skill_code": "HYGIENE"}, "skill_code"),
    ("SKILL_CODE_UNUSUAL", "assessment", {"skill_code": "FSS-FSE-1001"}, "skill_code"),
    ("REGISTRATION_CLOSES_BEFORE_OPENING", "course_run", {"registration_close": "2026-07-31"}, "registration_close"),
    ("RUN_ENDS_BEFORE_START", "course_run", {"end_date": "2026-09-06"}, "end_date"),
    ("RUN_STARTS_BEFORE_REGISTRATION", "course_run", {"registration_open": "2026-09-08",
     "registration_close": "2026-09-08"}, "start_date"),
    ("VENUE_INCOMPLETE", "course_run", {"floor": None}, "floor"),
    ("VENUE_INCOMPLETE", "course_run", {"unit": ""}, "unit"),
    ("VENUE_INCOMPLETE", "course_run", {"postal_code": None}, "postal_code"),
    ("VENUE_INCOMPLETE", "course_run", {"room": None}, "room"),
    ("SESSION_ENDS_BEFORE_START", "session", {"end_time": "08:59"}, "end_time"),
    ("SESSION_HOURS_UNUSUAL", "session", {"start_time": "02:00", "end_time": "06:00"}, "start_time"),
    ("SESSION_HOURS_UNUSUAL", "session", {"end_time": "23:30", "start_time": "20:00"}, "start_time"),
    ("SESSION_HOURS_UNUSUAL", "session", {"end_time": "21:01"}, "start_time"),
    ("AGE_UNLIKELY", "trainee", {"birth_date": "2026-09-01"}, "birth_date"),
    ("AGE_UNLIKELY", "trainee", {"birth_date": "1900-01-01"}, "birth_date"),
    ("PHONE_NO_SINGAPORE_MOBILE", "trainee", {"phone": "61234567"}, "phone"),
    ("PHONE_NO_SINGAPORE_MOBILE", "trainee", {"phone_country": "60"}, "phone"),
    ("RESIDENCY_DISAGREES", "trainee", {"residency": "foreigner"}, "residency"),
    ("RESIDENCY_DISAGREES", "trainee", {"nric": "F1234567N"}, "residency"),
    ("EMPLOYER_INCOMPLETE", "enrolment", {"employer_uen": None}, "employer_uen"),
    ("EMPLOYER_INCOMPLETE", "enrolment", {"employer_contact_name": None}, "employer_contact_name"),
    ("EMPLOYER_INCOMPLETE", "enrolment", {"employer_contact_email": None}, "employer_contact_email"),
    ("EMPLOYER_INCOMPLETE", "enrolment", {"employer_contact_phone": None}, "employer_contact_phone"),
    ("EMPLOYER_UNUSED", "enrolment", {"sponsorship_type": "INDIVIDUAL"}, "sponsorship_type"),
    ("ENROLMENT_DATE_AHEAD", "enrolment", {"enrolment_date": "2026-09-09"}, "enrolment_date"),
    ("FEE_AMOUNT_DISAGREES", "fee", {"amount_collected": "0.00"}, "amount_collected"),
    ("FEE_AMOUNT_DISAGREES", "fee", {"collection_status": "Pending Payment"}, "amount_collected"),
    ("COLLECTED_IN_FUTURE", "fee", {"collected_on": "2026-09-02"}, "collected_on"),
    ("HOURS_BUT_ABSENT", "attendance", {"mark": "absent", "hours": "3.5"}, "hours"),
    ("MARKED_IN_FUTURE", "attendance", {"marked_at": "2026-09-02T00:00:00"}, "marked_at"),
    ("ASSESSED_IN_FUTURE", "assessment", {"assessment_date": "2026-09-02"}, "assessment_date"),
    ("SCORE_DISAGREES", "assessment", {"score": "0"}, "score"),
    ("SCORE_DISAGREES", "assessment", {"score": "100", "result": "Fail"}, "score"),
    ("SCORE_DISAGREES", "assessment", {"score": "50", "result": "Exempt"}, "score"),
    ("GRADE_DISAGREES", "assessment", {"grade": "F"}, "grade"),
    ("GRADE_DISAGREES", "assessment", {"grade": "A", "result": "Fail"}, "grade"),
]  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_good_row_has_no_fault(kind: str) -> None:
    assert codes(kind) == []


@pytest.mark.parametrize(("code", "kind", "changes", "field"), CASES)
def test_code_is_raised_on_its_field_and_alone(
    code: str, kind: str, changes: dict[str, str | None], field: str
) -> None:
    assert codes(kind, TODAY, **changes) == [(code, field)]
    [found] = faults_of(kind, changes)
    assert found.line == 0
    assert found.severity == catalogue()[code].severity
    sentence = fault(code, column=kind_named(kind).field(field).title, row=2, sheet="Sheet1", **found.words)
    assert "{" not in sentence.sentence + sentence.fix
    if kind_named(kind).field(field).personal:
        assert (changes.get(field) or "none") not in sentence.sentence + sentence.fix


def test_sessions_overlap() -> None:
    first: dict[str, str | None] = {"session_no": "1", "start_time": "09:00", "end_time": "13:00"}
    inside: dict[str, str | None] = {"session_no": "2", "start_time": "12:59", "end_time": "15:00"}
    after: dict[str, str | None] = {"session_no": "3", "start_time": "15:00", "end_time": "16:00"}
    [found] = faults_of("session", after, inside, first)
    assert (found.line, found.code, found.field) == (1, "SESSIONS_OVERLAP", "start_time")
    assert found.severity == "warning"
    # Another day, another run, a cancelled one, or the same session said twice is no overlap.
    for other in ({"session_date": "2026-09-08"}, {"run_code": "HYG-2609-B"}, {"session_status": "cancelled"},
                  {"session_no": "1"}):  # fmt: skip
        assert faults_of("session", first, {**inside, **other}) == []


def test_every_code_of_every_kind_is_tested_here() -> None:
    raised = frozenset().union(*(codes_of_kind(kind) for kind in KINDS.values()))
    assert raised == {case[0] for case in CASES} | {"SESSIONS_OVERLAP"}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        # Equal dates and the edges of numbers and lengths.
        ("course_run", {"registration_open": "2026-09-07", "registration_close": "2026-09-07",
                        "end_date": "2026-09-07"}),
        ("course_run", {"registration_close": "2026-09-08"}),
        ("course_run", {"intake_size": "1"}),
        ("course_run", {"intake_size": "5000", "threshold": "0"}),
        ("course", {"course_title": "x" * 200, "full_course_fee": "100000.00"}),
        ("course", {"course_reference": "INT-TF12345678", "skill_code": None}),
        ("attendance", {"hours": "8.0"}),
        ("attendance", {"hours": "0.5"}),
        ("attendance", {"marked_at": "2026-09-01T23:59:59"}),
        ("assessment", {"score": "100"}),
        ("assessment", {"score": None, "grade": None, "result": "Exempt"}),
        ("assessment", {"score": "0", "result": "Fail", "grade": "F"}),
        # No venue for asynchronous eLearning, On-the-Job, a cancelled run or an unreadable mode.
        *(("course_run", {"floor": None, "unit": None, "postal_code": None, "room": None, **change})
          for change in ({"mode_of_training": "2"}, {"mode_of_training": "4"}, {"run_status": "cancelled"},
                         {"mode_of_training": None})),
        ("session", {"start_time": "06:00", "end_time": "18:00"}),
        ("session", {"start_time": "00:00", "end_time": "23:59", "mode_of_training": "2"}),
        ("session", {"start_time": None}),
        # Exactly 14 today; 100 until the day before the 101st birthday.
        ("trainee", {"birth_date": "2012-09-01"}),
        ("trainee", {"birth_date": "1925-09-02"}),
        ("trainee", {"phone_country": None}),
        ("trainee", {"phone": None, "residency": None}),
        ("trainee", {"nric": "G1234567X", "residency": "foreigner"}),
        ("trainee", {"nric": None}),
        ("enrolment", {"sponsorship_type": "INDIVIDUAL", "employer_uen": None, "employer_contact_name": None,
                       "employer_contact_email": "", "employer_contact_phone": None}),
        ("enrolment", {"employer_uen": None, "enrolment_status": "withdrawn"}),
        ("enrolment", {"sponsorship_type": None, "employer_uen": None}),
        ("enrolment", {"enrolment_date": "2026-09-08"}),
        ("enrolment", {"enrolment_date": "2006-09-01"}),
        ("fee", {"amount_collected": None, "collected_on": None}),
        ("fee", {"collection_status": "Pending Payment", "amount_collected": "0.00"}),
    ],
)  # fmt: skip
def test_edge_is_no_fault(kind: str, changes: dict[str, str | None]) -> None:
    assert codes(kind, TODAY, **changes) == []


@pytest.mark.parametrize(
    ("born", "today", "sane"),
    [
        ("2012-02-29", date(2026, 2, 28), False),  # leap day: 14 on 1 March
        ("2012-02-29", date(2026, 3, 1), True),
        ("2012-09-02", date(2026, 9, 1), False),
        ("1924-02-29", date(2025, 2, 28), True),
        ("1924-02-29", date(2025, 3, 1), False),
    ],
)
def test_age_around_leap_days(born: str, today: date, sane: bool) -> None:
    assert (codes("trainee", today, birth_date=born) == []) is sane


def test_all_faults_of_a_row_at_once_in_the_order_of_rows() -> None:
    found = faults_of("course_run", {"run_code": "a b", "intake_size": "0", "room": None}, {}, {"unit": None})
    assert [(item.line, item.code) for item in found] == [
        (0, "FORM_UNEXPECTED"), (0, "NUMBER_TOO_SMALL"), (0, "VENUE_INCOMPLETE"), (2, "VENUE_INCOMPLETE"),
    ]  # fmt: skip


def test_rejected_are_rows_with_errors_only() -> None:
    frame = frame_of("trainee", {"phone": "61234567"}, {"birth_date": "2026-09-01"}, {})
    assert check_rows(kind_named("trainee"), frame, today=TODAY).rejected() == {1}


def test_missing_required_value_is_told_elsewhere() -> None:
    for kind in KINDS.values():
        assert faults_of(kind.name, dict.fromkeys(kind.names)) == []


def test_no_row_no_fault() -> None:
    for kind in KINDS.values():
        frame = pd.DataFrame({name: pd.Series([], dtype=object) for name in kind.names})
        assert check_rows(kind, frame, today=TODAY).faults == []


def test_frame_without_a_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="enrolment has no column nric"):
        check_rows(kind_named("enrolment"), frame_of("enrolment", {}).drop(columns="nric"), today=TODAY)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_check_of_a_model_is_named_by_a_code(kind: str) -> None:
    model = model_of(KINDS[kind], today=TODAY)
    assert list(model.columns) == list(KINDS[kind].names)
    names = [check.name for column in model.columns.values() for check in column.checks]
    names += [check.name for check in model.checks]
    assert set(names) == codes_of_kind(KINDS[kind])
    assert set(names) <= set(catalogue())


def test_model_alone_tells_column_check_and_index_and_no_value() -> None:
    import pandera.errors

    frame = frame_of("trainee", {}, {"full_name": "N" * 250, "birth_date": "2026-01-01"})
    with pytest.raises(pandera.errors.SchemaErrors) as told:
        model_of(kind_named("trainee"), today=TODAY).validate(frame, lazy=True)
    cases = told.value.failure_cases
    assert set(zip(cases["column"], cases["check"], cases["index"], strict=True)) == {
        ("full_name", "TEXT_TOO_LONG", 1), ("birth_date", "AGE_UNLIKELY", 1),
    }  # fmt: skip
    assert "NNN" not in str(told.value) + cases.to_string()
    assert "2026-01-01" not in str(told.value) + cases.to_string()


def test_model_looks_at_a_frame_anew_each_time() -> None:
    import pandera.errors

    model = model_of(kind_named("course_run"), today=TODAY)
    frame = frame_of("course_run", {})
    model.validate(frame, lazy=True, inplace=True)
    frame.loc[0, "end_date"] = "2026-09-01"
    with pytest.raises(pandera.errors.SchemaErrors):
        model.validate(frame, lazy=True, inplace=True)


def test_checking_leaves_the_frame_as_it_was() -> None:
    frame = frame_of("course_run", {"end_date": "2026-09-01"}, {})
    before = frame.copy(deep=True)
    check_rows(kind_named("course_run"), frame, today=TODAY)
    pd.testing.assert_frame_equal(frame, before)


def test_every_kind_has_a_good_row() -> None:
    assert set(GOOD) == set(KINDS)


def test_process_ends_without_a_word_on_standard_error() -> None:
    # Pandera's registry of models complains there about frames that its exceptions still hold.
    program = (
        "from datetime import date; import pandas as pd\n"
        "from tms_pipeline.records.checks import check_rows; from tms_pipeline.records.kinds import KINDS\n"
        "kind = KINDS['attendance']\n"
        "frame = pd.DataFrame({name: pd.Series(['0'], dtype=object) for name in kind.names})\n"
        "print(len(check_rows(kind, frame, today=date(2026, 9, 1)).faults))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("2\n", "")
