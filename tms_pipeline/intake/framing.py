"""Framing: how tables cross the pipe from the reading process. Plain numbers and text, nothing that can run.

A message is a sequence of frames, each a four-byte length and that many bytes. A column is sent by type: which
cells are of which type (one byte a cell, left out when all are alike), then the values of each type as one block.
That costs a fraction of JSON, and a forged block can at worst make wrong cells or an error, which the parent
turns into a refusal.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import compress
from typing import Any

EPOCH = datetime(1970, 1, 1)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LENGTH = struct.Struct(">I")
LONGEST_FRAME = 0xFFFFFFFF
# Text is joined with a sign that spreadsheets cannot hold; a CSV that does is sent with lengths instead.
SEPARATOR = "\x1e"
# Columns of fewer texts are sent as they stand.
CODED_FROM = 1_000

# One letter a type, as its byte value in the list of types. Coded text is each different text once, and then which of
# them stands in each cell.
TEXT, SIZED_TEXT, CODED_TEXT, NUMBER, WHOLE, TRUTH, DAY, MOMENT, CLOCK, BLANK = b"stknibdmcx"
# The parts of a column and its blocks.
Encoded = tuple[list[list[int]], list[bytes]]
TYPE_OF: dict[type, int] = {
    str: TEXT,
    float: NUMBER,
    int: WHOLE,
    bool: TRUTH,
    date: DAY,
    datetime: MOMENT,
    time: CLOCK,
    type(None): BLANK,
}


class BadFrame(ValueError):
    """The message from the reading process is not in the form agreed."""


def plain(cell: Any) -> Any:
    """A cell as one of the types that cross the pipe: durations become times or text, the unknown becomes text."""
    kind = type(cell)
    if kind is timedelta:
        if timedelta(0) <= cell < timedelta(days=1):
            return (EPOCH + cell).time()
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    if kind is int and not -(2**63) <= cell < 2**63:
        return str(cell)
    if kind in TYPE_OF:
        return cell
    return str(cell)


def encode_column(cells: list[Any]) -> Encoded:
    """The parts of a column ``[[type, count], …]`` and its blocks; ``''`` and None are both blank."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        part, block = text_block(cells)
        return [part], [block]
    if not kinds <= TYPE_OF.keys() or int in kinds:
        cells = [plain(cell) for cell in cells]
    types = bytes(map(TYPE_OF.__getitem__, map(type, cells)))
    present = sorted(set(types))
    if len(present) == 1:
        part, block = _block(present[0], cells)
        return [part], [block]
    parts: list[list[int]] = []
    blocks: list[bytes] = [types]
    for code in present:
        chosen = types.translate(bytes(int(byte == code) for byte in range(256)))
        part, block = _block(code, list(compress(cells, chosen)))
        parts.append(part)
        blocks.append(block)
    return parts, blocks


def _block(code: int, cells: list[Any]) -> tuple[list[int], bytes]:
    return text_block(cells) if code == TEXT else ([code, len(cells)], packed_block(code, cells))


def packed_block(code: int, cells: list[Any]) -> bytes:
    """The values of one type other than text as one block; blocks of one type can follow each other."""
    if code == NUMBER:
        packed = array("d", cells).tobytes()
    elif code == WHOLE:
        packed = array("q", cells).tobytes()
    elif code == TRUTH:
        packed = bytes(cells)
    elif code == DAY:
        packed = array("i", [day.toordinal() - EPOCH_ORDINAL for day in cells]).tobytes()
    elif code == MOMENT:
        packed = array("q", [_microseconds(moment - EPOCH) for moment in cells]).tobytes()
    elif code == CLOCK:
        packed = array("q", [_microseconds(datetime.combine(EPOCH, clock) - EPOCH) for clock in cells]).tobytes()
    else:
        packed = b""
    return packed


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def text_block(cells: list[str]) -> tuple[list[int], bytes]:
    """Texts as one block: coded where they repeat, else joined, with their lengths if one holds the separator."""
    if len(cells) >= CODED_FROM and len(set(cells[:CODED_FROM])) * 4 < CODED_FROM:
        different = list(dict.fromkeys(cells))
        joined = SEPARATOR.join(different)
        if len(different) * 2 < len(cells) and joined.count(SEPARATOR) == len(different) - 1:
            code_of = {text: code for code, text in enumerate(different)}
            codes = array(code_letter(len(different)), map(code_of.__getitem__, cells))
            return coded_text(joined.encode("utf-8", "replace"), len(different), len(cells), codes.tobytes())
    joined = SEPARATOR.join(cells)
    if joined.count(SEPARATOR) == len(cells) - 1:
        return [TEXT, len(cells)], joined.encode("utf-8", "replace")
    sizes = array("q", [len(cell) for cell in cells]).tobytes()
    return [SIZED_TEXT, len(cells)], sizes + "".join(cells).encode("utf-8", "replace")


def code_letter(different: int) -> str:
    """The type of array that holds so many codes."""
    return "B" if different <= 0x100 else "H" if different <= 0x10000 else "I"


def coded_text(texts: bytes, different: int, count: int, codes: bytes) -> tuple[list[int], bytes]:
    """The block of texts that repeat: each different one once, and then which of them stands in each cell."""
    return [CODED_TEXT, count, different], LENGTH.pack(len(texts)) + texts + codes


def coded_block(texts: bytes, different: int, codes: Any) -> Encoded:
    """A column of coded text: the different texts with separators between them, and a numpy array of codes."""
    part, block = coded_text(texts, different, len(codes), codes.astype(code_letter(different)).tobytes())
    return [part], [block]


