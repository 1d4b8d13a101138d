"""The own check of a full look: what it finds in runs that the nightly looks had left out.

Nothing should be there: each change touches its run. What is found is in the plan, the discrepancies and the findings
of that night like all else, and is told besides, as it means that changes went by unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from tms_pipeline.compliance.finding import Finding, count_words, day_words
from tms_pipeline.settled.scope import BY_CALENDAR, FULL_LOOK_DAYS, Scope
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query

RULE = "full-look"
TITLE = "Full look"
# By stage: what was found, one and many.
_WHAT = {
    "plan": ("change that nobody had planned", "changes that nobody had planned"),
    "reconciliation": ("discrepancy", "discrepancies"),
    "compliance": ("finding that had changed", "findings that had changed"),
}
_TO_DO = (
    "Nothing is lost: it is planned and shown from now on. Ask who looks after the database whether triggers were "
    "switched off or rows were changed past them."
)


def must_find_nothing(scope: Scope) -> bool:
    """Whether this look is at everything only because its day has come."""
    return scope.full_look == BY_CALENDAR


def in_plan(connection: Connection, scope: Scope, run_codes: Iterable[str | None], *, today: date) -> None:
    """Note the planned changes of runs on which both sides were said to agree."""
    counts = Counter(run for run in run_codes if run is not None)
    if must_find_nothing(scope) and counts:
        _note(connection, "plan", counts, today, settled=False)


def in_reconciliation(connection: Connection, scope: Scope, review: int, *, today: date) -> None:
    """Note the discrepancies of such runs."""
    if must_find_nothing(scope):
        rows = connection.execute(query("settled/discrepancies"), {"review": review}).fetchall()
        _note(connection, "reconciliation", Counter(dict(rows)), today, settled=False)


def in_agreement(connection: Connection, scope: Scope, *, today: date) -> None:
    """Note the runs of which ``keep.compare`` found that both sides do not agree after all."""
    if must_find_nothing(scope):
        rows = connection.execute("SELECT run_code, 1 FROM looked WHERE NOT agreed").fetchall()
        _note(connection, "agreement", Counter(dict(rows)), today, settled=False)


def in_findings(connection: Connection, scope: Scope, findings: Iterable[Finding], *, today: date) -> None:
    """Note the settled runs whose findings are others than those that were kept, and how many are."""
    if not must_find_nothing(scope):
        return
    kept = _by_run(connection.execute(query("settled/kept_findings"), {"full_look": RULE}))
    found = _by_run((item.run_code, item.rule, item.kind, item.key, item.trainee_ref, item.standing, item.last_day,
                     item.records, item.learners, item.money) for item in findings)  # fmt: skip
    changed = {
        run: max((kept.get(run, Counter()) - found.get(run, Counter())).total(),
                 (found.get(run, Counter()) - kept.get(run, Counter())).total())
        for run in kept.keys() | found.keys()
    }  # fmt: skip
    _note(connection, "compliance", +Counter(changed), today, settled=True)


def _by_run(rows: Iterable[tuple[Any, ...]]) -> dict[str, Counter[tuple[Any, ...]]]:
    """What is said of each run, but for what changes each day."""
    said: dict[str, Counter[tuple[Any, ...]]] = {}
    for run, *rest in rows:
        said.setdefault(run, Counter())[tuple(rest)] += 1
    return said


def _note(connection: Connection, stage: str, counts: Counter[str], today: date, *, settled: bool) -> None:
    connection.execute(
        query("settled/overlooked"),
        {"stage": stage, "today": today, "runs": list(counts), "counts": list(counts.values()), "settled": settled},
    )


def told(connection: Connection, *, today: date, days: int = FULL_LOOK_DAYS) -> Iterator[Finding]:
    """What was overlooked in the last days, as findings, until the next full look."""
    rows = connection.execute(query("settled/told"), {"since": today - timedelta(days=days)})
    for run_code, found_on, stage, records in rows.fetchall():
        what = (
            f"that both sides do not agree on run {run_code}" if stage == "agreement"
            else f"{count_words(records, *_WHAT[stage])} in run {run_code}"
        )
        yield Finding(
            rule=RULE, kind="course_run", run_code=run_code, key=f"{run_code}|{stage}", standing="warning",
            records=records, last_day=found_on, days_left=(found_on - today).days,
            sentence=f"The full look of {day_words(found_on)} found {what}, which the looks before had left out "
            "because nothing seemed to have changed.",
            what_to_do=_TO_DO,
        )
