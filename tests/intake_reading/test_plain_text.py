"""Plain text is read by whole blocks; what comes out is what the reader of single cells gives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tms_pipeline.intake import plain_text
from tms_pipeline.intake.columns import DATES, read_column
from tms_pipeline.intake.delimited import read_rows, separator_of
from tms_pipeline.intake.framing import Encoded, decode_column, encode_column
from tms_pipeline.intake.grid import Coded
from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook
from tms_pipeline.intake.table import Table
from tms_pipeline.intake.table_rows import emit_rows
from tms_pipeline.records.field import Field
from tms_pipeline.records.kinds import KINDS

Sheet = tuple[list[int], list[list[Any]]]

WORDS = ["", "", "P", "Late", "S0000001I", "Æsop", "很好", "x" * 9, "y" * 130, " a ", "'", "\t", "1.0", "=1", "\x0b"]
CELLS = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_characters='",\n\r\0\x1e', codec="utf-8")))
ROWS = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=40))


def _decoded(columns: Iterable[Encoded], rows: int) -> list[list[Any]]:
    return [
        decode_column(json.loads(json.dumps(parts)), iter(map(memoryview, blocks)), rows).tolist()
        for parts, blocks in columns
    ]


def _by_cells(text: str, **limits: int) -> Sheet:
    sent: list[Sheet] = []
    rows = read_rows(text, ".csv", **limits)
    emit_rows(
        SheetLook(name="CSV"), rows,
        lambda _, columns, numbers: sent.append((numbers, _decoded(columns, len(numbers)))),
    )  # fmt: skip
    return sent[0]


def _by_blocks(text: str, **limits: int) -> Sheet | None:
    found = plain_text.read_plain(text.encode(), separator_of(text, ".csv")[0], **limits)
    return None if found is None else (found[1], _decoded(found[0], len(found[1])))


LIMITS = {"max_rows": 1_000, "max_columns": 10}


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n"]), last=st.booleans(), small=st.booleans())
@example(rows=[["a", "b"], ["", ""], ["1", "2"]], line_end="\r\n", last=False, small=False)
@example(rows=[["a"], [""], ["b"]], line_end="\r\n", last=True, small=True)
def test_whole_blocks_give_what_single_cells_give(rows: list[list[str]], line_end: str, last: bool, small: bool) -> None:
    text = line_end.join(",".join(row) for row in rows) + (line_end if last else "")
    usual, plain_text.BLOCK_BYTES = plain_text.BLOCK_BYTES, 160 if small else plain_text.BLOCK_BYTES
    try:
        found = _by_blocks(text, **LIMITS)
    finally:
        plain_text.BLOCK_BYTES = usual
    if found is not None:
        assert found == _by_cells(text, **LIMITS)


QUOTED = ['"a"', '"1,2"', '""', '"  "', '"late, at 9"', "Æ", "", "7", '"很好"']
ODDLY_QUOTED = ['"a""b"', 'a"b', '"a"b', ' "a"', '"a\nb"', '"', '"""', '="912"', '"="', "\x0b"]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.integers(1, 4).flatmap(lambda width: st.lists(
        st.lists(st.sampled_from(QUOTED * 3 + ODDLY_QUOTED), min_size=width, max_size=width), min_size=1, max_size=12)),
    line_end=st.sampled_from(["\n", "\r\n"]), last=st.booleans(),
)  # fmt: skip
@example(rows=[["a", "b"], ['""', '""'], ['"1,2"', ""]], line_end="\r\n", last=False)
@example(rows=[["a"], ['""'], ["b"]], line_end="\n", last=True)
@example(rows=[["a", '"b'], ['c"', "d"]], line_end="\n", last=True)
def test_quotation_marks_around_cells_are_read_as_the_reader_of_cells_does(
    rows: list[list[str]], line_end: str, last: bool
) -> None:
    text = line_end.join(",".join(row) for row in rows) + (line_end if last else "")
    found = _by_blocks(text, **LIMITS)
    if found is not None:
        assert found == _by_cells(text, **LIMITS)


def test_cells_between_quotation_marks_need_no_reader_of_cells() -> None:
    text = "Name,Hours,Remarks\n" + '"Tan, Made Up",2.5,""\n"",,""\n"Lim",3,"late, at 9"\n' * 3
    found = _by_blocks(text, **LIMITS)
    assert found is not None and found == _by_cells(text, **LIMITS)
    assert len(found[0]) == 7 and found[1][0][1] == "Tan, Made Up"


def test_values_that_come_again_that_hardly_do_and_that_are_long_are_all_kept() -> None:
    lines = ["Name,Number,Same,Blank,Note"]
    lines += [f"Made Up {n % 7},{n},Hall 3 {'at the end of the corridor ' * 5},,{'n' * (n % 200)}" for n in range(3_000)]
    lines.insert(1_500, ",,,,")
    lines.insert(2_000, "")
    text = "\n".join([*lines, "", ""])
    found = _by_blocks(text, max_rows=5_000, max_columns=10)
    assert found is not None
    assert found == _by_cells(text, max_rows=5_000, max_columns=10)
    assert len(found[0]) == 3_001
    assert found[0][1_499:1_501] == [1_500, 1_502]  # the blank row counts, and is left out


