"""The words of the reports: what classes, standings, states and kinds mean to a reviewer."""

from __future__ import annotations

import re

from tms_pipeline.records.kinds import KINDS
from tms_pipeline.records.vocabulary import MODE_OF_TRAINING, SPONSORSHIP

CLASSES = {
    "missing there": "We hold it, SSG does not.",
    "not shown there": "SSG answers with neither the course nor a run of it.",
    "missing here": "SSG holds it, we do not.",
    "differs": "Both hold it, with another value in a field.",
    "duplicated there": "SSG holds it more than once.",
    "unknown outcome": "It was sent and no answer came; it is searched for before it is sent again.",
    "waiting": "It waits for its course run, session or enrolment to be at SSG.",
    "withheld": "A guard or a person holds it back.",
    "dead letter": "SSG refused it or it was given up; a person must look.",
    "not read": "SSG could not be read, so nothing is said about this part.",
}
STANDINGS = {
    "missed": "Not at SSG, and the last day is over.",
    "near": "Not at SSG, and the last day is close.",
    "met late": "At SSG, but it came after the last day.",
    "breach": "A rule is broken.",
    "warning": "A rule will be broken if nothing changes.",
}
# A sign beside every colour, so that colour alone never says anything.
SIGNS = {"missed": "✖", "breach": "✖", "near": "▲", "warning": "▲", "met late": "◆", "ahead": "●", "met": "✔"}
CONFIDENCE = {
    "sourced": "from the funding body's own text",
    "old": "from an old or reposted text",
    "third-party": "from providers or vendors only",
    "uncertain": "not established; a setting of ours",
}
_NRIC_SHAPED = re.compile(r"(?i)\b[STFGM]\d{7}[A-Z]\b")


def answer_words(http_status: int | None, step: str | None) -> str:
    """What SSG answered, for a receipt."""
    if step is None:
        return ""
    if step == "search":
        return "found at SSG by a search"
    return "accepted" if http_status is None else f"accepted (HTTP {http_status})"


def kind_words(kind: str) -> str:
    """The plural of a record kind as people say it."""
    return KINDS[kind].plural if kind in KINDS else kind.replace("_", " ").capitalize()


def kind_word(kind: str) -> str:
    """One record of a kind as people say it."""
    return KINDS[kind].title if kind in KINDS else kind.replace("_", " ").capitalize()


def field_words(kind: str, field: str | None) -> str:
    """A field by its column title; what is no field of ours stays as it is."""
    if not field or kind not in KINDS:
        return field or ""
    return next((one.title for one in KINDS[kind].fields if one.name == field), field)


def mode_words(mode: str | None) -> str:
    """The mode of training as people say it."""
    names = MODE_OF_TRAINING.get(mode or "")
    return names[0] if names else (mode or "")


def sponsorship_words(sponsorship: str | None) -> str:
    """Who pays, as people say it."""
    names = SPONSORSHIP.get(sponsorship or "")
    return names[0] if names else (sponsorship or "")


def file_words(name: str) -> str:
    """A file's name for a report: whatever looks like an NRIC is cut out of it."""
    return _NRIC_SHAPED.sub("(number cut)", name.replace("_", " ").replace("-", " ")) if _has_nric(name) else name


def _has_nric(name: str) -> bool:
    return _NRIC_SHAPED.search(name.replace("_", " ").replace("-", " ")) is not None
