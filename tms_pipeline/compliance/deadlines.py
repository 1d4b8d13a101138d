"""Last days and where a record stands against them. Pure; days are calendar days in Singapore (ssg-api 12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from tms_pipeline.compliance.calendar import add_working_days, public_holidays
from tms_pipeline.compliance.rules import Rule, rule_for

NEAR_DAYS = 14
ALARM_STEPS = (14, 7, 3, 1)

# The rule that says by when a record of the kind must be at SSG.
DEADLINE_RULES = {
    "course_run": "run-published",
    "session": "session-published",
    "enrolment": "enrolment-deadline",
    "fee": "fee-collected",
    "attendance": "attendance-deadline",
    "assessment": "assessment-deadline",
}


class Standing(StrEnum):
    """Where a record stands against its last day."""

    MISSED = "missed"  # not done, and the last day is over
    NEAR = "near"  # not done, and the last day is today or soon
    AHEAD = "ahead"  # not done, with time left
    MET = "met"
    MET_LATE = "met late"


def counted_from(rule: Rule, *, run_start: date, run_end: date, held_on: date | None = None) -> date:
    """The day from which the rule counts.

    A make-up session or re-assessment after the run's end counts from the day it was held ("records again within
    14/28 days", ssg-api 12). Without an assessment date the fee counts from the run's end.
    """
    if rule.counted in ("before run start", "after run start"):
        return run_start
    if rule.counted == "on the session day":
        return held_on or run_start
    if rule.counted == "after assessment":
        return held_on or run_end
    return max(run_end, held_on) if held_on else run_end


def last_day(
    rule: Rule,
    *,
    run_start: date,
    run_end: date,
    held_on: date | None = None,
    holidays: Iterable[date] | None = None,
) -> date:
    """The last day on which the rule is met; the whole of that day counts.

    Holidays matter only to a rule that counts working days; None takes Singapore's.
    """
    day = counted_from(rule, run_start=run_start, run_end=run_end, held_on=held_on)
    count = -rule.days if rule.counted == "before run start" else rule.days
    if rule.unit != "working days":
        return day + timedelta(days=count)
    if holidays is None:
        holidays = public_holidays(tuple(range(day.year - 1, day.year + 2)))
    return add_working_days(day, count, holidays)


def standing(
    last_day: date, today: date, done_on: date | None = None, *, near_days: int = NEAR_DAYS
) -> tuple[Standing, int]:
    """Where it stands, and the days left: 0 on the last day, negative after it (for what is done: on the day done)."""
    if done_on is not None:
        return (Standing.MET if done_on <= last_day else Standing.MET_LATE), (last_day - done_on).days
    left = (last_day - today).days
    if left < 0:
        return Standing.MISSED, left
    return (Standing.NEAR if left <= near_days else Standing.AHEAD), left


def alarm_step(days_left: int) -> int | None:
    """The alarm that is due: the smallest of 14, 7, 3, 1 days not yet passed, the same after the day as negatives.

    None while there is more time than the first alarm, and 0 on the last day itself. An alarm is told apart from
    the one before by this number, so that each is sent once.
    """
    if days_left == 0:
        return 0
    if days_left > 0:
        return min((step for step in ALARM_STEPS if days_left <= step), default=None)
    return -max(step for step in ALARM_STEPS if -days_left >= step)


def deadline_of(
    kind: str,
    run_start: date,
    run_end: date,
    *,
    provider_type: str | None,
    funding_body: str | None,
    today: date,
    held_on: date | None = None,
    rules: Iterable[Rule] | None = None,
) -> date | None:
    """The last day for a record of this kind in this run, or None when no rule is in force for it.

    The run's start decides which rules are in force, so ``today`` changes nothing for a run whose dates are known;
    it decides only when a run has no start yet to speak of (start after end: the dates are in doubt).
    """
    rule_id = DEADLINE_RULES.get(kind)
    if rule_id is None:
        return None
    on = run_start if run_start <= run_end else today
    rule = rule_for(rule_id, on=on, provider_type=provider_type, funding_body=funding_body, rules=rules)
    if rule is None:
        return None
    return last_day(rule, run_start=run_start, run_end=run_end, held_on=held_on)
