"""Plan: an ordered, hashed set of changes, after the guards.

Pure. The differences themselves come from one set-based SQL statement a kind (sql/diff); here it is decided
what of them goes on, what is withheld, and in which order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tms_pipeline.records.kinds import KINDS

Action = Literal["create", "update", "cancel"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between register and mirror, and where its record came from."""

    kind: str
    key: str
    action: Action
    content_hash: bytes
    fields: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    run_code: str | None = None
    ssg_ref: str | None = None
    generation: int = 0
    deadline: date | None = None
    upload_id: str | None = None
    sheet: str | None = None
    row_number: int | None = None
    withheld: str = ""

    @property
    def order(self) -> int:
        """Parents before children; cancels the other way round, after everything else."""
        place = KINDS[self.kind].order
        return 100 - place if self.action == "cancel" else place

    @property
    def idempotency_key(self) -> str:
        """The same change, decided twice, has the same key; a later one of the same content has another generation."""
        parts = (self.kind, self.key, self.action, self.content_hash.hex(), str(self.generation))
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Cancels beyond both a count and a share of what SSG holds are withheld and shown; the rest goes on."""

    count: int = 10
    share: float = 0.10


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The changes in the order in which they are sent. Equal content has an equal hash."""

    changes: tuple[Change, ...]
    withheld: tuple[Change, ...]
    skipped_kinds: tuple[str, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """What an approval binds to: every change with its content, in order."""
        digest = hashlib.sha256()
        for change in (*self.changes, *self.withheld):
            digest.update(f"{change.idempotency_key}|{bool(change.withheld)}\n".encode())
        return digest.hexdigest()


def make_plan(
    changes: Iterable[Change], *, live_at_ssg: dict[str, int], guard: Guard, not_read: Sequence[str] = ()
) -> Plan:
    """Order the changes and withhold what the guards do not let through.

    ``live_at_ssg`` counts by kind what SSG holds; ``not_read`` names the kinds whose last read failed: nothing of
    them is planned, because what is not known cannot differ.
    """
    skipped = set(not_read)
    going: list[Change] = []
    cancels: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind in skipped:
            continue
        if change.action == "cancel":
            cancels.setdefault(change.kind, []).append(change)
        else:
            going.append(change)
    withheld: list[Change] = []
    for kind, items in cancels.items():
        held = live_at_ssg.get(kind, 0)
        if len(items) > guard.count and len(items) > guard.share * held:
            reason = (
                f"{len(items)} of {held} {KINDS[kind].plural.lower()} would be taken back at SSG at once, more than "
                f"{guard.count} and more than {guard.share:.0%}: a person must release them."
            )
            withheld += [replace(item, withheld=reason) for item in items]
        else:
            going += items
    far = date.max
    going.sort(key=lambda c: (c.order, c.deadline or far, c.kind, c.key))
    withheld.sort(key=lambda c: (c.order, c.kind, c.key))
    counts: dict[str, Counter[str]] = {}
    for change in (*going, *withheld):
        counts.setdefault(change.kind, Counter())["withheld" if change.withheld else change.action] += 1
    return Plan(
        changes=tuple(going),
        withheld=tuple(withheld),
        skipped_kinds=tuple(sorted(skipped)),
        counts={kind: dict(counter) for kind, counter in counts.items()},
    )
