"""Undo of an upload: the registers go back, what changed since stays, what SSG holds is taken back there."""

from __future__ import annotations

import pytest

from tms_pipeline.diff.plan import Plan
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.results import already_sentence, balance_of, result_of
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.intake.undo import undo
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.registers.upsert import changes_of_upload
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.workplace import Workplace

COURSES = "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,{title},480.00\n"


def drop(place: Workplace, name: str, text: str) -> str:
    upload_id, _ = receive(place, name, text.encode(), source="inbox", actor=place.actor())
    taken = take_in(place, upload_id, actor=place.actor())
    assert taken.counts()["rejected"] == 0, taken.evaluation.faults
    return upload_id


def titles(place: Workplace) -> list[str]:
    return [row[0] for row in place.db.rows("SELECT course_title FROM register.course ORDER BY key")]


def test_a_new_record_goes_and_stays_in_history(place: Workplace) -> None:
    upload = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    done = undo(place, upload, actor=place.actor())
    assert done.counts()["reversed"] == 1
    assert titles(place) == []
    assert place.db.value("SELECT course_title FROM register.course_history") == "Hygiene"


def test_a_changed_record_gets_its_former_value_back(place: Workplace) -> None:
    drop(place, "a.csv", COURSES.format(title="Hygiene"))
    second = drop(place, "b.csv", COURSES.format(title="Hygiene 2"))
    undo(place, second, actor=place.actor())
    assert titles(place) == ["Hygiene"]


def test_what_a_later_upload_changed_is_kept(place: Workplace) -> None:
    first = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    drop(place, "b.csv", COURSES.format(title="Hygiene 2"))
    done = undo(place, first, actor=place.actor())
    assert done.kept_changed_since == {"course": ["TGS-2026000101"]}
    assert titles(place) == ["Hygiene 2"]


def test_the_same_rows_can_be_taken_in_again_after_an_undo(place: Workplace) -> None:
    upload = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    undo(place, upload, actor=place.actor())
    drop(place, "again.csv", COURSES.format(title="Hygiene") + "\n")
    assert titles(place) == ["Hygiene"]


def test_only_what_was_taken_in_can_be_undone(place: Workplace) -> None:
    upload = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    undo(place, upload, actor=place.actor())
    with pytest.raises(LookupError, match="undone"):
        undo(place, upload, actor=place.actor())


RUN = (
    "Course Run,Course Reference,Registration Opening,Registration Closing,Start Date,End Date,Schedule,"
    "Mode of Training,Floor,Unit,Postal Code,Room,Intake Size,Course Admin Email\n"
    "HYG-1,TGS-2026000101,2026-11-01,2026-11-30,2026-12-01,2026-12-03,Daily,Classroom,03,12,048616,Kitchen,25,"
    "courses@example.com\n"
)


def ssg_holds_the_run(place: Workplace) -> None:
    """SSG was read and shows the run as it stands here."""
    with place.db.transaction() as connection:
        connection.execute(
            "INSERT INTO mirror.course_run (ssg_ref, key, live, own_hash, ssg_hash, seen_how, agreed_hash, agreed_key) "
            "SELECT '850001', key, true, own_hash, ssg_hash, 'read', ssg_hash, key FROM register.course_run"
        )


