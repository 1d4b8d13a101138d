"""The nightly reports as documents: reconciliation, compliance, dead letters, submissions, runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from tms_pipeline.compliance.deadlines import Standing
from tms_pipeline.reports.document import Document, Section, Table, Tile, columns, known, small
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.grants import grants_section
from tms_pipeline.reports.words import (
    CLASSES,
    CONFIDENCE,
    STANDINGS,
    answer_words,
    field_words,
    file_words,
    kind_word,
    kind_words,
    mode_words,
)
from tms_pipeline.settled.scope import KINDS

_FOUND = columns(
    ("Standing", 13), ("Rule", 26, True), ("Course run", 18), ("Course", 26, True), ("Trainee", 11), ("Last day", 13),
    ("Days left", 9), ("Records", 9), ("Fees at stake", 14), ("What was found", 60, True), ("What to do", 60, True),
)  # fmt: skip
_RULES = columns(
    ("Rule", 28, True), ("Value", 18), ("Unit", 18, True), ("Counted", 17), ("Binds", 26, True), ("From", 13),
    ("To", 13), ("Says", 50, True), ("How sure", 24, True), ("Source", 50, True), ("Source date", 13), ("Checked", 9),
)  # fmt: skip
_DIFFERING = columns(
    ("Class", 18), ("Kind", 15), ("Key", 28), ("SSG reference", 20), ("Field", 22), ("Ours", 28, True),
    ("SSG's", 28, True), ("Since", 18), ("What to do", 60, True), ("Changed last by", 18), ("Comparison", 18),
)  # fmt: skip
_SHEET_ROWS = columns(
    ("Class", 16), ("Kinds", 22), ("Upload", 18), ("File", 26, True), ("Sheet", 16), ("Row", 8), ("Column", 20),
    ("Code", 20), ("Why", 50, True), ("Received", 18), ("What to do", 50, True),
)  # fmt: skip
_READS = ("Kind", "Parts", "Read whole", "Only changes", "Records", "Calls", "Pages", "Bytes")
_DEAD = columns(
    ("Submission", 12), ("Kind", 15), ("Key", 28), ("Action", 10), ("State", 11), ("Attempts", 10), ("Class", 15),
    ("Code", 14), ("Why", 50, True), ("What to do", 50, True), ("First sent", 18), ("Last sent", 18), ("Last day", 13),
    ("Upload", 18), ("Sheet", 16), ("Row", 8), ("Correlation id", 38),
)  # fmt: skip
RECEIPT = columns(
    ("SSG reference", 24), ("Kind", 15), ("Key", 28), ("Action", 10), ("Sent at", 18), ("Accepted at", 18),
    ("Answer", 26, True), ("Attempts", 10), ("Upload", 18), ("File", 26, True), ("Sheet", 16), ("Row", 8),
    ("Approved by", 20, True), ("Plan", 20), ("Submission", 12), ("Correlation id", 38),
)  # fmt: skip
_OPEN = columns(
    ("Submission", 12), ("Kind", 15), ("Key", 28), ("Action", 10), ("State", 11), ("Reason", 30, True),
    ("Last answer", 40, True), ("Last day", 13), ("Planned at", 18), ("Attempts", 10), ("Next attempt", 18),
    ("Upload", 18), ("Sheet", 16), ("Row", 8), ("Correlation id", 38),
)  # fmt: skip
_BALANCE = ("Upload", "State", "Rows", "Accepted", "Unchanged", "Rejected", "Superseded", "File")
_COUNTED = ("Sessions", "Enrolments", "Fees", "Attendance", "Assessments")
_RUNS = columns(
    ("Course run", 18), ("Course", 26, True), ("Course reference", 17), ("Start", 13), ("End", 13), ("Mode", 16),
    ("Schedule", 26, True), ("Takes place", 11), ("SSG run id", 12),
    *((title, 12) for name in _COUNTED for title in (f"{name} ours", f"{name} at SSG")),
    ("Open submissions", 12), ("Dead letters", 10), ("Discrepancies", 13), ("Missed", 9), ("Breaches", 9), ("Near", 9),
    ("Other findings", 10),
)  # fmt: skip
_DUE = columns(
    ("Course run", 18), ("Kind", 15), ("Rule", 28, True), ("First last day", 14), ("Records", 10),
    ("At SSG in time", 12), ("At SSG late", 10), ("Time left", 10), ("Near", 9), ("Missed", 9),
)  # fmt: skip
DAYS = "Days are calendar days in Singapore; the whole of the last day counts."


def _document(facts: Facts, name: str, title: str, lines: Iterable[str], *sections: Section,
              tiles: tuple[Tile, ...] = ()) -> Document:  # fmt: skip
    return Document(
        name=name, title=title, provider=facts.provider, today=facts.today, made_at=facts.made_at, lines=tuple(lines),
        tiles=tiles, sections=sections,
    )


def reviewed(facts: Facts, about: str) -> str:
    """Which review a report shows."""
    review = facts.review(about)
    if review is None:
        return f"No {about} review yet: run the nightly sync."
    return f"{about.capitalize()} review {review['review_id']} as of {review['as_of'].day} {review['as_of']:%B %Y}"


def reconciliation(facts: Facts) -> Document:
    """What differs between us and SSG, and what to do about each."""
    review = facts.review("reconciliation")
    counts = review["counts"] if review else {}
    classes = facts.numbers["discrepancies"]

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in facts.stream("discrepancies", review_id=facts.review_id("reconciliation")):
            yield (row[0], kind_word(row[1]), *row[2:4], field_words(row[1], row[4]), *row[5:])

    def sheet_rows() -> Iterator[tuple[Any, ...]]:
        for row in facts.stream("sheet_rows", review_id=facts.review_id("reconciliation")):
            kinds = ", ".join(kind_words(kind) for kind in row[1].split(", "))
            yield (row[0], kinds, row[2], file_words(row[3] or ""), *row[4:])

    return _document(
        facts, "reconciliation", "Reconciliation with SSG",
        [reviewed(facts, "reconciliation"), "Personal values are shown as 'sealed'."],
        Section("Discrepancies", (
            small("Discrepancies by class", ("Class", "Count", "Meaning"),
                  [(name, classes.get(name, 0), CLASSES.get(name, ""))
                   for name in dict.fromkeys([*CLASSES, *classes])]),
            small("Discrepancies by kind", ("Class", "Kind", "Count"),
                  [(name, kind_words(kind), count) for name, kinds in facts.numbers["discrepancies_by_kind"].items()
                   for kind, count in kinds.items()]),
            small("Matched", ("Kind", "Count"),
                  [(kind_words(kind), count) for kind, count in counts.get("matched", {}).items()]),
            small("Read from SSG", ("Kind", "State"),
                  [(kind_words(kind), str(state)) for kind, state in counts.get("read", {}).items()]),
            small("What the last read cost", _READS, [(kind_words(row[0]), *row[1:]) for row in facts.rows("reads")]),
            small("Trend", ("Day", "Class", "Count"), [(day, name, count) for day, name, count in facts.trend if name]),
            Table("Discrepancies", _DIFFERING, rows, title="Every discrepancy"),
            Table("Sheet rows", _SHEET_ROWS, sheet_rows, title="Sheet rows that are not in the registers as typed"),
        )),
    )  # fmt: skip


def found_rows(facts: Facts, **which: object) -> Iterator[tuple[Any, ...]]:
    """The findings of the compliance review that the reports show, with their rules in words."""
    asked = {"run": None, "open": facts.settled.open} | which
    for row in facts.stream("deadlines", review_id=facts.review_id("compliance"), **asked):
        yield (row[0], facts.rule_title(row[1]), *row[3:])


def _closed(facts: Facts) -> tuple[str, ...]:
    count = facts.settled.findings
    if not count:
        return facts.settled.line("compliance")
    return (*facts.settled.line("compliance"),
            f"The counts hold {count:,} {'finding' if count == 1 else 'findings'} about them.")  # fmt: skip


def compliance(facts: Facts) -> Document:
    """What the rules say about every run, and the rules themselves with their sources."""
    return _document(
        facts, "compliance", "Compliance", [reviewed(facts, "compliance"), DAYS, *_closed(facts)],
        Section("Findings", (
            small("Findings by standing", ("Standing", "Count", "Meaning"),
                  [(word, count, STANDINGS[word]) for word, count in facts.numbers["deadlines"].items()]),
            small("Findings by rule", ("Rule", "Standing", "Findings", "Records"),
                  [(facts.rule_title(rule), standing, count, records)
                   for standing, rule, count, records in facts.deadline_counts]),
            Table("Findings", _FOUND, partial(found_rows, facts), title="Every finding"),
        )),
        grants_section(facts),
        Section("Rules", (known("Rules", _RULES, (
            (rule.title, str(rule.value), rule.unit, rule.counted, rule.whom, rule.in_force_from, rule.in_force_to,
             rule.sentence, f"{rule.confidence}: {CONFIDENCE[rule.confidence]}", rule.source, rule.source_date,
             rule.checked)
            for rule in facts.rules
        )),)),
    )  # fmt: skip


def dead_letters(facts: Facts) -> Document:
    """Submissions that need a person, with the reason and what to do."""
    return _document(
        facts, "dead-letters", "Dead letters",
        [f"{facts.numbers['dead_letters']:,} submissions need a person.",
         "Correct the row and drop it again, or use: tms dead-letters retry | discard."],
        Section("Dead letters", (
            small("Dead letters by kind", ("Kind", "Count"),
                  [(kind_words(kind), count) for kind, states in facts.numbers["submissions"].items()
                   if (count := states.get("rejected", 0) + states.get("dead", 0))]),
            Table("Dead letters", _DEAD, lambda: _with_kind(facts.stream("dead_letters"))),
        )),
    )  # fmt: skip


def receipt_rows(facts: Facts, run: str | None = None) -> Iterator[tuple[Any, ...]]:
    """What SSG accepted, each with where it came from, when it went out, what SSG said and who approved it."""
    for ssg_ref, kind, key, action, sent, done, status, state, attempts, upload, file, *rest in facts.stream(
        "receipts", run=run
    ):
        yield (ssg_ref, kind_word(kind), key, action, sent, done, answer_words(status, state), attempts, upload,
               file_words(file or ""), *rest)  # fmt: skip


def submissions(facts: Facts) -> Document:
    """Receipts: SSG's reference beside our key and the file, sheet and row; and what is still open."""
    return _document(
        facts, "submissions", "Submissions and receipts", facts.settled.line("submissions"),
        Section("Submissions", (
            small("Submissions by kind and state", ("Kind", "State", "Count"),
                  [(kind_words(kind), state, count) for kind, states in facts.numbers["submissions"].items()
                   for state, count in states.items()]),
            small("Uploads", _BALANCE,
                  [(one["upload_id"], one["state"], one["rows"], one["accepted"], one["unchanged"], one["rejected"],
                    one["superseded"], file_words(one["file"])) for one in facts.numbers["uploads"]]),
            Table("Receipts", RECEIPT, partial(receipt_rows, facts)),
            Table("Open", _OPEN, lambda: _with_kind(facts.stream("open_submissions"))),
        )),
    )  # fmt: skip


