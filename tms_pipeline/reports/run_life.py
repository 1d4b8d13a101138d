"""The whole life of one course run on one page: what was planned, what happened, what SSG holds, who decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from tms_pipeline.compliance.checks import RuleBook
from tms_pipeline.compliance.dues import Due, dues, live_runs
from tms_pipeline.reports import charts
from tms_pipeline.reports.document import Chart, Document, Section, Share, Table, Tile, columns, known, small
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.grants import grants_of_run
from tms_pipeline.reports.sheets import DAYS, found_rows, reviewed
from tms_pipeline.reports.words import field_words, file_words, kind_word, kind_words, mode_words, sponsorship_words

_DEAD = ("rejected", "dead")
_OVER = ("accepted", "discarded", "superseded")

_SESSIONS = columns(
    ("Session", 9), ("Day", 13), ("From", 9), ("To", 9), ("Mode", 18), ("Takes place", 11), ("SSG session", 30),
    ("Marked", 9), ("Came", 9), ("Share", 9), ("Marks at SSG", 12),
)  # fmt: skip
_TRAINEES = columns(
    ("Trainee", 11), ("Takes part", 10), ("Pays", 12), ("SSG enrolment", 18), ("Fee", 16), ("Collected", 12),
    ("Fee at SSG", 16), ("Sessions marked", 10), ("Came", 9), ("Share", 9), ("Marks at SSG", 10),
    ("Assessments", 30, True), ("SSG assessments", 20, True),
)  # fmt: skip
_FINDINGS = columns(
    ("Standing", 13), ("Rule", 26, True), ("Trainee", 11), ("Last day", 13), ("Days left", 9), ("Records", 9),
    ("Fees at stake", 14), ("What was found", 60, True), ("What to do", 60, True),
)  # fmt: skip
_DISCREPANCIES = columns(
    ("Class", 18), ("Kind", 15), ("Key", 28), ("SSG reference", 20), ("Field", 22), ("Ours", 28, True),
    ("SSG's", 28, True), ("Since", 18), ("What to do", 60, True), ("Changed last by", 18),
)  # fmt: skip
_SUBMISSIONS = columns(
    ("Submission", 12), ("Kind", 14), ("Key", 28), ("Action", 9), ("State", 11), ("SSG reference", 22), ("Sent", 18),
    ("Finished", 18), ("Attempts", 9), ("Answer", 40, True), ("Last day", 13), ("Upload", 18), ("File", 26, True),
    ("Sheet", 16), ("Row", 8), ("Approved by", 20, True), ("Plan", 20),
)  # fmt: skip
_DUE = columns(
    ("Kind", 15), ("Rule", 28, True), ("Last day", 13), ("Records", 10), ("Standing", 12), ("Days left", 10)
)  # fmt: skip


class UnknownRun(LookupError):
    """No register holds a course run of this code; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class RunLife:
    """What is known about one run."""

    head: dict[str, Any]
    sessions: Sequence[tuple[Any, ...]]
    trainees: Sequence[tuple[Any, ...]]
    marks: Sequence[tuple[str, int, str, bool]]
    dues: Sequence[Due]
    findings: Sequence[tuple[Any, ...]]
    discrepancies: Sequence[tuple[Any, ...]]
    submissions: Sequence[tuple[Any, ...]]
    decisions: Sequence[tuple[Any, ...]]
    uploads: Sequence[tuple[Any, ...]]
    grants: Table | None


_HEAD = (
    "run_code", "course", "course_reference", "provider_type", "funding_body", "fee", "minimum_assessments",
    "registration_open", "registration_close", "start", "end", "mode", "schedule", "intake_size", "threshold",
    "trainers", "live", "upload", "sheet", "row", "ssg_ref", "ssg_live", "created_on", "first_seen_at",
)  # fmt: skip


