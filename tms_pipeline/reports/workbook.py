"""A workbook as all reports make it: text stays text, a Summary first, tables that filter, sort and print well."""

from __future__ import annotations

import csv
import os
from collections.abc import Generator, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

import xlsxwriter

from tms_pipeline.compliance.calendar import SINGAPORE
from tms_pipeline.reports.document import Column, Document, Share, Table
from tms_pipeline.reports.values import csv_cell
from tms_pipeline.reports.words import SIGNS

# What a person still scrolls through, and a spreadsheet program still opens at once; the whole is in a CSV beside it.
LONGEST_SHEET = 50_000
# Excel's own limit of a cell.
_LONGEST_TEXT = 32_000
_LINE_HEIGHT, _MOST_LINES = 13.5, 12
_WIDEST_A4 = 230
_FILLS = {
    "missed": ("#A4161A", "#FFFFFF"), "breach": ("#A4161A", "#FFFFFF"), "near": ("#FFE08A", "#000000"),
    "warning": ("#FFE08A", "#000000"), "met late": ("#E4D9F5", "#000000"),
}  # fmt: skip


def write_workbook(document: Document, path: Path, *, longest: int = LONGEST_SHEET) -> list[Path]:
    """Write the document as a workbook; returns the CSV files that were written beside it for its longest tables.

    ``longest`` is how many rows a sheet may have. A CSV is named like the workbook and the table, and is removed when
    the table fits.
    """
    beside: list[Path] = []
    with Book(
        path, title=document.title, provider=document.provider, today=document.today, made_at=document.made_at
    ) as book:
        small = [(table.caption, table.columns, table.rows()) for table in document.tables if table.small]
        figures = [(tile.label, tile.value) for tile in document.tiles]
        head = [("Figures", (Column("What"), Column("Count")), figures)] if figures else []
        book.summary(document.lines, [*head, *small])
        for table in document.tables:
            if not table.small and (
                whole := book.table(table, path.with_name(f"{document.name}-{table.slug}.csv"), longest)
            ):
                beside.append(whole)
    return beside


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
        self._share = make({**plain, "num_format": "0.0 %"})
        self._number = make({**plain, "num_format": "#,##0.0"})
        self._money = make({**plain, "num_format": '"S$"#,##0.00'})
        self._date = make({**plain, "num_format": "d mmm yyyy", "align": "left", "indent": 1})
        self._moment = make({**plain, "num_format": "d mmm yyyy hh:mm", "align": "left", "indent": 1})
        self._standing = {
            word: make({**plain, "bold": True, "bg_color": fill, "font_color": ink, "indent": 1})
            for word, (fill, ink) in _FILLS.items()
        }

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._book.close()

    def summary(
        self, intro: Sequence[str], sections: Iterable[tuple[str, Sequence[Column], Iterable[Sequence[Any]]]]
    ) -> None:
        """The first sheet: what this is, as of when, and small tables (title, columns, rows)."""
        sheet = self._book.add_worksheet("Summary")
        sheet.set_column(0, 0, 38)
        sheet.set_column(1, 12, 16)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, self.title, self._title)
        row = 1
        for line in (self.provider, f"As of {self.today.day} {self.today:%B %Y} (Singapore)", *intro):
            sheet.write_string(row, 0, line, self._text)
            row += 1
        for title, columns, rows in sections:
            row += 1
            sheet.write_string(row, 0, title, self._section)
            row += 1
            for number, column in enumerate(columns):
                sheet.write_string(row, number, column.title, self._head)
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

    def table(self, table: Table, whole: Path, longest: int) -> Path | None:
        """A sheet with one table. Past ``longest`` rows all of them are in ``whole``, which is then returned."""
        columns = table.columns
        sheet = self._sheet(table.name, columns)
        wrapping = [number for number, column in enumerate(columns) if column.wrap]
        rows = iter(table.rows())
        row, more = 0, False
        for values in rows:
            if row == longest:
                more = True
                break
            row += 1
            lines = max((_lines(values[number], columns[number].width) for number in wrapping), default=1)
            if lines > 1:
                sheet.set_row(row, _LINE_HEIGHT * lines)
            for number, value in enumerate(values):
                self._write(sheet, row, number, value, self._wrapped if columns[number].wrap else self._indented)
        sheet.autofilter(0, 0, max(row, 1), len(columns) - 1)
        if not row:
            sheet.write_string(1, 0, table.empty, self._text)
        if not more:
            whole.unlink(missing_ok=True)
            return None
        if isinstance(rows, Generator):
            rows.close()
        fresh = whole.with_name(f".{whole.name}.part")
        total = write_csv(table, fresh)
        os.replace(fresh, whole)
        note = f"The first {longest:,} of {total:,} rows; all of them are in {whole.name}."
        sheet.write_string(row + 1, 0, note, self._text)
        return whole

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
        elif isinstance(value, float):
            sheet.write_number(row, column, value, self._share if isinstance(value, Share) else self._number)
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


def write_csv(table: Table, path: Path) -> int:
    """Write all rows of a table as CSV; returns how many."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.title for column in table.columns])
        for values in table.rows():
            writer.writerow([csv_cell(value) for value in values])
            count += 1
    return count


def _lines(value: Any, width: int) -> int:
    """How many lines a wrapped text takes in a column of that width, roughly and rather more."""
    if not isinstance(value, str):
        return 1
    lines = sum(-(-len(part) * 11 // (width * 10)) or 1 for part in value.split("\n"))
    return min(lines, _MOST_LINES)
