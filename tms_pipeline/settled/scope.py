"""The scope of a look: everything, or only the runs that may have something to show.

Two sets of runs are left out of a nightly look, both kept in ``finding.looked_run`` by ``settled.keep``:

- **agreed**: register and mirror are at one, and nothing of the run was touched since. Plan and reconciliation leave
  them out; only a change of a row can make them differ.
- **settled**: agreed, and over: it ended some time ago, every record that had a last day is at SSG, and every finding
  about it says what is past. Compliance and the nightly workbooks leave them out, and their findings are kept.

What undoes it, and how:

- A change of a register or of the mirror, by whomever and by whatever way (a file, ``tms intake undo``, a correction, a
  read that found an edit of somebody else, a submission, erasing, a hand in the database): triggers on the tables
  write the run into ``finding.touched_run`` in the transaction of the change. A touched run is in no set. A change of a
  trainee touches all runs of that trainee, one of a course all runs of that course.
- Time alone: an agreed run stays one, as no difference comes with time. Settled is only what has no day ahead: see
  ``keep``.
- A submission under way, a hold, an approval, a resolution: a run with any submission that is not over is not settled,
  and a run with a difference is not agreed, whatever was decided about it. Only a difference makes new submissions.
- Other rules, another release (the text of its queries), a restored database: the fingerprint is another one, and the
  next look is at everything. So it is where the clock went back.
- A crash: what a look keeps, and the touches that it takes away, are one transaction, in one snapshot. A change that is
  not committed when the look begins keeps its touch. Two looks at once take turns (``keep.one_at_a_time``).
- A trigger that is broken or was switched off: every ``TMS_FULL_LOOK_DAYS`` days the look is at everything, and what it
  finds where nothing was to be found is a finding of its own (``settled.overlooked``).
- Row rules: who sees only a part of the rows looks at all of that part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path

from tms_pipeline.compliance.rules import Rule
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import SQL_ROOT, query

FULL_LOOK_DAYS = 7
#: The longest that can be set (TMS_FULL_LOOK_DAYS).
MOST_FULL_LOOK_DAYS = 31
#: Kinds whose rows belong to a run, in the order of the counts that are kept.
KINDS = ("course_run", "session", "enrolment", "fee", "attendance", "assessment")
#: Past so many runs, naming them costs more than reading all.
MOST = 5000
#: Why a full look is made when it is due by the calendar: only then must it find nothing.
BY_CALENDAR = "its day has come"


@dataclass(frozen=True)
class Part:
    """The runs that a stage looks at (None: all) and the live records of those that it leaves out, by kind."""

    runs: tuple[str, ...] | None
    kept: Mapping[str, int]
    left_out: int = 0

    @property
    def whole(self) -> bool:
        """Whether all runs are looked at."""
        return self.runs is None


WHOLE = Part(None, {})


@dataclass(frozen=True)
class Scope:
    """What is to be looked at: ``differing`` by plan and reconciliation, ``open`` by compliance and reports.

    ``full_look`` says why everything is; it is empty when not.
    """

    full_look: str
    differing: Part
    open: Part
    fingerprint: str


def scope_of(
    connection: Connection, *, today: date, rules: Sequence[Rule], full_look_days: int = FULL_LOOK_DAYS
) -> Scope:
    """What a look of this transaction is about. In one snapshot with the look itself nothing can slip between."""
    mark = fingerprint(connection, rules)
    why = _why_everything(connection, today, mark, full_look_days)
    if why:
        return Scope(why, WHOLE, WHOLE, mark)
    rows = connection.execute(query("settled/open_runs")).fetchall()
    differing = tuple(run for run, agreed in rows if not agreed)
    kept = connection.execute(query("settled/kept"), {"runs": [run for run, _ in rows], "differing": list(differing)})
    counts = {agreed: row for agreed, *row in kept.fetchall()}
    return Scope(
        "",
        _part(differing, counts.get("agreed")),
        _part(tuple(run for run, _ in rows), counts.get("settled")),
        mark,
    )


def _part(runs: tuple[str, ...], counts: Sequence[int] | None) -> Part:
    # A line break would end a comment of a query that names the runs.
    if len(runs) > MOST or counts is None or any("\n" in run or "\r" in run for run in runs):
        return WHOLE
    return Part(runs, dict(zip(KINDS, counts[1:], strict=True)), counts[0])


def _why_everything(connection: Connection, today: date, mark: str, days: int) -> str:
    row = connection.execute(query("settled/last_full_look")).fetchone()
    if row is None:
        return "no look at everything was made"
    as_of, known, touched_all, hidden = row
    if hidden:
        return "row rules show a part of the rows"
    if known != mark:
        return "rules, release or database are others"
    if touched_all:
        return "a table was emptied"
    if as_of > today:
        return "the clock went back"
    return BY_CALENDAR if as_of <= today - timedelta(days=days) else ""


def fingerprint(connection: Connection, rules: Sequence[Rule]) -> str:
    """What a look depends on beside the rows: rules, the code's own queries, and this very database."""
    place = connection.execute(query("settled/database")).fetchone()
    return hashlib.sha256(f"{_release()}|{place}|{[repr(rule) for rule in rules]}".encode()).hexdigest()


@cache
def _release() -> str:
    """A mark of the queries and modules that judge."""
    found = hashlib.sha256()
    here = Path(__file__).parent
    folders = [*(SQL_ROOT / name for name in ("diff", "reconcile", "compliance", "settled")),
               here, here.parent / "compliance", here.parent / "reconcile"]  # fmt: skip
    for folder in folders:
        for path in sorted([*folder.glob("*.sql"), *folder.glob("*.py")]):
            found.update(path.name.encode() + path.read_bytes())
    found.update(version("holidays").encode())  # whose days some last days are counted by
    return found.hexdigest()
