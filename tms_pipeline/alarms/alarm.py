"""What an alarm is, and how often the same trouble may speak. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal

Role = Literal["ops", "compliance", "on-call"]
Severity = Literal["error", "warning"]

#: Every topic, with what its alarms are about; Dagster shows one check each.
TOPICS = {
    "deadlines": "A last day comes near, is today, or is over",
    "dead letters": "Submissions need a person",
    "queue": "Approved submissions wait too long",
    "rejected rows": "Much of an upload was rejected, held or refused",
    "sources": "A source that used to send files is silent",
    "ssg": "SSG does not answer, or could not be read whole",
    "runs": "A run of the pipeline failed",
    "nights": "The nightly sync did not finish",
}
#: Told once for ever for each step; the others speak again when they were over and come back.
ONCE = frozenset({"deadlines", "rejected rows", "runs"})


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing to tell, in words without any person: our references, counts and a link.

    ``subject`` and ``step`` say what it is about and how far it has come: an alarm of the same topic, subject and step
    is the same alarm. ``link`` is a path below the address of the pages.
    """

    topic: str
    subject: str
    step: int
    severity: Severity
    role: Role
    sentence: str
    what_to_do: str
    link: str
    urgent: bool = False
    figures: Mapping[str, str | int | float] = field(default_factory=dict)

    def dedup_key(self, raised_at: datetime) -> str:
        """What makes it the same as another: for a state also when it began, so that it may come back."""
        key = f"{self.topic}|{self.subject}|{self.step}"
        return key if self.topic in ONCE else f"{key}|{raised_at:%Y%m%dT%H%M%S.%f}"


def rung(value: float, threshold: float, factors: Sequence[float]) -> int | None:
    """How far a value has climbed past its threshold: the number of the highest factor reached, None below the first.

    Each rung is an alarm of its own, so that a trouble that grows speaks again and one that stays does not.
    """
    return max((number for number, factor in enumerate(factors) if value >= threshold * factor), default=None)


def parse_quiet(text: str) -> tuple[time, time] | None:
    """Quiet hours such as ``22:00-07:00``; None when empty. Raises ValueError with one sentence."""
    if not text.strip():
        return None
    first, _, last = text.partition("-")
    try:
        return time.fromisoformat(first.strip()), time.fromisoformat(last.strip())
    except ValueError:
        raise ValueError(
            "The setting TMS_ALARM_QUIET is wrong: write two times of the day, such as 22:00-07:00."
        ) from None


def after_quiet(now: datetime, quiet: tuple[time, time] | None) -> datetime:
    """When something that is not urgent may leave: now, or the end of the quiet hours that now lies in."""
    if quiet is None or quiet[0] == quiet[1]:
        return now
    begin, end = quiet
    clock = now.timetz().replace(tzinfo=None)
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside:
        return now
    day = now.date() + timedelta(days=1) if begin > end and clock >= begin else now.date()
    return datetime.combine(day, end, tzinfo=now.tzinfo)
