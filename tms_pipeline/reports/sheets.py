"""The workbooks for reviewers, each from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tms_pipeline.compliance.deadlines import Standing
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.words import (
    CLASSES,
    CONFIDENCE,
    STANDINGS,
    field_words,
    file_words,
    kind_word,
    kind_words,
    mode_words,
)
from tms_pipeline.reports.workbook import Book, Column

Section = tuple[str, tuple[str, ...], Iterable[tuple[Any, ...]]]


def _book(facts: Facts, path: Path, title: str) -> Book:
    return Book(path, title=title, provider=facts.provider, today=facts.today, made_at=facts.made_at)


def _reviewed(facts: Facts, about: str) -> str:
    review = facts.review(about)
    if review is None:
        return f"No {about} review yet: run the nightly sync."
    return f"Review {review['review_id']} as of {review['as_of'].day} {review['as_of']:%B %Y}"


def reconciliation(facts: Facts, path: Path) -> None:
    """What differs between us and SSG, and what to do about each."""
    review = facts.review("reconciliation")
    counts = review["counts"] if review else {}
    classes = facts.numbers["discrepancies"]
    sections: list[Section] = [
        ("Discrepancies", ("Class", "Count", "Meaning"),
         [(name, classes.get(name, 0), CLASSES.get(name, "")) for name in dict.fromkeys([*CLASSES, *classes])]),
        ("Discrepancies by kind", ("Class", "Kind", "Count"),
         [(name, kind_words(kind), count) for name, kinds in facts.numbers["discrepancies_by_kind"].items()
          for kind, count in kinds.items()]),
        ("Matched", ("Kind", "Count"),
         [(kind_words(kind), count) for kind, count in counts.get("matched", {}).items()]),
        ("Read from SSG", ("Kind", "State"),
         [(kind_words(kind), state) for kind, state in counts.get("read", {}).items()]),
        ("Trend", ("Day", "Class", "Count"), [(day, name, count) for day, name, count in facts.trend if name]),
    ]  # fmt: skip
    columns = (
        Column("Class", 18), Column("Kind", 15), Column("Key", 28), Column("SSG reference", 20), Column("Field", 22),
        Column("Ours", 28, True), Column("SSG's", 28, True), Column("Since", 18), Column("What to do", 60, True),
    )  # fmt: skip
    with _book(facts, path, "Reconciliation with SSG") as book:
        book.summary([_reviewed(facts, "reconciliation"), "Personal values are shown as 'sealed'."], sections)
        rows = facts.stream("discrepancies", review_id=facts.review_id("reconciliation"))
        book.table("Discrepancies", columns, (
            (row[0], kind_word(row[1]), *row[2:4], field_words(row[1], row[4]), *row[5:]) for row in rows
        ))  # fmt: skip


def compliance(facts: Facts, path: Path) -> None:
    """What the rules say about every run, and the rules themselves with their sources."""
    sections: list[Section] = [
        ("Findings", ("Standing", "Count", "Meaning"),
         [(word, count, STANDINGS[word]) for word, count in facts.numbers["deadlines"].items()]),
        ("Findings by rule", ("Rule", "Standing", "Findings", "Records"),
         [(facts.rule_title(rule), standing, count, records)
          for standing, rule, count, records in facts.deadline_counts]),
    ]  # fmt: skip
    columns = (
        Column("Standing", 13), Column("Rule", 26, True), Column("Course run", 18), Column("Course", 26, True),
        Column("Trainee", 11), Column("Last day", 13), Column("Days left", 9), Column("Records", 9),
        Column("Fees at stake", 14), Column("What was found", 60, True), Column("What to do", 60, True),
    )  # fmt: skip
    rule_columns = (
        Column("Rule", 28, True), Column("Value", 18), Column("Unit", 18, True), Column("Counted", 17),
        Column("Binds", 26, True), Column("From", 13), Column("To", 13), Column("Says", 50, True),
        Column("How sure", 24, True), Column("Source", 50, True), Column("Source date", 13), Column("Checked", 9),
    )  # fmt: skip
    with _book(facts, path, "Compliance") as book:
        days = "Days are calendar days in Singapore; the whole of the last day counts."
        book.summary([_reviewed(facts, "compliance"), days], sections)
        rows = facts.stream("deadlines", review_id=facts.review_id("compliance"))
        book.table("Findings", columns, (
            (row[0], facts.rule_title(row[1]), *row[3:]) for row in rows
        ))  # fmt: skip
        book.table("Rules", rule_columns, (
            (rule.title, rule.value, rule.unit, rule.counted, rule.whom, rule.in_force_from, rule.in_force_to,
             rule.sentence, f"{rule.confidence}: {CONFIDENCE[rule.confidence]}", rule.source, rule.source_date,
             rule.checked)
            for rule in facts.rules
        ))  # fmt: skip


def dead_letters(facts: Facts, path: Path) -> None:
    """Submissions that need a person, with the reason and what to do."""
    columns = (
        Column("Submission", 12), Column("Kind", 15), Column("Key", 28), Column("Action", 10), Column("State", 11),
        Column("Attempts", 10), Column("Class", 15), Column("Code", 14), Column("Why", 50, True),
        Column("What to do", 50, True), Column("First sent", 18), Column("Last sent", 18), Column("Last day", 13),
        Column("Upload", 18), Column("Sheet", 16), Column("Row", 8), Column("Correlation id", 38),
    )  # fmt: skip
    with _book(facts, path, "Dead letters") as book:
        book.summary(
            [f"{facts.numbers['dead_letters']:,} submissions need a person.",
             "Correct the row and drop it again, or use: tms dead-letters retry | discard."],
            [("Dead letters", ("Kind", "Count"),
              [(kind_words(kind), count) for kind, states in facts.numbers["submissions"].items()
               if (count := states.get("rejected", 0) + states.get("dead", 0))])],
        )  # fmt: skip
        book.table("Dead letters", columns, _with_kind(facts.stream("dead_letters")))


def submissions(facts: Facts, path: Path) -> None:
    """Receipts: SSG's reference beside our key and the file, sheet and row; and what is still open."""
    receipt_columns = (
        Column("SSG reference", 24), Column("Kind", 15), Column("Key", 28), Column("Action", 10),
        Column("Accepted at", 18), Column("Upload", 18), Column("Sheet", 16), Column("Row", 8),
        Column("Submission", 12), Column("Plan", 20), Column("Approved by", 16), Column("Correlation id", 38),
    )  # fmt: skip
    open_columns = (
        Column("Submission", 12), Column("Kind", 15), Column("Key", 28), Column("Action", 10), Column("State", 11),
        Column("Reason", 30, True), Column("Last answer", 40, True), Column("Last day", 13), Column("Planned at", 18),
        Column("Attempts", 10), Column("Next attempt", 18), Column("Upload", 18), Column("Sheet", 16), Column("Row", 8),
        Column("Correlation id", 38),
    )  # fmt: skip
    balance = ("Upload", "State", "Rows", "Accepted", "Unchanged", "Rejected", "Superseded", "File")
    with _book(facts, path, "Submissions and receipts") as book:
        book.summary([], [
            ("Submissions", ("Kind", "State", "Count"),
             [(kind_words(kind), state, count) for kind, states in facts.numbers["submissions"].items()
              for state, count in states.items()]),
            ("Uploads", balance,
             [(one["upload_id"], one["state"], one["rows"], one["accepted"], one["unchanged"], one["rejected"],
               one["superseded"], file_words(one["file"])) for one in facts.numbers["uploads"]]),
        ])  # fmt: skip
        book.table("Receipts", receipt_columns, _with_kind(facts.stream("receipts")))
        book.table("Open", open_columns, _with_kind(facts.stream("open_submissions")))


