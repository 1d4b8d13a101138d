"""Key rings: versioned secret keys outside Postgres, in files (the default), in the environment, or held by a vault.

A ring has several versions: the active one makes new values, every one reads old ones. A process that meets a version
which it does not know reads its ring again, so that a rotation needs no restart.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tms_pipeline.identity.vault import Vault, VaultError
from tms_pipeline.settings import SIMULATOR_KEY, Settings

NAMES = ("data", "index", "audit")
_KEY_BYTES = 32
# Keys that anybody can read in this project or guess: production refuses them.
KNOWN_KEYS = frozenset(
    {base64.b64decode(SIMULATOR_KEY), bytes(range(32)), bytes(range(1, 33)), bytes(range(31, -1, -1))}
)


class KeyringError(Exception):
    """A key ring cannot be used; the message is one sentence that says what to do."""


class Key(bytes):
    """A key that knows its version and, for a writer that has slept through a rotation, its ring."""

    version: int
    ring: KeyRing

    @staticmethod
    def of(ring: KeyRing, version: int) -> Key:
        """The key of that version. Raises KeyringError when the ring does not hold it."""
        key = Key(ring.at(version))
        key.version, key.ring = version, ring
        return key


@dataclass
class KeyRing:
    """The keys of one purpose by version; the active one makes new values, every one reads old ones."""

    name: str
    active: int
    keys: dict[int, bytes] = field(repr=False)
    # Reads the ring again from where it came.
    source: Callable[[], KeyRing] | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> Key:
        """The active key."""
        return Key.of(self, self.active)

    def at(self, version: int) -> bytes:
        """The key of that version, read again if it is not known yet. Raises KeyringError for one that is retired."""
        if version not in self.keys:
            self.refresh()
        try:
            return self.keys[version]
        except KeyError:
            raise KeyringError(
                f"Version {version} of the key ring '{self.name}' is not there: it was retired, or the ring is older "
                "than the database; bring the ring back from its backup."
            ) from None

    def refresh(self) -> None:
        """Read the ring again from where it came."""
        if self.source is not None:
            fresh = self.source()
            self.keys, self.active = fresh.keys, fresh.active


@dataclass(frozen=True)
class KeyRings:
    """The three rings: ``data`` wraps data keys, ``index`` makes marks, ``audit`` chains the log."""

    data: KeyRing
    index: KeyRing
    audit: KeyRing

    def named(self, name: str) -> KeyRing:
        """The ring of that name. Raises ValueError for an unknown one."""
        if name not in NAMES:
            raise ValueError(f"There is no key ring '{name}'; there are {', '.join(NAMES)}.")
        ring: KeyRing = getattr(self, name)
        return ring


def path_of(home: Path, name: str) -> Path:
    """The file of a ring."""
    return home / "keys" / f"{name}.ring.json"


def create(home: Path, vault: Vault | None = None) -> list[Path]:
    """Make the rings that are missing; returns the files made. Never overwrites one."""
    folder = home / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in NAMES:
        path = path_of(home, name)
        if path.exists():
            continue
        save(home, KeyRing(name=name, active=1, keys={1: secrets.token_bytes(_KEY_BYTES)}), vault)
        made.append(path)
    return made


def load(home: Path, vault: Vault | None = None) -> KeyRings:
    """The rings in the files of this installation. Raises KeyringError for a missing, broken or readable one."""

    def one(name: str) -> KeyRing:
        ring = _load(path_of(home, name), name, vault)
        ring.source = lambda: _load(path_of(home, name), name, vault)
        return ring

    return KeyRings(**{name: one(name) for name in NAMES})


def rings_of(settings: Settings, vault: Vault | None = None) -> KeyRings:
    """The rings of an installation, from where its settings say; in production none may be known or shared.

    Raises KeyringError with one sentence.
    """
    if settings.key_source == "environment":
        rings = KeyRings(**{name: _of_environment(settings, name) for name in NAMES})
    else:
        vault = vault or vault_of(settings)
        if not (settings.home / "keys").exists():
            if settings.environment == "production":
                raise KeyringError(
                    f"There are no key rings under {settings.home / 'keys'}; make them with 'tms keys init', "
                    "or bring them back from their backup."
                )
            create(settings.home, vault)
        rings = load(settings.home, vault)
    if settings.environment == "production":
        _refuse_for_production(settings, rings)
    return rings


def vault_of(settings: Settings) -> Vault | None:
    """The vault that the settings name, if any."""
    from tms_pipeline.identity.vault import CommandVault

    return CommandVault(settings.key_command) if settings.key_command else None


def save(home: Path, ring: KeyRing, vault: Vault | None = None) -> None:
    """Write the ring beside its place and move it there, so that a crash leaves the old or the new, whole."""
    keys = {version: vault.wrap(key) if vault else key for version, key in ring.keys.items()}
    raw = {"active": ring.active, "keys": {str(v): base64.b64encode(k).decode() for v, k in keys.items()}}
    if vault:
        raw["vault"] = True
    path = path_of(home, ring.name)
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(raw, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def add_version(settings: Settings, ring: KeyRing) -> int:
    """A fresh key in the ring, active from now on; returns its version. Raises KeyringError for the environment's."""
    version = max(ring.keys) + 1
    fresh = replace(ring, active=version, keys={**ring.keys, version: secrets.token_bytes(_KEY_BYTES)})
    _write(settings, fresh, f"add version {version} to {_variable(ring.name)}")
    ring.refresh()
    return version


