"""Columns: whole columns of raw cells read into canonical text, with what is wrong by line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake import contacts, readings
from tms_pipeline.intake.attendance_marks import unclear_crosses
from tms_pipeline.intake.clock import read_time
from tms_pipeline.intake.dates import Order, Parsed, parse, prove, settle
from tms_pipeline.intake.grid import Cell, Cells, Coded
from tms_pipeline.intake.nric import SHAPE, check_letter_faults
from tms_pipeline.intake.readings import BLANK_WORDS, NOTHING, Reading, choice_key
from tms_pipeline.intake.repeated_cells import CodedCells, HashedCells, RepeatedCells
from tms_pipeline.intake.table import Table
from tms_pipeline.records.field import Field, FieldType

READERS: dict[FieldType, Callable[[Field, Cell], Reading]] = {
    FieldType.TEXT: readings.read_text,
    FieldType.CODE: readings.read_code,
    FieldType.CODES: readings.read_codes,
    FieldType.NRIC: contacts.read_nric_checked,
    FieldType.TIME: read_time,
    FieldType.INTEGER: readings.read_integer,
    FieldType.AMOUNT: readings.read_amount,
    FieldType.HOURS: readings.read_hours,
    FieldType.YES_NO: readings.read_yes_no,
    FieldType.CHOICE: readings.read_choice,
    FieldType.EMAIL: contacts.read_email,
    FieldType.PHONE: contacts.read_phone,
    FieldType.POSTAL: contacts.read_postal,
    FieldType.UEN: contacts.read_uen,
}


DATES = (FieldType.DATE, FieldType.MOMENT)


@dataclass(kw_only=True)
class Column:
    """A column read: canonical texts, and what is wrong by line."""

    texts: list[str | None]
    faults: list[tuple[int, Reading]]
    blank: npt.NDArray[np.bool_]
    countries: dict[int, str]
    swapped: bool = False


def read_column(field: Field, table: Table) -> Column:
    """The column of that field; read once for all kinds that share it."""
    key = (field.name, field.type, field.required, field.default)
    if key not in table.canonical_memory:
        count = len(table.frame)
        if field.name not in table.frame.columns:
            column = Column(texts=[None] * count, faults=[], blank=np.ones(count, dtype=bool), countries={})
        else:
            values = table.frame[field.name].to_numpy(dtype=object)
            # A cell with a problem of its own is told of already; what stands in it is no value.
            told = table.problems.get(field.name)
            if told:
                values = values.copy()
                values[list(told)] = None
            coded = None if told else table.field_coded.get(field.name)
            read = _read_dates if field.type in DATES else _read_values
            column = read(field, table, values, coded)
        table.canonical_memory[key] = column
    column = table.canonical_memory[key]
    assert isinstance(column, Column)
    return column


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing: none, spaces, or not a number."""
    return (
        value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value)
    )


def is_birth(field: Field) -> bool:
    """Whether the field is a birth date, whose readings are never shown."""
    return field.personal and field.type is FieldType.DATE


def or_nothing(field: Field, value: Cell, reading: Reading) -> Reading:
    """What cannot be read and only says 'none' counts as blank."""
    if reading.code and reading.text is None and isinstance(value, str) and choice_key(value) in _BLANK_KEYS:
        return NOTHING
    if (
        reading.text
        and field.type in (FieldType.CODE, FieldType.CODES)
        and not field.required
        and choice_key(reading.text) in _BLANK_KEYS
    ):
        return NOTHING
    return reading


_BLANK_KEYS = frozenset({*(choice_key(word) for word in BLANK_WORDS), ""})


# With a digit: words that say nothing, as 'NONE.' does, have none.
_EASY_CODE = re.compile(r"(?=[^0-9]*+[0-9])[A-Z0-9][A-Z0-9./-]*+")


def _easy_text(value: Any) -> str | None:
    return (
        value
        if type(value) is str
        and value.isascii()
        and value.isprintable()
        and len(value) > 14
        and "  " not in value
        and value[0] not in " '=@+-"
        and value[-1] != " "
        else None
    )


def _easy_code(value: Any) -> str | None:
    return (
        value if type(value) is str and len(value) > 4 and _EASY_CODE.fullmatch(value) and "E+" not in value else None
    )


def _easy_nric(value: Any) -> str | None:
    return value if type(value) is str and SHAPE.fullmatch(value) else None


def _easy_email(value: Any) -> str | None:
    return value.lower() if type(value) is str and contacts.EASY_EMAIL.fullmatch(value) else None


def _easy_phone(value: Any) -> str | None:
    return str(value) if type(value) is int and (80_000_000 <= value < 100_000_000) else None


# Columns in which nearly every cell is another: the usual form is taken at once, the rest goes to the reader.
_EASY: dict[FieldType, Callable[[Any], str | None]] = {
    FieldType.TEXT: _easy_text,
    FieldType.CODE: _easy_code,
    FieldType.NRIC: _easy_nric,
    FieldType.EMAIL: _easy_email,
    FieldType.PHONE: _easy_phone,
}


