"""A check: one thing that was looked at, how it stands, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a check stands. A warning is told but does not make the installation degraded."""

    OK = "ok"
    WARNING = "warning"
    DEGRADED = "degraded"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``facts`` are numbers and words without any personal value.

    ``runbook`` is the name of a page under docs/runbook, without its ending; empty when all is well.
    """

    name: str
    state: State
    sentence: str
    remedy: str = ""
    runbook: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        """Whether nothing needs to be done."""
        return self.state is State.OK

    def as_json(self, runbook_url: str) -> dict[str, Any]:
        """The check as it stands in JSON: facts beside status, sentence, remedy and link."""
        found: dict[str, Any] = {"status": str(self.state), "sentence": self.sentence, **self.facts}
        if not self.fine:
            found["remedy"] = self.remedy
            found["runbook"] = link(runbook_url, self.runbook)
        return found


def ok(name: str, sentence: str, **facts: Any) -> Check:
    """A check that found nothing wrong."""
    return Check(name, State.OK, sentence, facts=facts)


def warning(name: str, sentence: str, remedy: str, runbook: str, **facts: Any) -> Check:
    """A check that found something to look at soon."""
    return Check(name, State.WARNING, sentence, remedy, runbook, facts)


def degraded(name: str, sentence: str, remedy: str, runbook: str, **facts: Any) -> Check:
    """A check that found something that stops work."""
    return Check(name, State.DEGRADED, sentence, remedy, runbook, facts)


def renamed(check: Check, name: str) -> Check:
    """The same finding under another name."""
    return replace(check, name=name)


def link(runbook_url: str, page: str) -> str:
    """Where the page of the runbook is read."""
    return f"{runbook_url.rstrip('/')}/{page}.md"


def worst(checks: Iterable[Check]) -> State:
    """Degraded if any check is; else ok, as warnings do not stop work."""
    return State.DEGRADED if any(check.state is State.DEGRADED for check in checks) else State.OK
