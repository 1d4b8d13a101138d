"""Contacts: e-mail addresses, phone numbers, postal codes, UEN and NRIC of single cells in canonical form."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tms_pipeline.intake.grid import Cell
from tms_pipeline.intake.nric import SHAPE, check_letter_faults
from tms_pipeline.intake.readings import _DASHES, Reading, clean, shown
from tms_pipeline.records.field import Field

# What any checker accepts; the rest goes to email-validator, which takes forty times as long.
EASY_EMAIL = re.compile(
    r"[a-z0-9_+-]{1,32}(?:\.[a-z0-9_+-]{1,16}){0,2}@(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,3}(?:com|sg|org|net|edu|my)",
    re.IGNORECASE,
)
_SPACE_OR_DASH = re.compile(r"[\s.\-]+")


def read_nric(_: Field, value: Cell) -> Reading:
    """Nine characters in upper case, spaces and hyphens off. The check letter is looked at over the whole column."""
    text = value if isinstance(value, str) else shown(value)
    if not SHAPE.fullmatch(text):
        text = _SPACE_OR_DASH.sub("", _DASHES.sub("-", clean(text))).upper()
        if not SHAPE.fullmatch(text):
            return Reading(None, "NRIC_SHAPE")
    return Reading(text)


def read_nric_checked(field: Field, value: Cell) -> Reading:
    """As ``read_nric``, with the check letter."""
    reading = read_nric(field, value)
    if reading.text and bool(check_letter_faults([reading.text])[0]):
        return Reading(None, "NRIC_CHECK_LETTER")
    return reading


def read_email(_: Field, value: Cell) -> Reading:
    """An address in lower case, as addresses are compared. Only its form is checked."""
    text = clean(shown(value)).removeprefix("mailto:").strip("<>")
    if EASY_EMAIL.fullmatch(text):
        return Reading(text.lower())
    # The sum of its parts is 254; longer ones cost the checker time and are never right.
    if len(text) > 254 or text.count("@") != 1:
        return Reading(None, "EMAIL_UNREADABLE")
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, ValueError, UnicodeError):
        return Reading(None, "EMAIL_UNREADABLE")
    return Reading(found.normalized.lower())


_SINGAPORE = re.compile(r"(?:\+?65)?([3689]\d{7})")
_FILLING = re.compile(r"[\s().\-]+")


@cache
def _phones() -> Any:
    import phonenumbers

    return phonenumbers


def read_phone(_: Field, value: Cell) -> Reading:
    """National digits. A number of another country must say so with ``+``; ``words['country']`` then has its code."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return Reading(None, "PHONE_UNREADABLE")
    text = _DASHES.sub("-", clean(shown(value)))
    # 91234567.0 is what a program makes of a number on its way through a CSV.
    text = _FILLING.sub("", text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text)
    found = _SINGAPORE.fullmatch(text)
    if found:
        return Reading(found[1])
    if text.startswith("00"):
        text = "+" + text[2:]
    if not text.startswith("+") or not text[1:].isascii() or not text[1:].isdigit() or len(text) > 16:
        return Reading(None, "PHONE_UNREADABLE")
    try:
        number = _phones().parse(text, None)
        possible = _phones().is_possible_number(number)
    except _phones().NumberParseException:
        return Reading(None, "PHONE_UNREADABLE")
    if not possible or (number.country_code == 65 and not _phones().is_valid_number(number)):
        return Reading(None, "PHONE_UNREADABLE")
    return Reading(_phones().national_significant_number(number), None, {"country": str(number.country_code)})


def read_phone_abroad(_: Field, value: Cell) -> Reading:
    """National digits of a number whose country another column names."""
    text = _FILLING.sub("", clean(shown(value)))
    return Reading(text) if re.fullmatch(r"[0-9]{5,15}", text) else Reading(None, "PHONE_UNREADABLE")


_POSTAL = re.compile(r"(?:singapore|s)?\s*\(?\s*(\d{6})\s*\)?", re.IGNORECASE)


def read_postal(_: Field, value: Cell) -> Reading:
    """Six digits; a number gets back the zero that the spreadsheet took."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Reading(f"{value:06d}") if 10_000 <= value <= 999_999 else Reading(None, "POSTAL_SHAPE")
    found = _POSTAL.fullmatch(clean(shown(value)))
    return Reading(found[1]) if found and found[1].isascii() else Reading(None, "POSTAL_SHAPE")


# ssg-api 9.2. UAT data has S-prefixed ones, so T, S and R are accepted.
_UEN = re.compile(r"\d{8}[A-Z]|(?:18|19|20)\d{7}[A-Z]|[TSR]\d{2}[A-Z][A-Z0-9]\d{4}[A-Z]", re.ASCII)


def read_uen(_: Field, value: Cell) -> Reading:
    """A UEN in upper case. A check letter that does not fit is a warning: text and code both."""
    text = _SPACE_OR_DASH.sub("", clean(shown(value))).upper()
    if not _UEN.fullmatch(text):
        return Reading(None, "UEN_SHAPE")
    from stdnum.exceptions import InvalidChecksum, ValidationError
    from stdnum.sg import uen

    try:
        uen.validate(text)
    except InvalidChecksum:
        return Reading(text, "UEN_CHECK_LETTER")
    except (ValidationError, ValueError):
        return Reading(text)
    return Reading(text)
