"""The whole demo as a newcomer runs it: what SSG holds afterwards, what became of each mess, and what a second run does."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import at_ssg
import openpyxl
import pytest
from demo_runs import DemoRun
from running import tms

from tms_pipeline.examples.answers import LATE, expected
from tms_pipeline.examples.mess import CODES
from tms_pipeline.leaks.people import of_term
from tms_pipeline.leaks.scan import Search
from tms_pipeline.store.database import Database

SUMMARY_KEYS = {"uploads", "submissions", "discrepancies", "deadlines", "dead_letters", "ssg_writes_last_run", "reports"}
COUNTS = ("rows", "accepted", "unchanged", "rejected", "superseded")


def test_the_demo_exits_with_zero_and_tells_its_story_shortly(demo: DemoRun) -> None:
    assert demo.first.returncode == 0
    assert "Traceback" not in demo.first.stdout + demo.first.stderr
    assert len(demo.first.stdout.splitlines()) < 70
    for words in ("Uploads", "Submissions to SSG", "Discrepancies", "Deadlines", "make up"):
        assert words in demo.first.stdout
    steps = [line for line in demo.first.stderr.splitlines() if line.startswith("  … ")]
    assert len(steps) > 10, "progress must be visible"


def test_no_process_of_the_demo_stays_behind(demo: DemoRun) -> None:
    assert demo.left_behind == []


def test_ssg_holds_exactly_the_accepted_records_field_for_field(demo: DemoRun) -> None:
    want, have = at_ssg.wanted(demo.term), at_ssg.held(demo.term, demo.state)
    assert at_ssg.differences(want, have) == {}
    counts = at_ssg.counts(have)
    floors = {"run": 12, "session": 40, "enrolment": 260, "attendance": 1900, "assessment": 230}
    assert not {kind: counts[kind] for kind, least in floors.items() if counts[kind] < least}


def test_the_comparison_would_see_a_changed_a_lost_and_a_doubled_record(demo: DemoRun) -> None:
    want, broken = at_ssg.wanted(demo.term), json.loads(json.dumps(demo.state))
    broken["enrolments"][3]["phone"]["phoneNumber"] = "90000000"
    del broken["assessments"][0]
    broken["attendance"].append(broken["attendance"][0])
    broken["sessions"][0]["startTime"] = "07:00"
    assert at_ssg.differences(want, at_ssg.held(demo.term, broken)).keys() == {
        "enrolment", "assessment", "attendance", "session",
    }  # fmt: skip


def test_the_summary_has_its_keys_and_the_balance_of_every_upload_holds(demo: DemoRun, database: Database) -> None:
    assert demo.summary.keys() >= SUMMARY_KEYS
    wanted = {
        count.file: {
            "rows": count.rows, "accepted": count.accepted, "unchanged": count.unchanged, "rejected": count.rejected,
            "superseded": count.superseded,
        }
        for count in expected(demo.term).files
    }  # fmt: skip
    assert {item["file"]: {name: item[name] for name in COUNTS} for item in demo.summary["uploads"]} == wanted
    for item in demo.summary["uploads"]:
        assert item["rows"] == sum(item[name] for name in COUNTS[1:])
        assert item["state"] == "taken in"
    assert demo.summary["dead_letters"] == 0
    assert demo.summary["discrepancies"] == {}, database.rows(
        "SELECT class, kind, comparison, theirs FROM finding.discrepancy LIMIT 9"
    )
    assert {"missed", "near"} <= demo.summary["deadlines"].keys()
    assert demo.summary["ssg_writes_last_run"] > 2000


def test_every_report_of_the_summary_is_there(demo: DemoRun) -> None:
    paths = [Path(path) for path in demo.summary["reports"]]
    assert {path.suffix for path in paths} == {".html", ".xlsx"}
    assert all(path.stat().st_size > 1000 for path in paths)
    page = next(path for path in paths if path.suffix == ".html").read_text()
    assert "<svg" in page or "data:image/" in page
    assert not re.search(r"""(src|href)=["']https?://""", page), "the page must need nothing from elsewhere"


def test_every_mess_became_what_its_answer_says(demo: DemoRun, database: Database) -> None:
    answers = expected(demo.term)
    found = set(
        database.rows(
            "SELECT u.file_name, r.sheet, r.row_number, r.code, coalesce(l.status, 'accepted') "
            "FROM intake.rejection r JOIN intake.upload u USING (upload_id) "
            "LEFT JOIN intake.landing_table t ON t.upload_id = r.upload_id AND t.sheet = r.sheet "
            "LEFT JOIN intake.landing_row l ON l.upload_id = r.upload_id AND l.table_no = t.table_no "
            "AND l.row_number = r.row_number"
        )
    )
    wanted = {(f.file, f.sheet, f.row, f.code, f.outcome) for f in answers.findings}
    consequences = {(f.file, f.sheet, f.row, f.code, f.outcome) for f in answers.consequences}
    assert found - consequences == wanted
    assert consequences <= found
    assert {code for _, _, _, code, _ in wanted} == {code for code, _ in CODES.values()}


