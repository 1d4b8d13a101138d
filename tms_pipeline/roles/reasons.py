"""Reasons: free text that stays for years in the audit log, so nobody may be named in it."""

from __future__ import annotations

from collections.abc import Iterator

from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.masking import redact
from tms_pipeline.store.database import Database

_MOST_WORDS = 6


def checked(reason: str) -> str:
    """The reason. Raises ValueError when it holds what looks like an NRIC, a phone number or an e-mail address."""
    if redact(reason) != reason:
        raise ValueError("The reason holds a personal value; say it without, as it is kept in the audit log.")
    return reason


def names_somebody(db: Database, rings: KeyRings, reason: str) -> bool:
    """Whether some words of the reason, side by side, are the full name of a trainee or trainer of the registers.

    Names are compared by their marks, so none is opened; in the case as typed, in capitals and in title case.
    """
    with db.transaction() as connection:
        marker = Marker(rings.index).follow(connection)
        marks = {
            field: [mark for mark in marker.marks(field, _spans(reason)) if mark is not None]
            for field in ("full_name", "trainer_name")
        }
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM register.trainee WHERE full_name_mark = ANY(%s)) "
            "OR EXISTS (SELECT FROM register.trainer WHERE trainer_name_mark = ANY(%s))",
            (marks["full_name"], marks["trainer_name"]),
        ).fetchone()
    return bool(row and row[0])


def _spans(reason: str) -> Iterator[str]:
    words = [word for word in (word.strip(".,;:!?()\"'") for word in reason.split()) if word]
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
            text = " ".join(words[start:end])
            yield from {text, text.upper(), text.title()}
