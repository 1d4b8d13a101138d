"""What a pull saw: how each scope was read, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass
class ScopeRead:
    """How one scope was read. ``since``: only what changed from this day on; None for a whole read."""

    kind: str
    scope: str
    state: str
    records: int = 0
    error_code: str | None = None
    sentence: str | None = None
    since: date | None = None
    calls: int = 0
    pages: int = 0
    bytes: int = 0
    seconds: float = 0.0

    @property
    def mode(self) -> str:
        """``whole`` or ``changes``."""
        return "whole" if self.since is None else "changes"


@dataclass
class PullResult:
    """What a pull saw: a line a scope."""

    reads: list[ScopeRead] = field(default_factory=list)

    @property
    def calls(self) -> int:
        """Calls of all reads; kinds that come in one answer share theirs, so each scope counts once."""
        return sum({(read.scope, read.kind if read.kind != "fee" else "enrolment"): read.calls
                    for read in self.reads}.values())

    def costs(self) -> list[dict[str, Any]]:
        """What the reads cost, one line a kind: how it was read, scopes, records, calls, pages, bytes, seconds."""
        lines: dict[str, dict[str, Any]] = {}
        for read in self.reads:
            line = lines.setdefault(read.kind, {
                "kind": read.kind, "read": read.mode, "scopes": 0, "not_read": 0, "records": 0, "calls": 0, "pages": 0,
                "bytes": 0, "seconds": 0.0,
            })
            line["scopes"] += 1
            line["not_read"] += read.state != "read"
            for name in ("records", "calls", "pages", "bytes"):
                line[name] += getattr(read, name)
            line["seconds"] = round(line["seconds"] + read.seconds, 3)
        return list(lines.values())

    def failed(self) -> list[ScopeRead]:
        """The scopes that were not read."""
        return [read for read in self.reads if read.state != "read"]

    def kinds_not_read(self) -> set[str]:
        """The kinds that were not read at all, or not whole; a run or course that was not read is left to the plan."""
        return {read.kind for read in self.failed() if read.scope == "all"}

    def kinds_in_part(self) -> set[str]:
        """The kinds of which at least one scope was not read."""
        return {read.kind for read in self.failed()}