def test_every_row_has_the_status_of_its_answer_and_no_other_row_is_turned_down(
    demo: DemoRun, database: Database
) -> None:
    found = Counter(
        (file, sheet, row, status)
        for file, sheet, row, status in database.rows(
            "SELECT u.file_name, t.sheet, l.row_number, l.status FROM intake.landing_row l "
            "JOIN intake.landing_table t USING (upload_id, table_no) JOIN intake.upload u USING (upload_id) "
            "WHERE l.status IN ('rejected', 'superseded')"
        )
    )
    assert found == Counter(
        (f.file, f.sheet, f.row, f.outcome) for f in expected(demo.term).findings if f.outcome != "accepted"
    )


def test_a_row_turned_down_says_what_to_do_in_words(database: Database) -> None:
    for code, severity, sentence, fix in database.rows("SELECT code, severity, sentence, fix FROM intake.rejection"):
        assert sentence.endswith(".") and len(sentence) > 10, code
        assert severity == "warning" or fix.strip(), code


def test_late_rows_are_taken_and_said(database: Database) -> None:
    assert database.value("SELECT count(*) FROM intake.rejection WHERE code = %s AND severity = 'warning'", (LATE,)) > 0


def test_every_submission_was_accepted_and_leads_back_to_its_row(database: Database) -> None:
    assert database.rows("SELECT DISTINCT state FROM outbox.submission") == [("accepted",)]
    lost = database.value(
        "SELECT count(*) FROM outbox.submission s LEFT JOIN intake.upload u USING (upload_id) "
        "WHERE u.upload_id IS NULL OR s.sheet IS NULL OR s.row_number IS NULL OR s.ssg_ref IS NULL"
    )
    assert lost == 0


def test_a_second_demo_sends_nothing_and_says_so(demo: DemoRun) -> None:
    assert demo.second.returncode == 0, demo.second.stdout + demo.second.stderr
    assert demo.writes_of_second == {}
    assert "nothing sent to SSG" in demo.second.stdout
    assert demo.summary_after_second["ssg_writes_last_run"] == 0
    without_dates = [{k: v for k, v in item.items() if k in COUNTS} for item in demo.summary_after_second["uploads"]]
    assert without_dates == [{k: item[k] for k in COUNTS} for item in demo.summary["uploads"]]
    assert at_ssg.differences(at_ssg.wanted(demo.term), at_ssg.held(demo.term, demo.state_after_second)) == {}


def test_the_audit_log_of_the_demo_holds(demo: DemoRun, database: Database) -> None:
    done = tms(demo.home, "audit", "verify", "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert said["broken"] == []
    assert said["entries"] == database.value("SELECT count(*) FROM audit.entry") > 20


@pytest.fixture(scope="module")
def result_workbooks(demo: DemoRun) -> dict[str, Path]:
    """File that was dropped → its result workbook."""
    folder = demo.home / "results"
    return {
        count.file: next(folder.glob(f"{Path(count.file).stem} - result *.xlsx")) for count in expected(demo.term).files
    }


def test_every_upload_has_a_result_workbook_that_holds_the_rows_to_fix(
    demo: DemoRun, result_workbooks: dict[str, Path]
) -> None:
    for count in expected(demo.term).files:
        book = openpyxl.load_workbook(result_workbooks[count.file])
        assert "Summary" in book.sheetnames
        to_fix = [name for name in book.sheetnames if name.startswith("Fix these rows")]
        assert bool(to_fix) == bool(count.rejected), count.file
        filled = sum(
            1
            for name in to_fix
            for row in book[name].iter_rows(values_only=True)
            if any(value is not None for value in row)
        )
        assert filled >= count.rejected, count.file


def test_the_inbox_is_empty_and_every_original_lies_sealed_in_the_archive(demo: DemoRun) -> None:
    assert [path for path in (demo.home / "inbox").rglob("*") if path.is_file()] == []
    sealed = [path for path in (demo.home / "archive").rglob("*") if path.is_file()]
    assert len(sealed) == len(expected(demo.term).files)
    assert all(path.read_bytes()[:2] != b"PK" for path in sealed)


def test_no_person_of_the_term_is_named_in_what_the_demo_says(demo: DemoRun) -> None:
    search = Search(of_term(demo.term.today))
    for number, text in enumerate((demo.first.stdout, demo.first.stderr, demo.second.stdout, demo.second.stderr)):
        search.look(f"output {number}", text.encode())
    assert search.finish().leaks == []


def test_one_upload_can_be_followed_through_the_log_to_ssgs_references(demo: DemoRun) -> None:
    lines = [json.loads(line) for line in (demo.home / "logs" / "tms.jsonl").read_text().splitlines()]
    assert all({"at", "level", "event", "correlation_id"} <= line.keys() for line in lines), "one event a line"
    assert not [line for line in lines if "[phone]" in json.dumps(line)], "no id of ours was taken for a number"
    enrolments = [line for line in lines if line.get("kind") == "enrolment" and line["event"] == "submission accepted"]
    upload = enrolments[0]["upload_id"]
    ours = [line for line in lines if line.get("upload_id") == upload]
    assert [line["event"] for line in ours][:2] == ["upload received", "upload taken in"]
    at_ssg_now = {item["referenceNumber"] for item in demo.state["enrolments"]}
    found = {line["ssg_ref"] for line in ours if line.get("kind") == "enrolment" and line["event"] == "submission accepted"}
    assert found and found <= at_ssg_now
    calls = {line["correlation_id"] for line in ours if line["event"] == "submission accepted"}
    assert len(calls) > len(found) - 1 and all(line["attempt"] for line in ours if "submission" in line)
    assert oct((demo.home / "logs" / "tms.jsonl").stat().st_mode)[-3:] == "600"
