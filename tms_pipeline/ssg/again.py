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
# Waits before the second and third try grow from this; a rest that SSG asks for is kept if it is not longer than that.
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0

_tries: ContextVar[int] = ContextVar("ssg_read_tries", default=1)


@contextmanager
def asking_again(tries: int) -> Iterator[None]:
    """Within it, on this thread, each read is tried so many times in all."""
    token = _tries.set(tries)
    try:
        yield
    finally:
        _tries.reset(token)


def wait_before_next(error: SsgError, tried: int, *, is_write: bool) -> float | None:
    """Seconds to wait before the call is tried again after this error; None when it is to be raised."""
    if is_write or tried >= _tries.get() or error.error_class is not ErrorClass.RETRYABLE or error.code in _OUR_OWN:
        return None
    if error.retry_after_seconds is not None:
        return error.retry_after_seconds if error.retry_after_seconds <= LONGEST_WAIT_SECONDS else None
    # With jitter (no secret), so that processes that were cut off together do not come back together.
    return float(FIRST_WAIT_SECONDS * 3 ** (tried - 1) * random.uniform(0.5, 1.0))  # noqa: S311
