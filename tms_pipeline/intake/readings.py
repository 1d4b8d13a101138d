"""Readings: single cells of words, codes and numbers in canonical form, or the code of what is wrong with them.

Each function takes a field and a value that is not blank; none raises, whatever the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import NamedTuple

from tms_pipeline.intake.grid import Cell
from tms_pipeline.intake.refusal import shortened
from tms_pipeline.records.field import Field


class Reading(NamedTuple):
    """The canonical text, or a fault code and the words of its sentence. A warning has both a text and a code."""

    text: str | None
    code: str | None = None
    words: Mapping[str, str] = {}


NOTHING = Reading(None)
# Zero-width and direction marks, soft hyphens, variation selectors, control signs: seen by nobody, pasted by many.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc]"
)
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_SPACES = re.compile(r"\s+")
# Fifteen digits are all that a spreadsheet keeps of a number.
SAFE_WHOLE = 10**15
BLANK_WORDS = frozenset({"-", "--", "n/a", "n.a.", "n.a", "nil", "na", "none", "not applicable"})
# These can be somebody's name, so that in text fields only the others count as blank.
BLANK_TEXTS = frozenset({"-", "--", "n/a", "n.a.", "n.a", "nil", "not applicable"})
_TELLING = re.compile(r"@|\d{5,}|[A-Za-z]\d{3,}|\*{2,}")


def clean(text: str) -> str:
    """NFKC, without invisible signs and outer spaces, inner runs of white space as one space."""
    if text.isascii() and text.isprintable():
        text = text.strip()
        return _unquoted(_SPACES.sub(" ", text) if "  " in text else text)
    text = "".join(letter for letter in text if not "\ud800" <= letter <= "\udfff")
    # Before and after: an invisible sign between a letter and its accent keeps them apart.
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _unquoted(_SPACES.sub(" ", _INVISIBLE.sub("", text)).strip())


def _unquoted(text: str) -> str:
    """Without the one apostrophe by which spreadsheets are told that what follows is text ('+65 9123 4567)."""
    return text[1:].lstrip() if text[:1] == "'" and len(text) > 1 and text.count("'") == 1 else text


def quoted(value: Cell) -> str:
    """A value for a sentence: short, and hidden when it looks like a number or address of a person."""
    text = clean(shown(value))
    return "(not shown)" if _TELLING.search(text) else shortened(text)


def shown(value: Cell) -> str:
    """The value as text: 25.0 as 25, dates as YYYY-MM-DD, times as HH:MM."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < SAFE_WHOLE else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return "" if value is None else str(value)


def read_text(field: Field, value: Cell) -> Reading:
    """Words as they are, cleaned."""
    text = clean(shown(value))
    if not field.required and text.casefold() in BLANK_TEXTS:
        return NOTHING
    # Basement '-1' is a floor; a name that begins so is a formula that somebody planted.
    if len(text) > 1 and (text[0] in "=@" or (field.personal and text[0] in "+-")):
        return Reading(None, "TEXT_IS_FORMULA")
    return Reading(text or None)


def read_code(field: Field, value: Cell) -> Reading:
    """An identifier: upper case, no inner spaces, plain hyphens."""
    if isinstance(value, (datetime, date)):
        return Reading(None, "CODE_IS_DATE")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= SAFE_WHOLE:
        return Reading(None, "CODE_LOST_DIGITS")
    text = _DASHES.sub("-", clean(shown(value))).replace(" ", "").upper()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if re.fullmatch(r"\d(\.\d+)?E\+\d{2,}", text):
        return Reading(None, "CODE_LOST_DIGITS")
    if field.name == "phone_country":
        text = text.lstrip("+0") or text
    return Reading(text or None)


_BETWEEN_CODES = re.compile(r"[,;/\n\r&、，；]|\band\b", re.IGNORECASE)


def read_codes(field: Field, value: Cell) -> Reading:
    """Several identifiers in one cell, sorted and each once."""
    if not isinstance(value, str):
        return read_code(field, value)
    codes = set()
    for part in _BETWEEN_CODES.split(value):
        reading = read_code(field, part)
        if reading.code:
            return reading
        if reading.text:
            codes.add(reading.text)
    return Reading(";".join(sorted(codes)) or None)


@lru_cache(maxsize=64)
def _words_of(field_name: str, choices: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    words: dict[str, str] = {}
    for canonical, others in choices:
        for word in (canonical, *others):
            words.setdefault(choice_key(word), canonical)
    return words


def choice_key(text: str) -> str:
    """A word of a list as it is compared: without case, spaces and hyphens at odds."""
    return re.sub(r"[\s_-]+", " ", _DASHES.sub("-", clean(text))).casefold().strip(" .")


def choice_words(field: Field) -> dict[str, str]:
    """Every accepted word of the field, as compared, to its canonical one."""
    return _words_of(field.name, tuple(field.choices.items()))


# Words behind a choice that take back or halve what it says: 'Paid (deposit only)', 'Confirmed (withdrawn on 3/11)'.
_TAKEN_BACK = re.compile(
    r"\b(?:not?|never|but|except|only|until|half|part(?:ial(?:ly)?|ly)?|balance|deposit|pending|tb[ac]|to be|if|maybe|"
    r"withdr[ae]w[n]?|cancel\w*|dropp?ed|void\w*|refund\w*|bounced|unpaid|owe[sd]?|outstanding|fail\w*|absent|present)\b|\?",
    re.IGNORECASE,
)
_ADDED = re.compile(r"\([^()]*\)|\s*\d{1,3}\s*(?:m|min|mins|minutes?|h|hrs?|hours?)\b.*$")


def _with_words_added(key: str, words: Mapping[str, str]) -> str | None:
    """The choice that is left without what is added to it, if the addition takes nothing of it back."""
    found = words.get(choice_key(_ADDED.sub("", key)))
    if found is None:
        return None
    added = " ".join(_ADDED.findall(key))
    said = map(choice_key, [added.strip("() "), *re.split(r"[\s(),/]+", added)])
    others = {words[word] for word in said if word in words}
    # 'Present 10 mins' is not for us to judge; 'Late 10 mins' says what it means.
    short = found == "present" and re.search(r"\d\s*m", added) is not None
    return None if short or _TAKEN_BACK.search(added) or others - {found} else found


def read_choice(field: Field, value: Cell) -> Reading:
    """One word of the field's list."""
    words = choice_words(field)
    key = choice_key(("yes" if value else "no") if isinstance(value, bool) else shown(value))
    # 'Absent (MC)' and 'Late 15 mins' say the same as without what is added.
    found = words.get(key) or _with_words_added(key, words) if len(key) < 60 else None
    if found is not None:
        return Reading(found)
    named = {
        "value": quoted(value),
        "choices": ", ".join(others[0] if others else word for word, others in field.choices.items()),
    }
    if len(key) >= 4:
        from rapidfuzz import fuzz, process

        close = process.extractOne(key, [word for word in words if len(word) >= 4], scorer=fuzz.ratio, score_cutoff=78)
        if close:
            spelled = {
                choice_key(word): word for canonical, others in field.choices.items() for word in (canonical, *others)
            }
            return Reading(None, "CHOICE_SIMILAR", {**named, "suggestion": spelled[close[0]]})
    return Reading(None, "CHOICE_UNKNOWN", named)


_YES = frozenset({"yes", "y", "true", "t", "1", "✓", "✔", "√", "☑", "✅"})
_NO = frozenset({"no", "n", "false", "f", "0", "✗", "✘", "☐", "❌"})


def read_yes_no(_: Field, value: Cell) -> Reading:
    """true or false."""
    key = choice_key(shown(value))
    if key in _YES:
        return Reading("true")
    return Reading("false") if key in _NO else Reading(None, "YES_NO_UNKNOWN")


_WHOLE = re.compile(r"[+]?(-?(?:\d{1,3}(?:,\d{3})+|\d+))(\.0*)?")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_SESSION = re.compile(r"(?:s|sess|session|lesson|day|class)\s*(?:no)?\s*[.#:-]?\s*(\d{1,3})", re.IGNORECASE)
LONGEST_NUMBER = 30


def read_integer(field: Field, value: Cell) -> Reading:
    """A whole number, without separators."""
    if isinstance(value, (bool, datetime, date, time)):
        return Reading(None, "NUMBER_UNREADABLE")
    if isinstance(value, int) and abs(value) >= SAFE_WHOLE:
        return Reading(None, "CODE_LOST_DIGITS")
    if isinstance(value, float):
        if not value.is_integer():
            return Reading(
                None, "NUMBER_NOT_WHOLE" if value == value and abs(value) != float("inf") else "NUMBER_UNREADABLE"
            )
        return Reading(str(int(value))) if abs(value) < SAFE_WHOLE else Reading(None, "CODE_LOST_DIGITS")
    text = clean(shown(value))
    found = _WHOLE.fullmatch(text)
    if found and len(text) <= LONGEST_NUMBER:
        return Reading(str(int(found[1].replace(",", ""))))
    if field.name == "session_no" and (session := _SESSION.fullmatch(text)):
        return Reading(str(int(session[1])))
    return Reading(None, "NUMBER_NOT_WHOLE" if _DECIMAL.fullmatch(text) else "NUMBER_UNREADABLE")


_AMOUNT = re.compile(
    r"(?:S\$|SGD|\$)?(-?)(?:S\$|SGD|\$)?((?:\d{1,3}(?:,\d{3})+|\d+)?)(\.\d{1,2}|\.)?(?:SGD|/-|\.-)?", re.IGNORECASE
)
# 12,50 and 1.234,50: two digits behind a comma are cents, as thousands have three.
_DECIMAL_COMMA = re.compile(r"(?:S\$|SGD|\$)?-?(?:\d{1,3}(?:\.\d{3})+|\d{1,9}),\d{2}", re.IGNORECASE)
_FOREIGN = re.compile(
    r"[€£¥₹₩]|US\$|A\$|HK\$|RM|(?:USD|MYR|EUR|GBP|AUD|CNY|RMB|IDR|INR|JPY|HKD|THB)(?![A-Z])", re.IGNORECASE
)


def read_amount(_: Field, value: Cell) -> Reading:
    """Dollars with two decimals."""
    if isinstance(value, (bool, datetime, date, time)):
        return Reading(None, "AMOUNT_UNREADABLE")
    if isinstance(value, (int, float)):
        if not abs(value) < SAFE_WHOLE:
            return Reading(None, "AMOUNT_UNREADABLE")
        # A formula leaves 43.2 as 43.200000000000003; 33.333 was never an amount.
        return (
            Reading(f"{round(value, 2) + 0:.2f}")
            if abs(value - round(value, 2)) < 1e-6
            else Reading(None, "AMOUNT_UNREADABLE")
        )
    text = clean(shown(value)).replace(" ", "")
    if _FOREIGN.search(text):
        return Reading(None, "AMOUNT_CURRENCY")
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    found = _AMOUNT.fullmatch(text)
    if not found or not (found[2] or (found[3] or ".") != ".") or len(text) > LONGEST_NUMBER:
        return Reading(None, "AMOUNT_UNREADABLE")
    whole, cents = found[2].replace(",", "") or "0", (found[3] or ".")[1:].ljust(2, "0")
    if int(whole) >= SAFE_WHOLE:
        return Reading(None, "AMOUNT_UNREADABLE")
    sign = found[1] if int(whole) or int(cents) else ""
    return Reading(f"{sign}{int(whole)}.{cents}")


_HOURS = re.compile(r"(-?\d{1,15})(\.\d*)?\s*(?:h|hr|hrs|hour|hours)?\.?", re.IGNORECASE)
_HOURS_MINUTES = re.compile(r"(\d{1,4})\s*(?::|h|hr|hrs|hours?)\s*([0-5]?\d)\s*(?:m|min|mins|minutes)?", re.IGNORECASE)


def read_hours(_: Field, value: Cell) -> Reading:
    """Hours with at most one decimal."""
    hours: float | None = None
    if isinstance(value, time):
        hours = value.hour + value.minute / 60
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        hours = float(value)
    elif isinstance(value, str):
        text = clean(value)
        if plain := _HOURS.fullmatch(text):
            hours = float(plain[1] + (plain[2] or ""))
        elif both := _HOURS_MINUTES.fullmatch(text):
            hours = int(both[1]) + int(both[2]) / 60
    if hours is None or not abs(hours) < SAFE_WHOLE or abs(hours * 10 - round(hours * 10)) > 1e-6:
        return Reading(None, "HOURS_UNREADABLE")
    return Reading(f"{round(hours, 1) + 0:.1f}".removesuffix(".0"))
