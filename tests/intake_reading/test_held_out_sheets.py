"""Sheets as offices really make them, dropped by somebody who had seen none of the code: right rows, or a question."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.delimited import read_rows
from tms_pipeline.intake.mappings import Found, KnownSession, LookUp
from tms_pipeline.intake.opening import FileRefused, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.checks import check_repeats
from tms_pipeline.records.kinds import KINDS

from .held import codes, opened_of, read, table_of

WIDE = ["Course Run", "NRIC", "S1", "S2"]
LONG = ["Course Run", "NRIC", "Session", "Attendance"]
PERSON = ["NRIC", "Full Name", "Date of Birth", "Email", "Mobile"]
FEES = ["NRIC", "Name", "Fee Status", "Amount Paid"]
NRICS = ["S1234567D", "T1234567J", "F1234567N"]  # made up


def person(nric: str = NRICS[0], name: str = "Tan Ah Kow") -> list[Any]:
    return [nric, name, date(1988, 5, 13), "t@example.com", "91234567"]


def marks(rows: list[list[Any]]) -> tuple[list[str | None], list[str]]:
    found = read("attendance", rows)
    return found.frame["mark"].tolist(), codes(found)


def refused_with(rows: list[list[Any]]) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of(rows))
    return caught.value


def test_a_cross_is_absent_beside_present_and_else_asked_about_never_guessed() -> None:
    assert marks([WIDE, ["HYG", NRICS[0], "P", "x"], ["HYG", NRICS[1], "✓", "X"]]) == (
        ["present", "absent", "present", "absent"],
        [],
    )
    only = marks([WIDE, ["HYG", NRICS[0], "X", "X"], ["HYG", NRICS[1], None, "X"]])
    assert only == ([None] * 3, ["MARK_UNCLEAR"] * 3)
    both = marks([LONG, ["HYG", NRICS[0], 1, "P"], ["HYG", NRICS[1], 1, "A"], ["HYG", NRICS[2], 1, "x"]])
    assert both == (["present", "absent", None], ["MARK_UNCLEAR"])


@pytest.mark.parametrize("sign", ["/", "O", "ü"])
def test_signs_that_we_do_not_know_keep_their_session_columns_and_are_asked_about(sign: str) -> None:
    rows = [["HYG", nric, sign, "x" if nric == NRICS[2] else sign] for nric in NRICS]
    found, told = marks([WIDE, *rows])
    assert found == [None] * 6
    assert sorted(told) == ["CHOICE_UNKNOWN"] * 5 + ["MARK_UNCLEAR"]


def test_a_session_column_of_hours_beside_marks_is_named_and_columns_of_times_alone_are_refused() -> None:
    table = table_of([[*WIDE, "S3"], *[["HYG", nric, "P", "3.5h", "09:02"] for nric in NRICS]])
    assert codes(table) == ["SESSION_WITHOUT_MARKS"] * 2 and "'S2'" in table.faults[0].sentence
    caught = refused_with([WIDE, *[["HYG", nric, "09:02", "08:58"] for nric in NRICS]])
    assert caught.fault.code == "SESSIONS_WITHOUT_MARKS" and "'S1' (C), 'S2' (D)" in str(caught)


def by_run(look_up: LookUp, wanted: Any) -> list[Found]:
    """HYG has a morning and an afternoon on both days, CUT one session a day."""
    days = (date(2026, 9, 14), date(2026, 9, 15))
    twice = tuple(
        KnownSession(number=number, day=days[(number - 1) // 2], start="09:00" if number % 2 else "14:00")
        for number in range(1, 5)
    )
    once = tuple(KnownSession(number=number, day=day, start="09:00") for number, day in enumerate(days, 1))
    return [Found(sessions=twice if run == "HYG" else once) for (run,) in wanted]


@pytest.mark.parametrize(
    ("headings", "run", "sessions", "code"),
    [
        (["Day 1", "Day 2"], "CUT", ["1", "2"], []),
        (["Day 2", "Day 1 PM"], "HYG", [None, "2"], ["SESSION_DATE_UNMATCHED", "SESSIONS_BY_DATE"]),
        (["Day 1 AM", "Day 2 PM"], "HYG", ["1", "4"], ["SESSIONS_BY_DATE"]),
        (["Day 1", "Day 3"], "CUT", ["1", None], ["SESSION_DATE_UNMATCHED"]),
    ],
)
def test_columns_that_count_days_are_the_sessions_of_that_day(
    headings: list[str], run: str, sessions: list[str | None], code: list[str]
) -> None:
    (table,), _ = find_tables(opened_of([["Course Run", "NRIC", *headings], [run, NRICS[0], "P", "P"]]), resolve=by_run)
    assert canonicalise(KINDS["attendance"], table).frame["session_no"].tolist() == sessions
    assert codes(table) == code


def test_rows_that_count_days_are_sessions_only_where_a_day_has_one() -> None:
    rows: list[list[Any]] = [["HYG", 1], ["HYG", "Day 2 PM"], ["CUT", 2], ["CUT", "Day 1"]]
    opened = opened_of([["Course Run", "Day", "NRIC", "Attendance"], *[[*row, NRICS[0], "P"] for row in rows]])
    (table,), _ = find_tables(opened, resolve=by_run)
    assert canonicalise(KINDS["attendance"], table).frame["session_no"].tolist() == [None, "4", "2", "1"]
    assert codes(table) == ["SESSION_DAY_UNCLEAR"] and "at 14:00" in table.faults[0].sentence


@pytest.mark.parametrize("first", [True, 1])
def test_a_cell_that_says_true_is_no_day_and_changes_none(first: Any) -> None:
    rows: list[list[Any]] = [["HYG", first, NRICS[0], "P"], ["HYG", 1 if first is True else True, NRICS[0], "P"]]
    (table,), _ = find_tables(opened_of([["Course Run", "Day", "NRIC", "Attendance"], *rows]), resolve=by_run)
    read = canonicalise(KINDS["attendance"], table)
    assert read.frame["session_no"].tolist() == [None, None] and read.bad.all(), "one is no number, of the other we ask"
    assert codes(table) == ["SESSION_DAY_UNCLEAR"]


@pytest.mark.parametrize(
    ("field", "typed", "meant"),
    [
        ("Fee Status", "Paid (PayNow)", "Full Payment"),
        ("Fee Status", "Paid (deposit only)", None),
        ("Fee Status", "Paid (partial)", None),
        ("Fee Status", "Paid (cheque bounced)", None),
    ],
)
def test_what_is_added_in_brackets_may_not_take_the_word_back(field: str, typed: str, meant: str | None) -> None:
    found = read("fee", [["Course Run", "NRIC", field], ["HYG", NRICS[0], typed]])
    assert found.frame["collection_status"].tolist() == [meant]


@pytest.mark.parametrize("typed", ["Confirmed (withdrawn on 3/11)", "Confirmed (cancelled)", "Active (?)"])
def test_an_enrolment_that_was_withdrawn_in_brackets_is_asked_about(typed: str) -> None:
    headings = ["Course Run", "NRIC", "Enrolment Date", "Sponsorship", "Enrolment Status"]
    found = read("enrolment", [headings, ["HYG", NRICS[0], date(2026, 9, 1), "Self", typed]])
    assert codes(found) == ["CHOICE_UNKNOWN"]


def stacked(*between: list[Any], headings_again: bool = True) -> list[list[Any]]:
    first: list[list[Any]] = [["Course Run: HYG-1"], FEES, [NRICS[0], "Tan", "Paid", 480]]
    return [*first, *between, *([FEES] if headings_again else []), [NRICS[1], "Lim", "Paid", 480]]


@pytest.mark.parametrize("label", [["Course Run: HYG-2"], ["Course Run", "HYG-2"]])
def test_classes_below_each_other_keep_their_own_run_also_without_a_blank_row(label: list[Any]) -> None:
    tables, _ = find_tables(opened_of(stacked(["Sub-total", None, None, 480], label)))
    runs = [canonicalise(KINDS["fee"], table).frame["run_code"].tolist() for table in tables]
    assert runs == [["HYG-1"], ["HYG-2"]]


@pytest.mark.parametrize("gap", [[], [[]]])
def test_another_label_without_headings_is_asked_about(gap: list[list[Any]]) -> None:
    caught = refused_with(stacked(*gap, ["Course Run: HYG-2"], headings_again=False))
    assert caught.fault.code == "LABEL_WITHIN_TABLE" and "below row 2" in str(caught)


def test_tables_side_by_side_are_told_apart_from_a_doubled_heading() -> None:
    caught = refused_with([[*PERSON, None, *PERSON], [*person(), None, *person(NRICS[1], "Lim Ah Lian")]])
    assert caught.fault.code == "TABLES_SIDE_BY_SIDE" and "(A)" in str(caught) and "(G)" in str(caught)


def test_a_remark_that_takes_the_row_back_is_pointed_at() -> None:
    head = ["Course Run", "NRIC", "Enrolment Date", "Sponsorship", "Remarks"]
    rows = [
        ["HYG", nric, date(2026, 9, 1), "Self", said]
        for nric, said in zip(NRICS, ["vegetarian", "WITHDRAWN", None], strict=True)
    ]
    (warned,) = [item for item in table_of([head, *rows]).faults if item.code == "REMARK_NOT_READ"]
    assert (warned.row, warned.severity) == (3, "warning")


def test_crossed_out_rows_of_a_workbook_are_asked_about(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (PERSON, *[person(nric) for nric in NRICS]):
        page.append(row)
    for cell in page[3]:
        cell.font = Font(strike=True)
    page["G2"].font = Font(strike=True)  # nothing in it
    path = tmp_path / "list.xlsx"
    book.save(path)
    (table,), _ = find_tables(open_upload(path, name=path.name))
    found = canonicalise(KINDS["trainee"], table)
    assert found.bad.tolist() == [False, True, False]
    assert [(item.code, item.row) for item in table.faults] == [("CELL_STRUCK_OUT", 3)]


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://a.example","Tan Ah Kow")', "@SUM(1+1)", "=cmd|'/c calc'!A0", "+1+1", "-2+3"]
)
def test_a_name_that_is_a_formula_is_no_name(text: str) -> None:
    assert codes(read("trainee", [PERSON, person(name=text)])) == ["TEXT_IS_FORMULA"]


def test_the_apostrophe_and_the_constant_formula_that_keep_text_text_are_taken_off() -> None:
    typed = ["'S1234567D", "'Tan Ah Kow the Elder", "'13/05/1988", "'t@example.com", "'91234567"]
    found = read("trainee", [PERSON, typed])
    assert codes(found) == []
    read_as = found.frame.iloc[0].to_dict()
    assert (read_as["nric"], read_as["full_name"], read_as["phone"]) == (
        "S1234567D",
        "Tan Ah Kow the Elder",
        "91234567",
    )
    cells = read_rows('HP,Name\n="91234567","=""Tan"""\n', ".csv", max_rows=10, max_columns=5)
    assert cells[1] == ["91234567", "Tan"]


