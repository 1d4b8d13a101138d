"""Fresh runs: SSG takes up to 15 minutes to show a new course run to its enrolment and assessment calls (ssg-api 4.1).

A refusal that names the run in that time says "not yet", not "never": it waits and burns no attempt.
"""

from __future__ import annotations

from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.store.queries import query
from tms_pipeline.submission.claimed import Claimed
from tms_pipeline.submission.states import State
from tms_pipeline.submission.verdict import Pace, Verdict
from tms_pipeline.workplace import Workplace

# The calls of TPG that name a run; those of the course side know it at once.
_NAMES_A_RUN = frozenset({"enrolment", "assessment"})
REASON = "its course run is so new that SSG may not show it to this call yet"


def until_its_run_is_seen(
    workplace: Workplace, item: Claimed, error: SsgError, verdict: Verdict, pace: Pace
) -> Verdict:
    """The verdict; or, for what SSG refuses because it does not see our new run yet, to send it when it must."""
    refused = verdict.state == State.REJECTED and error.error_class is ErrorClass.PERMANENT
    if not refused or not pace.visible or item.action != "create" or item.kind not in _NAMES_A_RUN:
        return verdict
    if error.fields and not any("run" in name for name in error.fields):
        return verdict
    age = workplace.db.value(query("outbox/age_of_run"), {"run": item.run_code})
    if age is None or age >= pace.visible:
        return verdict
    return Verdict(state=State.READY, wait=pace.visible - max(float(age), 0.0), unburn=True, reason=REASON)
