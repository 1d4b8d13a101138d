"""Compound files: the old .xls, and workbooks locked with a password. Container: MS-CFB; records: MS-XLS (BIFF8)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook
from tms_pipeline.intake.table_rows import Emit

FREE = 0xFFFFFFFA  # sector numbers from here on are marks: end of chain, free, and the like
LARGEST = 512 * 1024 * 1024
# Record numbers of BIFF.
FORMULA, EOF, FILEPASS, DATEMODE, SUPBOOK, BOUNDSHEET, COLINFO = 0x06, 0x0A, 0x2F, 0x22, 0x1AE, 0x85, 0x7D
MERGED, ROW, BOOLERR, BOF, STRING = 0xE5, 0x208, 0x205, 0x809, 0x207
NUMBER, LABEL, LABELSST, RK, MULRK, RSTRING = 0x203, 0x204, 0xFD, 0x27E, 0xBD, 0xD6
# Which version of a program worked the formulas out last; whoever writes formulas without working them out has none.
RECALCULATED = 0x1C1
# What a formula cell holds in place of a number: the kind of its result, then the mark.
NO_NUMBER, ERROR_RESULT, EMPTY_RESULT = b"\xff\xff", 2, 3
WORK_OUT_ON_OPENING = 0x02
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


class Compound:
    """The streams of a compound file. Raises Refusal for damage; every chain is bounded."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        try:
            self.shift = struct.unpack_from("<H", data, 30)[0]
            if self.shift not in (9, 12):
                raise ValueError
            self.fat = self._fat()
            header = struct.unpack_from("<IIIII", data, 44)
            self.directory = self._directory(self._chain(header[1]))
            self.small_from: int = struct.unpack_from("<I", data, 56)[0]
            self.small_fat = self._numbers(self._chain(struct.unpack_from("<I", data, 60)[0]))
            root = next((entry for entry in self.directory.values() if entry[0] == 5), (5, FREE, 0))
            self.small_stream = self._chain(root[1]) if root[1] < FREE else b""
        except (struct.error, ValueError, IndexError):
            raise Refusal("FILE_DAMAGED", part="the compound file") from None

    def _sector(self, number: int) -> bytes:
        at = (number + 1) << self.shift
        piece = self.data[at : at + (1 << self.shift)]
        if not piece:
            raise ValueError("a sector past the end")
        return piece

    def _fat(self) -> list[int]:
        heads = [sector for sector in struct.unpack_from("<109I", self.data, 76) if sector < FREE]
        following = struct.unpack_from("<I", self.data, 68)[0]
        seen = 0
        while following < FREE:
            numbers = self._numbers(self._sector(following))
            heads += [sector for sector in numbers[:-1] if sector < FREE]
            following = numbers[-1]
            seen += 1
            if seen > len(self.data) >> self.shift:
                raise ValueError("a chain without end")
        if len(heads) > (len(self.data) >> self.shift) + 1:
            raise ValueError("more sectors than the file has")
        return [number for sector in heads for number in self._numbers(self._sector(sector))]

    @staticmethod
    def _numbers(piece: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(piece) // 4}I", piece[: len(piece) // 4 * 4]))

    def _chain(self, sector: int) -> bytes:
        pieces: list[bytes] = []
        while sector < FREE:
            pieces.append(self._sector(sector))
            if len(pieces) > len(self.fat):
                raise ValueError("a chain without end")
            sector = self.fat[sector]
        return b"".join(pieces)

    @staticmethod
    def _directory(data: bytes) -> dict[str, tuple[int, int, int]]:
        entries = {}
        for at in range(0, len(data) - 127, 128):
            size, kind = struct.unpack_from("<HB", data, at + 64)
            name = data[at : at + max(0, min(size, 64) - 2)].decode("utf-16-le", "replace")
            start, length = struct.unpack_from("<II", data, at + 116)
            if kind:
                entries[name.casefold()] = (kind, start, length)
        return entries

    def has(self, *names: str) -> bool:
        """True if a stream or storage of one of these names (in lower case) is there."""
        return any(name in self.directory for name in names)

    def stream(self, name: str) -> bytes:
        """The bytes of a stream."""
        _, start, length = self.directory[name]
        try:
            if length >= self.small_from:
                return self._chain(start)[:length]
            pieces: list[bytes] = []
            while start < FREE and len(pieces) <= len(self.small_fat):
                pieces.append(self.small_stream[start * 64 : start * 64 + 64])
                start = self.small_fat[start]
            return b"".join(pieces)[:length]
        except (ValueError, IndexError):
            raise Refusal("FILE_DAMAGED", part="the compound file") from None


def read_compound(file: IO[bytes], extension: str, limits: dict[str, int], emit: Emit) -> None:
    """Reads an .xls. Raises Refusal for macros, links, passwords, and what is no old workbook."""
    data = file.read(LARGEST)
    compound = Compound(data)
    if compound.has("encryptedpackage", "encryptioninfo"):
        raise Refusal("FILE_PASSWORD")
    if compound.has("worddocument"):
        raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="a Word document")
    name = next((name for name in ("workbook", "book") if compound.has(name)), None)
    if name is None:
        raise Refusal("FILE_KIND_UNKNOWN", kind="this kind of file")
    if extension != ".xls":
        raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="an old Excel workbook (.xls)")
    if compound.has("_vba_project_cur", "vba", "_vba_project"):
        raise Refusal("FILE_HAS_MACROS")
    looks = look_through(compound.stream(name), limits)
    del compound, data
    from tms_pipeline.intake.spreadsheets import open_workbook, read_sheets

    file.seek(0)
    read_sheets(open_workbook(file), looks, emit)


