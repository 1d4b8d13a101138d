"""A corpus of hostile and odd files: each costs one sentence or gives the right rows, and never a process."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import FileRefused, Limits, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.kinds import KINDS

from .workbooks import (
    ENROLMENT_HEADINGS,
    ENROLMENT_ROW,
    MAIN,
    compound,
    csv_bytes,
    label,
    number_cell,
    ods,
    ods_row,
    parts,
    record,
    sheet_xml,
    text_rows,
    xls,
    xlsx,
    zipped,
)

ROWS = [ENROLMENT_HEADINGS, ENROLMENT_ROW]
GOOD = sheet_xml(text_rows(ROWS))
DOCTYPE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
Make = Callable[[Path], Path]


def bytes_of(name: str, data: bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return make


def archive(name: str, contents: dict[str, str | bytes]) -> Make:
    return lambda folder: zipped(folder / name, contents)


def good_bytes(folder: Path) -> bytes:
    return xlsx(folder / "good.xlsx", ("S", ROWS)).read_bytes()


def cut(folder: Path) -> Path:
    path = folder / "cut.xlsx"
    data = good_bytes(folder)
    path.write_bytes(data[: len(data) // 2])
    return path


def flipped(folder: Path) -> Path:
    path = folder / "flipped.xlsx"
    zipped(path, parts(GOOD))
    data = bytearray(path.read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml") + 40
    data[at : at + 20] = b"\xff" * 20
    path.write_bytes(bytes(data))
    return path


def lying(folder: Path) -> Path:
    """The directory declares one byte for a part that holds many."""
    path = zipped(folder / "lying.xlsx", parts(GOOD))
    data = bytearray(path.read_bytes())
    name = b"xl/worksheets/sheet1.xml"
    at = data.rfind(name) - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = struct.pack("<I", 1)
    path.write_bytes(bytes(data))
    return path


def locked_zip(folder: Path) -> Path:
    path = zipped(folder / "locked.xlsx", parts(GOOD))
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(bytes(data))
    return path


def doubled_parts(folder: Path) -> Path:
    path = folder / "double.xlsx"
    with zipfile.ZipFile(path, "w") as out:
        for name, data in parts(GOOD).items():
            out.writestr(name, data)
        out.writestr("XL/workbook.xml", "x")
    return path


def folder_named(folder: Path) -> Path:
    path = folder / "folder.xlsx"
    path.mkdir()
    return path


def link(folder: Path) -> Path:
    path = folder / "link.xlsx"
    path.symlink_to(xlsx(folder / "target.xlsx", ("S", ROWS)))
    return path


def pipe(folder: Path) -> Path:
    path = folder / "pipe.csv"
    os.mkfifo(path)
    return path


def a_socket(folder: Path) -> Path:
    path = folder / "s.csv"
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))
    return path


def rows_xml(*cells: str) -> str:
    return sheet_xml(text_rows(ROWS) + "".join(cells))


def encrypted_workbook() -> bytes:
    return compound({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"x" * 100})


def label_rows(rows: list[list[str]]) -> bytes:
    return b"".join(label(row, column, cell) for row, cells in enumerate(rows) for column, cell in enumerate(cells))


XLS = label_rows(ROWS)
WORKBOOK_ASTRAY = (
    f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships"><sheets><sheet name="S" sheetId="1" r:id="rId9"/></sheets></workbook>'
)

REFUSED: dict[str, tuple[Make, str]] = {
    "zero bytes": (bytes_of("zero.xlsx", b""), "FILE_EMPTY"),
    "zero bytes csv": (bytes_of("zero.csv", b""), "FILE_EMPTY"),
    "blank lines only": (bytes_of("blank.csv", b"\r\n\r\n,,,\r\n"), "FILE_EMPTY"),
    "mark only": (bytes_of("mark.csv", b"\xef\xbb\xbf"), "FILE_EMPTY"),
    "no cells": (lambda folder: xlsx(folder / "none.xlsx", ("S", [])), "FILE_EMPTY"),
    "folder": (folder_named, "FILE_IS_FOLDER"),
    "link": (link, "FILE_IS_LINK"),
    "pipe": (pipe, "FILE_NOT_ORDINARY"),
    "missing": (lambda folder: folder / "gone.xlsx", "FILE_MISSING"),
    "cut off": (cut, "FILE_DAMAGED"),
    "only the beginning": (bytes_of("begin.xlsx", b"PK\x03\x04" + b"\0" * 100), "FILE_DAMAGED"),
    "flipped bytes": (flipped, "FILE_DAMAGED"),
    "declares less than it holds": (lying, "FILE_DAMAGED"),
    "two parts of one name": (doubled_parts, "FILE_DAMAGED"),
    "zip with a password": (locked_zip, "FILE_PASSWORD"),
    "workbook with a password": (bytes_of("locked.xlsx", encrypted_workbook()), "FILE_PASSWORD"),
    "old workbook with a password": (
        lambda folder: xls(folder / "p.xls", XLS, globals_more=record(0x2F, b"\1\0" * 3)),
        "FILE_PASSWORD",
    ),
    "macros in xlsm": (archive("m.xlsm", parts(GOOD, more={"xl/vbaProject.bin": b"x"})), "FILE_HAS_MACROS"),
    "macros in xlsx": (archive("m.xlsx", parts(GOOD, more={"xl/vbaProject.bin": b"x"})), "FILE_HAS_MACROS"),
    "macro sheet": (archive("ms.xlsx", parts(GOOD, more={"xl/macrosheets/sheet1.xml": "<a/>"})), "FILE_HAS_MACROS"),
    "macros in xls": (lambda folder: xls(folder / "m.xls", XLS, streams=("_VBA_PROJECT_CUR",)), "FILE_HAS_MACROS"),
    "macro sheet in xls": (lambda folder: xls(folder / "m.xls", XLS, kind=1), "FILE_HAS_MACROS"),
    "macros in ods": (
        lambda folder: ods(folder / "m.ods", ods_row(["a"]), more={"Basic/Standard/Module1.xml": "<a/>"}),
        "FILE_HAS_MACROS",
    ),
    "external link": (
        archive("e.xlsx", parts(GOOD, more={"xl/externalLinks/externalLink1.xml": "<a/>"})),
        "FILE_HAS_LINKS",
    ),
    "external link in xls": (
        lambda folder: xls(folder / "e.xls", XLS, globals_more=record(0x1AE, struct.pack("<HH", 1, 9) + b"\0book.xls")),
        "FILE_HAS_LINKS",
    ),
    "entities in the sheet": (archive("b.xlsx", parts(DOCTYPE + GOOD.split("?>", 1)[1])), "FILE_XML_ENTITY"),
    "entities in the workbook": (
        archive("b.xlsx", parts(GOOD, workbook=DOCTYPE + "<workbook>&b;</workbook>")),
        "FILE_XML_ENTITY",
    ),
    "entities in the styles": (
        archive("b.xlsx", parts(GOOD, more={"xl/styles.xml": DOCTYPE + "<styleSheet/>"})),
        "FILE_XML_ENTITY",
    ),
    "entities in the strings": (
        archive("b.xlsx", parts(GOOD, more={"xl/sharedStrings.xml": DOCTYPE + "<sst/>"})),
        "FILE_XML_ENTITY",
    ),
    "a file of the server": (archive("x.xlsx", parts(EXTERNAL + GOOD.split("?>", 1)[1])), "FILE_XML_ENTITY"),
    "entities in ods": (
        lambda folder: zipped(
            folder / "b.ods",
            {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": DOCTYPE + "<x>&b;</x>"},
        ),
        "FILE_XML_ENTITY",
    ),
    "broken xml": (archive("x.xlsx", parts(GOOD[:-30])), "FILE_DAMAGED"),
    "no xml": (archive("x.xlsx", parts(b"\0\1\2" * 50)), "FILE_DAMAGED"),
    "no sheet part": (archive("x.xlsx", parts(GOOD, workbook=WORKBOOK_ASTRAY)), "FILE_DAMAGED"),
    "missing sheet part": (
        lambda folder: zipped(folder / "x.xlsx", {k: v for k, v in parts(GOOD).items() if "sheet1" not in k}),
        "FILE_DAMAGED",
    ),
    "missing list of sheets": (archive("x.xlsx", {"a.xml": "<a/>"}), "FILE_DAMAGED"),
    "bad reference": (archive("x.xlsx", parts(rows_xml('<row r="3"><c r="!!"><v>1</v></c></row>'))), "FILE_DAMAGED"),
    "bad row number": (archive("x.xlsx", parts(rows_xml('<row r="x"><c r="A3"><v>1</v></c></row>'))), "FILE_DAMAGED"),
    "far cell": (
        archive("f.xlsx", parts(rows_xml('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))),
        "FILE_FAR_CELL",
    ),
    "far cell in a near row": (
        archive("f.xlsx", parts(rows_xml('<row r="3"><c r="XFD1048576"><v>1</v></c></row>'))),
        "FILE_FAR_CELL",
    ),
    "far row": (
        archive("f.xlsx", parts(rows_xml('<row r="900000"><c r="A900000"><v>1</v></c></row>'))),
        "FILE_FAR_CELL",
    ),
    "far column": (archive("f.xlsx", parts(rows_xml('<row r="3"><c r="ZZZ3"><v>1</v></c></row>'))), "FILE_FAR_CELL"),
    "far cell behind a prefix": (
        archive("f.xlsx", parts(rows_xml('<row r="3"><x:c xmlns:x="u" r="XFD1048576"><x:v>1</x:v></x:c></row>'))),
        "FILE_FAR_CELL",
    ),
    "far cell in ods": (
        lambda folder: ods(
            folder / "f.ods",
            ods_row(["a"]) + '<table:table-row table:number-rows-repeated="1000000">'
            "<table:table-cell/></table:table-row>" + ods_row(["b"]),
        ),
        "FILE_FAR_CELL",
    ),
    "repeated values in ods": (
        lambda folder: ods(folder / "r.ods", ods_row(["a", "b"], 'table:number-rows-repeated="1000000"')),
        "FILE_TOO_MANY_ROWS",
    ),
    "too wide": (archive("w.xlsx", parts(rows_xml('<row r="3"><c r="JA3"><v>1</v></c></row>'))), "FILE_TOO_WIDE"),
    "too wide csv": (bytes_of("w.csv", b",".join(b"a" for _ in range(300)) + b"\n"), "FILE_TOO_WIDE"),
    "many parts": (
        archive("many.xlsx", {**parts(GOOD), **{f"xl/media/{at}.png": b"" for at in range(1100)}}),
        "FILE_BOMB",
    ),
    "bomb by ratio": (archive("bomb.xlsx", {**parts(GOOD), "xl/media/a.bin": b"\0" * 20_000_000}), "FILE_BOMB"),
    "bomb sheet": (archive("bomb.xlsx", parts(sheet_xml(" " * 30_000_000))), "FILE_BOMB"),
    "web page as xls": (bytes_of("page.xls", b"<html><table><tr><td>1</td></tr></table></html>"), "FILE_HTML"),
    "web page as xlsx": (bytes_of("page.xlsx", b"\xef\xbb\xbf<!DOCTYPE html><html></html>"), "FILE_HTML"),
    "web page as csv": (bytes_of("page.csv", b"\n <HTML><body>"), "FILE_HTML"),
    "xml spreadsheet 2003": (
        bytes_of("old.xls", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'),
        "FILE_WRONG_EXTENSION",
    ),
    "text as xls": (bytes_of("t.xls", csv_bytes(ROWS, "\t")), "FILE_WRONG_EXTENSION"),
    "text as xlsx": (bytes_of("t.xlsx", csv_bytes(ROWS)), "FILE_WRONG_EXTENSION"),
    "xls as xlsx": (lambda folder: xls(folder / "t.xlsx", XLS), "FILE_WRONG_EXTENSION"),
    "xlsx as xls": (
        lambda folder: xlsx(folder / "t.xlsx", ("S", ROWS)).rename(folder / "t.xls"),
        "FILE_WRONG_EXTENSION",
    ),
    "xlsx as csv": (
        lambda folder: xlsx(folder / "t.xlsx", ("S", ROWS)).rename(folder / "t.csv"),
        "FILE_WRONG_EXTENSION",
    ),
    "ods as xlsx": (lambda folder: ods(folder / "t.xlsx", ods_row(["a"])), "FILE_WRONG_EXTENSION"),
    "word as xlsx": (
        archive("w.xlsx", {"word/document.xml": "<a/>", "[Content_Types].xml": "<a/>"}),
        "FILE_KIND_UNKNOWN",
    ),
    "slides as xlsx": (archive("w.xlsx", {"ppt/presentation.xml": "<a/>"}), "FILE_KIND_UNKNOWN"),
    "old word as xls": (bytes_of("w.xls", compound({"WordDocument": b"x" * 5000})), "FILE_WRONG_EXTENSION"),
    "binary workbook": (archive("b.xlsx", {"xl/workbook.bin": b"x"}), "FILE_KIND_UNKNOWN"),
    "xlsb": (archive("b.xlsb", {"xl/workbook.bin": b"x"}), "FILE_KIND_UNKNOWN"),
    "pdf": (bytes_of("a.pdf", b"%PDF-1.7"), "FILE_KIND_UNKNOWN"),
    "pdf as xlsx": (bytes_of("a.xlsx", b"%PDF-1.7"), "FILE_KIND_UNKNOWN"),
    "picture as csv": (bytes_of("a.csv", b"\x89PNG\r\n\x1a\n"), "FILE_KIND_UNKNOWN"),
    "no extension": (bytes_of("workbook", csv_bytes(ROWS)), "FILE_KIND_UNKNOWN"),
    "damaged compound file": (bytes_of("c.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600), "FILE_DAMAGED"),
    "short compound file": (bytes_of("c.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "FILE_DAMAGED"),
    "compound file in a circle": (
        bytes_of("c.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 22 + b"\x09\0" + b"\0" * 2000),
        "FILE_DAMAGED",
    ),
    "no text": (bytes_of("n.csv", b"abc\x00\x01\x02\x00def"), "TEXT_BINARY"),
    "control signs": (bytes_of("n.csv", b"a,b\n\x01\x02\x03,c"), "TEXT_BINARY"),
    "big five": (
        bytes_of("g.csv", ",".join(ENROLMENT_HEADINGS).encode() + "\n陳大文先生,測試".encode("big5")),
        "TEXT_ENCODING_UNKNOWN",
    ),
    "cut utf-8": (bytes_of("u.csv", b"\xef\xbb\xbfa,b\n\xe9\x99"), "TEXT_ENCODING_UNKNOWN"),
    "odd utf-16": (bytes_of("u.csv", b"\xff\xfea\x00,\x00\n"), "TEXT_ENCODING_UNKNOWN"),
    "open quote": (bytes_of("q.csv", b'Course Run,NRIC/FIN\nHYG,"S12345'), "TEXT_QUOTE_OPEN"),
    "no headings that we know": (bytes_of("h.csv", b"apples,pears\n1,2\n"), "NO_KNOWN_HEADINGS"),
    "one heading short": (bytes_of("h.csv", b"Course Run,NRIC\nHYG,S1234567D\n"), "HEADINGS_MISSING"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_promise_13_a_hostile_file_costs_one_sentence_and_no_process(case: str, tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    make, code = REFUSED[case]
    found = refusal(make(tmp_path)).fault
    assert found.code == code
    assert found.sentence.endswith((".", "?"))
    assert found.fix
    assert "{" not in found.sentence + found.fix
    assert "Traceback" not in found.sentence


def rows_of(path: Path) -> list[list[str | None]]:
    tables, _ = find_tables(open_upload(path, name=path.name))
    frame = canonicalise(KINDS["enrolment"], tables[0]).frame
    return frame[["run_code", "nric", "enrolment_date", "sponsorship_type"]].to_numpy().tolist()


def styled_far(folder: Path) -> Path:
    """A sheet whose formats reach down to the last row, as when a whole column was coloured."""
    return zipped(
        folder / "styled.xlsx",
        parts(rows_xml('<row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576" s="0"/></row>')),
    )


def formatted_ods(folder: Path) -> Path:
    tail = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell'
    tail += ' table:number-columns-repeated="16384"/></table:table-row>'
    return ods(folder / "tail.ods", "".join(map(ods_row, ROWS)) + tail)


def prefixed(folder: Path) -> Path:
    text = GOOD.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x=")
    return zipped(folder / "prefix.xlsx", parts(text))


def dropped(name: str, data: bytes) -> Make:
    return bytes_of(name, data)


ACCENT = [ENROLMENT_HEADINGS, [*ENROLMENT_ROW[:3], "Individual"]]
READ: dict[str, Make] = {
    "xlsx": lambda folder: xlsx(folder / "a.xlsx", ("S", ROWS)),
    "upper case extension": lambda folder: xlsx(folder / "A.XLSX", ("S", ROWS)),
    "xlsm without macros": lambda folder: xlsx(folder / "a.xlsm", ("S", ROWS)),
    "xls": lambda folder: xls(folder / "a.xls", XLS),
    "ods": lambda folder: ods(folder / "a.ods", "".join(map(ods_row, ROWS))),
    "ods with a million blank rows": formatted_ods,
    "csv": dropped("a.csv", csv_bytes(ROWS)),
    "csv with a mark": dropped("a.csv", csv_bytes(ROWS, encoding="utf-8-sig")),
    "csv utf-16": dropped("a.csv", csv_bytes(ROWS, encoding="utf-16")),
    "csv utf-16 without a mark": dropped("a.csv", csv_bytes(ROWS, encoding="utf-16-le")),
    "csv utf-16 big end first": dropped("a.csv", b"\xfe\xff" + csv_bytes(ROWS, encoding="utf-16-be")),
    "csv with semicolons": dropped("a.csv", csv_bytes(ROWS, ";")),
    "csv with tabs": dropped("a.csv", csv_bytes(ROWS, "\t")),
    "csv that says its separator": dropped("a.csv", b"sep=;\r\n" + csv_bytes(ROWS, ";")),
    "tsv": dropped("a.tsv", csv_bytes(ROWS, "\t")),
    "csv with old line ends": dropped("a.csv", csv_bytes(ROWS, newline="\r")),
    "csv with unix line ends": dropped("a.csv", csv_bytes(ROWS, newline="\n")),
    "csv padded with separators": dropped("a.csv", csv_bytes([[*row, *[""] * 300] for row in ROWS])),
    "csv with quotes inside": dropped(
        "a.csv", csv_bytes([[*row, 'say "hello"'] for row in ROWS]).replace(b'"say ""hello"""', b'"say" hello')
    ),
    "formats down to the last row": styled_far,
    "elements with a prefix": prefixed,
    "utf-16 sheet": lambda folder: zipped(folder / "u.xlsx", parts(GOOD.replace("UTF-8", "UTF-8"))),
    "cells without references": lambda folder: zipped(
        folder / "r.xlsx",
        parts(
            sheet_xml(
                "".join(
                    "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
                    for row in ROWS
                )
            )
        ),
    ),
    "comment and processing instruction": lambda folder: zipped(
        folder / "c.xlsx", parts(GOOD.replace("<sheetData>", "<!-- x --><?y z?><sheetData>"))
    ),
}


