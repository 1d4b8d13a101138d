"""Scripted, seeded faults: which call goes wrong, and how (ssg-api 10; design 7)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .endpoints import NAMES
from .envelopes import Json

BEFORE_COMMIT = ("timeout_before_commit", "reset_before_commit")
AFTER_COMMIT = ("timeout_after_commit", "reset_after_commit")
STATUSES = ("429", "500", "502", "503")
ANSWERS = ("version_expired", "error_in_200", "non_json", "truncated", "wrong_encryption", "page_failing")
AROUND = ("slow", "duplicate", "cancelled_elsewhere", "edited_elsewhere", "empty_page")
KINDS = (*BEFORE_COMMIT, *AFTER_COMMIT, *STATUSES, *ANSWERS, *AROUND)

COMMITS = {"truncated", "wrong_encryption"}  # the handler runs first unless "commit" says otherwise
PARAMS = {
    "seconds",
    "retry_after",
    "status",
    "message",
    "body",
    "content_type",
    "commit",
    "reference",
    "when",
    "set",
    "page",
    "close",
    "keep_total",
    "code",
}


@dataclass(slots=True)
class Fault:
    """One armed fault with its own counter and its own dice, so that a failing run repeats."""

    id: str
    endpoint: str
    kind: str
    on_call: tuple[int, ...] = ()
    every: int = 0
    probability: float | None = None
    times: int | None = None
    body_contains: str = ""
    path_contains: str = ""
    params: Json = field(default_factory=dict)
    seen: int = 0
    fired: int = 0
    dice: random.Random = field(default_factory=random.Random)

    def hits(self) -> bool:
        """Count one matching call and say whether the fault strikes it."""
        self.seen += 1
        if self.times is not None and self.fired >= self.times:
            return False
        struck = (
            self.seen in self.on_call
            if self.on_call
            else self.seen % self.every == 0
            if self.every
            else self.dice.random() < self.probability
            if self.probability is not None
            else True
        )
        self.fired += struck
        return struck

    @property
    def commits(self) -> bool:
        """Whether the handler runs before the answer is spoiled."""
        given = self.params.get("commit")
        return given if isinstance(given, bool) else self.kind in COMMITS

    def as_json(self) -> Json:
        """What the control API and the page show."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "kind": self.kind,
            "on_call": list(self.on_call),
            "every": self.every,
            "probability": self.probability,
            "times": self.times,
            "body_contains": bool(self.body_contains),
            "path_contains": self.path_contains,
            **self.params,
            "seen": self.seen,
            "fired": self.fired,
        }


def _count(entry: Json, name: str) -> int | None:
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"fault {name!r} takes a whole number from 1")
    return value


def parse(entry: Any, number: int, seed: str) -> Fault:
    """One fault from JSON or YAML; ValueError with a sentence when it makes no sense."""
    if not isinstance(entry, dict):
        raise ValueError("a fault is an object with endpoint and kind")
    kind = str(entry.get("kind", "")).removeprefix("http_")
    if kind not in KINDS:
        raise ValueError(f"unknown fault kind {entry.get('kind')!r}; known: {', '.join(KINDS)}")
    endpoint = entry.get("endpoint", "*")
    if not isinstance(endpoint, str) or not any(fnmatchcase(name, endpoint) for name in NAMES):
        raise ValueError(f"no endpoint matches {endpoint!r}; known: {', '.join(NAMES)}")
    params = dict(entry.get("params") or {})
    known = {
        "id",
        "kind",
        "endpoint",
        "on_call",
        "every",
        "probability",
        "times",
        "params",
        "body_contains",
        "path_contains",
    }
    params |= {name: value for name, value in entry.items() if name not in known}
    if unknown := sorted(set(params) - PARAMS):
        raise ValueError(f"unknown fault parameter {unknown[0]!r}; known: {', '.join(sorted(PARAMS))}")
    for name in ("seconds", "retry_after"):
        value = params.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86400:
            raise ValueError(f"fault {name!r} takes seconds from 0 to 86400")
    if "status" in params and not (type(params["status"]) is int and 200 <= params["status"] <= 599):
        raise ValueError("fault 'status' takes an HTTP status from 200 to 599")
    if "set" in params and not isinstance(params["set"], dict):
        raise ValueError("fault 'set' takes an object of fields and values")
    if params.get("when", "before") not in ("before", "after"):
        raise ValueError("fault 'when' takes before or after")
    calls = entry.get("on_call")
    numbers = () if calls is None else tuple(calls) if isinstance(calls, list) else (calls,)
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in numbers):
        raise ValueError("fault 'on_call' takes a whole number from 1, or a list of them")
    chance = entry.get("probability")
    if chance is not None and (
        isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1
    ):
        raise ValueError("fault 'probability' takes a number from 0 to 1")
    return Fault(
        id=str(entry.get("id") or f"F{number}"),
        endpoint=endpoint,
        kind=kind,
        on_call=numbers,
        every=_count(entry, "every") or 0,
        probability=chance,
        times=_count(entry, "times"),
        body_contains=str(entry.get("body_contains") or ""),
        path_contains=str(entry.get("path_contains") or ""),
        params=params,
        dice=random.Random(f"{seed}/{number}/{endpoint}/{kind}"),  # noqa: S311 - repeatable on purpose
    )


class Faults:
    """The faults that are armed now."""

    def __init__(self, seed: str = "0") -> None:
        self.seed = seed
        self.armed: list[Fault] = []
        self._number = 0

    def arm(self, entries: Any) -> list[Fault]:
        """Arm one fault, a list, or {"faults": [...]}; all or none."""
        if isinstance(entries, dict) and "faults" in entries:
            entries = entries["faults"]
        listed = entries if isinstance(entries, list) else [entries]
        fresh = [parse(entry, self._number + i, self.seed) for i, entry in enumerate(listed, 1)]
        self._number += len(fresh)
        self.armed += fresh
        return fresh

    def disarm(self, fault_id: str = "") -> int:
        """Disarm one fault or all; without any the numbering, and so the dice, start again."""
        before = len(self.armed)
        self.armed = [fault for fault in self.armed if fault_id and fault.id != fault_id]
        if not self.armed:
            self._number = 0
        return before - len(self.armed)

    def draw(self, endpoint: str, path: str, body_text: str, page: int | None) -> list[Fault]:
        """The faults that strike this call. Each matching fault counts the call, struck or not."""
        return [
            fault
            for fault in self.armed
            if fnmatchcase(endpoint, fault.endpoint)
            and (not fault.path_contains or fault.path_contains in path)
            and (not fault.body_contains or fault.body_contains in body_text)
            and (fault.params.get("page") is None or fault.params["page"] == page)
            and fault.hits()
        ]