def drop_version(settings: Settings, ring: KeyRing, version: int) -> None:
    """Take a key out of the ring for good. Raises KeyringError for the environment's, or for the active one."""
    if version == ring.active:
        raise KeyringError(f"Version {version} of '{ring.name}' is the active one; rotate the ring first.")
    fresh = replace(ring, keys={v: key for v, key in ring.keys.items() if v != version})
    _write(settings, fresh, f"take version {version} out of {_variable(ring.name)}")
    ring.refresh()


def _write(settings: Settings, ring: KeyRing, by_hand: str) -> None:
    if settings.key_source == "environment":
        raise KeyringError(f"The key rings come from the environment: {by_hand}, and run this again.")
    save(settings.home, ring, vault_of(settings))


def _variable(name: str) -> str:
    return f"TMS_KEYS_{name.upper()}"


def _of_environment(settings: Settings, name: str) -> KeyRing:
    """``1:BASE64,2:BASE64``; the highest version is the active one."""
    text = {"data": settings.keys_data, "index": settings.keys_index, "audit": settings.keys_audit}[name]
    try:
        pairs = [part.split(":", 1) for part in text.get_secret_value().replace(" ", "").split(",") if part]
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in pairs}
    except (ValueError, binascii.Error):
        keys = {}
    if not keys:
        raise KeyringError(
            f"TMS_KEY_SOURCE is environment, but {_variable(name)} holds no keys; write it as 1:BASE64,2:BASE64."
        )
    return _strong(KeyRing(name=name, active=max(keys), keys=keys), _variable(name))


def _load(path: Path, name: str, vault: Vault | None) -> KeyRing:
    try:
        # One opening for both, so that what is looked at is what is read.
        with path.open(encoding="utf-8") as file:
            facts = os.fstat(file.fileno())
            raw = json.load(file)
        keys = {int(version): base64.b64decode(key, validate=True) for version, key in raw["keys"].items()}
        wrapped, active = bool(raw.get("vault")), int(raw["active"])
    except FileNotFoundError:
        raise KeyringError(
            f"The key ring {path} is missing; make it with 'tms keys init' or bring it back from its backup."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise KeyringError(f"The key ring {path} cannot be read; bring it back from its backup.") from None
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringError(f"Others may read the key ring {path}; run 'chmod 600' on it.")
    if facts.st_uid not in (os.geteuid(), 0):
        raise KeyringError(f"The key ring {path} belongs to another user, who may change it; run 'chown' on it.")
    if wrapped:
        if vault is None:
            raise KeyringError(f"The key ring {path} is wrapped by a vault; set TMS_KEY_COMMAND to its program.")
        try:
            keys = {version: vault.unwrap(key) for version, key in keys.items()}
        except VaultError as error:
            raise KeyringError(f"The key ring {path} cannot be unwrapped: {error}") from None
    return _strong(KeyRing(name=name, active=active, keys=keys), f"key ring {path}")


def _strong(ring: KeyRing, place: str) -> KeyRing:
    weak = any(len(key) != _KEY_BYTES or len(set(key)) < 8 for key in ring.keys.values())
    if weak or ring.active not in ring.keys:
        raise KeyringError(f"The {place} holds a weak key or lacks its active one; bring it back from its backup.")
    return ring


def _refuse_for_production(settings: Settings, rings: KeyRings) -> None:
    every = [key for name in NAMES for key in rings.named(name).keys.values()]
    if any(key in KNOWN_KEYS or all(32 <= byte < 127 for byte in key) for key in every):
        raise KeyringError(
            "ENVIRONMENT is production, but a key ring holds a key that is published or was typed as text; "
            "make rings with 'tms keys init'."
        )
    if len(set(every)) != len(every):
        raise KeyringError(
            "ENVIRONMENT is production, but one key stands in the rings twice; each needs a key of its own."
        )
    folder = settings.home / "keys"
    if settings.key_source == "files" and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyringError(f"Others may enter the folder {folder}; run 'chmod 700' on it.")
    if settings.key_source == "files" and settings.home.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyringError(f"Others may put another key folder into {settings.home}; run 'chmod go-w' on it.")
