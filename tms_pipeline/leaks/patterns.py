"""What a leak looks like: numbers of the NRIC's shape with a right check letter, and known values in every spelling.

Pure. Text is looked at as bytes, letters of A to Z in one case; nothing here keeps or shows a value that was found.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, quote_plus

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from tms_pipeline.intake.nric import LETTERS, OFFSETS, WEIGHTS

_NRIC = re.compile(rb"(?<![a-z0-9])[stfgm][0-9]{7}[a-z](?![a-z0-9])")
_WIDE_NRIC = re.compile(
    rb"(?:\xef\xbc[\xb3\xb4\xa6\xa7\xad]|\xef\xbd[\x93\x94\x86\x87\x8d])(?:\xef\xbc[\x90-\x99]){7}\xef[\xbc\xbd][\x80-\xbf]"
)
_WEIGHTS = tuple(int(weight) for weight in WEIGHTS)
_SHORTEST = 5
NRIC_SHAPED = "a number of the NRIC's shape with a right check letter"


@dataclass(frozen=True)
class Known:
    """A value that may stand nowhere: what sort it is, and whose, for the report, by our own reference."""

    sort: str
    value: str
    whose: str = ""
    # A value of digits or a short name counts as a word only, not as a part of a longer one.
    word: bool = True


def right_check_letter(nine: bytes) -> bool:
    """Whether nine lower-case bytes of the NRIC's shape end in the letter that their digits give (ssg-api 9.1)."""
    prefix = chr(nine[0]).upper()
    total = OFFSETS[prefix] + sum((digit - 48) * weight for digit, weight in zip(nine[1:8], _WEIGHTS, strict=True))
    return LETTERS[prefix][total % 11] == chr(nine[8]).upper()


def spellings(known: Known) -> Iterator[bytes]:
    """The forms in which a value may stand: plain, escaped for JSON, HTML and addresses, wide, encoded."""
    value = known.value
    forms = {value, json.dumps(value)[1:-1], escape(value), quote(value), quote_plus(value)}
    if known.sort in ("nric", "phone"):
        forms.add("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value))
        forms.add("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value.lower()))
    if known.sort == "phone" and value.isdigit() and len(value) == 8:
        forms |= {f"{value[:4]} {value[4:]}", f"{value[:4]}-{value[4:]}"}
    if known.sort == "birth date" and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        year, month, day = value.split("-")
        forms |= {f"{day}/{month}/{year}", f"{day}-{month}-{year}", f"{day}.{month}.{year}", f"{year}/{month}/{day}"}
    for form in forms:
        yield form.encode()
    if known.sort in ("nric", "secret"):
        raw = value.encode()
        yield raw.hex().encode()
        yield value.encode("utf-16-le")
        # Base64 of a longer text holds one of three spellings, by where in it the value begins; its ends are not ours.
        for lead in range(3):
            text = base64.b64encode(b"\0" * lead + raw)
            yield text[(0, 2, 3)[lead] : len(text) - (4 if (lead + len(raw)) % 3 else 0)]


class Patterns:
    """A search for all known values and for the shape of NRICs at once."""

    def __init__(self, known: Iterable[Known], *, shape: bool = True) -> None:
        """``shape``: look for numbers of the NRIC's shape, too. Values shorter than five letters are left out."""
        words: dict[bytes, tuple[Known, bool]] = {}
        self.left_out = 0
        self.count = 0
        for item in known:
            if len(item.value.strip()) < _SHORTEST:
                self.left_out += 1
                continue
            self.count += 1
            for form in spellings(item):
                folded = form.lower()
                if len(folded) >= _SHORTEST:
                    words.setdefault(folded, (item, item.word and folded.isascii() and form == item.value.encode()))
        self._known = list(words.values())
        self._search = BytesAhoCorasick(list(words), matchkind=MatchKind.Standard) if words else None
        self._shape = shape
        self.longest = max([32, *map(len, words)])

    def found_in(self, content: bytes) -> dict[Known, int]:
        """What stands in the content, and how often; NRIC-shaped ones as a Known without a value."""
        text = content.lower()
        hits: dict[Known, int] = {}
        if self._search is not None:
            for number, start, end in self._search.find_matches_as_indexes(text, overlapping=True):
                item, word = self._known[number]
                if word and (_is_letter(text, start - 1) or _is_letter(text, end)):
                    continue
                hits[item] = hits.get(item, 0) + 1
        if self._shape:
            count = sum(right_check_letter(match.group()) for match in _NRIC.finditer(text))
            for match in _WIDE_NRIC.finditer(content):
                narrow = match.group().decode().translate(_NARROW).lower().encode()
                count += bool(_NRIC.fullmatch(narrow)) and right_check_letter(narrow)
            if count:
                hits[Known(NRIC_SHAPED, "")] = count
        return hits


_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def _is_letter(text: bytes, at: int) -> bool:
    return 0 <= at < len(text) and (48 <= text[at] <= 57 or 97 <= text[at] <= 122)
