"""How single values look in a page and in plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tms_pipeline.compliance.calendar import SINGAPORE
from tms_pipeline.compliance.finding import day_words
from tms_pipeline.reports.document import Share

# What a spreadsheet program may take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def show(value: object) -> str:
    """A value as a page shows it; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Share):
        # What is nearly all or nearly nothing is not called all or nothing.
        nearly = 0 < value < 1 and round(100 * value) in (0, 100)
        return f"{100 * value:.1f} %" if nearly else f"{100 * value:.0f} %"
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, Decimal):
        return f"S${value:,.2f}"
    if isinstance(value, datetime):
        local = value.astimezone(SINGAPORE)
        return f"{day_words(local)}, {local:%H:%M}"
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        raise TypeError("a page shows single values")
    return str(value)


def plain(value: Any) -> Any:
    """A value as JSON holds it: numbers as numbers, days and moments as ISO text."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Share):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return (value.astimezone(SINGAPORE) if value.tzinfo else value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return value


def csv_cell(value: Any) -> Any:
    """A value as CSV holds it; text that a spreadsheet program would run begins with an apostrophe."""
    value = plain(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value
