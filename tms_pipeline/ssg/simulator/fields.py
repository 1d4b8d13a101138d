"""Reading loosely typed JSON from strangers' clients: texts, dates, ids (ssg-api 9, 14.4, 14.5)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from .envelopes import BLANK, Detail, Json, detail

NRIC_TABLES = {
    "S": "JZIHGFEDCBA",
    "T": "JZIHGFEDCBA",
    "F": "XWUTRQPNMLK",
    "G": "XWUTRQPNMLK",
    "M": "XWUTRQPNJLK",
}
NRIC_OFFSETS = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
COMPACT_DATE = re.compile(r"\d{8}\Z")
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(:[0-5]\d)?\Z")


def dig(value: Any, path: str) -> Any:
    """The value at a dotted path, or None where any step is missing."""
    for step in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def branch(value: Any, path: str) -> Json:
    """The object at a dotted path, or an empty one."""
    found = dig(value, path)
    return found if isinstance(found, dict) else {}


def text(value: Any) -> str:
    """A scalar as trimmed text; numbers are accepted where SSG's tables say text (ssg-api 14.4)."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def first_text(value: Json, *names: str) -> str:
    """The first non-blank of several spellings of one field (ssg-api 14.4)."""
    return next((found for name in names if (found := text(value.get(name)))), "")


def number(value: Any) -> float | None:
    """A finite number from a number or numeric text, else None."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found == found and abs(found) < 1e12 else None


def whole(value: Any) -> int | None:
    """A whole number from a number or numeric text, else None."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def truth(value: Any) -> bool:
    """true/false in a query or body, any letter case (ssg-api 14.4)."""
    return (
        value is True or text(value).lower() in ("true", "1", "yes") if not isinstance(value, bool) else value
    )


def amount(value: Any) -> str:
    """Amounts are numbers on input and texts on output: 50.25 -> "50.25", 0.0 -> "0" (ssg-api 14.5)."""
    found = number(value)
    if found is None:
        return "0"
    return str(int(found)) if found == int(found) else f"{found:.10g}"


def compact_date(value: Any) -> int | None:
    """YYYYMMDD (int or text) or YYYY-MM-DD to an int date, None when it is no date (ssg-api 14.4, 14.5)."""
    found = text(value)
    if ISO_DATE.match(found):
        found = found.replace("-", "")
    if not COMPACT_DATE.match(found):
        return None
    try:
        datetime.strptime(found, "%Y%m%d")
    except ValueError:
        return None
    return int(found)


def iso_date(value: Any) -> str | None:
    """YYYY-MM-DD as TPG wants it, None when it is not exactly that (ssg-api 14.5)."""
    found = text(value)
    if not ISO_DATE.match(found):
        return None
    try:
        date.fromisoformat(found)
    except ValueError:
        return None
    return found


def dashed(value: Any) -> str:
    """An int date as YYYY-MM-DD."""
    found = text(value)
    return f"{found[:4]}-{found[4:6]}-{found[6:8]}" if len(found) == 8 else found


def clock_time(value: Any) -> str | None:
    """HH:mm or HH:mm:ss to HH:mm, the reply form (ssg-api 4.1, 4.6)."""
    found = text(value)
    return found[:5] if TIME.match(found) else None


def nric_valid(value: str) -> bool:
    """Checksum of an NRIC or FIN (ssg-api 9.1)."""
    value = value.upper()
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", value):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    return NRIC_TABLES[value[0]][(total + NRIC_OFFSETS[value[0]]) % 11] == value[8]


def masked(value: str) -> str:
    """SSG's masking of trainer ids: five asterisks and the last four (ssg-api 4.4)."""
    return "*****" + value[-4:] if value else ""


class Problems:
    """All field errors of one request, in order (ssg-api 3.4: collected, not stopped at the first)."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.details: list[Detail] = []

    def add(self, field_name: str, message: str) -> None:
        """One more field error."""
        self.details.append(detail(self.prefix + field_name, message))

    def required(self, body: Any, *paths: str, message: str = BLANK) -> None:
        """TGS-441 for each blank path (ssg-api 3.4)."""
        for path in paths:
            if not text(dig(body, path)):
                self.add(path, message)

    def lengths(self, body: Any, limits: dict[str, int]) -> None:
        """A field longer than its table says (ssg-api 4.1, 6.1, 7.1); the sentence is the simulator's own."""
        for path, limit in limits.items():
            if len(text(dig(body, path))) > limit:
                self.add(path, f"Maximum length is {limit}")
