"""An inbox that is no folder: any fsspec URL (S3, SFTP, SharePoint mount, memory), by the same rules.

What fsspec does not know of a store, such as links, cannot be dropped there; everything else is as in ``inbox``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec

from tms_pipeline.intake.inbox import Looks, is_ignored, is_note, note_name

# Where stores keep when a file was written, by the first that is there.
_TIMES = ("mtime", "LastModified", "created", "ETag")


@dataclass(frozen=True)
class RemoteDropped:
    """A file of a remote inbox that stands still."""

    filesystem: Any
    path: str
    source: str
    size: int
    modified: str

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(self.path).name


def look(
    url: str, before: Mapping[str, tuple[int, int]], *, at_once: bool, limit: int
) -> tuple[list[RemoteDropped], Looks]:
    """One look: the files that have the size and time of the look before. Raises OSError when it cannot be read."""
    filesystem, root = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    root = root.rstrip("/")
    if not filesystem.exists(root):
        filesystem.makedirs(root, exist_ok=True)
    ready: list[RemoteDropped] = []
    looks: Looks = {}
    for path, facts in sorted(filesystem.find(root, detail=True).items()):
        inside = PurePosixPath(path.removeprefix(root).lstrip("/"))
        if any(part.startswith((".", "~")) for part in inside.parts) or is_ignored(inside.name) or is_note(inside.name):
            continue
        modified = str(
            facts.get("mtime") or facts.get("LastModified") or facts.get("created") or facts.get("ETag") or ""
        )
        mark = hashlib.sha256(str(inside).encode()).hexdigest()[:16]
        stamp = int(hashlib.sha256(modified.encode()).hexdigest()[:12], 16)
        looks[mark] = (int(facts["size"]), stamp)
        if at_once or tuple(before.get(mark, ())) == looks[mark]:
            source = str(inside.parent)
            ready.append(
                RemoteDropped(filesystem, path, "inbox" if source == "." else source, int(facts["size"]), modified)
            )
    return ready[:limit], looks


def read(dropped: RemoteDropped, *, max_bytes: int) -> bytes:
    """The bytes of the file. Raises OSError when it changed since the look or cannot be read."""
    content: bytes = dropped.filesystem.cat_file(dropped.path, end=max_bytes + 1)
    if len(content) != dropped.size:
        raise OSError("the file changed while it was read")
    return content


def remove(dropped: RemoteDropped) -> None:
    """Take the file out of the inbox, now that the archive has it."""
    dropped.filesystem.rm_file(dropped.path)


def note(dropped: RemoteDropped, sentence: str) -> None:
    """Leave a note beside a file that could not be taken."""
    with dropped.filesystem.open(note_name(dropped.path), "wb") as file:
        file.write((sentence + "\n").encode())
