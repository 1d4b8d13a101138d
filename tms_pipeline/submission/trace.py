"""Trace: from anything a person may hold in hand to the whole chain, both ways.

File, sheet and row - register version - plan and approval - submission - attempts - SSG's reference - audit.
No personal value is in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

_MOST = 200
_PERSONAL = ("_sealed", "_mark", "_hash")


@dataclass
class Chain:
    """One submission with everything before and after it."""

    submission: dict[str, Any]
    source: dict[str, Any] = field(default_factory=dict)
    register: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    ssg: dict[str, Any] = field(default_factory=dict)


@dataclass
class Trace:
    """What was asked, what it was taken for, the chains it leads to, and the audit entries about them."""

    asked: str
    taken_for: list[str] = field(default_factory=list)
    chains: list[Chain] = field(default_factory=list)
    audit: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The whole as plain data."""
        return asdict(self)


@needs("trace")
def trace(workplace: Workplace, anything: str) -> Trace:
    """Everything that hangs on an SSG reference, a key of ours (record, run code, trainee reference), an upload, plan
    or submission id, an idempotency key or a correlation id. An empty trace says that nobody knows it."""
    asked = anything.strip()
    found = Trace(asked)
    if not asked:
        return found
    with workplace.db.transaction() as connection:
        rows = _rows(connection, query("outbox/trace_submissions"), {
            "asked": asked, "number": int(asked) if asked.isdigit() and len(asked) < 18 else None, "most": _MOST + 1,
            "at_ssg": _at_ssg(connection, asked),
        })
        found.more, rows = len(rows) > _MOST, rows[:_MOST]
        found.taken_for = sorted({word for row in rows for word in row.pop("matched")})
        ids = [row["submission_id"] for row in rows]
        attempts = _rows(connection, "SELECT submission_id, attempt_id, number, step, correlation_id, started_at, "
                         "finished_at, outcome, http_status, error_class, error_code, seconds FROM outbox.attempt "
                         "WHERE submission_id = ANY(%(ids)s) ORDER BY attempt_id", {"ids": ids})
        made = _rows(connection, "SELECT * FROM outbox.plan WHERE plan_id = ANY(%(ids)s)",
                     {"ids": [row["plan_id"] for row in rows]})
        plans = {row["plan_id"]: row for row in made}
        approvals = _rows(connection, "SELECT plan_hash, kind, action, policy, approved_by, approved_at, expires_at, "
                          "changes FROM outbox.approval WHERE plan_hash = ANY(%(hashes)s) ORDER BY approval_id",
                          {"hashes": [plan["plan_hash"] for plan in plans.values()]})
        for row in rows:
            plan = plans.get(row["plan_id"], {})
            found.chains.append(Chain(
                submission={name: value for name, value in row.items() if not name.endswith(_PERSONAL)},
                source=_source(connection, row),
                register=_register(connection, row),
                plan=plan,
                approvals=[item for item in approvals if item["plan_hash"] == plan.get("plan_hash")
                           and (item["kind"], item["action"]) == (row["kind"], row["action"])],
                attempts=[item for item in attempts if item["submission_id"] == row["submission_id"]],
                ssg=_theirs(connection, row),
            ))
        uploads = {chain.source.get("upload_id", "") for chain in found.chains}
        # The log tells of everybody: who sees their own runs or fees only does not read it.
        found.audit = [] if workplace.person.scoped else _rows(connection, query("outbox/trace_audit"), {
            "asked": asked, "entities": sorted({*map(str, ids), *plans, *uploads}),
        })
        if found.audit and not found.taken_for:
            found.taken_for = ["audit entry"]
    return found


def _rows(connection: Connection, statement: Any, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()


def _at_ssg(connection: Connection, asked: str) -> list[str]:
    """Records ("kind:key") that an SSG reference stands for, whoever made it there."""
    names = []
    for kind in SUBMITTED:
        rows = connection.execute(
            sql.SQL("SELECT coalesce(key, agreed_key) FROM {} WHERE ssg_ref = %s").format(
                sql.Identifier("mirror", kind.name)), (asked,)
        ).fetchall()
        names += [f"{kind.name}:{key}" for (key,) in rows if key]
    return names


def _source(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    found = _rows(connection, "SELECT upload_id, file_name, sha256, received_at, received_by, correlation_id "
                  "FROM intake.upload WHERE upload_id = %(id)s", {"id": row["upload_id"]})
    return {**(found[0] if found else {"upload_id": row["upload_id"]}), "sheet": row["sheet"],
            "row_number": row["row_number"]}


def _register(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """The version of the record that this submission is of: the one in force when it was planned."""
    name = row["kind"]
    statement = sql.SQL(
        "SELECT key, version, valid_from, NULL::timestamptz AS valid_to, live, upload_id, sheet, row_number FROM {} "
        "WHERE key = %(key)s UNION ALL SELECT key, version, valid_from, valid_to, live, upload_id, sheet, row_number "
        "FROM {} WHERE key = %(key)s ORDER BY version"
    ).format(sql.Identifier("register", name), sql.Identifier("register", f"{name}_history"))
    versions = _rows(connection, statement, {"key": row["key"]})
    then = [v for v in versions if v["valid_from"] <= row["created_at"]] or versions
    return then[-1] if then else {}


def _theirs(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    found = _rows(
        connection,
        sql.SQL("SELECT ssg_ref, live, ssg_status, created_on, updated_on, seen_at, seen_how FROM {} "
                "WHERE ssg_ref = %(ref)s OR key = %(key)s ORDER BY (ssg_ref = %(ref)s) DESC, live DESC, ssg_ref LIMIT 1"
                ).format(sql.Identifier("mirror", row["kind"])),
        {"ref": row["ssg_ref"] or "", "key": row["key"]},
    )
    return found[0] if found else {"ssg_ref": row["ssg_ref"]}
