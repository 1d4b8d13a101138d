"""Outcomes: intents before the call and outcomes after it, each in a transaction of its own."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import structlog
from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import mirror_columns, row_of, updates
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store import journal
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import columns, query
from tms_pipeline.submission.beginning import begin
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.clerk import Clerk, Errand
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.ours import CANCELLED_WORDS, as_seen
from tms_pipeline.submission.record import OpenRecord
from tms_pipeline.submission.sending import Sent
from tms_pipeline.submission.statements import BY_INDEX, statement
from tms_pipeline.submission.states import DEAD_LETTER, SENT_AGAIN, State
from tms_pipeline.submission.stopped import keep_stopped
from tms_pipeline.submission.verdict import Pace, Verdict
from tms_pipeline.workplace import Workplace

log = structlog.get_logger("tms.submission")
# Adopting takes turns: two identical records must not adopt one and the same of SSG's.
_ADOPT_LOCK = 7_310_006
GONE = b"\x00"


@dataclass
class Outcome:
    """What came of a call or a search, and what the mirror holds by it."""

    item: Claimed
    attempt: int
    verdict: Verdict
    error: SsgError | None = None
    ssg_ref: str | None = None
    written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    taken_back: str | None = None
    adopted: bool = False
    # Not news: begun, and given back without a try.
    news: bool = True

    def columns(self) -> dict[str, Any]:
        """What the submission and its attempt keep of it."""
        verdict, error = self.verdict, self.error
        return {
            "id": self.item.submission_id, "attempt": self.attempt, "state": verdict.state, "sent": verdict.sent,
            "unburn": verdict.unburn, "wait": verdict.wait, "reason": verdict.reason, "ssg_ref": self.ssg_ref,
            "http_status": error.http_status if error else None,
            "error_class": error.error_class.value if error else None, "error_code": error.code if error else None,
            "sentence": error.sentence if error else None, "remedy": error.remedy if error else None,
        }  # fmt: skip


class Outcomes:
    """Writes what happens to submissions, in groups."""

    def __init__(
        self, workplace: Workplace, marker: Marker, owner: str, actor: Actor, pace: Pace
    ) -> None:
        """For one worker."""
        self.workplace, self.marker, self.owner, self.actor = workplace, marker, owner, actor
        self.pace = pace
        self.clerk = Clerk(workplace.db, self._group)

    def _group(self, connection: Connection, errands: Sequence[Errand]) -> None:
        """One group of the clerk: outcomes first, because what they settle may be a parent of what begins."""
        ends = [errand for errand in errands if isinstance(errand.what, Outcome)]
        begins = [errand for errand in errands if isinstance(errand.what, Claimed)]
        items = [errand.what for errand in begins]
        with connection.pipeline():
            connection.execute(BY_INDEX)
            if ends:
                self.write(connection, [errand.what for errand in ends])
            results = begin(connection, self.workplace, self.owner, items) if begins else []
            connection.commit()
        for errand, result in zip(begins, results, strict=True):
            if isinstance(result, Exception):
                errand.error = result
            else:
                errand.result = result

    def search_begins(self, item: Claimed) -> tuple[int, int]:
        """Note a search before it is made; returns its attempt, and how many searches since the last call were
        answered before."""
        with self.workplace.db.transaction() as connection:
            row = connection.execute(
                statement("outbox/search_begins"),
                {"id": item.submission_id, "owner": self.owner, "number": item.attempts,
                 "correlation_id": item.correlation_id},
            ).fetchone()
        if row is None:
            raise RuntimeError("an attempt was not kept")
        return int(row[0]), int(row[1])

    def accepted(
        self, item: Claimed, attempt: int, record: OpenRecord, sent: Sent, *, how: str = "accepted"
    ) -> Outcome:
        """SSG did it: the mirror holds what we sent, and both sides agree."""
        now = datetime.now(UTC)
        reference = sent.reference or ""
        done = Outcome(item, attempt, Verdict(state=State.ACCEPTED, reason=how), ssg_ref=reference or None)
        if item.action == "cancel":
            done.taken_back = record.their_ref or item.ssg_ref or reference
        else:
            new = item.action == "create"
            seen = as_seen(record, reference, new=new, created_on=sent.created_on or now,
                           updated_on=sent.updated_on or now)
            done.written = [(one.kind, self._row(one, item.key, agreed=True, claim_created=new)) for one in seen]
        return done

    def adopted(
        self, item: Claimed, attempt: int, record: OpenRecord, found: Iterable[Seen], *, same: bool,
        how: str = "found at SSG and adopted",
    ) -> bool:
        """SSG has it: keep what it holds. False if another record of ours was faster to adopt this very one."""
        found = list(found)
        with self.workplace.db.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADOPT_LOCK,))
            taken = connection.execute(
                statement("outbox/bound", mirror=f"mirror.{item.kind}"),
                {"refs": [row_of(self.marker, found[0])["ssg_ref"]], "key": item.key},
            ).fetchall()
            if taken:
                return False
            ours = {one.kind: row_of(self.marker, one)["ssg_hash"] for one in
                    as_seen(record, found[0].ssg_ref, new=True, created_on=None, updated_on=None)}
            rows: list[tuple[str, dict[str, Any]]] = []
            for one in found:
                theirs = row_of(self.marker, one)["ssg_hash"]
                # What we sent was agreed on, also where our register has moved on since: then that is a change of ours.
                sent = same or self.as_sent(item, found)
                agreed = sent if one.kind == item.kind else theirs == ours.get(one.kind)
                rows.append((one.kind, self._row(one, item.key, agreed=agreed, claim_created=True)))
            verdict = Verdict(state=State.ACCEPTED, reason=how)
            ours_now = Outcome(item, attempt, verdict, ssg_ref=found[0].ssg_ref, written=rows, adopted=True)
            self.write(connection, [ours_now])
        return True

    def as_sent(self, item: Claimed, found: Sequence[Seen]) -> bool:
        """Whether SSG holds what this submission would have made, whatever our register holds by now."""
        theirs = bytes(row_of(self.marker, found[0])["ssg_hash"])
        return _as_sent(item, theirs, found) == bytes(item.content_hash)

    def _row(self, seen: Seen, key: str, *, agreed: bool, claim_created: bool) -> dict[str, Any]:
        row = {**row_of(self.marker, seen), "key": key}
        row["agreed_hash"], row["agreed_key"] = (row["ssg_hash"], key) if agreed else (None, None)
        if not claim_created or row["created_on"] is None:
            row.pop("created_on", None)  # only SSG knows when it was made; an update of ours must not claim it
        return row

    def write(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes of any sort; the caller commits."""
        rows: dict[tuple[str, tuple[str, ...], bool], list[dict[str, Any]]] = {}
        for done in outcomes:
            if done.taken_back is not None:
                _taken_back(connection, done.item, done.taken_back)
            for kind, row in done.written:
                names = tuple(name for name in mirror_columns(connection, kind) if name in row)
                rows.setdefault((kind, names, done.adopted or done.item.action == "create"), []).append(row)
        for (kind, names, made), written in rows.items():
            text = json.dumps([{name: row[name] for name in (*names, "key")} for row in written], default=_in_json)
            connection.execute(_mirror_written(kind, names), {"rows": text, "made": made}, prepare=True)
        told = {
            "outcomes": json.dumps([done.columns() for done in outcomes]), "owner": self.owner,
            "ids": [done.item.submission_id for done in outcomes], "attempts": [done.attempt for done in outcomes],
        }  # fmt: skip
        connection.execute(statement("outbox/outcome"), told, prepare=True)
        again = [(done.item.kind, done.item.submission_id) for done in outcomes if done.verdict.state in SENT_AGAIN]
        keep_stopped(connection, again, today=self.workplace.today())
        for done in outcomes:
            if done.verdict.state in DEAD_LETTER:
                item, error = done.item, done.error
                append(connection, self.workplace.rings.audit.key, self.actor, "dead letter", "submission",
                       str(item.submission_id), kind=item.kind, record=item.key,
                       code=error.code if error else done.verdict.reason)
            if done.news:
                _journal(connection, done)
            crashpoint("before_outcome_commit", done.item.call)

    def after_bug(self, item: Claimed, error: Exception) -> State:
        """Something of ours broke while this was in hand: where, we cannot know, so it is unknown if it was begun."""
        # The type is named; the text may hold a value.
        name = type(error).__name__
        log.error("submission failed", submission=item.submission_id, kind=item.kind, error=name)
        with self.workplace.db.transaction() as connection:
            row = connection.execute(
                query("outbox/after_bug"),
                {"id": item.submission_id, "owner": self.owner, "name": name, "max_attempts": self.pace.max_attempts,
                 "first": self.pace.first},
            ).fetchone()
            state = State(row[0]) if row else State.UNKNOWN
            if state is State.DEAD:
                append(connection, self.workplace.rings.audit.key, self.actor, "dead letter", "submission",
                       str(item.submission_id), kind=item.kind, record=item.key,
                       code="OUR_FAULT")
        return state