def runs(facts: Facts) -> Document:
    """The life of each run in one row, and its deadlines by kind."""
    found = list(facts.stream(
        "runs", reconciliation=facts.review_id("reconciliation"), compliance=facts.review_id("compliance"),
        open=facts.settled.open,
    ))  # fmt: skip
    agreed = facts.settled.part.kept
    return _document(
        facts, "runs", "Course runs", [reviewed(facts, "compliance"), *facts.settled.line("runs")],
        Section("Course runs", (
            small("Overview", ("What", "Count"), [
                ("Course runs", len(found) + facts.settled.part.left_out),
                ("of them settled", facts.settled.part.left_out),
                ("of them cancelled", sum(not row[7] for row in found) + facts.settled.cancelled),
                ("of them at SSG", sum(row[8] is not None for row in found) + agreed.get("course_run", 0)),
                ("with a missed deadline", sum(bool(row[22]) for row in found)),
                ("with a broken rule", sum(bool(row[23]) for row in found) + facts.settled.broken),
                ("with a near deadline", sum(bool(row[24]) for row in found)),
            ]),
            small("Records", ("Kind", "Ours", "At SSG"),
                  [(name, sum(row[9 + 2 * number] for row in found) + agreed.get(kind, 0),
                    sum(row[10 + 2 * number] for row in found) + agreed.get(kind, 0))
                   for number, (name, kind) in enumerate(zip(_COUNTED, KINDS[1:], strict=True))]),
            known("Runs", _RUNS, ((*row[:5], mode_words(row[5]), *row[6:]) for row in found)),
            known("Deadlines", _DUE, due_rows(facts)),
        )),
    )  # fmt: skip


def _with_kind(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows with the record kind in their second place in words."""
    return ((row[0], kind_word(row[1]), *row[2:]) for row in rows)


def due_rows(facts: Facts) -> Iterator[tuple[Any, ...]]:
    """Deadlines by run and kind: how many records stand where."""
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


DOCUMENTS: dict[str, Callable[[Facts], Document]] = {
    "reconciliation": reconciliation,
    "compliance": compliance,
    "dead-letters": dead_letters,
    "submissions": submissions,
    "runs": runs,
}
