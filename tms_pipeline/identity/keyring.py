"""Key rings: versioned secret keys in files outside Postgres, readable by their owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("data", "index", "audit")
_KEY_BYTES = 32


class KeyringError(Exception):
    """A key ring cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class KeyRing:
    """The keys of one purpose by version; the active one makes new values, every one reads old ones."""

    name: str
    active: int
    keys: dict[int, bytes] = field(repr=False)

    @property
    def key(self) -> bytes:
        """The active key."""
        return self.keys[self.active]


@dataclass(frozen=True)
class KeyRings:
    """The three rings: ``data`` wraps data keys, ``index`` makes marks, ``audit`` chains the log."""

    data: KeyRing
    index: KeyRing
    audit: KeyRing


def _path(home: Path, name: str) -> Path:
    return home / "keys" / f"{name}.ring.json"


def create(home: Path) -> list[Path]:
    """Make the rings that are missing; returns the files made. Never overwrites one."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in NAMES:
        path = _path(home, name)
        if path.exists():
            continue
        _write(path, KeyRing(name=name, active=1, keys={1: secrets.token_bytes(_KEY_BYTES)}))
        made.append(path)
    return made


def load(home: Path) -> KeyRings:
    """The rings of this installation. Raises KeyringError for a missing, broken or readable-by-others file."""
    return KeyRings(**{name: _load(_path(home, name), name) for name in NAMES})


def _load(path: Path, name: str) -> KeyRing:
    try:
        facts = path.stat()
        raw = json.loads(path.read_text(encoding="utf-8"))
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in raw["keys"].items()}
        ring = KeyRing(name=name, active=int(raw["active"]), keys=keys)
    except FileNotFoundError:
        raise KeyringError(
            f"The key ring {path} is missing; make it with 'tms keys init' or bring it back from its backup."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise KeyringError(f"The key ring {path} cannot be read; bring it back from its backup.") from None
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringError(f"Others may read the key ring {path}; run 'chmod 600' on it.")
    if ring.active not in keys or any(len(key) != _KEY_BYTES or len(set(key)) < 8 for key in keys.values()):
        raise KeyringError(
            f"The key ring {path} holds a weak key or lacks its active one; bring it back from its backup."
        )
    return ring


def _write(path: Path, ring: KeyRing) -> None:
    """Write the ring beside its place and move it there, so that a crash leaves the old or the new, whole."""
    raw = {"active": ring.active, "keys": {str(v): base64.b64encode(k).decode() for v, k in ring.keys.items()}}
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(raw, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
