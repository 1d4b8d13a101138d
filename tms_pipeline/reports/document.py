"""A report before it has a form: tiles, sections, charts and tables, from which page, workbook, CSV and JSON are made.

Every number stands here once, so no two forms can disagree. Long tables are streams: they are read once, in order,
while the form is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Row = Sequence[Any]


class Share(float):
    """A part of one, shown in percent."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, its width in characters and whether its text wraps."""

    title: str
    width: int = 14
    wrap: bool = False


@dataclass(frozen=True)
class Table:
    """A table. A small one stands on a workbook's first sheet, any other has a sheet of its own.

    ``rows`` is called once for each form that is written; ``heading`` says that the first column names its row.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[Row]]
    title: str = ""
    small: bool = False
    empty: str = "Nothing."

    @property
    def caption(self) -> str:
        """What the table is called above it."""
        return self.title or self.name

    @property
    def slug(self) -> str:
        """Its name as a part of a file's name, an id or a key."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name.lower()).strip("-")


@dataclass(frozen=True)
class Tile:
    """One number that stands at the top."""

    label: str
    value: Any
    standing: str = "calm"


@dataclass(frozen=True)
class Chart:
    """A picture of a table that stands beside it; ``draw`` makes one <svg>."""

    caption: str
    draw: Callable[[], str]


@dataclass(frozen=True)
class Section:
    """A part of a page with its tables."""

    title: str
    tables: tuple[Table, ...] = ()
    intro: str = ""
    chart: Chart | None = None

    @property
    def slug(self) -> str:
        """Its id in the page."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower()).strip("-")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A whole report."""

    name: str
    title: str
    provider: str
    today: date
    made_at: datetime
    lines: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    sections: tuple[Section, ...] = field(default=())

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables in their order."""
        return tuple(table for section in self.sections for table in section.tables)


def columns(*titles: str | tuple[str, int] | tuple[str, int, bool]) -> tuple[Column, ...]:
    """Columns from titles, titles with widths, or titles with widths and whether they wrap."""
    return tuple(Column(one) if isinstance(one, str) else Column(*one) for one in titles)


def small(name: str, titles: Sequence[str], rows: Iterable[Row], *, empty: str = "Nothing.") -> Table:
    """A table of few rows that are known already."""
    known = [tuple(row) for row in rows]
    return Table(name, columns(*titles), lambda: known, small=True, empty=empty)


def known(name: str, of: tuple[Column, ...], rows: Iterable[Row], *, title: str = "", empty: str = "Nothing.") -> Table:
    """A table with a sheet of its own whose rows are known already."""
    held = [tuple(row) for row in rows]
    return Table(name, of, lambda: held, title=title, empty=empty)
