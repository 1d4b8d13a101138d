"""Evaluation: what becomes of each row of an upload, and the registers that follow from it.

One row is one decision: if any record in it is faulty, none of it is taken, and its neighbours go on.
Everything happens in the caller's transaction, so that a preview is the same code rolled back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import repeat

import psycopg

from tms_pipeline.compliance.rules import Rule
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.marks import Marker
from tms_pipeline.intake.kind_rows import KindRows, Place, gather
from tms_pipeline.intake.kind_writing import Change, Occasion, Writing, write_kind
from tms_pipeline.intake.tables import Table
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.store.database import Connection

__all__ = ["WAITING_CODES", "Change", "Evaluation", "Place", "evaluate"]

# A row whose only faults are these is looked at again by itself when what it waits for arrives.
WAITING_CODES = frozenset(
    {
        "COURSE_UNKNOWN",
        "RUN_UNKNOWN",
        "SESSION_UNKNOWN",
        "SESSION_DATE_UNMATCHED",
        "SESSION_DAY_UNCLEAR",
        "TRAINER_UNKNOWN",
        "TRAINEE_UNKNOWN",
        "ENROLMENT_UNKNOWN",
    }
)


@dataclass
class Evaluation:
    """What became of each row."""

    statuses: dict[Place, str] = field(default_factory=dict)
    faults: dict[Place, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[Place, list[Change]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Place, tuple[str, ...]] = field(default_factory=dict)  # kinds of new records
    written: dict[str, tuple[int, int]] = field(default_factory=dict)  # kind: (inserted, changed)
    checked: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)  # kind: (records, code: count)
    said: list[tuple[str, list[Place], list[str]]] = field(default_factory=list)  # kind, rows, natural keys

    def count(self, status: str) -> int:
        """How many rows have that status."""
        return sum(1 for value in self.statuses.values() if value == status)

    def waiting(self, place: Place) -> bool:
        """Whether the row was rejected only for want of something that may still come."""
        if self.statuses[place] != "rejected":
            return False
        errors = {item.code for item in self.faults.get(place, ()) if item.severity == "error"}
        return bool(errors) and errors <= WAITING_CODES

    def rejected(self) -> list[Place]:
        """The rows that were rejected."""
        return [place for place, status in self.statuses.items() if status == "rejected"]


def evaluate(
    connection: Connection,
    rings: KeyRings,
    tables: list[Table],
    *,
    upload_id: str,
    today: date,
    only: set[Place] | None = None,
    priority: tuple[str, ...] = (),
    rules: Sequence[Rule] | None = None,
) -> Evaluation:
    """Check every row, write the good ones to the registers, and say what became of each.

    ``priority`` names sources, the one that counts most first: a row cannot change what came from a higher one.
    With ``only``, the other rows are read for what they tell of these, and left as they are.
    """
    result = Evaluation()
    for number, table in enumerate(tables):
        result.statuses.update(dict.fromkeys(zip(repeat(number), table.rows.tolist()), "unchanged"))
        for item in table.faults:
            if item.row is not None:
                result.faults[number, item.row].append(item)
    marker = Marker(rings.index).follow(connection)
    parts: list[KindRows] = []
    for kind in KINDS.values():
        gathered = gather(connection, marker, kind, tables, today)
        if gathered is not None:
            parts.append(gathered.rows)
            result.checked[kind.name] = (len(gathered.rows.places), gathered.counts)
            for place, items in gathered.faults.items():
                result.faults[place] += items
    excluded: set[Place] = {part.places[line] for part in parts for line in part.bad}
    excluded |= {place for place, items in result.faults.items() if any(item.severity == "error" for item in items)}
    left_alone = set() if only is None else set(result.statuses) - only
    excluded |= left_alone
    occasion = Occasion(upload_id=upload_id, today=today, priority=priority, rules=rules)
    writing = _write(connection, rings, parts, occasion, excluded, result.faults)
    result.written, result.changes, result.made = writing.written, writing.changes, writing.made
    for part in parts:
        for line in part.stand_ins(excluded):  # they repeat nobody who counts
            place = part.places[line]
            result.faults[place] = [item for item in result.faults[place] if item is not part.told.get(line)]
    _settle(result, parts, excluded, writing)
    result.said = [(part.kind.name, part.places, part.records.keys) for part in parts]
    for place in left_alone:
        del result.statuses[place]
    return result


def _write(
    connection: Connection,
    rings: KeyRings,
    parts: list[KindRows],
    occasion: Occasion,
    excluded: set[Place],
    told: dict[Place, list[Fault]],
) -> Writing:
    """Write the kinds in their order; what turned rows down is added to ``told`` and their places to ``excluded``.

    A row can hold several kinds. If a later kind turns it down after an earlier one was written, everything is taken
    back and done again without the row: until no row is half taken.
    """
    found: dict[Place, list[Fault]] = {}
    while True:
        turned_down: set[Place] = set()
        written_places: set[Place] = set()
        writing = Writing()
        stood_in: list[tuple[KindRows, set[int]]] = []
        again = False
        with connection.transaction():
            for part in parts:
                out = excluded | turned_down
                stood_in.append((part, part.stand_ins(out)))
                lines = part.lines_without(out)
                refused = write_kind(connection, rings, part, lines, occasion, writing)
                turned_down |= refused
                again = again or bool(refused & written_places)
                if len(parts) > 1:
                    written_places |= {part.places[line] for line in lines} - refused
            out = excluded | turned_down
            again = again or any(part.stand_ins(out) != before for part, before in stood_in)
            if again:
                raise psycopg.Rollback()
        # A round that is taken back has the last word on the rows that it turned down; of the others the next one says
        # more: what a row was written upon may be gone by then.
        found |= {place: items for place, items in writing.faults.items() if place in turned_down or not again}
        excluded |= turned_down
        if not again:
            break
    for place, items in found.items():
        told[place] += [item for item in items if item not in told[place]]
    return writing


def _settle(result: Evaluation, parts: list[KindRows], excluded: set[Place], writing: Writing) -> None:
    """One status a row out of what became of the records in it."""
    statuses = result.statuses  # all of them say unchanged; only what says otherwise is visited
    statuses.update(dict.fromkeys(writing.outranked, "superseded"))
    statuses.update(dict.fromkeys(writing.moved, "accepted"))
    replaced = [part.superseded - part.stand_ins(excluded) for part in parts]
    gone = {part.places[line] for part, lines in zip(parts, replaced, strict=True) for line in lines}
    if gone:
        # A row whose records are all replaced by other rows; a row with one left goes on with that.
        left = {
            place
            for part, lines in zip(parts, replaced, strict=True)
            for line, place in enumerate(part.places)
            if place in gone and line not in lines
        }
        statuses.update(dict.fromkeys(gone - left, "superseded"))
    for place in excluded:
        if place in statuses:
            statuses[place] = "rejected"
