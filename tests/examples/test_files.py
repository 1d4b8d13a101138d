"""The files: the same bytes each time, readable, under known headings, with every mess where the answers say."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import time as clock
import unicodedata
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from tms_pipeline.examples.__main__ import main
from tms_pipeline.examples.answers import CSV_SHEET, LATE, expected
from tms_pipeline.examples.layout import SHEETS, numbered, sheets
from tms_pipeline.examples.mess import CODES
from tms_pipeline.examples.people import nric_is_valid
from tms_pipeline.examples.term import make_term, trainees_for
from tms_pipeline.examples.workbooks import write_term
from tms_pipeline.intake.headings import fields_of
from tms_pipeline.records.fault import catalogue
from tms_pipeline.records.kinds import KINDS

TODAY = date(2026, 11, 21)
SAMPLE = Path(__file__).parents[2] / "examples" / "term"


@pytest.fixture(scope="module")
def term():
    return make_term(today=TODAY)


@pytest.fixture(scope="module")
def folder(term, tmp_path_factory):
    path = tmp_path_factory.mktemp("term")
    write_term(term, path)
    return path


@pytest.fixture(scope="module")
def grids(folder):
    """Every sheet as {row number: [cells]}, blank rows left out."""
    return {key: grid for path in sorted(folder.iterdir()) for key, grid in _grids(path).items()}


def _grids(path):
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return {(path.name, CSV_SHEET): dict(enumerate(csv.reader(lines), start=1))}
    book = openpyxl.load_workbook(path, data_only=True)
    return {
        (path.name, page.title): {
            number: list(row) for number, row in enumerate(page.iter_rows(values_only=True), start=1)
            if any(cell is not None for cell in row)
        }
        for page in book
    }  # fmt: skip


def _sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _cell(grids, sheet, row, name):
    grid = grids[sheet.file, sheet.name or CSV_SHEET]
    heading = next(column.heading for column in sheet.columns if column.field == name)
    return grid[row][grid[sheet.heading_row].index(heading)]


def _sheet(finding):
    return next(item for item in SHEETS if (item.file, item.name or CSV_SHEET) == (finding.file, finding.sheet))


def _plan(term, finding):
    return next(plan for row, plan in numbered(_sheet(finding), term) if row == finding.row)


def test_same_seed_and_day_give_the_same_bytes_in_another_process(folder, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "tms_pipeline.examples", "--out", str(tmp_path), "--today", TODAY.isoformat()],
        check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/New_York"},
    )  # fmt: skip
    assert _sums(tmp_path) == _sums(folder)


def test_another_seed_gives_another_term(folder, tmp_path):
    write_term(make_term(today=TODAY, seed=1), tmp_path)
    assert all(_sums(tmp_path)[name] != digest for name, digest in _sums(folder).items() if not name.startswith("02"))


def test_the_sample_in_the_project_is_up_to_date(folder):
    assert _sums(SAMPLE) == _sums(folder), "run: python -m tms_pipeline.examples --out examples/term --today 2026-11-21"


def test_stages_share_the_files_between_them(term, tmp_path):
    setup, results = write_term(term, tmp_path, stage="setup"), write_term(term, tmp_path, stage="results")
    assert [path.name[:2] for path in setup + results] == [f"{number:02d}" for number in range(1, 10)]
    assert len(setup) == 4
    with pytest.raises(ValueError, match="no stage"):
        sheets("other")


def test_no_file_name_holds_a_name(term):
    said = " ".join(sheet.file for sheet in SHEETS).casefold()
    assert not any(person.name.casefold() in said for person in (*term.trainees, *term.trainers))


def test_every_heading_is_known_but_one():
    for sheet in SHEETS:
        known = {field.name for field in KINDS[sheet.kind].fields}
        for column in sheet.columns:
            found = {field.name for field in fields_of(column.heading)}
            if column.field is None:
                assert not found
            elif column.style != "microsoft_start":  # the product's own column, which tells us nothing
                assert column.field in found & known, column.heading
        assert set(KINDS[sheet.kind].signature) <= {column.field for column in sheet.columns}
        titles = {field.title for field in KINDS[sheet.kind].fields}
        assert any(column.heading not in titles for column in sheet.columns), "headings in other words"


def test_rows_of_the_files_are_those_of_the_answers(term, grids):
    for count in expected(term).files:
        assert count.rows == count.accepted + count.unchanged + count.rejected + count.superseded
        assert count.rejected < 0.05 * count.rows
        found = 0
        for sheet in (item for item in SHEETS if item.file == count.file):
            grid = grids[sheet.file, sheet.name or CSV_SHEET]
            numbers = [number for number in grid if number > sheet.heading_row]
            assert numbers == [row for row, _ in numbered(sheet, term)]
            found += len(numbers)
        assert found == count.rows


def test_every_mess_is_there_once_under_a_code_of_the_catalogue(term):
    found = Counter(finding.code for finding in expected(term).findings)
    wanted = Counter(code for code, _ in CODES.values())
    wanted[CODES["contradiction"][0]] = 2
    assert found == wanted
    assert set(found) <= set(catalogue())
    for code, outcome in CODES.values():
        assert (catalogue()[code].severity == "error") == (outcome == "rejected")


def test_every_mess_stands_where_the_answers_say(term, grids, folder):
    findings = {finding.code: finding for finding in expected(term).findings}

    def typed(mess, name):
        finding = findings[CODES[mess][0]]
        return _cell(grids, _sheet(finding), finding.row, name)

    runs = {run.code: run for run in term.runs}
    heading = findings[CODES["unknown heading"][0]]
    assert "Remarks" in grids[heading.file, heading.sheet][heading.row]
    stray = typed("session outside its run", "run_code").strip().upper()
    assert typed("session outside its run", "session_date").date() > runs[stray].end
    assert not nric_is_valid(typed("wrong check letter", "nric"))
    assert typed("impossible date", "birth_date") == "30/02/1988"
    assert typed("missing value", "phone") is None
    hidden = findings[CODES["hidden row"][0]]
    page = openpyxl.load_workbook(folder / hidden.file)[hidden.sheet]
    assert [number for number, look in page.row_dimensions.items() if look.hidden] == [hidden.row]
    assert typed("unknown run", "run_code").strip().upper() not in runs
    assert typed("no employer", "employer_uen") is None
    assert typed("no employer", "employer_contact_name")
    assert typed("formula error", "collection_status") == "#N/A"
    assert typed("unknown word", "mark") == "Maybe"
    early = findings[CODES["assessed before the run"][0]]
    assert _plan(term, early).record["assessment_date"] < runs[_plan(term, early).record["run_code"]].start.isoformat()
    late = _plan(term, findings[LATE]).record
    assert runs[late["run_code"]].start < TODAY - timedelta(days=45)


def test_repeats_contradictions_and_second_answers_speak_of_one_record(term):
    answers = expected(term)

    def rows_of(mess):
        return [item for item in answers.findings if item.code == CODES[mess][0]]

    (again,) = rows_of("same row again")
    sheet, record = _sheet(again), _plan(term, again).record
    first = [row for row, plan in numbered(sheet, term) if plan.record == record]
    assert len(first) == 2
    assert first[1] == again.row, "the first of the two counts"
    one, other = (_plan(term, item).record for item in rows_of("contradiction"))
    assert (one["run_code"], one["nric"]) == (other["run_code"], other["nric"])
    assert one["sponsorship_type"] != other["sponsorship_type"]
    taken = {(item["run_code"], item["nric"]) for item in answers.records["enrolment"]}
    assert (one["run_code"], one["nric"]) not in taken
    (answered,) = rows_of("answered again")
    key = ("run_code", "session_no", "nric")
    both = [
        plan.record for _, plan in numbered(_sheet(answered), term)
        if all(plan.record[name] == _plan(term, answered).record[name] for name in key)
    ]  # fmt: skip
    assert [item["mark"] for item in both] == ["present", "late"]
    assert both[0]["marked_at"] < both[1]["marked_at"]


def test_the_harmless_mess_is_there_too(grids):
    cells = [cell for grid in grids.values() for row in grid.values() for cell in row]
    texts = [cell for cell in cells if isinstance(cell, str)]
    assert any(len(text) == 9 and text[1:8].isdigit() and text != text.upper() for text in texts), "lower case"
    assert any(unicodedata.normalize("NFKC", text) != text and nric_is_valid(unicodedata.normalize("NFKC", text))
               for text in texts), "full width"  # fmt: skip
    assert any(text != text.strip() for text in texts), "spaces"
    assert any(isinstance(cell, int) and 80_000_000 <= cell <= 99_999_999 for cell in cells), "phone as a number"
    assert 19999 in cells, "postal code without its zero"
    enrolled = [row[2] for number, row in grids["04 Enrolments.xlsx", "Sheet1"].items() if number > 4]
    assert {type(cell) for cell in enrolled} == {str, datetime}
    for (file, _), grid in grids.items():
        if file[:2] in {"02", "03", "04"} and not file.endswith("csv"):
            assert max(grid) > len(grid), "blank rows"


@pytest.mark.parametrize("day", [TODAY + timedelta(days=step) for step in range(0, 370, 23)], ids=str)
def test_every_column_of_text_dates_proves_its_order(day, tmp_path):
    write_term(make_term(today=day), tmp_path)
    grids = {key: grid for path in tmp_path.iterdir() for key, grid in _grids(path).items()}
    for sheet in SHEETS:
        for column in sheet.columns:
            if column.style not in {"text_date", "mixed_date", "microsoft", "microsoft_start"}:
                continue
            grid = grids[sheet.file, sheet.name or CSV_SHEET]
            place = grid[sheet.heading_row].index(column.heading)
            typed = [row[place] for number, row in grid.items() if number > sheet.heading_row]
            part = 1 if column.style.startswith("microsoft") else 0
            assert any(int(cell.split("/")[part]) > 12 for cell in typed if isinstance(cell, str)), column.heading


def test_form_exports_look_like_those_of_their_products(folder):
    google = (folder / "07 Attendance (Google Forms).csv").read_bytes()
    microsoft = (folder / "08 Attendance (Microsoft Forms).csv").read_bytes()
    assert google.startswith(b'"Timestamp",')
    assert b" am GMT+8" in google and b" pm GMT+8" in google
    assert microsoft.startswith(b"\xef\xbb\xbfID,Start time,Completion time,Email,Name,")
    assert b"\r\n" in microsoft and b"\r\n" not in google


def test_accepted_records_can_be_read_back_from_the_cells(term, grids):
    """Beside the numbers and words: what was typed still says what the answers hold."""
    for sheet in SHEETS:
        for row, plan in numbered(sheet, term):
            for name in {"nric", "run_code"} & {column.field for column in sheet.columns}:
                if name not in plan.typed:
                    typed = unicodedata.normalize("NFKC", str(_cell(grids, sheet, row, name))).strip().upper()
                    assert typed == plan.record[name]


def test_a_large_term_is_written_in_reasonable_time(tmp_path):
    began = clock.perf_counter()
    term = make_term(today=TODAY, trainees=trainees_for(20_000))
    write_term(term, tmp_path)
    marks = [row for path in tmp_path.glob("07*.csv") for row in path.read_text(encoding="utf-8").splitlines()]
    assert len(marks) > 3000
    assert sum(1 for finding in expected(term).findings) == 16
    assert clock.perf_counter() - began < 15


def test_the_command_names_its_files_and_refuses_nonsense(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--today", TODAY.isoformat(), "--stage", "setup"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    with pytest.raises(SystemExit) as left:
        main(["--out", str(tmp_path), "--today", "21.11.2026"])
    assert left.value.code == 2
    taken = tmp_path / "file"
    taken.write_text("")
    assert main(["--out", str(taken)]) == 3
    assert "Cannot write" in capsys.readouterr().err
