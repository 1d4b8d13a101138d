"""A column that a sheet does not have leaves what stands; an empty cell takes it away."""

from __future__ import annotations

from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.preview import preview
from tms_pipeline.intake.service import Taken, receive, take_in
from tms_pipeline.submission.record import load
from tms_pipeline.workplace import Workplace

NRIC = make_nric("S", 9999101)  # made up
FULL = (
    "NRIC,Full Name,Date of Birth,Email,Mobile,Residency,Survey Language\n"
    f"{NRIC},Made Up Person,1980-02-29,made.up@example.com,81230000,PR,Tamil\n"
)
SHORT = f"NRIC,Full Name,Date of Birth,Email,Mobile\n{NRIC},Made Up Person,1980-02-29,{{mail}},81230000\n"
EMPTY = (
    "NRIC,Full Name,Date of Birth,Email,Mobile,Residency,Survey Language\n"
    f"{NRIC},Made Up Person,1980-02-29,made.up@example.com,81230000,,\n"
)


def drop(place: Workplace, text: str) -> Taken:
    upload_id, _ = receive(place, "trainees.csv", text.encode(), source="inbox", actor=place.actor())
    taken = take_in(place, upload_id, actor=place.actor())
    assert taken.counts()["rejected"] == 0, taken.evaluation.faults
    return taken


def stands(place: Workplace) -> tuple[str | None, str | None]:
    row = place.db.rows("SELECT residency, survey_language FROM register.trainee")[0]
    return row[0], row[1]


def test_a_shorter_sheet_with_the_same_values_changes_nothing(place: Workplace) -> None:
    drop(place, FULL)
    again = drop(place, SHORT.format(mail="made.up@example.com"))
    assert again.counts()["unchanged"] == 1
    assert stands(place) == ("pr", "TM")


def test_a_shorter_sheet_changes_what_it_says_and_nothing_else(place: Workplace) -> None:
    drop(place, FULL)
    changed = drop(place, SHORT.format(mail="other@example.com"))
    assert changed.counts()["accepted"] == 1
    assert stands(place) == ("pr", "TM")


def test_what_one_row_leaves_unsaid_another_never_had(place: Workplace) -> None:
    other = make_nric("S", 9999102)  # made up
    drop(place, f"{FULL}{other},Made Up Other,1981-03-01,other.made.up@example.com,81230001,,\n")
    short = SHORT.format(mail="made.up@example.com") + f"{other},Made Up Other,1981-03-01,new@example.com,81230001\n"
    assert drop(place, short).counts()["unchanged"] == 1
    assert set(place.db.rows("SELECT residency, survey_language FROM register.trainee")) == {("pr", "TM"), (None, "EL")}


def test_an_empty_cell_takes_the_value_away(place: Workplace) -> None:
    drop(place, FULL)
    drop(place, EMPTY)
    assert stands(place) == (None, "EL")


def test_a_preview_of_a_shorter_sheet_shows_no_change_of_what_it_does_not_say(place: Workplace) -> None:
    drop(place, FULL)
    seen = preview(place, "a.csv", SHORT.format(mail="other@example.com").encode(), actor=place.actor())
    assert {change.field for changes in seen.evaluation.changes.values() for change in changes} == {"email"}


def test_a_sealed_value_is_kept_as_it_is_and_still_opens(place: Workplace) -> None:
    drop(place, "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,480.00\n")
    drop(
        place,
        "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
        "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
        "HYG-1,TGS-2026000101,2026-11-01,2026-11-30,2026-12-01,2026-12-03,Daily,Classroom,03,12,048616,Kitchen,25,"
        "courses@example.com\n",
    )
    drop(place, FULL)
    drop(
        place,
        "Course Run,NRIC,Enrolment Date,Sponsorship Type,Employer UEN,Employer Contact Name,Employer Contact Email,"
        f"Employer Contact Phone\nHYG-1,{NRIC},2026-11-20,Employer,201003953Z,Made Up Boss,boss@example.com,62221111\n",
    )
    drop(
        place,
        "Course Run,NRIC,Enrolment Date,Sponsorship Type,Enrolment Status\n"
        f"HYG-1,{NRIC},2026-11-20,Individual,Confirmed\n",
    )
    key = place.db.value("SELECT key FROM register.enrolment")
    with place.db.transaction() as connection:
        record = load(connection, place.rings, "enrolment", key)
    assert record is not None
    assert record.values["sponsorship_type"] == "INDIVIDUAL"
    assert record.values["employer_contact_name"] == "Made Up Boss"
