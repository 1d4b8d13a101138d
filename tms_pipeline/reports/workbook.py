"""A workbook as all reports make it: text stays text, a Summary first, tables that filter, sort and print well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import xlsxwriter

from tms_pipeline.compliance.calendar import SINGAPORE
from tms_pipeline.reports.words import SIGNS

# Excel's own limits: rows of a sheet, characters of a cell.
LAST_ROW = 1_048_576
_LONGEST_TEXT = 32_000
_LINE_HEIGHT, _MOST_LINES = 13.5, 12
_WIDEST_A4 = 230
_FILLS = {
    "missed": ("#A4161A", "#FFFFFF"), "breach": ("#A4161A", "#FFFFFF"), "near": ("#FFE08A", "#000000"),
    "warning": ("#FFE08A", "#000000"), "met late": ("#E4D9F5", "#000000"),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, its width in characters and whether its text wraps."""

    title: str
    width: int = 14
    wrap: bool = False


class Book:
    """One workbook. Strings are never formulas or links, whatever they begin with."""

    def __init__(self, path: Path, *, title: str, provider: str, today: date, made_at: datetime) -> None:
        """Open the file; nothing is on disk before ``close``."""
        self.title, self.provider, self.today = title, provider, today
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "constant_memory": True,
                "default_date_format": "d mmm yyyy",
            },
        )
        self._book.set_properties(
            {"title": f"{title}, {provider}", "author": "TMS pipeline", "created": made_at}
        )
        plain = {"valign": "top", "font_size": 10}
        make = self._book.add_format
        self._head = make({"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True,
                           "valign": "vcenter", "border": 1})  # fmt: skip
        self._title = make({"bold": True, "font_size": 16})
        self._section = make({"bold": True, "font_size": 12, "bottom": 1})
        self._text = make(plain)
        self._wrapped = make({**plain, "text_wrap": True, "indent": 1})
        self._indented = make({**plain, "indent": 1})
        self._whole = make({**plain, "num_format": "#,##0"})
        self._money = make({**plain, "num_format": '"S$"#,##0.00'})
        self._date = make({**plain, "num_format": "d mmm yyyy", "align": "left"})
        self._moment = make({**plain, "num_format": "d mmm yyyy hh:mm", "align": "left"})
        self._standing = {
            word: make({**plain, "bold": True, "bg_color": fill, "font_color": ink})
            for word, (fill, ink) in _FILLS.items()
        }

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._book.close()

    def summary(
        self, intro: Sequence[str], sections: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]
    ) -> None:
        """The first sheet: what this is, as of when, and small tables (title, headings, rows)."""
        sheet = self._book.add_worksheet("Summary")
        sheet.set_column(0, 0, 38)
        sheet.set_column(1, 12, 16)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, self.title, self._title)
        row = 1
        for line in (self.provider, f"As of {self.today.day} {self.today:%B %Y} (Singapore)", *intro):
            sheet.write_string(row, 0, line, self._text)
            row += 1
        for title, headings, rows in sections:
            row += 1
            sheet.write_string(row, 0, title, self._section)
            row += 1
            for number, heading in enumerate(headings):
                sheet.write_string(row, number, heading, self._head)
            row += 1
            empty = True
            for values in rows:
                for number, value in enumerate(values):
                    self._write(sheet, row, number, value, self._indented if number else self._text)
                row += 1
                empty = False
            if empty:
                sheet.write_string(row, 0, "Nothing.", self._text)
                row += 1

    def table(self, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
        """A sheet with one table; past Excel's last row it goes on in a sheet "… 2". Returns the number of rows."""
        sheet = self._sheet(name, columns)
        row, sheets, total = 0, 1, 0
        wrapping = [number for number, column in enumerate(columns) if column.wrap]
        for values in rows:
            if row + 1 >= LAST_ROW:
                sheet.autofilter(0, 0, row, len(columns) - 1)
                sheets += 1
                sheet, row = self._sheet(f"{name} {sheets}", columns), 0
            row += 1
            total += 1
            lines = max((_lines(values[number], columns[number].width) for number in wrapping), default=1)
            if lines > 1:
                sheet.set_row(row, _LINE_HEIGHT * lines)
            for number, value in enumerate(values):
                self._write(sheet, row, number, value, self._wrapped if columns[number].wrap else self._text)
        sheet.autofilter(0, 0, max(row, 1), len(columns) - 1)
        if not total:
            sheet.write_string(1, 0, "Nothing.", self._text)
        return total

    def _sheet(self, name: str, columns: Sequence[Column]) -> Any:
        sheet = self._book.add_worksheet(name)
        sheet.set_row(0, 30)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
            sheet.write_string(0, number, column.title, self._head)
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        # A4, and A3 for what would be too small to read there.
        sheet.set_paper(9 if sum(column.width for column in columns) < _WIDEST_A4 else 8)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def _write(self, sheet: Any, row: int, column: int, value: Any, text_format: Any) -> None:
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_string(row, column, "yes" if value else "no", text_format)
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self._whole)
        elif isinstance(value, Decimal):
            sheet.write_number(row, column, value, self._money)
        elif isinstance(value, datetime):
            local = value.astimezone(SINGAPORE).replace(tzinfo=None) if value.tzinfo else value
            sheet.write_datetime(row, column, local, self._moment)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), self._date)
        elif value in self._standing:
            sheet.write_string(row, column, f"{SIGNS[value]} {value}", self._standing[value])
        else:
            sheet.write_string(row, column, str(value)[:_LONGEST_TEXT], text_format)


def _lines(value: Any, width: int) -> int:
    """How many lines a wrapped text takes in a column of that width, roughly and rather more."""
    if not isinstance(value, str):
        return 1
    lines = sum(-(-len(part) * 11 // (width * 10)) or 1 for part in value.split("\n"))
    return min(lines, _MOST_LINES)
