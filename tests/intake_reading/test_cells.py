"""Single cells and columns in canonical form, and the fault of each that is wrong."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tms_pipeline.intake.cells import canonical_cell, canonicalise
from tms_pipeline.records.fault import catalogue
from tms_pipeline.records.field import Field, FieldType
from tms_pipeline.records.kinds import KINDS

from .held import codes, read, table_of
from .workbooks import ENROLMENT_HEADINGS, ENROLMENT_ROW, TRAINEE_HEADINGS, TRAINEE_ROW


def field(kind: str, name: str) -> Field:
    return KINDS[kind].field(name)


NAME, BORN, MAIL, PHONE = (field("trainee", name) for name in ("full_name", "birth_date", "email", "phone"))
NRIC, COUNTRY = field("trainee", "nric"), field("trainee", "phone_country")
RUN, POSTAL, WHEELS, SEATS = (
    field("course_run", name) for name in ("run_code", "postal_code", "wheelchair_access", "intake_size")
)
CODES, BLOCK, MODE = (field("course_run", name) for name in ("trainer_codes", "block", "mode_of_training"))
AMOUNT, UEN, SPONSOR = (
    field("fee", "amount_collected"),
    field("enrolment", "employer_uen"),
    field("enrolment", "sponsorship_type"),
)
START, HOURS, MARKED, SESSION = (
    field("session", "start_time"),
    field("attendance", "hours"),
    field("attendance", "marked_at"),
    field("session", "session_no"),
)
MARK, RESULT, SCORE = field("attendance", "mark"), field("assessment", "result"), field("assessment", "score")

RIGHT: list[tuple[Field, Any, str | None]] = [
    (NAME, "  Tan\u200b  Ah\u00a0Kow ", "Tan Ah Kow"),
    (NAME, "Ｔａｎ", "Tan"),
    (NAME, "Na", "Na"),
    (NAME, "Zoë", "Zoë"),
    (NAME, 5, "5"),
    (BLOCK, "n/a", None),
    (BLOCK, 12.0, "12"),
    (BLOCK, "-", None),
    (BLOCK, date(2026, 9, 1), "2026-09-01"),
    (BLOCK, True, "TRUE"),
    (RUN, " hyg-2609-a ", "HYG-2609-A"),
    (RUN, "HYG – 2609 – A", "HYG-2609-A"),
    (RUN, 2609, "2609"),
    (RUN, 2609.0, "2609"),
    (RUN, "ｈｙｇ", "HYG"),
    (NRIC, "s1234567d", "S1234567D"),
    (NRIC, " S 1234567 D", "S1234567D"),
    (NRIC, "Ｓ１２３４５６７Ｄ", "S1234567D"),
    (NRIC, "S-1234567-D", "S1234567D"),
    (MAIL, " Kow@Example.COM ", "kow@example.com"),
    (MAIL, "mailto:a@b.sg", "a@b.sg"),
    (MAIL, "o'neil+x@sub.example.co.uk", "o'neil+x@sub.example.co.uk"),
    (MAIL, "<a@b.sg>", "a@b.sg"),
    (PHONE, 91234567, "91234567"),
    (PHONE, 91234567.0, "91234567"),
    (PHONE, "+65 9123 4567", "91234567"),
    (PHONE, "6591234567", "91234567"),
    (PHONE, "(65) 9123-4567", "91234567"),
    (PHONE, "+60 12-345 6789", "123456789"),
    (PHONE, "0060123456789", "123456789"),
    (COUNTRY, "+65", "65"),
    (COUNTRY, 65.0, "65"),
    (POSTAL, 48616, "048616"),
    (POSTAL, 48616.0, "048616"),
    (POSTAL, "048616", "048616"),
    (POSTAL, "Singapore 048616", "048616"),
    (POSTAL, "S(048616)", "048616"),
    (WHEELS, "Yes", "true"),
    (WHEELS, "N", "false"),
    (WHEELS, True, "true"),
    (WHEELS, 0, "false"),
    (WHEELS, "✓", "true"),
    (SEATS, "1,000", "1000"),
    (SEATS, 25.0, "25"),
    (SEATS, "25.0", "25"),
    (SEATS, " 25 ", "25"),
    (SEATS, "００２５", "25"),
    (SESSION, "Session 3", "3"),
    (SESSION, "s3", "3"),
    (AMOUNT, "S$1,200.50", "1200.50"),
    (AMOUNT, "$ 480", "480.00"),
    (AMOUNT, "480 SGD", "480.00"),
    (AMOUNT, "SGD 480.5", "480.50"),
    (AMOUNT, 480, "480.00"),
    (AMOUNT, 43.200000000000003, "43.20"),
    (AMOUNT, "-5", "-5.00"),
    (AMOUNT, "-", None),
    (AMOUNT, ".50", "0.50"),
    (AMOUNT, "-0.00", "0.00"),
    (UEN, "197401143c", "197401143C"),
    (UEN, "T01FC6132D", "T01FC6132D"),
    (UEN, "00192200 M", "00192200M"),
    (UEN, "NA", None),
    (SPONSOR, "self", "INDIVIDUAL"),
    (SPONSOR, " COMPANY-sponsored", "EMPLOYER"),
    (MODE, 1, "1"),
    (MODE, 1.0, "1"),
    (MODE, "zoom", "9"),
    (MODE, "On-the-job", "4"),
    (MARK, "✓", "present"),
    (MARK, True, "present"),
    (MARK, 1.0, "present"),
    (MARK, "x", "absent"),
    (MARK, "MC", "absent"),
    (RESULT, "C", "Pass"),
    (RESULT, "nyc", "Fail"),
    (START, time(9, 0), "09:00"),
    (START, "9am", "09:00"),
    (START, "9.30 pm", "21:30"),
    (START, "0900", "09:00"),
    (START, 900, "09:00"),
    (START, "1730hrs", "17:30"),
    (START, 0.375, "09:00"),
    (START, "12am", "00:00"),
    (START, "12:15 p.m.", "12:15"),
    (START, "noon", "12:00"),
    (START, datetime(2026, 9, 1, 14, 30), "14:30"),
    (START, time(8, 59, 59, 999_999), "09:00"),
    (HOURS, "7.5 hrs", "7.5"),
    (HOURS, 8, "8"),
    (HOURS, "7:30", "7.5"),
    (HOURS, time(7, 30), "7.5"),
    (HOURS, "2h 30m", "2.5"),
    (MARKED, "2026/09/12 9:15:30 am GMT+8", "2026-09-12T09:15:30"),
    (MARKED, datetime(2026, 9, 12, 9, 15), "2026-09-12T09:15:00"),
    (MARKED, "13/9/2026 14:05", "2026-09-13T14:05:00"),
    (MARKED, "2026-09-12T09:15:30.123Z", "2026-09-12T09:15:30"),
    (CODES, "tr-02, TR-01 & tr-02", "TR-01;TR-02"),
    (CODES, "TR-01 and TR-02\nTR-03", "TR-01;TR-02;TR-03"),
    (CODES, "TR-01; /", "TR-01"),
    (CODES, 7, "7"),
    (BORN, "25/09/1980", "1980-09-25"),
    (BORN, date(1980, 9, 25), "1980-09-25"),
    (BORN, datetime(1980, 9, 25), "1980-09-25"),
    (BORN, 29489, "1980-09-25"),
    (BORN, "25 Sep 1980", "1980-09-25"),
    (BORN, "25-Sept-80", "1980-09-25"),
    (BORN, "Sep 25, 1980", "1980-09-25"),
    (BORN, "25th September 1980", "1980-09-25"),
    (BORN, "19800925", "1980-09-25"),
    (BORN, 19800925, "1980-09-25"),
    (BORN, "25091980", "1980-09-25"),
    (BORN, "1980.9.25", "1980-09-25"),
    (BORN, "25.9.1980", "1980-09-25"),
    (BORN, "Thursday, 25 September 1980", "1980-09-25"),
    (BORN, "5/5/1980", "1980-05-05"),
    (BORN, "25/09/80", "1980-09-25"),
    (BORN, "1980-09-25 00:00:00", "1980-09-25"),
    (BORN, "'25/09/1980", "1980-09-25"),
    (BORN, "25Sep1980", "1980-09-25"),
]


@pytest.mark.parametrize(
    ("item", "value", "canonical"), RIGHT, ids=lambda value: getattr(value, "name", None) or repr(value)
)
def test_right_cells(item: Field, value: Any, canonical: str | None) -> None:
    assert canonical_cell(item, value) == (canonical, None)


WRONG: list[tuple[Field, Any, str]] = [
    (RUN, date(2026, 9, 1), "CODE_IS_DATE"),
    (RUN, 1e20, "CODE_LOST_DIGITS"),
    (RUN, "1.23E+15", "CODE_LOST_DIGITS"),
    (SESSION, 1_000_000_000_000_000, "CODE_LOST_DIGITS"),
    (NRIC, "S123456D", "NRIC_SHAPE"),
    (NRIC, "****567D", "NRIC_SHAPE"),
    (NRIC, 1234567, "NRIC_SHAPE"),
    (NRIC, "S1234567A", "NRIC_CHECK_LETTER"),
    (MAIL, "a@b", "EMAIL_UNREADABLE"),
    (MAIL, "a@b.sg; c@d.sg", "EMAIL_UNREADABLE"),
    (MAIL, "a b@c.sg", "EMAIL_UNREADABLE"),
    (MAIL, "x" * 300 + "@b.sg", "EMAIL_UNREADABLE"),
    (PHONE, "12345", "PHONE_UNREADABLE"),
    (PHONE, "91234567 / 81234567", "PHONE_UNREADABLE"),
    (PHONE, True, "PHONE_UNREADABLE"),
    (PHONE, "+65 1234", "PHONE_UNREADABLE"),
    (PHONE, 9.1234567e30, "PHONE_UNREADABLE"),
    (POSTAL, "48616", "POSTAL_SHAPE"),
    (POSTAL, 1234567, "POSTAL_SHAPE"),
    (UEN, "12345", "UEN_SHAPE"),
    (WHEELS, "perhaps", "YES_NO_UNKNOWN"),
    (SEATS, 2.5, "NUMBER_NOT_WHOLE"),
    (SEATS, "2.5", "NUMBER_NOT_WHOLE"),
    (SEATS, "many", "NUMBER_UNREADABLE"),
    (SEATS, float("inf"), "NUMBER_UNREADABLE"),
    (SEATS, "9" * 40, "NUMBER_UNREADABLE"),
    (AMOUNT, "480,5", "AMOUNT_UNREADABLE"),
    (AMOUNT, "480.555", "AMOUNT_UNREADABLE"),
    (AMOUNT, "USD 480", "AMOUNT_CURRENCY"),
    (AMOUNT, "RM480", "AMOUNT_CURRENCY"),
    (AMOUNT, "free", "AMOUNT_UNREADABLE"),
    (AMOUNT, float("inf"), "AMOUNT_UNREADABLE"),
    (HOURS, "all day", "HOURS_UNREADABLE"),
    (HOURS, 7.25, "HOURS_UNREADABLE"),
    (START, "25:00", "TIME_UNREADABLE"),
    (START, "morning", "TIME_UNREADABLE"),
    (START, 9, "TIME_UNREADABLE"),
    (START, date(2026, 9, 1), "TIME_UNREADABLE"),
    (SPONSOR, "friend of a friend", "CHOICE_UNKNOWN"),
    (SPONSOR, "Comapny", "CHOICE_SIMILAR"),
    (BORN, "soon", "DATE_UNREADABLE"),
    (BORN, 1980, "DATE_UNREADABLE"),
    (BORN, "31/02/1980", "DATE_IMPOSSIBLE"),
    (BORN, "13/13/1980", "DATE_IMPOSSIBLE"),
    (BORN, "1980-02-30", "DATE_IMPOSSIBLE"),
    (BORN, date(1800, 1, 1), "DATE_OUT_OF_RANGE"),
    (BORN, "25/09/3080", "DATE_OUT_OF_RANGE"),
    (BORN, "05/06/1980", "DATE_ORDER_UNPROVEN_PERSONAL"),
    (MARKED, "05/06/2026 10:00", "DATE_ORDER_UNPROVEN"),
    (BORN, True, "DATE_UNREADABLE"),
    (BORN, time(9), "DATE_UNREADABLE"),
]


@pytest.mark.parametrize(
    ("item", "value", "code"), WRONG, ids=lambda value: getattr(value, "name", None) or repr(value)[:40]
)
def test_wrong_cells(item: Field, value: Any, code: str) -> None:
    assert canonical_cell(item, value) == (None, code)
    assert code in catalogue()


@pytest.mark.parametrize("item", [BORN, AMOUNT, UEN, MAIL, PHONE, POSTAL, START, SEATS, SPONSOR])
@pytest.mark.parametrize("value", ["", "   ", None, float("nan"), "N/A", "-", "nil"])
def test_blank_words_are_blank(item: Field, value: Any) -> None:
    assert canonical_cell(item, value) == (None, None)


def test_a_uen_with_another_check_letter_is_a_warning() -> None:
    assert canonical_cell(UEN, "201912345A") == ("201912345A", "UEN_CHECK_LETTER")
    canonical = read("enrolment", [[*ENROLMENT_HEADINGS, "Employer UEN"], [*ENROLMENT_ROW, "201912345A"]])
    assert codes(canonical) == ["UEN_CHECK_LETTER"]
    assert canonical.bad.tolist() == [False]
    assert canonical.frame["employer_uen"].tolist() == ["201912345A"]


def test_frames_have_all_columns_defaults_and_the_rows_of_the_sheet() -> None:
    canonical = read("enrolment", [["Enrolments"], ENROLMENT_HEADINGS, ENROLMENT_ROW, ENROLMENT_ROW])
    assert list(canonical.frame.columns) == list(KINDS["enrolment"].names)
    assert set(map(str, canonical.frame.dtypes)) == {"object"}
    assert canonical.frame.index.tolist() == [0, 1]
    assert canonical.rows.tolist() == [3, 4]
    assert canonical.frame.loc[0, ["discount_amount", "enrolment_status", "employer_uen"]].tolist() == [
        "0.00",
        "confirmed",
        None,
    ]


def test_a_missing_value_names_the_heading_as_typed() -> None:
    canonical = read(
        "enrolment", [["Course Run*", *ENROLMENT_HEADINGS[1:]], ["", *ENROLMENT_ROW[1:]], ["  ", *ENROLMENT_ROW[1:]]]
    )
    assert [(fault.code, fault.column, fault.row) for fault in canonical.faults] == [
        ("VALUE_MISSING", "Course Run*", 2),
        ("VALUE_MISSING", "Course Run*", 3),
    ]
    assert canonical.bad.all()


def test_check_letters_are_looked_at_over_the_column() -> None:
    rows = [
        TRAINEE_HEADINGS,
        TRAINEE_ROW,
        ["S1234567A", *TRAINEE_ROW[1:]],
        ["t1234567j", *TRAINEE_ROW[1:]],
        ["S1234567", *TRAINEE_ROW[1:]],
    ]
    canonical = read("trainee", rows)
    assert canonical.frame["nric"].tolist() == ["S1234567D", None, "T1234567J", None]
    assert [(fault.code, fault.row) for fault in canonical.faults] == [("NRIC_SHAPE", 5), ("NRIC_CHECK_LETTER", 3)]


def test_a_phone_that_names_its_country_fills_the_country() -> None:
    rows = [
        [*TRAINEE_HEADINGS, "Country Code"],
        [*TRAINEE_ROW[:4], "+60123456789", ""],
        [*TRAINEE_ROW[:4], "123456789", "+60"],
        [*TRAINEE_ROW, ""],
    ]
    canonical = read("trainee", rows)
    assert canonical.frame[["phone", "phone_country"]].to_numpy().tolist() == [
        ["123456789", "60"],
        ["123456789", "60"],
        ["91234567", "65"],
    ]
    assert not canonical.bad.any()


def test_true_one_and_text_are_kept_apart() -> None:
    canonical = read(
        "course_run",
        [
            ["Course Run", "Course Reference", "Start Date", "End Date", "Registration Opening", "Wheelchair", "Block"],
            *[["A", "TGS-2026000101", "", "", "", cell, cell] for cell in (True, 1, 1.0, "1", False, 0)],
        ],
    )
    assert canonical.frame["wheelchair_access"].tolist() == ["true", "true", "true", "true", "false", "false"]
    assert canonical.frame["block"].tolist() == ["TRUE", "1", "1", "1", "FALSE", "0"]


PERSONAL = {
    "nric": "S1234567A",
    "full_name": "Tan Ah Kow",
    "birth_date": "05/06/1980",
    "email": "kow@nowhere",
    "phone": "9123 456",
}


def test_no_sentence_holds_a_personal_value() -> None:
    rows: list[list[Any]] = [
        [*TRAINEE_HEADINGS, "Residency", "Language"],
        [*PERSONAL.values(), "S1234567D", "kow@example.com"],
    ]
    canonical = read("trainee", rows)
    assert len(canonical.faults) == 6
    for fault in canonical.faults:
        for value in [*PERSONAL.values(), "S1234567D", "kow@example.com", "1980"]:
            assert value not in fault.sentence + fault.fix


VALUES = st.one_of(
    st.text(max_size=40),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.none(),
    st.from_regex(r"[0-9/., :apmAPM+-]{1,20}", fullmatch=True),
    st.from_regex(r"[STFGM][0-9]{7}[A-Z]", fullmatch=True),
)
SHAPES = {
    FieldType.DATE: r"\d{4}-\d\d-\d\d",
    FieldType.TIME: r"\d\d:\d\d",
    FieldType.MOMENT: r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    FieldType.INTEGER: r"-?\d+",
    FieldType.AMOUNT: r"-?\d+\.\d\d",
    FieldType.HOURS: r"-?\d+(\.\d)?",
    FieldType.YES_NO: "true|false",
    FieldType.PHONE: r"\d+",
    FieldType.POSTAL: r"\d{6}",
    FieldType.NRIC: r"[STFGM]\d{7}[A-Z]",
}


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_cell_is_read_or_has_a_code(value: Any) -> None:
    for kind in KINDS.values():
        for item in kind.fields:
            text, code = canonical_cell(item, value)
            assert code is None or code in catalogue()
            assert text is None or code is None or catalogue()[code].severity == "warning"
            if text is not None:
                assert text
                assert text == text.strip()
                if item.type in SHAPES:
                    assert re.fullmatch(SHAPES[item.type], text, re.ASCII), (item.name, value, text)
                if item.type is FieldType.CHOICE:
                    assert text in item.choices


@settings(max_examples=300, deadline=None)
@given(VALUES)
@example("1" + "0" * 27)
def test_reading_what_was_read_changes_nothing(value: Any) -> None:
    for kind in KINDS.values():
        for item in kind.fields:
            text, _ = canonical_cell(item, value)
            if (
                text is not None and item.type is not FieldType.PHONE
            ):  # a number from abroad needs its country to be read
                assert canonical_cell(item, text)[0] == text, (item.name, value)


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6))
def test_columns_and_single_cells_agree(values: list[Any]) -> None:
    rows = [
        [
            *ENROLMENT_HEADINGS,
            "Employer UEN",
            "Discount",
            "Employer Contact",
            "Employer Email",
            "Employer Phone",
            "Enrolled Status",
        ],
        *[["HYG", value, "2026-09-01", value, value, value, value, value, value, value] for value in values],
    ]
    table = table_of(rows)
    canonical = canonicalise(KINDS["enrolment"], table)
    raw = table.frame
    for name in (
        "nric",
        "sponsorship_type",
        "employer_uen",
        "employer_contact_name",
        "employer_contact_email",
        "employer_contact_phone",
    ):
        item = field("enrolment", name)
        assert canonical.frame[name].tolist() == [canonical_cell(item, value)[0] for value in raw[name].tolist()]
