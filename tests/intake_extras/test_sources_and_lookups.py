"""Which of two sources counts, and which course run a foreign sheet means."""

from __future__ import annotations

from tms_pipeline.intake.lookups import resolver
from tms_pipeline.intake.mappings import LookUp
from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace, open_workplace

COURSES = "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,{title},480.00\n"


def drop(place: Workplace, text: str, source: str) -> Taken:
    upload_id, _ = receive(place, "a.csv", text.encode(), source=source, actor=place.actor())
    return take_in(place, upload_id, actor=place.actor())


def test_a_source_that_counts_less_cannot_change_what_stands(settings: Settings) -> None:
    ranked = settings.model_copy(update={"sources": "office, forms"})
    with open_workplace(ranked) as place:
        drop(place, COURSES.format(title="From the office"), "office")
        lower = drop(place, COURSES.format(title="From a form"), "forms")
        assert lower.counts() == {"rows": 1, "accepted": 0, "unchanged": 0, "rejected": 0, "superseded": 1}
        assert [item.code for items in lower.evaluation.faults.values() for item in items] == ["ROW_OUTRANKED"]
        assert place.db.value("SELECT course_title FROM register.course") == "From the office"
        drop(place, COURSES.format(title="The office again"), "office")
        assert place.db.value("SELECT course_title FROM register.course") == "The office again"


def test_without_an_order_the_later_file_wins(place: Workplace) -> None:
    drop(place, COURSES.format(title="One"), "office")
    drop(place, COURSES.format(title="Two"), "forms")
    assert place.db.value("SELECT course_title FROM register.course") == "Two"


def with_runs(place: Workplace) -> None:
    drop(place, COURSES.format(title="Hygiene"), "office")
    heading = (
        "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
        "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
    )
    row = "{0},TGS-2026000101,2026-09-01,2026-09-30,{1},{1},Daily,Classroom,03,12,048616,Kitchen,25,c@example.com\n"
    taken = drop(place, heading + row.format("HYG-1", "2026-12-01") + row.format("HYG-2", "2026-12-20"), "office")
    assert taken.counts()["accepted"] == 2


def test_an_exact_title_and_date_is_the_run(place: Workplace) -> None:
    with_runs(place)
    look_up = LookUp(into="run_code", by={"course_title": "Title", "start_date": "Start"})
    answer = resolver(place)(look_up, [("hygiene", "2026-12-01")])[0]
    assert answer.value == "HYG-1"


def test_runs_near_the_date_are_named_and_never_chosen(place: Workplace) -> None:
    with_runs(place)
    look_up = LookUp(into="run_code", by={"course_title": "Title", "start_date": "Start"})
    near, far, blank = resolver(place)(look_up, [("Hygiene", "2026-12-02"), ("Hygiene", "2027-06-01"), (None, None)])
    assert near.value is None and [text.split()[0] for text in near.candidates] == ["HYG-1", "HYG-2"]
    assert far.value is None and far.candidates == ()
    assert blank.value is None and blank.candidates == ()
