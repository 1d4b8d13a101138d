"""A compliance review: every rule against every run, written down as findings in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.compliance.checks import (
    RuleBook,
    assessments_finding,
    contact_finding,
    failed_finding,
    marks_finding,
    rate_finding,
    run_findings,
    unreachable_finding,
)
from tms_pipeline.compliance.deadlines import Standing
from tms_pipeline.compliance.dues import Due, dues, live_runs
from tms_pipeline.compliance.finding import STANDINGS, Finding, Run, counts_of, deadline_finding
from tms_pipeline.compliance.rules import Rule, package_rules
from tms_pipeline.settled.keep import compare, keep, one_at_a_time, unfinished
from tms_pipeline.settled.narrowed import narrowed
from tms_pipeline.settled.overlooked import in_agreement, in_findings, told
from tms_pipeline.settled.scope import FULL_LOOK_DAYS, scope_of
from tms_pipeline.store.database import Connection, Database, copy_rows
from tms_pipeline.store.queries import query

_COLUMNS = (
    "review_id", "rule", "kind", "run_code", "key", "trainee_ref", "last_day", "days_left", "standing", "records",
    "learners", "money", "sentence", "what_to_do",
)  # fmt: skip
_TOLD = (Standing.MISSED, Standing.NEAR, Standing.MET_LATE)


def review(
    db: Database, *, today: date, correlation_id: str, rules: Sequence[Rule] | None = None,
    full_look_days: int = FULL_LOOK_DAYS,
) -> dict[str, Any]:
    """Judge every live run on that day and keep the findings; returns the review's number and counts by standing.

    Runs that are settled are not judged again: their findings stand (``settled.keep``).
    """
    book = RuleBook(package_rules() if rules is None else rules)
    with db.transaction() as connection:
        one_at_a_time(connection)
        scope = scope_of(connection, today=today, rules=book.rules, full_look_days=full_look_days)
        not_over: set[str] = set()
        with narrowed(connection, scope.open):
            found = list(find(connection, book, today=today, not_over=not_over))
        compare(connection, scope)
        in_agreement(connection, scope, today=today)
        in_findings(connection, scope, found, today=today)
        not_over |= unfinished(found, today)
        findings = sorted([*found, *told(connection, today=today, days=full_look_days)], key=_order)
        counts = counts_of(findings)
        open_runs = {"open": list(scope.open.runs or ()), "whole": scope.open.whole}
        for standing, number in connection.execute(query("settled/standing"), open_runs):
            counts[standing] += number
        row = connection.execute(
            query("compliance/insert_review"),
            {"as_of": today, "correlation_id": correlation_id, "counts": Jsonb(counts)},
        ).fetchone()
        assert row is not None  # INSERT … RETURNING
        copy_rows(
            connection,
            "finding.deadline",
            _COLUMNS,
            ((row[0], *(getattr(finding, name) for name in _COLUMNS[1:])) for finding in findings),
        )
        keep(connection, scope, review=row[0], today=today, not_over=not_over)
    return {"review_id": row[0], "counts": counts}


def find(
    connection: Connection, book: RuleBook, *, today: date, not_over: set[str] | None = None
) -> Iterator[Finding]:
    """All findings of the day, in no order; ``not_over`` is given the runs of which something is not at SSG yet."""
    runs = live_runs(connection)
    for due in dues(connection, runs, book, today=today, by_day=False):
        if due.standing in _TOLD:
            yield _deadline(due, today)
        if not_over is not None and due.standing not in (Standing.MET, Standing.MET_LATE):
            not_over.add(due.run.run_code)
    for run in runs.values():
        yield from run_findings(run, book, today)
    yield from _rates(connection, runs, book, today)
    yield from _marks(connection, runs, book, today)
    yield from _assessments(connection, runs, book, today)
    yield from _contacts(connection, runs, book, today)
    yield from _unreachable(connection, runs, book, today)
    yield from _failed(connection, runs, book, today)


def _order(finding: Finding) -> tuple[int, date, str, str, str]:
    return (
        STANDINGS.index(finding.standing), finding.last_day or date.max, finding.run_code, finding.rule, finding.key
    )


def _deadline(due: Due, today: date) -> Finding:
    # What is at stake before a run or its sessions are at SSG is everybody in it.
    learners = due.run.enrolled if due.kind in ("course_run", "session") else due.learners
    days_left = (due.first_last_day - (due.done_on or today)).days
    return deadline_finding(
        due.rule, due.kind, due.run, due.standing, last_day=due.first_last_day, days_left=days_left,
        records=due.records, learners=learners, done_on=due.done_on,
    )


def _rates(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    asked: dict[str, Rule] = {}
    rows: list[tuple[str, Decimal, bool]] = []
    for run in runs.values():
        rule = book.of("attendance-rate", run)
        if rule is not None:
            asked[run.run_code] = rule
            by_hours = book.setting("attendance-rate-basis", run.start_date) == "hours"
            rows.append((run.run_code, Decimal(str(rule.value)), by_hours))
    run_codes, percents, by_hours_all = _columns(rows, 3)
    for run_code, trainee_ref, percent, by_hours, whole, marked, attended, out_of_reach in connection.execute(
        query("compliance/attendance_rates"),
        {"run_codes": run_codes, "percents": percents, "by_hours": by_hours_all},
    ):
        yield rate_finding(
            asked[run_code], runs[run_code], trainee_ref, percent=percent, by_hours=by_hours, whole=whole,
            marked=marked, attended=attended, out_of_reach=out_of_reach,
            window=book.of("make-up-window", runs[run_code]), today=today,
        )


def _marks(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    for run_code, marks, sessions, learners, held_on in connection.execute(
        query("compliance/marks_missing"), {"today": today}
    ):
        run = runs[run_code]
        rule = book.of("attendance-marked", run)
        if rule is not None:
            yield marks_finding(
                rule, run, marks=marks, sessions=sessions, learners=learners, held_on=held_on,
                deadline=book.of("attendance-deadline", run), today=today,
            )


def _assessments(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    asked: dict[str, Rule] = {}
    rows: list[tuple[str, int]] = []
    for run in runs.values():
        rule = book.of("minimum-assessments", run)
        if rule is not None:
            asked[run.run_code] = rule
            rows.append((run.run_code, rule.days if run.minimum_assessments is None else run.minimum_assessments))
    run_codes, needed_all = _columns(rows, 2)
    for run_code, learners, assessments, needed in connection.execute(
        query("compliance/assessments_missing"), {"run_codes": run_codes, "needed": needed_all, "today": today}
    ):
        run = runs[run_code]
        yield assessments_finding(
            asked[run_code], run, learners=learners, assessments=int(assessments), needed=needed,
            deadline=book.of("assessment-deadline", run), today=today,
        )


def _contacts(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    for run_code, trainee_ref, key, missing in connection.execute(query("compliance/contacts_missing")):
        rule = book.of("contact-fields", runs[run_code])
        if rule is not None:
            yield contact_finding(rule, runs[run_code], trainee_ref, key, missing, today)


def _unreachable(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    for run_code, trainee_ref, key, marks, held_on in connection.execute(query("compliance/unreachable")):
        run = runs[run_code]
        rule = book.of("contact-at-attendance", run)
        if rule is not None:
            yield unreachable_finding(
                rule, run, trainee_ref, key, marks=marks, held_on=held_on,
                deadline=book.of("attendance-deadline", run), today=today,
            )


def _failed(connection: Connection, runs: Mapping[str, Run], book: RuleBook, today: date) -> Iterator[Finding]:
    for run_code, trainee_ref, assessed, failed in connection.execute(query("compliance/failed")):
        run = runs[run_code]
        rule = book.of("competent", run)
        if rule is not None:
            yield failed_finding(
                rule, run, trainee_ref, assessed=assessed, failed=failed, window=book.of("make-up-window", run),
                today=today,
            )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(part) for part in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
