"""Sheets the way offices make them: the right rows come out, or a sentence that somebody in ops can act on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from time import process_time
from typing import Any

import pytest

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.mappings import Found, KnownSession
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.opening import FileRefused
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS

from .held import opened_of

Rows = list[list[Any]]
PEOPLE = [
    ("Tan Ah Kow", date(1980, 9, 25), "kow@example.com", "91234567"),
    ("José Müller", date(1975, 12, 31), "jose@example.com", "+65 9345 6789"),
    ("முருகன் s/o ராஜா", date(1988, 2, 28), "murugan@example.com", "9456-7890"),
    ("陈美玲", date(1995, 7, 4), "meiling@example.com", "(65) 8567 8901"),
]
TRAINEES = ["NRIC", "Full Name", "Date of Birth", "Email", "Mobile"]
ENROLMENTS = ["Course Run", "NRIC/FIN", "Enrolment Date", "Sponsorship Type"]
BLANK: list[Any] = []


def who(number: int) -> str:
    """A made-up number of identity."""
    return make_nric("S", 1234500 + number)


def enrolled(count: int = 4, *, run: str = "HYG-2609-A", day: Any = date(2026, 9, 13)) -> Rows:
    return [[run, who(at), day, "Individual"] for at in range(count)]


def people() -> Rows:
    return [[who(at), *person] for at, person in enumerate(PEOPLE)]


def one_column(heading: str, values: list[Any], base: list[str] = ENROLMENTS) -> Rows:
    """Enrolments whose column of that heading holds these values."""
    at = base.index(heading)
    rows = enrolled(len(values))
    return [base, *([*row[:at], value, *row[at + 1 :]] for row, value in zip(rows, values, strict=True))]


def answered(stamp: str, moments: list[Any]) -> Rows:
    """A form about registration."""
    asked = ["Which class are you in?", "Your NRIC or FIN", "Your full name", "Date of Birth", "Your e-mail address"]
    return [
        [stamp, *asked, "Your mobile number", "Who pays"],
        *(
            [moment, "HYG-2609-A", who(at), person[0], person[1], person[2], person[3], "Self"]
            for at, (person, moment) in enumerate(zip(PEOPLE, moments, strict=True))
        ),
    ]


REGISTERED = {"trainee": 4, "enrolment": 4}
# name: (rows, kind → good rows, codes that are told; None for any)
READ: dict[str, tuple[Rows, dict[str, int], set[str]]] = {
    "letterhead above the headings": (
        [["ACME TRAINING PTE LTD"], ["UEN: 201912345K"], BLANK, ["Enrolments for September"], ["Prepared by: Mary"],
         BLANK, ENROLMENTS, *enrolled()],
        {"enrolment": 4}, set(),
    ),
    "headings over two lines": (
        [["Course Run", "NRIC/FIN", "Full Name", "Date of Birth", "Contact", None, "Enrolment Date", "Sponsorship Type"],
         [None, None, None, None, "Email", "Mobile", None, None],
         *(["HYG-2609-A", who(at), *person, date(2026, 9, 1), "Self"] for at, person in enumerate(PEOPLE))],
        {"trainee": 4, "enrolment": 4}, set(),
    ),
    "groups above the headings": (
        [["Course", "Trainee", None, "Enrolment", None], [*ENROLMENTS[:2], "Discount", *ENROLMENTS[2:]],
         *([*row[:2], 0, *row[2:]] for row in enrolled())],
        {"enrolment": 4}, set(),
    ),
    "headings broken over lines of their cells": (
        [["NRIC /\nFIN", "Full\nName", "Date of Birth\n(DD/MM/YYYY)", "E-mail\naddress", "H/P\nNo."],
         *([number + "\n", name.replace(" ", "\n", 1), *rest] for number, name, *rest in people())],
        {"trainee": 4}, set(),
    ),
    "other names for the same": (
        [["S/No.", "Name (as in NRIC)", "NRIC No.", "D.O.B", "Email Add", "H/P No.", "Class Code", "Date Enrolled",
          "Sponsor"],
         *([at + 1, name, who(at), born, mail, phone, "HYG-2609-A", date(2026, 9, 1), "Self"]
           for at, (name, born, mail, phone) in enumerate(PEOPLE))],
        {"trainee": 4, "enrolment": 4}, set(),
    ),
    "sub-totals, separators, notes": (
        [[*ENROLMENTS, "Discount Amount"], *([*row, 10] for row in enrolled(2)), ["Sub-total", None, None, None, 20],
         BLANK, *([*row, 5] for row in enrolled(2, run="HYG-2609-B")), ["Grand total", None, None, None, 30], BLANK,
         ["Note: please check with Mary before submission"], ["* = late registration"]],
        {"enrolment": 4}, {"NOTE_ROW"},
    ),
    "a count below the rows": (
        [ENROLMENTS, *enrolled(), [None, "Total: 4 pax"], [None, 4]], {"enrolment": 4}, {"NOTE_ROW"},
    ),
    "a legend below the rows": (
        [ENROLMENTS, *enrolled(), BLANK, ["Green", "paid"], ["Yellow", "pending"]], {"enrolment": 4}, {"NOTE_ROW"},
    ),
    "a legend beside the rows": (
        [[*ENROLMENTS, None, "Legend"], *([*row, None, "Green = paid"] for row in enrolled())],
        {"enrolment": 4}, {"HEADING_UNKNOWN"},
    ),
    "two tables, one below the other": (
        [["Trainees"], TRAINEES, *people(), BLANK, ["Enrolments"], ENROLMENTS, *enrolled()],
        {"trainee": 4, "enrolment": 4}, set(),
    ),
    "ditto marks": (
        [ENROLMENTS, *enrolled(1), ['"', who(1), '"', '"'], ["same as above", who(2), "-do-", "Ditto"],
         ["〃", who(3), "″", "SAME AS ABOVE"]],
        {"enrolment": 4}, {"DITTO_READ"},
    ),
    "words for nothing": (
        [[*ENROLMENTS, "Employer UEN", "Employer Contact Name", "Employer Contact Email", "Discount Amount"],
         *([*row, word, word, word, word]
           for row, word in zip(enrolled(8), ["-", "NA", "nil", "N.A.", "none", "N/A", "–", "Nil."], strict=True))],
        {"enrolment": 8}, set(),
    ),
    "dates in six forms": (
        one_column("Enrolment Date", ["12 Jan 2026", "2026/01/13", "14.1.26", "15-Jan-26", "Friday, 16 January 2026",
                                      "17th Jan 2026"]),
        {"enrolment": 6}, set(),
    ),
    "serial numbers of days as text": (one_column("Enrolment Date", ["46266", "46267", "46268.5"]), {"enrolment": 3}, set()),
    "numbers of identity as people type them": (
        one_column("NRIC/FIN", [who(0).lower(), f"{who(1)[:1]} {who(1)[1:8]} {who(1)[8:]}", f" {who(2)} ",
                                f"{who(3)[:5]}-{who(3)[5:]}", f"\u200b{who(4)}"]),
        {"enrolment": 5}, set(),
    ),
    "phones as people type them": (
        [TRAINEES, *([who(at), "Tan Ah Kow", date(1980, 9, 25), "k@example.com", phone] for at, phone in enumerate(
            ["+65 9123 4567", "9123-4567", "(65) 91234567", "6591234567", "91234567.0", "0065 91234567", 91234567,
             "+60 12-345 6789"]))],
        {"trainee": 8}, set(),
    ),
    "who pays, in other words": (
        one_column("Sponsorship Type", ["Self", "SELF", "Self-funded", "Personal", "Individual (self)",
                                        "Company sponsored", "Employer Sponsored", "Sponsored by company"]),
        {"enrolment": 8}, set(),
    ),
    "both times in one cell": (
        [["Course Run", "Session No", "Session Date", "Time", "Mode of Training"],
         *(["HYG-2609-A", at + 1, date(2026, 9, 14 + at), said, "Classroom"] for at, said in enumerate(
             ["9am–1pm", "0900-1300", "9.00am - 1.00pm", "14:00 to 18:00", "2pm-6pm", "900hrs - 1730hrs"]))],
        {"session": 6}, set(),
    ),
    "times in two cells": (
        [["Course Run", "Session No", "Session Date", "Start Time", "End Time", "Mode of Training"],
         *(["HYG-2609-A", at + 1, date(2026, 9, 14 + at), *said, "Classroom"] for at, said in enumerate(
             [("9am", "1pm"), ("0900", "1300"), ("9.00 a.m.", "1.00 p.m."), (time(14), time(18)), (0.375, 0.5),
              ("900hrs", "1700hrs")]))],
        {"session": 6}, set(),
    ),
    "ticks and crosses below a title": (
        [["Attendance Sheet"], ["Course Run:", "HYG-2609-A"], BLANK, ["S/N", "Name", "NRIC", "Session 1\n14/9 AM", "S2"],
         [1, "Tan", who(0), "✓", "✗"], [2, "Lim", who(1), "✔", "√"]],
        {"attendance": 4}, {"VALUE_FROM_TITLE", "HEADING_UNUSED"},
    ),
    "ones and noughts": (
        [["Course Run", "NRIC", "S1", "S2"], *(["HYG-2609-A", who(at), 1, 0.0] for at in range(3))],
        {"attendance": 6}, set(),
    ),
    "marks in words": (
        [["Course Run", "NRIC", "Day 1", "Day 2"],
         *(["HYG-2609-A", who(at), *said] for at, said in enumerate(
             [("Present", "Absent"), ("PRESENT", "Late 15 mins"), ("present", "Absent (MC)"), ("Here", "AWOL"),
              ("late", "No show")]))],
        {"attendance": 10}, set(),
    ),
    "Google form of an American account": (
        answered("Timestamp", ["9/13/2026 14:03:11", "9/13/2026 14:05:00", "9/14/2026 1:00:00", "9/15/2026 2:00:00"]),
        REGISTERED, set(),
    ),
    "Google form in Singapore": (answered("Timestamp", ["13/09/2026 14:03:11"] * 4), REGISTERED, set()),
    "Google form with its time zone": (answered("Timestamp", ["2026/09/13 2:03:11 PM GMT+8"] * 4), REGISTERED, set()),
    "Google form in Chinese": (answered("时间戳记", ["2026/9/13 下午2:03:11"] * 4), REGISTERED, set()),
    "Google form in Malay": (answered("Cap masa", ["13/09/2026 2:03:11 PTG"] * 4), REGISTERED, set()),
    "Google form in German": (answered("Zeitstempel", ["13.09.2026 14:03:11"] * 4), REGISTERED, set()),
    "Microsoft form in Chinese": (
        [["ID", "开始时间", "完成时间", "电子邮件", "名称", *answered("", [None] * 4)[0][1:]],
         *([at + 1, datetime(2026, 9, 13, 9), datetime(2026, 9, 13, 9, 5), "anonymous", None, *row[1:]]
           for at, row in enumerate(answered("", [None] * 4)[1:]))],
        REGISTERED, set(),
    ),
}  # fmt: skip
# name: (rows, code of the refusal, what its sentences say)
REFUSED: dict[str, tuple[Rows, str, str]] = {
    "feedback": (
        [["Timestamp", "How would you rate the trainer?", "Any comments?"], ["13/09/2026 10:00:00", 5, "good"]],
        "FORM_WITHOUT_RECORDS", "SSG takes none",
    ),
    "feedback with the class and the name": (
        [["Timestamp", "Course Run", "NRIC", "Full Name", "Overall rating", "Comments"],
         ["13/09/2026 10:00:00", "HYG-2609-A", who(0), "Tan Ah Kow", 5, "good"]],
        "FORM_WITHOUT_RECORDS", "your file is kept",
    ),
    "records from left to right": (
        [list(column) for column in zip(ENROLMENTS, *enrolled(), strict=True)], "HEADINGS_SIDEWAYS", "Transpose",
    ),
    "AM and PM below one session": (
        [["Course Run", "NRIC", "Session 1", None], [None, None, "AM", "PM"],
         *(["HYG-2609-A", who(at), "P", "P"] for at in range(3))],
        "SESSION_WITHOUT_HEADING", "S1, S2, S3",
    ),
    "an old and a new column of one name": (
        [[*ENROLMENTS, "Enrolment Date"], *([*row, date(2025, 1, 15)] for row in enrolled())],
        "HEADING_DOUBLED", "(E, hidden)",
    ),
    "a pivot table alone": (
        [["Row Labels", "Count of NRIC/FIN"], ["HYG-2609-A", 5], ["Grand Total", 5]], "NO_KNOWN_HEADINGS", "template",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_the_right_rows_come_out(name: str) -> None:
    rows, wanted, told = READ[name]
    tables, faults = find_tables(opened_of(rows))
    good: dict[str, int] = {}
    for table in tables:
        faults += table.faults
        for kind in table.kinds:
            canonical = canonicalise(KINDS[kind], table)
            faults += canonical.faults
            good[kind] = good.get(kind, 0) + int((~canonical.bad).sum())
    assert good == wanted, [item.sentence for item in faults]
    assert {item.code for item in faults} == told


@pytest.mark.parametrize("name", REFUSED)
def test_a_sentence_says_what_to_do(name: str) -> None:
    rows, code, words = REFUSED[name]
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of(rows, hidden_columns=frozenset({4})))
    assert caught.value.fault.code == code
    assert words in f"{caught.value.fault.sentence} {caught.value.fault.fix}"
    assert "\n" not in caught.value.fault.sentence


def test_feedback_beside_records_is_named_and_the_records_go_on() -> None:
    opened = opened_of([ENROLMENTS, *enrolled()])
    opened.grids += opened_of(REFUSED["feedback"][0], sheet="Form Responses 1").grids
    tables, faults = find_tables(opened)
    assert [len(table.rows) for table in tables] == [4]
    assert [(item.code, item.severity) for item in faults] == [("FORM_WITHOUT_RECORDS", "warning")]


def test_a_row_that_is_to_be_corrected_says_what_its_ditto_marks_meant() -> None:
    (table,), _ = find_tables(opened_of([ENROLMENTS, *enrolled(1), ['"', "S0000000X", '"', '"']]))
    assert table.cells[3] == ["HYG-2609-A", "S0000000X", date(2026, 9, 13), "Individual"]


def test_a_ditto_mark_with_nothing_above_is_a_fault_of_its_cell() -> None:
    (table,), _ = find_tables(opened_of([ENROLMENTS, ["HYG-2609-A", who(0), '"', "Self"]]))
    assert [item.code for item in canonicalise(KINDS["enrolment"], table).faults] == ["DATE_UNREADABLE"]


@pytest.mark.parametrize("sheet", ["Guidance", "INSTRUCTIONS", "Export Summary"])
def test_sheets_that_only_guide_are_no_news(sheet: str) -> None:
    opened = opened_of([ENROLMENTS, *enrolled()])
    opened.grids += opened_of([["How to fill this in"], ["Column", "Meaning"]], sheet=sheet).grids
    assert find_tables(opened)[1] == []


def sessions(*known: tuple[int, date, str]) -> Callable[..., list[Found]]:
    listed = tuple(KnownSession(number=number, day=day, start=start) for number, day, start in known)
    return lambda look_up, wanted: [Found(sessions=listed) for _ in wanted]


def test_dates_over_marks_are_the_sessions_of_those_days() -> None:
    rows = [["Course Run", "NRIC", date(2026, 9, 14), "15 Sep"], ["HYG-2609-A", who(0), "P", "A"]]
    resolve = sessions((4, date(2026, 9, 14), "09:00"), (7, date(2026, 9, 15), "09:00"))
    (table,), _ = find_tables(opened_of(rows), resolve=resolve)
    assert table.frame["session_no"].tolist() == [4, 7]
    assert [item.code for item in table.faults] == ["SESSIONS_BY_DATE"]


def test_a_date_over_marks_that_fits_two_sessions_names_them_and_takes_neither() -> None:
    rows = [["Course Run", "NRIC", "14/9/2026"], ["HYG-2609-A", who(0), "P"]]
    resolve = sessions((1, date(2026, 9, 14), "09:00"), (2, date(2026, 9, 14), "14:00"))
    (table,), _ = find_tables(opened_of(rows), resolve=resolve)
    assert [item.code for item in table.faults] == ["SESSION_DATE_UNMATCHED"]
    assert "session 1 is on 14 Sep 2026 at 09:00; session 2" in table.faults[0].sentence
    assert canonicalise(KINDS["attendance"], table).bad.all()


def test_a_sheet_of_many_short_blocks_costs_no_more_than_its_rows() -> None:
    notes = [f"note {at}" for at in range(20)]
    rows = [[*ENROLMENTS, *(f"Own {at}" for at in range(20))]]
    for at in range(3000):
        rows += [BLANK, [f"HYG-{at}", who(at), "2026-09-01", "Self", *(f"{note} of row {at}" for note in notes)]]
    opened = opened_of(rows)
    begin = process_time()
    (table,), _ = find_tables(opened)
    assert len(table.rows) == 3000
    assert process_time() - begin < 2, "every row is looked at as if it could be headings"
