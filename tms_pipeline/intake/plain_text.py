"""Plain text: delimited text split by whole blocks of bytes instead of cell by cell.

Most exports are plain: a cell stands between quotation marks as a whole or has none, and ends on its line. What comes
out is what ``delimited.read_rows`` and ``table_rows.emit_rows`` make of the same text; anything in doubt (a mark inside
a cell, a line of another width, a cell without end) is left to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake.delimited import LONGEST_CELL
from tms_pipeline.intake.framing import SEPARATOR, Encoded, coded_block, separated_block

BLOCK_BYTES = 4 << 20  # more than the longest cell
# Values past this length are not looked up but sent as they are.
WORDS_OF_VALUE = 16
PADDING = bytes(8 * WORDS_OF_VALUE + 16)
MOST_DIFFERENT = 300_000
FEW = 200  # so many values nearly always differ in the first bits of their sums
_NEWLINE = 10
_QUOTE = ord('"')

Whole = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

# The first n bytes of a word, for n from 0 to 8.
_MASKS: Words = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)
# Odd multipliers, one a word (those of a well-known generator, in its order): a value is looked up by their sum.
_FACTORS: Words = np.array(
    [(0x9E3779B97F4A7C15 * (2 * place + 1)) % 2**64 | 1 for place in range(WORDS_OF_VALUE)], dtype=np.uint64
)


class _NotPlain(Exception):
    """Another reader must look at this text."""


def read_plain(
    raw: bytes, separator: str, *, max_rows: int, max_columns: int
) -> tuple[list[Encoded], list[int]] | None:
    """The columns of a text in UTF-8, ready to be sent, and the row numbers; None when the text is not so plain."""
    returns = raw.count(b"\r") if b"\r" in raw else 0
    if b"\0" in raw or SEPARATOR.encode() in raw or (returns and returns != raw.count(b"\r\n")):
        return None
    if returns and returns != raw.count(b"\n"):
        return None  # ends of lines of two sorts
    try:
        return _read(raw, ord(separator), max_rows=max_rows, max_columns=max_columns, returns=bool(returns))
    except _NotPlain:
        return None


def _read(
    raw: bytes, separator: int, *, max_rows: int, max_columns: int, returns: bool
) -> tuple[list[Encoded], list[int]]:
    width, lines, valued = 0, 0, 0
    coders: list[_Coder] = []
    numbers: list[Whole] = []
    at = 0
    while at < len(raw):
        end = len(raw) if len(raw) - at <= BLOCK_BYTES else raw.rfind(b"\n", at, at + BLOCK_BYTES) + 1
        if end <= at:
            raise _NotPlain
        last = b"" if raw[end - 1] == _NEWLINE else b"\r\n" if returns else b"\n"
        block = _Block(raw[at:end] + last, separator, returns)
        if not width:
            width = block.first_width()
            coders = [_Coder() for _ in range(width)]
        starts, ends, rows = block.cells(width, lines)
        lines += block.lines
        valued += block.valued
        if width > max_columns or valued > max_rows or lines > max_rows * 2:
            raise _NotPlain
        if len(rows):
            numbers.append(rows)
            for column, coder in enumerate(coders):
                coder.add(block, np.ascontiguousarray(starts[:, column]), np.ascontiguousarray(ends[:, column]))
        at = end
    while coders and coders[-1].is_blank():
        coders.pop()
    if not numbers or not coders:
        raise _NotPlain
    return [coder.encoded() for coder in coders], np.concatenate(numbers).tolist()


class _Block:
    """Some whole lines."""

    def __init__(self, text: bytes, separator: int, returns: bool) -> None:
        self.text, self.returns = text, returns
        padded = np.frombuffer(text + PADDING[: len(PADDING) - len(text) % 8], dtype=np.uint8)
        self.bytes = padded
        self.words: Words = padded.view(np.uint64)
        letters = padded[: len(text)]
        ending = (letters == separator) | (letters == _NEWLINE)
        self.quotes = text.count(b'"')
        if self.quotes:
            # An odd number of marks before it: inside of a cell. One byte is enough to know whether it is odd.
            inside = np.cumsum(letters == _QUOTE, dtype=np.uint8) & 1
            if inside[letters == _NEWLINE].any():
                raise _NotPlain
            ending &= inside == 0
        self.ends: Whole = np.flatnonzero(ending)
        self.is_line_end = letters[self.ends] == _NEWLINE
        self.lines = int(self.is_line_end.sum())
        self.valued = 0

    def first_width(self) -> int:
        """How many cells the first line has that is not empty."""
        starts = np.concatenate(([0], self.ends[:-1] + 1))
        filled = ~self._empty_lines(starts)
        line_ends = np.flatnonzero(self.is_line_end[filled])
        return int(line_ends[0]) + 1 if len(line_ends) else 1

    def cells(self, width: int, lines_before: int) -> tuple[Whole, Whole, Whole]:
        """Starts and ends of the cells, a row a line, and the row numbers; without rows in which nothing stands."""
        ends, is_line_end = self.ends, self.is_line_end
        starts: Whole = np.concatenate(([0], ends[:-1] + 1))
        numbers: Whole = np.arange(lines_before + 1, lines_before + self.lines + 1)
        if len(ends) != self.lines * width or not is_line_end[width - 1 :: width].all():
            empty = self._empty_lines(starts)
            numbers = numbers[~empty[is_line_end]]
            starts, ends, is_line_end = starts[~empty], ends[~empty], is_line_end[~empty]
            if len(ends) != len(numbers) * width or not is_line_end[width - 1 :: width].all():
                raise _NotPlain
        elif width == 1:  # an empty line has the width of any other, and a cell "" is none
            if self.quotes:
                raise _NotPlain
            filled = ~self._empty_lines(starts)
            starts, ends, numbers = starts[filled], ends[filled], numbers[filled]
        starts, ends = starts.reshape(-1, width), ends.reshape(-1, width)
        if self.returns:
            ends[:, -1] -= 1
        self.valued = len(numbers)
        sizes = ends[:, -1] - starts[:, 0]
        if len(sizes) and int(sizes.max()) > LONGEST_CELL:
            raise _NotPlain
        if self.quotes:
            starts, ends = self._unquoted(starts, ends)
            blank = (ends == starts).all(axis=1)
        else:
            blank = sizes == width - 1
        if blank.any():
            starts, ends, numbers = starts[~blank], ends[~blank], numbers[~blank]
        return starts, ends, numbers

    def _unquoted(self, starts: Whole, ends: Whole) -> tuple[Whole, Whole]:
        """The cells without the marks around them; there may be no others."""
        marked = (self.bytes[starts] == _QUOTE) & (ends > starts)
        if 2 * int(marked.sum()) != self.quotes or (ends - starts < 2)[marked].any():
            raise _NotPlain
        if (self.bytes[ends[marked] - 1] != _QUOTE).any():
            raise _NotPlain
        return starts + marked, ends - marked

    def _empty_lines(self, starts: Whole) -> npt.NDArray[np.bool_]:
        """The line ends before which their line has nothing at all."""
        begins = np.concatenate(([True], self.is_line_end[:-1]))
        empty: npt.NDArray[np.bool_] = self.is_line_end & begins & (self.ends - self.returns == starts)
        return empty

    def word(self, at: Whole) -> Words:
        """The eight bytes that begin at each of these places."""
        place, shift = at >> 3, ((at & 7) << 3).astype(np.uint64)
        low, high = self.words[place], self.words[place + 1]
        found: Words = (low >> shift) | ((high << np.uint64(1)) << (np.uint64(63) - shift))
        return found


def _no_words() -> Words:
    return np.empty(0, dtype=np.uint64)


@dataclass
class _Coder:
    """One column: its different values, each once, and for every row which it is; or all cells as they stand."""

    texts: list[bytes] = field(default_factory=list)
    words: list[Words] = field(default_factory=lambda: [_no_words() for _ in range(WORDS_OF_VALUE)])
    sums: Words = field(default_factory=_no_words)  # of each value, by which it is found
    by_sum: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    slots: npt.NDArray[np.intp] | None = None  # the codes of few values, by the first bits of their sums
    bits: int = 0
    codes: list[npt.NDArray[Any]] = field(default_factory=list)
    cells: list[bytes] | None = None
    rows: int = 0
    longest: int = 0  # words of the longest value

    def add(self, block: _Block, starts: Whole, ends: Whole) -> None:
        """Take the cells of a block."""
        sizes = ends - starts
        self.rows += len(sizes)
        if self.cells is None and not self._look_up(block, starts, sizes):
            different = np.array(self.texts, dtype=object)
            self.cells = [SEPARATOR.encode().join(different[codes].tolist()) for codes in self.codes]
            self.codes = []
        if self.cells is not None:
            self.cells.append(_gathered(block.bytes, starts, sizes))

    def _look_up(self, block: _Block, starts: Whole, sizes: Whole) -> bool:
        """Adds the codes of these cells; False when their values are too long or hardly ever come again."""
        count = -(-int(sizes.max()) // 8)
        if count > WORDS_OF_VALUE:
            return False
        words = []
        sums = np.zeros(len(sizes), dtype=np.uint64)
        for place in range(count):
            word = block.word(starts + 8 * place if place else starts)
            word &= _MASKS[np.minimum(np.maximum(sizes - 8 * place, 0), 8)]
            words.append(word)
            sums += (word ^ (word >> np.uint64(29))) * _FACTORS[place]
        codes, known = self._find(sums)
        if not known.all():
            fresh = np.flatnonzero(~known)
            _, first = np.unique(sums[fresh], return_index=True)
            self._learn(block, starts, sizes, words, sums, np.sort(fresh[first]))
            if len(self.texts) > max(16, min(self.rows // 2, MOST_DIFFERENT)):
                return False
            codes, _ = self._find(sums)
        # Two values can have one sum, so each is compared with the one that it was taken for.
        for place in range(self.longest):
            taken = self.words[place][codes]
            if (taken != words[place]).any() if place < count else taken.any():
                return False
        self.codes.append(codes.astype(np.uint16 if len(self.texts) <= 0xFFFF else np.uint32))
        return True

    def _find(self, sums: Words) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """The codes of the values with these sums, and whether there is one."""
        if not self.texts:
            return np.zeros(len(sums), dtype=np.intp), np.zeros(len(sums), dtype=bool)
        if self.slots is not None:
            codes = self.slots[sums >> np.uint64(64 - self.bits)]
        else:
            codes = self.by_sum[np.minimum(np.searchsorted(self.sums[self.by_sum], sums), len(self.texts) - 1)]
        return codes, self.sums[codes] == sums

    def _learn(
        self, block: _Block, starts: Whole, sizes: Whole, words: list[Words], sums: Words, fresh: npt.NDArray[np.intp]
    ) -> None:
        for start, size in zip(starts[fresh].tolist(), sizes[fresh].tolist(), strict=True):
            self.texts.append(block.text[start : start + size])
        self.longest = max(self.longest, len(words))
        nothing = np.zeros(len(fresh), dtype=np.uint64)
        for place in range(WORDS_OF_VALUE):
            more = words[place][fresh] if place < len(words) else nothing
            self.words[place] = np.concatenate((self.words[place], more))
        self.sums = np.concatenate((self.sums, sums[fresh]))
        self.by_sum = np.argsort(self.sums, kind="stable")
        self.slots = None
        for bits in range(4, 15) if len(self.texts) <= FEW else ():
            slots = self.sums >> np.uint64(64 - bits)
            if len(np.unique(slots)) == len(slots):
                self.slots, self.bits = np.zeros(1 << bits, dtype=np.intp), bits
                self.slots[slots] = np.arange(len(slots))
                break

    def is_blank(self) -> bool:
        """Whether nothing stands in the column."""
        return self.cells is None and self.texts == [b""]

    def encoded(self) -> Encoded:
        """The column as it goes over the pipe."""
        if self.cells is not None:
            return separated_block(self.rows, SEPARATOR.encode().join(self.cells))
        return coded_block(SEPARATOR.encode().join(self.texts), len(self.texts), np.concatenate(self.codes))


def _gathered(letters: npt.NDArray[np.uint8], starts: Whole, sizes: Whole) -> bytes:
    """The cells with a separator between any two."""
    spans = sizes + 1
    after = np.cumsum(spans)
    picked = letters[np.arange(int(after[-1])) + np.repeat(starts - (after - spans), spans)]
    picked[after - 1] = ord(SEPARATOR)
    return bytes(picked[:-1])
