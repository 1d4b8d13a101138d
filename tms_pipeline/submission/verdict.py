"""Verdict: what becomes of a submission after a call or a search that did not simply succeed. Pure.

Everything that decides between "send again", "search first" and "a person must look" is here, in one table of cases,
so that it can be tested without SSG, database or clock.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.submission.backoff import FIRST_SECONDS, delay
from tms_pipeline.submission.states import State

# Nothing was sent: the submission goes back as it was, and no attempt is burnt.
NOT_SENT = frozenset({"SSG-KILL-SWITCH", "SSG-BREAKER-OPEN", "SSG-MAINTENANCE"})
# SSG is away or busy: that says nothing about this submission, so only its age ends it.
OUTAGE = frozenset(
    {"SSG-NET-CONNECT", "SSG-HTTP-429", "SSG-HTTP-5XX-READ", "SSG-NET-TIMEOUT-READ", "SSG-NET-BROKEN-READ"}
)
_OURS = frozenset({ErrorClass.CREDENTIALS, ErrorClass.CONFIGURATION})

Stop = Literal["", "these", "all"]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How patient the workers are.

    ``settle``: a call that broke off may still be at work in SSG for so long; a search that comes earlier proves
    nothing. ``visible``: what SSG made may stay unseen for so long (ssg-api 4.1). ``grace``: as settle, for a worker
    that may still be alive. ``ours``: how long to leave alone what our own settings or credentials stop.
    """

    max_attempts: int = 8
    max_age: float = 72 * 3600.0
    first: float = FIRST_SECONDS
    settle: float = 60.0
    visible: float = 900.0
    grace: float = 180.0
    ours: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The next state, when it is due, whether it still has to be searched for, and what else must stop."""

    state: State
    wait: float = 0.0
    sent: bool = False
    unburn: bool = False
    stop: Stop = ""
    done: bool = False
    reason: str = ""


def after_failure(
    error: SsgError, action: str, *, attempts: int, age: float, pace: Pace, chance: random.Random
) -> Verdict:
    """After a call that failed. ``attempts`` counts this one; ``age`` is in seconds since the first."""
    if error.code in NOT_SENT:
        return Verdict(state=State.READY, wait=1.0, unburn=True, stop="all")
    if error.error_class is ErrorClass.ALREADY_DONE:
        if action == "create":
            return Verdict(state=State.UNKNOWN, sent=True)  # it is there, and only a search tells its reference
        return Verdict(state=State.ACCEPTED, done=True, reason="already so at SSG")
    if error.error_class is ErrorClass.UNKNOWN:
        return Verdict(state=State.UNKNOWN, sent=True, wait=pace.settle)
    if error.error_class is ErrorClass.PERMANENT:
        return Verdict(state=State.REJECTED)
    if error.error_class in _OURS:
        # The next call of this sort would fail the same way; other sorts may not.
        return Verdict(state=State.READY, wait=pace.ours, unburn=True, stop="these")
    if age > pace.max_age or (attempts >= pace.max_attempts and error.code not in OUTAGE):
        return Verdict(state=State.DEAD)
    return Verdict(state=State.RETRY, wait=delay(attempts, error.retry_after_seconds, first=pace.first, chance=chance))


def after_failed_search(
    error: SsgError, *, searches: int, age: float, pace: Pace, chance: random.Random
) -> Verdict:
    """After a search that failed: it stays unknown whatever the error was, until a person must look."""
    if error.code in NOT_SENT:
        return Verdict(state=State.UNKNOWN, sent=True, wait=1.0, stop="all")
    if age > pace.max_age:
        return Verdict(state=State.DEAD, sent=True)
    wait = max(pace.settle, delay(searches, error.retry_after_seconds, first=pace.first, chance=chance))
    return Verdict(state=State.UNKNOWN, sent=True, wait=wait, stop="these" if error.error_class in _OURS else "")


def after_found_gone(*, shown: bool, searches: int, pace: Pace) -> Verdict:
    """After a search for what was to be cancelled: ``shown`` as cancelled, or not shown at all. ``searches`` that were
    answered, this one counted.

    One empty answer of SSG proves little, so what is not shown is looked for twice.
    """
    if not shown and searches < 2:
        return Verdict(state=State.UNKNOWN, sent=True, wait=pace.settle, reason="not shown once")
    return Verdict(state=State.ACCEPTED, done=True, reason="found done at SSG")


def after_nothing_found(
    action: str, *, attempts: int, searches: int, sent_ago: float | None, pace: Pace
) -> Verdict:
    """After a search that succeeded and did not find it: send again, but not before "not yet" became "not".
    ``searches`` since the call that were answered, this one counted.

    One empty answer of SSG proves little, and a second record is the worst that can happen: what would create one is
    looked for twice.
    """
    if sent_ago is not None:
        believed = pace.settle + (pace.visible if action == "create" else 0.0)
        if sent_ago < 0 and searches < 2:
            # The clock was set back, so nobody knows how long ago it was: it is waited for once, from now.
            return Verdict(state=State.UNKNOWN, sent=True, wait=believed, reason="not found yet; the clock moved")
        if 0 <= sent_ago < believed:
            return Verdict(state=State.UNKNOWN, sent=True, wait=min(60.0, believed - sent_ago), reason="not found yet")
    if action == "create" and searches < 2:
        return Verdict(state=State.UNKNOWN, sent=True, wait=pace.settle, reason="not found once")
    if attempts >= pace.max_attempts:
        return Verdict(state=State.DEAD, reason="sent and not found, again and again")
    return Verdict(state=State.READY, reason="a search found nothing")
