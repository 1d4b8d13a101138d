"""Cells: the columns of a table in canonical form, with the faults of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tms_pipeline.intake import readings
from tms_pipeline.intake.columns import DATES, READERS, Column, is_birth, is_blank, or_nothing, read_column
from tms_pipeline.intake.dates import parse, prove, settle
from tms_pipeline.intake.grid import Cell, Cells
from tms_pipeline.intake.readings import Reading
from tms_pipeline.intake.table import Table
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.field import Field, FieldType, RecordKind


@dataclass(kw_only=True)
class Canonical:
    """One record kind's lines of a table: ``frame`` in canonical text with defaults filled in, ``rows`` their sheet
    rows, ``bad`` the lines with at least one error (also those that ``table.faults`` tells of)."""

    frame: pd.DataFrame
    rows: pd.Series[Any]
    faults: list[Fault]
    bad: pd.Series[Any]


def canonical_cell(field: Field, value: Cell) -> tuple[str | None, str | None]:
    """(canonical text, fault code) of one cell by itself. A blank cell is (None, None), whatever the field."""
    if is_blank(value):
        return None, None
    if field.type in DATES:
        parsed = parse(value, birth=is_birth(field))
        reading = settle(parsed, prove([(0, parsed)]), personal=field.personal, moment=field.type is FieldType.MOMENT)
    else:
        reading = READERS[field.type](field, value)
    reading = or_nothing(field, value, reading)
    return reading.text, reading.code


def canonicalise(kind: RecordKind, table: Table) -> Canonical:
    """The lines of the table as records of that kind. Never raises for what a cell holds."""
    count = len(table.frame)
    wanted = table.kind_lines.get(kind.name)
    if wanted is not None and not wanted.all():
        return canonicalise(kind, table.some_lines(kind.name, wanted))
    faults: list[Fault] = []
    bad = np.zeros(count, dtype=bool) if table.bad_lines is None else table.bad_lines.copy()
    rows = table.frame.index.to_numpy()
    data: dict[str, Cells] = {}
    columns: dict[str, Column] = {}
    for field in kind.fields:
        column = read_column(field, table)
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
        if column.swapped:
            faults.append(
                fault(
                    "DATES_MAYBE_SWAPPED",
                    sheet=table.sheet,
                    row=table.header_row,
                    column=table.titles.get(field.name, field.title),
                )
            )
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
    return Canonical(
        frame=frame,
        rows=pd.Series(rows, dtype="int64", name="row"),
        faults=faults,
        bad=pd.Series(bad, dtype=bool, name="bad"),
    )


def canonical_column(field: Field | None, values: Cells, order: str | None = None) -> list[str | None]:
    """The canonical texts of a column by itself, None where it is blank or wrong; cleaned text for no field of ours."""
    if field is None:
        return [
            readings.clean(readings.shown(value)) or None if value is not None else None for value in values.tolist()
        ]
    frame = pd.DataFrame({field.name: values}, dtype=object)
    table = Table(
        sheet="",
        header_row=0,
        kinds=(),
        headings=[],
        rows=np.arange(len(values)),
        columns=[],
        frame=frame,
        titles={},
        orders={field.name: order} if order else {},
    )
    return read_column(field, table).texts


def _set_countries(kind: RecordKind, data: dict[str, Cells], columns: dict[str, Column]) -> None:
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
