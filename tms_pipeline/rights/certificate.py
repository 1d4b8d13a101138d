"""Certificates of destruction: what was destroyed, when, by whom, under which rule; signed and audited."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

from tms_pipeline.identity.keyring import KeyRing


def folder_of(home: Path) -> Path:
    """Where the certificates of an installation lie."""
    return home / "certificates"


def write(ring: KeyRing, home: Path, facts: dict[str, Any]) -> tuple[Path, str]:
    """Write the certificate, whole or not at all; returns its file and the sha256 of what it says."""
    body = _form(facts)
    signed = {**facts, "sha256": hashlib.sha256(body).hexdigest(), "key_version": ring.active,
              "signature": _sign(ring, ring.active, body)}  # fmt: skip
    folder = folder_of(home)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{facts['certificate']}.json"
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(signed, file, indent=2, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return path, str(signed["sha256"])


def read(ring: KeyRing, path: Path) -> dict[str, Any]:
    """The facts of a certificate. Raises ValueError with one sentence when it was changed or is none of ours."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        facts = {name: value for name, value in raw.items() if name not in ("sha256", "key_version", "signature")}
        right = _sign(ring, int(raw["key_version"]), _form(facts))
        holds = hmac.compare_digest(right, str(raw["signature"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        holds, facts = False, {}
    if not holds:
        raise ValueError(f"{path} is no certificate of this installation, or it was changed.")
    return facts


def _form(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, default=str).encode()


def _sign(ring: KeyRing, version: int, body: bytes) -> str:
    return hmac.digest(ring.at(version), b"certificate|" + body, "sha256").hex()
