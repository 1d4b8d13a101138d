"""Writes a term as the files that ops would drop: workbooks, a Google Forms export and a Microsoft Forms export."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import groupby
from pathlib import Path

import xlsxwriter

from tms_pipeline.examples.cells import Cell, ErrorCell
from tms_pipeline.examples.layout import ALL, Sheet, sheets, typed_rows
from tms_pipeline.examples.term import Term

_WIDTH = 18


def write_term(term: Term, folder: Path, *, stage: str = ALL) -> list[Path]:
    """Write the files of a stage (``setup``, ``results`` or ``all``) and return them in file-name order.

    The same term gives the same bytes. Rows are streamed, so memory does not grow with the term.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for file, together in groupby(sheets(stage), key=lambda sheet: sheet.file):
        path = folder / file
        parts = list(together)
        if parts[0].is_csv:
            _write_csv(path, parts[0], term)
        else:
            _write_workbook(path, parts, term)
        paths.append(path)
    return paths


def _write_workbook(path: Path, parts: list[Sheet], term: Term) -> None:
    # in_memory is off and constant_memory on: one row at a time is held, the rest lies in a temporary file.
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                                    "default_date_format": "dd/mm/yyyy"}) as book:
        # The wall clock must not come into the bytes.
        book.set_properties({"created": datetime(term.today.year, term.today.month, term.today.day),
                             "author": "Hawker Boys (made up)"})
        formats = {"bold": book.add_format({"bold": True}), "time": book.add_format({"num_format": "hh:mm"}),
                   "date": book.add_format({"num_format": "dd/mm/yyyy"})}
        for sheet in parts:
            _write_sheet(book.add_worksheet(sheet.name), sheet, term, formats)


def _write_sheet(page: xlsxwriter.worksheet.Worksheet, sheet: Sheet, term: Term,
                 formats: dict[str, xlsxwriter.format.Format]) -> None:
    page.set_column(0, len(sheet.columns) - 1, _WIDTH)
    for row, title in enumerate(sheet.titles):
        page.write_string(row, 0, title, formats["bold"])
    for index, column in enumerate(sheet.columns):
        page.write_string(sheet.heading_row - 1, index, column.heading, formats["bold"])
    for number, plan, cells in typed_rows(sheet, term):
        if plan.hidden:
            page.set_row(number - 1, None, None, {"hidden": True})
        for index, cell in enumerate(cells):
            _write_cell(page, number - 1, index, cell, formats)


def _write_cell(page: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: Cell,
                formats: dict[str, xlsxwriter.format.Format]) -> None:
    if cell is None:
        return
    if isinstance(cell, ErrorCell):
        page.write_formula(row, column, cell.formula, None, cell.shown)
    elif isinstance(cell, str):
        page.write_string(row, column, cell)
    elif isinstance(cell, time):
        page.write_datetime(row, column, cell, formats["time"])
    elif isinstance(cell, date):
        page.write_datetime(row, column, cell, formats["date"])
    else:
        page.write_number(row, column, cell)


def _write_csv(path: Path, sheet: Sheet, term: Term) -> None:
    # Google quotes every value and ends lines with LF; Microsoft writes a byte order mark and ends them with CRLF.
    encoding, ending = ("utf-8-sig", "\r\n") if sheet.bom else ("utf-8", "\n")
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out, lineterminator=ending, quoting=csv.QUOTE_MINIMAL if sheet.bom else csv.QUOTE_ALL)
        writer.writerows(_microsoft_rows(sheet, term) if sheet.bom else _google_rows(sheet, term))


def _google_rows(sheet: Sheet, term: Term) -> Iterator[list[Cell]]:
    yield [column.heading for column in sheet.columns]
    for _, _, cells in typed_rows(sheet, term):
        yield cells


def _microsoft_rows(sheet: Sheet, term: Term) -> Iterator[list[Cell]]:
    """Microsoft puts its own columns first: a running number, and for an open form nobody's e-mail and name."""
    headings: list[Cell] = [column.heading for column in sheet.columns]
    yield ["ID", *headings[:2], "Email", "Name", *headings[2:]]
    for index, (_, _, cells) in enumerate(typed_rows(sheet, term), start=1):
        yield [index, *cells[:2], "anonymous", None, *cells[2:]]
