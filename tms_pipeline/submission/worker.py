"""Workers: claim what is due, commit the intent, call SSG, commit the outcome.

The intent is committed before the call and the outcome after it, in transactions of their own. Between them lies
the unknown, which is left only by a search.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.marks import Marker
from tms_pipeline.mirror.rows import merge_one, row_of
from tms_pipeline.records.wire_in import Seen
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.ssg.trainer import RunTrainer
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.backoff import FIRST_SECONDS, delay
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.looking import look, same_content
from tms_pipeline.submission.ours import as_seen
from tms_pipeline.submission.record import OpenRecord, load, load_trainers
from tms_pipeline.submission.sending import ENDPOINTS, send
from tms_pipeline.submission.states import State
from tms_pipeline.workplace import Workplace

log = structlog.get_logger("tms.submission")

BATCH = 8
# Nothing was sent: the submission goes back as it was, and no attempt is burnt.
_NOT_SENT = frozenset({"SSG-KILL-SWITCH", "SSG-BREAKER-OPEN"})
_STOP_THE_BATCH = frozenset({ErrorClass.CREDENTIALS, ErrorClass.CONFIGURATION})


@dataclass(frozen=True)
class Claimed:
    """A submission under our lease."""

    submission_id: int
    kind: str
    key: str
    action: str
    state: str
    content_hash: bytes
    correlation_id: str
    ssg_ref: str | None
    attempts: int
    created_at: datetime
    last_sent_at: datetime | None


@dataclass
class WorkResult:
    """What a run of the workers did."""

    outcomes: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    def __str__(self) -> str:
        words = ", ".join(f"{count} {state}" for state, count in sorted(self.outcomes.items())) or "nothing to do"
        return f"{words}{'; stopped: ' + self.stopped if self.stopped else ''}"


class Worker:
    """The workers of one process: some threads on one client."""

    def __init__(
        self,
        workplace: Workplace,
        client: SsgClient,
        *,
        actor: Actor,
        threads: int | None = None,
        progress: Callable[[Counter[str]], None] = lambda _: None,
        seed: int | None = None,
    ) -> None:
        """Nothing is claimed before ``run``."""
        self.workplace, self.client, self.actor = workplace, client, actor
        self.marker = Marker(workplace.rings.index.key)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.threads = threads or workplace.settings.ssg_concurrency
        self.result = WorkResult()
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._chance = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        local = workplace.settings.ssg_env == "simulator"
        # A call that timed out may still be at work in SSG; a search that comes too early finds nothing.
        self._settle = 0.2 if local else 60.0
        self._first = 0.2 if local else FIRST_SECONDS

    def stop(self, reason: str) -> None:
        """Finish the calls in hand and claim no more."""
        self.result.stopped = self.result.stopped or reason
        self._stop.set()

    def run(self, *, patience: float = 5.0) -> WorkResult:
        """Work until nothing is due within ``patience`` seconds, or until stopped. Rescues stalled leases first."""
        self.rescue()
        with ThreadPoolExecutor(self.threads, thread_name_prefix="submission") as pool:
            for future in [pool.submit(self._work, patience) for _ in range(self.threads)]:
                future.result()
        return self.result

    def rescue(self) -> int:
        """Free the leases of workers that died: those that ran out, and those of dead processes of this host."""
        host = socket.gethostname()
        rescued = 0
        with self.workplace.db.transaction() as connection:
            owners = connection.execute(
                "SELECT DISTINCT lease_owner FROM outbox.submission WHERE lease_owner IS NOT NULL"
            ).fetchall()
            gone = [owner for (owner,) in owners if owner.startswith(f"{host}:") and not _alive(int(owner.split(":")[1]))]
            for owner in [*gone, ""]:
                rescued += connection.execute(query("outbox/rescue"), {"gone": owner}).rowcount
        return rescued

    def _work(self, patience: float) -> None:
        idle_until = time.monotonic() + patience
        while not self._stop.is_set():
            claimed = self._claim()
            if claimed:
                crashpoint("after_claim")
                for number, item in enumerate(claimed):
                    if self._stop.is_set():
                        self._give_back(claimed[number:])
                        return
                    self._one(item)
                    crashpoint("after_outcome")
                idle_until = time.monotonic() + patience
                continue
            with self.workplace.db.transaction() as connection:
                due, leased = connection.execute(query("outbox/next_due")).fetchone() or (None, 0)
            wait = (due - datetime.now(UTC)).total_seconds() if due else None
            if not leased and (wait is None or time.monotonic() + max(wait, 0) > idle_until):
                return
            self._stop.wait(min(max(wait or 0.05, 0.02), 0.25))

    def _claim(self) -> list[Claimed]:
        lease = timedelta(seconds=self.workplace.settings.lease_seconds)
        with self.workplace.db.transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(7310005)")
            rows = connection.execute(
                query("outbox/claim"), {"limit": BATCH, "owner": self.owner, "lease": lease}
            ).fetchall()
        rows.sort(key=lambda row: (row[11], row[12] or datetime.max.date(), row[0]))
        return [
            Claimed(row[0], row[1], row[2], row[3], row[4], bytes(row[5]), row[6], row[7], row[8], row[9], row[10])
            for row in rows
        ]

    def _give_back(self, items: list[Claimed]) -> None:
        with self.workplace.db.transaction() as connection:
            connection.execute(
                "UPDATE outbox.submission SET lease_owner = NULL, lease_until = NULL "
                "WHERE submission_id = ANY(%s) AND lease_owner = %s",
                ([item.submission_id for item in items], self.owner),
            )

    def _one(self, item: Claimed) -> None:
        """One poison submission never stops the others: whatever happens here ends in a state of its own."""
        try:
            if item.state == State.UNKNOWN:
                self._search(item)
            else:
                self._send(item)
        except Exception as error:
            # Where it broke we cannot know, so it is unknown; the type is named, the text may hold a value.
            log.error("submission failed", submission=item.submission_id, kind=item.kind, error=type(error).__name__)
            self._release_after_bug(item, type(error).__name__)

    def _send(self, item: Claimed) -> None:
        attempt = self._intent(item)
        crashpoint("after_intent")
        with self.workplace.db.transaction() as connection:
            record = load(connection, self.workplace.rings, item.kind, item.key)
            trainers = self._their_trainers(connection, item, record)
        if record is None or record.content_hash(item.action) != item.content_hash:
            self._outcome(item, attempt, State.SUPERSEDED, reason="the record changed after the plan was made",
                          sent=False)
            return
        try:
            sent = send(self.client, record, item.action, item.correlation_id, trainers=trainers)
        except SsgError as error:
            self._failed(item, attempt, record, error)
            return
        crashpoint("after_call")
        reference = sent.reference
        if reference is None:
            # SSG names no id for a new session or trainer: it did it, and a look tells the id.
            try:
                seen = look(self.client, self.marker, record, item.action, self._bound(item))
            except SsgError as error:
                self._outcome(item, attempt, State.UNKNOWN, error=error, sent=True, wait=self._settle)
                return
            if seen is None:
                self._outcome(item, attempt, State.UNKNOWN, sent=True, wait=max(self._settle, 1.0))
                return
            reference = seen.ssg_ref
        self._accepted(item, attempt, record, reference, created_on=sent.created_on, updated_on=sent.updated_on)

    def _their_trainers(
        self, connection: Connection, item: Claimed, record: OpenRecord | None
    ) -> list[RunTrainer]:
        """The trainers that the mirror shows on the run of a session, to be resent with its edit."""
        if record is None or item.kind != "session":
            return []
        row = connection.execute(
            "SELECT trainer_codes FROM mirror.course_run WHERE ssg_ref = %s", (str(record.run_id),)
        ).fetchone()
        codes = row[0].split(";") if row and row[0] else []
        found = load_trainers(connection, self.workplace.rings, codes) if codes else []
        return [RunTrainer(id_number=values["trainer_nric"] or "") for values in found]

    def _search(self, item: Claimed) -> None:
        """Look before anything else; adopt what is there, send again only if a successful look found nothing."""
        attempt = self._attempt(item, "search", item.attempts)
        with self.workplace.db.transaction() as connection:
            record = load(connection, self.workplace.rings, item.kind, item.key)
        if record is None:
            self._outcome(item, attempt, State.DEAD, reason="the record is gone from the register", sent=True)
            return
        try:
            seen = look(self.client, self.marker, record, item.action, self._bound(item))
        except SsgError as error:
            self._still_unknown(item, attempt, error)
            return
        crashpoint("after_search")
        if self._is_done(item, record, seen):
            reference = seen.ssg_ref if seen is not None else item.ssg_ref or ""
            if item.action != "cancel" and seen is not None:
                self._adopted(item, attempt, record, seen)
            else:
                self._accepted(item, attempt, record, reference, created_on=None, updated_on=None, how="adopted")
            return
        visible = timedelta(minutes=self.workplace.settings.visibility_minutes)
        if item.action == "create" and item.last_sent_at and datetime.now(UTC) < item.last_sent_at + visible:
            # Not found yet is not "not there" (ssg-api 4.1: up to 15 minutes).
            self._outcome(item, attempt, State.UNKNOWN, sent=True, wait=60.0)
            return
        self._outcome(item, attempt, State.READY, reason="a search found nothing", sent=False, wait=0.0)

    def _is_done(self, item: Claimed, record: OpenRecord, seen: Seen | None) -> bool:
        if item.action == "cancel":
            return seen is None or not seen.live
        if seen is None or not seen.live:
            return False
        if item.action == "create" and item.kind not in ("attendance", "fee"):
            return True
        return same_content(self.marker, record, seen)

    def _bound(self, item: Claimed) -> Callable[[str, Any], set[str]]:
        def bound(kind: str, references: Any) -> set[str]:
            with self.workplace.db.transaction() as connection:
                return {
                    row[0]
                    for row in connection.execute(
                        query("outbox/bound", mirror=f"mirror.{kind}"), {"refs": list(references), "key": item.key}
                    )
                }

        return bound

    # ---- intents and outcomes, each in a transaction of its own ----

    def _intent(self, item: Claimed) -> int:
        with self.workplace.db.transaction() as connection:
            moved = connection.execute(query("outbox/intent"), {"id": item.submission_id, "owner": self.owner}).fetchone()
            if moved is None:
                raise RuntimeError("the lease was lost")
            return self._attempt_row(connection, item, "send", moved[0])

    def _attempt(self, item: Claimed, step: str, number: int) -> int:
        with self.workplace.db.transaction() as connection:
            return self._attempt_row(connection, item, step, number)

    def _attempt_row(self, connection: Connection, item: Claimed, step: str, number: int) -> int:
        row = connection.execute(
            "INSERT INTO outbox.attempt (submission_id, number, step, correlation_id) VALUES (%s, %s, %s, %s) "
            "RETURNING attempt_id",
            (item.submission_id, number, step, item.correlation_id),
        ).fetchone()
        if row is None:
            raise RuntimeError("an attempt was not kept")
        return int(row[0])

    def _accepted(
        self, item: Claimed, attempt: int, record: OpenRecord, reference: str, *,
        created_on: datetime | None, updated_on: datetime | None, how: str = "accepted",
    ) -> None:
        now = datetime.now(UTC)
        seen = as_seen(record, reference, live=item.action != "cancel", created_on=created_on or now,
                       updated_on=updated_on or now)
        with self.workplace.db.transaction() as connection:
            for one, key in seen:
                self._mirror(connection, one, key, now, new=item.action == "create")
            self._settle_outcome(connection, item, attempt, State.ACCEPTED, sent=False, ssg_ref=reference, reason=how)
        self._count(State.ACCEPTED if how == "accepted" else State.ACCEPTED)

    def _adopted(self, item: Claimed, attempt: int, record: OpenRecord, seen: Seen) -> None:
        """SSG has it: keep what it holds, which the next plan compares with ours."""
        now = datetime.now(UTC)
        with self.workplace.db.transaction() as connection:
            self._mirror(connection, seen, item.key, now, new=False)
            if seen.kind == "enrolment":
                fee = as_seen(record, seen.ssg_ref, live=True, created_on=now, updated_on=now)[1][0]
                self._mirror(connection, fee, item.key, now, new=True)
            self._settle_outcome(connection, item, attempt, State.ACCEPTED, sent=False, ssg_ref=seen.ssg_ref,
                                 reason="found at SSG and adopted")
        self._count(State.ACCEPTED)

    def _mirror(self, connection: Connection, seen: Seen, key: str, now: datetime, *, new: bool) -> None:
        row = {**row_of(self.marker, seen), "key": key}
        if not new:
            row.pop("created_on", None)  # only SSG knows when it was made; a write of ours must not claim it
        merge_one(connection, seen.kind, row, how="write", seen_at=now)
        if seen.kind == "course_run" and not seen.live:
            # SSG deletes all sessions with their run (ssg-api 4.3).
            connection.execute(
                "UPDATE mirror.session SET live = false, ssg_status = 'deleted', seen_at = %s WHERE ssg_run_id = %s",
                (now, seen.ssg_ref),
            )

    def _failed(self, item: Claimed, attempt: int, record: OpenRecord, error: SsgError) -> None:
        settings = self.workplace.settings
        if error.code in _NOT_SENT:
            # No attempt is burnt: nothing left this machine.
            self._outcome(item, attempt, State.READY, error=error, sent=False, wait=1.0, unburn=True)
            self.stop(error.sentence)
            return
        if error.error_class is ErrorClass.ALREADY_DONE:
            if item.action == "create":
                self._outcome(item, attempt, State.UNKNOWN, error=error, sent=True, wait=self._settle)
            else:
                self._accepted(item, attempt, record, item.ssg_ref or record.their_ref or "", created_on=None,
                               updated_on=None, how="already so at SSG")
            return
        if error.error_class is ErrorClass.UNKNOWN:
            self._outcome(item, attempt, State.UNKNOWN, error=error, sent=True, wait=self._settle)
            return
        if error.error_class is ErrorClass.PERMANENT:
            self._outcome(item, attempt, State.REJECTED, error=error, sent=False)
            return
        if error.error_class in _STOP_THE_BATCH:
            # The next call would fail the same way: stop, and leave this one as it was.
            self._outcome(item, attempt, State.READY, error=error, sent=False, wait=60.0, unburn=True)
            self.stop(error.sentence)
            return
        age = datetime.now(UTC) - item.created_at
        if item.attempts + 1 >= settings.max_attempts or age > timedelta(hours=settings.max_age_hours):
            self._outcome(item, attempt, State.DEAD, error=error, sent=False)
            return
        wait = delay(item.attempts + 1, error.retry_after_seconds, first=self._first, chance=self._chance)
        self._outcome(item, attempt, State.RETRY, error=error, sent=False, wait=wait)

    def _still_unknown(self, item: Claimed, attempt: int, error: SsgError) -> None:
        age = datetime.now(UTC) - (item.last_sent_at or item.created_at)
        if age > timedelta(hours=self.workplace.settings.max_age_hours):
            self._outcome(item, attempt, State.DEAD, error=error, sent=True)
            return
        wait = delay(item.attempts + 1, error.retry_after_seconds, first=self._first, chance=self._chance)
        self._outcome(item, attempt, State.UNKNOWN, error=error, sent=True, wait=max(wait, self._settle))
        if error.code in _NOT_SENT or error.error_class in _STOP_THE_BATCH:
            self.stop(error.sentence)

    def _outcome(
        self, item: Claimed, attempt: int, state: State, *, error: SsgError | None = None, sent: bool,
        wait: float = 0.0, reason: str = "", unburn: bool = False,
    ) -> None:
        with self.workplace.db.transaction() as connection:
            self._settle_outcome(connection, item, attempt, state, error=error, sent=sent, wait=wait, reason=reason,
                                 unburn=unburn)
        self._count(state)

    def _settle_outcome(
        self, connection: Connection, item: Claimed, attempt: int, state: State, *, error: SsgError | None = None,
        sent: bool, wait: float = 0.0, reason: str = "", ssg_ref: str | None = None, unburn: bool = False,
    ) -> None:
        connection.execute(
            query("outbox/outcome"),
            {
                "id": item.submission_id, "owner": self.owner, "state": state, "sent": sent, "wait": wait,
                "reason": reason, "ssg_ref": ssg_ref, "unburn": unburn,
                "error_class": error.error_class.value if error else None, "error_code": error.code if error else None,
                "sentence": error.sentence if error else None, "remedy": error.remedy if error else None,
            },
        )
        connection.execute(
            "UPDATE outbox.attempt SET finished_at = clock_timestamp(), outcome = %s, http_status = %s, error_class = %s, "
            "error_code = %s, seconds = extract(epoch FROM clock_timestamp() - started_at) WHERE attempt_id = %s",
            (state, error.http_status if error else None, error.error_class.value if error else None,
             error.code if error else None, attempt),
        )
        if state in (State.REJECTED, State.DEAD):
            append(connection, self.workplace.rings.audit.key, self.actor, "dead letter", "submission",
                   str(item.submission_id), kind=item.kind, key=item.key, code=error.code if error else reason)
        crashpoint("before_outcome_commit")

    def _release_after_bug(self, item: Claimed, name: str) -> None:
        with self.workplace.db.transaction() as connection:
            connection.execute(
                query("outbox/after_bug"),
                {"id": item.submission_id, "owner": self.owner, "name": name,
                 "max_attempts": self.workplace.settings.max_attempts},
            )
        self._count(State.UNKNOWN)

    def _count(self, state: State) -> None:
        with self._lock:
            self.result.outcomes[str(state)] += 1
            self._progress(self.result.outcomes)


def run_workers(
    workplace: Workplace, client: SsgClient, *, actor: Actor, patience: float = 5.0,
    progress: Callable[[Counter[str]], None] = lambda _: None,
) -> WorkResult:
    """Work off the outbox once, and write one audit entry about it."""
    worker = Worker(workplace, client, actor=actor, progress=progress)
    result = worker.run(patience=patience)
    if result.outcomes:
        with workplace.db.transaction() as connection:
            append(connection, workplace.rings.audit.key, actor, "submissions worked off", "outbox", worker.owner,
                   outcomes=dict(result.outcomes), stopped=result.stopped)
    return result


def endpoint_of(kind: str, action: str) -> str:
    """The name of the call that submits this change."""
    return ENDPOINTS[kind, action]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


