"""Progress: how far a run of the workers is, in words, often enough to be seen and seldom enough to be read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

EVERY = 200
EVERY_SECONDS = 5.0


class Counting:
    """Told of every outcome; says the first, the last, every 200th, and one every five seconds."""

    def __init__(self, say: Callable[[str], None], due: int) -> None:
        """``due`` is how many are to be sent; what comes free meanwhile may make it more."""
        self._say, self._due = say, due
        self._next, self._said_at, self._said = 1, 0.0, 0

    def __call__(self, outcomes: Counter[str]) -> None:
        """The outcomes so far, by state."""
        total = sum(outcomes.values())
        if total < self._next and total != self._due and time.monotonic() - self._said_at < EVERY_SECONDS:
            return
        self._tell(outcomes, total)

    def over(self, outcomes: Counter[str]) -> None:
        """The run is over: says the last tally, unless it was said or there is none."""
        total = sum(outcomes.values())
        if total > self._said:
            self._tell(outcomes, total)

    def _tell(self, outcomes: Counter[str], total: int) -> None:
        self._next, self._said_at, self._said = total + EVERY, time.monotonic(), total
        states = ", ".join(f"{count} {state}" for state, count in sorted(outcomes.items()))
        self._say(f"sent {total} of {max(total, self._due)} ({states})")
