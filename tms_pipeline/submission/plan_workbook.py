"""The reviewable plan on paper: a workbook and an HTML page."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from pathlib import Path

import xlsxwriter
from jinja2 import Environment, StrictUndefined, Template

from tms_pipeline.submission.plan_review import PlanReview, ReviewLine, review_plan
from tms_pipeline.workplace import Workplace

_COLUMNS: tuple[tuple[str, int], ...] = (
    ("What", 22), ("Action", 9), ("Record", 24), ("SSG reference", 20), ("Field", 22), ("At SSG", 26), ("Will be", 26),
    ("Why", 44), ("State", 10), ("Deadline", 12), ("File", 28), ("Sheet", 16), ("Row", 7), ("Upload", 16),
)


def plan_workbook(review: PlanReview) -> bytes:
    """The plan as an xlsx: a summary, what will be sent, and what is withheld."""
    buffer = io.BytesIO()
    # Texts of a sheet must never become formulas or links in this one.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8ECF4", "border": 1})
        day = book.add_format({"num_format": "d mmm yyyy"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        summary = book.add_worksheet("Summary")
        summary.set_column(0, 0, 34)
        summary.set_column(1, 1, 70)
        facts = [("Plan", review.plan_id), ("Hash (approve this one)", review.plan_hash),
                 ("Made", f"{review.created_at:%Y-%m-%d %H:%M} UTC"), ("State", review.state), ("", "")]
        for number, (name, value) in enumerate([*facts, *((part, count) for part, count in review.counts.items())]):
            summary.write(number, 0, name, head if number < 4 else None)
            summary.write(number, 1, value)
        going = [line for line in review.lines if line.state != "held"]
        withheld = [line for line in review.lines if line.state == "held"]
        for title, lines in (("Will be sent", going), ("Withheld", withheld)):
            sheet = book.add_worksheet(title)
            for column, (name, width) in enumerate(_COLUMNS):
                sheet.set_column(column, column, width)
                sheet.write(0, column, name, head)
            for row, line in enumerate(lines, start=1):
                for column, value in enumerate(_cells(line)):
                    if name_of(column) == "Deadline" and line.deadline:
                        sheet.write_datetime(row, column, line.deadline, day)
                    elif value not in (None, ""):
                        sheet.write(row, column, value, wrap if name_of(column) == "Why" else None)
            sheet.freeze_panes(1, 3)
            sheet.autofilter(0, 0, max(1, len(lines)), len(_COLUMNS) - 1)
    return buffer.getvalue()


def name_of(column: int) -> str:
    """The title of a column."""
    return _COLUMNS[column][0]


def _cells(line: ReviewLine) -> tuple[str | int | None, ...]:
    return (line.kind.replace("_", " "), line.action, line.key, line.ssg_ref, line.field.replace("_", " "), line.old,
            line.new, line.why, line.state, None, line.file_name, line.sheet, line.row_number, line.upload_id)


@cache
def _page() -> Template:
    text = files("tms_pipeline.submission").joinpath("pages/plan.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(text)


def plan_page(review: PlanReview) -> str:
    """The plan as an HTML page."""
    return _page().render(review=review)


def write_plan(workplace: Workplace, plan_id: str | None = None, *, folder: Path | None = None) -> list[Path]:
    """Write both for a plan, or for the newest, into a folder (by default ``plans`` of the state folder)."""
    review = review_plan(workplace, plan_id)
    place = folder or workplace.folder("plans")
    book, page = place / f"{review.plan_id}.xlsx", place / f"{review.plan_id}.html"
    book.write_bytes(plan_workbook(review))
    page.write_text(plan_page(review), encoding="utf-8")
    return [book, page]
