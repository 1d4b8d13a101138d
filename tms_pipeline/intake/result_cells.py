"""Cells of a result workbook: ops' own values as the types that they were, coloured by what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.templates import Styles, number_format
from tms_pipeline.intake.upload_result import Cell
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.field import Field, FieldType

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

LONGEST_TEXT = 32_767
ERROR, WARNING = {"bg_color": "#FFC7CE", "font_color": "#8A0010"}, {"bg_color": "#FFEFB3"}
DATED = {FieldType.DATE, FieldType.TIME, FieldType.MOMENT}


def write_cell(
    sheet: Worksheet, styles: Styles, place: tuple[int, int], value: Cell, item: Field | None, faults: Sequence[Fault]
) -> None:
    """Write a cell as the type that it was: text never turns into a formula, a number or a link."""
    colour: dict[str, str] = {}
    if faults:
        colour = ERROR if any(fault.severity == "error" for fault in faults) else WARNING
    line, column = place
    if not faults and type(value) is str and value and (item is None or item.type not in DATED):
        sheet.write_string(line, column, clean(value), styles.text)  # by far the most cells
    elif value is None or value == "":
        if faults or number_format(item) not in {"@", "General"}:
            sheet.write_blank(line, column, None, styles.get(num_format=number_format(item), **colour))
    elif isinstance(value, bool):
        sheet.write_boolean(line, column, value, styles.get(**colour))
    elif isinstance(value, int | float | Decimal) and _exact(value):
        sheet.write_number(line, column, value, styles.get(**colour))
    elif isinstance(value, date | time | timedelta) and (form := _moment_format(value)):
        sheet.write_datetime(line, column, value, styles.get(num_format=form, align="left", **colour))
    else:
        # A date that is retyped should become a date again; anything else stays the text that it is.
        form = number_format(item) if item and item.type in DATED else "@"
        sheet.write_string(line, column, clean(str(value)), styles.get(num_format=form, **colour))


def clean(text: str) -> str:
    """Text that a workbook can hold: no broken characters, no longer than a cell."""
    if text.isascii() and len(text) <= LONGEST_TEXT:
        return text
    return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST_TEXT]


def height_of(*texts: tuple[str, int]) -> float:
    """The height of a row that shows all of these texts, each in a column of that width.

    Reckoned, for not every program fits wrapped rows by itself.
    """
    lines = (sum(1 + len(line) // width for line in text.split("\n")) for text, width in texts)
    return min(15.0 + 13.0 * (max(lines, default=1) - 1), 400.0)


def shown(value: Cell) -> str:
    """The value as it looks in its cell, for the width of a column."""
    return "" if value is None else value.strftime("%d/%m/%Y") if isinstance(value, date) else str(value)


def _exact(value: float | Decimal) -> bool:
    """True for a number that a cell holds as it is; longer ones are kept as text, digit by digit."""
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value) < 10**15
    return abs(value) < 10**15  # false for infinity and for what is no number


def _moment_format(value: date | time | timedelta) -> str | None:
    """How Excel shows a date or time; None for one that it cannot hold (its days begin in 1900)."""
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return None if value.year < 1900 else "dd/mm/yyyy" if midnight else "dd/mm/yyyy hh:mm"
    if isinstance(value, date):
        return None if value.year < 1900 else "dd/mm/yyyy"
    if isinstance(value, timedelta):
        return "[h]:mm:ss" if value >= timedelta(0) else None
    return "hh:mm:ss" if value.second else "hh:mm"


def by_column(headings: Sequence[str], faults: Sequence[Fault]) -> dict[int, list[Fault]]:
    """The faults of a row by the column that they name; those of the row as a whole are in none."""
    if not faults:
        return {}
    exact = {str(heading): column for column, heading in reversed(list(enumerate(headings)))}
    loose = {heading_key(str(heading)): column for column, heading in reversed(list(enumerate(headings)))}
    marked: dict[int, list[Fault]] = {}
    for fault in faults:
        if fault.column is not None:
            column = exact.get(fault.column, loose.get(heading_key(fault.column)))
            if column is not None:
                marked.setdefault(column, []).append(fault)
    return marked
