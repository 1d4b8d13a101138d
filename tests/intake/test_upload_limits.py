"""The largest file that is opened is a setting: what a provider's year needs is allowed, and nothing past it."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from running import wait_until
from sheets import Record, workbook

from tms_pipeline.intake.direct import take_in_file
from tms_pipeline.intake.opening import Limits, limits_of
from tms_pipeline.intake.receiving import receive_inbox, received_uploads
from tms_pipeline.intake.results import already_sentence
from tms_pipeline.intake.service import INTAKE_LOCK, receive, take_in
from tms_pipeline.settings import SettingsError, load_settings
from tms_pipeline.workplace import Workplace

COURSES: list[Record] = [
    {"course_reference": f"TGS-202600010{number}", "course_title": "Food Hygiene", "full_course_fee": "480.00"}
    for number in range(4)
]


def allowing(place: Workplace, **limits: int) -> Workplace:
    return replace(place, settings=place.settings.model_copy(update=limits))


def test_a_file_of_more_rows_than_set_is_refused_and_taken_once_they_are_allowed(place: Workplace) -> None:
    content = workbook(course=COURSES)
    small = allowing(place, upload_max_rows=4)  # the line of headings is one of them
    upload_id, _ = receive(small, "courses.xlsx", content, source="test", actor=small.actor())
    refused = take_in(small, upload_id, actor=small.actor())
    assert refused.state == "refused" and "has more than 4 rows" in refused.sentence
    inbox = Path(place.settings.inbox_url)
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "courses.xlsx").write_bytes(content)
    assert receive_inbox(place, {}, stable_seconds=0).uploads == [upload_id]
    assert received_uploads(place) == [(upload_id, 2)], "Dagster runs no key twice"
    assert take_in(place, upload_id, actor=place.actor()).counts()["accepted"] == 4
    (inbox / "courses.xlsx").write_bytes(content)
    assert receive_inbox(place, {}, stable_seconds=0).again == [upload_id]


def test_a_refused_file_that_is_taken_in_by_hand_is_opened_again(place: Workplace, folder: Path) -> None:
    path = folder / "courses.csv"
    path.write_bytes(b"Course Reference,Course Title,Full Course Fee\nTGS-2026000100,Made Up,480\n")
    small = allowing(place, upload_max_rows=1)
    assert take_in_file(small, path, actor=small.actor())["state"] == "refused"
    assert take_in_file(place, path, actor=place.actor())["accepted"] == 1
    assert take_in_file(place, path, actor=place.actor())["state"] == "already taken in"


def test_a_refused_file_that_cannot_be_removed_is_not_opened_again_and_again(place: Workplace) -> None:
    upload_id, _ = receive(place, "x.csv", b"nothing,here\n1,2\n", source="test", actor=place.actor())
    assert take_in(place, upload_id, actor=place.actor()).state == "refused"
    assert receive(place, "x.csv", b"nothing,here\n1,2\n", source="test", actor=place.actor()) == (upload_id, False)
    assert received_uploads(place) == []


def test_what_another_process_took_in_meanwhile_is_not_refused(place: Workplace) -> None:
    small = allowing(place, upload_max_rows=4)
    upload_id, _ = receive(place, "courses.xlsx", workbook(course=COURSES), source="test", actor=place.actor())
    said: list[str] = []

    def refuse() -> None:
        try:
            said.append(take_in(small, upload_id, actor=small.actor()).state)
        except LookupError as error:
            said.append(str(error))

    late = threading.Thread(target=refuse)
    with place.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
        late.start()
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: place.db.value(waits), seconds=60, why="it does not wait for the lock")
        connection.execute("UPDATE intake.upload SET state = 'taken in' WHERE upload_id = %s", (upload_id,))
    late.join(60)
    assert said == [f"Upload {upload_id} is taken in already."]
    assert place.db.value("SELECT state FROM intake.upload") == "taken in"


def test_the_bytes_of_a_held_upload_are_answered_as_held(place: Workplace) -> None:
    rows = "".join(f"TGS-20260001{number},Made Up,dear\n" for number in range(20))
    content = f"Course Reference,Course Title,Full Course Fee\n{rows}".encode()
    upload_id, _ = receive(place, "c.csv", content, source="test", actor=place.actor())
    assert take_in(place, upload_id, actor=place.actor()).state == "held"
    assert receive(place, "c.csv", content, source="test", actor=place.actor()) == (upload_id, False)
    assert "and held since; nothing was taken in" in already_sentence(place, upload_id)


def test_a_file_with_a_name_that_is_no_text_keeps_no_other_from_being_taken(place: Workplace) -> None:
    inbox = Path(place.settings.inbox_url)
    inbox.mkdir(parents=True)
    for folder, name in ((b"", b"a.csv"), (b"", b"b\xff\xfe.csv"), (b"ops\xe9/", b"c.csv")):
        path = os.fsencode(inbox) + b"/" + folder + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"Course Reference,Course Title,Full Course Fee\nTGS-2026000100,Made Up,480\n" + name[:1] + b"\n")
    assert receive_inbox(place, {}, stable_seconds=0).failed == 0
    odd = inbox / os.fsdecode(b"d\xff.csv")
    odd.write_bytes(b"Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Made Up,480\n")
    told = take_in_file(place, odd, actor=place.actor())
    assert (told["file"], told["accepted"]) == ("d\N{REPLACEMENT CHARACTER}.csv", 1), "and it can be printed"
    odd.unlink()
    names = [name for (name,) in place.db.rows("SELECT file_name FROM intake.upload ORDER BY 1")]
    assert names == ["a.csv", "b\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.csv", "c.csv", told["file"]]
    assert not [path for path in inbox.rglob("*") if path.is_file()]


def test_a_file_of_more_bytes_than_set_stays_in_the_inbox_with_a_note(place: Workplace) -> None:
    inbox = Path(place.settings.inbox_url)
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "large.csv").write_bytes(b"x" * (2 << 20))
    small = allowing(place, upload_max_mb=1)
    assert receive_inbox(small, {}, stable_seconds=0).failed == 1
    notes = "".join(path.read_text() for path in inbox.rglob("large*.txt"))
    assert "larger than 1 MB" in notes and (inbox / "large.csv").exists()


def test_what_reading_may_cost_grows_with_what_is_allowed() -> None:
    usual = limits_of(load_settings(_env_file=None))
    assert usual == Limits()
    year = limits_of(load_settings(_env_file=None, TMS_UPLOAD_MAX_ROWS=1_000_000, TMS_UPLOAD_MAX_MB=400))
    assert (year.max_rows, year.max_bytes, year.memory_bytes) == (1_000_000, 400 << 20, 5 << 30)
    assert year.cpu_seconds == 5 * usual.cpu_seconds
    with pytest.raises(SettingsError, match="TMS_UPLOAD_MAX_ROWS"):
        load_settings(_env_file=None, TMS_UPLOAD_MAX_ROWS=0)
