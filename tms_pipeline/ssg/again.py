"""Reads that broke off are asked for again: a moment's trouble of the line must not cost a whole scope its night.

A read changes nothing, so it may be repeated; a write never is (ssg-api 3). Who wants it says so with ``asking_again``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tms_pipeline.ssg.errors import ErrorClass, SsgError

# What our own gate refuses was not asked for yet, and is not to be.
_OUR_OWN = frozenset({"SSG-KILL-SWITCH", "SSG-MAINTENANCE", "SSG-BREAKER-OPEN"})
# A rest that SSG asks for is kept if it is not longer than this.
LONGEST_WAIT_SECONDS = 30.0

# How often in all, and the seconds before the second try, from which those before the next ones grow.
_tries: ContextVar[tuple[int, float]] = ContextVar("ssg_read_tries", default=(1, 0.0))


@contextmanager
def asking_again(tries: int, *, first_wait: float = 0.5) -> Iterator[None]:
    """Within it, on this thread, each read is tried so many times in all, again after ``first_wait`` seconds."""
    token = _tries.set((tries, first_wait))
    try:
        yield
    finally:
        _tries.reset(token)


def wait_before_next(error: SsgError, tried: int, *, is_write: bool) -> float | None:
    """Seconds to wait before the call is tried again after this error; None when it is to be raised."""
    tries, first_wait = _tries.get()
    if is_write or tried >= tries or error.error_class is not ErrorClass.RETRYABLE or error.code in _OUR_OWN:
        return None
    if error.retry_after_seconds is not None:
        return error.retry_after_seconds if error.retry_after_seconds <= LONGEST_WAIT_SECONDS else None
    # With jitter (no secret), so that processes that were cut off together do not come back together.
    return float(first_wait * 3 ** (tried - 1) * random.uniform(0.5, 1.0))  # noqa: S311
