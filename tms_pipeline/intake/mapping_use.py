"""Using a mapping: splits, joins, constants, words and look-ups put onto the table of a foreign layout."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tms_pipeline.intake.clock import read_clock
from tms_pipeline.intake.dates import Parsed, parse, prove
from tms_pipeline.intake.grid import Cells, Grid
from tms_pipeline.intake.headings import heading_key, stated_order
from tms_pipeline.intake.layout import Layout
from tms_pipeline.intake.mappings import TODAY, Join, LookUp, Mapping, Resolve, Split
from tms_pipeline.intake.readings import choice_key, clean, shown
from tms_pipeline.intake.table import Table
from tms_pipeline.records.fault import fault
from tms_pipeline.records.field import Field, FieldType
from tms_pipeline.records.kinds import KINDS

_RANGE = re.compile(r"(?P<start>.+?)\s*(?:\bto\b|\btill?\b|\buntil\b|[-–—~])\s*(?P<end>.+)", re.IGNORECASE)
_HOUR = re.compile(r"\d{1,2}")
_MORNING_OR_NOT = re.compile(r"([ap])\.?m\.?$", re.IGNORECASE)
SINGAPORE = ZoneInfo("Asia/Singapore")


def apply(mapping: Mapping, table: Table, columns: dict[str, Cells], resolve: Resolve | None) -> None:
    """Puts the mapping onto the table. ``columns`` are the raw columns of all its lines by heading key.

    Takes away and gives in this order: splits, joins, date orders, look-ups, words, constants, rows without a kind.
    """
    for split in mapping.splits:
        _split(table, split, columns)
    for join in mapping.join:
        _join(table, join, columns)
    _state_orders(mapping, table, columns)
    for look_up in mapping.look_ups:
        _look_up(table, look_up, columns, resolve)
    for name, words in mapping.values.items():
        _replace_words(table, name, words)
    for name, value in mapping.constants.items():
        if name not in table.frame.columns:
            filled = np.empty(len(table.frame), dtype=object)
            filled[:] = f"{datetime.now(SINGAPORE):%Y-%m-%d}" if value == TODAY else value
            _set(table, name, filled, _title(name))
            if value == TODAY:
                table.faults.append(
                    fault(
                        "CONSTANT_USED",
                        sheet=table.sheet,
                        row=table.header_row,
                        column=_title(name),
                        value="today's date",
                    )
                )
    for kind, heading in mapping.only_when.items():
        if kind in table.kinds and (column := columns.get(heading_key(heading))) is not None:
            table.kind_lines[kind] = np.fromiter((_filled(value) for value in column), dtype=bool, count=len(column))


def columns_of(grid: Grid, layout: Layout, places: Any) -> dict[str, Cells]:
    """The raw columns by heading key."""
    key = layout.mapping.key if layout.mapping is not None else heading_key
    return {key(heading): grid.columns[column][places] for column, heading in layout.headings.items()}


def _filled(value: Any) -> bool:
    return value is not None and bool(str(value).strip())


def _field(name: str) -> Field | None:
    return next((kind.field(name) for kind in KINDS.values() if name in kind.names), None)


def _title(name: str) -> str:
    field = _field(name)
    return field.title if field else name.replace("_", " ")


def _set(table: Table, name: str, column: Cells, heading: str) -> None:
    table.frame[name] = column
    table.frame[name] = table.frame[name].astype(object)
    table.titles[name] = heading


def _split(table: Table, split: Split, columns: dict[str, Cells]) -> None:
    source = columns.get(heading_key(split.heading))
    if source is None:
        return
    made = {name: np.full(len(source), None, dtype=object) for name in split.into}
    rows = table.frame.index.to_numpy()
    for line, value in enumerate(source.tolist()):
        if not _filled(value):
            continue
        parts = _time_range(value) if split.pattern is None else _by_pattern(split, value)
        if parts is None:
            words = {"parts": " and ".join(_title(name) for name in split.into), "example": split.example}
            table.faults.append(
                fault("SPLIT_FAILED", sheet=table.sheet, row=int(rows[line]), column=split.heading, **words)
            )
            for name in split.into:
                table.problems.setdefault(name, {})[line] = "SPLIT_FAILED"
            continue
        for name, part in zip(split.into, parts, strict=True):
            made[name][line] = part
    for name, column in made.items():
        _set(table, name, column, split.heading)


def _by_pattern(split: Split, value: Any) -> tuple[str, ...] | None:
    text = clean(shown(value))[:300]
    found = split.pattern.fullmatch(text) if split.pattern else None
    return tuple(found[name] or "" for name in split.into) if found else None


def _time_range(value: Any) -> tuple[str, str] | None:
    """Start and end of '14 to 18', '9-5pm', '0900 – 1730': a lone 'pm' at the end counts for both when it must."""
    if isinstance(value, time):
        return None
    found = _RANGE.fullmatch(clean(shown(value))[:60])
    if not found:
        return None
    end = _clock(found["end"], "")
    half = _MORNING_OR_NOT.search(found["end"])
    start = _clock(found["start"], "")
    if half and start and not _MORNING_OR_NOT.search(found["start"]) and end:
        # '2-5pm' starts at 14:00, '9-5pm' at 09:00: the half of the day in which the range runs forward.
        same = _clock(found["start"], half[1] + "m")
        start = same if same and same < end else start
    return (start[:5], end[:5]) if start and end and start < end else None


def _clock(text: str, half: str) -> str | None:
    text = text.strip()
    if half:
        return read_clock(f"{text}{half}")
    return f"{int(text):02d}:00:00" if _HOUR.fullmatch(text) and int(text) < 24 else read_clock(text)


def _join(table: Table, join: Join, columns: dict[str, Cells]) -> None:
    sources = [columns[key] for heading in join.headings if (key := heading_key(heading)) in columns]
    if not sources:
        return
    joined = np.empty(len(table.frame), dtype=object)
    joined[:] = [
        join.between.join(clean(shown(value)) for value in line if _filled(value)) or None
        for line in zip(*sources, strict=True)
    ]
    _set(table, join.into, joined, join.headings[0])


def _state_orders(mapping: Mapping, table: Table, columns: dict[str, Cells]) -> None:
    """Orders that the mapping states, and one that the export's own time stamps prove for the rest."""
    proven = None
    stamps = [columns[key] for heading in mapping.dates_proven_by if (key := heading_key(heading)) in columns]
    if stamps:
        parsed: list[tuple[int, Parsed]] = [
            (0, parse(value)) for column in stamps for value in set(column.tolist()) if isinstance(value, str)
        ]
        proven = prove(parsed).proven
    for name in table.frame.columns:
        field = _field(str(name))
        if field is None or field.type not in (FieldType.DATE, FieldType.MOMENT):
            continue
        if name in mapping.dates:
            table.orders[str(name)] = mapping.dates[str(name)]
        elif proven:
            table.orders.setdefault(str(name), proven)