def _read_values(field: Field, table: Table, values: Cells, coded: Coded | None) -> Column:
    reader: Callable[[Field, Cell], Reading] = READERS[field.type]
    if field.type is FieldType.NRIC:
        reader = contacts.read_nric
    repeated: RepeatedCells = HashedCells(values.tolist()) if coded is None else CodedCells(coded)
    # Where values come again and again, each is read once; where hardly one does, most have the usual form.
    easy = _EASY.get(field.type) if len(repeated.cells) * 2 > len(values) and field.name != "phone_country" else None
    texts: list[str | None] = []
    hard: list[int] = []
    if easy:
        cells = values.tolist()
        texts = list(map(easy, cells))
        hard = [line for line, text in enumerate(texts) if text is None]
        repeated = HashedCells([cells[line] for line in hard], hard)
    seen: dict[Any, Reading] = {}
    for key, value in repeated.cells.items():
        seen[key] = NOTHING if is_blank(value) else or_nothing(field, value, reader(field, value))
    if field.name == "mark":
        seen.update(unclear_crosses(seen, repeated.cells))
    spread = repeated.spread({key: reading.text for key, reading in seen.items()})
    if easy:
        for line, text in zip(hard, spread, strict=True):
            texts[line] = text
    else:
        texts = spread
    faulty = {key for key, reading in seen.items() if reading.code}
    faults = [(line, seen[key]) for line, key in repeated.lines_of(faulty)]
    if field.type is FieldType.NRIC:
        wrong = check_letter_faults(np.array(texts, dtype=object))
        for line in np.flatnonzero(wrong).tolist():
            texts[line] = None
            faults.append((line, Reading(None, "NRIC_CHECK_LETTER")))
    countries: dict[int, str] = {}
    if field.type is FieldType.PHONE:
        abroad = {key for key, reading in seen.items() if "country" in reading.words}
        countries = {line: seen[key].words["country"] for line, key in repeated.lines_of(abroad)}
        texts, faults = _phones_abroad(field, table, values, texts, faults)
    return _column(texts, faults, countries)


def _column(
    texts: list[str | None], faults: list[tuple[int, Reading]], countries: dict[int, str] | None = None
) -> Column:
    """The column, in which blank means: no text and nothing wrong."""
    nothing: Any = None  # numpy's stubs know no comparison with None
    blank = np.equal(np.array(texts, dtype=object), nothing).astype(bool)
    if faults:
        blank[[line for line, _ in faults]] = False
    return Column(texts=texts, faults=faults, blank=blank, countries=countries or {})


def _phones_abroad(
    field: Field, table: Table, values: Cells, texts: list[str | None], faults: list[tuple[int, Reading]]
) -> tuple[list[str | None], list[tuple[int, Reading]]]:
    """Numbers that are none of Singapore's, in rows whose country column names another country."""
    if not faults or field.name != "phone" or "phone_country" not in table.frame.columns:
        return texts, faults
    countries = table.frame["phone_country"].to_numpy(dtype=object)
    left = []
    for line, reading in faults:
        country = str(countries[line] or "").strip().lstrip("+0").removesuffix(".0")
        again = contacts.read_phone_abroad(field, values[line]) if country and country != "65" else reading
        texts[line] = again.text
        if again.code:
            left.append((line, again))
    return texts, left


def _read_dates(field: Field, table: Table, values: Cells, coded: Coded | None) -> Column:
    birth, moment = is_birth(field), field.type is FieldType.MOMENT
    repeated: RepeatedCells = HashedCells(values.tolist()) if coded is None else CodedCells(coded)
    parsed: dict[Any, Parsed | None] = {
        key: None if is_blank(value) else parse(value, birth=birth, epoch_1904=table.epoch_1904)
        for key, value in repeated.cells.items()
    }
    order = Order(stated=table.orders.get(field.name))
    pairs = {key: cell for key, cell in parsed.items() if cell is not None and cell.pair}
    if pairs:
        order = prove(((0, cell) for cell in pairs.values()), table.orders.get(field.name))
        if order.dmy and order.mdy:  # then the rows are named
            rows = table.frame.index.to_numpy()
            order = prove(
                ((int(rows[line]), pairs[key]) for line, key in repeated.lines_of(pairs.keys())),
                table.orders.get(field.name),
            )
    seen: dict[Any, Reading] = {}
    for key, cell in parsed.items():
        if cell is None:
            seen[key] = NOTHING
        else:
            reading = settle(cell, order, personal=field.personal, moment=moment)
            seen[key] = or_nothing(field, repeated.cells[key], reading)
    texts = repeated.spread({key: reading.text for key, reading in seen.items()})
    faulty = {key for key, reading in seen.items() if reading.code}
    column = _column(texts, [(line, seen[key]) for line, key in repeated.lines_of(faulty)])
    column.swapped = _maybe_swapped([cell for cell in parsed.values() if cell is not None])
    return column


# So many different true dates with no day past 12 come about by chance once in fifteen times.
FEW_TRUE_DATES = 3


def _maybe_swapped(cells: list[Parsed]) -> bool:
    """True if no true date has a day past 12 and every typed one has: what a wrong regional setting leaves."""
    true = [cell.day for cell in cells if cell.real and cell.day is not None]
    typed = [cell.pair for cell in cells if cell.pair]
    return (
        len(true) >= FEW_TRUE_DATES
        and bool(typed)
        and all(day.day <= 12 for day in true)
        and all(first > 12 for first, _, _ in typed)
    )
