"""The gate before SSG: one rate limit a credential across all processes, a circuit breaker, a kill switch.

All three live in Postgres, so that every worker on every host obeys the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.roles.guard import needs
from tms_pipeline.ssg.errors import failure
from tms_pipeline.store.queries import query
from tms_pipeline.submission.maintenance import closed_until, sentence, windows_of
from tms_pipeline.workplace import Workplace

KILL_SWITCH = "ssg"
# So many failures in a row that say "SSG is down" open the breaker; after so long one call probes.
BREAKER_FAILURES = 10
BREAKER_SECONDS = 60.0
FRESH_SECONDS = 0.25
# A longer rest than this is not slept through with submissions in hand: they go back and wait in Postgres.
LONGEST_PAUSE_SECONDS = 30.0
# A wait that took so much longer than it was to (the machine slept) may have cost the lease: then the call is not made.
OVERSLEPT_SECONDS = 10.0
_DOWN = frozenset({"unknown", "retryable"})


class Gate:
    """The gate of one credential: asked before every call, told after it."""

    def __init__(
        self, workplace: Workplace, *, spacing_seconds: float | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read spacing and maintenance windows from the settings; the clock is for tests."""
        self._clock = clock
        self._windows = windows_of(workplace.settings.ssg_maintenance)
        self._db = workplace.db
        self._spacing = workplace.settings.spacing_seconds if spacing_seconds is None else spacing_seconds
        self._burst = workplace.settings.ssg_burst
        self.credential = credential_of(workplace)
        self._failing = False
        self._free_until = 0.0
        self._asking = threading.Lock()

    def before(self, endpoint: str) -> None:
        """Wait for this call's turn. Raises SsgError (SSG-MAINTENANCE, SSG-KILL-SWITCH, SSG-BREAKER-OPEN) when no call
        may go out."""
        until = closed_until(self._windows, self._clock()) if self._windows else None
        if until is not None:
            raise failure("SSG-MAINTENANCE", endpoint=endpoint, sentence=sentence(until))
        # Without spacing there is no slot to take: then switch and breaker are asked four times a second, not always.
        if self._spacing == 0 and time.monotonic() < self._free_until:
            return
        with self._asking if self._spacing == 0 else contextlib.nullcontext():
            # One thread asks for all.
            if self._spacing == 0 and time.monotonic() < self._free_until:
                return
            wait = self._ask(endpoint)
        if wait > 0:
            self._rest(endpoint, wait)

    def _rest(self, endpoint: str, wait: float) -> None:
        """Wait for the turn. Given up if it was slept through, by the clock that goes on while machines sleep."""
        begun = self._clock()
        time.sleep(wait)
        if (self._clock() - begun).total_seconds() > wait + OVERSLEPT_SECONDS:
            raise failure("SSG-BREAKER-OPEN", endpoint=endpoint,
                          sentence="This machine slept while the call waited for its turn, so the call was not made.")

    def _ask(self, endpoint: str) -> float:
        """Seconds to wait for this call's turn. Raises as ``before``."""
        with self._db.transaction() as connection:
            row = connection.execute(
                query("outbox/gate"),
                {"credential": self.credential, "spacing": self._spacing, "burst": self._burst, "switch": KILL_SWITCH,
                 "probe": BREAKER_SECONDS},
            ).fetchone()
        stopped, is_open, wait, failing, paused = row or (False, False, 0.0, False, 0.0)
        if stopped:
            raise failure("SSG-KILL-SWITCH", endpoint=endpoint)
        if is_open:
            raise failure("SSG-BREAKER-OPEN", endpoint=endpoint)
        if paused > LONGEST_PAUSE_SECONDS:
            raise failure("SSG-BREAKER-OPEN", endpoint=endpoint, sentence=_rest_sentence(paused))
        # Failures that another process counted are forgotten by our success too.
        self._failing = self._failing or failing
        if not wait:
            self._free_until = time.monotonic() + FRESH_SECONDS
        return wait or 0.0

    def after(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Count failures in a row; success closes the breaker."""
        if outcome in _DOWN:
            self._failing = True
            self._free_until = 0.0
            with self._db.transaction() as connection:
                connection.execute(
                    query("outbox/breaker_failed"),
                    {"credential": self.credential, "limit": BREAKER_FAILURES, "probe": BREAKER_SECONDS},
                )
        elif self._failing:
            self._failing = False
            with self._db.transaction() as connection:
                connection.execute(query("outbox/breaker_closed"), {"credential": self.credential})


def credential_of(workplace: Workplace) -> str:
    """A name for the credential that does not show it."""
    return hashlib.sha256(workplace.settings.uen.encode()).hexdigest()[:12]


def pause_calls(workplace: Workplace, seconds: float) -> None:
    """SSG asked for a rest: every worker of this credential keeps it, not only the one that was told."""
    with workplace.db.transaction() as connection:
        connection.execute(query("outbox/pause"), {"credential": credential_of(workplace), "seconds": seconds})


def rest_of(workplace: Workplace) -> str:
    """The sentence about the rest that SSG asked for; empty when it is none, or so short that calls wait for it."""
    left = workplace.db.value(
        "SELECT extract(epoch FROM paused_until - now())::float8 FROM ssg.breaker WHERE credential = %s",
        (credential_of(workplace),),
    )
    return _rest_sentence(left) if (left or 0) > LONGEST_PAUSE_SECONDS else ""


def _rest_sentence(seconds: float) -> str:
    return f"SSG asked for a rest, so no call is begun for {seconds:.0f} more seconds."


@needs("stop")
def set_switch(workplace: Workplace, *, stopped: bool, reason: str, actor: Actor) -> None:
    """Stop or allow all outbound calls, with a reason."""
    with workplace.db.transaction() as connection:
        connection.execute(
            "INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO "
            "UPDATE SET stopped = excluded.stopped, reason = excluded.reason, set_by = excluded.set_by, set_at = now()",
            (KILL_SWITCH, stopped, reason, actor.name),
        )
        append(connection, workplace.rings.audit.key, actor, "calls stopped" if stopped else "calls allowed", "switch",
               KILL_SWITCH, reason=reason)


def maintenance_now(workplace: Workplace) -> str:
    """The sentence that says until when SSG is not called; empty when it may be."""
    until = closed_until(windows_of(workplace.settings.ssg_maintenance), datetime.now(UTC))
    return sentence(until) if until else ""
