"""The simulator's clock: real, shifted or frozen, with SSG's two date forms (ssg-api 3.1, 14.5)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

SINGAPORE = timezone(timedelta(hours=8))


class Clock:
    """Simulated time in epoch seconds; grants and the visibility delay follow it (ssg-api 14.2)."""

    def __init__(self, offset: float = 0.0, frozen_at: float | None = None) -> None:
        self.offset = offset
        self.frozen_at = frozen_at

    def now(self) -> float:
        """Simulated now, in epoch seconds."""
        return self.frozen_at if self.frozen_at is not None else time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move simulated time, frozen or running."""
        if self.frozen_at is not None:
            self.frozen_at += seconds
        else:
            self.offset += seconds

    def set(self, moment: float, frozen: bool = False) -> None:
        """Put simulated time at a moment; it runs on from there unless frozen."""
        self.offset = moment - time.time()
        self.frozen_at = moment if frozen else None

    def freeze(self, frozen: bool) -> None:
        """Stop simulated time where it is, or let it run on."""
        if frozen:
            self.frozen_at = self.now()
        elif self.frozen_at is not None:
            self.set(self.frozen_at)

    def reset(self) -> None:
        """Back to real time."""
        self.offset, self.frozen_at = 0.0, None

    def today(self) -> int:
        """Today in Singapore as YYYYMMDD, the form of the course APIs (ssg-api 14.5)."""
        return int(datetime.fromtimestamp(self.now(), SINGAPORE).strftime("%Y%m%d"))


def iso_utc(moment: float) -> str:
    """`2025-10-28T04:01:54Z`: meta of creates and updates (ssg-api 3.1)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_text(moment: float) -> str:
    """`2025-10-28 12:01:52`, Singapore time without a zone: meta of views and searches (ssg-api 3.1)."""
    return datetime.fromtimestamp(moment, SINGAPORE).strftime("%Y-%m-%d %H:%M:%S")


def local_date(moment: float) -> str:
    """`2025-10-28` in Singapore (ssg-api 14.5)."""
    return datetime.fromtimestamp(moment, SINGAPORE).strftime("%Y-%m-%d")


def year_month(moment: float) -> str:
    """`2510`: the YYMM inside a reference number (ssg-api 9.3)."""
    return datetime.fromtimestamp(moment, SINGAPORE).strftime("%y%m")


def parse_moment(value: object) -> float:
    """Epoch seconds from a number or an ISO text; a text without a zone is Singapore time."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("give epoch seconds or an ISO date-time")
    if isinstance(value, int | float):
        return float(value)
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=SINGAPORE)).timestamp()