def read_run(facts: Facts, run_code: str) -> RunLife:
    """Everything about the run. Raises UnknownRun."""
    which = {"run": run_code}
    head = facts.rows("run/head", **which)
    if not head:
        raise UnknownRun(f"There is no course run {run_code}; 'tms report runs' lists those that there are.")
    runs = live_runs(facts.connection, only=run_code)
    return RunLife(
        head=dict(zip(_HEAD, head[0], strict=True)),
        sessions=facts.rows("run/sessions", **which),
        trainees=facts.rows("run/trainees", **which),
        marks=facts.rows("run/marks", **which),
        dues=dues(facts.connection, runs, RuleBook(facts.rules), today=facts.today, only=run_code),
        findings=list(found_rows(facts, run=run_code)),
        discrepancies=facts.rows("run/discrepancies", review_id=facts.review_id("reconciliation"), **which),
        submissions=facts.rows("run/submissions", **which),
        decisions=facts.rows("run/decisions", **which),
        uploads=facts.rows("run/uploads", **which),
        grants=grants_of_run(facts, run_code),
    )


def run_status(facts: Facts, run_code: str) -> Document:
    """The status sheet of one run. Raises UnknownRun."""
    life = read_run(facts, run_code)
    return Document(
        name=f"run-{_file_word(run_code)}", title=f"Course run {run_code}", provider=facts.provider, today=facts.today,
        made_at=facts.made_at,
        lines=(_what(life.head), _when(life.head, facts.today), _at_ssg(life.head), reviewed(facts, "compliance"),
               reviewed(facts, "reconciliation"), DAYS),
        tiles=_tiles(life), sections=tuple(_sections(facts, life)),
    )  # fmt: skip


def _sections(facts: Facts, life: RunLife) -> Iterator[Section]:
    yield Section("Dates and deadlines", (_dates(life.head), known("Deadlines", _DUE, _due_rows(life, facts.today)),
                  known("Findings", _FINDINGS, ((*row[:2], *row[4:]) for row in life.findings),
                        title="What the rules say",
                        empty="No finding: the run keeps every rule that is checked.")))  # fmt: skip
    yield Section("Sessions and trainers", (
        known("Sessions", _SESSIONS, _session_rows(life)),
        small("Trainers", ("Trainer code",), [(code.strip(),) for code in life.head["trainers"].split(";")
                                              if code.strip()], empty="The run names no trainer."),
    ))  # fmt: skip
    people = [known("Trainees", _TRAINEES, _trainee_rows(life), title="Enrolments, fees, attendance, assessments",
                    empty="Nobody is enrolled.")]  # fmt: skip
    if life.grants is not None:
        people.append(life.grants)
    yield Section("Trainees", tuple(people), intro="Trainees appear by our own reference.")
    yield _attendance(life)
    yield Section("Submissions", (
        known("Submissions", _SUBMISSIONS, _submission_rows(life), empty="Nothing about this run was submitted."),
        known("Discrepancies", _DISCREPANCIES, (
            (row[0], kind_word(row[1]), *row[2:4], field_words(row[1], row[4]), *row[5:]) for row in life.discrepancies
        ), empty="No discrepancy: what was read from SSG is what we hold."),
    ))  # fmt: skip
    yield Section("Who decided what, and where it came from", (
        known("Decisions", columns(("When", 18), ("Who", 20), ("What", 70, True)), life.decisions,
              empty="No decision of a person or a policy yet."),
        known("Files", columns(("Upload", 18), ("File", 36, True), ("Received", 18), ("Received by", 18), ("Holds", 40),
                               ("Records", 10)),
              ((row[0], file_words(row[1]), *row[2:]) for row in life.uploads)),
    ))  # fmt: skip


def _what(head: dict[str, Any]) -> str:
    course = f"{head['course']} ({head['course_reference']})" if head["course"] else head["course_reference"]
    who = ", ".join(filter(None, (head["provider_type"], head["funding_body"])))
    return f"{course}{', ' + who if who else ''}; {mode_words(head['mode'])}"


def _when(head: dict[str, Any], today: date) -> str:
    start, end = head["start"], head["end"]
    if not head["live"]:
        return "This run was cancelled."
    if start > today:
        return f"Starts in {(start - today).days:,} days."
    if end >= today:
        return "Is being held now."
    return f"Ended {(today - end).days:,} days ago."


def _at_ssg(head: dict[str, Any]) -> str:
    if head["ssg_ref"] is None:
        return "SSG does not hold this run."
    return f"SSG holds this run as {head['ssg_ref']}." if head["ssg_live"] else (
        f"SSG held this run as {head['ssg_ref']}; it is gone there."
    )


