"""The model of a term: courses, runs, sessions, people and who is enrolled where. All values are canonical.

Dates move with ``today``, so that some deadlines are always missed, some near and some fine. Marks and
assessments are not held here but worked out row by row (``facts``), so a large term needs little memory.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from tms_pipeline.examples.courses import COURSES, TRAINERS, TRAINERS_OF, VENUES, Course, Trainer, Venue
from tms_pipeline.examples.people import Employer, Numbers, Trainee, make_employers, make_people

DEFAULT_SEED = 2026
DEFAULT_TRAINEES = 240
MINIMUM_TRAINEES = 120
# A full block of trainees gives at least this many marks a trainee; ``trainees_for`` counts with it.
_MARKS_A_TRAINEE = 9

WORKBOOK, GOOGLE, MICROSOFT = "workbook", "google", "microsoft"

# One block of runs: course, share of a full class, and the day: ended so many days ago, running, or starting soon.
# The first is a coaching run for one trainee: the only run that began so long ago that its enrolment is late.
_ENDED = (("HYG", 57), ("WOK", 35), ("KOP", 30), ("STB", 22), ("KOP", 19), ("HYG", 16), ("WOK", 13), ("KOP", 11),
          ("HYG", 8), ("WOK", 5), ("STB", 2))
_SOON = (("KOP", 3), ("HYG", 9), ("WOK", 16))
_ENDED_CLASS, _RUNNING_CLASS, _SOON_CLASS = 28, 22, 18
# Ended runs (by place in ``_ENDED``) whose attendance came by Google Forms; the Microsoft ones are chosen by date.
_GOOGLE_RUNS = (2, 8)
_MICROSOFT_RUNS = 2


@dataclass(frozen=True, slots=True)
class Run:
    """A course run. ``channel`` says by which kind of file its attendance comes."""

    code: str
    course: Course
    start: date
    end: date
    registration_open: date
    registration_close: date
    venue: Venue
    trainers: tuple[str, ...]
    status: str
    phase: str
    channel: str


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting of a run."""

    run: Run
    number: int
    day: date
    start: str
    end: str
    mode: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A trainee in a run. ``dropped`` means that the trainee soon stopped coming and was not assessed."""

    run: Run
    trainee: Trainee
    enrolled_on: date
    employer: Employer | None
    discount: str
    dropped: bool


@dataclass(frozen=True, slots=True)
class Term:
    """A provider's term. ``spares`` are made-up people for the faulty rows; they are enrolled nowhere."""

    seed: int
    today: date
    courses: tuple[Course, ...]
    trainers: tuple[Trainer, ...]
    runs: tuple[Run, ...]
    sessions: dict[str, tuple[Session, ...]]
    trainees: tuple[Trainee, ...]
    spares: tuple[Trainee, ...]
    employers: tuple[Employer, ...]
    enrolments: dict[str, tuple[Enrolment, ...]]

    def random_for(self, *names: object) -> random.Random:
        """A generator of its own for each use, so that no part depends on how another was read."""
        return random.Random("/".join(map(str, (self.seed, self.today, *names))))  # noqa: S311 - made-up data

    def all_enrolments(self) -> Iterator[Enrolment]:
        """Every enrolment, run by run."""
        for run in self.runs:
            yield from self.enrolments[run.code]

    def past_sessions(self, run: Run) -> tuple[Session, ...]:
        """The sessions of a run that lie before today."""
        return tuple(session for session in self.sessions[run.code] if session.day < self.today)

    def outsiders(self, run: Run) -> Iterator[Trainee]:
        """Trainees who are not enrolled in a run."""
        inside = {enrolment.trainee.nric for enrolment in self.enrolments[run.code]}
        return (trainee for trainee in self.trainees if trainee.nric not in inside)


