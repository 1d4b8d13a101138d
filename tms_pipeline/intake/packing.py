"""Packing: rows become encoded columns a few thousand at a time, so that a sheet is never held cell by cell.

What comes out is what ``framing.encode_column`` makes of the whole column: the list of types, and each type's values as
one block. A cell costs its packed bytes here, where a list of Python objects costs sixty to a hundred.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress, islice
from typing import Any

from tms_pipeline.intake.framing import (
    CODED_FROM,
    SEPARATOR,
    SIZED_TEXT,
    TEXT,
    TYPE_OF,
    Encoded,
    code_letter,
    coded_text,
    encode_column,
    packed_block,
    plain,
    text_block,
)

# The columns of a sheet, and the row number of each line.
Packed = tuple[list[Encoded], list[int]]
ROWS_AT_ONCE = 4096
#: Different texts from which on a column that repeats little is not coded any further.
MANY_DIFFERENT = 50_000
_PICK = {code: bytes(int(byte == code) for byte in range(256)) for code in TYPE_OF.values()}


def pack(rows: Iterable[Sequence[Any]]) -> Packed:
    """The columns and row numbers of a sheet: blank rows and trailing blank columns are left out.

    All rows have the same width; the rows are numbered from 1.
    """
    columns: list[Column] = []
    numbers: list[int] = []
    blank: list[Any] = []
    source, at = iter(rows), 0
    while chunk := list(islice(source, ROWS_AT_ONCE)):
        if len(blank) != len(chunk[0]):
            blank = [""] * len(chunk[0])
            columns = [Column() for _ in blank]
        places = [place for place, row in enumerate(chunk, at + 1) if row != blank]
        size = len(chunk)
        if len(places) != size:
            chunk = [chunk[place - at - 1] for place in places]
        at += size
        numbers += places
        for column, cells in zip(columns, zip(*chunk, strict=True), strict=False):
            column.add(cells)
    while columns and columns[-1].blank:
        columns.pop()
    return [column.encoded() for column in columns], numbers


class Column:
    """One column as far as it was read."""

    def __init__(self) -> None:
        self.blank = True
        self.types = bytearray()
        self.texts = Texts()
        self.blocks: dict[int, bytearray] = {}

    def add(self, cells: tuple[Any, ...]) -> None:
        """The next cells, packed."""
        kinds = set(map(type, cells))
        if kinds == {str}:
            self.types += bytes([TEXT]) * len(cells)
            self.blank = self.blank and not any(cells)
            self.texts.add(cells)
            return
        self.blank = False
        if not kinds <= TYPE_OF.keys() or int in kinds:
            cells = tuple(map(plain, cells))
        types = bytes(map(TYPE_OF.__getitem__, map(type, cells)))
        self.types += types
        for code in set(types):
            chosen = list(compress(cells, types.translate(_PICK[code])))
            if code == TEXT:
                self.texts.add(chosen)
            else:
                self.blocks.setdefault(code, bytearray()).extend(packed_block(code, chosen))

    def encoded(self) -> Encoded:
        """Its parts and blocks. What was held is given up."""
        if not self.types:
            return encode_column([])
        parts: list[list[int]] = []
        blocks: list[bytes] = []
        present = sorted(set(self.types))
        if len(present) > 1:
            blocks.append(bytes(self.types))
        for code in present:
            if code == TEXT:
                part, block = self.texts.encoded()
            else:
                part, block = [code, self.types.count(code)], bytes(self.blocks.pop(code))
            parts.append(part)
            blocks.append(block)
        return parts, blocks


class Texts:
    """The texts of a column: coded while they repeat, else joined; with their lengths if one holds the separator."""

    def __init__(self) -> None:
        self.count = 0
        self.waiting: list[str] | None = []  # too few yet to see whether they repeat
        self.code_of: dict[str, int] | None = None
        self.codes = array("I")
        self.pieces: list[bytes] = []
        self.sizes: array[int] | None = None

    def add(self, texts: Sequence[str]) -> None:
        """The next texts."""
        self.count += len(texts)
        if self.waiting is not None:
            self.waiting += texts
            if len(self.waiting) < CODED_FROM:
                return
            texts, self.waiting = self.waiting, None
            if len(set(texts[:CODED_FROM])) * 4 < CODED_FROM:
                self.code_of = {}
        if self.code_of is None:
            self._join(texts)
            return
        known = self.code_of
        for text in dict.fromkeys(texts):
            if text not in known:
                known[text] = len(known)
        self.codes.extend(map(known.__getitem__, texts))
        if len(known) > MANY_DIFFERENT and len(known) * 2 >= self.count:
            self._uncode()

    def _join(self, texts: Sequence[str]) -> None:
        if self.sizes is None:
            joined = SEPARATOR.join(texts)
            if joined.count(SEPARATOR) == len(texts) - 1:
                self.pieces.append(joined.encode("utf-8", "replace"))
                return
            self.sizes = array("q")
            before, self.pieces = self.pieces, []
            for piece in before:
                self._join(piece.decode().split(SEPARATOR))
        self.sizes.extend(map(len, texts))
        self.pieces.append("".join(texts).encode("utf-8", "replace"))

    def _uncode(self) -> None:
        """They do not repeat after all."""
        different = list(self.code_of or ())
        codes, self.codes, self.code_of = self.codes, array("I"), None
        for begin in range(0, len(codes), ROWS_AT_ONCE):
            self._join([different[code] for code in codes[begin : begin + ROWS_AT_ONCE]])

    def encoded(self) -> tuple[list[int], bytes]:
        """The part and the block; nothing may be added after it."""
        if self.waiting is not None:
            return text_block(self.waiting)
        if self.code_of is not None:
            joined, different = SEPARATOR.join(self.code_of), len(self.code_of)
            if different * 2 < self.count and joined.count(SEPARATOR) == different - 1:
                codes = array(code_letter(different), self.codes)
                return coded_text(joined.encode("utf-8", "replace"), different, self.count, codes.tobytes())
            self._uncode()
        pieces, self.pieces = self.pieces, []
        if self.sizes is None:
            return [TEXT, self.count], SEPARATOR.encode().join(pieces)
        return [SIZED_TEXT, self.count], self.sizes.tobytes() + b"".join(pieces)
