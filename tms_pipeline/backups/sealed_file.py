"""The file of a backup: a header that can be read by anybody, then AES-256-GCM in chunks; nothing of it can be changed,
reordered or cut off unseen.

The key is derived (HKDF-SHA256) from the ring ``index``: a backup from before a rotation of that ring needs its old key
anyway. Not from the ring ``data``: each shredding destroys its old versions, and old backups must stay readable, but
for the people who are gone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tms_pipeline.identity.keyring import KeyRing, KeyringError

MAGIC = b"TMS BACKUP 1\n"
CHUNK_BYTES = 4 * 1024 * 1024
_TAG_BYTES = 16
# Room for the counts of a few thousand tables.
_LONGEST_HEADER = 4 * 1024 * 1024


class BackupError(ValueError):
    """A backup cannot be made, read or restored; the message is one sentence that says what to do."""


class NotTried(BackupError):
    """Nothing was tried: another restore or drill runs, or there is no such backup. It says nothing of any backup."""


def seal_to(path: Path, ring: KeyRing, facts: dict[str, Any], fill: Callable[[IO[bytes]], None]) -> str:
    """Write a backup file, for its owner only; ``fill`` writes the content. Returns the sha256 of the file."""
    salt = secrets.token_bytes(16)
    header = {
        "facts": facts, "ring": ring.name, "key": ring.active, "salt": base64.b64encode(salt).decode(),
        "chunk": CHUNK_BYTES,
    }  # fmt: skip
    line = json.dumps(header, sort_keys=True).encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        writer = _Writer(file, _cipher(ring.at(ring.active), salt), line)
        fill(writer)  # type: ignore[arg-type]
        writer.finish()
        file.flush()
        os.fsync(file.fileno())
    return writer.sha256.hexdigest()


def facts_of(file: IO[bytes], name: str) -> dict[str, Any]:
    """What the header says, without a key and without proof. Raises BackupError for anything but a backup."""
    return _header(file, name)[0]["facts"]  # type: ignore[no-any-return]


def open_sealed_file(file: IO[bytes], ring: KeyRing, name: str) -> tuple[dict[str, Any], IO[bytes]]:
    """The header's facts, and the content to read from; each read raises BackupError when a byte was changed.

    The facts are proven by the first read. Raises BackupError for a wrong key or anything but a backup.
    """
    header, line = _header(file, name)
    try:
        key = ring.at(int(header["key"]))
    except KeyringError:
        raise BackupError(
            f"{name} was sealed with version {header['key']} of the key ring '{ring.name}', which is not there; bring "
            "the ring of its day back, as docs/keys.md says."
        ) from None
    reader = _Reader(file, _cipher(key, base64.b64decode(header["salt"])), line, name)
    return header["facts"], reader  # type: ignore[return-value]


def _header(file: IO[bytes], name: str) -> tuple[dict[str, Any], bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupError(f"{name} is no backup of tms, or its beginning was changed; take another one.")
    # Not every file of fsspec takes a length for its lines.
    line = file.read(_LONGEST_HEADER).partition(b"\n")[0] + b"\n"
    file.seek(len(MAGIC) + len(line))
    try:
        header = json.loads(line)
        if header["chunk"] != CHUNK_BYTES or not isinstance(header["facts"], dict):
            raise ValueError(name)
        base64.b64decode(header["salt"], validate=True)
        int(header["key"])
    except (ValueError, KeyError, TypeError):
        raise BackupError(f"{name} was changed or is not whole; take another one.") from None
    return header, line


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"tms backup").derive(bytes(key)))


def _place(number: int, line: bytes, last: bool) -> tuple[bytes, bytes]:
    """Nonce and associated data of a chunk: its number, whether it is the last, and the header before it."""
    return number.to_bytes(12, "big"), hashlib.sha256(line).digest() + (b"last" if last else b"more")


class _Writer:
    def __init__(self, file: IO[bytes], cipher: AESGCM, line: bytes) -> None:
        self._file, self._cipher, self._line = file, cipher, line
        self._waiting = bytearray()
        self._number = 0
        self.sha256 = hashlib.sha256()
        self._put(MAGIC + line)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        nonce, bound = _place(self._number, self._line, last)
        self._put(self._cipher.encrypt(nonce, plain, bound))
        self._number += 1

    def _put(self, data: bytes) -> None:
        self.sha256.update(data)
        self._file.write(data)


class _Reader:
    def __init__(self, file: IO[bytes], cipher: AESGCM, line: bytes, name: str) -> None:
        self._file, self._cipher, self._line, self._name = file, cipher, line, name
        self._next = file.read(CHUNK_BYTES + _TAG_BYTES)
        self._plain = b""
        self._number = 0
        self._over = False

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        wanted = size
        while wanted != 0:
            if not self._plain:
                if self._over:
                    break
                self._plain = self._open()
                continue
            part = self._plain if wanted < 0 else self._plain[:wanted]
            self._plain = self._plain[len(part) :]
            parts.append(part)
            wanted = wanted - len(part) if wanted > 0 else wanted
        return b"".join(parts)

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._file.read(CHUNK_BYTES + _TAG_BYTES)
        self._over = not self._next
        nonce, bound = _place(self._number, self._line, self._over)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, sealed, bound)
        except (InvalidTag, ValueError):
            why = (
                "cannot be opened: it was changed, or sealed with another installation's keys"
                if self._number == 1
                else "was changed or is not whole"
            )
            raise BackupError(f"{self._name} {why}; take another one, or bring the right key rings back.") from None
