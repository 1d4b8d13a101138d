"""Where backups lie: a folder or any fsspec URL; what is there, what is kept, what goes.

Each backup is two files: the sealed one, and beside it its sha256, written last, so that half a backup is never
taken for a whole one.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import fsspec

from tms_pipeline.backups.sealed_file import BackupError

ENDING = ".tmsbackup"
SUM = ".sha256"
_NAME = re.compile(r"tms-(\d{8}T\d{9})Z(-before-restore)?\.tmsbackup$")
_SINGAPORE = ZoneInfo("Asia/Singapore")
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Kept:
    """A backup that lies there whole."""

    name: str
    made_at: datetime
    bytes: int
    before_restore: bool


def name_of(made_at: datetime, *, before_restore: bool = False) -> str:
    """The name of a backup: its moment in UTC, to the millisecond."""
    stamp = made_at.astimezone(UTC)
    lead = f"tms-{stamp:%Y%m%dT%H%M%S}{stamp.microsecond // 1000:03d}Z"
    return f"{lead}{'-before-restore' if before_restore else ''}{ENDING}"


class Place:
    """A folder of backups, here or anywhere. Raises BackupError when it cannot be reached."""

    def __init__(self, url: str) -> None:
        """Name it; the folder is made by the first write."""
        self.url = url
        try:
            self.fs, self.root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError):
            raise BackupError(
                f"No library here can reach {url.split('://', 1)[0]}://; install the one of fsspec (for s3:// the "
                "extra 's3')."
            ) from None

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in (self.fs.protocol if isinstance(self.fs.protocol, tuple) else (self.fs.protocol,))

    def path(self, name: str) -> str:
        """The full path of a file here."""
        return f"{self.root.rstrip('/')}/{name}"

    def put(self, source: Path, name: str) -> None:
        """Bring a file here, whole or not at all."""
        with self._plainly():
            self._folder_of(name)
            part = self.path(f"{name}.part")
            self.fs.put_file(str(source), part)
            if int(self.fs.info(part)["size"]) != source.stat().st_size:
                raise BackupError(f"{name} did not arrive whole at {self.url}; try again.")
            self.fs.mv(part, self.path(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        with self._plainly():
            self._folder_of(name)
            self.fs.pipe_file(self.path(name), content)

    def read(self, name: str) -> bytes | None:
        """A small file, or None if it is not there."""
        with self._plainly():
            return bytes(self.fs.cat_file(self.path(name))) if self.fs.exists(self.path(name)) else None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read."""
        with self._plainly(), self.fs.open(self.path(name), "rb") as file:
            yield file

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        with self._plainly(), contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self.path(name))

    def names(self, folder: str = "") -> dict[str, int]:
        """Files under a folder of it, at any depth, with their bytes."""
        with self._plainly():
            self.fs.invalidate_cache()
            base = self.path(folder).rstrip("/")
            if not self.fs.exists(base):
                return {}
            found: dict[str, Any] = self.fs.find(base, detail=True)
        lead = self.fs._strip_protocol(base).rstrip("/") + "/"
        return {self.fs._strip_protocol(path).removeprefix(lead): int(facts["size"]) for path, facts in found.items()}

    def backups(self) -> list[Kept]:
        """The whole backups, the oldest first."""
        files = self.names()
        found = []
        for name, size in files.items():
            match = _NAME.fullmatch(name)
            if match and f"{name}{SUM}" in files:
                moment = datetime.strptime(match.group(1)[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                moment += timedelta(milliseconds=int(match.group(1)[15:]))
                found.append(Kept(name, moment, size, bool(match.group(2))))
        return sorted(found, key=lambda one: one.made_at)

    def check_sum(self, name: str) -> None:
        """Compare a file with the sha256 beside it. Raises BackupError with one sentence."""
        told = self.read(f"{name}{SUM}")
        if told is None:
            raise BackupError(f"{name} has no {SUM} beside it: it was never finished; take another one.")
        digest = hashlib.sha256()
        with self.open(name) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != told.decode(errors="replace").split(" ")[0].strip():
            raise BackupError(f"{name} was changed or is not whole: its sha256 is another; take another one.")

    def _folder_of(self, name: str) -> None:
        folder = self.path(name).rsplit("/", 1)[0]
        self.fs.makedirs(folder, exist_ok=True)

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise BackupError(
                f"There is no such file at {self.url}; 'tms backup --list' shows what is there."
            ) from error
        except (OSError, PermissionError):
            raise BackupError(
                f"{self.url} cannot be reached or written to; is it there, and are its credentials?"
            ) from None


def to_keep(found: Iterable[Kept], *, daily: int, weekly: int, monthly: int) -> set[str]:
    """The names that retention keeps: the newest of so many days, weeks and months (Singapore time), and the newest."""
    ordered = sorted(found, key=lambda one: one.made_at, reverse=True)
    kept = {ordered[0].name} if ordered else set()
    for many, form in ((daily, "%Y-%m-%d"), (weekly, "%G-%V"), (monthly, "%Y-%m")):
        seen: set[str] = set()
        for one in ordered:
            period = one.made_at.astimezone(_SINGAPORE).strftime(form)
            if period not in seen and len(seen) < many:
                seen.add(period)
                kept.add(one.name)
    return kept
