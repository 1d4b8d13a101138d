"""Attendance sheets whose columns bear only dates: each is the one session of its run on that day, or a question."""

from __future__ import annotations

from datetime import date

import pytest

from tms_pipeline.intake.mappings import KnownSession
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.results import balance_of
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.intake.session_dates import date_of_heading, match
from tms_pipeline.workplace import Workplace

NRIC = make_nric("S", 7654321)  # made up
BEFORE = {
    "courses": "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,480.00\n",
    "runs": (
        "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
        "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
        "HYG-1,TGS-2026000101,2026-09-01,2026-09-30,2026-10-05,2026-10-12,Daily,Classroom,03,12,048616,Kitchen,25,"
        "c@example.com\n"
    ),
    "trainees": f"NRIC,Full Name,Date of Birth,Email,Mobile\n{NRIC},Tan Ah Kow,1980-09-25,k@example.com,91234567\n",
    "enrolments": f"Course Run,NRIC,Enrolment Date,Sponsorship Type\nHYG-1,{NRIC},2026-09-14,Self\n",
}
SESSIONS = (
    "Course Run,Session No,Session Date,Start Time,End Time,Mode of Training\n"
    "HYG-1,1,2026-10-05,09:00,13:00,Classroom\nHYG-1,2,2026-10-05,14:00,18:00,Classroom\n"
    "HYG-1,3,2026-10-12,09:00,13:00,Classroom\n"
)


def drop(place: Workplace, text: str) -> Taken:
    upload_id, _ = receive(place, "a.csv", text.encode(), source="office", actor=place.actor())
    return take_in(place, upload_id, actor=place.actor())


def marks(headings: str, *given: str) -> str:
    return f"Course Run,NRIC,{headings}\nHYG-1,{NRIC},{','.join(given)}\n"


def attended(place: Workplace) -> list[tuple[int, str]]:
    return place.db.rows("SELECT session_no, mark FROM register.attendance ORDER BY session_no")


def codes(taken: Taken) -> list[str]:
    items = [*taken.file_faults, *(item for found in taken.evaluation.faults.values() for item in found)]
    return sorted({item.code for item in items})


def test_a_date_is_the_one_session_of_its_run_on_that_day_and_else_the_row_waits_and_names_the_sessions(
    place: Workplace,
) -> None:
    for text in BEFORE.values():
        assert drop(place, text).counts()["rejected"] == 0
    early = drop(place, marks("12 Oct 2026", "P"))
    assert codes(early) == ["SESSION_DATE_UNMATCHED"] and attended(place) == []
    assert drop(place, SESSIONS).counts()["accepted"] == 3
    assert look_again(place, actor=place.actor()) == [early.upload_id]
    assert attended(place) == [(3, "present")]
    assert balance_of(place, early.upload_id)["accepted"] == 1

    halves = drop(place, marks("5/10/2026 AM,5/10/2026 PM,12/10/2026", "P", "A", "P"))
    assert attended(place) == [(1, "present"), (2, "absent"), (3, "present")]
    assert "SESSIONS_BY_DATE" in codes(halves)
    (told,) = [item for items in halves.evaluation.faults.values() for item in items if item.code == "SESSIONS_BY_DATE"]
    assert "'5/10/2026 PM' is session 2" in told.sentence

    unclear = drop(place, marks("05 Oct,12 Oct", "A", "A"))
    assert unclear.counts()["rejected"] == 1
    (asked,) = [item for items in unclear.evaluation.faults.values() for item in items if item.severity == "error"]
    assert asked.column == "05 Oct"
    assert "session 1 is on 5 Oct 2026 at 09:00; session 2 is on 5 Oct 2026 at 14:00" in asked.sentence
    assert attended(place)[0] == (1, "present"), "a row with one unclear column changes nothing"


def session(number: int, day: date, start: str = "09:00") -> KnownSession:
    return KnownSession(number=number, day=day, start=start)


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["14/9", "15/9"], [1, 2]),
        (["9/14/2026", "9/15/2026"], [1, 2]),
        (["Mon 14 Sep", "Tue, 15th September 2026"], [1, 2]),
        ([date(2026, 9, 14), "2026-09-15"], [1, 2]),
        (["14/9/2025", "15/9"], [None, 2]),
        (["14/9", "14 Sep"], [None, None]),
    ],
)
def test_headings_are_read_in_one_order_and_never_twice_for_one_session(
    headings: list[str | date], expected: list[int | None]
) -> None:
    sessions = [session(1, date(2026, 9, 14)), session(2, date(2026, 9, 15))]
    found = match({at: day for at, cell in enumerate(headings) if (day := date_of_heading(cell))}, sessions)
    assert [found.numbers.get(at) for at in range(len(headings))] == expected


def test_dates_that_fit_sessions_with_the_day_first_and_with_the_month_first_fit_none() -> None:
    sessions = [session(1, date(2026, 9, 10)), session(2, date(2026, 10, 9))]
    heading = date_of_heading("9/10")
    assert heading is not None
    assert match({2: heading}, sessions).numbers == {}


def test_a_session_under_another_number_at_the_time_of_one_that_stands_is_told(place: Workplace) -> None:
    for text in (BEFORE["courses"], BEFORE["runs"], SESSIONS):
        drop(place, text)
    swapped = SESSIONS.replace("HYG-1,1,", "HYG-1,x,").replace("HYG-1,2,", "HYG-1,1,").replace("HYG-1,x,", "HYG-1,2,")
    assert codes(drop(place, swapped)) == []
    other_number = SESSIONS.splitlines()[0] + "\nHYG-1,4,2026-10-12,09:00,13:00,Classroom\n"
    told = drop(place, other_number)
    assert (told.counts()["accepted"], codes(told)) == (1, ["SESSIONS_OVERLAP"])
    both = drop(place, SESSIONS + "HYG-1,4,2026-10-12,09:30,13:00,Classroom\n")
    assert [item.code for items in both.evaluation.faults.values() for item in items] == ["SESSIONS_OVERLAP"], "once"
    gone = SESSIONS.splitlines()[0] + ",Session Status\nHYG-1,3,2026-10-12,09:00,13:00,Classroom,Cancelled\n"
    assert codes(drop(place, gone)) == []
