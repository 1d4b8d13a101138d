"""The first sheet of a result workbook: what became of the upload and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tms_pipeline.intake.result_cells import clean, height_of
from tms_pipeline.intake.templates import LINE, Styles, print_setup
from tms_pipeline.intake.upload_result import (
    ALL_SHEET,
    MEANINGS,
    WHAT_TO_DO,
    ResultRow,
    ResultTable,
    UploadResult,
    grouped,
    next_steps,
)
from tms_pipeline.records.fault import Fault

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

SUMMARY_WIDTHS = (38, 11, 11, 52, 52, 40)
STATUS_COLOURS = {"accepted": "#DDEFD9", "unchanged": "#ECEFF1", "rejected": "#FFC7CE", "superseded": "#FFEFB3"}


def write_summary(book: Workbook, styles: Styles, result: UploadResult) -> None:
    """What happened, what to do next, how the rows add up, and what is wrong with how many."""
    get = styles.get
    sheet = book.add_worksheet("Summary")
    sheet.hide_gridlines(2)
    print_setup(sheet, repeat=None)
    for column, width in enumerate(SUMMARY_WIDTHS):
        sheet.set_column(column, column, width)
    line = Lines(sheet)
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
    _counts(line, styles, result)
    for title, faults in (
        ("What is wrong", [fault for fault in result.faults() if fault.severity == "error"]),
        ("Worth a look (taken all the same)", [fault for fault in result.faults() if fault.severity != "error"]),
    ):
        if faults:
            line.skip()
            line.put([(title, get(bold=True, font_size=12))], height=18)
            _fault_table(line, styles, faults)


def _counts(line: Lines, styles: Styles, result: UploadResult) -> None:
    counts, box = result.counts, {"border": 1, "border_color": LINE}
    line.put([("Rows", styles.heading(must=True)), ("How many", styles.heading(must=True))])
    for status, meaning in MEANINGS.items():
        line.put([
            (status.capitalize(), styles.get(bold=True, bg_color=STATUS_COLOURS[status], **box)),
            (counts.get(status, 0), styles.get(num_format="#,##0", align="center", **box)),
            (meaning, styles.get()),
        ])  # fmt: skip
    rows, together = counts.get("rows", 0), sum(counts.get(status, 0) for status in MEANINGS)
    told = "all rows of the file" if rows == together else "THESE DO NOT ADD UP: tell your ops admin"
    line.put([
        ("Together", styles.get(bold=True, **box)),
        (rows, styles.get(bold=True, num_format="#,##0", align="center", **box)),
        (told, styles.get()),
    ])  # fmt: skip
    left_out = sum(len(table.rows) - len(listed_rows(table, result.plain_rows_listed)) for table in result.tables)
    if left_out:
        line.put([(f"'{ALL_SHEET}' leaves out {left_out:,} rows of which there is nothing to say.",
                   styles.get())])  # fmt: skip


def _fault_table(line: Lines, styles: Styles, faults: Sequence[Fault]) -> None:
    wrap = styles.get(text_wrap=True, border=1, border_color=LINE)
    number = styles.get(align="center", border=1, border_color=LINE)
    titles = ("Code", "Kind", "How often", "What is wrong", WHAT_TO_DO, "Where")
    line.put([(title, styles.heading(must=True)) for title in titles])
    for group in grouped(faults):
        more = group.count - len(group.places)
        where = "; ".join(group.places) + (f" and {more} more" if group.places and more > 0 else "")
        texts = (group.first.code, group.first.severity, group.count, group.first.sentence, group.first.fix, where)
        height = height_of(*((str(text), width) for text, width in zip(texts, SUMMARY_WIDTHS, strict=True)))
        line.put([(clean(text), wrap) if isinstance(text, str) else (text, number) for text in texts], height=height)


class Lines:
    """Lines of a sheet from the top, for sheets that are read and not sorted."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self.at = 0

    def put(self, cells: Sequence[tuple[str | int, Format]], *, height: float | None = None) -> None:
        """Write one line, a cell a column."""
        if height:
            self.sheet.set_row(self.at, height)
        for column, (value, style) in enumerate(cells):
            if isinstance(value, int):
                self.sheet.write_number(self.at, column, value, style)
            else:
                self.sheet.write_string(self.at, column, value, style)
        self.at += 1

    def skip(self) -> None:
        """Leave a line empty."""
        self.at += 1


def listed_rows(table: ResultTable, plain: int) -> Sequence[ResultRow]:
    """The rows of a table that *All rows* lists: all, or of a huge table those with something to say as well.

    Nobody reads past so many rows, and a workbook that takes a minute to open is no help; the rest is counted.
    """
    if len(table.rows) <= plain:
        return table.rows
    return [
        row
        for place, row in enumerate(table.rows)
        if place < plain or row.faults or row.changes or row.status not in {"accepted", "unchanged"}
    ]
