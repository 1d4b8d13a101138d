"""Headings: which field a column stands for, by its words and never by its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from tms_pipeline.records.field import Field
from tms_pipeline.records.kinds import KINDS

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_NOT_WORD = re.compile(r"[\W_]+")
# Columns of our own result workbook, which come back with the corrected rows.
OWN_COLUMNS = frozenset({"whattodo", "rowinyourfile", "status", "whatiswrong"})
# A suggestion must be close, or it misleads more than it helps (0 to 100).
CLOSE_ENOUGH = 84


@lru_cache(maxsize=65_536)
def heading_key(text: str) -> str:
    """The heading without case, spaces, punctuation and text in brackets: what two spellings have in common."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    short = _NOT_WORD.sub("", _BRACKETS.sub(" ", folded))
    return short or _NOT_WORD.sub("", folded)


def heading_keys(text: str) -> tuple[str, ...]:
    """The keys to look a heading up by: first with the words in brackets, then without."""
    whole = _NOT_WORD.sub("", unicodedata.normalize("NFKC", text).casefold())
    short = heading_key(text)
    return (whole, short) if whole != short else (short,)


@cache
def known_fields() -> Mapping[str, tuple[Field, ...]]:
    """Heading key to the fields that it can stand for, one a field name. Titles win over aliases."""
    titles: dict[str, dict[str, Field]] = {}
    aliases: dict[str, dict[str, Field]] = {}
    for kind in KINDS.values():
        for item in kind.fields:
            for key in {*heading_keys(item.title), _NOT_WORD.sub("", item.name)}:
                titles.setdefault(key, {}).setdefault(item.name, item)
            for alias in item.aliases:
                for key in heading_keys(alias):
                    aliases.setdefault(key, {}).setdefault(item.name, item)
    found = {key: tuple(fields.values()) for key, fields in aliases.items()}
    found.update({key: tuple(fields.values()) for key, fields in titles.items()})
    return found


_BEGIN = re.compile(r"[(\[{:：]")
_LETTERS = re.compile(r"[^a-z]+")


def rough_key(text: str) -> str:
    """The letters of a heading up to its first bracket or colon: quick to make, and the same for the same heading."""
    return _LETTERS.sub("", _BEGIN.split(text, 1)[0].lower())


@cache
def rough_keys() -> frozenset[str]:
    """The rough keys of all headings that we know."""
    words = (word for kind in KINDS.values() for item in kind.fields for word in (item.title, *item.aliases, item.name))
    return frozenset(map(rough_key, words)) - {""}


def fields_of(heading: object) -> tuple[Field, ...]:
    """The fields that a heading can stand for; empty for what is no heading that we know."""
    return _fields_of(heading) if isinstance(heading, str) and len(heading) <= 300 else ()


@lru_cache(maxsize=65_536)
def _fields_of(heading: str) -> tuple[Field, ...]:
    known = known_fields()
    for key in heading_keys(heading):
        if key in known:
            return known[key]
    return ()


@cache
def titles_of(names: tuple[str, ...]) -> dict[str, str]:
    """Heading key to title or alias as we write it, of these record kinds (all when empty)."""
    spelled: dict[str, str] = {}
    for kind in KINDS.values():
        if names and kind.name not in names:
            continue
        for item in kind.fields:
            for title in (item.title, *item.aliases):
                spelled.setdefault(heading_key(title), item.title if title == item.title else title)
    return spelled


def suggestion(heading: str, kinds: Iterable[str] = ()) -> str | None:
    """The known heading that is closest, if one is close. Only ever shown, never used."""
    from rapidfuzz import fuzz, process

    spelled = titles_of(tuple(kinds))
    key = heading_key(heading)
    if len(key) < 3:
        return None
    latin = heading_key("".join(letter for letter in heading if letter.isascii()))
    if latin != key and latin in spelled:  # '身份证号码 NRIC'
        return spelled[latin]
    found = process.extractOne(key, list(spelled), scorer=fuzz.ratio, score_cutoff=CLOSE_ENOUGH)
    return spelled[found[0]] if found else None


# In this order, and each match taken out, as YYYY-MM-DD holds MM-DD.
_ORDERS = (
    (re.compile(r"\by{2,4}\W{0,2}m{1,2}\W{0,2}d{1,2}\b"), "YMD"),
    (re.compile(r"\bd{1,2}\W{0,2}m{1,3}\W{0,2}y{2,4}\b|\bday\W+month\W+year\b|\bdd\W?mm\b"), "DMY"),
    (re.compile(r"\bm{1,2}\W{0,2}d{1,2}\W{0,2}y{2,4}\b|\bmonth\W+day\W+year\b|\bmm\W?dd\b"), "MDY"),
)


def stated_order(heading: str) -> str | None:
    """The date order that a heading states, such as DMY for 'Date of Birth (DD/MM/YYYY)'; None for none or several."""
    folded = unicodedata.normalize("NFKC", heading).casefold()
    orders = []
    for pattern, order in _ORDERS:
        folded, count = pattern.subn(" ", folded)
        orders += [order] * bool(count)
    return orders[0] if len(orders) == 1 else None