@pytest.mark.parametrize("case", READ)
def test_gives_the_right_rows(case: str, tmp_path: Path) -> None:
    assert rows_of(READ[case](tmp_path)) == [["HYG-2609-A", "S1234567D", "2026-09-01", "INDIVIDUAL"]]


def test_the_corpus_is_large_enough() -> None:
    assert len(REFUSED) + len(READ) >= 60


def test_old_windows_text_is_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_bytes(csv_bytes([ENROLMENT_HEADINGS + ["Remarks"], ENROLMENT_ROW + ["café – naïve"]], encoding="cp1252"))
    opened = open_upload(path, name="w.csv")
    assert [warning.code for warning in opened.warnings] == ["TEXT_ENCODING_GUESSED"]
    assert opened.grids[0].rows[1][1][4] == "café – naïve"


def test_newlines_and_separators_inside_quotes_stay(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_bytes(
        csv_bytes([ENROLMENT_HEADINGS + ["Remarks"], ENROLMENT_ROW + ["two\nlines, here"], ENROLMENT_ROW + [""]])
    )
    grid = open_upload(path, name="n.csv").grids[0]
    assert [number for number, _ in grid.rows] == [1, 2, 3]
    assert grid.rows[1][1][4] == "two\nlines, here"


def test_separator_signs_of_our_own_framing_survive(tmp_path: Path) -> None:
    path = tmp_path / "s.tsv"
    path.write_bytes(b"a\tb\nx\x1bz\ty\n")
    assert open_upload(path, name="s.tsv").grids[0].rows[1][1] == ["x\x1bz", "y"]


def test_too_many_rows(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(csv_bytes([ENROLMENT_HEADINGS, *[ENROLMENT_ROW] * 20]))
    found = refusal(path, limits=Limits(max_rows=10)).fault
    assert found.code == "FILE_TOO_MANY_ROWS"
    assert "10" in found.sentence


def test_too_many_rows_of_a_workbook(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = xlsx(tmp_path / "m.xlsx", ("S", [ENROLMENT_HEADINGS, *[ENROLMENT_ROW] * 20]))
    assert refusal(path, limits=Limits(max_rows=10)).fault.code == "FILE_TOO_MANY_ROWS"


def test_too_large(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes(b"a,b\n" * 1000)
    assert refusal(path, limits=Limits(max_bytes=100)).fault.code == "FILE_TOO_LARGE"


def test_a_process_out_of_memory_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "h.csv"
    path.write_bytes(b"a,b\n" * 2_000_000)
    assert refusal(path, limits=Limits(memory_bytes=64 * 1024 * 1024, max_rows=10**7)).fault.code == "FILE_TOO_HUNGRY"


def test_a_process_out_of_time_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" * 100)
    assert refusal(path, limits=Limits(wall_seconds=0)).fault.code == "FILE_TOO_SLOW"


def test_a_process_out_of_processor_costs_a_sentence(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'"a","b"\n' * 6_000_000)
    assert refusal(path, limits=Limits(cpu_seconds=1, max_rows=10**8)).fault.code == "FILE_TOO_SLOW"


def test_an_unreadable_file(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    path = tmp_path / "u.csv"
    path.write_bytes(b"a,b\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("the superuser reads everything")
    assert refusal(path).fault.code == "FILE_UNREADABLE"


def test_a_path_that_no_system_takes(tmp_path: Path, refusal: Callable[..., FileRefused]) -> None:
    assert refusal(tmp_path / "a\0b.csv").fault.code == "FILE_UNREADABLE"


def test_names_are_only_data(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ("S", ROWS))
    for name in ("../../etc/x.xlsx", "C:\\temp\\x.XLSX", "$(rm -rf).xlsx", "a\nb.xlsx"):
        assert open_upload(path, name=name).format == "xlsx"


def test_the_process_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nonexistent")
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    path = xlsx(tmp_path / "a.xlsx", ("S", ROWS))
    assert open_upload(path, name="a.xlsx").grids


def test_an_old_workbook_gives_its_facts(tmp_path: Path) -> None:
    cells = XLS + label(2, 0, "HYG") + record(0x205, struct.pack("<HHHBB", 2, 1, 0, 0x2A, 1)) + number_cell(2, 2, 5)
    cells += record(0x208, struct.pack("<HHHHHHI", 2, 0, 4, 255, 0, 0, 0x20)) + record(
        0xE5, struct.pack("<HHHHH", 1, 1, 2, 3, 3)
    )
    cells += record(0x7D, struct.pack("<HHHHHH", 2, 2, 100, 0, 1, 0))
    grid = open_upload(xls(tmp_path / "f.xls", cells, state=1), name="f.xls").grids[0]
    assert grid.hidden
    assert grid.hidden_rows == {3}
    assert grid.hidden_columns == {2}
    assert grid.merged == [(2, 3, 3, 3)]
    assert grid.problems == {(3, 1): "CELL_ERROR"}
    assert grid.rows[2][1][1] == "#N/A"


def formula(row: int, column: int, result: bytes, flags: int = 0) -> bytes:
    """A formula cell of BIFF8 (its formula is the number 1) with this result."""
    return record(0x06, struct.pack("<HHH", row, column, 0) + result + struct.pack("<HIH", flags, 0, 3) + b"\x1e\x01\x00")


EMPTY_TEXT, NOUGHT, TEN = b"\x03\0\0\0\0\0\xff\xff", bytes(8), struct.pack("<d", 10)


@pytest.mark.parametrize(
    ("formulas", "worked_out", "without_value"),
    [
        ([(EMPTY_TEXT, 0)], False, {(3, 0)}),
        ([(EMPTY_TEXT, 0)], True, set()),
        ([(NOUGHT, 0), (NOUGHT, 0)], False, {(3, 0), (3, 1)}),
        ([(NOUGHT, 0), (TEN, 0)], False, set()),
        ([(NOUGHT, 2), (TEN, 0)], False, {(3, 0)}),
        ([(NOUGHT, 0)], True, set()),
    ],
)
def test_formulas_of_an_old_workbook_that_nobody_worked_out_are_told(
    tmp_path: Path, formulas: list[tuple[bytes, int]], worked_out: bool, without_value: set[tuple[int, int]]
) -> None:
    cells = XLS + b"".join(formula(2, at, result, flags) for at, (result, flags) in enumerate(formulas))
    calculated = record(0x1C1, struct.pack("<HHI", 0x1C1, 0, 191029)) if worked_out else b""
    grid = open_upload(xls(tmp_path / "f.xls", cells, globals_more=calculated), name="f.xls").grids[0]
    assert grid.problems == dict.fromkeys(without_value, "FORMULA_WITHOUT_VALUE")


def test_open_document_gives_its_facts(tmp_path: Path) -> None:
    error = (
        '<table:table-row><table:table-cell table:formula="of:=1/0" office:value-type="string"'
        ' calcext:value-type="error">'
        '<text:p>#DIV/0!</text:p></table:table-cell><table:table-cell table:formula="of:=1"/>'
        '<table:table-cell table:number-rows-spanned="2"><text:p>m</text:p></table:table-cell></table:table-row>'
    )
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    styles = '<style:style style:name="ta1"><style:table-properties table:display="false"/></style:style>'
    path = ods(
        tmp_path / "f.ods",
        columns + ods_row(["a", "b", "c"]) + error + ods_row(["x"], 'table:visibility="filter"'),
        styles=styles,
    )
    grid = open_upload(path, name="f.ods").grids[0]
    assert grid.hidden
    assert grid.hidden_rows == {3}
    assert grid.hidden_columns == {1}
    assert grid.merged == [(2, 2, 3, 2)]
    assert grid.problems == {(2, 0): "CELL_ERROR", (2, 1): "FORMULA_WITHOUT_VALUE"}


def test_every_byte_of_a_workbook_may_be_wrong(tmp_path: Path) -> None:
    """A sample of single damaged bytes and cuts: always rows or a refusal."""
    data = zipped(tmp_path / "g.xlsx", parts(GOOD)).read_bytes()
    old = xls(tmp_path / "g.xls", XLS).read_bytes()
    for name, content in (("x.xlsx", data), ("x.xls", old)):
        for at in range(7, len(content), len(content) // 12):
            path = tmp_path / name
            path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
            try:
                open_upload(path, name=name)
            except FileRefused as refused:
                assert refused.fault.sentence


def test_openpyxl_is_guarded_too() -> None:
    assert openpyxl.DEFUSEDXML is True
