"""Files for the tests, honest and hostile, made from nothing."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl

PACKAGE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ENROLMENT_HEADINGS = ["Course Run", "NRIC/FIN", "Enrolment Date", "Sponsorship Type"]
ENROLMENT_ROW = ["HYG-2609-A", "S1234567D", "2026-09-01", "Individual"]
TRAINEE_HEADINGS = ["NRIC", "Full Name", "Date of Birth", "Email", "Mobile"]
TRAINEE_ROW = ["S1234567D", "Tan Ah Kow", "1980-09-25", "kow@example.com", "91234567"]


def xlsx(path: Path, *sheets: tuple[str, list[list[Any]]], prepare: Any = None) -> Path:
    """A workbook of these sheets; ``prepare`` may change it before it is saved."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if prepare:
        prepare(book)
    book.save(path)
    return path


def parts(
    sheet_xml: str | bytes, *, workbook: str | None = None, more: dict[str, str | bytes] | None = None
) -> dict[str, str | bytes]:
    """The parts of a minimal .xlsx with that sheet."""
    return {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{PACKAGE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{PACKAGE}.worksheet+xml"/></Types>',
        "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook
        or f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet_xml,
        **(more or {}),
    }


def sheet_xml(body: str, head: str = "", tail: str = "") -> str:
    """A sheet with these rows as XML."""
    begin = f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}">{head}'
    return f"{begin}<sheetData>{body}</sheetData>{tail}</worksheet>"


def text_rows(rows: list[list[str]]) -> str:
    """Rows of inline text as XML."""
    return "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for at, cell in enumerate(row)
            if cell
        )
        + "</row>"
        for number, row in enumerate(rows, 1)
    )


def zipped(path: Path, contents: dict[str, str | bytes]) -> Path:
    """An archive with these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


OFFICE = (
    f'xmlns:office="{OASIS}:office:1.0" xmlns:table="{OASIS}:table:1.0" xmlns:text="{OASIS}:text:1.0"'
    f' xmlns:style="{OASIS}:style:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def ods(
    path: Path, rows_xml: str, *, styles: str = "", more: dict[str, str | bytes] | None = None, name: str = "S"
) -> Path:
    """An OpenDocument spreadsheet with these rows."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {OFFICE}>'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="{name}" table:style-name="ta1">{rows_xml}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    return zipped(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
            **(more or {}),
        },
    )


def ods_row(cells: list[str], attributes: str = "") -> str:
    """One row of text cells."""
    return (
        f"<table:table-row {attributes}>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            if cell
            else "<table:table-cell/>"
            for cell in cells
        )
        + "</table:table-row>"
    )


def record(number: int, body: bytes = b"") -> bytes:
    """One BIFF record."""
    return struct.pack("<HH", number, len(body)) + body


def label(row: int, column: int, text: str) -> bytes:
    """A text cell of BIFF8."""
    return record(0x204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1"))


def number_cell(row: int, column: int, value: float) -> bytes:
    """A number cell of BIFF8."""
    return record(0x203, struct.pack("<HHHd", row, column, 0, value))


def xls(
    path: Path, cells: bytes, *, globals_more: bytes = b"", state: int = 0, kind: int = 0, streams: tuple[str, ...] = ()
) -> Path:
    """An old workbook with one sheet of these cell records, in a compound file with these further (empty) storages."""
    begin = (
        record(0x809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
        + record(0x42, struct.pack("<H", 1200))
        + globals_more
    )
    bound = 4 + 6 + 2 + 5
    place = len(begin) + bound + 4
    sheets = record(0x85, struct.pack("<IBBBB", place, state, kind, 5, 0) + b"Sheet")
    body = (
        begin
        + sheets
        + record(0x0A)
        + record(0x809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0))
        + cells
        + record(0x0A)
    )
    assert len(begin + sheets + record(0x0A)) == place
    path.write_bytes(compound({"Workbook": body}, streams))
    return path


def compound(contents: dict[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """A compound file (MS-CFB, 512-byte sectors) with these streams in the root."""
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0)]
    sectors: list[bytes] = []
    chain: list[int] = []
    directory_sectors = (len(contents) + len(storages) + 1 + 3) // 4
    at = 1 + directory_sectors
    for name, data in contents.items():
        padded = data.ljust(max(4096, -(-len(data) // 512) * 512), b"\0")
        count = len(padded) // 512
        entries.append((name, 2, at, len(padded)))
        sectors += [padded[index * 512 : index * 512 + 512] for index in range(count)]
        chain += [*range(at + 1, at + count), 0xFFFFFFFE]
        at += count
    entries += [(name, 1, 0xFFFFFFFE, 0) for name in storages]
    directory = b""
    for index, (name, kind, start, size) in enumerate(entries):
        following = index + 1 if 0 < index < len(entries) - 1 else 0xFFFFFFFF
        child = 1 if index == 0 and len(entries) > 1 else 0xFFFFFFFF
        encoded = name.encode("utf-16-le") + b"\0\0"
        directory += encoded.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(encoded), kind, 1, 0xFFFFFFFF, following, child
        )
        directory += b"\0" * 36 + struct.pack("<IQ", start, size)
    directory = directory.ljust(directory_sectors * 512, b"\0")
    fat = [0xFFFFFFFD, *range(2, 1 + directory_sectors), 0xFFFFFFFE, *chain]
    fat += [0xFFFFFFFF] * (128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return header + struct.pack("<128I", *fat) + directory + b"".join(sectors)


def csv_bytes(rows: list[list[str]], separator: str = ",", encoding: str = "utf-8", newline: str = "\r\n") -> bytes:
    """Rows as delimited text."""
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=newline).writerows(rows)
    return out.getvalue().encode(encoding)
