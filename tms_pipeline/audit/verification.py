"""Verification: walk the chain, entry by entry in bounded memory, and say where and how it is broken.

The chain shows edits, deletions, insertions and moves; that its end was cut off shows only against an anchor.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from tms_pipeline.audit.anchors import Anchor
from tms_pipeline.audit.log import GENESIS, entry_mac
from tms_pipeline.identity.keyring import Key, KeyringError
from tms_pipeline.store.database import Connection

_AT_ONCE = 2_000
# More than so many places tell nothing new.
MOST_PLACES = 100

_COLUMNS = "seq, at, actor, role, action, entity, entity_key, correlation_id, details, previous_mac, mac, key_version"


@dataclass(frozen=True)
class Broken:
    """One place where the log is not what was written."""

    seq: int
    how: str
    sentence: str


@dataclass
class Verdict:
    """What a walk found."""

    first: int = 1
    last: int = 0
    entries: int = 0
    anchors: int = 0
    broken: list[Broken] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the log is what was written."""
        return not self.broken

    def found(self, seq: int, how: str, sentence: str) -> None:
        """Note one place."""
        if len(self.broken) < MOST_PLACES:
            self.broken.append(Broken(seq, how, sentence))


def walk(connection: Connection, key: bytes, anchors: Iterable[Anchor] = ()) -> Verdict:
    """Walk the whole chain and compare it with the anchors."""
    verdict = Verdict()
    awaited = sorted(anchors, key=lambda anchor: anchor.seq)
    verdict.anchors = len(awaited)
    previous, expected, version = _beginning(connection, key, verdict)
    verdict.first = expected
    after_broken, waiting = False, 0
    with connection.cursor(name="audit_walk") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(f"SELECT {_COLUMNS} FROM audit.entry ORDER BY seq")  # noqa: S608  (constants)
        for seq, at, actor, role, action, entity, entity_key, correlation_id, details, before, mac, of in cursor:
            before, mac = bytes(before), bytes(mac)
            sound = hmac.compare_digest(mac, entry_mac(
                _key(key, of), before, seq=seq, at=at, actor=actor, role=role, action=action, entity=entity,
                entity_key=entity_key, correlation_id=correlation_id, details=details, key_version=of,
            ))  # fmt: skip
            broken = True
            if seq < expected:
                verdict.found(seq, "inserted", f"entry {seq} was inserted before the first one")
            elif seq > expected:
                many = f"entry {expected} is" if seq == expected + 1 else f"entries {expected} to {seq - 1} are"
                verdict.found(expected, "deleted", f"{many} missing")
                broken = not sound
                if broken:
                    verdict.found(seq, "edited", f"entry {seq} was changed")
            elif before != previous and not (after_broken and sound):
                verdict.found(
                    seq, "moved", f"entry {seq} does not follow the entry before it: it was moved or inserted"
                )
            elif not sound:
                verdict.found(seq, "edited", f"entry {seq} was changed")
            elif of < version:
                verdict.found(seq, "old key", f"entry {seq} was written with a key that was not active any more")
            else:
                broken = False
            while waiting < len(awaited) and awaited[waiting].seq <= seq:
                anchor = awaited[waiting]
                if anchor.seq == seq and anchor.mac != mac:
                    verdict.found(seq, "rewritten", f"entry {seq} is not the one that was anchored on {anchor.day}")
                waiting += 1
            previous, expected, version, after_broken = mac, seq + 1, max(version, of), broken
            verdict.entries, verdict.last = verdict.entries + 1, seq
    for anchor in awaited[waiting:]:
        if anchor.seq >= expected:
            verdict.found(
                expected, "cut off",
                f"the end of the log is cut off after entry {expected - 1}: on {anchor.day} it had {anchor.seq}",
            )
            break
    return verdict


def _beginning(connection: Connection, key: bytes, verdict: Verdict) -> tuple[bytes, int, int]:
    """Where the chain begins: at its genesis, or after what the rule of retention has removed."""
    row = connection.execute(
        "SELECT seq, mac, key_version, removed_at, signature FROM audit.beginning ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return GENESIS, 1, 1
    seq, mac, version, removed_at, signature = row
    right = beginning_signature(_key(key, version), seq, bytes(mac))
    if not hmac.compare_digest(right, bytes(signature)):
        verdict.found(seq, "deleted", f"entries up to {seq} are missing and no rule of retention removed them")
    del removed_at
    return bytes(mac), seq + 1, version


def beginning_signature(key: bytes, seq: int, mac: bytes) -> bytes:
    """What proves that the rule of retention removed the entries up to this one."""
    return hmac.digest(key, b"beginning|" + str(seq).encode() + b"|" + mac, "sha256")


def _key(key: bytes, version: int) -> bytes:
    if not isinstance(key, Key) or key.version == version:
        return key
    try:
        return key.ring.at(version)
    except KeyringError:
        # No entry of a key that is not there can be sound: with any fixed key in its place, anybody could write one.
        return secrets.token_bytes(32)
