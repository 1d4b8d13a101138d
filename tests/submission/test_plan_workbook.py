"""The plan as a workbook and a page: every change with old and new, why and from where; no personal value."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
from submission_world import NRICS, World, fee, key, run, trainee

from tms_pipeline.submission import holds
from tms_pipeline.submission.plan_review import review_plan
from tms_pipeline.submission.plan_workbook import plan_page, plan_workbook, write_plan


def test_old_and_new_why_and_where_from(published: World, tmp_path: Path) -> None:
    published.upload("trainee", trainee("T1", email="new@example.test"))
    published.upload("fee", fee("A", "T2", "Partial Payment"))
    published.upload("course_run", run("B", "2026-12-07", "2026-12-08", room="-1", schedule_info="<b>Nights</b>"))
    published.plan()
    holds.hold(published.workplace, kind="fee", reason="finance asked", actor=published.actor())
    review = review_plan(published.workplace)
    lines = {(line.kind, line.field): line for line in review.lines}
    assert (lines["fee", "collection_status"].old, lines["fee", "collection_status"].new) == (
        "Pending Payment",
        "Partial Payment",
    )
    assert lines["enrolment", "email"].new == "changed" and lines["enrolment", "email"].key == key("A", "T1")
    assert lines["course_run", "room"].new == "-1" and lines["course_run", "room"].file_name == "course_run.csv"
    assert lines["course_run", "schedule_info"].row_number == 2
    book = openpyxl.load_workbook(io.BytesIO(plan_workbook(review)))
    assert book.sheetnames == ["Summary", "Will be sent", "Withheld"]
    sent = [[cell.value for cell in row] for row in book["Will be sent"].iter_rows(min_row=2)]
    assert {row[4] for row in sent} == {"email", "room", "schedule info"}
    assert all(cell.data_type != "f" for row in book["Will be sent"].iter_rows() for cell in row)
    assert [row[4].value for row in book["Withheld"].iter_rows(min_row=2)] == ["collection status"]
    page = plan_page(review)
    assert "&lt;b&gt;Nights" in page and "finance asked" in page
    for text in (page, str(sent), str(review)):
        assert "new@example.test" not in text and not any(nric in text for nric in NRICS.values())
    assert [path.suffix for path in write_plan(published.workplace, folder=tmp_path)] == [".xlsx", ".html"]


def test_a_whole_term_has_no_personal_value_in_its_plan(world: World) -> None:
    world.plan()
    review = review_plan(world.workplace)
    assert len({(line.kind, line.key) for line in review.lines}) == 18
    text = plan_page(review)
    for number in (1, 2, 3):
        assert (
            f"Trainee Number {number}" not in text
            and f"trainee{number}@" not in text
            and f"1980-01-0{number}" not in text
        )
