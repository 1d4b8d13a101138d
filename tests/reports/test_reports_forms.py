from __future__ import annotations

import re
import zipfile
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from compliance_world import TODAY, World, emptied, running_database
from report_page import Page
from report_world import FORMULA, SCRIPT

from tms_pipeline.reports import build
from tms_pipeline.reports.build import FORMS, write_reports
from tms_pipeline.reports.summary import numbers
from tms_pipeline.reports.words import SIGNS, file_words, kind_words
from tms_pipeline.store.database import Database


def sheet(folder: Path, book: str, name: str) -> list[list[object]]:
    return [list(row) for row in openpyxl.load_workbook(folder / book)[name].iter_rows(values_only=True)]


def section(rows: list[list[object]], title: str) -> dict[object, object]:
    """A small table of a Summary: first column → second column."""
    start = next(number for number, row in enumerate(rows) if row[0] == title) + 2
    found: dict[object, object] = {}
    for row in rows[start:]:
        if row[0] is None:
            break
        found[row[0]] = row[1]
    return found


@pytest.fixture(scope="session")
def folder(filled: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "new"
    paths = write_reports(filled, folder, today=TODAY, provider="Hawker Boys")
    assert sorted(path.name for path in paths) == sorted(FORMS) == sorted(path.name for path in folder.iterdir())
    return folder


@pytest.fixture(scope="session")
def page(folder: Path) -> Page:
    return Page((folder / "reports.html").read_text(encoding="utf-8"))


def plain(word: str) -> str:
    return word.split(" ", 1)[1] if word.split(" ", 1)[0] in SIGNS.values() else word


def test_deadlines_are_the_same_in_sql_summary_page_and_workbook(filled: Database, folder: Path, page: Page) -> None:
    in_sql = dict(
        filled.rows(
            "SELECT standing, count(*) FROM finding.deadline WHERE review_id = "
            "(SELECT max(review_id) FROM finding.review WHERE about = 'compliance') GROUP BY standing"
        )
    )
    assert in_sql and set(in_sql) == {"missed", "near", "met late", "breach", "warning"}
    assert numbers(filled)["deadlines"] == in_sql
    assert {word: int(page.by_id[f"number-{word.replace(' ', '-')}"]) for word in in_sql} == in_sql
    summary = sheet(folder, "compliance.xlsx", "Summary")
    assert {plain(str(word)): count for word, count in section(summary, "Findings by standing").items()} == in_sql
    listed = [plain(str(row[0])) for row in sheet(folder, "compliance.xlsx", "Findings")[1:]]
    assert {word: listed.count(word) for word in in_sql} == in_sql
    assert len(page.tables["Findings, the most urgent first"]) - 1 == sum(in_sql.values())


def test_discrepancies_are_the_same_in_sql_summary_page_and_workbook(
    filled: Database, folder: Path, page: Page
) -> None:
    in_sql = dict(
        filled.rows(
            "SELECT class, count(*) FROM finding.discrepancy WHERE review_id = "
            "(SELECT max(review_id) FROM finding.review WHERE about = 'reconciliation') GROUP BY class"
        )
    )
    assert numbers(filled)["discrepancies"] == in_sql
    shown = {row[0]: int(row[1]) for row in page.tables["Discrepancies by class"][1:]}
    assert {name: count for name, count in shown.items() if count} == in_sql
    assert int(page.by_id["number-discrepancies"]) == sum(in_sql.values())
    summary = section(sheet(folder, "reconciliation.xlsx", "Summary"), "Discrepancies by class")
    assert {name: count for name, count in summary.items() if count} == in_sql
    assert len(sheet(folder, "reconciliation.xlsx", "Discrepancies")) - 1 == sum(in_sql.values())


def test_submissions_receipts_dead_letters_and_uploads_are_the_same(
    filled: Database, folder: Path, page: Page
) -> None:
    found = numbers(filled)
    in_sql: dict[str, dict[str, int]] = {}
    for kind, state, count in filled.rows("SELECT kind, state, count(*) FROM outbox.submission GROUP BY 1, 2"):
        in_sql.setdefault(kind, {})[state] = count
    assert found["submissions"] == in_sql
    head, *rows = page.tables["Submissions by kind and state"]
    shown = {row[0]: {state: int(cell) for state, cell in zip(head[1:], row[1:], strict=True) if cell != "0"}
             for row in rows}
    assert shown == {kind_words(kind): states for kind, states in in_sql.items()}
    assert found["dead_letters"] == 2 == int(page.by_id["number-dead-letters"])
    assert len(sheet(folder, "dead-letters.xlsx", "Dead letters")) - 1 == 2
    receipts = sheet(folder, "submissions.xlsx", "Receipts")[1:]
    assert [(row[0], row[2], row[8], row[10], row[11]) for row in receipts] == filled.rows(
        "SELECT ssg_ref, key, upload_id, sheet, row_number FROM outbox.submission WHERE state = 'accepted' "
        "ORDER BY submission_id"
    )
    assert [(one["rows"], one["accepted"], one["rejected"]) for one in found["uploads"]] == [
        (40, 38, 2), (300, 290, 4), (12, 0, 12)
    ]
    assert [tuple(map(int, row[4:6])) for row in page.tables[
        "Uploads and their balance: rows = accepted + unchanged + rejected + superseded"][1:]
    ] == [(40, 38), (300, 290), (12, 0)]
    assert found["ssg_writes_last_run"] == 7


def test_runs_tell_their_life(filled: Database, folder: Path) -> None:
    head, *rows = sheet(folder, "runs.xlsx", "Runs")
    assert len(rows) == filled.value("SELECT count(*) FROM register.course_run")
    lives = [dict(zip(head, row, strict=True)) for row in rows]
    for kind, title in (("enrolment", "Enrolments"), ("attendance", "Attendance"), ("assessment", "Assessments")):
        assert sum(life[f"{title} ours"] for life in lives) == filled.value(
            f"SELECT count(*) FROM register.{kind} WHERE live"
        )
        assert sum(life[f"{title} at SSG"] for life in lives) == filled.value(
            f"SELECT count(*) FROM mirror.{kind} JOIN register.{kind} r USING (key) WHERE r.live"
        )
    assert sum(life["Missed"] for life in lives) == numbers(filled)["deadlines"]["missed"]
    due = sheet(folder, "runs.xlsx", "Deadlines")
    assert all(row[4] == sum(row[5:]) for row in due[1:])


def test_no_text_becomes_a_formula_a_link_or_markup(folder: Path, page: Page) -> None:
    seen = set()
    for path in folder.glob("*.xlsx"):
        with zipfile.ZipFile(path) as parts:
            for name in parts.namelist():
                if name.startswith("xl/worksheets/"):
                    text = parts.read(name).decode()
                    assert "<f>" not in text and "<f " not in text and "<hyperlink" not in text
        for one in openpyxl.load_workbook(path).worksheets:
            seen |= {cell.value for row in one.iter_rows() for cell in row if isinstance(cell.value, str)}
    assert {FORMULA, "=1+1", "=Sheet 1", f"{SCRIPT}@SUM"} <= seen
    assert "script" not in {tag for tag, _ in page.tags}
    assert f"{SCRIPT}@SUM" in {cell for rows in page.tables.values() for row in rows for cell in row}


def test_the_page_is_whole_in_itself_and_accessible(folder: Path, page: Page) -> None:
    text = (folder / "reports.html").read_text(encoding="utf-8")
    loading = {"src", "srcset", "data", "action", "poster", "background"}
    assert not [tag for tag in page.tags if loading & set(tag[1]) or tag[0] in ("link", "iframe", "object", "img")]
    for tag, attributes in page.tags:
        for name in ("href", "xlink:href"):
            if name in attributes:
                assert str(attributes[name]).startswith("#"), (tag, attributes)
    assert "url(http" not in text and "@import" not in text
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) | {
        name for _, attributes in page.tags for name in (attributes.get("aria-labelledby") or "").split()
    }
    assert pointed <= set(ids)
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(charts) == 5 and all(chart["role"] == "img" and chart["aria-labelledby"] for chart in charts)
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert heads and all(head.get("scope") in ("col", "row") for head in heads)
    assert "@media print" in text and '<html lang="en-SG">' in text