def _replace_words(table: Table, name: str, words: dict[str, str]) -> None:
    if name not in table.frame.columns:
        return
    by_key = {choice_key(word): to for word, to in words.items()}
    column = table.frame[name].to_numpy(dtype=object)
    replaced = np.empty(len(column), dtype=object)
    replaced[:] = [
        by_key.get(choice_key(shown(value)), value) if value is not None else None for value in column.tolist()
    ]
    _set(table, name, replaced, table.titles.get(name, _title(name)))


def _look_up(table: Table, look_up: LookUp, columns: dict[str, Cells], resolve: Resolve | None) -> None:
    """Fills ``into`` where exactly one record fits. Candidates are named in the fault and never chosen."""
    from tms_pipeline.intake.cells import canonical_column

    count = len(table.frame)
    otherwise = columns.get(heading_key(look_up.otherwise)) if look_up.otherwise else None
    found = np.full(count, None, dtype=object) if otherwise is None else otherwise.copy()
    headings = [heading for heading in look_up.by.values() if heading_key(heading) in columns]
    if len(headings) < len(look_up.by):
        if otherwise is not None:
            _set(table, look_up.into, found, look_up.otherwise or "")
        return
    wanted = list(
        zip(
            *(
                canonical_column(_field(name), columns[heading_key(heading)], _order_of(table, name, heading))
                for name, heading in look_up.by.items()
            ),
            strict=True,
        )
    )
    answers = resolve(look_up, wanted) if resolve is not None else None
    rows = table.frame.index.to_numpy()
    for line in range(count):
        answer = answers[line] if answers is not None else None
        if answer is not None and answer.value is not None:
            found[line] = answer.value
            continue
        if _filled(found[line]):
            continue
        near = answer.candidates if answer is not None else ()
        hint = (
            f"Near it are: {'; '.join(near[:5])}. Write the right code into a column Course Run."
            if near
            else "Check the course and the date, or write our code into a column Course Run."
        )
        table.faults.append(
            fault("REFERENCE_NOT_FOUND", sheet=table.sheet, row=int(rows[line]), column=headings[-1], hint=hint)
        )
        table.problems.setdefault(look_up.into, {})[line] = "REFERENCE_NOT_FOUND"
    _set(table, look_up.into, found, headings[-1])


def _order_of(table: Table, name: str, heading: str) -> str | None:
    """The date order of a column that is looked up by: as its heading says, or as the mapping does."""
    typed = next((known for known in table.headings if heading_key(known) == heading_key(heading)), "")
    return stated_order(typed) or table.orders.get(name)
