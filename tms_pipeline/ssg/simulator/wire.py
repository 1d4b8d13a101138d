"""Bodies on the wire: reading both request forms, writing replies plain or encrypted (ssg-api 2.3, 2.4)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from . import cipher
from .calls import Endpoint
from .envelopes import INVALID, UNDECRYPTABLE, Refusal, Reply, course_error, detail, gateway_error, tpg_error
from .settings import Settings

MAX_BODY = 16 * 1024 * 1024


def unwrap(raw: bytes) -> str:
    """The ciphertext inside a bare or a quoted body; anything else comes back as it is (ssg-api 2.3)."""
    try:
        found = raw.decode().strip()
    except UnicodeDecodeError:
        return ""
    if len(found) >= 2 and found[0] == found[-1] == '"':
        try:
            inner = json.loads(found)  # a JSON string may carry \\/ escapes
        except ValueError:
            return found[1:-1]
        return inner if isinstance(inner, str) else found
    return found


def _bad_json(endpoint: Endpoint) -> Refusal:
    """Step 4 of the check order; the reply was never captured (ssg-api 14.3) [U]."""
    if endpoint.dialect == "tpg":
        return tpg_error(400, INVALID, [detail("-", "Request body is not JSON")])
    return course_error(400, [detail("", "Request body is not JSON")], INVALID)


def parse_json(text: str, endpoint: Endpoint) -> Any:
    """JSON text to a value, or the refusal of step 4."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad_json(endpoint) from error


def read_body(raw: bytes, endpoint: Endpoint, key: bytes, settings: Settings) -> Any:
    """The decoded body: decrypt, then parse (ssg-api 14.3 steps 3 and 4)."""
    if endpoint.request in ("none", "ignored"):
        return None
    if endpoint.request == "form":
        return dict(parse_qsl(raw.decode("utf-8", "replace")))
    if endpoint.request == "plain":
        return parse_json(raw.decode("utf-8", "replace"), endpoint)
    text = unwrap(raw)
    if endpoint.name == "enrolment.fees" and settings.fee_collection_accepts_plain and text.startswith("{"):
        plain = parse_json(text, endpoint)
        if isinstance(plain, dict) and "enrolment" in plain:  # 2.4 row 12; {"payload": ...} stays refused
            return plain
    try:
        return parse_json(cipher.decrypt(key, text), endpoint)
    except cipher.DecryptionError as error:
        raise gateway_error(400, UNDECRYPTABLE) from error


def is_encrypted(reply: Reply, endpoint: Endpoint, settings: Settings) -> bool:
    """Whether this reply travels as ciphertext (table 2.4 and its note)."""
    if reply.kind == "success":
        return endpoint.reply_encrypted or (endpoint.group == "credit" and settings.encrypt_credit_replies)
    return reply.kind == "business" and endpoint.dialect == "tpg" and settings.encrypt_business_errors


def write_body(reply: Reply, endpoint: Endpoint, key: bytes, settings: Settings) -> bytes:
    """The body bytes of a reply: JSON, or base64 of the encrypted JSON (ssg-api 2.3)."""
    body = reply.body
    sealed = is_encrypted(reply, endpoint, settings) and settings.reply_form != "plain"
    if sealed and reply.kind == "business" and settings.encrypt_error_member:
        body, sealed = {**body, "error": cipher.encrypt(key, json.dumps(body["error"]))}, False
    text = json.dumps(body, separators=(",", ":"))
    if sealed:
        text = cipher.encrypt(key, text)
        text = f'"{text}"' if settings.reply_form == "quoted" else text
    return text.encode()
