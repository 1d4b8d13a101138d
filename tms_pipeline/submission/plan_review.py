"""The plan as a person reviews it: what will be sent, field by field, why, and from which file and row.

A personal value is never in it: its line says "changed".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from tms_pipeline.records.field import RecordKind
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

WHY = {
    "create": "SSG does not hold it yet", "update": "our register differs from SSG",
    "cancel": "our register says that it is taken back, or SSG cannot change these fields",
}


@dataclass(frozen=True)
class ReviewLine:
    """One field of one change; a change without fields of its own has one line with an empty field."""

    part: str
    kind: str
    action: str
    key: str
    ssg_ref: str
    field: str
    old: str
    new: str
    why: str
    state: str
    deadline: date | None
    file_name: str
    sheet: str
    row_number: int | None
    upload_id: str


@dataclass(frozen=True)
class PlanReview:
    """A plan with its lines, in the order in which it is sent."""

    plan_id: str
    plan_hash: str
    created_at: Any
    state: str
    lines: tuple[ReviewLine, ...]
    counts: dict[str, int]


def review_plan(workplace: Workplace, plan_id: str | None = None) -> PlanReview:
    """The review of a plan, or of the newest. Raises LookupError when there is none."""
    with workplace.db.transaction() as connection:
        plan = connection.execute(
            "SELECT plan_id, plan_hash, created_at, state FROM outbox.plan "
            "WHERE %(id)s::text IS NULL OR plan_id = %(id)s ORDER BY created_at DESC LIMIT 1", {"id": plan_id}
        ).fetchone()
        if plan is None:
            raise LookupError(f"There is no plan {plan_id}." if plan_id else "No plan was made yet; run 'tms plan'.")
        rows = connection.execute(query("outbox/plan_lines"), {"plan": plan[0]}).fetchall()
        keys: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            keys[row[0]].append(row[2])
        values = {kind: _values(connection, kind_named(kind), found) for kind, found in keys.items()}
    lines: list[ReviewLine] = []
    counts: dict[str, int] = defaultdict(int)
    for kind, action, key, ssg_ref, fields, reason, state, deadline, file_name, sheet, number, upload_id in rows:
        counts[f"{kind}.{action}{' (withheld)' if state == 'held' else ''}"] += 1
        why = f"{WHY[action]}{': ' + reason if reason else ''}"
        changed = [item for item in values[kind].get(key, []) if action == "create" or item[0] in fields]
        if kind == "course_run" and "venue" in fields:
            changed += [item for item in values[kind].get(key, []) if item[0] in _VENUE and item[1] != item[2]]
        for field, old, new in changed if action != "cancel" or fields else []:
            lines.append(ReviewLine(f"{kind}.{action}", kind, action, key, ssg_ref or "", field,
                                    "" if action == "create" else old, new, why, state, deadline, file_name or "",
                                    sheet or "", number, upload_id or ""))
        if not lines or (lines[-1].kind, lines[-1].key) != (kind, key):
            lines.append(ReviewLine(f"{kind}.{action}", kind, action, key, ssg_ref or "", "", "", "", why, state,
                                    deadline, file_name or "", sheet or "", number, upload_id or ""))
    return PlanReview(plan[0], plan[1], plan[2], plan[3], tuple(lines), dict(counts))


_VENUE = frozenset({"block", "street", "floor", "unit", "building", "postal_code", "room"})


def _values(connection: Connection, kind: RecordKind, keys: list[str]) -> dict[str, list[tuple[str, str, str]]]:
    """(field, SSG's value, ours) of each record; personal ones as "changed", or "given" where SSG holds none."""
    pairs: list[sql.Composable] = []
    personal: set[str] = set()
    trainee = sql.SQL("")
    if kind.name == "attendance":
        pairs.append(sql.SQL("('mark', m.ssg_status, r.mark)"))
    fields = [(item, "r") for item in kind.ssg_fields]
    if kind.name == "enrolment":
        fields += [(item, "t") for item in kind_named("trainee").ssg_fields]
        trainee = sql.SQL("JOIN register.trainee t ON t.trainee_ref = r.trainee_ref")
    for item, table in fields:
        if kind.name == "attendance":
            continue
        if item.personal:
            personal.add(item.name)
            column = sql.Identifier(f"{item.name}_mark")
            pairs.append(sql.SQL("({}, encode(m.{}, 'hex'), encode({}.{}, 'hex'))").format(
                sql.Literal(item.name), column, sql.SQL(table), column))
        else:
            column = sql.Identifier(item.name)
            pairs.append(sql.SQL("({}, m.{}::text, {}.{}::text)").format(
                sql.Literal(item.name), column, sql.SQL(table), column))
    statement = query(
        "outbox/plan_values", register=f"register.{kind.name}", mirror=f"mirror.{kind.name}", trainee=trainee,
        pairs=sql.SQL(", ").join(pairs),
    )
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for key, name, theirs, ours in connection.execute(statement, {"keys": keys}).fetchall():
        if name in personal:
            if theirs != ours or not theirs:
                found[key].append((name, "held" if theirs else "", ("changed" if theirs else "given") if ours else ""))
        else:
            found[key].append((name, theirs or "", ours or ""))
    return found
