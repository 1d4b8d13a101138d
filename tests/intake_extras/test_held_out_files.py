"""Sheets whose run stands above the table, all the way: taken in, given back, corrected, looked at again."""

from __future__ import annotations

import io

import openpyxl
from sheets import drop

from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.results import hand_back
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.workplace import Workplace

FIRST, SECOND = make_nric("S", 7654321), make_nric("T", 1234567)  # made up
PEOPLE = "NRIC,Full Name,Date of Birth,Email,Mobile\n{},Tan Ah Kow,1980-09-25,k@example.com,91234567\n"
ENROLLED = "Course Run,NRIC,Enrolment Date,Sponsorship Type\nHYG-1,{},2026-09-14,Self\n"
BEFORE = (
    "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,480.00\n",
    "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
    "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
    "HYG-1,TGS-2026000101,2026-09-01,2026-09-30,2026-10-05,2026-10-05,Daily,Classroom,03,12,048616,Kitchen,25,"
    "c@example.com\n",
    "Course Run,Session No,Session Date,Start Time,End Time,Mode of Training\n"
    "HYG-1,1,2026-10-05,09:00,13:00,Classroom\n",
    PEOPLE.format(FIRST),
    ENROLLED.format(FIRST),
)


def attended(place: Workplace) -> int:
    return int(place.db.value("SELECT count(*) FROM register.attendance WHERE mark = 'present'"))


def test_rows_below_a_label_can_be_corrected_and_wait_with_the_run_that_the_label_gave_them(place: Workplace) -> None:
    for text in BEFORE:
        assert drop(place, text.encode(), "a.csv").counts()["rejected"] == 0
    sheet = f"Course Run: HYG-1\n\nNRIC,Name,S1\n{FIRST},Tan Ah Kow,/\n{SECOND},Lim Ah Lian,P\n"
    taken = drop(place, sheet.encode(), "register.csv")
    assert taken.counts()["rejected"] == 2

    book = openpyxl.load_workbook(hand_back(place, taken.upload_id).workbook)
    page = book["Fix these rows"]
    headings = [cell.value for cell in page[1]]
    assert headings[:4] == ["NRIC", "Name", "S1", "Course Run"]
    assert [row[3].value for row in page.iter_rows(min_row=2)] == ["HYG-1", "HYG-1"]
    page["C2"] = "P"
    corrected = io.BytesIO()
    book.save(corrected)
    again = drop(place, corrected.getvalue(), "register corrected.xlsx")
    assert (again.counts()["accepted"], again.counts()["rejected"], attended(place)) == (1, 1, 1)

    for text in (PEOPLE.format(SECOND), ENROLLED.format(SECOND)):
        drop(place, text.encode(), "late.csv")
    assert again.upload_id in look_again(place, actor=place.actor())
    assert attended(place) == 2
