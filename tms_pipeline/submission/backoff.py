"""Backoff: when a submission is tried again. Exponential with full jitter, bounded. Pure."""

from __future__ import annotations

import random

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 3600.0


def delay(attempts: int, retry_after: float | None, *, first: float = FIRST_SECONDS, chance: random.Random) -> float:
    """Seconds to wait after that many attempts; SSG's Retry-After is honoured, never undercut."""
    ceiling = min(LONGEST_SECONDS, first * 2 ** min(20, max(0, attempts - 1)))
    drawn = chance.uniform(0, ceiling)
    return max(drawn, retry_after or 0.0)
