"""Kind writing: the rows of one record kind checked against the registers, and written to theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from psycopg import sql

from tms_pipeline.compliance.deadlines import deadline_of
from tms_pipeline.compliance.rules import Rule
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.intake.kind_rows import NEWER_BY, KindRows, Place
from tms_pipeline.records.fault import Fault
from tms_pipeline.records.field import RecordKind
from tms_pipeline.registers.staging import compare, drop_lines, stage
from tms_pipeline.registers.upsert import changed_fields, upsert
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import SQL_ROOT, query

# The kinds that have a day after which they no longer count.
_WITH_DEADLINE = frozenset({"enrolment", "attendance", "assessment"})


@dataclass
class Change:
    """One field that a row changed in a register; personal values say ``sealed``."""

    kind: str
    key: str
    field: str
    was: str | None
    becomes: str | None


@dataclass
class Writing:
    """What writing the kinds one after the other made of the rows."""

    moved: list[Place] = field(default_factory=list)  # new or changed records, a place as often as it has some
    outranked: set[Place] = field(default_factory=set)
    changes: dict[Place, list[Change]] = field(default_factory=lambda: defaultdict(list))
    made: dict[Place, tuple[str, ...]] = field(default_factory=dict)  # kinds of new records
    faults: dict[Place, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    written: dict[str, tuple[int, int]] = field(default_factory=dict)  # kind: (inserted, changed)


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """For which upload, on which day, and by which ranks and rules the registers are written."""

    upload_id: str
    today: date
    priority: tuple[str, ...] = ()
    rules: Sequence[Rule] | None = None


def write_kind(
    connection: Connection, rings: KeyRings, part: KindRows, lines: Sequence[int], occasion: Occasion, writing: Writing
) -> set[Place]:
    """Check the lines against the registers and write them; returns the places that were turned down."""
    kind, records, places = part.kind, part.records, part.places
    refused: set[Place] = set()
    known = lines
    if "nric" in kind.names and None in records.refs:
        known = [line for line in lines if records.refs[line]]
        for line in lines if len(known) < len(lines) else ():
            if records.refs[line]:
                continue
            words: dict[str, object] = {}
            if kind.name != "enrolment":
                words = {"value": records.frame["run_code"][line]}
            code = "TRAINEE_UNKNOWN" if kind.name == "enrolment" else "ENROLMENT_UNKNOWN"
            writing.faults[places[line]].append(part.fault(line, code, "nric", words))
            refused.add(places[line])
            part.failed.add(line)
    writing.written[kind.name] = (0, 0)
    if not known:
        return refused
    new, changed = compare(connection, records, known)
    outranked = set(_outranked(connection, part, occasion)) if changed else set()
    for line in outranked:
        writing.outranked.add(places[line])
        writing.faults[places[line]].append(part.fault(line, "ROW_OUTRANKED", None, {}))
    moving = sorted([*new, *(line for line in changed if line not in outranked)])
    writing.moved += map(places.__getitem__, moving)
    if not moving:
        return refused
    table = stage(connection, rings, records, moving, occasion.upload_id)
    dropped: set[int] = set()
    if (SQL_ROOT / "checks" / f"{kind.name}.sql").exists():
        for line, code, name, said in connection.execute(
            query(f"checks/{kind.name}", stage=table), {"today": occasion.today}
        ).fetchall():
            item = part.fault(line, code, name, said)
            writing.faults[places[line]].append(item)
            if item.severity == "error":
                dropped.add(line)
    part.failed |= dropped
    if dropped:
        # A wide row holds several records: when one of them is turned down, its siblings go with it.
        down = {places[line] for line in dropped}
        dropped |= {line for line in moving if places[line] in down}
        refused |= down
        drop_lines(connection, table, sorted(dropped))
    if kind.name in _WITH_DEADLINE:
        for line, last_day in _late(connection, kind, table, occasion):
            writing.faults[places[line]].append(part.fault(line, "LATE_ROW", None, {"value": last_day.isoformat()}))
    if changed:
        for line, name, was, becomes in changed_fields(connection, kind, table):
            writing.changes[places[line]].append(Change(kind.name, records.keys[line], name, was, becomes))
    _note_made(writing, kind, [places[line] for line in new if line not in dropped])
    writing.written[kind.name] = upsert(connection, kind, table, occasion.upload_id)
    return refused


def _note_made(writing: Writing, kind: RecordKind, places: list[Place]) -> None:
    """Keep which rows made a new record of this kind, and one name for each record."""
    alone: tuple[str, ...] = (kind.name,)
    if not writing.made and len(fresh := dict.fromkeys(places, alone)) == len(places):
        writing.made = fresh
        return
    for place in places:
        writing.made[place] = writing.made.get(place, ()) + alone


def _outranked(connection: Connection, part: KindRows, occasion: Occasion) -> list[int]:
    """The lines that may not change what stands: it came from a source that counts more, is the newer answer, or came
    in a file that was dropped later than ours, which can be when a row of ours waited or our upload was held."""
    newer_by = NEWER_BY.get(part.kind.name)
    standing = connection.execute(
        query(
            "registers/standing",
            register=f"register.{part.kind.name}",
            differing=part.records.differing,
            newer=sql.SQL("r.{}").format(sql.Identifier(newer_by)) if newer_by else sql.SQL("NULL"),
        ),
        {"upload_id": occasion.upload_id},
    ).fetchall()
    if not standing:
        return []
    row = connection.execute("SELECT source FROM intake.upload WHERE upload_id = %s", (occasion.upload_id,)).fetchone()
    ours = _rank(row[0] if row else "", occasion.priority)
    moments = part.records.frame[newer_by].tolist() if newer_by else []
    outranked = []
    for line, source, moment, dropped_later in standing:
        theirs = _rank(source, occasion.priority)
        ours_at = moments[line] if newer_by else None
        older = ours_at < moment.replace(" ", "T") if ours_at and moment else dropped_later
        if theirs < ours or (theirs == ours and older):
            outranked.append(line)
    return outranked


def _rank(source: str, priority: tuple[str, ...]) -> int:
    return priority.index(source) if source in priority else len(priority)


def _late(connection: Connection, kind: RecordKind, table: str, occasion: Occasion) -> list[tuple[int, date]]:
    """The lines whose deadline has passed, with the last day."""
    days: dict[str, date] = {}
    for run_code, start, end, provider_type, funding_body in connection.execute(query("checks/runs_of", stage=table)):
        last_day = deadline_of(
            kind.name, start, end, provider_type=provider_type, funding_body=funding_body, today=occasion.today,
            rules=occasion.rules,
        )  # fmt: skip
        if last_day is not None and last_day < occasion.today:
            days[run_code] = last_day
    if not days:
        return []
    return [
        (line, days[run_code])
        for line, run_code in connection.execute(query("checks/lines_of_runs", stage=table), {"runs": list(days)})
    ]
