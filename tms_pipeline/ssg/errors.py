"""What can go wrong with SSG, as data: `errors.toml` maps an answer to a class, a sentence and a remedy."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any


class ErrorClass(StrEnum):
    """What the pipeline may do next (docs/ssg-client.md)."""

    RETRYABLE = "retryable"  # SSG did nothing: the same call may be sent again
    PERMANENT = "permanent"  # SSG refused it: the same call will be refused again
    UNKNOWN = "unknown"  # it was sent, and nobody can tell whether SSG did it: search before sending again
    ALREADY_DONE = "already_done"  # what the call wanted is so already
    CREDENTIALS = "credentials"  # certificate, token or subscription
    CONFIGURATION = "configuration"  # our settings: key, version, host


@dataclass(frozen=True)
class ErrorEntry:
    """One row of `errors.toml`. The first row that matches counts."""

    id: str
    title: str
    error_class: ErrorClass
    sentence: str
    remedy: str
    pipeline: str
    source: str
    dialects: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    code: str = ""
    pattern: str = ""
    endpoint: str = "*"
    access: str = "any"
    sent: bool | None = None
    unclassified: bool = False

    def matches(
        self,
        status: int | None,
        dialect: str,
        code: str,
        message: str,
        endpoint: str,
        is_write: bool,
        sent: bool,
    ) -> bool:
        """True when every condition that the row states holds."""
        return (
            (not self.dialects or dialect in self.dialects)
            and (not self.statuses or any(_status_matches(status, wanted) for wanted in self.statuses))
            and (not self.code or self.code == code)
            and (not self.pattern or _compiled(self.pattern).search(message) is not None)
            and any(fnmatchcase(endpoint, glob) for glob in self.endpoint.split("|"))
            and (self.access == "any" or (self.access == "write") == is_write)
            and (self.sent is None or self.sent == sent)
        )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _status_matches(status: int | None, wanted: str) -> bool:
    if status is None:
        return False
    text = str(status)
    return text == wanted or (wanted.endswith("xx") and text[0] == wanted[0])


@cache
def error_table() -> tuple[ErrorEntry, ...]:
    """Every entry, in order of precedence; read once."""
    raw = tomllib.loads(files(__package__).joinpath("errors.toml").read_text(encoding="utf-8"))
    return tuple(_entry(row) for row in raw["entry"])


def _entry(row: dict[str, Any]) -> ErrorEntry:
    values = dict(row)
    values["error_class"] = ErrorClass(values.pop("class"))
    values["statuses"] = tuple(str(status) for status in values.pop("status", ()))
    values["dialects"] = tuple(values.pop("dialect", ()))
    return ErrorEntry(**values)


def entry(entry_id: str) -> ErrorEntry:
    """The entry with this stable id. Raises KeyError."""
    for row in error_table():
        if row.id == entry_id:
            return row
    raise KeyError(entry_id)


def classify(
    http_status: int | None,
    dialect: str,
    code: str,
    message: str,
    *,
    endpoint: str,
    is_write: bool,
    sent: bool,
) -> ErrorEntry:
    """The entry for an answer, or for the lack of one.

    dialect: `course`, `tpg` (ssg-api 3.2, 3.3), `gateway` (3.5, or any body that is no business envelope),
    `transport` (no answer; `code` is then connect, tls-server, tls-client, timeout or reset), `reply` (an
    answer that cannot be used), or `client`. code: a `TGS-nnn` or the transport's own word. message: every
    text of the answer; it is matched and thrown away. sent: whether any byte of the request may have reached
    SSG. Source: ssg-api 3.
    """
    for row in error_table():
        if row.matches(http_status, dialect, code, message, endpoint, is_write, sent):
            return row
    raise LookupError("errors.toml lacks its last, all-matching rows")


class SsgError(Exception):
    """A call that did not succeed. Holds no body, no value and no person.

    code: stable id of the entry (`SSG-TGS-441`), the name of its page in docs/errors. ssg_codes: what
    SSG named. fields: names of the fields SSG complained of. retry_after_seconds: what SSG asked for.
    """

    def __init__(
        self,
        found: ErrorEntry,
        *,
        endpoint: str,
        correlation_id: str = "",
        http_status: int | None = None,
        fields: Iterable[str] = (),
        ssg_codes: Iterable[str] = (),
        retry_after_seconds: float | None = None,
        sentence: str = "",
    ) -> None:
        self.error_class = found.error_class
        self.code = found.id
        self.http_status = http_status
        self.sentence = sentence or found.sentence
        self.remedy = found.remedy
        self.fields = tuple(fields)
        self.ssg_codes = tuple(ssg_codes)
        self.retry_after_seconds = retry_after_seconds
        self.endpoint = endpoint
        self.correlation_id = correlation_id
        super().__init__(self.code)

    def __str__(self) -> str:
        parts = [self.endpoint or "before any call"]
        if self.http_status is not None:
            parts.append(f"HTTP {self.http_status}")
        if self.ssg_codes:
            parts.append(", ".join(self.ssg_codes))
        if self.fields:
            parts.append("fields: " + ", ".join(self.fields))
        if self.correlation_id:
            parts.append(f"correlation id {self.correlation_id}")
        return f"{self.code}: {self.sentence} ({'; '.join(parts)})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.error_class.value!r}, endpoint={self.endpoint!r})"


class ShapeError(SsgError):
    """A request that SSG would refuse for its shape, refused before it was sent.

    field: its name as on the wire (the first, when there are several; `fields` has them all).
    limit: the rule that it breaks, without the value.
    """

    def __init__(
        self,
        field: str,
        limit: str,
        *,
        endpoint: str = "",
        fields: Iterable[str] = (),
        entry_id: str = "SSG-SHAPE",
    ) -> None:
        super().__init__(
            entry(entry_id),
            endpoint=endpoint,
            fields=tuple(fields) or (field,),
            sentence=f"The request was not sent: {field}: {limit}",
        )
        self.field = field
        self.limit = limit


def failure(entry_id: str, *, endpoint: str = "", **details: Any) -> SsgError:
    """An SsgError from the entry with this id."""
    return SsgError(entry(entry_id), endpoint=endpoint, **details)
