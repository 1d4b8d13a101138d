"""What came back: object, quoted text or ciphertext; both envelopes; the error inside (ssg-api 2.3, 3)."""

import datetime as dt
import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from tms_pipeline.ssg.crypto import BodyCipher

MAX_WAIT_SECONDS = 86_400.0
_FIELD_NAME = re.compile(r"[A-Za-z_][\w.\[\]]{0,99}")
_ID_LIKE = re.compile(r"[STFGMstfgm]\d{7}[A-Za-z]|\d{6,}")
_TGS_CODE = re.compile(r"TGS-\d{3}(?!\d)")


@dataclass(frozen=True, repr=False)
class Problem:
    """An error that SSG answered. `message` is for matching only and is thrown away after it."""

    dialect: str
    status: int
    codes: tuple[str, ...]
    message: str
    fields: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Answer:
    """A body that was understood. `document` is None when it was no JSON object; `text` then holds it."""

    status: int
    document: dict[str, Any] | None
    text: str = ""

    @property
    def data(self) -> Any:
        """`data`, None when there is none."""
        return (self.document or {}).get("data")

    @property
    def meta(self) -> dict[str, Any]:
        """`meta`, at top level or, as an old script has it, inside `data` (ssg-api 3.1)."""
        meta = (self.document or {}).get("meta")
        if not meta and isinstance(self.data, dict):
            meta = self.data.get("meta")
        return meta if isinstance(meta, dict) else {}

    def member(self, *names: str) -> Any:
        """`data.a.b…`, None as soon as one is missing."""
        value = self.data
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def read_answer(status: int, body: bytes, cipher: BodyCipher | None) -> Answer:
    """Understand a body in any of its three forms; error strings inside are decrypted too."""
    try:
        text = body.decode("utf-8").strip().lstrip("\ufeff")
    except UnicodeDecodeError:
        return Answer(status, None)
    value = _parse(text)
    if isinstance(value, str):
        text, value = value, _parse(value)
    if not isinstance(value, dict) and cipher is not None:
        opened = _decrypt(text, cipher)
        if opened is not None:
            text, value = opened, _parse(opened)
    if not isinstance(value, dict):
        return Answer(status, None, text)
    error = value.get("error")
    if isinstance(error, str) and error and cipher is not None:
        opened = _decrypt(error, cipher)
        if opened is not None:
            parsed = _parse(opened)
            value = {**value, "error": parsed if isinstance(parsed, dict) else opened}
    return Answer(status, value)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _decrypt(text: str, cipher: BodyCipher) -> str | None:
    try:
        return cipher.decrypt(text)
    except ValueError:
        return None


def whole_number(value: Any) -> int | None:
    """200 from 200 or "200" (ssg-api 3.1); None from anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value) else None


def find_problem(answer: Answer) -> Problem | None:
    """The error of an answer, None when it is a success. A 200 that carries an error is an error."""
    document = answer.document
    if document is None:
        if answer.status < 300:
            return None
        return Problem("gateway", answer.status, _codes(answer.text), answer.text[:4000], ())
    error = document.get("error") or document.get("errors")
    inner = whole_number(document.get("status"))
    status = answer.status
    if status < 300 and inner is not None and inner >= 300:
        status = inner
    if status < 300 and not _says_something(error):
        return None
    texts = list(_texts(error)) + list(_texts(document.get("message")))
    message = "\n".join(texts)[:4000]
    details = error.get("details") if isinstance(error, dict) else error
    fields = tuple(
        detail["field"]
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict) and _safe_field(detail.get("field"))
    )
    return Problem(_dialect(document, error), status, _codes(message), message, fields[:20])


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_says_something(member) for member in value.values())
    if isinstance(value, list):
        return any(_says_something(member) for member in value)
    return value not in (None, "", 0, False)


def _texts(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth < 4:
        for name, member in value.items():
            if name != "field":
                yield from _texts(member, depth + 1)
    elif isinstance(value, list) and depth < 4:
        for member in value:
            yield from _texts(member, depth + 1)


def _dialect(document: dict[str, Any], error: Any) -> str:
    if "data" not in document or not isinstance(error, dict):
        return "gateway"
    return "course" if "errorId" in error or "code" in error else "tpg"


def _codes(message: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_TGS_CODE.findall(message)))


def _safe_field(name: Any) -> bool:
    """A field's name, as long as it looks like one and not like somebody's number."""
    return isinstance(name, str) and bool(_FIELD_NAME.fullmatch(name)) and not _ID_LIKE.search(name)


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Seconds to wait from a Retry-After header: a number of seconds or an HTTP date; at most a day."""
    if not value:
        return None
    if re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", value):
        return min(float(value), MAX_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_WAIT_SECONDS)
