"""Attendance sheets with one column a session."""

from __future__ import annotations

from datetime import date

import pytest

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import FileRefused
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.intake.wide_attendance import session_of_heading
from tms_pipeline.records.kinds import KINDS

from .held import codes, opened_of, table_of

HEAD = ["Course Run", "Name", "NRIC"]


@pytest.mark.parametrize(
    ("heading", "number"),
    [
        ("S1", 1),
        ("Session 2", 2),
        ("Sess 3 (12/09/2026)", 3),
        ("session no. 4", 4),
        ("Day 5", 5),
        ("s-6", 6),
        ("Lesson #7", 7),
        ("12/09/2026", None),
        ("12 Sep", None),
        ("2026-09-12", None),
        (date(2026, 9, 12), None),
    ],
)
def test_session_headings(heading: object, number: int | None) -> None:
    found = session_of_heading(heading, 3)  # type: ignore[arg-type]
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize(
    "heading", ["Sponsor", "Status", "S", "Score 1", "Total", 5, None, "1 apple", "Address 2", "3 bananas a day"]
)
def test_no_session_headings(heading: object) -> None:
    assert session_of_heading(heading, 0) is None  # type: ignore[arg-type]


def test_one_line_a_mark_and_none_for_a_blank() -> None:
    table = table_of(
        [
            [*HEAD, "S1", "Session 2", "Sess 3 (12/09/2026)"],
            ["HYG", "Tan", "S1234567D", "P", "A", "✓"],
            ["HYG", "Lim", "T1234567J", "L", None, " "],
        ]
    )
    assert table.kinds == ("attendance",)
    assert table.frame.index.tolist() == [2, 2, 2, 3]
    assert list(table.cells) == [2, 3]
    canonical = canonicalise(KINDS["attendance"], table)
    assert canonical.frame[["run_code", "session_no", "nric", "mark"]].to_numpy().tolist() == [
        ["HYG", "1", "S1234567D", "present"],
        ["HYG", "2", "S1234567D", "absent"],
        ["HYG", "3", "S1234567D", "present"],
        ["HYG", "1", "T1234567J", "late"],
    ]
    assert not canonical.bad.any()


def test_a_wrong_mark_names_its_session_column() -> None:
    table = table_of(
        [[*HEAD, "S1", "S2"], ["HYG", "Tan", "S1234567D", "P", "maybe"], ["HYG", "Lim", "T1234567J", "P", "P"]]
    )
    canonical = canonicalise(KINDS["attendance"], table)
    assert [(fault.code, fault.row, fault.column) for fault in canonical.faults] == [("CHOICE_UNKNOWN", 2, "S2")]
    assert canonical.bad.tolist() == [False, True, False, False]


def test_dates_as_headings_are_counted_and_said() -> None:
    table = table_of([[*HEAD, date(2026, 9, 12), "13 Sep 2026"], ["HYG", "Tan", "S1234567D", "P", "A"]])
    found = next(fault for fault in table.faults if fault.code == "SESSIONS_BY_ORDER")
    assert "'13 Sep 2026' is session 2" in found.sentence
    assert table.frame["session_no"].tolist() == [1, 2]
    assert table.headings[-2:] == ["12 Sep 2026", "13 Sep 2026"]


def test_two_columns_of_one_session_are_refused() -> None:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of([[*HEAD, "S1", "Session 1"], ["HYG", "Tan", "S1234567D", "P", "A"]]))
    assert caught.value.fault.code == "SESSION_DOUBLED"


def test_columns_that_only_look_like_sessions_are_none() -> None:
    rows = [
        ["Course Run", "NRIC", "Enrolment Date", "Sponsorship", "Day 1 meal", "S2"],
        ["HYG", "S1234567D", "2026-09-01", "Self", "halal", "fish"],
    ]
    tables, _ = find_tables(opened_of(rows))
    assert [table.kinds for table in tables] == [("enrolment",)]


def test_the_run_from_a_line_above() -> None:
    table = table_of([["Course Run", "HYG-2609-A"], [], ["NRIC", "S1"], ["S1234567D", "P"]])
    assert table.frame["run_code"].tolist() == ["HYG-2609-A"]


def test_enrolments_and_marks_in_one_sheet_are_two_tables() -> None:
    rows = [
        ["Course Run", "NRIC", "Enrolment Date", "Sponsorship", "S1", "S2"],
        ["HYG", "S1234567D", "2026-09-01", "Self", "P", "P"],
    ]
    tables, _ = find_tables(opened_of(rows))
    assert [table.kinds for table in tables] == [("enrolment",), ("attendance",)]


def test_a_trainee_without_any_mark_is_told() -> None:
    table = table_of([[*HEAD, "S1"], ["HYG", "Tan", "S1234567D", "P"], ["HYG", "Lim", "T1234567J", None]])
    assert "ROWS_WITHOUT_VALUES" in codes(table)
    assert list(table.cells) == [2]


def test_two_columns_under_one_session_heading_are_refused() -> None:
    rows = [
        [*HEAD, "Session 1", None],
        [None, None, None, "AM", "PM"],
        ["HYG", "Tan", "S1234567D", "P", "A"],
        ["HYG", "Lim", "T1234567J", "P", "P"],
    ]
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of(rows))
    assert caught.value.fault.code == "SESSION_WITHOUT_HEADING"
    assert "Column E" in str(caught.value)
