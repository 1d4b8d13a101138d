"""The two envelope dialects and the refusals made of them (ssg-api 3.1 to 3.5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Detail = dict[str, str]

COURSE = "course"
TPG = "tpg"
GATEWAY = "gateway"

DISALLOWED = "Access to this API has been disallowed"
EXPIRED = "Api Version has expired"
NO_VERSION = "This API version does not seem to exist"
UNDECRYPTABLE = "Unable to perform decryption due invalid request"
INVALID = "Invalid input parameter(s)."
BLANK = "TGS-441 - Required fields cannot be blank"
BAD_UEN = "TGS-405 - Invalid training partner UEN"
BAD_COURSE = "TGS-406 - Invalid course reference number"
NOT_OWNED = "Course does not belong to the Training Partner"

PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


@dataclass(slots=True)
class Reply:
    """One answer: HTTP status, JSON body, and whether the endpoint's encryption applies to it."""

    status: int
    body: Any
    kind: str = "success"
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A call that SSG would refuse; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


def detail(field_name: str, message: str) -> Detail:
    """One entry of `error.details` (ssg-api 3.2, 3.3)."""
    return {"field": field_name, "message": message}


def sorted_keys(value: Any) -> Any:
    """The course dialect prints its keys in alphabetical order at every level (ssg-api 3.1, captures)."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


def course_reply(data: Any, meta: Json | None = None) -> Reply:
    """Success in the course dialect: data, error, meta, status (ssg-api 3.1)."""
    return Reply(200, {"data": sorted_keys(data), "error": {}, "meta": meta or {}, "status": 200})


def tpg_reply(data: Any, meta: Json, text_status: bool = False) -> Reply:
    """Success in the TPG dialect: status (int or text by call), data, meta, error (ssg-api 3.1)."""
    return Reply(200, {"status": "200" if text_status else 200, "data": data, "meta": meta, "error": {}})


def course_error(status: int, details: list[Detail], message: str | None = None) -> Refusal:
    """A refusal in the course dialect (ssg-api 3.2)."""
    error = {"code": status, "details": details, "errorId": "", "message": message or PHRASES[status]}
    return Refusal(Reply(status, {"data": {}, "error": error, "meta": {}, "status": status}, "business"))


def tpg_error(status: int, message: str, details: list[Detail]) -> Refusal:
    """A refusal in the TPG dialect; `error` has no code (ssg-api 3.3)."""
    error = {"message": message, "details": details}
    return Refusal(Reply(status, {"status": status, "data": {}, "meta": {}, "error": error}, "business"))


def wrong_uen() -> Refusal:
    """Body UEN is not the caller's: short-circuits every other TPG check (ssg-api 3.4, 14.3)."""
    return tpg_error(403, "Forbidden", [detail("-", BAD_UEN)])


def gateway_error(status: int, message: str, headers: dict[str, str] | None = None) -> Refusal:
    """A refusal before the business API, always plain JSON (ssg-api 3.5)."""
    body = {"status": status, "error": {"message": message}}
    return Refusal(Reply(status, body, "gateway", headers or {}))
