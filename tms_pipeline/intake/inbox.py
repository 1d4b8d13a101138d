"""The inbox: where ops drop files. A file counts when it has stood still for two looks."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Lock and temporary names of Excel, LibreOffice, OneDrive, browsers and editors.
_IGNORED_PREFIXES = ("~$", ".", "~")
_IGNORED_SUFFIXES = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".swp", ".lock")
_NOTES = ".note.txt"


@dataclass(frozen=True)
class Dropped:
    """A file in the inbox that stands still."""

    path: Path
    source: str
    size: int
    modified_ns: int


Looks = dict[str, tuple[int, int]]


def look(
    inbox: Path, before: Mapping[str, tuple[int, int]], *, stable_seconds: float, limit: int
) -> tuple[list[Dropped], Looks]:
    """One look into the inbox: the files that stood still since the look before, oldest first, and this look.

    A look holds a hash of each waiting file's name with its size and time, so that it may be kept where others
    read it. Links, folders that lead out, lock files and temporary names are left alone. Raises OSError when
    the inbox cannot be read: a failed look is not an empty inbox.
    """
    ready: list[Dropped] = []
    looks: Looks = {}
    for path in _files(inbox):
        try:
            facts = path.lstat()
        except FileNotFoundError:  # moved away between listing and look
            continue
        if not stat.S_ISREG(facts.st_mode):
            continue
        mark = hashlib.sha256(os.fsencode(path.relative_to(inbox))).hexdigest()[:16]
        seen = (facts.st_size, facts.st_mtime_ns)
        looks[mark] = seen
        quiet = time.time() - facts.st_mtime >= stable_seconds
        if quiet and (stable_seconds == 0 or tuple(before.get(mark, ())) == seen):
            source = legible(path.parent.relative_to(inbox).as_posix())
            ready.append(Dropped(path, "inbox" if source == "." else source, facts.st_size, facts.st_mtime_ns))
    ready.sort(key=lambda item: (item.path.name, item.modified_ns))
    return ready[:limit], looks


def read(dropped: Dropped, *, max_bytes: int) -> bytes:
    """The bytes of the file, never through a link. Raises OSError when it changed or cannot be read."""
    descriptor = os.open(dropped.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        content = file.read(max_bytes + 1)
        facts = os.fstat(file.fileno())
    if (facts.st_size, facts.st_mtime_ns) != (dropped.size, dropped.modified_ns):
        raise OSError("the file changed while it was read")
    return content


def legible(name: str) -> str:
    """A file's name as text that may be kept: a name is bytes to the system, and old programs write no UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def is_ignored(name: str) -> bool:
    """Whether a name is a lock file's or a temporary one's."""
    lower = name.lower()
    return lower.startswith(_IGNORED_PREFIXES) or lower.endswith(_IGNORED_SUFFIXES)


def is_note(name: str) -> bool:
    """Whether a name is one of our own notes'."""
    return name.lower().endswith(_NOTES)


def note_name(name: str) -> str:
    """The name of the note beside a file."""
    return name + _NOTES


def note(dropped: Dropped, sentence: str) -> None:
    """Leave a note beside a file that could not be taken, so that ops see why it still lies there."""
    path = dropped.path.with_name(note_name(dropped.path.name))
    path.write_text(sentence + "\n", encoding="utf-8")


def _files(inbox: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(inbox, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(_IGNORED_PREFIXES)]
        for name in names:
            if is_ignored(name) or is_note(name):
                continue
            found.append(Path(folder) / name)
    if not inbox.is_dir():
        raise NotADirectoryError(f"the inbox {inbox} is no folder")
    return found
