"""The workbook that goes back to ops: what happened, which rows to fix, every row with its status, and guidance.

*Fix these rows* has the same headings as ops typed, in its first row, so that the corrected sheet alone can be
dropped again. It holds the ops user's own cells and therefore goes to the folder that the file came from, and
nowhere else; ``result_page`` is what may be shown to others.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.result_cells import by_column, clean, height_of, shown, write_cell
from tms_pipeline.intake.result_summary import STATUS_COLOURS, listed_rows, write_summary
from tms_pipeline.intake.templates import (
    Lists,
    Styles,
    fields_of,
    note_of,
    note_size,
    offer,
    open_book,
    print_setup,
    write_guidance,
)
from tms_pipeline.intake.upload_result import (
    ALL_SHEET,
    FIX_SHEET,
    MARK_SHEET,
    RESULT_MARK,
    ROW_IN_FILE,
    WHAT_TO_DO,
    Cell,
    ResultRow,
    ResultTable,
    UploadResult,
)
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.field import Field
from tms_pipeline.records.kinds import KINDS

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet


def write_result_workbook(result: UploadResult, path: Path) -> None:
    """Write the workbook to ``path``, whole or not at all. Rows are streamed: memory does not grow with them."""
    part = path.with_name(path.name + ".part")
    try:
        writer = _Writer(part, result)
        write_summary(writer.book, writer.styles, result)
        writer.fix_sheets()
        writer.row_sheets()
        writer.finish()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


# Excel holds 1,048,576 rows a sheet; a longer table goes on in another sheet.
ROWS_A_SHEET = 1_000_000
# Excel gets slow with many comments; the colour and "What to do" say the same on the rows after these.
COMMENTS_A_SHEET = 2000
WHAT_TO_DO_WIDTH = 70


def _without_ours(table: ResultTable) -> ResultTable:
    """A corrected sheet without the columns that we added to it: they are added anew."""
    ours = {heading_key(WHAT_TO_DO), heading_key(ROW_IN_FILE)}
    keep = [at for at, heading in enumerate(table.headings) if heading_key(heading) not in ours]
    if not table.sheet.strip().casefold().startswith(FIX_SHEET.casefold()) or len(keep) == len(table.headings):
        return table
    rows = [replace(row, cells=[_at(row.cells, at) for at in keep]) for row in table.rows if row.status == "rejected"]
    return replace(table, headings=[table.headings[at] for at in keep], rows=rows)


class _Writer:
    """One result workbook while it is written, sheet by sheet and row by row."""

    def __init__(self, path: Path, result: UploadResult) -> None:
        self.result = result
        self.book = open_book(path, epoch_1904=any(table.epoch_1904 for table in result.tables))
        self.styles = Styles(self.book)
        self.lists = Lists()
        self.book.set_properties({"title": "Result of an upload", "author": "TMS pipeline"})
        self.book.set_custom_property(RESULT_MARK, result.upload_id)
        names = dict.fromkeys(name for table in result.tables for name in table.kinds)
        self.kinds = [KINDS[name] for name in names if name in KINDS]

    # -- Fix these rows ----------------------------------------------------------------------------------------

    def fix_sheets(self) -> None:
        """A sheet for each table with rejected rows; the headings as typed, in the first row."""
        number = 0
        for table in map(_without_ours, self.result.tables):
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
            sheet.set_row(line, height_of((told, WHAT_TO_DO_WIDTH)))
            marked = by_column(table.headings, row.faults)
            for column in range(width):
                faults = marked.get(column, ())
                write_cell(sheet, self.styles, (line, column), _at(row.cells, column), items[column], faults)
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
            rows = listed_rows(table, self.result.plain_rows_listed)
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
            marked = by_column(table.headings, row.faults)
            sheet.write_number(line, 0, row.row, plain)
            sheet.write_string(line, 1, row.status, self.styles.get(bg_color=STATUS_COLOURS.get(row.status, "#FFFFFF")))
            for column, item in enumerate(items):
                write_cell(sheet, self.styles, (line, column + 2), _at(row.cells, column), item, marked.get(column, ()))
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
            longest = max((len(shown(_at(row.cells, column))) for row in rows[:200]), default=0)
            sheet.set_column(first + column, first + column, min(max(longest, len(text) // 2 + 4, 9) + 3, 44))
        return items


def _at(cells: Sequence[Cell], column: int) -> Cell:
    return cells[column] if column < len(cells) else None


def _advice(fault: Fault) -> str:
    return f"{fault.sentence} {fault.fix}"


def _change(change: tuple[str, str, str]) -> str:
    title, old, new = change
    return f"{title}: {old or 'empty'} → {new or 'empty'}" if old or new else f"{title}: changed"
