"""Guards by kind: how many cancels at once are too many of one kind. Pure."""

from __future__ import annotations

from tms_pipeline.records.kinds import KINDS


def guards_of(text: str) -> dict[str, tuple[int, float]]:
    """The guards of a setting such as ``enrolment:3,5%; attendance:50,20%``: kind → (count, share).

    Raises ValueError with one sentence for one that makes no sense: a guard is never guessed.
    """
    found: dict[str, tuple[int, float]] = {}
    for rule in filter(None, (part.strip() for part in text.split(";"))):
        kind, _, limits = rule.partition(":")
        count, _, share = (part.strip() for part in limits.partition(","))
        percent = share.removesuffix("%").strip()
        known = kind.strip() in KINDS and KINDS[kind.strip()].submitted
        if not known or not count.isdecimal() or not percent.isdecimal() or int(percent) > 100 or "%" not in share:
            raise ValueError(f"'{rule}' is no guard; write kind:count,share, such as enrolment:3,5%, parted by ;")
        if kind.strip() in found:
            raise ValueError(f"{kind.strip()} has two guards; keep one")
        found[kind.strip()] = (int(count), int(percent) / 100)
    return found
