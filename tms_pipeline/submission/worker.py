"""Workers: claim what is due, hand it to the handler, renew the leases, rescue those of the dead.

One thread claims for all threads of the process, so that a batch never waits in one hand while another idles, and one
writes for all (desk.py); edits of one course run go one after the other, because each sends the whole run.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.health.keys import must_fit
from tms_pipeline.identity.marks import Marker
from tms_pipeline.roles.guard import needs
from tms_pipeline.settings import Settings
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.store.queries import query, text
from tms_pipeline.submission.backoff import FIRST_SECONDS
from tms_pipeline.submission.claimed import Claimed, claimed_of
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.submission.desk import Desk
from tms_pipeline.submission.gate import maintenance_now, rest_of
from tms_pipeline.submission.handling import Handler
from tms_pipeline.submission.lease import new_owner, renew, rescue
from tms_pipeline.submission.outcomes import Outcomes
from tms_pipeline.submission.sending import ENDPOINTS
from tms_pipeline.submission.statements import BY_INDEX
from tms_pipeline.submission.states import State
from tms_pipeline.submission.verdict import Pace, Stop
from tms_pipeline.workplace import Workplace

# Submissions claimed at once for each thread: enough to keep it busy, few enough to share with other processes.
AHEAD = 8
_MAY_GO = sql.SQL(text("outbox/may_go"))
CLAIM_LOCK = 7_310_005


@cache
def _claim_statement() -> bytes:
    return query("outbox/claim", may_go=_MAY_GO).as_bytes()


@dataclass
class WorkResult:
    """What a run of the workers did."""

    outcomes: Counter[str] = field(default_factory=Counter)
    stopped: str = ""
    # Nothing is wrong, but SSG is not to be called now: until when.
    resting: str = ""

    def __str__(self) -> str:
        words = ", ".join(f"{count} {state}" for state, count in sorted(self.outcomes.items())) or "nothing to do"
        why = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"{words}{why}{'. ' + self.resting if self.resting else ''}"


def pace_of(settings: Settings) -> Pace:
    """How patient the workers of this installation are; against the simulator a second stands for five minutes."""
    local = settings.ssg_env == "simulator"
    # A write is given twice the timeout (ssg.endpoints); after that and some time more nothing of it is on its way.
    return Pace(
        max_attempts=settings.max_attempts,
        max_age=settings.max_age_hours * 3600.0,
        first=0.2 if local else FIRST_SECONDS,
        settle=0.2 if local else max(60.0, 2 * settings.ssg_timeout_seconds),
        visible=settings.visibility_minutes * 60.0,
        grace=(2 * settings.ssg_timeout_seconds) + (1.0 if local else 60.0),
    )


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
        pace: Pace | None = None,
    ) -> None:
        """Nothing is claimed before ``run``."""
        self.workplace, self.actor = workplace, actor
        self.owner = new_owner()
        self.threads = threads or workplace.settings.ssg_concurrency
        self.result = WorkResult()
        self.pace = pace or pace_of(workplace.settings)
        self.lease = timedelta(seconds=workplace.settings.lease_seconds)
        self._marker = marker = Marker(workplace.rings.index)
        chance = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        outcomes = self.outcomes = Outcomes(workplace, marker, self.owner, actor, self.pace)
        self._desk = Desk(
            outcomes, hands=self.threads, spacing=workplace.settings.spacing_seconds, stopped=self._stopped,
            written=self._written, give_back=self._give_back, fail=self._fail,
        )  # fmt: skip
        self.handler = Handler(
            workplace, client, marker, outcomes, self.pace, chance, self._halt, self._desk.flush
        )
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._broken: BaseException | None = None
        self._paused: set[str] = set()
        self._in_hand = 0
        # With so many in hand, or fewer, it is time to claim more.
        self._least = self.threads * AHEAD // 2
        self._free = threading.Condition(self._lock)

    def stop(self, reason: str) -> None:
        """Finish the calls in hand and claim no more."""
        self.result.stopped = self.result.stopped or reason
        self._stop.set()

    def _rest(self, sentence: str) -> None:
        """Finish the calls in hand and begin no more: SSG has a maintenance window."""
        self.result.resting = sentence
        self._stop.set()

    def run(self, *, patience: float = 5.0) -> WorkResult:
        """Work until nothing is due within ``patience`` seconds, or until stopped. Rescues stalled leases first."""
        rescue(self.workplace, self.pace)
        hands = [threading.Thread(target=self._hand, name=f"submission-{n}", daemon=True) for n in range(self.threads)]
        heart = threading.Thread(target=self._heart, name="submission-heart", daemon=True)
        over = self._over = threading.Event()
        desk = threading.Thread(target=self._desk.run, name="submission-desk", daemon=True)
        for thread in (desk, *hands, heart):
            thread.start()
        try:
            with _stopping_on_signals(self.stop):
                self._dispatch(patience)
                self._desk.close()
                for thread in (desk, *hands):
                    thread.join()
        except BaseException:
            self._stop.set()
            self._desk.close()
            raise
        finally:
            over.set()
        heart.join()
        if self._broken is not None:
            raise self._broken
        return self.result

    def rescue(self) -> int:
        """Free the leases of workers that died: those that ran out, and those of dead processes of this machine."""
        return rescue(self.workplace, self.pace)

    # ---- one thread claims ----

    def _dispatch(self, patience: float) -> None:
        idle_until = time.monotonic() + patience
        while not self._stop.is_set():
            resting = maintenance_now(self.workplace)
            if resting:
                self._rest(resting)
                return
            with self._free:
                held, room = self._in_hand, self.threads * AHEAD - self._in_hand
                if held > self._least:
                    self._free.wait(0.25)
                    continue
            asked = time.monotonic()
            claimed = self._claim(room)
            if claimed:
                for item in claimed:
                    crashpoint("after_claim", item.call)
                lanes: dict[str, list[Claimed]] = {}
                for item in claimed:
                    lanes.setdefault(item.lane or str(item.submission_id), []).append(item)
                with self._free:
                    self._in_hand += len(claimed)
                self._desk.bring(lanes.values())
                idle_until = time.monotonic() + patience
                continue
            if held:
                # What is in hand may free what waits for it, and may have done so since we asked.
                with self._free:
                    if self._in_hand:
                        self._free.wait(0.05)
                idle_until = time.monotonic() + patience
                continue
            wait, leased = self._next()
            # What others have in hand may free something for us, but they see to that themselves: patience is enough.
            # It counts to the moment we asked: a machine that stood still since must not end us before what is due.
            if wait is None and not leased or asked + max(wait or 0, 0) > idle_until:
                if wait is not None:  # also when what is left is all that SSG asked to wait with
                    self.result.stopped = self.result.stopped or rest_of(self.workplace)
                return
            self._stop.wait(min(max(wait or 0.05, 0.02), 0.25))

    def _claim(self, limit: int) -> list[Claimed]:
        with self.workplace.db.transaction() as connection:
            # In the order of the index, and no further than the limit: what stands behind costs nothing.
            connection.execute(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK}); {BY_INDEX}")
            self._marker.follow(connection)
            rows = connection.execute(
                _claim_statement(),
                {"limit": limit, "owner": self.owner, "lease": self.lease, "paused": sorted(self._paused)},
                prepare=True,
            ).fetchall()
        claimed = [claimed_of(row) for row in rows]
        claimed.sort(key=lambda item: (str(item.due or "9999"), item.order_no, item.submission_id))
        return claimed

    def _next(self) -> tuple[float | None, int]:
        with self.workplace.db.transaction() as connection:
            row = connection.execute(
                query("outbox/next_due", may_go=_MAY_GO), {"paused": sorted(self._paused)}
            ).fetchone()
        return (row[0], row[1]) if row else (None, 0)

    # ---- many threads send, one writes (desk.py) ----

    def _hand(self) -> None:
        while (task := self._desk.take()) is not None:
            try:
                if self._stopped(task.item) or task.stale():
                    self._desk.unsent(task)
                    continue
                begun = time.monotonic()
                ended = self.handler.handle(task.item, task.begun)
                self._desk.hand_in(task, ended, time.monotonic() - begun)
            except BaseException as error:
                # A crash of ours: the calls in hand are finished; what was begun and not sent goes back from here on.
                self._fail(error)
                self._desk.hand_in(task, None)

    def _stopped(self, item: Claimed) -> bool:
        return self._stop.is_set() or item.call in self._paused

    def _fail(self, error: BaseException) -> None:
        """Claim and begin no more; ``run`` raises it."""
        with self._free:
            self._broken = self._broken or error
            self._free.notify()
        self._stop.set()

    def _written(self, item: Claimed, state: State | None) -> None:
        """It is out of hand; what became of it is committed."""
        if state is not None:
            crashpoint("after_outcome", item.call)
            self._count(state)
        with self._free:
            self._in_hand -= 1
            if self._in_hand == 0 or self._in_hand == self._least:
                self._free.notify()

    def _give_back(self, items: Sequence[Claimed]) -> None:
        with self.workplace.db.transaction() as connection:
            connection.execute(
                query("outbox/give_back"), {"ids": [item.submission_id for item in items], "owner": self.owner}
            )

    def _halt(self, what: Stop, sentence: str, item: Claimed) -> None:
        """Stop everything, or only calls of this sort; a second sort that fails alike says that it is everything."""
        if maintenance_now(self.workplace):
            self._rest(sentence)
            return
        self._paused.add(item.call)
        if what == "all" or len({call.partition(".")[0] for call in self._paused}) > 1:
            self.stop(sentence)
        else:
            self.result.stopped = self.result.stopped or sentence

    def _count(self, state: State) -> None:
        with self._lock:
            self.result.outcomes[str(state)] += 1
            with contextlib.suppress(Exception):  # a display that fails must not look like a failed submission
                self._progress(self.result.outcomes)

    # ---- one thread keeps the leases ----

    def _heart(self) -> None:
        beat = max(0.05, self.lease.total_seconds() / 4)
        while not self._over.wait(beat):
            with contextlib.suppress(Exception):  # Postgres is away: the next beat tries again
                renew(self.workplace, self.owner, self.lease)
                rescue(self.workplace, self.pace)


@contextlib.contextmanager
def _stopping_on_signals(stop: Callable[[str], None]) -> Iterator[None]:
    """SIGTERM and SIGINT finish the calls in hand; a second one ends the process as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: object) -> None:
        stop(f"asked to stop ({signal.Signals(number).name})")
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@needs("submit")
def run_workers(
    workplace: Workplace, client: SsgClient, *, actor: Actor, patience: float = 5.0,
    progress: Callable[[Counter[str]], None] = lambda _: None, threads: int | None = None,
) -> WorkResult:
    """Work off the outbox once, and write one audit entry about it. Raises KeyringError when the rings are another
    installation's."""
    must_fit(workplace)
    worker = Worker(workplace, client, actor=actor, progress=progress, threads=threads)
    result = worker.run(patience=patience)
    if result.outcomes:
        with workplace.db.transaction() as connection:
            append(connection, workplace.rings.audit.key, actor, "submissions worked off", "outbox", worker.owner,
                   outcomes=dict(result.outcomes), stopped=result.stopped)
    return result


def endpoint_of(kind: str, action: str) -> str:
    """The name of the call that submits this change."""
    return ENDPOINTS[kind, action]