def test_marks_inside_a_cell_of_a_text_file_are_told_with_their_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'NRIC,Name,DOB,Email,HP\n{NRICS[0]},"Tan "Johnny" Ah Kow",13/05/1988,t@example.com,91234567\n')
    opened = open_upload(path, name=path.name)
    assert [(item.code, item.severity) for item in opened.warnings] == [("TEXT_QUOTE_INSIDE", "warning")]
    assert "row 2" in opened.warnings[0].sentence


EXPORTS = {
    "Microsoft Teams": ["Name", "First Join", "Last Leave", "In-Meeting Duration", "Email", "Participant ID (UPN)"],
    "Zoom": ["Name (Original Name)", "User Email", "Join Time", "Leave Time", "Duration (Minutes)"],
    "Moodle": ["First name", "Surname", "ID number", "Email address", "Last downloaded from this course"],
    "Xero": ["*ContactName", "EmailAddress", "*InvoiceNumber", "Reference", "*InvoiceDate", "*DueDate"],
}


@pytest.mark.parametrize("program", EXPORTS)
def test_reports_of_other_programs_are_named_and_what_to_do_instead(program: str) -> None:
    caught = refused_with([["1. Summary"], [], EXPORTS[program], ["x"] * len(EXPORTS[program])])
    assert caught.fault.code == "FOREIGN_EXPORT" and program in str(caught)


def test_headings_in_two_languages_are_suggested_and_not_guessed() -> None:
    caught = refused_with([["身份证号码 NRIC", "姓名 Name", "出生日期 DOB"], [NRICS[0], "陈", "13/05/1988"]])
    assert caught.fault.code == "HEADINGS_UNCLEAR" and "did you mean 'NRIC'?" in str(caught)


def test_repeats_in_another_sheet_name_the_sheet() -> None:
    import pandas as pd

    frame = pd.DataFrame({name: ["a", "a"] for name in KINDS["trainee"].names})
    same = pd.Series(["k", "k"])
    found = check_repeats(
        KINDS["trainee"], same, same, frame, pd.Series([3, 3]), newer_by=None, sheets=pd.Series(["Nov", "Nov (2)"])
    )
    assert found.faults[0].words["first"] == "3 of sheet 'Nov'"
