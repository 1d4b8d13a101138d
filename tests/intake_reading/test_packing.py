"""Packing row by row gives the same cells as taking each column whole, whatever stands in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from tms_pipeline.intake.framing import CODED_TEXT, SIZED_TEXT, TEXT, Encoded, decode_column, encode_column
from tms_pipeline.intake.packing import MANY_DIFFERENT, ROWS_AT_ONCE, pack

ODD = [True, 1.5, -0.0, 7, 10**30, date(2026, 2, 28), datetime(2026, 1, 2, 3, 4), time(3, 4), timedelta(hours=30), "text"]
CELLS: dict[str, Callable[[random.Random, int], Any]] = {
    "repeating": lambda dice, _: dice.choice(["Present", "Absent", "出席", ""]),
    "different": lambda dice, _: f"S{dice.random()}",
    "different from the second block on": lambda dice, at: "one" if at < ROWS_AT_ONCE else f"S{dice.random()}",
    "numbers": lambda dice, _: dice.choice([1.0, 2.5, 1e300, 9123.0]),
    "of every type": lambda dice, _: dice.choice([*ODD, ""]),
    "texts among numbers": lambda dice, _: dice.choice([1.0, "n/a", "n/a", ""]),
    "with the separator": lambda dice, _: dice.choice(["a\x1eb", "", "qq"]),
    "with the separator late": lambda dice, at: f"{dice.random()}" + "\x1e" * (at == ROWS_AT_ONCE + 7),
    "blank": lambda *_: "",
}


def _cells(columns: Iterable[Encoded], rows: int) -> list[list[str]]:
    return [
        list(map(repr, decode_column(parts, iter([memoryview(block) for block in blocks]), rows).tolist()))
        for parts, blocks in columns
    ]


def _taken_whole(sheet: list[list[Any]]) -> tuple[list[list[str]], list[int]]:
    """Each column as a list of cells, encoded at once."""
    lines = [(number, row) for number, row in enumerate(sheet, 1) if any(cell != "" for cell in row)]
    columns = [list(column) for column in zip(*(row for _, row in lines), strict=True)]
    while columns and all(cell == "" for cell in columns[-1]):
        columns.pop()
    return _cells(map(encode_column, columns), len(lines)), [number for number, _ in lines]


def _sheet(names: Iterable[str], rows: int, seed: int) -> list[list[Any]]:
    dice = random.Random(seed)
    made = [[CELLS[name](dice, at) for name in names] for at in range(rows)]
    return [[""] * len(row) if dice.random() < 0.05 else row for row in made]


@pytest.mark.parametrize("rows", [0, 1, 900, ROWS_AT_ONCE, ROWS_AT_ONCE * 2 + 5])
def test_packed_rows_are_the_columns_that_one_takes_whole(rows: int) -> None:
    for names in (list(CELLS), ["numbers", "blank", "blank"], ["blank"]):
        sheet = _sheet(names, rows, seed=rows)
        columns, numbers = pack(iter(sheet))
        assert (_cells(columns, len(numbers)), numbers) == _taken_whole(sheet)


def test_a_column_is_coded_only_while_it_repeats() -> None:
    rows = MANY_DIFFERENT * 2
    sheet = [["a", "b" if at < 1000 else f"b{at}", "c" if at < 1000 else f"c{at}\x1e"] for at in range(rows)]
    columns, numbers = pack(sheet)
    assert [parts[0][0] for parts, _ in columns] == [CODED_TEXT, TEXT, SIZED_TEXT]
    assert _cells(columns, len(numbers)) == [list(map(repr, column)) for column in zip(*sheet, strict=True)]
