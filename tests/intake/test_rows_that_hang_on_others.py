"""Rows that hang on other rows and files: nothing is lost, shifted or said wrongly when these fail or come late."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from sheets import book_of, drop

from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.results import hand_back, result_of
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.intake.upload_result import FIX_SHEET, MARK_SHEET, ROW_IN_FILE, WHAT_TO_DO
from tms_pipeline.workplace import Workplace

WHO = make_nric("S", 7654321)  # made up
COURSE = "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,480.00\n"
RUN = (
    "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
    "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
    "HYG-1,TGS-2026000101,2026-09-01,2026-09-30,2026-10-05,2026-10-05,Daily,Classroom,03,12,048616,Kitchen,25,"
    "c@example.com\n"
)
TRAINEE = f"NRIC,Full Name,Date of Birth,Email,Mobile\n{WHO},Made Up Person,1980-09-25,k@example.com,91234567\n"
SESSIONS = (
    "Course Run,Session No,Session Date,Start Time,End Time,Mode of Training\n"
    "HYG-1,1,2026-10-05,09:00,13:00,Classroom\nHYG-1,2,2026-10-05,14:00,18:00,Classroom\n"
)
ENROLMENT = ["Course Run", "NRIC", "Enrolment Date", "Sponsorship Type"]


def sheets(*tables: list[list[Any]], epoch: datetime | None = None) -> bytes:
    return book_of({f"Rows {number}": table for number, table in enumerate(tables, 1)}, epoch=epoch)


def parents(place: Workplace) -> None:
    for text in (COURSE, RUN, TRAINEE):
        assert drop(place, text.encode(), "a.csv").counts()["rejected"] == 0


def test_a_row_whose_enrolment_was_turned_down_beside_it_says_so_and_waits_for_it(place: Workplace) -> None:
    parents(place)
    both = [[*ENROLMENT, "Assessment Date", "Result"], ["HYG-1", WHO, "2026-10-01", "Self", "2026-10-02", "Pass"]]
    fee = [["Course Run", "NRIC", "Amount Collected", "Fee Collection Status"], ["HYG-1", WHO, "999.00", "Paid"]]
    taken = drop(place, sheets(both, fee))
    codes = {at: {item.code for item in items} for at, items in taken.evaluation.faults.items()}
    assert "ASSESSMENT_BEFORE_RUN" in codes[0, 2], "an assessment before its run takes its enrolment along"
    assert codes[1, 2] == {"AMOUNT_ABOVE_FEE", "ENROLMENT_UNKNOWN"}
    drop(place, sheets([ENROLMENT, ["HYG-1", WHO, "2026-10-01", "Self"]]))
    assert look_again(place, actor=place.actor()) == [taken.upload_id]
    assert place.db.value("SELECT amount_collected FROM register.fee") == 999


@pytest.mark.parametrize(
    ("run", "day", "code"), [("HYG-1", "31/02/2026", "DATE_IMPOSSIBLE"), ("HYG-9", "2026-10-01", "RUN_UNKNOWN")]
)
def test_a_bad_row_does_not_take_along_those_that_name_the_same_trainee(
    place: Workplace, run: str, day: str, code: str
) -> None:
    for text in (COURSE, RUN, RUN.replace("HYG-1", "HYG-2")):
        drop(place, text.encode(), "a.csv")
    who = [WHO, "Made Up Person", "1980-09-25", "k@example.com", "91234567"]
    head = ["Course Run", "NRIC", "Full Name", "Date of Birth", "Email", "Mobile", "Enrolment Date", "Sponsorship Type"]
    rows = [[name, *who, on, "Self"] for name, on in ((run, day), ("HYG-2", "2026-10-01"), ("HYG-1", "2026-10-01"))]
    taken = drop(place, sheets([head, *rows]))
    assert taken.evaluation.statuses == {(0, 2): "rejected", (0, 3): "accepted", (0, 4): "accepted"}
    codes = {row: {item.code for item in items} for (_, row), items in taken.evaluation.faults.items()}
    assert codes[2] == {code} and "ROW_REPEATED" not in codes.get(3, set())
    assert place.db.rows("SELECT run_code FROM register.enrolment ORDER BY 1") == [("HYG-1",), ("HYG-2",)]
    assert place.db.value("SELECT row_number FROM register.trainee") == 3


def test_enrolments_beside_their_marks_are_each_looked_at_again_once_and_keep_their_own_reasons(place: Workplace) -> None:
    head = [*ENROLMENT, "Discount Amount", "S1", "S2"]
    other = make_nric("S", 7654322)  # made up
    people = TRAINEE + f"{other},Made Up Other,1980-09-25,o@example.com,91234568\n"
    rows = [["HYG-1", WHO, "2026-10-01", "Self", None, "P", "P"], ["HYG-1", other, "2026-10-01", "Self", 999, "P", "A"]]
    taken = drop(place, sheets([head, *rows]))
    assert [table.kinds for table in taken.tables] == [("enrolment",), ("attendance",)]
    for text in (COURSE, RUN, SESSIONS, people):
        drop(place, text.encode(), "a.csv")
    assert look_again(place, actor=place.actor()) == [taken.upload_id]
    landed = "SELECT table_no, row_number, status, waiting FROM intake.landing_row WHERE upload_id = %s ORDER BY 1, 2"
    assert place.db.rows(landed, (taken.upload_id,)) == [
        (0, 2, "accepted", False), (0, 3, "rejected", False), (1, 2, "accepted", False), (1, 3, "rejected", True),
    ]  # fmt: skip
    shown = result_of(place, taken.upload_id)
    codes = [[{item.code for item in row.faults if item.severity == "error"} for row in table.rows] for table in shown.tables]
    assert codes == [[set(), {"DISCOUNT_ABOVE_FEE", "ENROLMENT_UNKNOWN"}]] * 2, "a row that was rejected says why"
    drop(place, sheets([head[:4], rows[1][:4]]))
    assert look_again(place, actor=place.actor()) == [taken.upload_id]
    assert place.db.value("SELECT count(*) FROM register.attendance") == 4
    said = "SELECT DISTINCT row_number, code FROM intake.rejection WHERE upload_id = %s AND severity = 'error'"
    assert place.db.rows(said, (taken.upload_id,)) == [(3, "DISCOUNT_ABOVE_FEE")]


def test_rows_whose_mapping_is_gone_keep_no_others_waiting(place: Workplace) -> None:
    lost, waits = (drop(place, sheets([ENROLMENT, ["HYG-1", who, "2026-10-01", "Self"]])) for who in ("S0000001I", WHO))
    with place.db.transaction() as connection:
        connection.execute("UPDATE intake.landing_table SET mapping = 'gone' WHERE upload_id = %s", (lost.upload_id,))
    parents(place)
    assert look_again(place, actor=place.actor()) == [waits.upload_id]
    assert place.db.value("SELECT count(*) FROM register.enrolment") == 1


def test_a_corrected_sheet_that_names_a_row_past_all_bounds_is_taken_in(place: Workplace) -> None:
    first = drop(place, COURSE.replace("480.00", "dear").encode(), "a.csv")
    book = openpyxl.Workbook()
    page = book.active
    page.title = FIX_SHEET
    page.append(["Course Reference", "Course Title", "Full Course Fee", ROW_IN_FILE])
    page.append(["TGS-2026000101", "Hygiene", 480, 424242])
    book.create_sheet(MARK_SHEET).append([first.upload_id])
    held, out = io.BytesIO(), io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as made, zipfile.ZipFile(out, "w") as changed:
        for name in made.namelist():
            changed.writestr(name, made.read(name).replace(b"424242", b"1E999"))
    assert drop(place, out.getvalue()).counts()["accepted"] == 1


def test_a_correction_of_a_correction_has_our_columns_once_and_names_the_rows_of_the_one_before(place: Workplace) -> None:
    good = "TGS-2026000102,Made Up,100.00\n"
    upload = drop(place, (COURSE.replace("480.00", "dear") + good + good.replace("100.00", "cheap")).encode(), "a.csv")
    rounds = [upload.upload_id]
    for _ in range(2):
        dropped = drop(place, hand_back(place, rounds[-1]).workbook.read_bytes())
        assert dropped.counts()["rejected"] == dropped.counts()["rows"] == 2
        rounds.append(dropped.upload_id)
    page = openpyxl.load_workbook(hand_back(place, rounds[-1]).workbook)[FIX_SHEET]
    assert [cell.value for cell in page[1]] == [*COURSE.splitlines()[0].split(","), WHAT_TO_DO, ROW_IN_FILE]
    assert set(place.db.rows("SELECT upload_id, row_number, corrects_upload, corrects_row FROM intake.row_corrects")) == {
        (rounds[1], 2, rounds[0], 2), (rounds[1], 3, rounds[0], 4), (rounds[2], 2, rounds[1], 2), (rounds[2], 3, rounds[1], 3),
    }  # fmt: skip


@pytest.mark.parametrize("first", ["tpgateway", "ops"])
def test_of_two_rows_that_waited_the_one_of_the_higher_source_stands(place: Workplace, first: str) -> None:
    ranked = replace(place, settings=place.settings.model_copy(update={"sources": "tpgateway,ops"}))
    for source in (first, "ops" if first == "tpgateway" else "tpgateway"):
        discount = "10.00" if source == "tpgateway" else "99.00"
        text = f"{','.join(ENROLMENT)},Discount Amount\nHYG-1,{WHO},2026-10-01,Self,{discount}\n"
        upload_id, _ = receive(ranked, "e.csv", text.encode(), source=source, actor=ranked.actor())
        assert take_in(ranked, upload_id, actor=ranked.actor()).counts()["rejected"] == 1
    parents(ranked)
    assert len(look_again(ranked, actor=ranked.actor())) == 2
    assert place.db.value("SELECT discount_amount FROM register.enrolment") == 10


def test_dates_that_are_plain_numbers_of_a_workbook_of_1904_are_the_same_when_looked_at_again(place: Workplace) -> None:
    serial = 46_296 - 1_462  # 1 October 2026, counted from 1904
    content = sheets([ENROLMENT, ["HYG-1", WHO, serial, "Self"]], epoch=CALENDAR_MAC_1904)
    assert drop(place, content).counts()["rejected"] == 1
    parents(place)
    assert len(look_again(place, actor=place.actor())) == 1
    enrolled = "SELECT enrolment_date::text FROM register.enrolment"
    assert place.db.rows(enrolled) == [("2026-10-01",)]
    # And so they are when the corrected sheet comes back.
    wrong = drop(place, sheets([ENROLMENT, ["HYG-1", WHO, serial + 1, "Someone"]], epoch=CALENDAR_MAC_1904))
    book = openpyxl.load_workbook(hand_back(place, wrong.upload_id).workbook)
    book["Fix these rows"]["D2"] = "Self"
    out = io.BytesIO()
    book.save(out)
    assert drop(place, out.getvalue(), "fixed.xlsx").counts()["accepted"] == 1
    assert place.db.rows(enrolled) == [("2026-10-02",)]
