"""The audit log: every mutation with actor, role and correlation id, each entry chained to the one before.

Append-only is the trigger's job, tamper evidence is the chain's, a cut tail is the anchor's.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.store.database import Connection

# Any constant: writers take turns on it, so that the chain cannot fork.
_LOCK = 7_310_002
GENESIS = b"\x00" * 32


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, in which role, under which correlation id."""

    name: str
    role: str
    correlation_id: str


def append(
    connection: Connection, key: bytes, actor: Actor, action: str, entity: str, entity_key: str, **details: Any
) -> int:
    """Append one entry in the caller's transaction; returns its number. ``details`` hold no personal value."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    last = connection.execute("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
    seq, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
    at = datetime.now(UTC)
    body = entry_mac(
        key,
        previous,
        seq=seq,
        at=at,
        actor=actor.name,
        role=actor.role,
        action=action,
        entity=entity,
        entity_key=entity_key,
        correlation_id=actor.correlation_id,
        details=details,
    )
    connection.execute(
        "INSERT INTO audit.entry (seq, at, actor, role, action, entity, entity_key, correlation_id, details, "
        "previous_mac, mac) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            seq,
            at,
            actor.name,
            actor.role,
            action,
            entity,
            entity_key,
            actor.correlation_id,
            Jsonb(details),
            previous,
            body,
        ),
    )
    return seq


def entry_mac(key: bytes, previous: bytes, *, seq: int, at: datetime, details: dict[str, Any], **words: str) -> bytes:
    """The chained HMAC of one entry over its canonical form."""
    form = json.dumps(
        {"seq": seq, "at": at.astimezone(UTC).isoformat(), "details": details, **words}, sort_keys=True, default=str
    )
    return hmac.digest(key, previous + form.encode(), "sha256")


def verify(connection: Connection, key: bytes) -> tuple[int, str | None]:
    """Walk the chain: (entries that hold, None) or (the number of the first broken entry, what is wrong with it)."""
    previous, expected = GENESIS, 1
    cursor = connection.execute(
        "SELECT seq, at, actor, role, action, entity, entity_key, correlation_id, details, previous_mac, mac "
        "FROM audit.entry ORDER BY seq"
    )
    for seq, at, actor, role, action, entity, entity_key, correlation_id, details, before, mac in cursor:
        if seq != expected:
            return expected, f"entry {expected} is missing"
        if bytes(before) != previous:
            return seq, f"entry {seq} does not follow the entry before it"
        right = entry_mac(
            key,
            previous,
            seq=seq,
            at=at,
            actor=actor,
            role=role,
            action=action,
            entity=entity,
            entity_key=entity_key,
            correlation_id=correlation_id,
            details=details,
        )
        if not hmac.compare_digest(right, bytes(mac)):
            return seq, f"entry {seq} was changed"
        previous, expected = bytes(mac), expected + 1
    return expected - 1, None
