"""The workbook that goes back to ops, read again with openpyxl as intake would."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tms_pipeline.intake.opening import open_upload
from tms_pipeline.intake.result_workbook import COMMENTS_A_SHEET, write_result_workbook
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.intake.upload_result import (
    FIX_SHEET,
    MARK_SHEET,
    RESULT_MARK,
    ResultRow,
    ResultTable,
    UploadResult,
    grouped,
)

from .results import BAD_CELLS, HEADINGS, TORN_CELLS, TRAP, at, result


def written(folder: Path, **changes: object) -> Any:
    path = folder / "result.xlsx"
    write_result_workbook(result(**changes), path)
    assert [item.name for item in folder.iterdir()] == ["result.xlsx"], "nothing half-written stays behind"
    return openpyxl.load_workbook(path)


def text_of(sheet: Any) -> str:
    return "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None)


def test_sheets_are_in_order_and_the_mark_is_hidden(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert book.sheetnames == ["Summary", FIX_SHEET, f"{FIX_SHEET} 2", "All rows", "All rows 2", "Guidance", "_lists",
                               MARK_SHEET]  # fmt: skip
    assert [sheet.title for sheet in book if sheet.sheet_state == "hidden"] == ["_lists", MARK_SHEET]
    assert book[MARK_SHEET]["A1"].value == "UP-20260901-0001"
    assert book.custom_doc_props[RESULT_MARK].value == "UP-20260901-0001"


def test_fix_these_rows_holds_the_headings_as_typed_in_the_first_row(tmp_path: Path) -> None:
    sheet = written(tmp_path)[FIX_SHEET]
    headings = [cell.value or "" for cell in sheet[1]]
    assert headings == [*HEADINGS, "What to do", "Row in your file"]
    assert sheet.max_row == 3, "rejected rows only"
    assert sheet.column_dimensions["K"].hidden
    assert [sheet.cell(line, 11).value for line in (2, 3)] == [5, 6]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:K3"


def test_fix_these_rows_keeps_the_types_that_ops_typed(tmp_path: Path) -> None:
    sheet = written(tmp_path)[FIX_SHEET]
    bad = [sheet.cell(2, column + 1).value for column in range(9)]
    assert bad == ["S9999002Z", "B Trainee", datetime(2026, 9, 1), "b(at)example", 81234567, "065", "SC", "+65", "x"]
    assert sheet["C2"].number_format == "dd/mm/yyyy" and sheet["C2"].is_date
    torn = [sheet.cell(3, column + 1).value for column in range(8)]
    assert torn == ["S9999003Z", "@SUM(A1)", "31/13/1990", None, 6.5, str(10**20), None, True]
    assert sheet["B3"].data_type == "s" and sheet["F2"].data_type == "s"
    assert sheet["F2"].number_format == "@", "zeros stay when ops type into it"


def test_formula_looking_text_stays_text_everywhere(tmp_path: Path) -> None:
    book = written(tmp_path)
    assert book["All rows"]["J2"].value == TRAP
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    with ZipFile(tmp_path / "result.xlsx") as packed:
        sheets = [packed.read(name) for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in sheet or b"<hyperlink" in sheet for sheet in sheets)


def test_faulty_cells_are_red_with_the_sentence_as_comment(tmp_path: Path) -> None:
    sheet = written(tmp_path)[FIX_SHEET]
    assert sheet["C2"].fill.fgColor.rgb == "FFFFC7CE"
    assert "under 14 or over 100" in sheet["C2"].comment.text
    assert sheet["D2"].fill.fgColor.rgb == "FFFFC7CE", "the heading is matched loosely"
    assert sheet["E2"].fill.fgColor.rgb == "FFFFEFB3", "a warning is yellow"
    assert sheet["D3"].value is None and sheet["D3"].fill.fgColor.rgb == "FFFFC7CE", "an empty cell can be red too"
    assert sheet["A2"].fill.fill_type is None and sheet["A2"].comment is None


def test_whole_row_faults_stand_in_what_to_do(tmp_path: Path) -> None:
    sheet = written(tmp_path)[FIX_SHEET]
    assert "Rows 6 and 9 speak of the same trainee" in sheet["J3"].value
    assert "'E-mail' is empty. Fill it in." in sheet["J3"].value
    assert "Singapore mobile" not in sheet["J2"].value, "warnings need nothing done"


def test_choices_have_drop_downs_that_reach_every_row(tmp_path: Path) -> None:
    book = written(tmp_path)
    rules = {str(rule.sqref): rule for rule in book[FIX_SHEET].data_validations.dataValidation}
    assert rules["G2:G3"].type == "list"
    source = rules["G2:G3"].formula1.removeprefix("_lists!").replace("$", "")
    assert [row[0].value for row in book["_lists"][source]] == ["Citizen", "PR", "Foreigner"]
    assert rules["C2:C3"].type == "date"


def test_headings_carry_notes_and_the_colour_of_required_ones(tmp_path: Path) -> None:
    sheet = written(tmp_path)[FIX_SHEET]
    assert "Must be filled in." in sheet["A1"].comment.text
    assert sheet["A1"].fill.fgColor.rgb == "FF1F3A5F"
    assert sheet["G1"].fill.fgColor.rgb == "FFDCE6F0"
    assert sheet["H1"].comment is None, "a heading that no kind has"


def test_all_rows_show_status_note_and_what_changed(tmp_path: Path) -> None:
    sheet = written(tmp_path)["All rows"]
    assert [sheet.cell(line, 2).value for line in range(2, 7)] == [
        "accepted", "rejected", "rejected", "superseded", "unchanged",
    ]  # fmt: skip
    assert sheet["B2"].fill.fgColor.rgb == "FFDDEFD9"
    assert sheet["L2"].value.startswith("New. 'HP' is not a Singapore mobile number.")
    assert "same as row 4" in sheet["L5"].value
    assert sheet["M6"].value == "Email: changed; Survey Language: English → Malay"


def test_summary_says_counts_that_add_up_and_groups_faults(tmp_path: Path) -> None:
    text = text_of(written(tmp_path)["Summary"])
    assert text.startswith("2 of 6 rows are in; 3 rows need you.")
    assert "all rows of the file" in text and "DO NOT ADD UP" not in text
    assert "PHONE_NO_SINGAPORE_MOBILE" in text and "Worth a look" in text
    assert "DO NOT ADD UP" in text_of(written(tmp_path, counts={"rows": 7, "accepted": 1})["Summary"])


def test_faults_are_grouped_by_code_with_count_and_first_places() -> None:
    faults = [at("VALUE_MISSING", row, "HP") for row in range(2, 22)] + [at("ROW_REPEATED", 30, first=2)]
    first, second = grouped(faults)
    assert (first.first.code, first.count, len(first.places)) == ("VALUE_MISSING", 20, 6)
    assert second.first.severity == "warning"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("held", "waits for a person"),
        ("refused", "drop it in the inbox again"),
        ("already taken in", "Nothing to do."),
        ("preview", "nothing has been written"),
    ],
)
def test_summary_says_what_to_do_next(tmp_path: Path, state: str, said: str) -> None:
    assert said in text_of(written(tmp_path, state=state)["Summary"])


def test_refused_file_without_tables_has_a_workbook_too(tmp_path: Path) -> None:
    book = written(tmp_path, state="refused", tables=[], counts={"rows": 0}, sentence="The file is empty.",
                   file_faults=[at("FILE_EMPTY", 1)], already="Dropped on 1 September.")  # fmt: skip
    assert book.sheetnames == ["Summary", MARK_SHEET]
    assert "FILE_EMPTY" in text_of(book["Summary"])
    assert "Dropped on 1 September." in text_of(book["Summary"])


def test_comments_are_capped_and_colour_is_not(tmp_path: Path) -> None:
    rows = [
        ResultRow(row=line, cells=["", "B"], status="rejected", faults=[at("VALUE_MISSING", line, "NRIC")])
        for line in range(2, COMMENTS_A_SHEET + 12)
    ]
    table = ResultTable(sheet="Sheet1", kinds=("trainee",), header_row=1, headings=["NRIC", "Full Name"], rows=rows)
    sheet = written(tmp_path, tables=[table])[FIX_SHEET]
    last = sheet.cell(len(rows) + 1, 1)
    assert last.comment is None and last.fill.fgColor.rgb == "FFFFC7CE"
    assert sheet.cell(2, 1).comment is not None


def test_huge_tables_list_rows_with_something_to_say(tmp_path: Path) -> None:
    rows = [ResultRow(row=line, cells=["A"], status="accepted") for line in range(2, 12)]
    rows.append(ResultRow(row=12, cells=["B"], status="rejected", faults=[at("ROW_REPEATED", 12, first=2)]))
    table = ResultTable(sheet="S", kinds=(), header_row=1, headings=["A"], rows=rows)
    book = written(tmp_path, tables=[table], plain_rows_listed=3)
    assert [row[0].value for row in book["All rows"].iter_rows(min_row=2)] == [2, 3, 4, 12]
    assert "leaves out 7 rows" in text_of(book["Summary"])


def test_failure_leaves_no_file(tmp_path: Path) -> None:
    broken = ResultTable(sheet="S", kinds=(), header_row=1, headings=["A"], rows=[None])  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        write_result_workbook(result(tables=[broken]), tmp_path / "result.xlsx")
    assert not (tmp_path / "result.xlsx").exists()


CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.sampled_from(
        ["=1+1", "+65 9123", "@a", "-1", "\t=1", "http://x.example", "007", "_x0041_", "\ud800", "1e5", ""]
    ),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.decimals(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELLS, max_size=5), max_size=5), st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_any_cells_and_headings_can_be_written_and_read(tmp_path: Path, rows: list[Any], headings: list[str]) -> None:
    table = ResultTable(
        sheet="S",
        kinds=("trainee", "unknown"),
        header_row=1,
        headings=headings,
        rows=[ResultRow(row=2, cells=cells, status="rejected", faults=[at("VALUE_MISSING", 2, headings[0])])
              for cells in rows],
    )  # fmt: skip
    path = tmp_path / "any.xlsx"
    write_result_workbook(result(tables=[table]), path)
    book = openpyxl.load_workbook(path)
    assert not [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


PLAIN = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), min_size=1, max_size=20),
    st.integers(-(10**14), 10**14),
    st.booleans(),
    st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PLAIN, min_size=1, max_size=6))
def test_round_trip_keeps_value_and_type(tmp_path: Path, cells: list[Any]) -> None:
    headings = [f"Column {number}" for number in range(len(cells))]
    row = ResultRow(
        row=2, cells=cells, status="rejected", faults=[at("ROWS_CONTRADICT", 2, rows="", kind="", columns="")]
    )
    table = ResultTable(sheet="S", kinds=(), header_row=1, headings=headings, rows=[row])
    path = tmp_path / "round.xlsx"
    write_result_workbook(result(tables=[table]), path)
    sheet = openpyxl.load_workbook(path)[FIX_SHEET]
    assert [cell.value for cell in sheet[1]][: len(cells)] == headings
    back = [cell.value for cell in sheet[2]][: len(cells)]
    assert back == cells
    assert [type(value) for value in back] == [type(value) for value in cells]


def test_cells_that_excel_cannot_hold_become_text(tmp_path: Path) -> None:
    cells: list[Any] = [
        date(1850, 1, 1),
        float("inf"),
        Decimal("NaN"),
        timedelta(days=-1),
        10**16,
        time(9, 30, 5),
        "x" * 40_000,
    ]
    row = ResultRow(row=2, cells=cells, status="rejected")
    table = ResultTable(sheet="S", kinds=(), header_row=1, headings=list("ABCDEFG"), rows=[row])
    sheet = written(tmp_path, tables=[table])[FIX_SHEET]
    back = [cell.value for cell in sheet[2]][:7]
    assert back[:5] == ["1850-01-01", "inf", "NaN", "-1 day, 0:00:00", str(10**16)]
    assert back[5] == time(9, 30, 5)
    assert len(back[6]) == 32_767


def test_sample_rows_are_the_ones_sent() -> None:
    assert isinstance(result(), UploadResult)
    assert len(BAD_CELLS) == len(HEADINGS)
    assert len(TORN_CELLS) < len(HEADINGS), "a short row is filled up with empty cells"


def test_whole_workbook_dropped_back_is_read_by_its_fix_sheets_only(tmp_path: Path) -> None:
    written(tmp_path)
    tables, faults = find_tables(open_upload(tmp_path / "result.xlsx", name="result.xlsx"))
    assert [(table.sheet, table.kinds, table.header_row) for table in tables] == [
        (FIX_SHEET, ("trainee",), 1),
        (f"{FIX_SHEET} 2", ("session",), 1),
    ]
    assert [len(table.cells) for table in tables] == [2, 1], "the rejected rows, and no other"
    assert [fault for fault in faults if fault.severity == "error"] == []
