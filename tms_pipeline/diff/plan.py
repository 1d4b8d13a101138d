"""Plan: an ordered, hashed set of changes, after the guards.

Pure. The differences themselves come from one set-based SQL statement a kind (sql/diff); here it is decided
what of them goes on, what is withheld, and in which order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tms_pipeline.records.kinds import KINDS

Action = Literal["create", "update", "cancel"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between register and mirror, and where its record came from.

    ``parents`` must live at SSG before this is sent; ``follows`` names changes of other records that must be settled
    before. ``due`` is the nearest deadline of this change or of what hangs on it. ``elsewhere``: SSG's side was
    changed by somebody else and ours was not, so it is shown and never sent.
    """

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
    follows: tuple[str, ...] = ()
    due: date | None = None
    elsewhere: bool = False

    @property
    def name(self) -> str:
        """Kind and key in one word, as parents and follows name it."""
        return f"{self.kind}:{self.key}"

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
    """Cancels beyond both a count and a share of what SSG holds are withheld and shown; the rest goes on.

    ``kinds`` has a count and a share of their own for some kinds (guards.py).
    """

    count: int = 10
    share: float = 0.10
    kinds: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def of(self, kind: str) -> tuple[int, float]:
        """The count and the share of this kind."""
        return self.kinds.get(kind, (self.count, self.share))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The changes in the order in which they are sent. Equal content has an equal hash."""

    changes: tuple[Change, ...]
    withheld: tuple[Change, ...]
    skipped_kinds: tuple[str, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    elsewhere: tuple[Change, ...] = ()

    @property
    def hash(self) -> str:
        """What an approval binds to: every change with its content, in order."""
        digest = hashlib.sha256()
        for change in (*self.changes, *self.withheld):
            digest.update(f"{change.idempotency_key}|{bool(change.withheld)}\n".encode())
        return digest.hexdigest()


def make_plan(
    changes: Iterable[Change], *, live_at_ssg: dict[str, int], guard: Guard, not_read: Sequence[str] = (),
    unread: Set[str] = frozenset(), resolved: Set[str] = frozenset(),
) -> Plan:
    """Order the changes and withhold what the guards do not let through.

    ``live_at_ssg`` counts by kind what SSG holds; ``not_read`` names the kinds, ``unread`` the records ("kind:key")
    whose last read failed: nothing of them is planned, because what is not known cannot differ. ``resolved`` names
    the records whose difference a person settled in SSG's favour.
    """
    skipped = set(not_read)
    going: list[Change] = []
    elsewhere: list[Change] = []
    cancels: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind in skipped or change.name in unread or change.name in resolved:
            continue
        if change.elsewhere:
            elsewhere.append(change)
        elif change.action == "cancel":
            cancels.setdefault(change.kind, []).append(change)
        else:
            going.append(change)
    withheld: list[Change] = []
    for kind, items in cancels.items():
        held = live_at_ssg.get(kind, 0)
        most, share = guard.of(kind)
        if len(items) > most and len(items) > share * held:
            reason = (
                f"{len(items)} of {held} {KINDS[kind].plural.lower()} would be taken back at SSG at once, more than "
                f"{most} and more than {share:.0%}: a person must release them."
            )
            withheld += [replace(item, withheld=reason) for item in items]
        else:
            going += items
    # SSG refuses the fee of an enrolment that is cancelled already; a new one carries it along.
    leaving = {change.key for change in going if change.kind == "enrolment" and change.action == "cancel"}
    going = [change for change in going if change.kind != "fee" or change.key not in leaving]
    ordered = {change.name: change for change in with_order((*going, *withheld))}
    going = sorted((ordered[change.name] for change in going), key=_turn)
    withheld = sorted((ordered[change.name] for change in withheld), key=_turn)
    counts: dict[str, Counter[str]] = {}
    for change in (*going, *withheld):
        counts.setdefault(change.kind, Counter())["withheld" if change.withheld else change.action] += 1
    for change in elsewhere:
        counts.setdefault(change.kind, Counter())["changed elsewhere"] += 1
    return Plan(
        changes=tuple(going),
        withheld=tuple(withheld),
        skipped_kinds=tuple(sorted(skipped)),
        counts={kind: dict(counter) for kind, counter in counts.items()},
        elsewhere=tuple(sorted(elsewhere, key=lambda c: (c.order, c.kind, c.key))),
    )


def _turn(change: Change) -> tuple[date, int, str, str]:
    """Nearest deadline first; parents before children of the same day."""
    return (change.due or date.max, change.order, change.kind, change.key)


def with_order(changes: Iterable[Change]) -> list[Change]:
    """The changes with what each follows, and with the deadlines of children handed up to their parents."""
    known = {change.name: change for change in changes}
    taken_back: dict[tuple[str | None, str], list[str]] = {}
    for change in known.values():
        if change.action == "cancel" and change.kind in ("attendance", "assessment"):
            taken_back.setdefault(_trainee_in_run(change), []).append(change.name)
    due: dict[str, date] = {}
    ordered: list[Change] = []
    for change in sorted(known.values(), key=lambda c: c.order, reverse=True):
        follows: list[str] = []
        run = known.get(f"course_run:{change.run_code}")
        if change.kind == "session" and run is not None and run.action == "update":
            follows.append(run.name)  # a session outside its run's days is refused, so the run is widened first
        if change.kind == "enrolment" and change.action == "cancel":
            follows += sorted(taken_back.get(_trainee_in_run(change), []))
        days = [day for day in (change.deadline, due.get(change.name)) if day]
        mine = min(days, default=None)
        if mine is not None:
            for name in (*change.parents, *follows):
                due[name] = min(mine, due.get(name, date.max))
        same = mine == change.due and not follows and not change.follows
        ordered.append(change if same else replace(change, follows=tuple(follows), due=mine))
    # What is followed may come earlier in this walk than its follower (cancels run backwards): hand up once more.
    return [_no_later(change, due.get(change.name)) for change in ordered]


def _no_later(change: Change, day: date | None) -> Change:
    """The change, due on that day if that is nearer."""
    return change if day is None or (change.due is not None and change.due <= day) else replace(change, due=day)


def _trainee_in_run(change: Change) -> tuple[str | None, str]:
    """Run and trainee of a change, from its key."""
    parts = change.key.split("|")
    return change.run_code, parts[2] if change.kind == "attendance" else parts[1]
