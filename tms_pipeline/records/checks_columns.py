"""Canonical text columns as numbers, so that checks compare whole columns at once.

A column is factorised once: what is parsed is each different value, not each row, and the rows only look it up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

#: What a missing or unreadable date or time looks like as a number: below every real one.
NOTHING = -1


def mask(rows: Any) -> Mask:
    """Whatever a comparison of columns answers, as a mask of rows."""
    return np.asarray(rows, dtype=np.bool_)


def day_number(day: date) -> int:
    """A date as the whole number YYYYMMDD, in which dates keep their order."""
    return day.year * 10_000 + day.month * 100 + day.day


def _day_number_of(text: str) -> int:
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        return NOTHING


def _minute_of(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        return NOTHING
    return int(hours[:2]) * 60 + int(minutes[:2])


def number_of(text: str) -> float:
    """The number that a canonical text stands for, or NaN if it stands for none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


class Columns:
    """The columns of one frame as numbers and masks, each worked out once and kept."""

    def __init__(self, frame: pd.DataFrame, today: date) -> None:
        self.frame = frame
        self.today = today
        self.size = len(frame)
        self._codes: dict[str, tuple[npt.NDArray[np.intp], list[str]]] = {}
        self._looked_up: dict[tuple[str, object], npt.NDArray[Any]] = {}

    def codes(self, name: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """For each row the place of its value in the list of different values; -1 where there is none."""
        if name not in self._codes:
            self._codes[name] = codes_of(self.frame[name])
        return self._codes[name]

    def look_up(self, name: str, of: Callable[[str], Any], nothing: Any, dtype: Any) -> npt.NDArray[Any]:
        """``of`` each different value, spread over the rows; ``nothing`` where there is no value."""
        if (name, of) not in self._looked_up:
            codes, values = self.codes(name)
            # The last entry answers the code -1, which numpy reads as "the last one".
            table = np.array([*map(of, values), nothing], dtype=dtype)
            self._looked_up[name, of] = table[codes]
        return self._looked_up[name, of]

    def days(self, name: str) -> Whole:
        """A date column as YYYYMMDD, NOTHING where there is none."""
        return self.look_up(name, _day_number_of, NOTHING, np.int64)

    def minutes(self, name: str) -> Whole:
        """A time column as minutes of the day, NOTHING where there is none."""
        return self.look_up(name, _minute_of, NOTHING, np.int64)

    def numbers(self, name: str) -> Real:
        """An integer, amount or hours column; NaN where there is none, so that every comparison is false."""
        return self.look_up(name, number_of, np.nan, np.float64)

    def given(self, name: str) -> Mask:
        """The rows that hold a value; an empty text is none."""
        if name in self._codes:
            return self.look_up(name, bool, False, np.bool_)
        values = self.frame[name].to_numpy(dtype=object)
        return mask(pd.notna(values) & (values != ""))

    def missing(self, name: str) -> Mask:
        """The rows that hold no value."""
        return ~self.given(name)

    def one_of(self, name: str, wanted: Collection[str]) -> Mask:
        """The rows whose value is one of ``wanted``."""
        codes, values = self.codes(name)
        return mask(np.array([value in wanted for value in values] + [False])[codes])

    def both_days(self, first: str, second: str) -> Mask:
        """The rows that hold both dates."""
        return mask((self.days(first) != NOTHING) & (self.days(second) != NOTHING))

    def after_today(self, name: str, days: int = 0) -> Mask:
        """The rows whose date is later than today and ``days`` more."""
        return mask(self.days(name) > day_number(self.today + timedelta(days=days)))


def codes_of(series: pd.Series[Any]) -> tuple[npt.NDArray[np.intp], list[str]]:
    """The codes and different values of a column of texts; anything that is no text counts as missing."""
    codes, values = pd.factorize(series.to_numpy(dtype=object))
    texts = [value if isinstance(value, str) else "" for value in values]
    return codes, texts
