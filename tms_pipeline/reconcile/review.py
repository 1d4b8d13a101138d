"""The reconciliation review: every difference found, classed, with what to do; none invented, none passed over."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.mirror.pull import PullResult
from tms_pipeline.reconcile.resolutions import resolved_keys
from tms_pipeline.records.field import RecordKind
from tms_pipeline.records.kinds import SUBMITTED, kind_named
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

CLASSES = (
    "missing there", "missing here", "differs", "duplicated there", "unknown outcome", "waiting", "withheld",
    "dead letter", "not read",
)
_BY_STATE = {
    "unknown": "unknown outcome", "sending": "unknown outcome", "held": "withheld", "rejected": "dead letter",
    "dead": "dead letter", "planned": "waiting", "ready": "waiting", "retry": "waiting",
}
_TO_DO = {
    "missing there": "Nothing, if the nightly sync has not run since; else look at the plan ('tms plan').",
    "missing here": "If it is right, drop the row that is missing here; if not, cancel it on TPGateway.",
    "differs": "If ours is right, the next sync sends it; if theirs is, correct the row and drop it again.",
    "duplicated there": "Cancel the later one on TPGateway after looking at both.",
    "unknown outcome": "Nothing: SSG is searched again by itself before anything is sent.",
    "waiting": "Nothing: it is sent as soon as its turn comes. If it waits for approval, approve the plan.",
    "withheld": "Look at the plan and release it if the cancellations are meant ('tms release').",
    "dead letter": "Correct the row and drop it again, or retry it ('tms dead-letters show').",
    "not read": "Nothing was changed. Look whether SSG answers ('tms preflight') and reconcile again.",
}
_TO_RESOLVE = (
    "Somebody changed this at SSG. Decide: 'tms resolve' with ours (send ours again), theirs (keep SSG's until our "
    "register changes) or ignore."
)
Finding = tuple[str, str, str | None, str | None, str | None, str | None, str | None, datetime | None, str]


def reconcile(workplace: Workplace, pulled: PullResult, *, actor: Actor) -> dict[str, Any]:
    """Compare registers and mirror and keep the findings; returns the review's id and counts."""
    findings: list[Finding] = []
    matched: dict[str, int] = {}
    with workplace.db.transaction() as connection:
        for key, class_, ours, theirs, since in connection.execute(query("reconcile/courses")).fetchall():
            findings.append((class_, "course", key, None, "course_title" if class_ == "differs" else None, ours, theirs,
                             since, "Ask SSG for the course, or correct the reference." if class_ == "missing there"
                             else "Compare the title with the approval letter."))
        for kind in SUBMITTED:
            names = {"register": f"register.{kind.name}", "mirror": f"mirror.{kind.name}"}
            matched[kind.name] = _one(connection, query("reconcile/matched", **names))
            findings += _differences(connection, kind, workplace.today())
            missing_here = (
                query("reconcile/missing_here_fee") if kind.name == "fee" else query("reconcile/missing_here", **names)
            )
            for ssg_ref, key, since in connection.execute(missing_here).fetchall():
                findings.append(
                    ("missing here", kind.name, key, ssg_ref, None, None, None, since, _TO_DO["missing here"])
                )
            duplicated = query("reconcile/duplicated", mirror=names["mirror"])
            for ssg_ref, key, since in connection.execute(duplicated).fetchall():
                findings.append(("duplicated there", kind.name, key, ssg_ref, None, None, None, since,
                                 _TO_DO["duplicated there"]))
        # What was not read is not missing: that SSG did not answer is said once a scope, and nothing is made of it.
        kinds = pulled.kinds_not_read()
        records = {(kind, key) for kind, key in connection.execute(query("diff/unread"))}
        records |= {(read.kind, read.scope) for read in pulled.failed()}
        findings = [
            item for item in findings
            if item[0] != "missing there" or item[8] == _TO_RESOLVE
            or not (item[1] in kinds or (item[1], item[2]) in records)
        ]
        for read in pulled.failed():
            findings.append(
                ("not read", read.kind, read.scope, None, None, None, read.sentence, None, _TO_DO["not read"])
            )
        counts = _counts(findings, matched, pulled)
        review = connection.execute(
            "INSERT INTO finding.review (about, as_of, correlation_id, counts) VALUES ('reconciliation', %s, %s, %s) "
            "RETURNING review_id, started_at",
            (workplace.today(), actor.correlation_id, Jsonb(counts)),
        ).fetchone()
        if review is None:
            raise RuntimeError("a review was not kept")
        copy_rows(
            connection, "finding.discrepancy",
            ("review_id", "class", "kind", "key", "ssg_ref", "field", "ours", "theirs", "since", "what_to_do"),
            ((review[0], c, k, key, ref, field, ours, theirs, since or review[1], todo)
             for c, k, key, ref, field, ours, theirs, since, todo in findings),
        )
        append(connection, workplace.rings.audit.key, actor, "reconciled", "review", str(review[0]),
               discrepancies=counts["discrepancies"], matched=matched)
    return {"review_id": review[0], "counts": counts}


