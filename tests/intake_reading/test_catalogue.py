"""Every fault of reading is in the catalogue, is tested, and every process stays small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from tms_pipeline.intake import opening
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import Limits, open_upload
from tms_pipeline.intake.sheet_look import SheetLook
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.intake.workbook_xml import _parse
from tms_pipeline.records.fault import catalogue
from tms_pipeline.records.kinds import KINDS

from .workbooks import ENROLMENT_HEADINGS, ENROLMENT_ROW, sheet_xml, text_rows, xlsx

CODE = re.compile(r"[A-Z]{2,}(?:_[A-Z0-9]+)+")
MODULES = (
    *("cells", "clock", "columns", "compound", "contacts", "container", "dates", "delimited", "headings"),
    *("headings_astray", "layout"),
    *("attendance_marks", "day_sessions", "ditto_marks", "foreign_exports", "session_dates", "value_reader"),
    *("mapping_use", "mappings", "nric", "opendocument", "opening", "reader_child", "readings", "rows_apart"),
    *("sheet_look", "spreadsheets", "table_building", "table_faults", "tables", "workbook_xml"),
)
# What ends the process in a way that no file of ours brings about.
BY_ACCIDENT = {"FILE_READER_FAILED"}


def strings_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_code_of_reading_is_in_the_catalogue_and_has_a_test() -> None:
    folder = Path(opening.__file__).parent
    used = {text for module in MODULES for text in strings_of(folder / f"{module}.py") if text in catalogue()}
    tested = {text for path in Path(__file__).parent.glob("*.py") if path.name != Path(__file__).name
              for text in strings_of(path)}  # fmt: skip
    assert len(used) > 70
    assert used - tested - BY_ACCIDENT == set()


def test_the_reading_process_imports_only_what_its_format_needs() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import tms_pipeline.intake.reader_child, tms_pipeline.intake.delimited, tms_pipeline.intake.table_rows,"
        "tms_pipeline.intake.workbook_xml, tms_pipeline.intake.spreadsheets;"
        "print(*sorted({'pandas', 'numpy', 'pydantic', 'openpyxl', 'sqlalchemy', 'dagster'} & set(sys.modules)))"
    )
    root = str(Path(opening.__file__).parents[2])
    answer = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_a_process_that_dies_without_a_word(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ("S", [ENROLMENT_HEADINGS, ENROLMENT_ROW]))
    for words, code in (
        ("import os; os.abort()", "FILE_TOO_HUNGRY"),
        ("import os; os.kill(os.getpid(), 9)", "FILE_TOO_HUNGRY"),
        ("import os; os.kill(os.getpid(), 11)", "FILE_READER_FAILED"),
        ("import os; os.kill(os.getpid(), 24)", "FILE_TOO_SLOW"),
        ("raise SystemExit(3)", "FILE_READER_FAILED"),
        ("pass", "FILE_READER_FAILED"),
        ("import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\2{}')", "FILE_READER_FAILED"),
        ("import sys; sys.stdout.buffer.write(b'\\xff' * 5000)", "FILE_TOO_HUNGRY"),
        ("import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\4null')", "FILE_READER_FAILED"),
        ('import sys; sys.stdout.buffer.write(b\'\\0\\0\\0\\x1c{"refused":"X","words":{}}  \')', "FILE_READER_FAILED"),
        ("import time; time.sleep(60)", "FILE_TOO_SLOW"),
    ):
        script = tmp_path / "child.py"
        script.write_text(words)
        before, opening.READER = opening.READER, script
        try:
            open_upload(path, name="a.xlsx", limits=Limits(wall_seconds=1))
        except opening.FileRefused as refused:
            assert (words, refused.fault.code) == (words, code)
        else:
            raise AssertionError(words)
        finally:
            opening.READER = before


def test_the_short_way_through_a_sheet_sees_what_the_long_way_sees() -> None:
    """Plain cells are cut out before the parser: what is left must tell the same."""
    rows = text_rows([ENROLMENT_HEADINGS, ENROLMENT_ROW])
    odd = (
        '<row r="3" hidden="1"><c r="A3" s="2"/><c r="B3" t="e"><v>#N/A</v></c><c r="C3"><f>A1</f></c>'
        '<c r="D3" s="1"><v>5</v></c></row>',
        '<row r="5"><c r="A5" t="str"><f>""</f><v></v></c><c t="n" r="AB5"><v>1</v></c></row>',
        '<row r="7"><c r="A7"><v>1</v></c><c><v>2</v></c><c t="e"><v>#REF!</v></c></row>',
        '<row r="9"><c r="A9" t="inlineStr"><is><t xml:space="preserve"> .x. </t></is></c></row>',
        '<row r="12" ht="20"> <c r="B12" t="s"><v>0</v></c>\n<c r="C12" t="b"><v>1</v></c> </row>',
    )
    tail = '<mergeCells count="1"><mergeCell ref="A3:A4"/></mergeCells>'
    head = '<cols><col min="2" max="3" hidden="1"/></cols>'
    for extra in ("", *odd, "".join(odd)):
        text = sheet_xml(rows + extra, head, tail).encode()
        for size in (len(text), 64, 17):
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            long, short = SheetLook(name="S"), SheetLook(name="S")
            assert _parse(long, pieces, digits=0)
            if not _parse(short, pieces, digits=6):
                assert "<c><v>" in extra
                continue
            for name in (
                "hidden_rows",
                "hidden_columns",
                "merged",
                "errors",
                "uncached",
                "last_row",
                "last_column",
                "valued_rows",
            ):
                assert getattr(short, name) == getattr(long, name), (name, extra, size)


def test_ten_thousand_rows_are_soon_read(tmp_path: Path) -> None:
    import time

    path = xlsx(tmp_path / "big.xlsx", ("S", [ENROLMENT_HEADINGS, *[ENROLMENT_ROW] * 10_000]))
    begin = time.process_time()
    table = find_tables(open_upload(path, name="big.xlsx"))[0][0]
    canonical = canonicalise(KINDS["enrolment"], table)
    assert len(canonical.frame) == 10_000
    assert not canonical.bad.any()
    assert time.process_time() - begin < 3
