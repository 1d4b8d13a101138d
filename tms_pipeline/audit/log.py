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

from tms_pipeline.identity.keyring import Key
from tms_pipeline.store import journal
from tms_pipeline.store.database import Connection

# Any constant: writers take turns on it, so that the chain cannot fork.
LOCK = 7_310_002
GENESIS = b"\x00" * 32
FIRST_VERSION = 1


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
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
    last = connection.execute(
        "SELECT seq, mac, key_version FROM audit.entry UNION ALL SELECT seq, mac, key_version FROM audit.beginning "
        "ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    seq, previous, before = (last[0] + 1, bytes(last[1]), int(last[2])) if last else (1, GENESIS, FIRST_VERSION)
    version = key.version if isinstance(key, Key) else FIRST_VERSION
    if isinstance(key, Key) and version < before:
        # This process slept through a rotation: a chain never goes back to an older key.
        key, version = Key.of(key.ring, before), before
    at = datetime.now(UTC)
    mac = entry_mac(
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
        key_version=version,
    )
    connection.execute(
        "INSERT INTO audit.entry (seq, at, actor, role, action, entity, entity_key, correlation_id, details, "
        "previous_mac, mac, key_version) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
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
            mac,
            version,
        ),
    )
    journal.note(
        connection,
        action,
        correlation_id=actor.correlation_id,
        entity=entity,
        entity_key=entity_key,
        upload_id=entity_key if entity == "upload" else None,
        audit=seq,
    )
    return seq


def entry_mac(
    key: bytes,
    previous: bytes,
    *,
    seq: int,
    at: datetime,
    details: dict[str, Any],
    key_version: int = FIRST_VERSION,
    **words: str,
) -> bytes:
    """The chained HMAC of one entry over its canonical form."""
    facts = {"seq": seq, "at": at.astimezone(UTC).isoformat(), "details": details, **words}
    if key_version != FIRST_VERSION:
        facts["key_version"] = key_version
    form = json.dumps(facts, sort_keys=True, default=str)
    return hmac.digest(key, previous + form.encode(), "sha256")


def verify(connection: Connection, key: bytes) -> tuple[int, str | None]:
    """Walk the chain: (entries that hold, None) or (the number of the first broken entry, what is wrong with it)."""
    from tms_pipeline.audit.verification import walk

    found = walk(connection, key)
    first = found.broken[0] if found.broken else None
    return (first.seq, first.sentence) if first else (found.last, None)
