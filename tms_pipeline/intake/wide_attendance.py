"""Wide attendance: one column a session, one row a trainee, turned into one line a mark."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from tms_pipeline.intake.grid import Cell, Cells
from tms_pipeline.records.vocabulary import ATTENDANCE_MARK

_NUMBERED = re.compile(
    r"^(?:s|sess|session|lesson|class|day|l|d)\s*(?:no)?\s*[.#:-]?\s*(\d{1,3})"
    r"(?:\s*(?:am|pm))?\s*(?:$|[(\[,:/|\n–-]|(?=\d{1,2}\s*[/.-]|\d{1,2}\s+[a-z]{3}|(?:mon|tue|wed|thu|fri|sat|sun)))",
    re.IGNORECASE,
)
# 'Day 2 PM' counts days, of which each may hold several sessions.
_DAY = re.compile(
    r"^d(?:ay)?\s*(?:no)?\s*[.#:-]?\s*\d{1,3}(?!\d)[\s,(\[/-]*(am|pm|morning|afternoon|evening)?\b", re.IGNORECASE
)
_DATED = re.compile(
    r"\b\d{1,2}\s*[/.-]\s*(?:\d{1,2}|[A-Za-z]{3,9})(?:\s*[/.-]\s*\d{2,4})?\b|\b\d{4}-\d{2}-\d{2}\b"
    r"|\b\d{1,2}\s+[A-Za-z]{3,9}(?:\s+\d{2,4})?\b"
)
_MONTH = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
# Session columns must mostly hold marks, or they are other columns that merely look so.
MOSTLY = 0.5
MARKS = frozenset(word.casefold() for canonical, words in ATTENDANCE_MARK.items() for word in (canonical, *words))


@dataclass(frozen=True, kw_only=True)
class SessionColumn:
    """A column of the grid that stands for a session: by its number, or only by a date."""

    column: int
    heading: str
    number: int | None
    cell: Cell = None  # the heading as it was typed, when it bears a date
    day: bool = False  # whether the number counts days
    half: str | None = None  # of such a day: am or pm


def session_of_heading(cell: Cell, column: int) -> SessionColumn | None:
    """The session that a heading names ('S1', 'Session 2 (12/09/2026)', a date), or None."""
    if isinstance(cell, (datetime, date)):
        return SessionColumn(column=column, heading=f"{cell.day} {cell:%b %Y}", number=None, cell=cell)
    if not isinstance(cell, str) or len(cell) > 60:
        return None
    text = unicodedata.normalize("NFKC", cell).strip()
    numbered = _NUMBERED.match(text)
    if numbered:
        day = _DAY.match(text)
        half = None if day is None or not day[1] else "am" if day[1].lower() in ("am", "morning") else "pm"
        return SessionColumn(column=column, heading=text, number=int(numbered[1]), day=day is not None, half=half)
    dated = _DATED.fullmatch(text) or _DATED.match(text)
    if dated and (dated.end() == len(text) or not text[dated.end()].isalnum()):
        words = re.sub(r"[^A-Za-z]", "", dated[0])
        if not words or _MONTH.match(words):
            return SessionColumn(column=column, heading=text, number=None, cell=text)
    return None


def with_marks(sessions: list[SessionColumn], columns: list[Cells]) -> list[SessionColumn]:
    """The columns that hold attendance marks: all, if half of all their values are marks, else those that do.

    A wholly blank column counts: nobody has been marked yet.
    """
    shares = []
    for column in columns:
        values = [value for value in column.tolist() if value is not None and str(value).strip()]
        shares.append((sum(1 for value in values if _is_mark(value)), len(values)))
    if sum(marks for marks, _ in shares) >= MOSTLY * sum(count for _, count in shares):
        return sessions
    return [session for session, (marks, count) in zip(sessions, shares, strict=True) if marks >= MOSTLY * count]


def _is_mark(value: Any) -> bool:
    """A mark that we know, or one or two signs such as '/' and 'O', of which we must ask."""
    word = mark_word(value)
    return word in MARKS or (len(word) <= 2 and not any(letter.isdigit() for letter in word))


def mark_word(value: Any) -> str:
    """A mark as it is compared: 1.0 and True read like '1' and 'yes'."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)).strip().casefold()


def numbered(sessions: list[SessionColumn]) -> list[int]:
    """The session numbers of the columns: as they say, or from left to right when none of them says."""
    if all(session.number is not None for session in sessions):
        return [session.number or 0 for session in sessions]
    return list(range(1, len(sessions) + 1))


@dataclass(kw_only=True)
class Unpivoted:
    """Lines of marks: for each its place among the rows, its session number, mark, and the column it came from."""

    places: npt.NDArray[np.int64]
    numbers: Cells
    marks: Cells
    headings: Cells
    columns: npt.NDArray[np.int64]


def unpivot(columns: list[Cells], sessions: list[SessionColumn], numbers: list[int]) -> Unpivoted:
    """One line a mark, row by row; a blank mark gives no line."""
    count, width = (len(columns[0]) if columns else 0), len(columns)
    marks = np.empty(count * width, dtype=object)
    for at, column in enumerate(columns):
        marks[at::width] = column
    given = np.fromiter(
        (mark is not None and (not isinstance(mark, str) or bool(mark.strip())) for mark in marks.tolist()),
        dtype=bool,
        count=count * width,
    )
    chosen = np.flatnonzero(given)
    of = chosen % width if width else chosen
    headings = np.empty(width, dtype=object)
    headings[:] = [session.heading for session in sessions]
    ordered = np.empty(width, dtype=object)
    ordered[:] = numbers
    return Unpivoted(
        places=chosen // max(width, 1),
        numbers=ordered[of],
        marks=marks[chosen],
        headings=headings[of],
        columns=np.array([session.column for session in sessions], dtype=np.int64)[of],
    )
