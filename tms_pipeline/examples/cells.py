"""How ops type a canonical value into a cell: the harmless part of the mess, which the intake must see through."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tms_pipeline.records.kinds import kind_named

_FULL_WIDTH = 0xFEE0


@dataclass(frozen=True, slots=True)
class ErrorCell:
    """A formula that shows an error, such as a lookup that found nothing."""

    formula: str
    shown: str


Cell = str | int | float | date | time | ErrorCell | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet: the field, the heading that ops gave it, and how they type it.

    ``words`` says which words stand for a canonical choice; without it, all that the vocabulary knows are used.
    A column without a field holds nothing that we know (``HEADING_UNKNOWN``).
    """

    field: str | None
    heading: str
    style: str = "text"
    words: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


def type_cell(kind: str, column: Column, value: str | None, rng: random.Random) -> Cell:
    """The value as somebody typed it."""
    if value is None:
        return None
    match column.style:
        case "nric":
            return _nric(value, rng)
        case "phone":
            return _phone(value, rng)
        case "code":
            return value.lower() if rng.random() < 0.05 else _text(value, rng)
        case "words":
            return rng.choice(column.words.get(value) or _vocabulary(kind, column, value))
        case "yes_no":
            return "Yes" if value == "true" else "No"
        case "codes":
            return "; ".join(value.split(";"))
        case "integer" | "postal":
            return int(value)
        case "number":
            return float(value)
        case "text":
            return _text(value, rng)
        case "exact":
            return value
    return _moment(column.style, value, rng)


def _vocabulary(kind: str, column: Column, value: str) -> tuple[str, ...]:
    return kind_named(kind).field(column.field or "").choices[value] or (value,)


def _moment(style: str, value: str, rng: random.Random) -> Cell:
    match style:
        case "date":
            return date.fromisoformat(value)
        case "text_date":
            return f"{date.fromisoformat(value):%d/%m/%Y}"
        case "mixed_date":  # one column, typed by two people
            return date.fromisoformat(value) if rng.random() < 0.15 else f"{date.fromisoformat(value):%d/%m/%Y}"
        case "time":
            moment = time.fromisoformat(value)
            return moment if rng.random() < 0.7 else value
        case "google":
            at = datetime.fromisoformat(value)
            return f"{at:%Y/%m/%d} {at.hour % 12 or 12}:{at:%M:%S} {'am' if at.hour < 12 else 'pm'} GMT+8"
        case "microsoft":
            return _microsoft(datetime.fromisoformat(value))
        case "microsoft_start":  # the form was opened a little before it was sent
            return _microsoft(datetime.fromisoformat(value) - timedelta(seconds=rng.randint(15, 90)))
    raise ValueError(f"no such style of typing: {style}")


def _microsoft(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year} {at.hour}:{at:%M:%S}"


def _text(value: str, rng: random.Random) -> str:
    return f"{value}{' ' * rng.randint(1, 2)}" if rng.random() < 0.04 else value


def _nric(value: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.04:
        return value.lower()
    if draw < 0.06:
        return "".join(chr(ord(letter) + _FULL_WIDTH) for letter in value)
    return f" {value}" if draw < 0.07 else _text(value, rng)


def _phone(value: str, rng: random.Random) -> Cell:
    draw = rng.random()
    if draw < 0.5:
        return int(value)
    if draw < 0.7:
        return f"{value[:4]} {value[4:]}"
    return f"+65 {value[:4]} {value[4:]}" if draw < 0.8 else value