def test_what_is_in_doubt_is_left_to_the_reader_of_cells() -> None:
    for text in (
        'a,b\n"1 ""2""",3\n',  # a quotation mark inside a cell
        'a,b\n1 "2",3\n',
        'a,b\n"1\n2",3\n',  # a cell of two lines
        'a,b\n="12",3\n',  # an Excel formula that keeps a number as text
        "a,b\n1\n",  # a line that is short
        "a,b\n1,2,3\n",  # a line that is long
        "a,b\r1,2\r",  # ends of lines of old Macs
        "a,b\r\n1,2\n",  # of two sorts
        "a,b\n1,2\x1e3\n",
        "\n\n",
        ",,\n,,\n",
        "a," * 20 + "\n",  # too wide
        "a\n" * 1_001,  # too long
        "a,b\n1," + "x" * 1_000_001 + "\n",
    ):
        assert _by_blocks(text, **LIMITS) is None, text[:20]
    try:
        _by_cells("a\n" * 1_001, **LIMITS)
    except Refusal as refusal:
        assert refusal.code == "FILE_TOO_MANY_ROWS"
    else:
        raise AssertionError("a file past the limit was read")


MESSY = st.sampled_from(
    [None, "Present", "P", "late ", "perhaps", "x", " ", "-", "2", "2.5", "31/12/2025", "1/2/2026", "2/13/2026", "N/A",
     "S0000001I", "S1234567A", "+60 12 345 6789", "91234567", "B-1", "b 1", "=1+1", "ditto", "é@example.com"]
)  # fmt: skip
FIELDS = [field for kind in KINDS.values() for field in kind.fields]


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(MESSY, min_size=1, max_size=40), field=st.sampled_from(FIELDS))
def test_cells_told_apart_by_the_reader_are_read_as_any_others(cells: list[str | None], field: Field) -> None:
    values, codes = np.unique([cell or "" for cell in [*cells, "Heading"]], return_inverse=True)
    coded = Coded(np.array([value or None for value in values.tolist()], dtype=object), codes[:-1])
    columns = []
    for also in ({}, {field.name: coded}):
        table = Table(
            sheet="S", header_row=1, kinds=(), headings=[], rows=np.arange(len(cells)), columns=[], titles={},
            frame=pd.DataFrame({field.name: pd.Series(cells, dtype=object)}, dtype=object), field_coded=also,
        )  # fmt: skip
        columns.append(read_column(field, table))
    plain, once = columns
    assert (once.texts, once.faults, once.countries, once.swapped) == (
        plain.texts, plain.faults, plain.countries, plain.swapped
    )  # fmt: skip
    assert once.blank.tolist() == plain.blank.tolist()


def test_a_long_column_of_texts_numbers_dates_and_blanks_crosses_the_pipe_whole() -> None:
    cells = [["Hall 3", "Hall 4", "", 7, 2.5, date(2026, 11, 21), None, "a\x1eb"][n % 8] for n in range(8_000)]
    without = [cell for cell in cells if cell != "a\x1eb"]  # the sign that stands between texts on their way
    texts = [cell for cell in without if isinstance(cell, str)]
    for column in (cells, without, texts):
        parts, blocks = encode_column(list(column))
        read = decode_column(parts, iter(map(memoryview, blocks)), len(column)).tolist()
        assert read == [None if cell == "" else cell for cell in column]
    assert sum(map(len, blocks)) < 2 * len(texts)  # each different text once


HARDLY_TWICE = st.one_of(
    MESSY,
    st.lists(
        st.sampled_from(["NONE", "NIL", "not applicable", "0", "00065", "E+05", "1", "A", "S0000001I", ".", "-", "/", " ", "'",
                         "=", "@", "+", "example.com", "ﬁ", "\u200b", "Made Up Person Of Many Names"]),
        min_size=1, max_size=5,
    ).map("".join),
    st.sampled_from([91234567, 81234567.0, 61234567, 13022026, 1e16, 46266.5, True, float("nan"), date(2026, 11, 21)]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(HARDLY_TWICE, min_size=1, max_size=6), field=st.sampled_from(FIELDS))
@example(cells=["NONE."], field=KINDS["fee"].field("receipt_no"))
@example(cells=["00065"], field=KINDS["trainee"].field("phone_country"))
def test_the_usual_form_is_taken_at_once_for_what_the_reader_makes_of_it(cells: list[Any], field: Field) -> None:
    def read(values: list[Any]) -> tuple[list[str | None], list[tuple[int, Any]]]:
        frame = pd.DataFrame({field.name: pd.Series(values, dtype=object)}, dtype=object)
        table = Table(
            sheet="S", header_row=1, kinds=(), headings=[], rows=np.arange(len(values)), columns=[], titles={}, frame=frame
        )  # fmt: skip
        column = read_column(field, table)
        return column.texts, sorted(column.faults, key=lambda fault: fault[0])

    if field.type in DATES or field.name == "mark":
        return  # these are read by their whole column
    texts, faults = read(cells)
    again, their_faults = read(cells * 3)  # each comes again: none is taken at once
    assert texts == again[: len(cells)]
    assert faults == [fault for fault in their_faults if fault[0] < len(cells)]


def test_a_number_past_all_bounds_changes_no_other_number_of_its_column() -> None:
    for odd in (1e16, float("inf"), float("nan")):
        parts, blocks = encode_column([13022026.0, 2.5, odd])
        first, second, _ = decode_column(parts, iter(map(memoryview, blocks)), 3).tolist()
        assert (first, type(first), second) == (13022026, int, 2.5)
