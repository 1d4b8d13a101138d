"""Cells: the columns of a table in canonical form, with the faults of each cell. Works on whole columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tms_pipeline.intake import contacts, readings
from tms_pipeline.intake.clock import read_time
from tms_pipeline.intake.dates import Order, Parsed, parse, prove, settle
from tms_pipeline.intake.grid import Cell, Cells
from tms_pipeline.intake.nric import check_letter_faults
from tms_pipeline.intake.readings import BLANK_WORDS, NOTHING, Reading, choice_key
from tms_pipeline.intake.table import Table
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.field import Field, FieldType, RecordKind

_READERS: dict[FieldType, Callable[[Field, Cell], Reading]] = {
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
_DATES = (FieldType.DATE, FieldType.MOMENT)


@dataclass(kw_only=True)
class Canonical:
    """One record kind's lines of a table: ``frame`` in canonical text with defaults filled in, ``rows`` their sheet
    rows, ``bad`` the lines with at least one error (also those that ``table.faults`` tells of)."""

    frame: pd.DataFrame
    rows: pd.Series[Any]
    faults: list[Fault]
    bad: pd.Series[Any]


@dataclass(kw_only=True)
class _Column:
    """A column read: canonical texts, and what is wrong by line."""

    texts: list[str | None]
    faults: list[tuple[int, Reading]]
    blank: npt.NDArray[np.bool_]
    countries: dict[int, str]


def canonical_cell(field: Field, value: Cell) -> tuple[str | None, str | None]:
    """(canonical text, fault code) of one cell by itself. A blank cell is (None, None), whatever the field."""
    if _is_blank(value):
        return None, None
    if field.type in _DATES:
        parsed = parse(value, birth=_is_birth(field))
        reading = settle(parsed, prove([(0, parsed)]), personal=field.personal, moment=field.type is FieldType.MOMENT)
    else:
        reading = _READERS[field.type](field, value)
    reading = _or_nothing(field, value, reading)
    return reading.text, reading.code


def canonicalise(kind: RecordKind, table: Table) -> Canonical:
    """The lines of the table as records of that kind. Never raises for what a cell holds."""
    count = len(table.frame)
    faults: list[Fault] = []
    bad = np.zeros(count, dtype=bool) if table.bad_lines is None else table.bad_lines.copy()
    rows = table.frame.index.to_numpy()
    data: dict[str, Cells] = {}
    columns: dict[str, _Column] = {}
    for field in kind.fields:
        column = _read(field, table)
        columns[field.name] = column
        told = table.problems.get(field.name, {})
        for line, reading in column.faults:
            if line in told:
                continue
            found = _fault(reading, table, field, line, int(rows[line]))
            faults.append(found)
            bad[line] |= found.severity == "error"
        for line in told:
            bad[line] = True
        texts = np.empty(count, dtype=object)
        texts[:] = column.texts
        if field.default is not None:
            texts[column.blank] = field.default
        elif field.required and column.blank.any():
            for line in np.flatnonzero(column.blank).tolist():
                if line not in told:
                    heading = table.title_at(field.name, line, field.title)
                    faults.append(fault("VALUE_MISSING", sheet=table.sheet, row=int(rows[line]), column=heading))
            bad |= column.blank
        data[field.name] = texts
    _set_countries(kind, data, columns)
    frame = pd.DataFrame(data, index=pd.RangeIndex(count), columns=list(kind.names), dtype=object)
    return Canonical(frame=frame, rows=pd.Series(rows, dtype="int64", name="row"), faults=faults,
                     bad=pd.Series(bad, dtype=bool, name="bad"))


def _set_countries(kind: RecordKind, data: dict[str, Cells], columns: dict[str, _Column]) -> None:
    """A phone number that names its country fills the country code that its row leaves blank."""
    if "phone" not in columns or "phone_country" not in kind.names:
        return
    blank = columns["phone_country"].blank
    for line, country in columns["phone"].countries.items():
        if blank[line]:
            data["phone_country"][line] = country


def _fault(reading: Reading, table: Table, field: Field, line: int, row: int) -> Fault:
    heading = table.title_at(field.name, line, field.title)
    return fault(reading.code or "", sheet=table.sheet, row=row, column=heading, **reading.words)


def _read(field: Field, table: Table) -> _Column:
    """The column of that field; read once for all kinds that share it."""
    key = (field.name, field.type, field.required, field.default)
    if key not in table.canonical_memory:
        count = len(table.frame)
        if field.name not in table.frame.columns:
            column = _Column(texts=[None] * count, faults=[], blank=np.ones(count, dtype=bool), countries={})
        else:
            values = table.frame[field.name].to_numpy(dtype=object)
            # A cell with a problem of its own is told of already; what stands in it is no value.
            told = table.problems.get(field.name)
            if told:
                values = values.copy()
                values[list(told)] = None
            column = _read_dates(field, table, values) if field.type in _DATES else _read_values(field, table, values)
        table.canonical_memory[key] = column
    column = table.canonical_memory[key]
    assert isinstance(column, _Column)  # noqa: S101 - for the type checker
    return column


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and value != value)


def _is_birth(field: Field) -> bool:
    return field.personal and field.type is FieldType.DATE


def _or_nothing(field: Field, value: Cell, reading: Reading) -> Reading:
    """What cannot be read and only says 'none' counts as blank."""
    if reading.code and reading.text is None and isinstance(value, str) and choice_key(value) in _BLANK_KEYS:
        return NOTHING
    if reading.text and field.type in (FieldType.CODE, FieldType.CODES) and not field.required and choice_key(reading.text) in _BLANK_KEYS:
        return NOTHING
    return reading


_BLANK_KEYS = frozenset({*(choice_key(word) for word in BLANK_WORDS), ""})


def _distinct(values: Iterable[Any]) -> tuple[list[Any], dict[Any, Any]]:
    """Keys of the cells and one cell for each. True, 1 and 1.0 are equal to Python and not to us."""
    cells = values.tolist() if isinstance(values, np.ndarray) else list(values)
    kinds = set(map(type, cells))
    if not kinds & {bool, float} or len(kinds - {type(None)}) < 2:
        return cells, {cell: cell for cell in set(cells)}
    keys = list(zip(map(type, cells), cells, strict=True))
    return keys, {key: key[1] for key in set(keys)}


def _read_values(field: Field, table: Table, values: Cells) -> _Column:
    reader: Callable[[Field, Cell], Reading] = _READERS[field.type]
    if field.type is FieldType.NRIC:
        reader = contacts.read_nric
    keys, distinct = _distinct(values)
    seen: dict[Any, Reading] = {}
    for key, value in distinct.items():
        seen[key] = NOTHING if _is_blank(value) else _or_nothing(field, value, reader(field, value))
    texts = [seen[key].text for key in keys]
    faults: list[tuple[int, Reading]] = []
    if any(reading.code for reading in seen.values()):
        faults = [(line, seen[key]) for line, key in enumerate(keys) if seen[key].code]
    if field.type is FieldType.NRIC:
        wrong = check_letter_faults(np.array(texts, dtype=object))
        for line in np.flatnonzero(wrong).tolist():
            texts[line] = None
            faults.append((line, Reading(None, "NRIC_CHECK_LETTER")))
    countries: dict[int, str] = {}
    if field.type is FieldType.PHONE:
        if any("country" in reading.words for reading in seen.values()):
            countries = {line: seen[key].words["country"] for line, key in enumerate(keys) if "country" in seen[key].words}
        texts, faults = _phones_abroad(field, table, values, texts, faults)
    return _column(texts, faults, countries)


def _column(texts: list[str | None], faults: list[tuple[int, Reading]], countries: dict[int, str] | None = None) -> _Column:
    """The column, in which blank means: no text and nothing wrong."""
    blank = np.equal(np.array(texts, dtype=object), None)
    if faults:
        blank[[line for line, _ in faults]] = False
    return _Column(texts=texts, faults=faults, blank=blank, countries=countries or {})


def _phones_abroad(field: Field, table: Table, values: Cells, texts: list[str | None],
                   faults: list[tuple[int, Reading]]) -> tuple[list[str | None], list[tuple[int, Reading]]]:
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


def _read_dates(field: Field, table: Table, values: Cells) -> _Column:
    birth, moment = _is_birth(field), field.type is FieldType.MOMENT
    keys, distinct = _distinct(values)
    parsed: dict[Any, Parsed | None] = {
        key: None if _is_blank(value) else parse(value, birth=birth, epoch_1904=table.epoch_1904)
        for key, value in distinct.items()
    }
    rows = table.frame.index.to_numpy()
    order = Order(stated=table.orders.get(field.name))
    if any(cell is not None and cell.pair for cell in parsed.values()):
        pairs = ((int(rows[line]), cell) for line, key in enumerate(keys) if (cell := parsed[key]) is not None and cell.pair)
        order = prove(pairs, table.orders.get(field.name))
    seen: dict[Any, Reading] = {}
    for key, cell in parsed.items():
        if cell is None:
            seen[key] = NOTHING
        else:
            reading = settle(cell, order, personal=field.personal, moment=moment)
            seen[key] = _or_nothing(field, distinct[key], reading)
    texts = [seen[key].text for key in keys]
    faults: list[tuple[int, Reading]] = []
    if any(reading.code for reading in seen.values()):
        faults = [(line, seen[key]) for line, key in enumerate(keys) if seen[key].code]
    return _column(texts, faults)

