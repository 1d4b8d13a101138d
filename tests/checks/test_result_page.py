"""The page beside the workbook: everything counted, nothing personal, nothing from outside."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tms_pipeline.intake.result_page import result_page, withheld, write_result_page
from tms_pipeline.intake.upload_result import ResultTable

from .results import TRAINEES, at, result


def test_page_holds_no_cell_and_no_file_name(tmp_path: Path) -> None:
    write_result_page(result(), tmp_path / "result.html")
    assert [item.name for item in tmp_path.iterdir()] == ["result.html"]
    page = (tmp_path / "result.html").read_text(encoding="utf-8")
    cells = {str(cell) for row in TRAINEES.rows for cell in row.cells if isinstance(cell, str) and len(cell) > 4}
    assert not [cell for cell in cells if cell in page]
    assert "Tan Ah Kow" not in page
    assert not re.search(r"[STFGM]\d{7}[A-Z]", page)


def test_page_tells_counts_codes_places_and_sentences() -> None:
    page = result_page(result())
    assert "2 of 6 rows are in; 3 rows need you." in page
    assert "AGE_UNLIKELY" in page and "under 14 or over 100" in page
    assert "row 5" in page
    assert "all rows of the file" in page
    assert "do not add up" in result_page(result(counts={"rows": 3, "accepted": 1}))


def test_page_is_self_contained_and_well_formed() -> None:
    page = result_page(result(already="Taken in on 1 September."))
    assert not re.search(r"<script|src=|href=|url\(|@import", page)
    assert "Content-Security-Policy" in page
    assert '<html lang="en">' in page and "<h1>" in page and 'scope="col"' in page and "aria-label=" in page

    class Balance(HTMLParser):
        open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br"}:
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_page_withholds_what_looks_personal() -> None:
    table = ResultTable(sheet="S9999001A class", kinds=("trainee",), header_row=1, headings=["A"], rows=[])
    page = result_page(
        result(
            sentence="Ask a.person@example.sg or call 9123 4567.",
            tables=[table],
            file_faults=[at("VALUE_MISSING", 2, "S9999002Z")],
        )
    )
    assert "S9999001A" not in page and "S9999002Z" not in page and "9123 4567" not in page
    assert "a.person@example.sg" not in page


@pytest.mark.parametrize("text", ["rows 12345678", "TGS-2026000101", "HYG-2609-A", "UP-20260901-0001"])
def test_page_keeps_codes_and_counts(text: str) -> None:
    assert withheld(text) == text


def test_page_escapes_markup() -> None:
    assert "<b>x" not in result_page(result(sentence="<b>x</b>"))


def test_page_of_a_refused_file() -> None:
    page = result_page(result(tables=[], counts={"rows": 0}, state="refused", received_at=datetime(2026, 9, 1)))
    assert "Refused" in page
