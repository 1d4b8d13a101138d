"""Dates: one order of day and month per column, proven by the whole column or by its heading, never guessed by cell.

Two-digit years: 00 to 79 are 2000 to 2079, 80 to 99 are 1980 to 1999; birth years are those not after this year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import NamedTuple

from tms_pipeline.intake.clock import read_clock
from tms_pipeline.intake.grid import Cell
from tms_pipeline.intake.readings import _DASHES, Reading, clean

FIRST_YEAR, LAST_YEAR = 1900, 2100
EPOCH_1900, EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)
# Serial numbers of 1910 and 2099: plain numbers outside are no dates (2026 is a year, 91234567 a phone).
SERIAL_FROM, SERIAL_TO = 3_654, 73_050
DMY, MDY, YMD = "DMY", "MDY", "YMD"
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_FULL = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAY = re.compile(r"^(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?[,.]?\s+", re.IGNORECASE)
_TIME_AFTER = re.compile(
    r"[T ,]+(\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:\.\d{1,9})?)?\s*(?:[ap]\.?m\.?)?)\s*"
    r"(?:Z|(?:GMT|UTC|SGT)?\s*(?:[+-]\d{1,2}(?::?\d{2})?)?)?$",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})")
_DAY_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s\-/.,]*([a-z]{3,9})\.?[\s\-/.,']*(\d{4}|\d{2})", re.IGNORECASE)
_WORD_DAY = re.compile(r"([a-z]{3,9})\.?[\s\-/.]*(\d{1,2})(?:st|nd|rd|th)?[\s,\-/.]+(\d{4}|\d{2})", re.IGNORECASE)
# A date whose cell was formatted as a number or as text, such as 46266: five digits are no date in any other form.
_SERIAL_TEXT = re.compile(r"[0-9]{5}(?:\.[0-9]{1,12})?")
# Time stamps of forms in other languages: 2026/9/13 下午2:03:11, 13/09/2026 2:03:11 PTG.
_HALF_FIRST = re.compile(r"(上午|下午|午前|午後|오전|오후)\s*([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)")
_HALVES = {"上午": "am", "午前": "am", "오전": "am", "下午": "pm", "午後": "pm", "오후": "pm"}
_HALF_MALAY = re.compile(r"\s(PG|PTG)$", re.IGNORECASE)
_COMPACT = re.compile(r"(\d{2})(\d{2})(\d{2})(\d{2})")


class Parsed(NamedTuple):
    """A date cell taken apart: certain (``day``), or two numbers whose order the column must prove."""

    day: date | None = None
    pair: tuple[int, int, int] | None = None
    clock: str = "00:00:00"
    code: str | None = None
    real: bool = False


@dataclass(kw_only=True)
class Order:
    """What a column proves. ``stated`` comes from its heading or a mapping and wins."""

    stated: str | None = None
    dmy: list[int] = field(default_factory=list)
    mdy: list[int] = field(default_factory=list)

    @property
    def proven(self) -> str | None:
        """DMY or MDY, or None when nothing or both are proven."""
        if self.stated in (DMY, MDY):
            return self.stated
        if self.dmy and not self.mdy:
            return DMY
        return MDY if self.mdy and not self.dmy else None


def parse(value: Cell, *, birth: bool = False, epoch_1904: bool = False) -> Parsed:
    """A cell taken apart, without deciding an order. Never raises."""
    if isinstance(value, datetime):
        return _in_range(value.date(), f"{value:%H:%M:%S}", real=True)
    if isinstance(value, date):
        return _in_range(value, real=True)
    if isinstance(value, bool) or value is None or isinstance(value, time):
        return Parsed(code="DATE_UNREADABLE")
    if isinstance(value, (int, float)):
        return _of_number(value, birth=birth, epoch_1904=epoch_1904)
    text = clean(value)
    if _SERIAL_TEXT.fullmatch(text) and SERIAL_FROM <= float(text) <= SERIAL_TO:
        return _of_number(float(text), birth=birth, epoch_1904=epoch_1904)
    return _of_text(text, birth=birth)


def _in_range(day: date, clock: str = "00:00:00", *, real: bool = False) -> Parsed:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return Parsed(code="DATE_OUT_OF_RANGE")
    return Parsed(day=day, clock=clock, real=real)


def _of_number(value: float, *, birth: bool, epoch_1904: bool) -> Parsed:
    if isinstance(value, int) and len(str(abs(value))) in (7, 8):
        return _of_text(f"{value:08d}", birth=birth)
    if not SERIAL_FROM <= value <= SERIAL_TO:
        return Parsed(code="DATE_UNREADABLE")
    days = int(value)
    seconds = min(round((value - days) * 86_400), 86_399)
    clock = f"{datetime.min + timedelta(seconds=seconds):%H:%M:%S}"
    return _in_range((EPOCH_1904 if epoch_1904 else EPOCH_1900) + timedelta(days=days), clock)


def _of_text(text: str, *, birth: bool) -> Parsed:
    if len(text) > 60:
        return Parsed(code="DATE_UNREADABLE")
    text = _WEEKDAY.sub("", _DASHES.sub("-", text).lstrip("'")).strip()
    text = _HALF_FIRST.sub(lambda found: f"{found[2]} {_HALVES[found[1]]}", text)
    text = _HALF_MALAY.sub(lambda found: " pm" if found[1].upper() == "PTG" else " am", text)
    clock = "00:00:00"
    after = _TIME_AFTER.search(text)
    if after and (said := read_clock(after[1])) is not None:
        text, clock = text[: after.start()].rstrip(" ,"), said
    if not text.isascii():
        return Parsed(code="DATE_UNREADABLE")
    if found := _YEAR_FIRST.fullmatch(text):
        return _certain(int(found[1]), int(found[2]), int(found[3]), clock)
    if found := _NUMERIC.fullmatch(text):
        return _pair(int(found[1]), int(found[2]), _year(found[3], birth), clock)
    if found := _COMPACT.fullmatch(text):
        if found[1] in ("19", "20") and _exists(int(found[1] + found[2]), int(found[3]), int(found[4])):
            return _certain(int(found[1] + found[2]), int(found[3]), int(found[4]), clock)
        return _pair(int(found[1]), int(found[2]), int(found[3] + found[4]), clock)
    if found := _DAY_WORD.fullmatch(text):
        day, month, year = found[1], found[2], found[3]
    elif found := _WORD_DAY.fullmatch(text):
        month, day, year = found[1], found[2], found[3]
    else:
        return Parsed(code="DATE_UNREADABLE")
    number = _month(month)
    if number is None:
        return Parsed(code="DATE_UNREADABLE")
    return _certain(_year(year, birth), number, int(day), clock)


def _month(word: str) -> int | None:
    """The month that a word or its beginning of three letters or more names."""
    word = word.casefold()
    number = _MONTHS.get(word[:3])
    return number if number and (_FULL[number - 1].startswith(word) or word == "sept") else None


def _year(text: str, birth: bool) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    pivot = date.today().year % 100 if birth else 79
    return 2000 + year if year <= pivot else 1900 + year


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _certain(year: int, month: int, day: int, clock: str) -> Parsed:
    if not _exists(year, month, day):
        return Parsed(code="DATE_IMPOSSIBLE")
    return _in_range(date(year, month, day), clock)


def _pair(first: int, second: int, year: int, clock: str) -> Parsed:
    if not 1 <= year <= MAXYEAR or not FIRST_YEAR <= year <= LAST_YEAR:
        return Parsed(code="DATE_OUT_OF_RANGE")
    if not _exists(year, second, first) and not _exists(year, first, second):
        return Parsed(code="DATE_IMPOSSIBLE")
    return Parsed(pair=(first, second, year), clock=clock)


def prove(parsed: Iterable[tuple[int, Parsed]], stated: str | None = None) -> Order:
    """What the cells, each with its row number, prove about the order of their column."""
    order = Order(stated=stated)
    for row, cell in parsed:
        if cell.pair:
            first, second, _ = cell.pair
            if first > 12 >= second:
                order.dmy.append(row)
            elif second > 12 >= first:
                order.mdy.append(row)
    return order


def settle(cell: Parsed, order: Order, *, personal: bool, moment: bool = False) -> Reading:
    """The canonical date (or moment) of a cell in a column of that order."""
    if cell.code:
        return Reading(None, cell.code)
    day = cell.day
    if cell.pair:
        first, second, year = cell.pair
        if first == second:
            day = date(year, first, second)
        elif order.proven is None:
            return _unsettled(cell.pair, order, personal=personal)
        else:
            month, number = (second, first) if order.proven == DMY else (first, second)
            if not _exists(year, month, number):
                return Reading(None, "DATE_IMPOSSIBLE")
            day = date(year, month, number)
    if day is None:
        return Reading(None, "DATE_UNREADABLE")
    return Reading(f"{day.isoformat()}T{cell.clock}" if moment else day.isoformat())


def _unsettled(pair: tuple[int, int, int], order: Order, *, personal: bool) -> Reading:
    if order.dmy and order.mdy:
        return Reading(None, "DATE_ORDER_MIXED", {"dmy": _few(order.dmy), "mdy": _few(order.mdy)})
    if personal:
        return Reading(None, "DATE_ORDER_UNPROVEN_PERSONAL")
    first, second, year = pair
    readings = [
        f"{date(year, month, day).day} {date(year, month, day):%b %Y}"
        for day, month in ((first, second), (second, first))
        if _exists(year, month, day)
    ]
    return Reading(None, "DATE_ORDER_UNPROVEN", {"first": readings[0], "second": readings[-1]})


def _few(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:3])) + (" …" if len(rows) > 3 else "")
