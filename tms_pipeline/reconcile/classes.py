"""The classes of discrepancies: what each means, what a person does, and which state of a submission makes it. Pure."""

from __future__ import annotations

CLASSES = (
    "missing there", "missing here", "differs", "duplicated there", "unknown outcome", "waiting", "withheld",
    "dead letter", "not shown there", "not read",
)
BY_STATE = {
    "unknown": "unknown outcome", "sending": "unknown outcome", "held": "withheld", "rejected": "dead letter",
    "dead": "dead letter", "planned": "waiting", "ready": "waiting", "retry": "waiting",
}
TO_DO = {
    "missing there": "Nothing, if the nightly sync has not run since; else look at the plan ('tms plan').",
    "missing here": "If it is right, drop the row that is missing here; if not, cancel it on TPGateway; or resolve it.",
    "differs": "If ours is right, the next sync sends it; if theirs is, correct the row and drop it again.",
    "duplicated there": "Cancel the later one on TPGateway after looking at both.",
    "unknown outcome": "Nothing: SSG is searched again by itself before anything is sent.",
    "waiting": "Nothing: it is sent as soon as its turn comes. If it waits for approval, approve the plan.",
    "withheld": "Look at the plan and release it if the cancellations are meant ('tms release').",
    "dead letter": "Correct the row and drop it again, or retry it ('tms dead-letters show').",
    "not shown there": "Look on TPGateway whether the course is still there, or only its runs were deleted.",
    "not read": "Nothing was changed. Look whether SSG answers ('tms preflight') and reconcile again.",
}
TO_RESOLVE = (
    "Somebody changed this at SSG. Decide: 'tms resolve' with ours (send ours again), theirs (keep SSG's until our "
    "register changes) or ignore."
)
# What hangs on an enrolment, a session or a run that is cancelled here is neither sent nor taken back by itself.
ORPHAN = (
    "Nothing is sent, as its enrolment, session or run is cancelled here. Put it right on TPGateway, or let SSG's "
    "stand: 'tms resolve' with theirs or ignore."
)
ORPHAN_MARK = (
    "Its session is cancelled here, and SSG keeps no mark without its session. If the session took place, correct it; "
    "if not, mark it Absent; or decide: 'tms resolve' with theirs or ignore."
)
# Which side was asked of the other.
COMPARISONS = ("sheet to register", "register to SSG", "SSG to register")
# What is no disagreement of the data: it is being worked on.
UNDER_WAY = frozenset({"waiting", "not read"})
