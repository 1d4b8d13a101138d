"""Content: keys, liveness and hashes of records, the same on both sides, so that a diff compares hashes.

Pure. Values are canonical text; a personal value stands here as its keyed mark in hex.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from tms_pipeline.records.attendance import PRESENT_MARKS, STATUS_CONFIRMED
from tms_pipeline.records.field import Field, RecordKind

_SEPARATOR = "\x1f"
# Rows whose hash is remembered while many are hashed: enough for a file's repeats, little beside the file.
_REMEMBERED = 50_000

# The field that says whether a record should exist at SSG, and the words that say it should.
LIVE_WORDS: dict[str, tuple[str, frozenset[str]]] = {
    "course_run": ("run_status", frozenset({"confirmed"})),
    "session": ("session_status", frozenset({"confirmed"})),
    "enrolment": ("enrolment_status", frozenset({"confirmed"})),
    "attendance": ("mark", PRESENT_MARKS),
    "assessment": ("assessment_status", frozenset({"confirmed"})),
}


def key_of(kind: RecordKind, values: Mapping[str, str | None], trainee_ref: str | None = None) -> str:
    """The natural key: canonical values of the key fields joined by ``|``, the NRIC as the trainee reference."""
    return "|".join((trainee_ref or "") if name == "nric" else (values.get(name) or "") for name in kind.key)


def is_live(kind: RecordKind, values: Mapping[str, str | None]) -> bool:
    """Whether SSG should hold the record."""
    if kind.name not in LIVE_WORDS:
        return True
    field, words = LIVE_WORDS[kind.name]
    return values.get(field) in words


def digest(values: Iterable[str | None]) -> bytes:
    """The hash of canonical values in order; an empty text and no value are the same."""
    return hashlib.sha256(_SEPARATOR.join(value or "" for value in values).encode()).digest()


def digests(columns: Sequence[Sequence[str | None]]) -> list[bytes]:
    """The hash of each row of aligned columns, as ``digest`` makes it; rows that repeat are hashed once."""
    made: dict[tuple[str | None, ...], bytes] = {}
    found = []
    for values in zip(*columns, strict=True):
        known = made.get(values)
        if known is None:
            if len(made) >= _REMEMBERED:
                made.clear()
            known = made[values] = digest(values)
        found.append(known)
    return found


def ssg_columns(kind: RecordKind) -> tuple[str, ...]:
    """The names whose values make the content that is compared with SSG."""
    if kind.name == "attendance":
        return ("status_code",)
    return tuple(field.name for field in kind.ssg_fields)


def own_hash(kind: RecordKind, values: Mapping[str, str | None]) -> bytes:
    """The hash of what SSG should hold of this record itself (marks in place of personal values)."""
    if kind.name == "attendance":
        return digest([values.get("status_code", STATUS_CONFIRMED)])
    return digest(values.get(name) for name in ssg_columns(kind))


def with_trainee(own: bytes, trainee: bytes) -> bytes:
    """The hash of an enrolment's content: its own and its trainee's, as SSG holds both in one record."""
    return hashlib.sha256(own + trainee).digest()


def fields_of(kind: RecordKind) -> Sequence[Field]:
    """The fields that a register stores: all but the NRIC, which stands as the trainee reference."""
    return [field for field in kind.fields if field.name != "nric"]
