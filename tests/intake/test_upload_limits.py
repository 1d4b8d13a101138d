"""The largest file that is opened is a setting: what a provider's year needs is allowed, and nothing past it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sheets import Record, workbook

from tms_pipeline.intake.opening import Limits, limits_of
from tms_pipeline.intake.receiving import receive_inbox
from tms_pipeline.intake.service import receive, take_in
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
    upload_id, _ = receive(
        place, "courses again.xlsx", workbook(course=COURSES[:3]), source="test", actor=place.actor()
    )
    assert take_in(small, upload_id, actor=small.actor()).counts()["accepted"] == 3


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
