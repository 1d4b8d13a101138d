"""Outcomes: intents before the call and outcomes after it, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import merge_one, row_of
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.ours import CANCELLED_WORDS, as_seen
from tms_pipeline.submission.record import OpenRecord
from tms_pipeline.submission.sending import Sent
from tms_pipeline.submission.statements import statement
from tms_pipeline.submission.states import DEAD_LETTER, State
from tms_pipeline.submission.verdict import Verdict
from tms_pipeline.workplace import Workplace

# Adopting takes turns: two identical records must not adopt one and the same of SSG's.
_ADOPT_LOCK = 7_310_006
GONE = b"\x00"


class LeaseLost(Exception):
    """The lease or the approval ran out before anything was sent."""


class Outcomes:
    """Writes what happened to a submission."""

    def __init__(self, workplace: Workplace, marker: Marker, owner: str, actor: Actor) -> None:
        """For one worker."""
        self.workplace, self.marker, self.owner, self.actor = workplace, marker, owner, actor

    def intent(self, connection: Connection, item: Claimed) -> int:
        """Mark it as being sent; returns the attempt's id. Raises LeaseLost."""
        row = connection.execute(statement("outbox/intent"), {"id": item.submission_id, "owner": self.owner}).fetchone()
        if row is None:
            raise LeaseLost
        return int(row[0])

    def search_begins(self, item: Claimed) -> int:
        """Note a search before it is made."""
        with self.workplace.db.transaction() as connection:
            connection.execute(
                "UPDATE outbox.submission SET searches = searches + 1 WHERE submission_id = %s AND lease_owner = %s",
                (item.submission_id, self.owner),
            )
            row = connection.execute(
                "INSERT INTO outbox.attempt (submission_id, number, step, correlation_id) "
                "VALUES (%s, %s, 'search', %s) RETURNING attempt_id",
                (item.submission_id, item.attempts, item.correlation_id),
            ).fetchone()
        if row is None:
            raise RuntimeError("an attempt was not kept")
        return int(row[0])

    def set_aside(self, connection: Connection, item: Claimed, reason: str) -> None:
        """Nothing was sent, and nothing will be: the plan is out of date for this record."""
        connection.execute(
            statement("outbox/set_aside"), {"id": item.submission_id, "owner": self.owner, "reason": reason}
        )

    def accepted(self, item: Claimed, attempt: int, record: OpenRecord, sent: Sent, *, how: str = "accepted") -> None:
        """SSG did it: the mirror holds what we sent, and both sides agree."""
        now = datetime.now(UTC)
        reference = sent.reference or ""
        # A pipeline: the statements go out together, and the commit fails if one of them did.
        with self.workplace.db.transaction() as connection, connection.pipeline():
            if item.action == "cancel":
                self._taken_back(connection, item, record, reference)
            else:
                seen = as_seen(record, reference, new=item.action == "create", created_on=sent.created_on or now,
                               updated_on=sent.updated_on or now)
                for one in seen:
                    self._mirror(connection, one, item.key, agreed=True, claim_created=item.action == "create")
            verdict = Verdict(state=State.ACCEPTED, reason=how)
            self._settle(connection, item, attempt, verdict, ssg_ref=reference or None)

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
            for one in found:
                agreed = same if one.kind == item.kind else row_of(self.marker, one)["ssg_hash"] == ours.get(one.kind)
                self._mirror(connection, one, item.key, agreed=agreed, claim_created=True)
            self._settle(connection, item, attempt, Verdict(state=State.ACCEPTED, reason=how), ssg_ref=found[0].ssg_ref)
        return True

    def _mirror(self, connection: Connection, seen: Seen, key: str, *, agreed: bool, claim_created: bool) -> None:
        row = {**row_of(self.marker, seen), "key": key}
        row["agreed_hash"], row["agreed_key"] = (row["ssg_hash"], key) if agreed else (None, None)
        if not claim_created or row["created_on"] is None:
            row.pop("created_on", None)  # only SSG knows when it was made; an update of ours must not claim it
        merge_one(connection, seen.kind, row, how="write")
        if claim_created:
            connection.execute(
                statement("outbox/forget_agreement", mirror=f"mirror.{seen.kind}"), {"key": key, "ref": row["ssg_ref"]}
            )

    def _taken_back(self, connection: Connection, item: Claimed, record: OpenRecord, reference: str) -> None:
        reference = record.their_ref or item.ssg_ref or reference
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

    def settle(self, item: Claimed, attempt: int, verdict: Verdict, error: SsgError | None = None) -> None:
        """Any other outcome."""
        with self.workplace.db.transaction() as connection:
            self._settle(connection, item, attempt, verdict, error)

    def _settle(
        self, connection: Connection, item: Claimed, attempt: int, verdict: Verdict, error: SsgError | None = None,
        *, ssg_ref: str | None = None,
    ) -> None:
        connection.execute(
            statement("outbox/outcome"),
            {
                "id": item.submission_id, "owner": self.owner, "attempt": attempt, "state": verdict.state,
                "sent": verdict.sent, "http_status": error.http_status if error else None,
                "wait": verdict.wait, "reason": verdict.reason, "ssg_ref": ssg_ref, "unburn": verdict.unburn,
                "error_class": error.error_class.value if error else None, "error_code": error.code if error else None,
                "sentence": error.sentence if error else None, "remedy": error.remedy if error else None,
            },
        )
        if verdict.state in DEAD_LETTER:
            append(connection, self.workplace.rings.audit.key, self.actor, "dead letter", "submission",
                   str(item.submission_id), kind=item.kind, record=item.key,
                   code=error.code if error else verdict.reason)
        crashpoint("before_outcome_commit", item.call)

    def after_bug(self, item: Claimed, name: str, max_attempts: int, first: float) -> State:
        """Something of ours broke while this was in hand."""
        with self.workplace.db.transaction() as connection:
            row = connection.execute(
                query("outbox/after_bug"),
                {"id": item.submission_id, "owner": self.owner, "name": name, "max_attempts": max_attempts,
                 "first": first},
            ).fetchone()
            state = State(row[0]) if row else State.UNKNOWN
            if state is State.DEAD:
                append(connection, self.workplace.rings.audit.key, self.actor, "dead letter", "submission",
                       str(item.submission_id), kind=item.kind, record=item.key,
                       code="OUR_FAULT")
        return state
