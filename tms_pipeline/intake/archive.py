"""The sealed archive: every original that ops dropped, named by its sha256, readable with the upload's key only."""

from __future__ import annotations

import os
from pathlib import Path

from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place, seal


def path_of(folder: Path, sha256: str) -> Path:
    """Where the original of that hash lies."""
    return folder / sha256[:2] / f"{sha256}.sealed"


def keep(folder: Path, sha256: str, key: bytes, content: bytes) -> Path:
    """Seal the original into the archive, whole or not at all."""
    path = path_of(folder, sha256)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(seal(key, content, place("archive", "original", sha256)))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return path


@opening_for("own rows")
def original(folder: Path, sha256: str, key: bytes) -> bytes:
    """The original's bytes. Raises FileNotFoundError when the archive lacks it, CannotOpen when it was changed."""
    return open_sealed(key, path_of(folder, sha256).read_bytes(), place("archive", "original", sha256))
