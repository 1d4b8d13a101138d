"""Hostile files, each with the code of its refusal, and odd ones that give the right rows."""

from __future__ import annotations

import os
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from .workbooks import (
    ENROLMENT_HEADINGS,
    ENROLMENT_ROW,
    MAIN,
    compound,
    csv_bytes,
    label,
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
