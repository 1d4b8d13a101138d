"""Checks of what must be true of a run and its trainees. Pure: facts in, findings out.

Before the run starts a fault is a warning, since it can be put right; from the start on it is a breach. So the last day
of a fault of the run itself is the day before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from tms_pipeline.compliance.deadlines import last_day
from tms_pipeline.compliance.finding import Finding, Run, count_words, day_words, stake_words
from tms_pipeline.compliance.rules import Rule, rule_for


@dataclass(frozen=True)
class RuleBook:
    """The rules, asked for a run."""

    rules: Sequence[Rule]

    def of(self, rule_id: str, run: Run) -> Rule | None:
        """The rule that binds this run and is to be checked, or None."""
        rule = rule_for(
            rule_id,
            on=run.start_date,
            provider_type=run.provider_type,
            funding_body=run.funding_body,
            mode=run.mode_of_training,
            rules=self.rules,
        )
        return rule if rule is not None and rule.checked else None

    def setting(self, rule_id: str, on: date) -> int | float | str | None:
        """The value of a rule that is a setting of ours on that day."""
        rule = rule_for(rule_id, on=on, provider_type=None, funding_body=None, rules=self.rules)
        return None if rule is None else rule.value


def run_findings(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    """What is wrong with the run itself: seats, trainer, sessions."""
    for check in (_capacity, _trainer, _mode, _span, _before_start, _make_up):
        yield from check(run, book, today)


def _finding(
    rule: Rule, run: Run, standing: str, sentence: str, *, records: int = 1, learners: int = 0,
    last: date | None = None, today: date,
) -> Finding:
    money = run.money(learners)
    last = last or _day_before(run)
    what = rule.when_missed if standing == "breach" and rule.when_missed else rule.what_to_do
    return Finding(
        rule=rule.id, kind=rule.kind, run_code=run.run_code, key=run.run_code, standing=standing, records=records,
        learners=learners, money=money, last_day=last, days_left=(last - today).days,
        sentence=f"{sentence}{stake_words(learners, money)}", what_to_do=what,
    )


def _day_before(run: Run) -> date:
    return run.start_date - timedelta(days=1)


def _standing(run: Run, today: date) -> str:
    return "breach" if run.start_date <= today else "warning"


def _capacity(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("capacity", run)
    seats = run.intake_size + (run.threshold or 0)
    over = run.enrolled - seats
    if rule is None or over <= 0:
        return
    yield _finding(
        rule, run, _standing(run, today),
        f"Run {run.run_code} has {count_words(run.enrolled, 'trainee', 'trainees')} for {seats:,} "
        f"{'seat' if seats == 1 else 'seats'}.",
        records=over, learners=over, today=today,
    )


def _trainer(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("trainer-present", run)
    if rule is not None and not run.trainer_codes.strip():
        yield _finding(
            rule, run, _standing(run, today), f"Run {run.run_code} names no trainer.", learners=run.enrolled,
            today=today,
        )


def _mode(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("session-per-mode", run)
    if rule is None or run.sessions_in_mode:
        return
    what = "no session in its mode of training" if run.sessions else "no session"
    yield _finding(rule, run, _standing(run, today), f"Run {run.run_code} has {what}.", learners=run.enrolled,
                   today=today)


def _span(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("sessions-span-run", run)
    # E-learning and on-the-job sessions may last for days; our register holds their first day only (ssg-api 4.1).
    if rule is None or not run.sessions or run.sessions_with_open_dates or run.first_day is None:
        return
    gaps = []
    if run.first_day > run.start_date:
        gaps.append(
            f"the first session is on {day_words(run.first_day)}, the run starts on {day_words(run.start_date)}"
        )
    if run.last_day_inside is not None and run.last_day_inside < run.end_date:
        gaps.append(
            f"the last session is on {day_words(run.last_day_inside)}, the run ends on {day_words(run.end_date)}"
        )
    if gaps:
        yield _finding(
            rule, run, _standing(run, today),
            f"The sessions of run {run.run_code} do not span it: {'; '.join(gaps)}.",
            records=len(gaps), learners=run.enrolled, today=today,
        )


def _before_start(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("session-inside-run", run)
    if rule is None or not run.sessions_before_start:
        return
    count = run.sessions_before_start
    yield _finding(
        rule, run, _standing(run, today),
        f"{count_words(count, 'session', 'sessions')} of run {run.run_code} {'is' if count == 1 else 'are'} dated "
        f"before the run starts on {day_words(run.start_date)}.",
        records=count, today=today,
    )


def _make_up(run: Run, book: RuleBook, today: date) -> Iterator[Finding]:
    rule = book.of("make-up-window", run)
    if rule is None:
        return
    last = last_day(rule, run_start=run.start_date, run_end=run.end_date)
    for day, what in ((run.latest_day, "session"), (run.latest_assessment, "assessment")):
        if day is not None and day > last:
            yield _finding(
                rule, run, "breach" if day <= today else "warning",
                f"Run {run.run_code} has a make-up {what} on {day_words(day)}; the last day for it "
                f"{'was' if last < today else 'is'} {day_words(last)}.",
                last=last, today=today,
            )


def rate_finding(
    rule: Rule, run: Run, trainee_ref: str, *, percent: Decimal, by_hours: bool, whole: Decimal, marked: Decimal,
    attended: Decimal, out_of_reach: bool, window: Rule | None, today: date,
) -> Finding:
    """A trainee whose attendance is below the rate: a breach when it can no longer be reached."""
    unit = "hours" if by_hours else "sessions"
    over = out_of_reach and run.end_date < today
    of = whole if over else marked
    shown = f"{_figure(attended)} of {_figure(of)} {'' if over else 'marked '}{unit} ({_rate(attended, of)} %)"
    end = f"{_figure(percent)} % can {'no longer' if out_of_reach else 'still'} be reached"
    money = run.money(1)
    last, left = _window(window, run, today)
    return Finding(
        rule=rule.id, kind=rule.kind, run_code=run.run_code, key=f"{run.run_code}|{trainee_ref}", learners=1,
        last_day=last, days_left=left,
        trainee_ref=trainee_ref, standing="breach" if out_of_reach else "warning", money=money,
        sentence=f"Trainee {trainee_ref} attended {shown} of run {run.run_code}; {end}.{stake_words(1, money)}",
        what_to_do=rule.when_missed if out_of_reach else rule.what_to_do,
    )


def marks_finding(
    rule: Rule, run: Run, *, marks: int, sessions: int, learners: int, held_on: date, deadline: Rule | None,
    today: date,
) -> Finding:
    """Marks that nobody gave for sessions already held; those of a make-up session count from ``held_on``."""
    last = last_day(deadline, run_start=run.start_date, run_end=run.end_date, held_on=held_on) if deadline else None
    return _finding(
        rule, run, "breach" if last is not None and last < today else "warning",
        f"{count_words(marks, 'mark is', 'marks are')} missing for {count_words(sessions, 'session', 'sessions')} of "
        f"run {run.run_code}.{_by(last, today)}",
        records=marks, learners=learners, last=last, today=today,
    )


def assessments_finding(
    rule: Rule, run: Run, *, learners: int, assessments: int, needed: int, deadline: Rule | None, today: date
) -> Finding:
    """Trainees of an ended run with fewer assessments than the course asks for."""
    last = last_day(deadline, run_start=run.start_date, run_end=run.end_date) if deadline else None
    return _finding(
        rule, run, "breach" if last is not None and last < today else "warning",
        f"{count_words(learners, 'trainee', 'trainees')} of run {run.run_code} "
        f"{'lacks' if learners == 1 else 'lack'} {count_words(assessments, 'assessment', 'assessments')} "
        f"(the course asks for {needed} each).{_by(last, today)}",
        records=learners, learners=learners, last=last, today=today,
    )


def contact_finding(rule: Rule, run: Run, trainee_ref: str, key: str, missing: Sequence[str], today: date) -> Finding:
    """An enrolment without a contact field that SSG asks for."""
    money, last = run.money(1), _day_before(run)
    return Finding(
        rule=rule.id, kind=rule.kind, run_code=run.run_code, key=key, trainee_ref=trainee_ref,
        standing=_standing(run, today), records=len(missing), learners=1, money=money, last_day=last,
        days_left=(last - today).days,
        sentence=f"Trainee {trainee_ref} in run {run.run_code} has no {_list(missing)}.{stake_words(1, money)}",
        what_to_do=rule.what_to_do,
    )


def unreachable_finding(
    rule: Rule, run: Run, trainee_ref: str, key: str, *, marks: int, held_on: date, deadline: Rule | None, today: date
) -> Finding:
    """A trainee whose attendance is to be sent and who has neither e-mail nor mobile."""
    money = run.money(1)
    last = last_day(deadline, run_start=run.start_date, run_end=run.end_date, held_on=held_on) if deadline else None
    over = last is not None and last < today
    return Finding(
        rule=rule.id, kind=rule.kind, run_code=run.run_code, key=key, trainee_ref=trainee_ref,
        standing="breach" if over else "warning", records=marks, learners=1, money=money, last_day=last,
        days_left=None if last is None else (last - today).days,
        sentence=f"Trainee {trainee_ref} has {count_words(marks, 'mark', 'marks')} in run {run.run_code} and neither "
        f"e-mail nor phone.{_by(last, today)}{stake_words(1, money)}",
        what_to_do=rule.when_missed if over and rule.when_missed else rule.what_to_do,
    )


def failed_finding(
    rule: Rule, run: Run, trainee_ref: str, *, assessed: int, failed: int, window: Rule | None, today: date
) -> Finding:
    """A trainee who failed an assessment: a breach once no re-assessment can be held any more."""
    money = run.money(1)
    last, left = _window(window, run, today)
    over = left is not None and left < 0
    again = "" if last is None else (
        f" A re-assessment could be held until {day_words(last)}." if over
        else f" A re-assessment can be held until {day_words(last)}."
    )
    return Finding(
        rule=rule.id, kind=rule.kind, run_code=run.run_code, key=f"{run.run_code}|{trainee_ref}",
        trainee_ref=trainee_ref, standing="breach" if over else "warning", records=failed, learners=1, money=money,
        last_day=last, days_left=left,
        sentence=f"Trainee {trainee_ref} failed {failed} of {count_words(assessed, 'assessment', 'assessments')} of "
        f"run {run.run_code}.{again}{stake_words(1, money)}",
        what_to_do=rule.when_missed if over and rule.when_missed else rule.what_to_do,
    )


def _window(rule: Rule | None, run: Run, today: date) -> tuple[date | None, int | None]:
    """The last day for make-up sessions and re-assessments, and the days left."""
    if rule is None:
        return None, None
    last = last_day(rule, run_start=run.start_date, run_end=run.end_date)
    return last, (last - today).days


def _figure(number: Decimal) -> str:
    """A number as people write it: two decimals at most, none that say nothing."""
    return f"{number.quantize(Decimal('0.01')).normalize():f}"


def _rate(attended: Decimal, of: Decimal) -> str:
    """The percentage, cut and never rounded up: what is below the rule must not read like it."""
    return _figure((100 * attended / of).quantize(Decimal("0.1"), rounding=ROUND_DOWN))


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _by(last: date | None, today: date) -> str:
    if last is None:
        return ""
    left = (last - today).days
    if left < 0:
        return f" The last day to submit was {day_words(last)}, {count_words(-left, 'day', 'days')} ago."
    if left == 0:
        return f" Today, {day_words(last)}, is the last day to submit."
    return f" The last day to submit is {day_words(last)}: {count_words(left, 'day', 'days')} left."
