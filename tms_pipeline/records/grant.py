"""Grants in words: what SSG's status of a grant means to us, and what a person does about it. Pure.

SSG makes grants from enrolments; nobody can ask for one (ssg-api 8.1). Its status texts are those that production
systems report (Grant Processing, Completed, Cancelled) and those of its ledger's list (ssg-api 8.1, both read
2026-11-21). A text that is on neither list is shown as it came and is called "other".
"""

from __future__ import annotations

PROCESSING, APPROVED, PAID, CANCELLED, OTHER = "processing", "approved", "paid", "cancelled", "other"
EXPECTED, NONE_EXPECTED, NOT_READ = "expected", "none expected", "not read"

# In the order in which a person should look at them.
STANDINGS = (NOT_READ, CANCELLED, OTHER, EXPECTED, PROCESSING, APPROVED, PAID, NONE_EXPECTED)

MEANING = {
    EXPECTED: "SSG supports the course, the enrolment stands there, and no grant is there yet.",
    PROCESSING: "SSG has made the grant and works on it.",
    APPROVED: "SSG has approved the grant and has not paid it yet.",
    PAID: "SSG has paid the grant.",
    CANCELLED: "SSG has cancelled the grant; what was paid is recovered.",
    OTHER: "SSG shows a status that is on none of its known lists; it is shown as it came.",
    NONE_EXPECTED: "SSG shows no period of support for the course on the run's first day.",
    NOT_READ: "Grants could not be read last time; what is shown is older.",
}

_BY_STATUS = {
    "grant processing": PROCESSING,
    "pending review": PROCESSING,
    "approved": APPROVED,
    "pending payment": APPROVED,
    "completed": PAID,
    "paid": PAID,
    "cancelled": CANCELLED,
}

# Reasons of SSG's ledger list (DLT sub-status, ssg-api 8.1) with what helps; others are shown without advice.
_REMEDY = {
    "enrolment fees not paid": "Collect the fee and mark it Full Payment, or see why SSG does not show it.",
    "funding criteria not met": "Compare attendance, assessment and sponsorship with the funding rules of the course.",
    "enrolment cancelled": "Nothing, if the cancellation was meant; else enrol the trainee again.",
    "lapsed": "Ask SSG; a lapsed grant is not paid.",
}


def standing_of(status: str | None) -> str:
    """Our word for SSG's status text; "other" for one that is not known."""
    return _BY_STATUS.get((status or "").strip().casefold(), OTHER)


def known_statuses() -> dict[str, str]:
    """SSG's status texts in lower case, each with our word."""
    return dict(_BY_STATUS)


def remedy_of(standing: str, reason: str | None, *, fee_status: str | None, enrolment_live: bool) -> str:
    """What a person does about a grant, from what SSG says and what the mirror shows beside it."""
    said = (reason or "").casefold()
    for known, advice in _REMEDY.items():
        if known in said:
            return advice
    if standing == NOT_READ:
        return "Look whether SSG answers ('tms preflight') and reconcile again."
    if standing == CANCELLED:
        return (
            "Ask SSG why: the enrolment stands there." if enrolment_live
            else "Nothing, if the enrolment was meant to be cancelled."
        )
    if standing == OTHER:
        return "Look at the grant on TPGateway."
    if standing in (EXPECTED, PROCESSING) and fee_status not in (None, "Full Payment"):
        return f"SSG shows the fee as {fee_status}; an unpaid fee is one of SSG's reasons not to pay a grant."
    return ""
