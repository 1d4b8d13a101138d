"""Record sets against their last days: Postgres counts, the rules say the days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from psycopg import sql
from psycopg.rows import class_row

from tms_pipeline.compliance.checks import RuleBook
from tms_pipeline.compliance.deadlines import DEADLINE_RULES, NEAR_DAYS, Standing, last_day
from tms_pipeline.compliance.finding import Run
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query, text


@dataclass(frozen=True, kw_only=True)
class Due:
    """Records of one kind and run with the same standing; of one last day, or of the whole run (``day`` None)."""

    kind: str
    rule: Rule
    run: Run
    standing: Standing
    day: date | None
    first_last_day: date
    latest_last_day: date
    done_on: date | None
    records: int
    learners: int


def live_runs(connection: Connection, *, only: str | None = None) -> dict[str, Run]:
    """Every live course run, or one of them, with its facts, by run code."""
    with connection.cursor(row_factory=class_row(Run)) as cursor:
        return {run.run_code: run for run in cursor.execute(query("compliance/runs"), {"run": only}).fetchall()}


def near_days(book: RuleBook, today: date) -> int:
    """How many days before the last day a deadline counts as near."""
    value = book.setting("near-window", today)
    return value if isinstance(value, int) else NEAR_DAYS


def dues(
    connection: Connection, runs: Mapping[str, Run], book: RuleBook, *, today: date, only: str | None = None,
    by_day: bool = True,
) -> list[Due]:
    """Where the records that should be at SSG stand, by kind, run and standing, and (``by_day``) by last day besides.

    Of one run if ``only``.
    """
    found: list[Due] = []
    for kind in DEADLINE_RULES:
        found += _of_kind(connection, kind, runs, book, today, only, by_day=by_day)
    return found


def _of_kind(
    connection: Connection, kind: str, runs: Mapping[str, Run], book: RuleBook, today: date, only: str | None, *,
    by_day: bool,
) -> list[Due]:
    records: sql.Composable = sql.SQL(text(f"compliance/records_{kind}"))
    if only is not None:
        records = sql.SQL("SELECT * FROM ({}) AS every WHERE run_code = {}").format(records, sql.Literal(only))
    rules: dict[str, Rule] = {}
    rows: list[tuple[str, date, date]] = []
    for run_code, base in connection.execute(query("compliance/bases", records=records)).fetchall():
        run = runs.get(run_code)
        rule = None if run is None else book.of(DEADLINE_RULES[kind], run)
        if run is None or rule is None:
            continue
        rules[run_code] = rule
        rows.append((run_code, base, last_day(rule, run_start=run.start_date, run_end=run.end_date, held_on=base)))
    if not rows:
        return []
    there = query("compliance/there_paid" if kind == "fee" else "compliance/there", mirror=f"mirror.{kind}")
    if only is not None:
        there = sql.SQL("SELECT * FROM ({}) AS held WHERE key IN (SELECT key FROM ({}) AS ours)").format(there, records)
    run_codes, bases, last_days = (list(part) for part in zip(*rows, strict=True))
    standings = connection.execute(
        query("compliance/standings", records=records, there=there,
              day=sql.SQL("last_day" if by_day else "NULL::date"),
              by_day=sql.SQL(", (run_code, standing, last_day)" if by_day else "")),
        {
            "kind": kind,
            "today": today,
            "near_days": near_days(book, today),
            "run_codes": run_codes,
            "bases": bases,
            "last_days": last_days,
        },
    ).fetchall()
    return [
        Due(
            kind=kind, rule=rules[run_code], run=runs[run_code], standing=Standing(standing), day=day,
            first_last_day=first, latest_last_day=latest, done_on=done_on, records=count, learners=learners,
        )
        for run_code, standing, day, first, latest, done_on, count, learners in standings
    ]
