"""What ops do in real life: correct rows and drop them back, drop files in the wrong order, drop one again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import at_ssg
import openpyxl
import psycopg
from running import as_json, tms

from tms_pipeline.examples import facts
from tms_pipeline.examples.layout import SETUP
from tms_pipeline.examples.term import Term
from tms_pipeline.operations.simulator_process import simulator, state
from tms_pipeline.settings import load_settings

Copy = Callable[[], tuple[Path, dict[str, str]]]
COUNTS = ("rows", "accepted", "unchanged", "rejected", "superseded")


def held_at_ssg(home: Path, term: Term) -> at_ssg.Held:
    with simulator(load_settings(_env_file=None, tms_home=home)) as url:
        return at_ssg.held(term, state(url))


def correct(workbook: Path, changes: dict[int, dict[str, object] | None], out: Path) -> None:
    """Type corrections into the sheet "Fix these rows", by the row that ops know; None deletes the row."""
    book = openpyxl.load_workbook(workbook)
    page = book["Fix these rows"]
    top = next(row for row in page.iter_rows() if any(cell.value == "Row in your file" for cell in row))
    columns = {str(cell.value): cell.column for cell in top}
    done = set()
    for number in range(page.max_row, top[0].row, -1):
        theirs = page.cell(number, columns["Row in your file"]).value
        if theirs not in changes:
            continue
        done.add(theirs)
        values = changes[theirs]  # type: ignore[index]
        if values is None:
            page.delete_rows(number)
            continue
        for heading, value in values.items():
            page.cell(number, columns[heading]).value = value  # type: ignore[assignment]
    assert done == changes.keys()
    book.save(out)


def rows_of(workbook: Path) -> dict[str, int]:
    """What is to do → the row in the file that ops dropped."""
    page = openpyxl.load_workbook(workbook)["Fix these rows"]
    (top, *rows) = page.iter_rows(values_only=True)
    what, where = top.index("What to do"), top.index("Row in your file")
    return {str(row[what]): int(str(row[where])) for row in rows if row[where]}


def row_about(found: dict[str, int], words: str) -> int:
    (row,) = [row for text, row in found.items() if words in text]
    return row


def test_rows_corrected_in_the_result_workbook_take_effect_and_no_others_do(copy_of_prepared: Copy, term: Term) -> None:
    home, extra = copy_of_prepared()
    inbox = home / "inbox"
    inbox.mkdir()
    results = {path.name[:2]: path for path in (home / "results").glob("*.xlsx")}
    trainees, enrolments = rows_of(results["03"]), rows_of(results["04"])
    checksum, impossible, phoneless = term.spares[:3]
    day = impossible.birth.split("-")
    correct(
        results["03"],
        {
            row_about(trainees, "last letter"): {"NRIC / FIN *": checksum.nric},
            row_about(trainees, "does not exist"): {"D.O.B. (dd/mm/yyyy)": f"{day[2]}/{day[1]}/{day[0]}"},
            row_about(trainees, "'HP' is empty"): {"HP": int(phoneless.phone)},
        },
        inbox / "03 corrected.xlsx",
    )
    contradiction = sorted(row for text, row in enrolments.items() if "disagree" in text)
    soon = next(run for run in term.runs if run.phase == "soon")
    correct(
        results["04"],
        {
            contradiction[-1]: None,
            row_about(enrolments, "HYG-2699-Z"): {"Class": soon.code},
            row_about(enrolments, "'Company UEN' is empty"): {"Company UEN": term.employers[0].uen},
        },
        inbox / "04 corrected.xlsx",
    )
    before = versions(extra["DATABASE_URL"])
    done = tms(home, "sync", "--json", **extra)
    assert done.returncode == 0, done.stderr
    uploads = {item["file"]: [item[name] for name in COUNTS] for item in as_json(done)["uploads"]}
    assert uploads["03 corrected.xlsx"] == [3, 3, 0, 0, 0]
    assert uploads["04 corrected.xlsx"] == [3, 3, 0, 0, 0]
    fresh = versions(extra["DATABASE_URL"]) - before
    assert len([item for item in fresh if item[0] == "trainee"]) == 3
    assert len([item for item in fresh if item[0] == "enrolment"]) == 3
    assert len(fresh) == 6, "a row that nobody corrected was written"
    records = {"trainee": [facts.trainee_record(person) for person in (checksum, impossible, phoneless)]}
    records["enrolment"] = corrected_enrolments(term)
    assert at_ssg.differences(at_ssg.wanted(term, stage=SETUP, extra=records), held_at_ssg(home, term)) == {}


def corrected_enrolments(term: Term) -> list[facts.Record]:
    from tms_pipeline.examples import mess

    plans = [plan for plan in mess.enrolments(term) if plan.outcome == "rejected"]
    alone = next(plan.record for plan in plans if plan.code == "ROWS_CONTRADICT")
    unknown = next(plan.record for plan in plans if plan.code == "RUN_UNKNOWN")
    lacking = next(plan.record for plan in plans if plan.code == "EMPLOYER_INCOMPLETE")
    soon = next(run for run in term.runs if run.phase == "soon")
    return [alone, {**unknown, "run_code": soon.code}, {**lacking, "employer_uen": term.employers[0].uen}]


def versions(url: str) -> set[tuple[str, str, int]]:
    kinds = ("course", "trainer", "course_run", "session", "trainee", "enrolment", "fee", "attendance", "assessment")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {
            (kind, key, version)
            for kind in kinds
            for key, version in connection.execute(f"SELECT key, version FROM register.{kind}")
        }


def test_files_dropped_in_the_wrong_order_end_the_same(
    make_database: Callable[..., str], folder: Path, term: Term, files: dict[str, list[Path]]
) -> None:
    home, extra = folder / "h", {"DATABASE_URL": make_database(), "TMS_TODAY": term.today.isoformat()}
    inbox = home / "inbox"
    inbox.mkdir(parents=True)
    parents, children = files["setup"][:2], [*files["setup"][2:], *files["results"]]
    enrolments = next(path for path in children if path.name.startswith("04"))
    drop([path for path in children if path != enrolments], inbox)
    early = tms(home, "intake", str(enrolments), "--json", **extra)
    assert early.returncode == 1 and as_json(early)[0]["accepted"] == 0
    first = tms(home, "sync", "--json", **extra)
    assert sum(sum(states.values()) for states in as_json(first)["submissions"].values()) == 0
    drop(parents, inbox)
    second = tms(home, "sync", "--json", **extra)
    assert second.returncode == 0, second.stderr
    found = as_json(second)
    assert at_ssg.differences(at_ssg.wanted(term), held_at_ssg(home, term)) == {}
    from tms_pipeline.examples.answers import expected

    wanted = {
        count.file: [count.rows, count.accepted, count.unchanged, count.rejected, count.superseded]
        for count in expected(term).files
    }
    assert {item["file"]: [item[name] for name in COUNTS] for item in found["uploads"]} == wanted


def drop(paths: list[Path], inbox: Path) -> None:
    for number, path in enumerate(paths):
        shutil.copy(path, inbox / path.name)
        os.utime(inbox / path.name, (1_700_000_000 + number,) * 2)


def test_the_same_files_again_change_nothing(copy_of_prepared: Copy, files: dict[str, list[Path]]) -> None:
    home, extra = copy_of_prepared()
    assert tms(home, "sync", **extra).returncode == 0
    before = versions(extra["DATABASE_URL"])
    (home / "inbox").mkdir(exist_ok=True)
    drop(files["setup"], home / "inbox")
    done = tms(home, "sync", "--json", **extra)
    assert done.returncode == 0, done.stderr
    assert versions(extra["DATABASE_URL"]) == before
    found = as_json(done)
    assert len(found["uploads"]) == len(files["setup"])
    assert found["ssg_writes_last_run"] == 0
