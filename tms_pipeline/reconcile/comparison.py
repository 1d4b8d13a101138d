"""One record kind compared: register with SSG, and SSG with the register, as statements that run inside Postgres.

Only records on which the two sides are not at one are looked at closer, and findings go from table to table: what a
review costs is one pass over both sides and what differs, however much there is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from psycopg import sql

from tms_pipeline.reconcile import classes
from tms_pipeline.records.field import RecordKind
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.settled.narrowed import everything
from tms_pipeline.settled.theirs import NEVER_TWICE, counts
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.states import SENT_AND_GIVEN_UP

_TRAINEE = kind_named("trainee")
# Unbound records at SSG that are one of ours once more: what makes them alike, by kind.
_ALIKE = {
    "course_run": "b.own_hash = m.own_hash AND b.course_reference = m.course_reference",
    "session": "b.own_hash = m.own_hash AND b.ssg_run_id = m.ssg_run_id",
    "trainer": "b.trainer_name_mark = m.trainer_name_mark AND b.trainer_email_mark = m.trainer_email_mark",
}
# Nothing that we submit takes these back.
_NEVER_CANCELLED = frozenset({"trainer", "fee"})
# What the plan leaves alone when the enrolment or the session it hangs on is cancelled.
_HANGING = frozenset({"attendance", "assessment"})
_WHOSE = "coalesce(m.run_code, 'SSG run ' || m.ssg_run_id, 'an unknown run')"
_WHO = "coalesce(m.trainee_ref, 'a trainee we do not hold')"
# What a person needs to find a record that only SSG holds; no personal value.
_DESCRIBED = {
    "trainer": "NULL",
    "course_run": "concat_ws(', ', m.course_reference, m.start_date || ' to ' || m.end_date)",
    "session": f"concat_ws(', ', {_WHOSE}, m.session_date || ' ' || to_char(m.start_time, 'HH24:MI'))",
    "enrolment": f"concat_ws(', ', {_WHOSE}, {_WHO})",
    "fee": "m.collection_status",
    "attendance": f"concat_ws(', ', {_WHOSE}, 'session ' || coalesce(m.session_no::text, m.ssg_session_id), {_WHO})",
    "assessment": f"concat_ws(', ', {_WHOSE}, {_WHO}, m.result)",
}


@dataclass
class Compared:
    """What agreed of one kind: records, records by field, and records whose difference a person settled."""

    matched: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    resolved: int = 0


def compare(
    connection: Connection, kind: RecordKind, *, review: int, today: date, dark: bool, unread: list[str],
    agreed: int = 0,
) -> Compared:
    """Find the discrepancies of one kind into ``finding.discrepancy``.

    ``dark``: nothing of the kind was read; ``unread``: keys whose part was not. What is not known is not missing.
    ``agreed``: records of runs that are left out, as both sides are known to agree on them.
    """
    names: dict[str, sql.Composable | str] = {"register": f"register.{kind.name}", "mirror": f"mirror.{kind.name}"}
    for table in ("odd", "twin", "judged", "field_of", "settled", "dark"):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", table)))
    stands = _stands(kind, "x")
    connection.execute(query("reconcile/odd", **names, stands=stands))
    matched = agreed + _number(connection, query("reconcile/matched", register=names["register"], stands=stands))
    if kind.name in NEVER_TWICE:
        connection.execute(query("reconcile/no_twins"))
    else:
        alike = sql.SQL(_ALIKE.get(kind.name, "false"))
        # A double of a run is the double of any run, also of one on which both sides agree.
        with everything(connection) if kind.name == "course_run" else contextlib.nullcontext():
            connection.execute(query("reconcile/twins", mirror=names["mirror"], alike=alike))
    odd = _number(connection, sql.SQL("SELECT count(*) FROM odd")) + _number(
        connection, sql.SQL("SELECT count(*) FROM twin")
    )
    pairs = _pairs(kind)
    if not odd:
        return Compared(matched, dict.fromkeys(pairs, matched))
    connection.execute("ANALYZE odd")
    connection.execute("CREATE TEMP TABLE dark (key text) ON COMMIT DROP")
    connection.execute("INSERT INTO dark SELECT unnest(%s::text[])", (unread,))
    return _look_closer(connection, kind, names, pairs, matched, review=review, today=today, dark=dark)


def _look_closer(
    connection: Connection, kind: RecordKind, names: Mapping[str, sql.Composable | str], pairs: dict[str, sql.Composed],
    matched: int, *, review: int, today: date, dark: bool,
) -> Compared:
    of_trainee = kind.name == "enrolment"
    trainee = sql.SQL("JOIN register.trainee t ON t.trainee_ref = r.trainee_ref" if of_trainee else "")
    dead_class = "missing here" if kind.name in _NEVER_CANCELLED else "differs"
    words: dict[str, Any] = {
        "review": review, "kind": kind.name, "today": today, "dark": dark,
        "states": list(classes.BY_STATE), "classes": list(classes.BY_STATE.values()),
        "todo_classes": list(classes.TO_DO), "todo_texts": list(classes.TO_DO.values()),
        "to_resolve": classes.TO_RESOLVE, "todo": classes.TO_DO["differs"],
        "to_do_twice": classes.TO_DO["duplicated there"], "to_do_here": classes.TO_DO["missing here"],
        "dead_class": dead_class, "dead_to_do": classes.TO_DO[dead_class],
        "sent": SENT_AND_GIVEN_UP, "orphan_to_do": classes.ORPHAN, "orphan_mark_to_do": classes.ORPHAN_MARK,
        "personal": [item.name for item in (*kind.personal_fields, *_TRAINEE.personal_fields)],
    }
    connection.execute(query("reconcile/settled", **names), words)
    connection.execute(
        query(
            "reconcile/judged", **names, diff=query(f"diff/{kind.name}"), trainee=trainee,
            moved=query("reconcile/moved" if of_trainee else "reconcile/not_moved"),
            ours_since=sql.SQL("greatest(r.valid_from, t.valid_from)" if of_trainee else "r.valid_from"),
        ),
        words,
    )
    if kind.name in _HANGING:
        connection.execute(query("reconcile/orphans", **names), words)
    if kind.name == "attendance":
        connection.execute(query("reconcile/orphan_marks"), words)
    connection.execute(
        query("reconcile/fields", **names, trainee=trainee, pairs=sql.SQL(", ").join(pairs.values()),
              stands=_stands(kind, "r"))
    )
    connection.execute(query("reconcile/find_records"), words)
    connection.execute(query("reconcile/find_fields"), words)
    connection.execute(query("reconcile/find_dead", **names, counts=counts(kind.name, "m")), words)
    connection.execute(
        query(
            "reconcile/find_theirs", mirror=names["mirror"], described=sql.SQL(_DESCRIBED[kind.name]),
            counts=counts(kind.name, "m"),
        ),
        words,
    )
    differing: dict[str, int] = dict(connection.execute("SELECT name, count(*) FROM field_of GROUP BY name").fetchall())
    both = matched + _number(connection, sql.SQL("SELECT count(DISTINCT key) FROM field_of"))
    resolved = _number(
        connection, sql.SQL("SELECT count(*) FROM settled s WHERE EXISTS (SELECT FROM judged j WHERE j.key = s.key) "
                            "OR EXISTS (SELECT FROM odd o WHERE o.ssg_ref = s.key AND o.key IS NULL) "
                            "OR EXISTS (SELECT FROM odd o WHERE o.key = s.key AND NOT o.ours_live) "
                            "OR EXISTS (SELECT FROM twin w WHERE w.ssg_ref = s.key)")
    )
    return Compared(matched, {name: both - differing.get(name, 0) for name in pairs}, resolved)


def _stands(kind: RecordKind, table: str) -> sql.SQL:
    """Whether a record of ours (``table`` in the query) should be at SSG: a cancelled run's enrolments should not."""
    live = f"{table}.live"
    if kind.name == "enrolment":
        live += f" AND EXISTS (SELECT FROM register.course_run c WHERE c.key = {table}.run_code AND c.live)"
    return sql.SQL(live)


def _pairs(kind: RecordKind) -> dict[str, sql.Composed]:
    """The fields that SSG holds too: name, ours and theirs, as one row of VALUES each."""
    if kind.name == "attendance":
        return {"mark": sql.SQL("({}, 'Confirmed', coalesce(m.ssg_status, m.status_code))").format(sql.Literal("mark"))}
    pairs = {item.name: _pair(item.name, item.personal, "r") for item in kind.ssg_fields}
    if kind.name == "enrolment":
        pairs |= {item.name: _pair(item.name, item.personal, "t") for item in _TRAINEE.ssg_fields}
    return pairs


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


def _number(connection: Connection, statement: sql.SQL | sql.Composed) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