def _journal(connection: Connection, done: Outcome) -> None:
    """One line for the outcome: from the upload to SSG's reference."""
    item, state = done.item, done.verdict.state
    level = logging.INFO if state in (State.ACCEPTED, State.SUPERSEDED, State.READY) else logging.WARNING
    journal.note(
        connection, f"submission {state}", level=logging.ERROR if state in DEAD_LETTER else level,
        correlation_id=item.correlation_id, upload_id=item.upload_id, submission=item.submission_id, kind=item.kind,
        action=item.action, attempt=done.attempt, ssg_ref=done.ssg_ref or item.ssg_ref,
        code=done.error.code if done.error else None,
    )  # fmt: skip


def _taken_back(connection: Connection, item: Claimed, reference: str) -> None:
    places = [(item.kind, sql.SQL("ssg_ref = %(ref)s"))]
    if item.kind == "enrolment":
        places.append(("fee", sql.SQL("ssg_ref = %(ref)s")))
    if item.kind == "course_run":
        places.append(("session", sql.SQL("ssg_run_id = %(ref)s AND live")))  # they go with it (ssg-api 4.3)
    for kind, where in places:
        connection.execute(
            query("outbox/taken_back", mirror=f"mirror.{kind}", where=where),
            {"ref": reference, "key": item.key if kind == item.kind else None, "status": CANCELLED_WORDS[kind]},
        )


@cache
def _mirror_written(kind: str, names: tuple[str, ...]) -> bytes:
    return query(
        "outbox/mirror_written", mirror=f"mirror.{kind}", columns=columns(names), updates=updates(names)
    ).as_bytes()


def _in_json(value: Any) -> str:
    """What JSON has no word for, as Postgres reads it."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _as_sent(item: Claimed, theirs: bytes, found: Sequence[Seen]) -> bytes:
    """The content hash of a submission that would have made what SSG holds (sql/diff): a new enrolment carries the fee
    status with it."""
    if (item.kind, item.action) != ("enrolment", "create"):
        return theirs
    status = next((one.values.get("collection_status") for one in found if one.kind == "fee"), None)
    return hashlib.sha256(theirs + (status or "Pending Payment").encode()).digest()
