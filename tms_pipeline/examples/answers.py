"""What the intake must make of a term's files: the key to the exercise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tms_pipeline.examples.facts import Record
from tms_pipeline.examples.layout import ALL, numbered, sheets
from tms_pipeline.examples.mess import ACCEPTED, CODES, REJECTED, SUPERSEDED
from tms_pipeline.examples.term import Run, Term

# Rows of these kinds are late when today is more than so many days past that date of their run (ssg-api 12).
LATE_AFTER = {"enrolment": ("start", 45), "attendance": ("end", 14), "assessment": ("end", 14)}
# What the intake calls the one sheet of a file that has none.
CSV_SHEET = "CSV"
LATE, TWICE = CODES["late row"][0], "RUN_TWICE"


@dataclass(frozen=True, slots=True)
class FileCount:
    """The balance of one file on its first intake, with all files taken in file-name order."""

    file: str
    rows: int
    accepted: int
    rejected: int
    superseded: int
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that must be rejected, superseded or warned about. ``outcome`` is what becomes of the row.

    In a CSV file the sheet is called "CSV". The row of an unknown heading is the row of the headings.
    """

    file: str
    sheet: str
    row: int
    code: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Balances by file, every finding, and the accepted records by kind.

    ``findings`` are the rows that were made wrong on purpose, each mess once. ``consequences`` are warnings about
    good rows that follow from the dates: what belongs to runs past their deadline is late, since it comes only
    today; and in a large term classes of one course run side by side.
    """

    files: tuple[FileCount, ...]
    findings: tuple[Finding, ...]
    consequences: tuple[Finding, ...]
    records: dict[str, list[Record]]


def expected(term: Term, *, stage: str = ALL) -> Expected:
    """What must come out when the files of that stage are taken in, in file-name order, by an empty register."""
    findings: list[Finding] = []
    consequences: list[Finding] = []
    runs = {run.code: run for run in term.runs}
    doubled = set(_doubled(term))
    records: dict[str, list[Record]] = {}
    counts: dict[str, dict[str, int]] = {}
    for sheet in sheets(stage):
        count = counts.setdefault(sheet.file, {ACCEPTED: 0, REJECTED: 0, SUPERSEDED: 0})
        accepted = records.setdefault(sheet.kind, [])
        name = sheet.name or CSV_SHEET
        if any(column.field is None for column in sheet.columns):
            code, outcome = CODES["unknown heading"]
            findings.append(Finding(sheet.file, name, sheet.heading_row, code, outcome))
        for row, plan in numbered(sheet, term):
            count[plan.outcome] += 1
            if plan.outcome == ACCEPTED:
                accepted.append(plan.record)
            if plan.code:
                findings.append(Finding(sheet.file, name, row, plan.code, plan.outcome))
            if plan.outcome != ACCEPTED or plan.code == LATE or plan.record.get("mark") == "absent":
                continue  # who did not come has no record at SSG that could be late
            if _is_late(sheet.kind, runs.get(plan.record.get("run_code") or ""), term.today):
                consequences.append(Finding(sheet.file, name, row, LATE, ACCEPTED))
            if sheet.kind == "course_run" and plan.record["run_code"] in doubled:
                consequences.append(Finding(sheet.file, name, row, TWICE, ACCEPTED))
    files = tuple(
        FileCount(file, sum(count.values()), count[ACCEPTED], count[REJECTED], count[SUPERSEDED])
        for file, count in counts.items()
    )
    return Expected(files, tuple(findings), tuple(consequences), records)


def _is_late(kind: str, run: Run | None, today: date) -> bool:
    if run is None or kind not in LATE_AFTER:
        return False
    counted_from, days = LATE_AFTER[kind]
    return today > (run.start if counted_from == "start" else run.end) + timedelta(days=days)


def _doubled(term: Term) -> Iterator[str]:
    """The runs that share course and dates with another."""
    seen: dict[tuple[str, date, date], list[str]] = {}
    for run in term.runs:
        if run.status == "confirmed":
            seen.setdefault((run.course.code, run.start, run.end), []).append(run.code)
    return (code for codes in seen.values() if len(codes) > 1 for code in codes)
