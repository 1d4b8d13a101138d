"""Crash points: the named moments at which a process may die, so that tests can kill it exactly there.

Set TMS_CRASH_AT to ``name``, ``name@kind.action`` or either with ``:n`` and the process kills itself with SIGKILL when
it gets there (for the n-th time). Without it, a crash point costs one dictionary look-up. A test that wants to see the
world of a crash without losing its own process puts an exception into ``raised_instead``.
"""

from __future__ import annotations

import os
import signal

POINTS = {
    "after_claim": "a lease is committed, nothing was sent",
    "after_intent": "the intent is committed, nothing was sent yet",
    "after_call": "SSG has answered, nothing of it is committed",
    "before_outcome_commit": "the outcome is written but not committed",
    "after_outcome": "the outcome is committed, the next submission not begun",
    "after_search": "a search has answered, nothing of it is committed",
    "after_plan": "a plan is committed, nothing is approved",
    "after_approval": "a plan is approved, nothing is claimed",
}


class Crash(BaseException):
    """What is raised at a crash point where a test wants no dead process; nothing of ours catches it."""


raised_instead: list[type[BaseException]] = []


def crashpoint(name: str, where: str = "") -> None:
    """Die here if a test asks for it. Raises KeyError for a point that is not in the registry."""
    wanted = os.environ.get("TMS_CRASH_AT")
    if wanted is None:
        return
    if name not in POINTS:
        raise KeyError(name)
    point, _, count = wanted.partition(":")
    if point not in (name, f"{name}@{where}"):
        return
    left = int(count or 1) - 1
    if left > 0:
        os.environ["TMS_CRASH_AT"] = f"{point}:{left}"
        return
    if raised_instead:
        os.environ.pop("TMS_CRASH_AT", None)
        raise raised_instead[0](name)
    os.kill(os.getpid(), signal.SIGKILL)
