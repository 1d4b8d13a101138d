"""Evaluation: what becomes of each row of an upload, and the registers that follow from it.

One row is one decision: if any record in it is faulty, none of it is taken, and its neighbours go on.
Everything happens in the caller's transaction, so that a preview is the same code rolled back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd
import psycopg
from psycopg import sql

from tms_pipeline.compliance.deadlines import deadline_of
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.marks import Marker
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.tables import Table
from tms_pipeline.records.checks import check_repeats, check_rows
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.records.field import RecordKind
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.registers.staging import Records, compare, drop_lines, prepare, stage
from tms_pipeline.registers.unsaid import keep_unsaid
from tms_pipeline.registers.upsert import changed_fields, upsert
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import SQL_ROOT, query

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
# The field that tells which of several answers is the latest, by kind.
NEWER_BY = {"attendance": "marked_at"}
# The kinds that have a day after which they no longer count.
_WITH_DEADLINE = frozenset({"enrolment", "attendance", "assessment"})

Place = tuple[int, int]  # number of the table in the upload, row in its sheet


@dataclass
class Change:
    """One field that a row changed in a register; personal values say ``sealed``."""

    kind: str
    key: str
    field: str
    was: str | None
    becomes: str | None


@dataclass
class Evaluation:
    """What became of each row."""

    statuses: dict[Place, str] = field(default_factory=dict)
    faults: dict[Place, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[Place, list[Change]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Place, list[str]] = field(default_factory=lambda: defaultdict(list))  # kinds of new records
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


@dataclass
class _Kind:
    """The rows of one kind, from all tables of the upload."""

    kind: RecordKind
    records: Records
    places: list[Place]
    titles: list[dict[str, str]]
    sheets: list[str]
    bad: set[int]
    superseded: set[int]


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
        for row in table.rows.tolist():
            result.statuses[number, row] = "unchanged"
        for item in table.faults:
            if item.row is not None:
                result.faults[number, item.row].append(item)
    marker = Marker(rings.index).follow(connection)
    parts = [
        part
        for kind in KINDS.values()
        if (part := _collect(connection, marker, kind, tables, result, today)) is not None
    ]
    # A row can hold several kinds. If a later kind turns it down after an earlier one was written,
    # everything is taken back and done again without the row: until no row is half taken.
    excluded: set[Place] = {place for part in parts for place in _rejected_places(part)}
    excluded |= {place for place, items in result.faults.items() if any(item.severity == "error" for item in items)}
    left_alone = set() if only is None else set(result.statuses) - only
    excluded |= left_alone
    found: dict[Place, list[Fault]] = {}
    while True:
        turned_down: set[Place] = set()
        written_places: set[Place] = set()
        outcomes: dict[Place, set[str]] = defaultdict(set)
        changes: dict[Place, list[Change]] = defaultdict(list)
        made: dict[Place, list[str]] = defaultdict(list)
        faults: dict[Place, list[Fault]] = defaultdict(list)
        written: dict[str, tuple[int, int]] = {}
        again = False
        try:
            with connection.transaction():
                for part in parts:
                    lines = _lines_to_write(part, excluded, turned_down)
                    refused = _write_kind(
                        connection, rings, part, lines, upload_id, today, priority, outcomes, changes, made, faults,
                        written,
                        rules,
                    )
                    turned_down |= refused
                    again = again or bool(refused & written_places)
                    if len(parts) > 1:
                        written_places |= {part.places[line] for line in lines} - refused
                if again:
                    raise psycopg.Rollback()
        finally:
            for place, items in faults.items():
                found.setdefault(place, items)
        excluded |= turned_down
        if not again:
            break
    for place, items in found.items():
        result.faults[place].extend(items)
    result.written, result.changes, result.made = written, changes, made
    _settle(result, parts, excluded, outcomes)
    result.said = [(part.kind.name, part.places, part.records.keys) for part in parts]
    for place in left_alone:
        del result.statuses[place]
    return result


def _collect(
    connection: Connection, marker: Marker, kind: RecordKind, tables: list[Table], result: Evaluation, today: date
) -> _Kind | None:
    """The canonical rows of one kind from all tables, with the faults that the rows show by themselves."""
    frames, places, titles, bad, unsaid = [], [], [], [], []
    for number, table in enumerate(tables):
        if kind.name not in table.kinds:
            continue
        canonical = canonicalise(kind, table)
        for item in canonical.faults:
            if item.row is not None:
                result.faults[number, item.row].append(item)
        rows = [int(row) for row in canonical.rows]
        frames.append(canonical.frame.assign(sheet=table.sheet, row_number=rows))
        places += [(number, row) for row in rows]
        titles += [table.titles] * len(rows)
        unsaid += [frozenset(kind.names) - frozenset(table.frame.columns)] * len(rows)
        bad += canonical.bad.tolist()
    if not places:
        return None
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.astype(object).where(frame.notna(), None)
    records = keep_unsaid(connection, marker, prepare(connection, marker, kind, frame), unsaid)
    frame = records.frame
    part = _Kind(kind, records, places, titles, frame["sheet"].tolist(), set(), set())
    part.bad = {line for line, is_bad in enumerate(bad) if is_bad}
    counts: dict[str, int] = defaultdict(int)
    checks = check_rows(kind, frame[list(kind.names)], today=today).faults
    good = [line not in part.bad and part.records.keys[line] for line in range(len(places))]
    if "nric" in kind.key:
        # Two rows of a trainee whom nobody has introduced yet would share the same, empty reference.
        keys = [
            None if not is_good else part.records.keys[line] if part.records.refs[line] else _by_mark(part, line)
            for line, is_good in enumerate(good)
        ]
    else:
        keys = [part.records.keys[line] if is_good else None for line, is_good in enumerate(good)]
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
        _say(result, part, found.line, found.code, found.field, dict(found.words))
        counts[found.code] += 1
        if found.severity == "error":
            part.bad.add(found.line)
    part.superseded = {int(line) for line in [*repeats.repeated, *repeats.superseded]}
    result.checked[kind.name] = (len(places), dict(counts))
    return part


def _by_mark(part: _Kind, line: int) -> str:
    mark = part.records.marks["nric"][line]
    return f"{part.records.keys[line]}|{mark.hex() if mark else ''}"


def _lines_to_write(part: _Kind, excluded: set[Place], turned_down: set[Place]) -> Sequence[int]:
    out = excluded | turned_down
    if not out and not part.superseded:
        return range(len(part.places))
    return [line for line, place in enumerate(part.places) if place not in out and line not in part.superseded]


def _rejected_places(part: _Kind) -> set[Place]:
    return {part.places[line] for line in part.bad}


def _write_kind(
    connection: Connection,
    rings: KeyRings,
    part: _Kind,
    lines: Sequence[int],
    upload_id: str,
    today: date,
    priority: tuple[str, ...],
    outcomes: dict[Place, set[str]],
    changes: dict[Place, list[Change]],
    made: dict[Place, list[str]],
    faults: dict[Place, list[Fault]],
    written: dict[str, tuple[int, int]],
    rules: Sequence[Rule] | None,
) -> set[Place]:
    """Check the lines against the registers and write them; returns the places that were turned down."""
    kind, records = part.kind, part.records
    needs_trainee = "nric" in kind.names
    unknown = [line for line in lines if needs_trainee and not records.refs[line]]
    refused: set[Place] = set()
    for line in unknown:
        run = records.frame["run_code"][line]
        code, words = ("TRAINEE_UNKNOWN", {}) if kind.name == "enrolment" else ("ENROLMENT_UNKNOWN", {"value": run})
        faults[part.places[line]].append(_fault(part, line, code, "nric", words))
        refused.add(part.places[line])
    unknown_lines = set(unknown)
    known = [line for line in lines if line not in unknown_lines] if unknown else lines
    todo = compare(connection, records, known) if known else {}
    for line in _outranked(connection, part, todo, upload_id, priority):
        todo[line] = "superseded"
        faults[part.places[line]].append(_fault(part, line, "ROW_OUTRANKED", None, {}))
    for line, what in todo.items():
        outcomes[part.places[line]].add(what)
    moving = sorted(line for line, what in todo.items() if what in ("new", "changed"))
    written[kind.name] = (0, 0)
    if not moving:
        return refused
    table = stage(connection, rings, records, moving, upload_id)
    dropped: set[int] = set()
    if (SQL_ROOT / "checks" / f"{kind.name}.sql").exists():
        for line, code, name, words in connection.execute(
            query(f"checks/{kind.name}", stage=table), {"today": today}
        ).fetchall():
            item = _fault(part, line, code, name, words)
            faults[part.places[line]].append(item)
            if item.severity == "error":
                dropped.add(line)
    # A wide row holds several records: when one of them is turned down, its siblings go with it.
    down = {part.places[line] for line in dropped}
    dropped |= {line for line in moving if part.places[line] in down}
    refused |= down
    drop_lines(connection, table, sorted(dropped))
    if kind.name in _WITH_DEADLINE:
        for line, last_day in _late(connection, kind, table, today, rules):
            faults[part.places[line]].append(_fault(part, line, "LATE_ROW", None, {"value": last_day.isoformat()}))
    for line, name, was, becomes in changed_fields(connection, kind, table):
        changes[part.places[line]].append(Change(kind.name, records.keys[line], name, was, becomes))
    for line in moving:
        if todo[line] == "new" and line not in dropped:
            made[part.places[line]].append(kind.name)
    written[kind.name] = upsert(connection, kind, table, upload_id)
    return refused


def _outranked(
    connection: Connection, part: _Kind, todo: dict[int, str], upload_id: str, priority: tuple[str, ...]
) -> list[int]:
    """The lines that may not change what stands: it came from a source that counts more, is the newer answer, or came
    in a file that was dropped later than ours, which can be when a row of ours waited or our upload was held."""
    if "changed" not in todo.values():
        return []
    newer_by = NEWER_BY.get(part.kind.name)
    standing = connection.execute(
        query(
            "registers/standing",
            register=f"register.{part.kind.name}",
            candidate=part.records.candidates,
            newer=sql.SQL("r.{}").format(sql.Identifier(newer_by)) if newer_by else sql.SQL("NULL"),
        ),
        {"upload_id": upload_id},
    ).fetchall()
    if not standing:
        return []
    row = connection.execute("SELECT source FROM intake.upload WHERE upload_id = %s", (upload_id,)).fetchone()
    ours = _rank(row[0] if row else "", priority)
    outranked = []
    for line, source, moment, dropped_later in standing:
        theirs = _rank(source, priority)
        ours_at = part.records.frame[newer_by][line] if newer_by else None
        older = ours_at < moment.replace(" ", "T") if ours_at and moment else dropped_later
        if theirs < ours or (theirs == ours and older):
            outranked.append(line)
    return outranked


def _rank(source: str, priority: tuple[str, ...]) -> int:
    return priority.index(source) if source in priority else len(priority)


def _late(
    connection: Connection, kind: RecordKind, table: str, today: date, rules: Sequence[Rule] | None
) -> list[tuple[int, date]]:
    """The lines whose deadline has passed, with the last day."""
    late = []
    for run_code, start, end, provider_type, funding_body in connection.execute(query("checks/runs_of", stage=table)):
        last_day = deadline_of(
            kind.name, start, end, provider_type=provider_type, funding_body=funding_body, today=today, rules=rules
        )
        if last_day is not None and last_day < today:
            late.append((run_code, last_day))
    if not late:
        return []
    days = dict(late)
    return [
        (line, days[run_code])
        for line, run_code in connection.execute(query("checks/lines_of_runs", stage=table), {"runs": list(days)})
    ]


def _settle(result: Evaluation, parts: list[_Kind], excluded: set[Place], outcomes: dict[Place, set[str]]) -> None:
    """One status a row out of what became of the records in it."""
    statuses = result.statuses  # all of them say unchanged; only what says otherwise is visited
    for place, what in outcomes.items():
        if what & {"new", "changed"}:
            statuses[place] = "accepted"
        elif "superseded" in what:
            statuses[place] = "superseded"
    gone = {part.places[line] for part in parts for line in part.superseded}
    if gone:
        # A row whose records are all replaced by other rows; a row with one left goes on with that.
        left = {
            place
            for part in parts
            for line, place in enumerate(part.places)
            if place in gone and line not in part.superseded
        }
        for place in gone - left:
            statuses[place] = "superseded"
    for place in excluded:
        if place in statuses:
            statuses[place] = "rejected"


def _say(result: Evaluation, part: _Kind, line: int, code: str, name: str | None, words: dict[str, object]) -> None:
    result.faults[part.places[line]].append(_fault(part, line, code, name, words))


def _fault(part: _Kind, line: int, code: str, name: str | None, words: dict[str, object]) -> Fault:
    title = None
    if name is not None:
        title = part.titles[line].get(name) or part.kind.field(name).title
    return fault(code, sheet=part.sheets[line], row=part.places[line][1], column=title, **words)
