"""Webhooks: JSON by POST, signed as standardwebhooks.com describes (HMAC-SHA256 over id, time and body)."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import datetime
from typing import Any

import httpx

from tms_pipeline.alarms.refused import NotTaken

_SECONDS = 10.0
# Over but perhaps not for ever: a timeout, too early, too many requests, and whatever the server blames on itself.
_AGAIN = frozenset({408, 425, 429})


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature``: v1 and the base64 of the HMAC."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def post(url: str, secret: str, message_id: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Post the payload. ``message_id`` stays the same when it is sent again. Raises NotTaken, without the address."""
    body = json.dumps(payload, ensure_ascii=False, sort_keys=True).encode()
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
    try:
        status = httpx.post(url, content=body, headers=headers, timeout=_SECONDS, follow_redirects=False).status_code
    except httpx.HTTPError:
        raise NotTaken("The webhook does not answer.", down=True) from None
    if not 200 <= status < 300:
        again = status in _AGAIN or status >= 500
        raise NotTaken(f"The webhook did not take it (HTTP {status}).", down=again, for_good=not again)
