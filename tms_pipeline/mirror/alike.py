"""Course runs that are alike in everything: which of SSG's is which of ours, told by what hangs on them.

Two evening classes of one course on the same days differ by nothing but their sessions and who is enrolled. Matched the
wrong way round, the trainees of the one would be enrolled once more in the other. So such runs are matched last, when
sessions and enrolments were read, and matched otherwise when later uploads show it, as long as nothing was submitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tms_pipeline.mirror.rows import bind
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

# What hangs on a run and takes its own key from the run's, parents first.
HANGING = ("session", "enrolment", "fee", "attendance", "assessment")


@dataclass(frozen=True)
class Pair:
    """One of SSG's runs beside one of ours, and what they have in common."""

    ssg_ref: str
    key: str
    matched: bool = False
    enrolments: int = 0
    sessions: int = 0
    all_sessions: int = 0

    @property
    def likeness(self) -> tuple[int, int, int]:
        """More is more alike: enrolments first, then sessions, then fewer sessions that only one of the two has."""
        return (self.enrolments, self.sessions, 2 * self.sessions - self.all_sessions)


def assign(pairs: Sequence[Pair]) -> dict[str, str]:
    """Which of SSG's runs is which of ours. Pure.

    The likest come together, each once; what is matched already is undone only where the whole is then more alike.
    Where nothing tells them apart, they are taken in their order.
    """
    afresh, kept = _fill((), pairs), _fill((pair for pair in pairs if pair.matched), pairs)
    chosen = afresh if _total(afresh) > _total(kept) else kept
    return {pair.ssg_ref: pair.key for pair in chosen}


def _fill(begun: Iterable[Pair], pairs: Iterable[Pair]) -> list[Pair]:
    chosen = list(begun)
    refs, keys = {pair.ssg_ref for pair in chosen}, {pair.key for pair in chosen}
    for pair in sorted(pairs, key=lambda p: ([-part for part in p.likeness], not p.matched, p.ssg_ref, p.key)):
        if pair.ssg_ref not in refs and pair.key not in keys:
            chosen.append(pair)
            refs.add(pair.ssg_ref)
            keys.add(pair.key)
    return chosen


def _total(chosen: Iterable[Pair]) -> tuple[int, ...]:
    return tuple(sum(parts) for parts in zip(*(pair.likeness for pair in chosen), strict=True))


def tell_apart(connection: Connection, *, enrolments_read: bool, sessions_unread: frozenset[str]) -> dict[str, int]:
    """Match the runs that are alike. Returns the courses, and how many runs of each, that could not be told apart
    because enrolments, or the sessions of one of them (``sessions_unread``, SSG's run ids), were not read."""
    rows = connection.execute(query("mirror/alike_runs")).fetchall()
    unclear: dict[str, int] = {}
    refs: list[str] = []
    keys: list[str | None] = []
    moved: list[str] = []
    for _, lines in groupby(rows, key=lambda row: bytes(row[0])):
        group = list(lines)
        course, pairs = group[0][1], [Pair(*row[2:]) for row in group]
        held = {pair.ssg_ref for pair in pairs}
        before = {pair.ssg_ref: pair.key for pair in pairs if pair.matched}
        if not enrolments_read or held & sessions_unread:
            if held - before.keys():
                unclear[course] = unclear.get(course, 0) + len(held)
            continue
        now = assign(pairs)
        for ref in sorted(held):
            if now.get(ref) != before.get(ref):
                refs.append(ref)
                keys.append(now.get(ref))
                if ref in before:
                    moved.append(ref)
    if refs:
        connection.execute(query("mirror/match_runs"), {"refs": refs, "keys": keys})
        for kind in HANGING if moved else ():
            if kind != "fee":  # a fee hangs on its enrolment
                connection.execute(query("mirror/unmatch", mirror=f"mirror.{kind}"), {"refs": moved})
        bind(connection, HANGING)
    return unclear
