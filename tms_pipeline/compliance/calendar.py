"""Days as Singapore counts them: the day of a moment, public holidays, working days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

SINGAPORE = ZoneInfo("Asia/Singapore")


def singapore_day(moment: datetime) -> date:
    """The day in Singapore of a moment with a time zone: its last minute still belongs to it."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone belongs to no day")
    return moment.astimezone(SINGAPORE).date()


@cache
def public_holidays(years: tuple[int, ...]) -> frozenset[date]:
    """Singapore's public holidays of these years, days in lieu included (package ``holidays``)."""
    import holidays

    return frozenset(holidays.country_holidays("SG", years=list(years)))


def off_day(day: date) -> str:
    """What makes the day one on which offices are closed in Singapore: a public holiday, a weekend; else nothing.

    A last day that falls on one is not moved: no source says that it is.
    """
    if day in public_holidays((day.year,)):
        return "a public holiday"
    return ("a Saturday", "a Sunday")[day.weekday() - 5] if day.weekday() > 4 else ""


def add_working_days(day: date, count: int, holidays: Iterable[date]) -> date:
    """The day that many working days (Monday to Friday, no public holiday) after the day; before it when negative."""
    off = frozenset(holidays)
    step = timedelta(days=1 if count >= 0 else -1)
    left = abs(count)
    while left:
        day += step
        if day.weekday() < 5 and day not in off:
            left -= 1
    return day
