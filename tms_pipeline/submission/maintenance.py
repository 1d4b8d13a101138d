"""Maintenance windows: when SSG is not to be called, and until when. Pure.

SSG announces its downtimes case by case, so they are a setting (``SSG_MAINTENANCE``): dated or
weekly, in Singapore time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SINGAPORE = ZoneInfo("Asia/Singapore")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"(\d{2}):(\d{2})"
_WEEKLY = re.compile(rf"([a-z]{{3,5}})\s+{_TIME}\s*-\s*{_TIME}", re.IGNORECASE)
_DATED = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}})\s+{_TIME}\s*-\s*(?:(\d{{4}}-\d{{2}}-\d{{2}})\s+)?{_TIME}")
_EXAMPLE = "'Sun 02:00-06:00' or '2026-12-24 00:00-2026-12-25 06:00'"
# Windows that follow one another are one; more than so many together are a setting that never lets a call out.
_MOST_IN_A_ROW = 60


@dataclass(frozen=True)
class Weekly:
    """Every week on these days (Monday is 0) from a time of the day, for so long; it may reach into the next day."""

    days: tuple[int, ...]
    start: timedelta
    length: timedelta

    def end(self, moment: datetime) -> datetime | None:
        """The end of the window that holds the moment; its start belongs to it, its end does not."""
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for day in (midnight, midnight - timedelta(days=1)):
            begins = day + self.start
            if day.weekday() in self.days and begins <= moment < begins + self.length:
                return begins + self.length
        return None


@dataclass(frozen=True)
class Dated:
    """Once, from one moment to another."""

    start: datetime
    finish: datetime

    def end(self, moment: datetime) -> datetime | None:
        """The end of the window, if it holds the moment; its start belongs to it, its end does not."""
        return self.finish if self.start <= moment < self.finish else None


Window = Weekly | Dated


def windows_of(text: str) -> tuple[Window, ...]:
    """The windows of a setting, parted by ``;``. Raises ValueError with one sentence for one that makes no sense."""
    return tuple(_window(part.strip()) for part in text.split(";") if part.strip())


def closed_until(windows: tuple[Window, ...], moment: datetime) -> datetime | None:
    """Until when no call may be begun, in Singapore time; None outside every window."""
    here = moment.astimezone(SINGAPORE)
    until: datetime | None = None
    for _ in range(_MOST_IN_A_ROW):
        ends = [end for window in windows if (end := window.end(until or here)) is not None]
        if not ends:
            break
        until = max(ends)
    return until


def sentence(until: datetime) -> str:
    """What workers and verbs say while they wait."""
    return f"SSG is in its maintenance window until {until:%a %d %b %Y %H:%M} (Singapore); what waits is sent after it."


def _window(part: str) -> Window:
    weekly = _WEEKLY.fullmatch(part)
    if weekly:
        day = weekly[1].lower()
        start, finish = _clock(weekly[2], weekly[3], part), _clock(weekly[4], weekly[5], part)
        if day not in (*_DAYS, "daily") or start == finish or start >= timedelta(days=1):
            raise _wrong(part)
        length = finish - start if finish > start else finish + timedelta(days=1) - start
        return Weekly(tuple(range(7)) if day == "daily" else (_DAYS.index(day),), start, length)
    dated = _DATED.fullmatch(part)
    if not dated:
        raise _wrong(part)
    begins = _day(dated[1], part) + _clock(dated[2], dated[3], part)
    ends = _day(dated[4] or dated[1], part) + _clock(dated[5], dated[6], part)
    if ends <= begins:
        raise ValueError(f"'{part}' ends before it begins; write both days, such as 2026-12-24 22:00-2026-12-25 06:00")
    return Dated(begins, ends)


def _clock(hours: str, minutes: str, part: str) -> timedelta:
    found = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or found > timedelta(days=1):
        raise _wrong(part)
    return found


def _day(text: str, part: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SINGAPORE)
    except ValueError:
        raise _wrong(part) from None


def _wrong(part: str) -> ValueError:
    return ValueError(f"'{part}' is no maintenance window; write {_EXAMPLE}, parted by ;")