def _differences(connection: Connection, kind: RecordKind, today: date) -> list[Finding]:
    """The records that the diff would change, each classed by what is under way for it."""
    found = connection.execute(query(f"diff/{kind.name}")).fetchall()
    if not found:
        return []
    keys = [row[0] for row in found]
    under_way = {row[0]: row[1:] for row in
                 connection.execute(query("reconcile/under_way"), {"kind": kind.name, "keys": keys}).fetchall()}
    since: dict[str, datetime] = dict(
        connection.execute(query("reconcile/missing_there_since", register=f"register.{kind.name}"),
                           {"keys": keys}).fetchall()
    )
    resolved = resolved_keys(connection, kind.name, today)
    fields = _fields(connection, kind, [row[0] for row in found if row[5] is not None])
    findings: list[Finding] = []
    for row in found:
        key, action, ssg_ref, elsewhere = row[0], row[1], row[5], row[10]
        if key in resolved:
            continue  # a person has decided; it shows again as soon as our side changes or the day is over
        state, sentence, remedy = under_way.get(key, (None, None, None))
        class_ = _BY_STATE.get(state or "", "missing there" if action == "create" else "differs")
        if elsewhere and (class_ != "unknown outcome"):
            # Nothing of ours is to be sent: SSG's side was changed by somebody else, so a person decides.
            class_, remedy = ("missing there" if action == "create" else "differs"), _TO_RESOLVE
        todo = remedy or _TO_DO[class_]
        if elsewhere and action == "create":
            findings.append((class_, kind.name, key, ssg_ref, "live", "yes", "taken away", since.get(key), todo))
        elif action == "create" or class_ not in ("differs",):
            findings.append((class_, kind.name, key, ssg_ref, None, action, sentence, since.get(key), todo))
        elif fields.get(key):
            for name, ours, theirs, moment in fields[key]:
                findings.append((class_, kind.name, key, ssg_ref, name, ours, theirs, moment, todo))
        else:
            findings.append((class_, kind.name, key, ssg_ref, "live", "no" if action == "cancel" else "yes", "yes",
                             since.get(key), todo))
    return findings


def _fields(connection: Connection, kind: RecordKind, keys: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    if not keys:
        return {}
    pairs = []
    if kind.name != "attendance":
        pairs += [_pair(field.name, field.personal, "r") for field in kind.ssg_fields]
    trainee = sql.SQL("")
    if kind.name == "enrolment":
        trainee = sql.SQL("JOIN register.trainee t ON t.trainee_ref = r.trainee_ref")
        pairs += [_pair(field.name, field.personal, "t") for field in kind_named("trainee").ssg_fields]
    if not pairs:
        return {}
    rows = connection.execute(
        query("reconcile/fields", register=f"register.{kind.name}", mirror=f"mirror.{kind.name}", trainee=trainee,
              pairs=sql.SQL(", ").join(pairs)),
        {"keys": keys},
    ).fetchall()
    personal = {field.name for field in (*kind.personal_fields, *kind_named("trainee").personal_fields)}
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for key, name, ours, theirs, moment in rows:
        hidden = name in personal
        found[key].append((name, "sealed" if hidden else ours, "sealed" if hidden else theirs, moment))
    return found


def _pair(name: str, personal: bool, table: str) -> sql.Composed:
    if personal:
        column = sql.Identifier(f"{name}_mark")
        return sql.SQL("({}, encode({}.{}, 'hex'), encode(m.{}, 'hex'))").format(
            sql.Literal(name), sql.SQL(table), column, column
        )
    column = sql.Identifier(name)
    return sql.SQL("({}, {}.{}::text, m.{}::text)").format(
        sql.Literal(name), sql.SQL(table), column, column
    )


def _counts(findings: list[Finding], matched: dict[str, int], pulled: PullResult) -> dict[str, Any]:
    by_class: dict[str, dict[str, int]] = {}
    seen: set[tuple[str, str, str | None, str | None]] = set()
    for class_, kind, key, ssg_ref, *_ in findings:
        # A record that differs in three fields is one discrepancy with three lines.
        if (class_, kind, key, ssg_ref) in seen and class_ == "differs":
            continue
        seen.add((class_, kind, key, ssg_ref))
        by_class.setdefault(class_, {}).setdefault(kind, 0)
        by_class[class_][kind] += 1
    not_read = pulled.kinds_in_part()
    return {
        "matched": matched,
        "discrepancies": by_class,
        "read": {kind.name: "not read" if kind.name in not_read else "read" for kind in SUBMITTED},
    }


def _one(connection: Connection, statement: sql.Composed) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
