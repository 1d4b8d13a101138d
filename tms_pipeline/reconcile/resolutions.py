"""Resolutions: what a person decides about a record on which our register and SSG differ.

``ours``: SSG's side was looked at and is to be overwritten by the next plan. ``theirs``: SSG's side stands until our
register changes. ``ignore``: not to be shown or sent until a day. Each is bound to both sides as they were looked at:
when SSG changes its side again the record is shown again, and still not sent.
A record that only SSG holds (missing here, duplicated there) is named by SSG's reference; that decision ends when SSG
changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

How = Literal["ours", "theirs", "ignore"]
_WORDS: dict[str, How] = {
    "ours": "ours", "ours wins": "ours", "theirs": "theirs", "theirs is right": "theirs", "ignore": "ignore",
    "ignore until": "ignore",
}
# SSG's side of what it holds no more (sql/reconcile/theirs.sql).
_GONE = b"\x00"


class CannotResolve(ValueError):
    """There is nothing to decide, or not so; the message is one sentence."""


@dataclass(frozen=True)
class Resolution:
    """One decision."""

    resolution_id: int
    kind: str
    key: str
    how: How
    until: date | None
    reason: str
    made_by: str


@needs("resolve")
def resolve(
    workplace: Workplace, kind: str, key: str, how: str, *, reason: str, actor: Actor, until: date | None = None
) -> Resolution:
    """Decide about one record, audited. Raises CannotResolve when the record, the word or the day makes no sense."""
    word = _WORDS.get(how.strip().lower())
    if word is None:
        raise CannotResolve(f"'{how}' is no resolution; say ours, theirs or ignore.")
    if kind not in {item.name for item in SUBMITTED}:
        raise CannotResolve(f"'{kind}' is never submitted, so there is nothing to resolve.")
    if not reason.strip():
        raise CannotResolve("A resolution needs a reason.")
    if (word == "ignore") != (until is not None):
        raise CannotResolve("'ignore' needs a day until which it holds, and only 'ignore' has one.")
    if until is not None and until < workplace.today():
        raise CannotResolve(f"{until} is over already.")
    names = {"register": f"register.{kind}", "mirror": f"mirror.{kind}"}
    with workplace.db.transaction() as connection:
        ours = connection.execute(query("reconcile/ours", **names), {"key": key}).fetchone()
        theirs = connection.execute(query("reconcile/theirs", **names), {"key": key}).fetchall()
        if ours is None:
            ours, theirs = _only_there(connection, kind, key, word)
        connection.execute(
            "UPDATE outbox.resolution SET ended_at = now() WHERE kind = %s AND key = %s AND ended_at IS NULL",
            (kind, key),
        )
        if word == "ours":
            # What SSG holds now was looked at: from here on it is an ordinary difference. Had it changed again by the
            # time of the plan, it would be somebody else's change again.
            connection.execute(query("reconcile/ours_wins", **names), {"key": key})
        else:
            connection.execute(
                query("outbox/decided"), {"kind": kind, "key": key, "reason": f"decided by {actor.name}: {word}"}
            )
        row = connection.execute(
            "INSERT INTO outbox.resolution (kind, key, how, until, reason, made_by, register_hash, register_live, "
            "their_hash, ended_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, CASE WHEN %s THEN now() END) "
            "RETURNING resolution_id",
            (kind, key, word, until, reason, actor.name, ours[0], ours[1], theirs[0][1] if theirs else _GONE,
             word == "ours"),
        ).fetchone()
        append(connection, workplace.rings.audit.key, actor, "discrepancy resolved", kind, key, how=word, reason=reason,
               until=until.isoformat() if until else None, ssg_refs=[ref for ref, _ in theirs])
    if row is None:
        raise RuntimeError("a resolution was not kept")
    return Resolution(row[0], kind, key, word, until, reason, actor.name)


def _only_there(
    connection: Connection, kind: str, reference: str, how: How
) -> tuple[tuple[None, bool], list[tuple[Any, ...]]]:
    """A record that only SSG holds, by SSG's reference: it can be left there, as nothing of ours can be sent."""
    theirs = connection.execute(
        query("reconcile/theirs_by_reference", mirror=f"mirror.{kind}"), {"reference": reference}
    ).fetchall()
    if not theirs:
        raise CannotResolve(
            f"Neither our register nor SSG's side holds the {kind.replace('_', ' ')} {reference}; "
            "give our key or SSG's reference as the reports show it."
        )
    if how == "ours":
        raise CannotResolve(
            f"Only SSG holds {reference}, so there is nothing of ours to send; cancel it on TPGateway, add the row, or "
            "resolve it with theirs or ignore."
        )
    return (None, False), theirs


def withdraw(workplace: Workplace, kind: str, key: str, *, actor: Actor) -> bool:
    """Take a decision back: the discrepancy shows again. False if there is none."""
    with workplace.db.transaction() as connection:
        ended = connection.execute(
            "UPDATE outbox.resolution SET ended_at = now() WHERE kind = %s AND key = %s AND ended_at IS NULL",
            (kind, key),
        ).rowcount
        if ended:
            append(connection, workplace.rings.audit.key, actor, "resolution withdrawn", kind, key)
    return ended > 0


def resolutions(workplace: Workplace) -> list[Resolution]:
    """The decisions that hold now."""
    rows = workplace.db.rows(
        "SELECT resolution_id, kind, key, how, until, reason, made_by FROM outbox.resolution "
        "WHERE ended_at IS NULL AND (until IS NULL OR until >= %s) ORDER BY resolution_id", (workplace.today(),)
    )
    return [
        Resolution(number, kind, key, cast(How, how), until, reason, made_by)
        for number, kind, key, how, until, reason, made_by in rows
    ]
