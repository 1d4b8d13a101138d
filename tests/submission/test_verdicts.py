"""Every verdict after a failed call or a search, without SSG, database or clock."""

from __future__ import annotations

import random

import pytest

from tms_pipeline.ssg.errors import ErrorClass, SsgError, entry
from tms_pipeline.submission.states import MOVES, State
from tms_pipeline.submission.verdict import (
    Pace,
    after_failed_search,
    after_failure,
    after_found_gone,
    after_nothing_found,
)

PACE = Pace(max_attempts=3, max_age=100.0, first=1.0, settle=10.0, visible=50.0, ours=7.0)


def _after(code: str, action: str = "create", *, attempts: int = 1, age: float = 0.0, retry_after: float | None = None):  # type: ignore[no-untyped-def]
    error = SsgError(entry(code), endpoint="x", retry_after_seconds=retry_after)
    return after_failure(error, action, attempts=attempts, age=age, pace=PACE, chance=random.Random(1))


@pytest.mark.parametrize(
    ("code", "state", "stop"),
    [
        ("SSG-KILL-SWITCH", State.READY, "all"),
        ("SSG-BREAKER-OPEN", State.READY, "all"),
        ("SSG-TGS-406", State.REJECTED, ""),
        ("SSG-NET-TIMEOUT-WRITE", State.UNKNOWN, ""),
        ("SSG-HTTP-5XX-WRITE", State.UNKNOWN, ""),
        ("SSG-HTTP-429", State.RETRY, ""),
        ("SSG-NET-CONNECT", State.RETRY, ""),
        ("SSG-HTTP-401", State.READY, "these"),
        ("SSG-GATEWAY-VERSION-EXPIRED", State.READY, "these"),
        ("SSG-DUPLICATE", State.UNKNOWN, ""),
    ],
)
def test_after_a_failed_call(code: str, state: State, stop: str) -> None:
    verdict = _after(code)
    assert (verdict.state, verdict.stop) == (state, stop)
    assert verdict.state in MOVES[State.SENDING]
    assert verdict.unburn == (state is State.READY), "what was not sent burns no attempt"
    assert verdict.sent == (state is State.UNKNOWN)


def test_already_done_is_done_unless_its_reference_must_be_found() -> None:
    assert _after("SSG-TGS-439-CANCEL", "cancel").done and not _after("SSG-DUPLICATE").done


def test_attempts_and_age_are_bounded_but_an_outage_only_by_age() -> None:
    busy = next(code for code in ("SSG-LIST-CHANGED",) if entry(code).error_class is ErrorClass.RETRYABLE)
    assert _after(busy, attempts=3).state is State.DEAD and _after(busy, attempts=2).state is State.RETRY
    assert _after("SSG-HTTP-429", attempts=30).state is State.RETRY
    assert _after("SSG-HTTP-429", age=101).state is State.DEAD


def test_retry_after_is_never_undercut() -> None:
    assert _after("SSG-HTTP-429", retry_after=40).wait >= 40


def test_a_failed_search_leaves_it_unknown_until_a_person_must_look() -> None:
    for code in ("SSG-HTTP-429", "SSG-HTTP-401", "SSG-NOT-FOUND", "SSG-KILL-SWITCH", "SSG-REPLY-SHAPE-READ"):
        error = SsgError(entry(code), endpoint="x")
        verdict = after_failed_search(error, searches=5, age=0, pace=PACE, chance=random.Random(1))
        assert verdict.state is State.UNKNOWN and verdict.sent
    old = after_failed_search(
        SsgError(entry("SSG-HTTP-429"), endpoint="x"), searches=5, age=101, pace=PACE, chance=random.Random(1)
    )
    assert old.state is State.DEAD and old.sent


@pytest.mark.parametrize(
    ("action", "searches", "sent_ago", "state"),
    [
        ("create", 1, 59.0, State.UNKNOWN),
        ("create", 1, 61.0, State.UNKNOWN),
        ("create", 2, 61.0, State.READY),
        ("create", 2, 59.0, State.UNKNOWN),
        ("update", 1, 9.0, State.UNKNOWN),
        ("update", 1, 11.0, State.READY),
        ("create", 1, -7200.0, State.UNKNOWN),
        ("create", 2, -7200.0, State.READY),
        ("cancel", 1, None, State.READY),
    ],
)
def test_not_found_yet_is_not_not_there(action: str, searches: int, sent_ago: float | None, state: State) -> None:
    verdict = after_nothing_found(action, attempts=1, searches=searches, sent_ago=sent_ago, pace=PACE)
    assert verdict.state is state and verdict.wait <= 60.0
    assert after_nothing_found("create", attempts=3, searches=2, sent_ago=99, pace=PACE).state is State.DEAD


def test_what_was_to_be_cancelled_and_is_not_shown_is_looked_for_twice() -> None:
    assert after_found_gone(shown=False, searches=1, pace=PACE).state is State.UNKNOWN
    assert after_found_gone(shown=False, searches=2, pace=PACE).done
    assert after_found_gone(shown=True, searches=1, pace=PACE).done, "shown as cancelled, which is an answer"