def encode_codes(values: Any, codes: Any) -> Encoded:
    """The column ``values[codes]`` of numpy arrays, with only the values that stand in it."""
    import numpy as np

    standing = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    texts = ["" if text is None else text for text in values[standing].tolist()]
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) != len(texts) - 1:
        return encode_column(values[codes].tolist())
    code_of = np.zeros(len(values), dtype=np.uint32)
    code_of[standing] = np.arange(len(standing), dtype=np.uint32)
    return coded_block(joined.encode("utf-8", "replace"), len(texts), code_of[codes])


def separated_block(count: int, texts: bytes) -> Encoded:
    """A column of so many texts with separators between them."""
    return [[TEXT, count]], [texts]


def frames(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks with their lengths before them. Raises ValueError for one past four gigabytes."""
    for block in blocks:
        if len(block) > LONGEST_FRAME:
            raise ValueError("a block is too large for one frame")
        yield LENGTH.pack(len(block))
        yield block


# What a value of each type takes once it is unpacked, and a cell that names one.
_UNPACKED = {TEXT: 56, SIZED_TEXT: 56, CODED_TEXT: 56, NUMBER: 32, WHOLE: 32, DAY: 32, MOMENT: 48, CLOCK: 40}
_CELL = 8


def unpacked_bytes(parts: list[list[int]], rows: int) -> int:
    """About what a column of these parts takes when it is unpacked, which is told before its blocks come."""
    return rows * _CELL + sum(_UNPACKED.get(part[0], 0) * max(0, part[-1]) for part in parts)


def decode_coded(parts: list[list[int]], blocks: Iterator[memoryview], rows: int) -> Any:
    """(Different cells, codes) of a column that is coded text alone, as numpy arrays; None for any other column.

    Takes its block only if it is. Raises BadFrame for a forged one.
    """
    import numpy as np

    if len(parts) != 1 or parts[0][0] != CODED_TEXT:
        return None
    _, count, different = parts[0]
    block = next(blocks)
    (size,) = LENGTH.unpack_from(block)
    values = np.empty(different, dtype=object)
    texts = _decode_text(TEXT, different, block[LENGTH.size : LENGTH.size + size])
    values[:] = texts
    letter = {"B": np.uint8, "H": np.uint16, "I": np.uint32}[code_letter(different)]
    codes = np.frombuffer(block[LENGTH.size + size :], dtype=letter)
    if count != rows or len(codes) != rows or (rows and int(codes.max()) >= different):
        raise BadFrame("coded text of the wrong length")
    return values, codes


def decode_column(parts: list[list[int]], blocks: Iterator[memoryview], rows: int) -> Any:
    """The column as a numpy array of objects, blank cells None. Raises BadFrame for a forged block."""
    # Imported here: the reading process loads this module too and must start fast.
    import numpy as np

    coded = decode_coded(parts, blocks, rows)
    if coded is not None:
        return coded[0][coded[1]]
    cells = np.full(rows, None, dtype=object)
    if len(parts) == 1:
        values = _decode_block(parts[0], next(blocks))
        if values is not None:
            if len(values) != rows:
                raise BadFrame("a column of the wrong length")
            cells[:] = values
        return cells
    types = np.frombuffer(next(blocks), dtype=np.uint8)
    if len(types) != rows:
        raise BadFrame("a list of types of the wrong length")
    for part in parts:
        values = _decode_block(part, next(blocks))
        if values is None:
            continue
        places = types == (TEXT if part[0] in (SIZED_TEXT, CODED_TEXT) else part[0])
        if int(places.sum()) != len(values):
            raise BadFrame("a block of the wrong length")
        cells[places] = values
    return cells


def _decode_block(part: list[int], block: memoryview) -> Any:
    import numpy as np

    code, count = part[:2]
    if code == BLANK:
        return None
    if code == CODED_TEXT:
        once = decode_coded([part], iter([block]), count)
        return once[0][once[1]]
    if code in (TEXT, SIZED_TEXT):
        return _decode_text(code, count, block)
    if code == NUMBER:
        numbers = np.frombuffer(block, dtype=np.float64)
        values: Any = numbers.tolist()
        # 91234567.0 was typed as 91234567: the file does not tell the two apart. Cell by cell, as what one holds must
        # not change how the others are read.
        whole = (np.abs(numbers) < 2**53) & (numbers == np.floor(numbers))
        if whole.all():
            values = numbers.astype(np.int64).tolist()
        elif whole.any():
            values = [int(value) if is_whole else value for value, is_whole in zip(values, whole.tolist(), strict=True)]
    elif code == WHOLE:
        values = np.frombuffer(block, dtype=np.int64).tolist()
    elif code == TRUTH:
        values = np.frombuffer(block, dtype=np.uint8).astype(bool).tolist()
    elif code == DAY:
        values = np.frombuffer(block, dtype=np.int32).astype("datetime64[D]").tolist()
    elif code == MOMENT:
        values = np.frombuffer(block, dtype=np.int64).astype("datetime64[us]").tolist()
    elif code == CLOCK:
        values = [
            (EPOCH + timedelta(microseconds=value)).time() for value in np.frombuffer(block, dtype=np.int64).tolist()
        ]
    else:
        raise BadFrame("a column of unknown type")
    if len(values) != count:
        raise BadFrame("a block of the wrong length")
    return values


def _decode_text(code: int, count: int, block: memoryview) -> Any:
    if code == TEXT:
        text = str(block, "utf-8")
        # A workbook can spell it (_x0000_), and no text of Postgres holds it.
        values = (text.replace("\0", "") if "\0" in text else text).split(SEPARATOR)
    else:
        sizes = array("q", bytes(block[: 8 * count]))
        text, at, values = str(block[8 * count :], "utf-8"), 0, []
        for size in sizes:
            values.append(text[at : at + size].replace("\0", ""))
            at += size
    if len(values) != count:
        raise BadFrame("a block of the wrong length")
    return [value or None for value in values] if "" in values else values
