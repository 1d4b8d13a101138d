"""The desk between those who claim and those who send: one thread writes all intents and outcomes of a worker.

What comes back from the calls is written together with the intents of what goes out next, in one transaction: a commit
serves many submissions, and no sender waits for one. Each submission still has its intent committed before its call
and its outcome after it. A little is begun ahead of the senders; what a worker's end leaves of it was not sent, and is
given back, or searched for if the worker was killed.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from tms_pipeline.submission.beginning import Begun, LeaseLost, SetAside
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.clerk import Errand
from tms_pipeline.submission.outcomes import Outcome, Outcomes
from tms_pipeline.submission.states import State
from tms_pipeline.submission.verdict import Verdict

# At most so many are begun before a sender is free for them: more would be searched for after a kill.
MOST_AHEAD = 16
# So many as go out within so long, no more: an intent is as good as the moment of its call.
AHEAD_SECONDS = 0.1
# Begun longer ago than this and not sent: it is begun once more, later.
STALE_SECONDS = 1.0
# An outcome waits at most so long for others to be written with.
GATHER_SECONDS = 0.01


@dataclass
class Task:
    """A submission in the hand of a sender. ``begun`` is None where it is searched for; ``behind`` are those of its
    lane, which follow it one after the other."""

    item: Claimed
    behind: deque[Claimed]
    begun: Begun | None = None
    since: tuple[float, float] = field(default_factory=lambda: _clocks())

    def stale(self) -> bool:
        """Whether its intent is too old to be acted on."""
        passed = max(now - then for now, then in zip(_clocks(), self.since, strict=True))
        return self.begun is not None and passed > STALE_SECONDS


def _clocks() -> tuple[float, float]:
    """Two clocks: one stands still while the machine sleeps, the other is set by people; the later one counts."""
    return time.monotonic(), time.time()


# What a task ended in: an outcome that is still to be written, a state that is committed, or nothing that is known.
Ended = Outcome | State | None


class Desk:
    """Lanes of claimed submissions come in, begun ones go out to the senders, what they bring back is written."""

    def __init__(
        self, outcomes: Outcomes, *, hands: int, spacing: float, stopped: Callable[[Claimed], bool],
        written: Callable[[Claimed, State | None], None], give_back: Callable[[Sequence[Claimed]], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """``written`` is told of each submission that is out of hand, with its state if that is news."""
        self._outcomes, self._hands, self._spacing = outcomes, hands, spacing
        self._stopped, self._written, self._give_back, self._fail = stopped, written, give_back, fail
        self._inbox: queue.SimpleQueue[deque[Claimed] | tuple[Task, Ended, float] | threading.Event | None] = (
            queue.SimpleQueue()
        )
        self._work: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._lanes: deque[deque[Claimed]] = deque()
        self._asked: list[threading.Event] = []
        self._out = 0
        self._pace = 0.0
        self._closing = False

    # ---- for the others ----

    def bring(self, lanes: Iterable[Iterable[Claimed]]) -> None:
        """Claimed submissions; each lane goes one after the other."""
        for lane in lanes:
            self._inbox.put(deque(lane))

    def take(self) -> Task | None:
        """What to send or search next; waits for it. None: there is no more."""
        return self._work.get()

    def hand_in(self, task: Task, ended: Ended, seconds: float = 0.0) -> None:
        """What came of a task, and how long it took."""
        self._inbox.put((task, ended, seconds))

    def unsent(self, task: Task) -> None:
        """The task was not even tried: it goes back, and no attempt is burnt."""
        if task.begun is None:
            self._give_back([task.item])
            self._inbox.put((task, None, 0.0))
        else:
            verdict = Verdict(state=State.READY, unburn=True)
            self._inbox.put((task, Outcome(task.item, task.begun.attempt, verdict, news=False), 0.0))

    def flush(self) -> None:
        """Wait until all that was handed in before is written, or has failed."""
        done = threading.Event()
        self._inbox.put(done)
        done.wait()

    def close(self) -> None:
        """No more will be brought; ``run`` ends when everything is back."""
        self._inbox.put(None)

    # ---- the desk's own thread ----

    def run(self) -> None:
        """Write until closed and everything is back."""
        while not (self._closing and not self._out and not self._lanes):
            try:
                self._turn()
            except BaseException as error:  # it is raised by the worker; what others bring back is written all the same
                self._fail(error)
            finally:
                for event in self._asked:
                    event.set()
                self._asked.clear()
        for _ in range(self._hands):
            self._work.put(None)

    @property
    def _ahead(self) -> int:
        """How many may be begun before a sender is free: what goes out in a moment, by how long calls take."""
        if not self._pace:
            return 0
        each = max(self._pace / self._hands, self._spacing)
        return min(MOST_AHEAD, int(AHEAD_SECONDS / each))

    def _hungry(self) -> bool:
        """Whether the senders are about to run out of work that is there."""
        ahead = self._ahead
        room = self._hands + ahead - self._out
        return bool(self._lanes) and room > 0 and 2 * room >= ahead

    def _gather(self) -> list[tuple[Task, Ended]]:
        """What came back, as much as is worth a transaction."""
        ended: list[tuple[Task, Ended]] = []
        until: float | None = None
        while True:
            try:
                if self._hungry() or self._closing and self._lanes:
                    self._read(self._inbox.get_nowait(), ended)
                else:
                    wait = None if until is None else max(0.0, until - time.monotonic())
                    self._read(self._inbox.get(timeout=wait), ended)
                while True:
                    self._read(self._inbox.get_nowait(), ended)
            except queue.Empty:
                pass
            if self._asked or self._closing or self._hungry() or not self._out:
                return ended
            now = time.monotonic()
            until = until or (now + GATHER_SECONDS if ended else None)
            if until is not None and now >= until:
                return ended

    def _read(
        self, note: deque[Claimed] | tuple[Task, Ended, float] | threading.Event | None, ended: list[tuple[Task, Ended]]
    ) -> None:
        if note is None:
            self._closing = True
        elif isinstance(note, deque):
            self._lanes.append(note)
        elif isinstance(note, threading.Event):
            self._asked.append(note)
        else:
            task, result, seconds = note
            self._out -= 1
            if seconds:
                self._pace = 0.8 * self._pace + 0.2 * seconds if self._pace else seconds
            ended.append((task, result))

    def _turn(self) -> None:
        ended = self._gather()
        for task, _ in ended:
            if task.behind:
                self._lanes.appendleft(task.behind)
        begins, searches, back = self._next()
        for task in searches:
            self._send_out(task)
        ends = [(task, Errand(result)) for task, result in ended if isinstance(result, Outcome)]
        starts = [(task, Errand(task.item)) for task in begins]
        if ends or starts:
            self._outcomes.clerk.do([errand for _, errand in (*ends, *starts)])
        # First to the senders, who wait for it; and whatever fails below, what is begun has somebody who ends it.
        for task, errand in starts:
            if isinstance(errand.result, Begun):
                task.begun, task.since = errand.result, _clocks()
                self._send_out(task)
            elif task.behind:
                self._lanes.appendleft(task.behind)
        acts = [partial(self._not_begun, task, errand) for task, errand in starts if task.begun is None]
        acts += [partial(self._written, task.item, result) for task, result in ended if not isinstance(result, Outcome)]
        acts += [partial(self._ended, task, errand) for task, errand in ends]
        _do_all([*acts, partial(self._return, back)] if back else acts)

    def _ended(self, task: Task, errand: Errand) -> None:
        """Its outcome is written, or could not be."""
        done: Outcome = errand.what
        if errand.error is None:
            self._written(task.item, done.verdict.state if done.news else None)
        elif isinstance(errand.error, Exception):
            self._written(task.item, self._outcomes.after_bug(task.item, errand.error))
        else:
            raise errand.error

    def _return(self, items: Sequence[Claimed]) -> None:
        """No call is to go out for them any more."""
        self._give_back(items)
        for item in items:
            self._written(item, None)

    def _next(self) -> tuple[list[Task], list[Task], list[Claimed]]:
        """What is to be begun now, what to be searched, and what goes back because no call is to go out any more."""
        begins: list[Task] = []
        searches: list[Task] = []
        back: list[Claimed] = []
        room = self._hands + self._ahead - self._out
        left: deque[deque[Claimed]] = deque()
        while self._lanes:
            lane = self._lanes.popleft()
            if self._stopped(lane[0]):
                back.extend(lane)
            elif len(begins) + len(searches) < room:
                item = lane.popleft()
                (searches if item.state == State.UNKNOWN else begins).append(Task(item, lane))
            else:
                left.append(lane)
        self._lanes = left
        return begins, searches, back

    def _send_out(self, task: Task) -> None:
        self._out += 1
        self._work.put(task)

    def _not_begun(self, task: Task, errand: Errand) -> None:
        """It was set aside, is somebody else's by now, or cannot be begun."""
        error = errand.error
        if isinstance(errand.result, SetAside):
            self._written(task.item, State.SUPERSEDED)
        elif isinstance(error, LeaseLost):
            self._written(task.item, State(task.item.state))  # nothing was sent; whoever took the lease over goes on
        elif isinstance(error, Exception):
            self._written(task.item, self._outcomes.after_bug(task.item, error))
        else:
            raise error or TypeError(type(errand.result).__name__)


def _do_all(acts: Iterable[Callable[[], None]]) -> None:
    """Do each, whatever became of those before; the first error is raised at the end."""
    first: BaseException | None = None
    for act in acts:
        try:
            act()
        except BaseException as error:
            first = first or error
    if first is not None:
        raise first
