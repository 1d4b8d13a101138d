"""Files as the programs of offices write them: the right rows, or a sentence that names the way to a file we read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import FileRefused, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS

from .test_office_sheets import ENROLMENTS, PEOPLE, TRAINEES, enrolled, who
from .workbooks import csv_bytes

TRAINEE_TEXTS = [TRAINEES, *([who(at), name, f"{born:%d/%m/%Y}", mail, phone]
                             for at, (name, born, mail, phone) in enumerate(PEOPLE))]  # fmt: skip
LATIN = [row for row in TRAINEE_TEXTS if row[1].isascii() or "José" in row[1]]
EUROPEAN = [[*ENROLMENTS, "Discount Amount"],
            *(["HYG-2609-A", who(at), "13.09.2026", "Individual", amount]
              for at, amount in enumerate(["12,50", "1.234,50", "0,00"]))]  # fmt: skip


def chart_first(path: Path) -> None:
    book = xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"})
    chart_sheet, sheet = book.add_chartsheet("Chart"), book.add_worksheet("Data")
    for row, cells in enumerate([ENROLMENTS, *enrolled()]):
        sheet.write_row(row, 0, cells)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=Data!$C$2:$C$5"})
    chart_sheet.set_chart(chart)
    book.close()


def table_object(path: Path) -> None:
    book = xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("Data")
    sheet.add_table(2, 1, 6, 5, {"columns": [{"header": title} for title in (*ENROLMENTS, "Discount Amount")]})
    for row, cells in enumerate(enrolled()):
        sheet.write_row(row + 3, 1, cells)
        sheet.write_formula(row + 3, 5, "=5*2", None, 10)
    book.close()


def from_pandas(path: Path) -> None:
    pd.DataFrame(enrolled(), columns=ENROLMENTS).to_excel(path)


READ: dict[str, tuple[str, Callable[[Path], object], dict[str, int]]] = {
    "Excel's Unicode Text": (
        "a.txt", lambda path: path.write_bytes(csv_bytes(TRAINEE_TEXTS, "\t", "utf-16")), {"trainee": 4},
    ),
    "Unicode Text renamed to CSV": (
        "a.csv", lambda path: path.write_bytes(csv_bytes(TRAINEE_TEXTS, "\t", "utf-16")), {"trainee": 4},
    ),
    "CSV UTF-8 of Excel": ("a.csv", lambda path: path.write_bytes(csv_bytes(TRAINEE_TEXTS, encoding="utf-8-sig")),
                           {"trainee": 4}),
    "plain CSV of Excel": ("a.csv", lambda path: path.write_bytes(csv_bytes(LATIN, encoding="cp1252")), {"trainee": 2}),
    "CSV of a European Excel": (
        "a.csv", lambda path: path.write_bytes(csv_bytes(EUROPEAN, ";", "cp1252")), {"enrolment": 3},
    ),
    "CSV of an old Macintosh": (
        "a.csv", lambda path: path.write_bytes(csv_bytes(TRAINEE_TEXTS, newline="\r")), {"trainee": 4},
    ),
    "a chart on a sheet of its own": ("a.xlsx", chart_first, {"enrolment": 4}),
    "a table of Excel with a formula": ("a.xlsx", table_object, {"enrolment": 4}),
    "a frame of pandas": ("a.xlsx", from_pandas, {"enrolment": 4}),
}  # fmt: skip
REFUSED = {
    "Apple Numbers": ("a.numbers", ["Index/Document.iwa"], "Export To, Excel"),
    "Apple Numbers renamed": ("a.xlsx", ["Index/Document.iwa", "Metadata/Properties.plist"], "Export To, Excel"),
    "binary workbook": ("a.xlsb", ["xl/workbook.bin"], "binary Excel"),
    "Word": ("a.docx", ["word/document.xml"], "copy its table"),
    "Word renamed": ("a.xlsx", ["word/document.xml"], "copy its table"),
    "Google link": ("a.gsheet", ["x"], "Download, Microsoft Excel"),
    "PDF": ("a.pdf", ["x"], "copy its table"),
    "several files in one": ("a.zip", ["list.csv"], "take the files out"),
    "a mail": ("a.msg", ["x"], "save the attachment"),
}


@pytest.mark.parametrize("name", READ)
def test_the_rows_of_every_program_come_out(name: str, tmp_path: Path) -> None:
    file, write, wanted = READ[name]
    write(tmp_path / file)
    tables, _ = find_tables(open_upload(tmp_path / file, name=file))
    good = {kind: int((~canonicalise(KINDS[kind], table).bad).sum()) for table in tables for kind in table.kinds}
    assert good == wanted


def test_decimal_commas_and_dotted_dates_are_read_as_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_bytes(EUROPEAN, ";"))
    (table,), _ = find_tables(open_upload(tmp_path / "a.csv", name="a.csv"))
    frame = canonicalise(KINDS["enrolment"], table).frame
    assert frame["discount_amount"].tolist() == ["12.50", "1234.50", "0.00"]
    assert set(frame["enrolment_date"]) == {date(2026, 9, 13).isoformat()}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_of_another_program_is_named_with_the_way_out(name: str, tmp_path: Path) -> None:
    file, parts, words = REFUSED[name]
    with zipfile.ZipFile(tmp_path / file, "w") as archive:
        for part in parts:
            archive.writestr(part, "<a/>")
    with pytest.raises(FileRefused) as caught:
        open_upload(tmp_path / file, name=file)
    assert caught.value.fault.code == "FILE_KIND_UNKNOWN"
    assert words in f"{caught.value.fault.sentence} {caught.value.fault.fix}"
