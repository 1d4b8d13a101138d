"""Faults: what is wrong with a file, row or cell, where, and what to do, each with a stable code.

The sentences live in ``faults.toml`` beside this module, so that the workbook, the reports, the command line
and the page of each code under ``docs/errors`` say the same.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultEntry:
    """One entry of the catalogue. ``sentence`` and ``fix`` may hold ``{words}`` filled in by ``fault``."""

    code: str
    severity: Severity
    sentence: str
    fix: str
    about: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong. Never holds a personal value: the sentence names places, not contents."""

    code: str
    severity: Severity
    sentence: str
    fix: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def where(self) -> str:
        """The place in words: sheet, row and column as far as known."""
        parts = []
        if self.sheet:
            parts.append(f"sheet '{_on_one_line(self.sheet)}'")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column '{_on_one_line(self.column)}'")
        return ", ".join(parts)


def _on_one_line(word: object) -> object:
    """Headings are often broken over two lines of their cell."""
    return " ".join(word.split()) if isinstance(word, str) else word


@cache
def catalogue() -> dict[str, FaultEntry]:
    """All known faults by code."""
    text = resources.files(__package__).joinpath("faults.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    return {
        code: FaultEntry(
            code=code,
            severity=entry.get("severity", "error"),
            sentence=entry["sentence"],
            fix=entry["fix"],
            about=entry.get("about", ""),
        )
        for code, entry in entries.items()
    }


def fault(
    code: str, *, sheet: str | None = None, row: int | None = None, column: str | None = None, **words: object
) -> Fault:
    """The fault of that code at that place. ``words`` fill the sentence; give it no personal value.

    Raises KeyError for a code that the catalogue does not hold.
    """
    entry = catalogue()[code]
    # Where the sentence does not name the row, thousands of rows say the very same.
    place = row if "{row}" in entry.sentence or "{row}" in entry.fix else None
    said = tuple((name, str(word)) for name, word in words.items())
    sentence, fix = _said(code, column or "", "" if place is None else place, sheet or "", said)
    return Fault(
        code=code, severity=entry.severity, sentence=sentence, fix=fix, sheet=sheet, row=row, column=column
    )


@lru_cache(maxsize=1_000)
def _said(
    code: str, column: str, row: int | str, sheet: str, words: tuple[tuple[str, str], ...]
) -> tuple[str, str]:
    entry = catalogue()[code]
    filled: dict[str, object] = {"column": column, "row": row, "sheet": sheet, **dict(words)}
    filled = {name: _on_one_line(word) for name, word in filled.items()}
    # A word that may be missing leaves its space.
    return entry.sentence.format(**filled), entry.fix.format(**filled).strip()