def runs(facts: Facts, path: Path) -> None:
    """The life of each run in one row, and its deadlines by kind."""
    counts = ("Sessions", "Enrolments", "Fees", "Attendance", "Assessments")
    columns = (
        Column("Course run", 18), Column("Course", 26, True), Column("Course reference", 17), Column("Start", 13),
        Column("End", 13), Column("Mode", 16), Column("Schedule", 26, True), Column("Takes place", 11),
        Column("SSG run id", 12),
        *(Column(title, 12) for name in counts for title in (f"{name} ours", f"{name} at SSG")),
        Column("Open submissions", 12), Column("Dead letters", 10), Column("Discrepancies", 13),
        Column("Missed", 9), Column("Breaches", 9), Column("Near", 9), Column("Other findings", 10),
    )  # fmt: skip
    due_columns = (
        Column("Course run", 18), Column("Kind", 15), Column("Rule", 28, True), Column("First last day", 14),
        Column("Records", 10), Column("At SSG in time", 12), Column("At SSG late", 10), Column("Time left", 10),
        Column("Near", 9), Column("Missed", 9),
    )  # fmt: skip
    found = list(facts.stream(
        "runs", reconciliation=facts.review_id("reconciliation"), compliance=facts.review_id("compliance")
    ))  # fmt: skip
    with _book(facts, path, "Course runs") as book:
        book.summary([_reviewed(facts, "compliance")], [
            ("Overview", ("What", "Count"), [
                ("Course runs", len(found)),
                ("of them cancelled", sum(not row[7] for row in found)),
                ("of them at SSG", sum(row[8] is not None for row in found)),
                ("with a missed deadline", sum(bool(row[22]) for row in found)),
                ("with a broken rule", sum(bool(row[23]) for row in found)),
                ("with a near deadline", sum(bool(row[24]) for row in found)),
            ]),
            ("Records", ("Kind", "Ours", "At SSG"),
             [(name, sum(row[9 + 2 * number] for row in found), sum(row[10 + 2 * number] for row in found))
              for number, name in enumerate(counts)]),
        ])  # fmt: skip
        book.table("Runs", columns, ((*row[:5], mode_words(row[5]), *row[6:]) for row in found))
        book.table("Deadlines", due_columns, _due_rows(facts))


def _with_kind(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows with the record kind in their second place in words."""
    return ((row[0], kind_word(row[1]), *row[2:]) for row in rows)


def _due_rows(facts: Facts) -> Iterator[tuple[Any, ...]]:
    order = (Standing.MET, Standing.MET_LATE, Standing.AHEAD, Standing.NEAR, Standing.MISSED)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for due in facts.dues:
        if due.day is None:
            row = rows.setdefault((due.run.run_code, due.kind), {"rule": due.rule.title, "day": due.first_last_day})
            row["day"] = min(row["day"], due.first_last_day)
            row[due.standing] = due.records
    for (run_code, kind), row in sorted(rows.items(), key=lambda item: (item[1]["day"], item[0])):
        counts = [row.get(standing, 0) for standing in order]
        yield run_code, kind_words(kind), row["rule"], row["day"], sum(counts), *counts


WORKBOOKS: dict[str, Callable[[Facts, Path], None]] = {
    "reconciliation.xlsx": reconciliation,
    "compliance.xlsx": compliance,
    "dead-letters.xlsx": dead_letters,
    "submissions.xlsx": submissions,
    "runs.xlsx": runs,
}