def _dates(head: dict[str, Any]) -> Table:
    return small("Dates", ("What", "Day"), [
        ("Registration opens", head["registration_open"]), ("Registration closes", head["registration_close"]),
        ("First day", head["start"]), ("Last day", head["end"]),
        ("Created at SSG", head["created_on"] or head["first_seen_at"]),
    ])  # fmt: skip


def _tiles(life: RunLife) -> tuple[Tile, ...]:
    enrolled = [row for row in life.trainees if row[1]]
    marked, came = sum(row[7] for row in enrolled), sum(row[8] for row in enrolled)
    paid = sum(row[6] == "Full Payment" for row in enrolled)
    states = [row[4] for row in life.submissions]
    dead = sum(state in _DEAD for state in states)
    standings = [row[0] for row in life.findings]
    worst = next((word for word in ("missed", "breach", "near", "warning") if word in standings), "calm")
    return (
        Tile("Enrolled", len(enrolled)),
        Tile("of them at SSG", sum(row[3] is not None for row in enrolled)),
        Tile("Fees in full at SSG", paid),
        Tile("Attendance", Share(came / marked) if marked else "not marked",
             "warning" if marked and came < 0.75 * marked else "calm"),
        Tile("Findings", len(standings), worst),
        Tile("Discrepancies", len(life.discrepancies), "near" if life.discrepancies else "calm"),
        Tile("Submissions open", sum(state not in (*_OVER, *_DEAD) for state in states)),
        Tile("Dead letters", dead, "missed" if dead else "calm"),
    )  # fmt: skip


def _due_rows(life: RunLife, today: date) -> Iterator[tuple[Any, ...]]:
    found = [due for due in life.dues if due.day is not None]
    for due in sorted(found, key=lambda due: (due.first_last_day, due.kind, str(due.standing))):
        left = None if due.standing in ("met", "met late") else (due.first_last_day - today).days
        yield kind_words(due.kind), due.rule.title, due.day, due.records, str(due.standing), left


def _session_rows(life: RunLife) -> Iterator[tuple[Any, ...]]:
    for number, day, start, end, mode, live, ssg_ref, marked, came, there in life.sessions:
        share = Share(came / marked) if marked else None
        yield (number, day, _clock(start), _clock(end), mode_words(mode), live, ssg_ref, marked, came, share, there)


def _trainee_rows(life: RunLife) -> Iterator[tuple[Any, ...]]:
    for ref, live, pays, ssg_ref, fee, collected, fee_there, marked, came, there, results, _, refs in life.trainees:
        yield (ref, live, sponsorship_words(pays), ssg_ref, fee, collected, fee_there, marked, came,
               Share(came / marked) if marked else None, there, results, refs)  # fmt: skip


def _submission_rows(life: RunLife) -> Iterator[tuple[Any, ...]]:
    for number, kind, key, action, state, ssg_ref, sent, done, attempts, said, last, upload, file, *rest in (
        life.submissions
    ):
        yield (number, kind_word(kind), key, action, state, ssg_ref, sent, done, attempts, said, last, upload,
               file_words(file or ""), *rest)  # fmt: skip


def _attendance(life: RunLife) -> Section:
    numbers = [row[0] for row in life.sessions if row[5]]
    refs = sorted({row[0] for row in life.trainees if row[1]})
    marks = {(ref, number): (mark, there) for ref, number, mark, there in life.marks}

    def rows() -> Iterator[tuple[Any, ...]]:
        for ref in refs:
            cells = (marks.get((ref, number)) for number in numbers)
            yield (ref, *("" if cell is None else f"{cell[0]}{'' if cell[1] or cell[0] == 'absent' else ', not at SSG'}"
                          for cell in cells))  # fmt: skip

    of = columns(("Trainee", 11), *((f"S{number}", 16) for number in numbers))
    return Section(
        "Attendance",
        (known("Attendance", of, rows(), title="Marks by trainee and session", empty="Nobody is marked."),),
        chart=Chart("Attendance by trainee and session. ✔ present, L late, ✖ absent, – not marked; a dot says that SSG "
                    "does not hold it yet.", partial(charts.marks, refs, numbers, marks)) if refs and numbers else None,
    )  # fmt: skip


def _clock(value: Any) -> str:
    return "" if value is None else f"{value:%H:%M}"


def _file_word(run_code: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in run_code)
