"""The workbook that goes back to ops: what happened, which rows to fix, every row with its status, and guidance.

*Fix these rows* has the same headings as ops typed, in its first row, so that the corrected sheet alone can be
dropped again. It holds the ops user's own cells and therefore goes to the folder that the file came from, and
nowhere else; ``result_page`` is what may be shown to others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.templates import (
    LINE,
    Lists,
    Styles,
    fields_of,
    note_of,
    note_size,
    number_format,
    offer,
    open_book,
    print_setup,
    write_guidance,
)
from tms_pipeline.intake.upload_result import (
    ALL_SHEET,
    FIX_SHEET,
    MARK_SHEET,
    MEANINGS,
    RESULT_MARK,
    ROW_IN_FILE,
    WHAT_TO_DO,
    Cell,
    ResultRow,
    ResultTable,
    UploadResult,
    grouped,
    next_steps,
)
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.field import Field, FieldType
from tms_pipeline.records.kinds import KINDS

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet


def write_result_workbook(result: UploadResult, path: Path) -> None:
    """Write the workbook to ``path``, whole or not at all. Rows are streamed: memory does not grow with them."""
    part = path.with_name(path.name + ".part")
    try:
        writer = _Writer(part, result)
        writer.summary()
        writer.fix_sheets()
        writer.row_sheets()
        writer.finish()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# Excel holds 1,048,576 rows a sheet; a longer table goes on in another sheet.
ROWS_A_SHEET = 1_000_000
# Past so many rows of a table, those with nothing to say are counted and no longer listed: no one reads on,
# and a workbook that takes a minute to open is no help.
# Excel gets slow with many comments; the colour and "What to do" say the same on the rows after these.
COMMENTS_A_SHEET = 2000
LONGEST_TEXT = 32_767
ERROR, WARNING = {"bg_color": "#FFC7CE", "font_color": "#8A0010"}, {"bg_color": "#FFEFB3"}
SUMMARY_WIDTHS = (38, 11, 11, 52, 52, 40)
WHAT_TO_DO_WIDTH = 70
STATUS_COLOURS = {"accepted": "#DDEFD9", "unchanged": "#ECEFF1", "rejected": "#FFC7CE", "superseded": "#FFEFB3"}


class _Writer:
    """One result workbook while it is written, sheet by sheet and row by row."""

    def __init__(self, path: Path, result: UploadResult) -> None:
        self.result = result
        self.book = open_book(path)
        self.styles = Styles(self.book)
        self.text = self.styles.get(num_format="@")
        self.lists = Lists()
        self.book.set_properties({"title": "Result of an upload", "author": "TMS pipeline"})
        self.book.set_custom_property(RESULT_MARK, result.upload_id)
        names = dict.fromkeys(name for table in result.tables for name in table.kinds)
        self.kinds = [KINDS[name] for name in names if name in KINDS]

    # -- Summary -----------------------------------------------------------------------------------------------

    def summary(self) -> None:
        result, get = self.result, self.styles.get
        sheet = self.book.add_worksheet("Summary")
        sheet.hide_gridlines(2)
        print_setup(sheet, repeat=None)
        for column, width in enumerate(SUMMARY_WIDTHS):
            sheet.set_column(column, column, width)
        line = _Lines(sheet)
        line.put([(clean(result.sentence), get(bold=True, font_size=15))], height=24)
        line.put([(clean(f"File: {result.file_name}"), get())])
        when = result.received_at.strftime("%d/%m/%Y %H:%M")
        line.put([(f"Received {when}, upload {clean(result.upload_id)}, {result.state}", get())])
        if result.already:
            line.put([(clean(result.already), get(bold=True))])
        line.skip()
        line.put([("What to do next", get(bold=True, font_size=12))], height=18)
        for number, step in enumerate(next_steps(result), start=1):
            line.put([(f"{number}.  {step}", get())])
        line.skip()
        self._counts(line)
        for title, faults in (
            ("What is wrong", [fault for fault in result.faults() if fault.severity == "error"]),
            ("Worth a look (taken all the same)", [fault for fault in result.faults() if fault.severity != "error"]),
        ):
            if faults:
                line.skip()
                line.put([(title, get(bold=True, font_size=12))], height=18)
                self._fault_table(line, faults)

    def _counts(self, line: _Lines) -> None:
        counts, box = self.result.counts, {"border": 1, "border_color": LINE}
        line.put([("Rows", self.styles.heading(must=True)), ("How many", self.styles.heading(must=True))])
        for status, meaning in MEANINGS.items():
            line.put([
                (status.capitalize(), self.styles.get(bold=True, bg_color=STATUS_COLOURS[status], **box)),
                (counts.get(status, 0), self.styles.get(num_format="#,##0", align="center", **box)),
                (meaning, self.styles.get()),
            ])  # fmt: skip
        rows, together = counts.get("rows", 0), sum(counts.get(status, 0) for status in MEANINGS)
        told = "all rows of the file" if rows == together else "THESE DO NOT ADD UP: tell your ops admin"
        line.put([
            ("Together", self.styles.get(bold=True, **box)),
            (rows, self.styles.get(bold=True, num_format="#,##0", align="center", **box)),
            (told, self.styles.get()),
        ])  # fmt: skip
        left_out = sum(
            len(table.rows) - len(_listed_rows(table, self.result.plain_rows_listed)) for table in self.result.tables
        )
        if left_out:
            line.put([(f"'{ALL_SHEET}' leaves out {left_out:,} rows of which there is nothing to say.",
                       self.styles.get())])  # fmt: skip

    def _fault_table(self, line: _Lines, faults: Sequence[Fault]) -> None:
        wrap = self.styles.get(text_wrap=True, border=1, border_color=LINE)
        number = self.styles.get(align="center", border=1, border_color=LINE)
        titles = ("Code", "Kind", "How often", "What is wrong", WHAT_TO_DO, "Where")
        line.put([(title, self.styles.heading(must=True)) for title in titles])
        for group in grouped(faults):
            more = group.count - len(group.places)
            where = "; ".join(group.places) + (f" and {more} more" if group.places and more > 0 else "")
            texts = (group.first.code, group.first.severity, group.count, group.first.sentence, group.first.fix, where)
            height = _height(*((str(text), width) for text, width in zip(texts, SUMMARY_WIDTHS, strict=True)))
            line.put(
                [(clean(text), wrap) if isinstance(text, str) else (text, number) for text in texts], height=height
            )

    # -- Fix these rows ----------------------------------------------------------------------------------------

    def fix_sheets(self) -> None:
        """A sheet for each table with rejected rows; the headings as typed, in the first row."""
        number = 0
        for table in self.result.tables:
            rows = [row for row in table.rows if row.status == "rejected"]
            for start in range(0, len(rows), ROWS_A_SHEET):
                number += 1
                name = FIX_SHEET if number == 1 else f"{FIX_SHEET} {number}"
                self._fix_sheet(name, table, rows[start : start + ROWS_A_SHEET])

    def _fix_sheet(self, name: str, table: ResultTable, rows: Sequence[ResultRow]) -> None:
        sheet = self.book.add_worksheet(name)
        sheet.set_tab_color("#C00000")
        width = len(table.headings)
        items = self._headings(sheet, table, 0, rows)
        sheet.write_string(0, width, WHAT_TO_DO, self.styles.heading(must=True))
        sheet.write_string(0, width + 1, ROW_IN_FILE, self.styles.heading(must=False))
        sheet.set_column(width, width, WHAT_TO_DO_WIDTH)
        sheet.set_column(width + 1, width + 1, 14, None, {"hidden": True})
        self._frame(sheet, len(rows), width + 1, frozen=0)
        for column, item in enumerate(items):
            if item:
                offer(sheet, item, (column, 1, len(rows)), self.lists, strict=False)
        wrap, comments = self.styles.get(text_wrap=True), 0
        for line, row in enumerate(rows, start=1):
            advice = dict.fromkeys(_advice(fault) for fault in row.faults if fault.severity == "error")
            told = clean("\n".join([*advice, row.note] if row.note else advice))
            sheet.set_row(line, _height((told, WHAT_TO_DO_WIDTH)))
            marked = _by_column(table.headings, row.faults)
            for column in range(width):
                faults = marked.get(column, ())
                self._cell(sheet, (line, column), _at(row.cells, column), items[column], faults)
                if faults and comments < COMMENTS_A_SHEET:
                    comments += 1
                    text = clean("\n".join(_advice(fault) for fault in faults))
                    sheet.write_comment(line, column, text, note_size(text))
            sheet.write_string(line, width, told, wrap)
            sheet.write_number(line, width + 1, row.row)

    # -- All rows ----------------------------------------------------------------------------------------------

    def row_sheets(self) -> None:
        """Every row of every table, with its status, what was noted and what it changed."""
        number = 0
        for table in self.result.tables:
            rows = _listed_rows(table, self.result.plain_rows_listed)
            for start in range(0, len(rows), ROWS_A_SHEET):
                number += 1
                name = ALL_SHEET if number == 1 else f"{ALL_SHEET} {number}"
                self._row_sheet(name, table, rows[start : start + ROWS_A_SHEET])

    def _row_sheet(self, name: str, table: ResultTable, rows: Sequence[ResultRow]) -> None:
        sheet = self.book.add_worksheet(name)
        end = 2 + len(table.headings)
        for column, (title, width) in enumerate(((ROW_IN_FILE, 9), ("Status", 13))):
            sheet.write_string(0, column, title, self.styles.heading(must=False))
            sheet.set_column(column, column, width)
        items = self._headings(sheet, table, 2, rows)
        for column, title in enumerate(("Note", "What changed"), start=end):
            sheet.write_string(0, column, title, self.styles.heading(must=False))
            sheet.set_column(column, column, 60)
        self._frame(sheet, len(rows), end + 1, frozen=2)
        plain = self.styles.get()
        for line, row in enumerate(rows, start=1):
            marked = _by_column(table.headings, row.faults)
            sheet.write_number(line, 0, row.row, plain)
            sheet.write_string(line, 1, row.status, self.styles.get(bg_color=STATUS_COLOURS.get(row.status, "#FFFFFF")))
            for column, item in enumerate(items):
                self._cell(sheet, (line, column + 2), _at(row.cells, column), item, marked.get(column, ()))
            notes = [*([row.note] if row.note else []), *dict.fromkeys(fault.sentence for fault in row.faults)]
            if notes:
                sheet.write_string(line, end, clean(" ".join(notes)), plain)
            changes = [*(f"new {word}" for word in row.made), *map(_change, row.changes)]
            if changes:
                sheet.write_string(line, end + 1, clean("; ".join(changes)), plain)

    # -- shared ------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        if self.kinds:
            write_guidance(self.book, self.styles, self.kinds)
        self.lists.write(self.book)
        mark = self.book.add_worksheet(MARK_SHEET)
        mark.hide()
        mark.write_string(0, 0, clean(self.result.upload_id))
        self.book.close()

    def _frame(self, sheet: Worksheet, rows: int, last: int, *, frozen: int) -> None:
        sheet.set_row(0, 32)
        sheet.freeze_panes(1, frozen)
        sheet.autofilter(0, 0, rows, last)
        print_setup(sheet)

    def _headings(
        self, sheet: Worksheet, table: ResultTable, first: int, rows: Sequence[ResultRow]
    ) -> list[Field | None]:
        items = fields_of(table.headings, [KINDS[name] for name in table.kinds if name in KINDS])
        for column, (heading, item) in enumerate(zip(table.headings, items, strict=True)):
            text = clean("" if heading is None else str(heading))
            sheet.write_string(0, first + column, text, self.styles.heading(must=bool(item and item.required)))
            if item:
                sheet.write_comment(0, first + column, note_of(item), note_size(note_of(item)))
            longest = max((len(_shown(_at(row.cells, column))) for row in rows[:200]), default=0)
            sheet.set_column(first + column, first + column, min(max(longest, len(text) // 2 + 4, 9) + 3, 44))
        return items

    def _cell(
        self, sheet: Worksheet, place: tuple[int, int], value: Cell, item: Field | None, faults: Sequence[Fault]
    ) -> None:
        """Write a cell as the type that it was: text never turns into a formula, a number or a link."""
        colour: dict[str, str] = {}
        if faults:
            colour = ERROR if any(fault.severity == "error" for fault in faults) else WARNING
        line, column = place
        if not faults and type(value) is str and value and (item is None or item.type not in DATED):
            sheet.write_string(line, column, clean(value), self.text)  # by far the most cells
        elif value is None or value == "":
            if faults or number_format(item) not in {"@", "General"}:
                sheet.write_blank(line, column, None, self.styles.get(num_format=number_format(item), **colour))
        elif isinstance(value, bool):
            sheet.write_boolean(line, column, value, self.styles.get(**colour))
        elif isinstance(value, int | float | Decimal) and _exact(value):
            sheet.write_number(line, column, value, self.styles.get(**colour))
        elif isinstance(value, date | time | timedelta) and (form := _moment_format(value)):
            sheet.write_datetime(line, column, value, self.styles.get(num_format=form, align="left", **colour))
        else:
            # A date that is retyped should become a date again; anything else stays the text that it is.
            form = number_format(item) if item and item.type in DATED else "@"
            sheet.write_string(line, column, clean(str(value)), self.styles.get(num_format=form, **colour))


DATED = {FieldType.DATE, FieldType.TIME, FieldType.MOMENT}


class _Lines:
    """Lines of a sheet from the top, for sheets that are read and not sorted."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.at = 0

    def put(self, cells: Sequence[tuple[str | int, Format]], *, height: float | None = None) -> None:
        if height:
            self.sheet.set_row(self.at, height)
        for column, (value, style) in enumerate(cells):
            if isinstance(value, int):
                self.sheet.write_number(self.at, column, value, style)
            else:
                self.sheet.write_string(self.at, column, value, style)
        self.at += 1

    def skip(self) -> None:
        self.at += 1


