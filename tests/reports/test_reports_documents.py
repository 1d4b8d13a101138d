"""The life of a run, receipts, a month: the same numbers in SQL, page, workbook, JSON and CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from compliance_world import TODAY
from report_page import Page
from report_world import FORMULA, SCRIPT
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.reports.build import document_of, look, write_document_forms, write_reports
from tms_pipeline.reports.data import json_parts
from tms_pipeline.reports.month import MonthError, first_of, last_of
from tms_pipeline.reports.run_life import UnknownRun
from tms_pipeline.reports.values import csv_cell, show
from tms_pipeline.reports.workbook import write_workbook
from tms_pipeline.store.database import Database
from tms_pipeline.store.queries import query

RUN = "HYG-2607-A"


@pytest.fixture(scope="session")
def forms(filled: Database, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[dict, Page, Path]]:
    """Writes a report; returns its JSON, its page and its workbook."""
    folder = tmp_path_factory.mktemp("documents")
    made: dict[str, tuple[dict, Page, Path]] = {}

    def write(kind: str, **which: str) -> tuple[dict, Page, Path]:
        if kind not in made:
            with look(filled, today=TODAY, provider="Hawker Boys") as facts:
                document = document_of(facts, kind, **which)
                write_document_forms(document, folder)
                found = json.loads("".join(json_parts(document)))
            page = Page((folder / f"{document.name}.html").read_text(encoding="utf-8"))
            made[kind] = found, page, folder / f"{document.name}.xlsx"
        return made[kind]

    return write


def rows_of(book: Path, name: str) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(book)[name].iter_rows(values_only=True)]


def test_the_life_of_a_run_is_the_same_in_sql_page_workbook_and_json(
    filled: Database, forms: Callable[..., tuple[dict, Page, Path]]
) -> None:
    told, page, book = forms("run", run=RUN)
    count = filled.value
    enrolled = count("SELECT count(*) FROM register.enrolment WHERE live AND run_code = %s", [RUN])
    there = count("SELECT count(*) FROM register.enrolment e WHERE live AND run_code = %s AND EXISTS "
                  "(SELECT FROM mirror.enrolment m WHERE m.live AND m.key = e.key)", [RUN])
    marked = count("SELECT count(*) FROM register.attendance WHERE run_code = %s", [RUN])
    came = count("SELECT count(*) FROM register.attendance WHERE run_code = %s AND mark <> 'absent'", [RUN])
    found = count("SELECT count(*) FROM finding.deadline WHERE run_code = %s AND review_id = "
                  "(SELECT max(review_id) FROM finding.review WHERE about = 'compliance')", [RUN])
    differing = count("SELECT count(*) FROM finding.discrepancy WHERE split_part(key, '|', 1) = %s AND review_id = "
                      "(SELECT max(review_id) FROM finding.review WHERE about = 'reconciliation')", [RUN])
    assert enrolled and there and found and differing and came < marked
    figures = told["figures"]
    assert (figures["Enrolled"], figures["of them at SSG"], figures["Findings"], figures["Discrepancies"]) == (
        enrolled, there, found, differing
    )
    assert figures["Attendance"] == pytest.approx(came / marked, abs=1e-6)
    summary = {row[0]: row[1] for row in rows_of(book, "Summary")}
    assert {name: summary[name] for name in figures} == pytest.approx(figures, abs=1e-6)
    assert page.tiles["Enrolled"] == str(enrolled) and page.tiles["Attendance"] == f"{100 * came / marked:.0f} %"
    trainees = told["tables"]["trainees"]
    assert [row["Trainee"] for row in trainees] == sorted(row["Trainee"] for row in trainees) and len(trainees) == enrolled
    assert sum(row["Came"] for row in trainees) == came == sum(row["Came"] for row in told["tables"]["sessions"])
    # One trainee a row in every form, with the same cells.
    head, *shown = page.tables["Enrolments, fees, attendance, assessments"]
    sheet = rows_of(book, "Trainees")
    assert head == list(trainees[0]) == sheet[0]
    assert [row[0] for row in shown] == [row["Trainee"] for row in trainees] == [row[0] for row in sheet[1:]]
    place = head.index("Share")
    assert [row[place] for row in shown] == [f"{100 * row['Share']:.0f} %" for row in trainees]
    assert [row[place] for row in sheet[1:]] == pytest.approx([row["Share"] for row in trainees], abs=1e-6)
    for name, caption in (("deadlines", "Deadlines"), ("findings", "What the rules say"), ("sessions", "Sessions")):
        assert len(told["tables"][name]) == len(page.tables[caption]) - 1 == len(rows_of(book, caption if name != "findings"
                                                                                        else "Findings")) - 1


def test_a_run_tells_where_each_thing_came_from_and_who_approved_it(filled: Database, tmp_path: Path) -> None:
    with filled.transaction() as connection:
        connection.execute("UPDATE outbox.submission SET run_code = %s, first_sent_at = created_at, "
                           "approved_by = 'review: Mei Ling' WHERE split_part(key, '|', 1) = %s", [RUN, RUN])
        connection.execute(
            "INSERT INTO outbox.approval (plan_id, plan_hash, kind, action, policy, approved_by, approved_at, expires_at, "
            "changes) VALUES ('P-1', 'h', 'enrolment', 'create', 'review', 'Mei Ling', '2026-11-20 03:00+00', "
            "'2026-11-21 03:00+00', 9)")
        with look(filled, today=TODAY, provider="Hawker Boys") as facts:
            assert facts is not None
    try:
        with look(filled, today=TODAY, provider="Hawker Boys") as facts:
            told = json.loads("".join(json_parts(document_of(facts, "run", run=RUN))))
            one = json.loads("".join(json_parts(document_of(facts, "receipts", run=RUN))))
            none = json.loads("".join(json_parts(document_of(facts, "receipts", run="HYG-2608-A"))))
    finally:
        with filled.transaction() as connection:
            connection.execute("DELETE FROM outbox.approval")
            connection.execute("UPDATE outbox.submission SET run_code = NULL, first_sent_at = NULL, approved_by = NULL")
    accepted = [row for row in told["tables"]["submissions"] if row["State"] == "accepted"]
    receipts = one["tables"]["receipts"]
    assert [(row["SSG reference"], row["Key"], row["Sheet"], row["Row"], row["Approved by"]) for row in accepted] == [
        (row["SSG reference"], row["Key"], row["Sheet"], row["Row"], row["Approved by"]) for row in receipts
    ]
    assert len(receipts) == one["figures"]["Receipts"] == 20 and none["figures"]["Receipts"] == 0
    assert receipts[0]["File"] == "term 3 runs.xlsx" and receipts[0]["Sent at"] and receipts[0]["Approved by"]
    assert [(row["Who"], row["What"]) for row in told["tables"]["decisions"]] == [
        ("Mei Ling", 'approved 10 changes (enrolment create) in plan P-1 by the policy "review"')
    ]


def test_a_month_is_the_same_in_sql_page_workbook_and_json(
    filled: Database, forms: Callable[..., tuple[dict, Page, Path]]
) -> None:
    told, page, book = forms("month", month="2026-11")
    accepted = filled.value("SELECT count(*) FROM outbox.submission WHERE state = 'accepted' AND "
                            "(finished_at AT TIME ZONE 'Asia/Singapore')::date BETWEEN '2026-11-01' AND '2026-11-30'")
    rows, rejected = filled.rows("SELECT sum(rows), sum(rejected) FROM intake.upload")[0]
    figures = told["figures"]
    assert figures["Accepted by SSG"] == accepted == sum(row["All"] for row in told["tables"]["accepted_by_ssg"])
    assert figures["Rows received"] == rows and figures["rejected"] == pytest.approx(rejected / rows, abs=1e-6)
    # A learner counts once in a run: by the largest finding about many, or by the trainees that are named.
    by_run: dict[str, tuple[int, set[str]]] = {}
    for run, trainee, learners in filled.rows(
        "SELECT run_code, trainee_ref, learners FROM finding.deadline WHERE standing IN ('missed', 'near', 'breach') "
        "AND review_id = (SELECT max(review_id) FROM finding.review WHERE about = 'compliance')"
    ):
        many, named = by_run.get(run, (0, set()))
        by_run[run] = (many, named | {trainee}) if trainee else (max(many, learners), named)
    assert figures["Learners at risk"] == sum(max(many, len(named)) for many, named in by_run.values()) > 0
    summary = {row[0]: row[1] for row in rows_of(book, "Summary")}
    assert (summary["Accepted by SSG"], summary["Learners at risk"]) == (accepted, figures["Learners at risk"])
    assert page.tiles["Course fees at risk"] == f"S${figures['Course fees at risk']:,.2f}"
    assert len(page.tables["Discrepancies by day and class"]) - 1 == len(told["tables"]["discrepancies"]) == 6
    assert [row[-1] for row in page.tables["Discrepancies by day and class"][1:]] == [
        str(row["All"]) for row in told["tables"]["discrepancies"]
    ]


def test_pages_are_whole_in_themselves_and_accessible(forms: Callable[..., tuple[dict, Page, Path]]) -> None:
    for kind, which in (("run", {"run": RUN}), ("month", {"month": "2026-11"}), ("receipts", {})):
        _, page, book = forms(kind, **which)
        text = book.with_suffix(".html").read_text(encoding="utf-8")
        assert not [tag for tag in page.tags if {"src", "srcset", "action"} & set(tag[1]) or tag[0] in ("link", "iframe")]
        assert "script" not in {tag for tag, _ in page.tags} and "url(http" not in text
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert {str(attributes["href"])[1:] for _, attributes in page.tags if "href" in attributes} <= set(ids)
        heads = [attributes for tag, attributes in page.tags if tag == "th"]
        assert heads and all(head.get("scope") in ("col", "row") for head in heads)
        assert all(attributes["role"] == "img" for tag, attributes in page.tags if tag == "svg")
        assert re.search(r"\b[STFGM]\d{7}[A-Z]\b", text) is None


def test_a_long_table_is_cut_in_the_workbook_and_whole_in_a_csv_beside_it(
    filled: Database, tmp_path: Path
) -> None:
    with look(filled, today=TODAY, provider="Hawker Boys") as facts:
        beside = write_workbook(document_of(facts, "submissions"), tmp_path / "submissions.xlsx", longest=5)
    assert sorted(path.name for path in beside) == ["submissions-open.csv", "submissions-receipts.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "submissions-open.csv", "submissions-receipts.csv", "submissions.xlsx"
    ]
    sheet = rows_of(tmp_path / "submissions.xlsx", "Receipts")
    assert sheet[-1][0] == "The first 5 of 20 rows; all of them are in submissions-receipts.csv." and len(sheet) == 7
    with (tmp_path / "submissions-receipts.csv").open(encoding="utf-8", newline="") as file:
        whole = list(csv.DictReader(file))
    assert [row["SSG reference"] for row in whole] == [
        row[0] for row in filled.rows("SELECT ssg_ref FROM outbox.submission WHERE state = 'accepted' ORDER BY submission_id")
    ]
    # No spreadsheet program runs a cell of it.
    assert {row["Sheet"] for row in whole} == {"'=Sheet 1"}
    write_reports(filled, tmp_path, today=TODAY, provider="Hawker Boys", only=["submissions.xlsx"])
    assert [path.name for path in tmp_path.iterdir()] == ["submissions.xlsx"]


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_a_csv_cell_is_never_a_formula(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert csv_cell(SCRIPT) == SCRIPT and csv_cell(-1) == -1 and show("=1") == "=1"


def test_an_unknown_run_and_a_wrong_month_are_said_plainly(filled: Database) -> None:
    with look(filled, today=TODAY, provider="Hawker Boys") as facts, pytest.raises(
        UnknownRun, match="There is no course run NONE"
    ):
        document_of(facts, "run", run="NONE")
    assert first_of("2028-02", date(2028, 2, 29)) == date(2028, 2, 1) and last_of(date(2028, 2, 1)) == date(2028, 2, 29)
    assert last_of(date(2026, 12, 1)) == date(2026, 12, 31)
    for wrong in ("2026-13", "Oct", "2026", "2026-12"):
        with pytest.raises(MonthError, match=r"is no month; write it as 2026-11\.|has not begun"):
            first_of(wrong, TODAY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "There is no report 'nonsense'"),
        (["run"], "tms report run --run CODE"),
        (["compliance", "--run", "X"], "--run goes with"),
        (["runs", "--month", "2026-10"], "--month goes with"),
        (["--json"], "Say which report"),
        (["runs", "--as-of", "1 March"], "write it as 2026-03-01"),
    ],
)
def test_a_report_asked_for_in_a_wrong_way_is_a_matter_of_usage(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["report", *arguments])
    assert done.exit_code == 2, done.output
    assert said in done.output


def test_marks_of_a_cancelled_session_count_on_the_page_of_a_run_no_more_than_for_its_rates(filled: Database) -> None:
    with filled.transaction() as connection, connection.transaction(force_rollback=True):
        number, marked = connection.execute(
            "SELECT session_no, count(*) FROM register.attendance WHERE run_code = %s GROUP BY 1 ORDER BY 1 LIMIT 1", [RUN]
        ).fetchone()
        before = connection.execute(query("reports/run/trainees"), {"run": RUN}).fetchall()
        connection.execute(
            "UPDATE register.session SET live = false WHERE run_code = %s AND session_no = %s", [RUN, number]
        )
        after = connection.execute(query("reports/run/trainees"), {"run": RUN}).fetchall()
        assert marked and sum(row[7] for row in before) - sum(row[7] for row in after) == marked