def test_what_ssg_holds_becomes_a_cancellation_in_the_plan(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    upload = drop(place, "runs.csv", RUN)
    ssg_holds_the_run(place)
    done = undo(place, upload, actor=place.actor())
    assert done.to_take_back_at_ssg == {"course_run": ["HYG-1"]}
    plan: Plan = plan_now(place, actor=place.actor(), keep=False)[1]
    assert [(change.kind, change.key, change.action) for change in plan.changes] == [("course_run", "HYG-1", "cancel")]


def test_a_change_that_stood_ready_for_ssg_is_said_not_to_go(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    upload = drop(place, "runs.csv", RUN)
    plan_now(place, actor=place.actor())
    assert place.db.value("SELECT count(*) FROM outbox.submission") == 1
    done = undo(place, upload, actor=place.actor())
    assert (done.not_to_be_sent, done.on_their_way) == (1, 0)
    result = result_of(place, upload)
    assert result.state == "undone"
    assert "1 change of these records stood ready for SSG and will not be sent" in result.sentence
    plan_now(place, actor=place.actor())
    assert place.db.value("SELECT state FROM outbox.submission") == "superseded"


@pytest.mark.parametrize(
    ("files", "undone", "left"),
    [
        ("ab", "ab", []),  # the later one does not bring back what the earlier one said
        ("abc", "bc", ["a"]),  # nor what one between them said
        ("abc", "cb", ["a"]),
        ("abc", "abc", []),
    ],
)
def test_what_an_undone_upload_said_does_not_come_back_with_another_undo(
    place: Workplace, files: str, undone: str, left: list[str]
) -> None:
    uploads = {title: drop(place, "a.csv", COURSES.format(title=title)) for title in files}
    for title in undone:
        undo(place, uploads[title], actor=place.actor())
    assert titles(place) == left


def test_rows_that_come_and_go_twice_are_gone_and_new_each_time(place: Workplace) -> None:
    undo(place, drop(place, "a.csv", COURSES.format(title="First")), actor=place.actor())
    again = drop(place, "b.csv", COURSES.format(title="Second"))
    with place.db.transaction() as connection:
        assert changes_of_upload(connection, KINDS["course"], again) == [("CSV", 2, None, "", "")]
    undo(place, again, actor=place.actor())
    assert titles(place) == []
    assert place.db.rows("SELECT version, course_title FROM register.course_history ORDER BY version") == [
        (1, "First"), (2, "Second"),
    ]  # fmt: skip


def test_what_was_kept_by_one_undo_is_what_a_later_one_goes_back_to(place: Workplace) -> None:
    first = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    drop(place, "runs.csv", RUN)
    undo(place, first, actor=place.actor())
    second = drop(place, "b.csv", COURSES.format(title="Hygiene 2"))
    undo(place, second, actor=place.actor())
    assert titles(place) == ["Hygiene"]


def test_an_enrolment_is_compared_with_the_trainee_that_stands_after_an_undo(place: Workplace) -> None:
    nric = make_nric("S", 9999101)  # made up
    person = f"NRIC,Full Name,Date of Birth,Email,Mobile\n{nric},Made Up Person,1980-02-29,{{mail}}@example.com,81230000\n"
    place_taken = f"Course Run,NRIC,Enrolment Date,Sponsorship Type\nHYG-1,{nric},2026-11-{{day}},Individual\n"
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    drop(place, "runs.csv", RUN)
    drop(place, "people.csv", person.format(mail="first"))
    drop(place, "enrolments.csv", place_taken.format(day=20))
    hashes = place.db.rows("SELECT own_hash, ssg_hash FROM register.enrolment")
    other_mail = drop(place, "people.csv", person.format(mail="other"))
    other_day = drop(place, "enrolments.csv", place_taken.format(day=21))
    undo(place, other_mail, actor=place.actor())
    undo(place, other_day, actor=place.actor())
    assert place.db.rows("SELECT own_hash, ssg_hash FROM register.enrolment") == hashes


def test_what_another_file_says_too_stands_on_that_file(place: Workplace) -> None:
    first = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    same = drop(place, "b.csv", COURSES.format(title="Hygiene") + "\n")
    changed = drop(place, "c.csv", COURSES.format(title="Hygiene 2"))
    same_again = drop(place, "d.csv", COURSES.format(title="Hygiene 2") + "\n")
    done = undo(place, changed, actor=place.actor())
    assert done.kept_said_too == {"course": ["TGS-2026000101"]}
    assert (done.reversed, titles(place)) == ({}, ["Hygiene 2"])
    assert balance_of(place, same_again) == {"rows": 1, "accepted": 1, "unchanged": 0, "rejected": 0, "superseded": 0}
    undo(place, first, actor=place.actor())
    undo(place, same_again, actor=place.actor())
    assert titles(place) == ["Hygiene"], "as the second file says"
    assert undo(place, same, actor=place.actor()).counts()["reversed"] == 1
    assert titles(place) == []


def test_a_row_that_hangs_on_what_an_undo_took_away_waits_for_it(place: Workplace) -> None:
    courses = drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    runs = drop(place, "runs.csv", RUN)
    same_run = drop(place, "again.csv", RUN + "\n")
    undo(place, runs, actor=place.actor())
    assert place.db.value("SELECT upload_id FROM register.course_run") == same_run
    third = drop(place, "third.csv", RUN + "\n\n")
    for upload in (same_run, third, courses):
        undo(place, upload, actor=place.actor())
    assert place.db.rows("SELECT key FROM register.course_run") == [] == titles(place)


def test_a_copy_of_a_file_keeps_the_run_that_ssg_holds_from_being_cancelled(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    first = drop(place, "runs.csv", RUN)
    drop(place, "runs again.csv", RUN + "\n")
    ssg_holds_the_run(place)
    assert undo(place, first, actor=place.actor()).to_take_back_at_ssg == {}
    assert plan_now(place, actor=place.actor(), keep=False)[1].changes == ()


def test_a_run_that_an_undo_cancelled_stands_again_when_a_file_without_a_status_names_it(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    first = drop(place, "runs.csv", RUN)
    ssg_holds_the_run(place)
    undo(place, first, actor=place.actor())
    assert place.db.value("SELECT run_status FROM register.course_run") == "cancelled"
    drop(place, "runs once more.csv", RUN + "\n")
    assert place.db.rows("SELECT run_status, live FROM register.course_run") == [("confirmed", True)]


def test_an_undone_file_that_is_dropped_again_is_told_to_be_taken_back(place: Workplace) -> None:
    upload = drop(place, "a.csv", COURSES.format(title="Hygiene"))
    undo(place, upload, actor=place.actor())
    assert receive(place, "a.csv", COURSES.format(title="Hygiene").encode(), source="inbox", actor=place.actor())[1] is False
    assert "taken back since" in already_sentence(place, upload)
    assert titles(place) == []


def test_a_run_at_ssg_that_another_file_filled_is_kept_until_that_is_gone(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    runs = drop(place, "runs.csv", RUN)
    sessions = drop(
        place,
        "sessions.csv",
        "Course Run,Session No,Session Date,Start Time,End Time,Mode of Training\n"
        "HYG-1,1,2026-12-01,09:00,12:00,Classroom\n",
    )
    ssg_holds_the_run(place)
    done = undo(place, runs, actor=place.actor())
    assert (done.kept_depended_on, done.to_take_back_at_ssg) == ({"course_run": ["HYG-1"]}, {})
    assert place.db.value("SELECT live FROM register.course_run") is True
    undo(place, sessions, actor=place.actor())
    again = drop(place, "runs again.csv", RUN.replace(",25,", ",26,"))
    undo(place, again, actor=place.actor())
    assert place.db.rows("SELECT intake_size, live FROM register.course_run") == [(25, True)], "what was kept stays"


def test_what_a_row_of_several_kinds_says_too_is_kept_when_only_another_part_of_it_was_new(place: Workplace) -> None:
    drop(place, "courses.csv", COURSES.format(title="Hygiene"))
    drop(place, "runs.csv", RUN)
    master = (
        "Course Run,NRIC,Full Name,Date of Birth,Email,Mobile,Enrolment Date,Sponsorship Type\n"
        f"HYG-1,{make_nric('S', 9999101)},Made Up Person,1980-02-29,{{mail}}@example.com,81230000,2026-11-20,Individual\n"
    )  # made up
    first = drop(place, "master.csv", master.format(mail="first"))
    second = drop(place, "master 2.csv", master.format(mail="second"))
    done = undo(place, first, actor=place.actor())
    assert (list(done.kept_said_too), done.reversed) == (["enrolment"], {})
    assert place.db.value("SELECT upload_id FROM register.enrolment") == second
    undo(place, second, actor=place.actor())
    assert place.db.rows("SELECT key FROM register.enrolment UNION ALL SELECT key FROM register.trainee") == []
