"""Clock: times of day in the forms that people type."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from tms_pipeline.intake.grid import Cell
from tms_pipeline.intake.readings import Reading, clean
from tms_pipeline.records.field import Field

_TWELVE = re.compile(
    r"(\d{1,2})(?:\s*[:.]\s*(\d{2}))?(?:\s*[:.]\s*(\d{2})(?:\.\d+)?)?\s*([ap])\.?\s*m\.?", re.IGNORECASE
)
_TWENTY_FOUR = re.compile(
    r"(\d{1,2})\s*[:.h]\s*(\d{2})(?:\s*[:.]\s*(\d{2})(?:\.\d+)?)?\s*(?:hrs?|h)?\.?", re.IGNORECASE
)
_FOUR_DIGITS = re.compile(r"(\d{1,2})(\d{2})\s*(?:hrs?|h)?\.?", re.IGNORECASE)
_WORDS = {"noon": "12:00:00", "12 noon": "12:00:00", "12noon": "12:00:00", "midnight": "00:00:00"}


def read_clock(text: str) -> str | None:
    """HH:MM:SS of a time of day as text, or None."""
    text = clean(text)
    if len(text) > 30 or not text.isascii():
        return None
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    if found := _TWELVE.fullmatch(text):
        hour = int(found[1])
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4].lower() == "p" else 0)
        return _said(hour, int(found[2] or 0), int(found[3] or 0))
    if found := _TWENTY_FOUR.fullmatch(text) or _FOUR_DIGITS.fullmatch(text):
        second = found[3] if found.re is _TWENTY_FOUR else None
        return _said(int(found[1]), int(found[2]), int(second or 0))
    return None


def _said(hour: int, minute: int, second: int) -> str | None:
    return f"{hour:02d}:{minute:02d}:{second:02d}" if hour < 24 and minute < 60 and second < 60 else None


def read_time(_: Field, value: Cell) -> Reading:
    """HH:MM. Spreadsheet times, fractions of a day, 0900 typed as a number, and text."""
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        # Half a minute up, as the cell shows it: fractions of a day end in 59.9999 seconds.
        minutes = min(value.hour * 60 + value.minute + (value.second >= 30), 1439)
        return Reading(f"{minutes // 60:02d}:{minutes % 60:02d}")
    if isinstance(value, (bool, date)) or value is None:
        return Reading(None, "TIME_UNREADABLE")
    if isinstance(value, float) and 0 <= value < 1:
        minutes = min(round(value * 1440), 1439)
        return Reading(f"{minutes // 60:02d}:{minutes % 60:02d}")
    if isinstance(value, (int, float)):
        if not (float(value).is_integer() and 100 <= value < 2400):
            return Reading(None, "TIME_UNREADABLE")
        value = f"{int(value):04d}"
    said = read_clock(value)
    return Reading(said[:5]) if said else Reading(None, "TIME_UNREADABLE")