def test_trainees_appear_by_our_reference_and_numbers_are_cut_from_file_names(folder: Path) -> None:
    text = (folder / "reports.html").read_text(encoding="utf-8")
    assert "HB-00001" in text and "S1234567D" not in text
    for path in folder.glob("*.xlsx"):
        with zipfile.ZipFile(path) as parts:
            assert not any(b"S1234567D" in parts.read(name) for name in parts.namelist())
    assert file_words("term 3.xlsx") == "term 3.xlsx"
    assert file_words("marks_s1234567d.csv") == "marks (number cut).csv"


def test_same_content_makes_same_bytes(filled: Database, folder: Path, tmp_path: Path) -> None:
    for path in write_reports(filled, tmp_path, today=TODAY, provider="Hawker Boys"):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_as_of_an_earlier_day_shows_the_reviews_of_that_day(filled: Database, tmp_path: Path) -> None:
    day = TODAY - timedelta(days=1)
    (path,) = write_reports(filled, tmp_path, today=day, provider="Hawker Boys", only=["reports.html"])
    text = path.read_text(encoding="utf-8")
    assert "as of 19 Nov 2026" in text and "as of 20 Nov 2026" not in text
    assert numbers(filled, today=day)["reviews"]["reconciliation"]["as_of"] == day


def test_a_report_that_fails_leaves_the_old_one(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs.xlsx").write_text("old")

    def fail(facts: object, path: Path) -> None:
        path.write_text("half")
        raise OSError("the disk is full")

    monkeypatch.setitem(build.FORMS, "runs.xlsx", fail)
    with pytest.raises(OSError, match="full"):
        write_reports(filled, tmp_path, today=TODAY, provider="Hawker Boys", only=["runs.xlsx"])
    assert [path.name for path in tmp_path.iterdir()] == ["runs.xlsx"]
    assert (tmp_path / "runs.xlsx").read_text() == "old"


def test_an_empty_database_makes_reports_that_say_so(tmp_path: Path) -> None:
    with running_database() as db:
        write_reports(db, tmp_path, today=TODAY, provider="Hawker Boys")
        text = (tmp_path / "reports.html").read_text(encoding="utf-8")
        assert "No compliance review yet." in text and "No upload yet." in text
        found = numbers(db)
        assert found["uploads"] == [] and found["submissions"] == {} and found["dead_letters"] == 0
        assert set(found["deadlines"].values()) == {0} and found["ssg_writes_last_run"] is None
        # A course without a title, a run without sessions or trainees.
        with emptied(db).transaction() as connection:
            World(connection).run("R1", TODAY, TODAY, sessions=[], course_reference="TGS-2026999999")
        write_reports(db, tmp_path, today=TODAY, provider="Hawker Boys")
