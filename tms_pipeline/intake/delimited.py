"""Delimited text: CSV and TSV, its encoding and separator found out, or the file refused."""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice

from tms_pipeline.intake.refusal import Refusal

LONGEST_CELL = 1_000_000
LINES_FOR_SEPARATOR = 200
_SEPARATORS = (",", ";", "\t", "|")
_BINARY = tuple(bytes([sign]) for sign in (*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)))
# Windows-1252 counts as certain only where it reads like words: a letter with an accent inside a word of plain letters,
# or the marks that Word puts into text. Runs of such bytes are another encoding.
_LONG_RUN = re.compile(rb"[\x80-\xff]{3,}")
_WORD_MARKS = set("‘’“”–—…•€£°·®™ \xa0")

Warned = tuple[str, dict[str, str | int]]


def decode(data: bytes, extension: str) -> tuple[str, list[Warned]]:
    """The text and warnings. Raises Refusal when no encoding is certain."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding), []
    if b"\x00" in data[:4096]:
        guessed = _unmarked_utf16(data[:4096])
        if guessed is None:
            raise Refusal("TEXT_BINARY", extension=extension)
        return _strict(data, guessed), []
    if any(sign in data for sign in _BINARY):
        raise Refusal("TEXT_BINARY", extension=extension)
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    return _windows(data, line)


def _strict(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refusal("TEXT_ENCODING_UNKNOWN", line=data.count(b"\n", 0, error.start) + 1) from None
    return text.replace("\x00", "")


def _unmarked_utf16(head: bytes) -> str | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) * 0.3 and even == 0:
        return "utf-16-le"
    if even > len(head) * 0.3 and odd == 0:
        return "utf-16-be"
    return None


def _windows(data: bytes, line: int) -> tuple[str, list[Warned]]:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise Refusal("TEXT_ENCODING_UNKNOWN", line=line) from None
    odd = {letter for letter in text if ord(letter) > 127}
    if _LONG_RUN.search(data) or any(not (letter.isalpha() or letter in _WORD_MARKS) for letter in odd):
        raise Refusal("TEXT_ENCODING_UNKNOWN", line=line)
    return text, [("TEXT_ENCODING_GUESSED", {"line": line})]


def separator_of(text: str, extension: str) -> tuple[str, int]:
    """The separator, and how many rows to skip (1 when the first line is Excel's ``sep=;``)."""
    stated = re.match(r'"?sep=([,;\t|])"?\r?\n', text)
    if stated:
        return stated[1], 1
    scores: dict[str, tuple[int, int]] = {}
    for separator in _SEPARATORS:
        lines = io.StringIO(text[:200_000], newline="")
        try:
            widths = [len(row) for row in islice(csv.reader(lines, delimiter=separator), LINES_FOR_SEPARATOR) if row]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        most = max(wide, key=wide.count, default=1)
        scores[separator] = (wide.count(most), most)
    first = "\t" if extension == ".tsv" else ","
    best = max(scores, key=lambda separator: (scores[separator], separator == first), default=first)
    return (best, 0) if scores.get(best, (0, 0))[0] else (first, 0)


def read_rows(
    text: str, extension: str, *, max_rows: int, max_columns: int, warnings: list[Warned] | None = None
) -> list[list[str]]:
    """All records of the file, blank lines as empty lists, so that a row's place is its number in the spreadsheet.

    A mark inside a cell is read as Excel does and told in ``warnings``. Raises Refusal for a quotation mark that is
    never closed, and past the limits.
    """
    csv.field_size_limit(LONGEST_CELL)
    separator, skipped = separator_of(text, extension)
    rows: list[list[str]] = []
    try:
        rows.extend(
            islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), max_rows * 2 + 2)
        )
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise Refusal("TEXT_QUOTE_OPEN", line=len(rows) + 1) from None
        if warnings is not None:
            warnings.append(("TEXT_QUOTE_INSIDE", {"line": len(rows) + 1}))
        rows = _lenient(text, separator, max_rows)
    if skipped:
        rows[0] = []
    if '="' in text:
        rows = [[_constant(cell) for cell in row] for row in rows]
    valued = sum(1 for row in rows if row)
    if valued > max_rows or len(rows) > max_rows * 2:
        raise Refusal("FILE_TOO_MANY_ROWS", sheet=extension[1:].upper(), limit=max_rows)
    widest = max(map(len, rows), default=0)
    if widest > max_columns:
        rows = [_narrowed(row, max_columns, extension) for row in rows]
    return rows


def _constant(cell: str) -> str:
    """What ``="91234567"`` stands for: the way in which programs keep Excel from making a number of text."""
    return cell[2:-1] if cell[:2] == '="' and cell[-1] == '"' and len(cell) > 2 and '"' not in cell[2:-1] else cell


def _narrowed(row: list[str], max_columns: int, extension: str) -> list[str]:
    # Lines padded with separators up to the width of the sheet are common; values out there are not.
    if any(cell.strip() for cell in row[max_columns:]):
        raise Refusal("FILE_TOO_WIDE", sheet=extension[1:].upper(), limit=max_columns, cell=f"number {len(row)}")
    return row[:max_columns]


def _lenient(text: str, separator: str, max_rows: int) -> list[list[str]]:
    """As Excel reads ``"ab"c``: marks inside a cell are letters."""
    try:
        return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), max_rows * 2 + 2))
    except csv.Error:
        raise Refusal("FILE_DAMAGED", part="a cell of more than a million letters") from None
