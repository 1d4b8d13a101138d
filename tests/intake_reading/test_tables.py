"""Sheets, headings and rows: what is recognised, and what each oddity is called."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.grid import Grid
from tms_pipeline.intake.headings import fields_of, heading_key, stated_order, suggestion
from tms_pipeline.intake.opening import FileRefused, OpenedFile, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.kinds import KINDS

from .held import codes, opened_of, read, table_of
from .workbooks import (
    ENROLMENT_HEADINGS,
    ENROLMENT_ROW,
    TRAINEE_HEADINGS,
    TRAINEE_ROW,
    parts,
    sheet_xml,
    text_rows,
    xlsx,
    zipped,
)

ROWS: list[list[Any]] = [ENROLMENT_HEADINGS, ENROLMENT_ROW]


def only(faults: list[Fault], code: str) -> Fault:
    found = [fault for fault in faults if fault.code == code]
    assert len(found) == 1, [fault.code for fault in faults]
    return found[0]


@pytest.mark.parametrize(
    "heading",
    [
        "Date of Birth",
        "date of birth",
        "DATE OF BIRTH *",
        " Date  of\nBirth:",
        "Date-of-Birth",
        "D.O.B.",
        "Date of Birth (DD/MM/YYYY)*",
        "ＤＯＢ",
        "birth_date",
        "Date of Birth [as on card]",
    ],
)
def test_headings_match_loosely(heading: str) -> None:
    assert [field.name for field in fields_of(heading)] == ["birth_date"]


@pytest.mark.parametrize("heading", ["Date", "Birth", "", "(DD/MM/YYYY)", "12", "Dates of births of all"])
def test_headings_are_never_guessed(heading: str) -> None:
    assert fields_of(heading) == ()


def test_every_title_and_alias_leads_to_its_field() -> None:
    for kind in KINDS.values():
        for field in kind.fields:
            for title in (field.title, *field.aliases):
                assert field.name in [found.name for found in fields_of(title)], (kind.name, title)


@pytest.mark.parametrize(
    ("heading", "order"),
    [
        ("DOB (DD/MM/YYYY)", "DMY"),
        ("DOB (mm-dd-yyyy)", "MDY"),
        ("Day (YYYY-MM-DD)", "YMD"),
        ("Date of Birth (DD-MM-YYYY or DD/MM/YYYY format) *", "DMY"),
        ("Date", None),
        ("DD/MM/YYYY or MM/DD/YYYY", None),
        ("Comments", None),
    ],
)
def test_a_heading_can_state_the_order_of_dates(heading: str, order: str | None) -> None:
    assert stated_order(heading) == order


def test_the_headings_are_found_below_titles_and_kept_as_typed() -> None:
    table = table_of(
        [
            ["Enrolments of September"],
            [],
            ["as of", date(2026, 9, 1)],
            ["Course Run* ", "N.R.I.C.", "Enrolled On", "Sponsorship", "Own note"],
            [*ENROLMENT_ROW, "x"],
        ]
    )
    assert (table.header_row, table.kinds) == (4, ("enrolment",))
    assert table.headings == ["Course Run*", "N.R.I.C.", "Enrolled On", "Sponsorship", "Own note"]
    assert table.cells == {5: [*ENROLMENT_ROW, "x"]}
    assert table.frame.index.tolist() == [5]
    assert table.titles["nric"] == "N.R.I.C."
    assert only(table.faults, "HEADING_UNKNOWN").column == "Own note"


def test_several_kinds_from_one_sheet_in_plan_order() -> None:
    table = table_of(
        [["Fee Status", *ENROLMENT_HEADINGS, *TRAINEE_HEADINGS[1:]], ["Paid", *ENROLMENT_ROW, *TRAINEE_ROW[1:]]]
    )
    assert table.kinds == ("trainee", "enrolment", "fee")
    for kind in table.kinds:
        assert not canonicalise(KINDS[kind], table).bad.any()


def test_several_tables_in_one_sheet() -> None:
    tables, faults = find_tables(
        opened_of([["Enrolments"], *ROWS, [], [], ["Trainees"], TRAINEE_HEADINGS, TRAINEE_ROW, [], TRAINEE_ROW])
    )
    assert [(table.header_row, table.kinds, table.rows.tolist()) for table in tables] == [
        (2, ("enrolment",), [3]),
        (7, ("trainee",), [8, 10]),
    ]
    assert not faults


def test_tables_in_several_sheets_and_notes_left_out(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        ("Notes", [["How to fill this in"], ["Write", "neatly"]]),
        ("Data", ROWS),
        ("_lists", [["Paid"], ["Unpaid"]]),
    )
    tables, faults = find_tables(open_upload(path, name="a.xlsx"))
    assert [table.sheet for table in tables] == ["Data"]
    assert [(fault.code, fault.sheet) for fault in faults] == [("SHEET_SKIPPED", "Notes"), ("SHEET_SKIPPED", "_lists")]


def test_a_hidden_sheet_is_not_taken_in_and_said_so(tmp_path: Path) -> None:
    def hide(book: Any) -> None:
        book["Old"].sheet_state = "veryHidden"

    path = xlsx(tmp_path / "a.xlsx", ("Data", ROWS), ("Old", ROWS), prepare=hide)
    tables, faults = find_tables(open_upload(path, name="a.xlsx"))
    assert [table.sheet for table in tables] == ["Data"]
    assert only(faults, "SHEET_HIDDEN").sheet == "Old"


def test_a_single_hidden_sheet_is_told_as_such(tmp_path: Path) -> None:
    opened = opened_of(ROWS, hidden=True)
    with pytest.raises(FileRefused) as caught:
        find_tables(opened)
    assert caught.value.fault.code == "SHEET_HIDDEN"


def test_a_start_date_alone_does_not_confuse() -> None:
    table = table_of(
        [[*ENROLMENT_HEADINGS, "Start Date", "End Date", "Course Reference"], [*ENROLMENT_ROW, "", "", ""]]
    )
    assert table.kinds == ("enrolment",)
    assert "'Start Date'" in only(table.faults, "HEADING_UNUSED").sentence


def test_a_telling_heading_that_is_missing_is_named() -> None:
    opened = opened_of(ROWS)
    opened.grids.append(
        Grid.of_rows(
            "Runs", [(3, ["Course Run", "Course Reference", "Start Date", "End Date"]), (4, ["A", "B", "C", "D"])]
        )
    )
    tables, faults = find_tables(opened)
    assert len(tables) == 1
    found = only(faults, "HEADINGS_MISSING")
    assert (found.severity, found.sheet, found.row) == ("error", "Runs", 3)
    assert "'Registration Opening'" in found.sentence
    assert "course runs" in found.sentence


def test_required_headings_that_are_missing_are_named_in_one_fault_and_by_row() -> None:
    rows = [["Course Run", "NRIC", "Sponsorship"], ["HYG", "S1234567D", "Self"]]
    table = table_of(rows)
    assert "'Enrolment Date'" in only(table.faults, "REQUIRED_HEADINGS_MISSING").sentence
    found = only(read("enrolment", rows).faults, "VALUE_MISSING")
    assert (found.row, found.column) == (2, "Enrolment Date")


def test_a_second_kind_without_its_required_headings_is_left_out_and_said_so() -> None:
    table = table_of([[*ENROLMENT_HEADINGS, "Full Name", "Date of Birth"], [*ENROLMENT_ROW, "Tan", "1980-09-25"]])
    assert table.kinds == ("enrolment",)
    found = only(table.faults, "KIND_LEFT_OUT")
    assert found.severity == "error"
    assert "'Email', 'Mobile'" in found.sentence


def test_an_unknown_heading_gets_a_suggestion_and_is_not_used() -> None:
    table = table_of([[*ENROLMENT_HEADINGS, "Emploer UEN"], [*ENROLMENT_ROW, "x"]])
    found = only(table.faults, "HEADING_SIMILAR")
    assert (found.severity, found.column) == ("warning", "Emploer UEN")
    assert "'Employer UEN'" in found.sentence
    assert "employer_uen" not in table.frame
    assert suggestion("zzzz") is None


def test_doubled_headings_that_disagree_are_refused_by_name() -> None:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of([[*ENROLMENT_HEADINGS, "Sponsored By"], [*ENROLMENT_ROW, "Employer"]]))
    assert caught.value.fault.code == "HEADING_DOUBLED"
    assert "'Sponsorship Type' (D), 'Sponsored By' (E)" in str(caught.value)


@pytest.mark.parametrize("second", ["Individual", None])
def test_doubled_headings_that_agree_are_used_once(second: str | None) -> None:
    table = table_of([[*ENROLMENT_HEADINGS, "Sponsored By"], [*ENROLMENT_ROW, second]])
    assert only(table.faults, "HEADING_DOUBLED_SAME").severity == "warning"
    assert table.frame["sponsorship_type"].tolist() == ["Individual"]


def test_values_without_a_heading_are_told() -> None:
    table = table_of([ENROLMENT_HEADINGS, [*ENROLMENT_ROW, None, "?"]])
    assert "Column F" in only(table.faults, "COLUMN_WITHOUT_HEADING").sentence


def test_a_row_of_a_text_file_that_is_too_long_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "Course Run,NRIC,Enrolment Date,Sponsorship\nHYG,S1234567D,2026-09-01,Self\nHYG,T1234567J,1,Sep,2026,Self\n"
    )
    table = find_tables(open_upload(path, name="r.csv"))[0][0]
    assert only(table.faults, "ROW_TOO_LONG").row == 3
    assert canonicalise(KINDS["enrolment"], table).bad.tolist() == [False, True]


def test_repeated_headings_notes_totals_and_numbered_blanks_are_left_out_and_said() -> None:
    headings = ["S/N", *ENROLMENT_HEADINGS]
    rows = [
        headings,
        [1, *ENROLMENT_ROW],
        headings,
        [2, "HYG-2609-B", *ENROLMENT_ROW[1:]],
        [3],
        [4],
        ["Total", 2],
        [],
        ["Prepared by Mary on Monday morning"],
    ]
    table = table_of(rows)
    assert table.rows.tolist() == [2, 4]
    assert only(table.faults, "HEADING_REPEATED").row == 3
    assert only(table.faults, "NOTE_ROW").row == 7
    assert "5 to 6 and 9" in only(table.faults, "ROWS_WITHOUT_VALUES").sentence


def test_notes_and_totals_in_known_columns_are_told_one_by_one() -> None:
    table = table_of([*ROWS, ["Total", 12], [], ["Prepared by Mary on Monday morning"]])
    assert table.rows.tolist() == [2]
    assert [fault.row for fault in table.faults if fault.code == "NOTE_ROW"] == [3, 5]


def test_a_half_filled_row_is_a_record_and_rejected() -> None:
    canonical = read("enrolment", [*ROWS, ["HYG-2609-B"]])
    assert canonical.rows.tolist() == [2, 3]
    assert canonical.bad.tolist() == [False, True]
    assert codes(canonical) == ["VALUE_MISSING"] * 3


def test_hidden_rows_and_columns_are_taken_in_and_reported(tmp_path: Path) -> None:
    def hide(book: Any) -> None:
        book["S"].row_dimensions[2].hidden = True
        book["S"].column_dimensions["C"].hidden = True

    path = xlsx(tmp_path / "h.xlsx", ("S", ROWS), prepare=hide)
    table = find_tables(open_upload(path, name="h.xlsx"))[0][0]
    assert only(table.faults, "HIDDEN_ROW").row == 2
    assert only(table.faults, "HIDDEN_COLUMN").column == "Enrolment Date"
    assert not canonicalise(KINDS["enrolment"], table).bad.any()


def test_error_cells_and_formulas_without_a_value_are_faults_of_their_cells(tmp_path: Path) -> None:
    body = text_rows([ENROLMENT_HEADINGS, [*ENROLMENT_ROW[:1], "", "", "Self"], ENROLMENT_ROW])
    body = body.replace(
        '<c r="D2"', '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="C2"><f>TODAY()</f></c><c r="D2"', 1
    )
    path = zipped(tmp_path / "e.xlsx", parts(sheet_xml(body)))
    table = find_tables(open_upload(path, name="e.xlsx"))[0][0]
    assert [(fault.code, fault.row, fault.column) for fault in table.faults] == [
        ("CELL_ERROR", 2, "NRIC/FIN"),
        ("FORMULA_WITHOUT_VALUE", 2, "Enrolment Date"),
    ]
    assert "#DIV/0!" in table.faults[0].sentence
    canonical = canonicalise(KINDS["enrolment"], table)
    assert canonical.bad.tolist() == [True, False]
    assert canonical.faults == []
    assert table.cells[2][1] == "#DIV/0!"


def test_a_formula_with_an_empty_text_is_no_fault(tmp_path: Path) -> None:
    body = (
        text_rows([[*ENROLMENT_HEADINGS, "Employer UEN"], ENROLMENT_ROW])
        .replace("</row>", '<c r="E2" t="str"><f>IF(1,"")</f><v></v></c></row>', 2)
        .replace('<c r="E2" t="str"><f>IF(1,"")</f><v></v></c></row>', "</row>", 1)
    )
    path = zipped(tmp_path / "e.xlsx", parts(sheet_xml(body)))
    assert not find_tables(open_upload(path, name="e.xlsx"))[0][0].faults


def test_an_error_cell_never_prints_what_a_hostile_file_says() -> None:
    table = table_of(ROWS, problems={(2, 1): "CELL_ERROR"})
    assert "S1234567D" not in only(table.faults, "CELL_ERROR").sentence


def test_merged_cells_give_their_value_to_the_first_row_only(tmp_path: Path) -> None:
    def merge(book: Any) -> None:
        book["S"].merge_cells("A1:D1")
        book["S"].merge_cells("A3:A4")

    path = xlsx(
        tmp_path / "m.xlsx",
        ("S", [["All enrolments"], *ROWS, [None, "T1234567J", "2026-09-02", "Self"]]),
        prepare=merge,
    )
    table = find_tables(open_upload(path, name="m.xlsx"))[0][0]
    found = only(table.faults, "MERGED_CELL")
    assert (found.row, found.column) == (4, "Course Run")
    canonical = canonicalise(KINDS["enrolment"], table)
    assert canonical.bad.tolist() == [False, True]
    assert canonical.faults == []


def test_a_label_above_the_table_fills_its_missing_column() -> None:
    table = table_of(
        [["Course Run: HYG-2609-A"], [], ["NRIC", "Enrolment Date", "Sponsorship"], ["S1234567D", "2026-09-01", "Self"]]
    )
    assert only(table.faults, "VALUE_FROM_TITLE").column == "Course Run"
    assert table.frame["run_code"].tolist() == ["HYG-2609-A"]


def test_a_label_beside_its_value() -> None:
    table = table_of([["Class", "HYG-2609-A", None, "Session", 2], [], ["NRIC", "Present?"], ["S1234567D", "✓"]])
    canonical = canonicalise(KINDS["attendance"], table)
    assert canonical.frame.loc[0, ["run_code", "session_no", "mark"]].tolist() == ["HYG-2609-A", "2", "present"]


def test_our_own_result_workbook_comes_back(tmp_path: Path) -> None:
    fix = [
        [*ENROLMENT_HEADINGS, "What to do", "Row in your file", "Status"],
        [*ENROLMENT_ROW, "Fill it in", 7, "rejected"],
    ]
    path = xlsx(
        tmp_path / "r.xlsx",
        ("Summary", [["Rows", 3]]),
        ("Fix these rows", fix),
        ("All rows", fix),
        ("Guidance", [["Read"]]),
    )
    tables, faults = find_tables(open_upload(path, name="r.xlsx"))
    assert [table.sheet for table in tables] == ["Fix these rows"]
    assert faults == []
    assert tables[0].faults == []


def test_true_dates_of_a_1904_workbook(tmp_path: Path) -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    def old_mac(book: Any) -> None:
        book.epoch = CALENDAR_MAC_1904

    rows = [ENROLMENT_HEADINGS, ["HYG", "S1234567D", date(2026, 9, 1), "Self"], ["HYG", "T1234567J", 44804, "Self"]]
    path = xlsx(tmp_path / "m.xlsx", ("S", rows), prepare=old_mac)
    table = find_tables(open_upload(path, name="m.xlsx"))[0][0]
    assert canonicalise(KINDS["enrolment"], table).frame["enrolment_date"].tolist() == ["2026-09-01", "2026-09-01"]


def test_no_table_at_all() -> None:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of([["a", "b"], [1, 2]]))
    assert caught.value.fault.code == "NO_KNOWN_HEADINGS"


CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.sampled_from(
        [*ENROLMENT_HEADINGS, *TRAINEE_HEADINGS, "S1", "Session 2", "P", "Course Run: X", "Total", "Timestamp"]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(CELLS, max_size=8), max_size=10), st.booleans())
def test_no_rows_make_an_unhandled_error(rows: list[list[Any]], headed: bool) -> None:
    rows = [[*ENROLMENT_HEADINGS, *TRAINEE_HEADINGS[1:]], *rows] if headed else rows
    opened = opened_of(rows)
    try:
        tables, _ = find_tables(opened)
    except FileRefused:
        return
    for table in tables:
        for kind in table.kinds:
            canonical = canonicalise(KINDS[kind], table)
            assert len(canonical.frame) == len(canonical.rows) == len(canonical.bad) == len(table.frame)
            assert set(canonical.frame.columns) == set(KINDS[kind].names)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_can_be_a_heading(text: str) -> None:
    heading_key(text)
    fields_of(text)
    stated_order(text)
    suggestion(text)


def test_an_empty_opened_file_is_refused() -> None:
    with pytest.raises(FileRefused):
        find_tables(OpenedFile(format="csv", grids=[]))


def refused(rows: list[list[Any]]) -> Fault:
    with pytest.raises(FileRefused) as caught:
        find_tables(opened_of(rows))
    return caught.value.fault


def test_misspelt_headings_are_named_with_what_they_are_close_to() -> None:
    found = refused([["Course Run", "NRIC Nubmer", "Sponsorhip Type", "Enrolment Date"], ENROLMENT_ROW])
    assert (found.code, found.row) == ("HEADINGS_UNCLEAR", 1)
    assert "'NRIC Nubmer' (did you mean 'NRIC Number'?)" in found.sentence


def test_a_missing_heading_with_a_slip_beside_it() -> None:
    found = refused([["Course Run", "NRIC", "Sponsorhip Type", "Enrolment Date"], ENROLMENT_ROW])
    assert found.code == "HEADINGS_MISSING"
    assert "'Sponsorhip Type' is close to 'Sponsorship Type'. Add it or" in found.fix


def test_headings_down_the_first_column() -> None:
    rows = [[heading, cell] for heading, cell in zip(ENROLMENT_HEADINGS, ENROLMENT_ROW, strict=True)]
    assert refused(rows).code == "HEADINGS_SIDEWAYS"


def test_headings_without_rows() -> None:
    assert refused([ENROLMENT_HEADINGS]).code == "NO_ROWS"
    tables, faults = find_tables(opened_of([*ROWS, [], TRAINEE_HEADINGS]))
    assert [table.kinds for table in tables] == [("enrolment",)]
    assert only(faults, "NO_ROWS").row == 4


def test_a_sum_below_the_rows_is_no_record() -> None:
    table = table_of([[*ENROLMENT_HEADINGS, "Discount"], [*ENROLMENT_ROW, 5], [None, None, None, None, 5]])
    assert only(table.faults, "NOTE_ROW").row == 3
