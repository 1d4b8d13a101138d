"""Session dates: which session of its run a column means that bears only a date. Never guessed: one fits, or none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from tms_pipeline.intake.dates import _MONTHS, DMY, MDY
from tms_pipeline.intake.grid import Cell
from tms_pipeline.intake.mappings import KnownSession

_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[,.]?\s+", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})(?:\s*[/.-]\s*(\d{4}|\d{2}))?\b")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_WORDS = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?\s*[ /.-]?\s*([a-z]{3,9})\.?(?:\s*[ /.,'-]?\s*(\d{4}|\d{2}))?\b", re.IGNORECASE
)
_HALF = re.compile(r"\b(am|pm|morning|afternoon|evening)\b", re.IGNORECASE)
NOON = "12:00"


@dataclass(frozen=True, kw_only=True)
class HeadingDate:
    """The date of a heading as far as it goes: day and month by order, the year if it is there, AM or PM."""

    by_order: Mapping[str, tuple[int, int]]  # order: (day, month)
    year: int | None = None
    half: str | None = None

    def means(self, session: KnownSession, order: str) -> bool:
        """Whether that session lies on this date."""
        if (session.day.day, session.day.month) != self.by_order.get(order):
            return False
        if self.year is not None and session.day.year != self.year:
            return False
        return self.half is None or (session.start < NOON) == (self.half == "am")


@dataclass(kw_only=True)
class Matched:
    """Heading to session number for one run, and the headings that name none or several."""

    numbers: dict[int, int] = field(default_factory=dict)
    unclear: dict[int, tuple[KnownSession, ...]] = field(default_factory=dict)


def date_of_heading(cell: Cell) -> HeadingDate | None:
    """The date in a heading such as '14/9', 'Mon 14 Sep PM', '2026-09-14' or a true date; None without one."""
    if isinstance(cell, (datetime, date)):
        return HeadingDate(by_order=dict.fromkeys((DMY, MDY), (cell.day, cell.month)), year=cell.year)
    if not isinstance(cell, str):
        return None
    text = _WEEKDAY.sub("", unicodedata.normalize("NFKC", cell).strip())
    half = _HALF.search(text)
    said = ("am" if half[1].lower() in ("am", "morning") else "pm") if half else None
    if found := _YEAR_FIRST.match(text):
        both = (int(found[3]), int(found[2]))
        return HeadingDate(by_order=dict.fromkeys((DMY, MDY), both), year=int(found[1]), half=said)
    if found := _WORDS.match(text):
        month = _MONTHS.get(found[2].casefold()[:3])
        if month is not None:
            return HeadingDate(
                by_order=dict.fromkeys((DMY, MDY), (int(found[1]), month)), year=_year(found[3]), half=said
            )
    if found := _NUMBERS.match(text):
        first, second = int(found[1]), int(found[2])
        orders = {DMY: (first, second)} if second <= 12 else {}
        if first <= 12:
            orders[MDY] = (second, first)
        return HeadingDate(by_order=orders, year=_year(found[3]), half=said)
    return None


def _year(text: str | None) -> int | None:
    return None if text is None else int(text) if len(text) == 4 else 2000 + int(text)


def date_of_day(number: int, half: str | None, sessions: Iterable[KnownSession]) -> HeadingDate:
    """The date of the run's first, second, … day with sessions; one that fits nothing where the run has fewer days."""
    days = sorted({session.day for session in sessions})
    if not 1 <= number <= len(days):
        return HeadingDate(by_order=dict.fromkeys((DMY, MDY), (0, 0)))
    day = days[number - 1]
    return HeadingDate(by_order=dict.fromkeys((DMY, MDY), (day.day, day.month)), year=day.year, half=half)


def match(headings: Mapping[int, HeadingDate], sessions: Sequence[KnownSession]) -> Matched:
    """The sessions of one run that the headings (by column) mean, all read in one order of day and month.

    An order counts when each heading then names exactly one session and no two the same; when both orders would
    do, and differ, nothing is matched.
    """
    orders = [order for order in (DMY, MDY) if all(order in heading.by_order for heading in headings.values())]
    if not orders:
        return Matched(unclear=dict.fromkeys(headings, tuple(sessions)))
    tries = [_in_order(headings, sessions, order) for order in orders]
    whole = [found for found in tries if not found.unclear]
    if whole and all(found.numbers == whole[0].numbers for found in whole):
        return whole[0]
    if whole:
        return Matched(unclear=dict.fromkeys(headings, tuple(sessions)))
    return max(tries, key=lambda found: len(found.numbers))


def _in_order(headings: Mapping[int, HeadingDate], sessions: Sequence[KnownSession], order: str) -> Matched:
    found = Matched()
    for column, heading in headings.items():
        meant = tuple(session for session in sessions if heading.means(session, order))
        if len(meant) == 1:
            found.numbers[column] = meant[0].number
        else:
            found.unclear[column] = meant or tuple(sessions)
    numbers = list(found.numbers.values())
    for column, number in list(found.numbers.items()):
        if numbers.count(number) > 1:  # two columns of one session, of which neither can be the other
            found.unclear[column] = tuple(session for session in sessions if session.number == number)
            del found.numbers[column]
    return found


def in_words(sessions: Iterable[KnownSession], most: int = 6) -> str:
    """Sessions for a sentence."""
    listed = list(sessions)
    words = [f"session {item.number} is on {item.day.day} {item.day:%b %Y} at {item.start}" for item in listed[:most]]
    if len(listed) > most:
        words.append(f"and {len(listed) - most} more")
    return "; ".join(words) or "we know of no session of it yet"