def clean(text: str) -> str:
    """Text that a workbook can hold: no broken characters, no longer than a cell."""
    if text.isascii() and len(text) <= LONGEST_TEXT:
        return text
    return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST_TEXT]


def _height(*texts: tuple[str, int]) -> float:
    """The height of a row that shows all of these texts, each in a column of that width.

    Reckoned, for not every program fits wrapped rows by itself.
    """
    lines = (sum(1 + len(line) // width for line in text.split("\n")) for text, width in texts)
    return min(15.0 + 13.0 * (max(lines, default=1) - 1), 400.0)


def _listed_rows(table: ResultTable, plain: int) -> Sequence[ResultRow]:
    """The rows of a table that *All rows* lists: all, or of a huge table those with something to say as well."""
    if len(table.rows) <= plain:
        return table.rows
    return [
        row
        for place, row in enumerate(table.rows)
        if place < plain or row.faults or row.changes or row.status not in {"accepted", "unchanged"}
    ]


def _at(cells: Sequence[Cell], column: int) -> Cell:
    return cells[column] if column < len(cells) else None


def _shown(value: Cell) -> str:
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


def _by_column(headings: Sequence[str], faults: Sequence[Fault]) -> dict[int, list[Fault]]:
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


def _advice(fault: Fault) -> str:
    return f"{fault.sentence} {fault.fix}"


def _change(change: tuple[str, str, str]) -> str:
    title, old, new = change
    return f"{title}: {old or 'empty'} → {new or 'empty'}" if old or new else f"{title}: changed"
