"""Kind rows: the rows of one record kind from all tables of an upload, canonical, with what they show by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat

import pandas as pd

from tms_pipeline.identity.marks import Marker
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.tables import Table
from tms_pipeline.records.checks import check_repeats, check_rows
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.field import RecordKind
from tms_pipeline.registers.staging import Records, prepare
from tms_pipeline.registers.unsaid import keep_unsaid
from tms_pipeline.store.database import Connection

# The field that tells which of several answers is the latest, by kind.
NEWER_BY = {"attendance": "marked_at"}

Place = tuple[int, int]  # number of the table in the upload, row in its sheet


@dataclass
class KindRows:
    """The rows of one kind, from all tables of the upload: a line each, with where it stands.

    ``repeats`` are the lines that say the very same, in their order: the first of them stands for all, unless its row
    is turned down for another record in it. ``failed`` are the lines that the register's checks turned down
    themselves, and ``told`` the warning of each line that repeats another.
    """

    kind: RecordKind
    records: Records
    places: list[Place]
    titles: list[dict[str, str]]
    sheets: list[str]
    bad: set[int]
    superseded: set[int]
    repeats: list[list[int]] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    told: dict[int, Fault] = field(default_factory=dict)

    def fault(self, line: int, code: str, name: str | None, words: dict[str, object]) -> Fault:
        """The fault of that code in that line; ``name`` is its field."""
        title = None
        if name is not None:
            title = self.titles[line].get(name) or self.kind.field(name).title
        return fault(code, sheet=self.sheets[line], row=self.places[line][1], column=title, **words)

    def lines_without(self, out: set[Place]) -> Sequence[int]:
        """The lines that are to be written when the rows at ``out`` are not."""
        if not out and not self.superseded:
            return range(len(self.places))
        left = self.superseded - self.stand_ins(out)
        return [line for line, place in enumerate(self.places) if place not in out and line not in left]

    def stand_ins(self, out: Container[Place]) -> set[int]:
        """The lines that take the place of a line that said the same, when the rows at ``out`` are not written."""
        found = set()
        for group in self.repeats:
            first = group[0]
            if self.places[first] not in out or first in self.superseded or not self.failed.isdisjoint(group):
                continue  # what failed once would fail again
            found.update(next(([line] for line in group[1:] if self.places[line] not in out), []))
        return found


@dataclass
class Gathered:
    """The rows of one kind, their faults by place, and how many of each code the checks found."""

    rows: KindRows
    faults: dict[Place, list[Fault]]
    counts: dict[str, int]


def gather(
    connection: Connection, marker: Marker, kind: RecordKind, tables: Sequence[Table], today: date
) -> Gathered | None:
    """The rows of that kind, None when no table holds it."""
    faults: dict[Place, list[Fault]] = defaultdict(list)
    frames: list[pd.DataFrame] = []
    places: list[Place] = []
    titles: list[dict[str, str]] = []
    unsaid: list[frozenset[str]] = []
    bad: list[bool] = []
    for number, table in enumerate(tables):
        if kind.name not in table.kinds:
            continue
        canonical = canonicalise(kind, table)
        for item in canonical.faults:
            if item.row is not None:
                faults[number, item.row].append(item)
        rows = canonical.rows.tolist()
        frames.append(canonical.frame.assign(sheet=table.sheet, row_number=rows))
        places += zip(repeat(number), rows)
        titles += [table.titles] * len(rows)
        unsaid += [frozenset(kind.names) - frozenset(table.frame.columns)] * len(rows)
        bad += canonical.bad.tolist()
    if not places:
        return None
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    records = keep_unsaid(connection, marker, prepare(connection, marker, kind, frame), unsaid)
    part = KindRows(kind, records, places, titles, records.frame["sheet"].tolist(), set(), set())
    part.bad = {line for line, is_bad in enumerate(bad) if is_bad}
    return Gathered(part, faults, _check(part, faults, today))


def _check(part: KindRows, faults: dict[Place, list[Fault]], today: date) -> dict[str, int]:
    """Check the rows by themselves and beside each other; returns how many of each code were found."""
    kind, frame = part.kind, part.records.frame
    counts: dict[str, int] = defaultdict(int)
    checks = check_rows(kind, frame[list(kind.names)], today=today).faults
    keys = _told_apart_by(part)
    repeats = check_repeats(
        kind,
        pd.Series(keys, dtype=object),
        pd.Series(part.records.row_hashes, dtype=object),
        frame[list(kind.names)],
        frame["row_number"],
        newer_by=NEWER_BY.get(kind.name),
        sheets=frame["sheet"],
    )
    for found in [*checks, *repeats.faults]:
        item = part.fault(found.line, found.code, found.field, dict(found.words))
        faults[part.places[found.line]].append(item)
        if found.code == "ROW_REPEATED":
            part.told[found.line] = item
        counts[found.code] += 1
        if found.severity == "error":
            part.bad.add(found.line)
    part.superseded = {int(line) for line in [*repeats.repeated, *repeats.superseded]}
    part.repeats = _said_the_same(keys, part.records.row_hashes, repeats.repeated.tolist())
    return dict(counts)


def _said_the_same(keys: list[str | None], hashes: list[bytes], repeated: list[int]) -> list[list[int]]:
    """The lines of each record that is said more than once in the same words."""
    groups: dict[tuple[str | None, bytes], list[int]] = {(keys[line], hashes[line]): [] for line in repeated}
    for line, said in enumerate(zip(keys, hashes, strict=True)) if groups else ():
        if said in groups:
            groups[said].append(line)
    return list(groups.values())


def _told_apart_by(part: KindRows) -> list[str | None]:
    """The keys of the good lines, by which repeats are found."""
    keys: list[str | None] = [key or None for key in part.records.keys]
    if "nric" in part.kind.key and None in part.records.refs:
        # Two rows of a trainee whom nobody has introduced yet would share the same, empty reference.
        for line, ref in enumerate(part.records.refs):
            if not ref and keys[line]:
                mark = part.records.marks["nric"][line]
                keys[line] = f"{keys[line]}|{mark.hex() if mark else ''}"
    for line in part.bad:
        keys[line] = None
    return keys