def _records(stream: bytes, at: int = 0) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        number, size = struct.unpack_from("<HH", stream, at)
        yield number, stream[at + 4 : at + 4 + size]
        at += 4 + size


def look_through(stream: bytes, limits: dict[str, int]) -> list[SheetLook]:
    """The look of every worksheet in the workbook stream. Raises Refusal."""
    try:
        return _look_through(stream, limits)
    except (struct.error, IndexError, UnicodeError):
        raise Refusal("FILE_DAMAGED", part="the workbook") from None


def _look_through(stream: bytes, limits: dict[str, int]) -> list[SheetLook]:
    looks: list[tuple[SheetLook, int]] = []
    epoch_1904 = calculated = False
    for number, body in _records(stream):
        if number == FILEPASS:
            raise Refusal("FILE_PASSWORD")
        if number == DATEMODE:
            epoch_1904 = body[:1] == b"\x01"
        elif number == RECALCULATED:
            calculated = True
        elif number == SUPBOOK and len(body) > 4 and body[2:4] not in (b"\x01\x04", b"\x01\x3a"):
            raise Refusal("FILE_HAS_LINKS")
        elif number == BOUNDSHEET:
            place, state, kind, letters, wide = struct.unpack_from("<IBBBB", body)
            name = (
                body[8 : 8 + letters * 2].decode("utf-16-le") if wide & 1 else body[8 : 8 + letters].decode("latin-1")
            )
            if kind in (0x01, 0x06):
                raise Refusal("FILE_HAS_MACROS")
            if kind == 0:
                looks.append((SheetLook(name=name, hidden=bool(state & 3)), place))
        elif number == EOF:
            break
    results: list[tuple[SheetLook, _Formulas]] = []
    for look, place in looks:
        look.epoch_1904 = epoch_1904
        results.append((look, _look_at(look, stream, place)))
        look.check_extent(
            max_rows=limits["max_rows"], max_columns=limits["max_columns"], memory_bytes=limits["memory_bytes"]
        )
    if not calculated:
        # A program that writes formulas and does not work them out leaves noughts or empty texts in every one.
        none_known = not any(formulas.known for _, formulas in results)
        for look, formulas in results:
            look.uncached |= formulas.nothing | (formulas.noughts if none_known else set())
    return [look for look, _ in looks]


@dataclass
class _Formulas:
    """The formulas of a sheet by what they hold: a value, a nought, or nothing that was ever worked out."""

    known: int = 0
    noughts: set[tuple[int, int]] = field(default_factory=set)
    nothing: set[tuple[int, int]] = field(default_factory=set)

    def note(self, place: tuple[int, int], body: bytes) -> None:
        """Takes one formula record into account."""
        empty = body[12:14] == NO_NUMBER and body[6] == EMPTY_RESULT
        nought = body[6:14] == bytes(8)
        if empty or (nought and struct.unpack_from("<H", body, 14)[0] & WORK_OUT_ON_OPENING):
            self.nothing.add(place)
        elif nought:
            self.noughts.add(place)
        else:
            self.known += 1


def _look_at(look: SheetLook, stream: bytes, place: int) -> _Formulas:
    rows: set[int] = set()
    formulas = _Formulas()
    deep = 0
    for number, body in _records(stream, place):
        if number == BOF:
            deep += 1  # a chart inside a sheet is a stream of its own
        elif number == EOF:
            deep -= 1
            if deep <= 0:
                break
        elif deep != 1:
            continue
        elif number == ROW and len(body) >= 16 and struct.unpack_from("<I", body, 12)[0] & 0x20:
            look.hidden_rows.add(struct.unpack_from("<H", body)[0] + 1)
        elif number == COLINFO:
            first, last, _, _, flags = struct.unpack_from("<HHHHH", body)
            if flags & 1:
                look.hidden_columns.update(range(first, min(last, 255) + 1))
        elif number == MERGED:
            for index in range(struct.unpack_from("<H", body)[0]):
                top, bottom, left, right = struct.unpack_from("<HHHH", body, 2 + 8 * index)
                look.merged.append((top + 1, left, bottom + 1, right))
        elif number in (FORMULA, BOOLERR, NUMBER, LABEL, LABELSST, RK, MULRK, RSTRING):
            row, column = struct.unpack_from("<HH", body)
            row += 1
            if number == MULRK:
                column = struct.unpack_from("<H", body, len(body) - 2)[0]
            rows.add(row)
            if number == BOOLERR and body[7] == 1:
                look.errors[row, column] = ERRORS.get(body[6], "#ERROR!")
            elif number == FORMULA and body[12:14] == NO_NUMBER and body[6] == ERROR_RESULT:
                look.errors[row, column] = ERRORS.get(body[8], "#ERROR!")
            elif number == FORMULA:
                formulas.note((row, column), body)
            if row > look.last_row:
                look.last_row, look.last_row_at = row, (row, column)
            if column > look.last_column:
                look.last_column, look.last_column_at = column, (row, column)
    look.valued_rows = len(rows)
    return formulas
