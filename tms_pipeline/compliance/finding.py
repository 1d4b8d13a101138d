"""What a review finds, and the plain sentences that say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tms_pipeline.compliance.calendar import off_day
from tms_pipeline.compliance.deadlines import Standing
from tms_pipeline.compliance.rules import Rule

STANDINGS = ("missed", "near", "met late", "breach", "warning")
_LATE = "Keep the proof of when and why it was sent, and ask SSG or IBF whether the funding of these trainees stands."

_NOUNS = {
    "course_run": ("course run", "course runs"),
    "session": ("session", "sessions"),
    "enrolment": ("enrolment", "enrolments"),
    "attendance": ("attendance record", "attendance records"),
    "assessment": ("assessment", "assessments"),
    "fee": ("fee", "fees"),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A live course run with the facts that the checks need (sql/compliance/runs.sql)."""

    run_code: str
    course_reference: str
    course_title: str
    provider_type: str | None
    funding_body: str | None
    full_course_fee: Decimal | None
    minimum_assessments: int | None
    start_date: date
    end_date: date
    mode_of_training: str
    intake_size: int
    threshold: int | None
    trainer_codes: str
    enrolled: int
    sessions: int
    sessions_in_mode: int
    sessions_with_open_dates: int
    first_day: date | None
    last_day_inside: date | None
    sessions_before_start: int
    latest_day: date | None
    latest_assessment: date | None

    def money(self, learners: int) -> Decimal | None:
        """The full course fees of that many learners, or None when the course's fee is not known."""
        return None if self.full_course_fee is None or not learners else self.full_course_fee * learners


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row of finding.deadline."""

    rule: str
    kind: str
    run_code: str
    key: str
    standing: str
    sentence: str
    what_to_do: str
    trainee_ref: str | None = None
    last_day: date | None = None
    days_left: int | None = None
    records: int = 1
    learners: int = 0
    money: Decimal | None = None


def day_words(day: date) -> str:
    """A day as people write it here: 3 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def count_words(count: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many}"


def days_words(days: int) -> str:
    """Days left or gone."""
    if days == 0:
        return "today"
    if days < 0:
        return f"{count_words(-days, 'day', 'days')} ago"
    return f"{count_words(days, 'day', 'days')} left"


def stake_words(learners: int, money: Decimal | None) -> str:
    """What is at stake, as a sentence; nothing when nobody is concerned."""
    if not learners:
        return ""
    fees = "" if money is None else f" and S${money:,.2f} of course fees"
    verb = "is" if learners == 1 and money is None else "are"
    return f" {count_words(learners, 'learner', 'learners')}{fees} {verb} at stake."


def deadline_finding(
    rule: Rule,
    kind: str,
    run: Run,
    standing: Standing,
    *,
    last_day: date,
    days_left: int,
    records: int,
    learners: int,
    done_on: date | None = None,
) -> Finding:
    """The finding of a record set that is missed, near or met late."""
    money = run.money(learners)
    what = rule.when_missed or rule.what_to_do if standing is Standing.MISSED else rule.what_to_do
    if standing is Standing.MET_LATE:
        what = _LATE
    return Finding(
        rule=rule.id,
        kind=kind,
        run_code=run.run_code,
        key=run.run_code,
        last_day=last_day,
        days_left=days_left,
        standing=str(standing),
        records=records,
        learners=learners,
        money=money,
        sentence=f"{_subject(kind, run.run_code, records, standing)}. "
        f"{_day_sentence(standing, last_day, days_left, done_on)}{stake_words(learners, money)}",
        what_to_do=what,
    )


def _subject(kind: str, run_code: str, records: int, standing: Standing) -> str:
    one, many = _NOUNS[kind]
    late = standing is Standing.MET_LATE
    if kind == "course_run":
        return f"Course run {run_code} " + ("came to SSG after the last day" if late else "is not at SSG")
    if kind == "fee":
        lead = f"{count_words(records, one, many)} of run {run_code}"
        verb = "is" if records == 1 else "are"
        return lead + (" became Full Payment at SSG after the last day" if late else f" {verb} not Full Payment at SSG")
    lead = f"{count_words(records, one, many)} of run {run_code}"
    if late:
        return f"{lead} came to SSG after the last day"
    return f"{lead} {'is' if records == 1 else 'are'} not at SSG"


def _day_sentence(standing: Standing, last_day: date, days_left: int, done_on: date | None) -> str:
    if standing is Standing.MISSED:
        return f"The last day was {day_words(last_day)}, {days_words(days_left)}."
    if standing is Standing.MET_LATE:
        came = "" if done_on is None else f" the latest came on {day_words(done_on)}," if days_left else ""
        return f"The last day was {day_words(last_day)};{came} {count_words(-days_left, 'day', 'days')} late."
    off = off_day(last_day)
    if days_left == 0:
        return f"Today, {day_words(last_day)}{f' ({off})' if off else ''}, is the last day."
    return f"The last day is {day_words(last_day)}{f' ({off})' if off else ''}: {days_words(days_left)}."


def counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each standing, zeros included."""
    counts = dict.fromkeys(STANDINGS, 0)
    for finding in findings:
        counts[finding.standing] += 1
    return counts
