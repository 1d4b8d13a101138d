"""Anchors: each night the number and HMAC of the last audit entry, kept outside the database.

A shorter valid chain is still a valid chain; an anchor shows that it was longer. The file is only ever added to, and
each line is signed over the one before it. A copy goes out with the digest, so that whoever cuts the file too is found.
"""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tms_pipeline.identity.keyring import KeyRing, KeyringError
from tms_pipeline.store.database import Connection


class AnchorError(ValueError):
    """The file of anchors is not what was written; the message is one sentence."""


@dataclass(frozen=True)
class Anchor:
    """The end of the log as it stood at a moment."""

    at: str
    seq: int
    mac: bytes

    @property
    def day(self) -> str:
        """The day, YYYY-MM-DD (UTC)."""
        return self.at[:10]

    @property
    def words(self) -> str:
        """The anchor in one line, as the digest mails it and ``tms audit verify --anchor`` reads it."""
        return f"{self.seq}:{self.mac.hex()}:{self.at}"

    @classmethod
    def of_words(cls, words: str) -> Anchor:
        """Read ``words``. Raises AnchorError for anything else."""
        seq, _, rest = words.strip().partition(":")
        mac, _, at = rest.partition(":")
        try:
            return cls(at=at or "a day that was not given", seq=int(seq), mac=bytes.fromhex(mac))
        except ValueError:
            raise AnchorError("An anchor is written as NUMBER:HEX, as it stands in the digest.") from None


def file_of(home: Path) -> Path:
    """The file of anchors of an installation."""
    return home / "anchors" / "anchors.jsonl"


def anchor(connection: Connection, ring: KeyRing, home: Path) -> Anchor | None:
    """Anchor the end of the log now; None for an empty log. Raises AnchorError when the file was changed."""
    row = connection.execute("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return None
    path = file_of(home)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = _lines(path)
    before = json.loads(lines[-1])["signature"] if lines else ""
    made = Anchor(at=datetime.now(UTC).isoformat(timespec="seconds"), seq=int(row[0]), mac=bytes(row[1]))
    facts = {"at": made.at, "seq": made.seq, "mac": made.mac.hex(), "key": ring.active}
    line = json.dumps({**facts, "signature": _sign(ring, facts, before)}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return made


def anchors(ring: KeyRing, home: Path) -> list[Anchor]:
    """Every anchor of the file, oldest first. Raises AnchorError with the first line that is not as it was written."""
    found, before = [], ""
    for number, line in enumerate(_lines(file_of(home)), start=1):
        try:
            raw = json.loads(line)
            facts = {name: raw[name] for name in ("at", "seq", "mac", "key")}
            signature = str(raw["signature"])
            right = _sign(ring, facts, before)
            item = Anchor(at=str(raw["at"]), seq=int(raw["seq"]), mac=bytes.fromhex(raw["mac"]))
        except (ValueError, KeyError, TypeError, KeyringError):
            signature, right = "", "-"
        if not hmac.compare_digest(signature, right):
            raise AnchorError(
                f"Line {number} of {file_of(home)} was changed, or lines before it were removed; compare with the "
                "anchors in the digests."
            )
        found.append(item)
        before = signature
    return found


def latest(home: Path) -> Anchor | None:
    """The last anchor, for the digest; None if there is none yet."""
    lines = _lines(file_of(home))
    if not lines:
        return None
    raw = json.loads(lines[-1])
    return Anchor(at=raw["at"], seq=int(raw["seq"]), mac=bytes.fromhex(raw["mac"]))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _sign(ring: KeyRing, facts: dict[str, object], before: str) -> str:
    form = json.dumps({**facts, "before": before}, sort_keys=True)
    return hmac.digest(ring.at(int(str(facts["key"]))), b"anchor|" + form.encode(), "sha256").hex()
