"""Signed tokens: who somebody is, until when, by HMAC-SHA256 with a key that lies outside Postgres. Pure.

A token proves a name and nothing else: the role is looked up at each use, so that taking it away works at once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tms_pipeline.roles.matrix import NotAllowed

LONGEST = timedelta(days=90)
_LEAD = "tms1"


@dataclass(frozen=True)
class Claim:
    """What a token says: whose it is, when it was made, when it ends."""

    person: str
    made_at: datetime
    ends_at: datetime


def _key(ring_key: bytes) -> bytes:
    # A key of its own out of the ring's, so that a token is never a mark or an entry's MAC, or the other way round.
    return hmac.digest(ring_key, b"tms role token 1", "sha256")


def make(ring_key: bytes, version: int, person: str, *, now: datetime, lasts: timedelta) -> str:
    """A token for the person. Raises ValueError for a time that is none or too long."""
    if not timedelta(0) < lasts <= LONGEST:
        raise ValueError(f"A token lasts up to {LONGEST.days} days; give fewer.")
    claim = {"v": version, "who": person, "from": int(now.timestamp()), "to": int((now + lasts).timestamp())}
    body = _text(json.dumps(claim, sort_keys=True).encode())
    return f"{_LEAD}.{body}.{_text(_mac(ring_key, body))}"


def check(keys: Mapping[int, bytes], token: str, *, now: datetime) -> Claim:
    """What the token says. Raises NotAllowed for one that was altered, is over, or was made with another key."""
    try:
        lead, body, mac = token.strip().split(".")
        claim = json.loads(_bytes(body))
        right = lead == _LEAD and hmac.compare_digest(_mac(keys[claim["v"]], body), _bytes(mac))
        found = Claim(
            str(claim["who"]), datetime.fromtimestamp(claim["from"], UTC), datetime.fromtimestamp(claim["to"], UTC)
        )
    except (ValueError, KeyError, TypeError, binascii.Error, OverflowError, OSError):
        right, found = False, None
    if not right or found is None:
        raise NotAllowed("The token in TMS_TOKEN is not one of this installation, or was altered; ask for a new one.")
    if now >= found.ends_at:
        raise NotAllowed(f"The token in TMS_TOKEN ended on {found.ends_at:%Y-%m-%d %H:%M} UTC; ask for a new one.")
    return found


def _mac(ring_key: bytes, body: str) -> bytes:
    return hmac.digest(_key(ring_key), f"{_LEAD}.{body}".encode(), "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(raw) != text:  # base64 has spare bits: one token, one spelling
        raise ValueError(text)
    return raw