def trainees_for(rows: int) -> int:
    """How many trainees make a term with at least so many attendance marks."""
    return max(DEFAULT_TRAINEES, -(-rows // _MARKS_A_TRAINEE))


def make_term(*, seed: int = DEFAULT_SEED, today: date, trainees: int = DEFAULT_TRAINEES) -> Term:
    """A made-up term around ``today``; the same arguments always give the same term.

    ``trainees`` scales everything: each 240 of them bring another 17 runs. Raises ValueError below 120,
    since the faulty rows would then be too large a share of their files.
    """
    if trainees < MINIMUM_TRAINEES:
        raise ValueError(f"a term needs at least {MINIMUM_TRAINEES} trainees, not {trainees}")
    rng = random.Random(f"{seed}/{today}/{trainees}")  # noqa: S311 - made-up data
    numbers = Numbers(rng)
    trainers = tuple(
        Trainer(code, name, numbers.take("S"), f"{code.lower()}@example.com", salutation, role, domain, experience)
        for code, name, salutation, role, domain, experience in TRAINERS
    )
    crowd = make_people(rng, numbers, today=today)
    spares = tuple(islice(crowd, 4))
    people = tuple(islice(crowd, trainees))
    employers = make_employers(rng)
    runs: list[Run] = []
    enrolments: dict[str, tuple[Enrolment, ...]] = {}
    used: dict[str, int] = {}
    for first in range(0, trainees, DEFAULT_TRAINEES):
        group = people[first : first + DEFAULT_TRAINEES]
        block = _make_runs(rng, today, used)
        runs.extend(block)
        enrolments.update(_enrol(rng, today, block, group, employers))
    sessions = {run.code: _make_sessions(run) for run in runs}
    return Term(seed, today, COURSES, trainers, tuple(runs), sessions, people, spares, employers, enrolments)


def training_days(run: Run) -> list[date]:
    """The days on which a run sits: weekdays from its start on."""
    return _weekdays(run.start, run.course.days)


def _weekdays(start: date, count: int, step: int = 1) -> list[date]:
    days: list[date] = []
    day = start
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=step)
    return sorted(days)


def _make_runs(rng: random.Random, today: date, used: dict[str, int]) -> list[Run]:
    course_of = {course.code: course for course in COURSES}
    plans: list[tuple[str, date, str, str]] = []
    for code, ago in _ENDED:
        last = today - timedelta(days=ago)
        plans.append((code, _weekdays(last, course_of[code].days, -1)[0], "confirmed", "ended"))
    yesterday = today - timedelta(days=1)
    plans.append(("KOP", _weekdays(yesterday, 1, -1)[0], "confirmed", "running"))
    plans.append(("STB", _weekdays(yesterday, 3, -1)[0], "confirmed", "running"))
    for code, ahead in _SOON:
        plans.append((code, _weekdays(today + timedelta(days=ahead), 1)[0], "confirmed", "soon"))
    plans.append(("STB", _weekdays(today + timedelta(days=6), 1)[0], "cancelled", "cancelled"))
    channels = _channels([_weekdays(start, course_of[code].days) for code, start, _, _ in plans[: len(_ENDED)]])
    runs = []
    for index, (code, start, status, phase) in enumerate(plans):
        course = course_of[code]
        month = f"{code}-{start:%y%m}"
        used[month] = used.get(month, 0) + 1
        opening = start - timedelta(days=rng.randint(30, 45))
        runs.append(Run(
            code=f"{month}-{_letters(used[month])}", course=course, start=start,
            end=_weekdays(start, course.days)[-1], registration_open=opening,
            registration_close=start - timedelta(days=rng.randint(1, 6)), venue=VENUES[index % len(VENUES)],
            trainers=TRAINERS_OF[code], status=status, phase=phase,
            channel=channels[index] if phase == "ended" else WORKBOOK,
        ))
    return runs


def _channels(ended: list[list[date]]) -> list[str]:
    """The channel of each ended run. A US date column must prove its order, so Microsoft gets days past the 12th."""
    channels = [GOOGLE if index in _GOOGLE_RUNS else WORKBOOK for index in range(len(ended))]
    # Not the coaching run: a form for one person would be odd.
    free = [index for index, channel in enumerate(channels) if channel == WORKBOOK and index]
    free.sort(key=lambda index: not any(day.day > 12 for day in ended[index]))
    for index in free[:_MICROSOFT_RUNS]:
        channels[index] = MICROSOFT
    return channels


def _letters(number: int) -> str:
    """A for 1, B for 2, … AA for 27."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _make_sessions(run: Run) -> tuple[Session, ...]:
    if run.status == "cancelled":
        return ()
    sittings = [(day, *sitting) for day in training_days(run) for sitting in run.course.sittings]
    return tuple(Session(run, number, *sitting) for number, sitting in enumerate(sittings, start=1))


def _enrol(rng: random.Random, today: date, runs: list[Run], people: tuple[Trainee, ...],
           employers: tuple[Employer, ...]) -> dict[str, tuple[Enrolment, ...]]:
    """Fill the classes, nobody twice in one course, the least busy trainees first."""
    waiting = deque(people)
    taken: set[tuple[str, str]] = set()
    result: dict[str, tuple[Enrolment, ...]] = {}
    for run in runs:
        seats = {"ended": _ENDED_CLASS, "running": _RUNNING_CLASS, "soon": _SOON_CLASS, "cancelled": 0}[run.phase]
        seats = 1 if run is runs[0] else round(seats * len(people) / DEFAULT_TRAINEES)
        chosen: list[Trainee] = []
        for _ in range(len(waiting)):
            if len(chosen) == seats:
                break
            trainee = waiting.popleft()
            waiting.append(trainee)
            if (trainee.nric, run.course.code) not in taken:
                taken.add((trainee.nric, run.course.code))
                chosen.append(trainee)
        result[run.code] = tuple(
            Enrolment(
                run=run, trainee=trainee,
                enrolled_on=min(run.start, today) - timedelta(days=rng.randint(1, 25)),
                employer=rng.choice(employers) if rng.random() < 0.4 else None,
                discount=rng.choice(("0.00", "0.00", "0.00", "20.00", "50.00")),
                dropped=run.phase == "ended" and seats > 1 and rng.random() < 0.04,
            )
            for trainee in chosen
        )
    return result
