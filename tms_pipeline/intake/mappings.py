"""Mappings: foreign layouts described in YAML, chosen by their headings or by name. See docs/mappings.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tms_pipeline.intake.headings import heading_key, rough_key
from tms_pipeline.intake.opening import refused

if TYPE_CHECKING:
    from tms_pipeline.intake.grid import Cell
    from tms_pipeline.intake.layout import Layout

SHIPPED = Path(__file__).resolve().parents[1] / "mappings"
TODAY = "@today"
DAYS_AROUND = 45


@dataclass(frozen=True, kw_only=True)
class KnownSession:
    """A session of a run as the registers have it. ``start`` is HH:MM."""

    number: int
    day: date
    start: str


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer to a look-up: the one exact value, or candidates in words for a person to choose from.

    ``sessions`` are those of a run, when the look-up asks for its sessions.
    """

    value: str | None = None
    candidates: tuple[str, ...] = ()
    sessions: tuple[KnownSession, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """A field whose value the database knows: ``into`` is found by canonical values of other fields.

    ``by`` maps a field name (course_title, start_date, ssg_run_id …) to the heading that holds it. Candidates within
    ``days`` of a date are named and never chosen. ``otherwise`` is a heading whose value is taken when nothing fits.
    """

    into: str
    by: dict[str, str]
    days: int = DAYS_AROUND
    otherwise: str | None = None


# Answers one look-up for many rows at once: each row's canonical values in the order of ``LookUp.by``.
Resolve = Callable[[LookUp, Sequence[tuple[str | None, ...]]], Sequence[Found]]


@dataclass(frozen=True, kw_only=True)
class Split:
    """One column that holds several values. ``pattern`` has a named group for each field."""

    heading: str
    into: tuple[str, ...]
    pattern: re.Pattern[str] | None  # None: a range of times such as "14 to 18"
    example: str


@dataclass(frozen=True, kw_only=True)
class Join:
    """Several columns that make one value."""

    into: str
    headings: tuple[str, ...]
    between: str = " "


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """One foreign layout. Headings are kept as they are written and compared by ``heading_key``."""

    name: str
    title: str = ""
    fingerprint: tuple[str, ...] = ()
    automatic: bool = True
    only: bool = False
    kinds: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    splits: tuple[Split, ...] = ()
    join: tuple[Join, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    dates_proven_by: tuple[str, ...] = ()
    look_ups: tuple[LookUp, ...] = ()
    only_when: dict[str, str] = field(default_factory=dict)
    form: bool = False
    same_as: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(map(heading_key, self.fingerprint))

    @cached_property
    def _same(self) -> dict[str, str]:
        return {
            heading_key(other): heading_key(heading) for heading, others in self.same_as.items() for other in others
        }

    def key(self, heading: str) -> str:
        """The heading as it is compared; the same heading in another language counts as the one that is named."""
        key = heading_key(heading)
        return self._same.get(key, key)

    @cached_property
    def rough_keys(self) -> frozenset[str]:
        """The rough keys of every heading that the mapping names."""
        words = [
            *self.fingerprint,
            *self.columns,
            *self.same_as,
            *(one for some in self.same_as.values() for one in some),
        ]
        return frozenset(map(rough_key, (*words, *self.sources()))) - {""}

    def fits(self, cells: Iterable[Cell]) -> bool:
        """True if the row has every heading of the fingerprint."""
        keys = {self.key(cell) for cell in cells if isinstance(cell, str) and len(cell) <= 300}
        return bool(self._wanted) and self._wanted <= keys

    def fingerprint_words(self) -> str:
        """The headings of the fingerprint for a sentence."""
        return ", ".join(f"'{heading}'" for heading in self.fingerprint)

    def fields_of(self, heading: str) -> tuple[str, ...]:
        """The fields that a heading is renamed to."""
        key = self.key(heading)
        return next((fields for known, fields in self.columns.items() if heading_key(known) == key), ())

    def takes(self, heading: str) -> bool:
        """True if the mapping renames the heading."""
        return bool(self.fields_of(heading))

    def sources(self) -> tuple[str, ...]:
        """Headings that are taken apart, joined or looked up by, and so are no fields themselves."""
        found = [split.heading for split in self.splits]
        found += [heading for join in self.join for heading in join.headings]
        found += [heading for look_up in self.look_ups for heading in (*look_up.by.values(), look_up.otherwise or "")]
        return tuple(dict.fromkeys([*found, *self.only_when.values()]))

    def ignores(self, heading: str) -> bool:
        """True if the heading is known and stands for no field by itself."""
        key = self.key(heading)
        return any(heading_key(known) == key for known in (*self.ignore, *self.sources()) if known)

    def given_fields(self, headings: Iterable[str]) -> list[str]:
        """The fields that splits, joins, constants and look-ups give, from columns that are there."""
        keys = {self.key(heading) for heading in headings}
        given = list(self.constants)
        given += [name for split in self.splits if heading_key(split.heading) in keys for name in split.into]
        given += [join.into for join in self.join if all(heading_key(heading) in keys for heading in join.headings)]
        given += [
            look_up.into
            for look_up in self.look_ups
            if all(heading_key(heading) in keys for heading in look_up.by.values())
            or (look_up.otherwise and heading_key(look_up.otherwise) in keys)
        ]
        return given

    def joins(self, name: str) -> bool:
        """True if several columns of that field are meant to be joined."""
        return any(join.into == name for join in self.join)

    def needs(self, name: str) -> bool:
        """True if the mapping itself uses the field, whatever the kinds."""
        return any(name in fields for fields in self.columns.values())

    def source_columns(self, layout: Layout) -> set[int]:
        """The columns of the grid that splits, joins and look-ups read."""
        keys = {heading_key(heading) for heading in self.sources() if heading}
        return {column for column, heading in layout.headings.items() if self.key(heading) in keys}


@cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """The mappings that come with the pipeline, by name; most telling fingerprints first."""
    from tms_pipeline.intake.mapping_files import load_mapping

    found = [load_mapping(path) for path in sorted(SHIPPED.glob("*.yaml"))]
    return tuple(sorted(found, key=lambda mapping: (-len(mapping.fingerprint), mapping.name)))


def choose(name: str, known: Sequence[Mapping]) -> Mapping:
    """The mapping of that name. Raises FileRefused naming the known ones."""
    for mapping in known:
        if mapping.name == name:
            return mapping
    raise refused(
        "MAPPING_UNKNOWN", mapping=name[:40], known=", ".join(sorted(mapping.name for mapping in known)) or "none"
    )
