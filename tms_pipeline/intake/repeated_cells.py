"""Repeated cells: a column as its different cells, each of which is read once, and the lines where each stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from tms_pipeline.intake.grid import Cell, Coded


class RepeatedCells(Protocol):
    """Different cells by a key each."""

    @property
    def cells(self) -> Mapping[Any, Cell]:
        """One cell for each key."""

    def spread(self, texts: Mapping[Any, str | None]) -> list[str | None]:
        """The text of each line, given that of each key."""

    def lines_of(self, keys: Collection[Any]) -> list[tuple[int, Any]]:
        """The lines of these keys in order, with the key of each."""


class HashedCells:
    """Cells told apart by their values. True, 1 and 1.0 are equal to Python and not to us."""

    def __init__(self, cells: Sequence[Any], lines: Sequence[int] | None = None) -> None:
        """``lines`` numbers the cells where they are not all of the column."""
        self._lines: Iterable[int] = range(len(cells)) if lines is None else lines
        kinds = set(map(type, cells))
        self._keys: Sequence[Any] = cells
        if not kinds & {bool, float} or len(kinds - {type(None)}) < 2:
            self.cells: dict[Any, Cell] = {cell: cell for cell in set(cells)}
        else:
            self._keys = list(zip(map(type, cells), cells, strict=True))
            self.cells = {key: key[1] for key in set(self._keys)}

    def spread(self, texts: Mapping[Any, str | None]) -> list[str | None]:
        """The text of each line, given that of each key."""
        return list(map(texts.__getitem__, self._keys))

    def lines_of(self, keys: Collection[Any]) -> list[tuple[int, Any]]:
        """The lines of these keys in order, with the key of each."""
        if not keys:
            return []
        return [(line, key) for line, key in zip(self._lines, self._keys, strict=True) if key in keys]


class CodedCells:
    """Cells that the reader has told apart already."""

    def __init__(self, coded: Coded) -> None:
        self._codes, self._size = coded.codes, len(coded.values)
        standing = np.flatnonzero(np.bincount(coded.codes, minlength=self._size))
        self.cells: dict[Any, Cell] = dict(zip(standing.tolist(), coded.values[standing].tolist(), strict=True))

    def spread(self, texts: Mapping[Any, str | None]) -> list[str | None]:
        """The text of each line, given that of each key."""
        text_of = np.full(self._size, None, dtype=object)
        text_of[list(texts)] = list(texts.values())
        spread: list[str | None] = text_of[self._codes].tolist()
        return spread

    def lines_of(self, keys: Collection[Any]) -> list[tuple[int, Any]]:
        """The lines of these keys in order, with the key of each."""
        if not keys:
            return []
        wanted = np.zeros(self._size, dtype=bool)
        wanted[list(keys)] = True
        lines = np.flatnonzero(wanted[self._codes])
        return list(zip(lines.tolist(), self._codes[lines].tolist(), strict=True))
