"""Where backups lie: a folder or any fsspec URL; what is there, what is kept, what goes.

Each backup is two files: the sealed one, and beside it its sha256, written last, so that half a backup is never
taken for a whole one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import fsspec

from tms_pipeline.backups.sealed_file import BackupError, NotTried

ENDING = ".tmsbackup"
SUM = ".sha256"
_NAME = re.compile(r"tms-(\d{8}T\d{9})Z(-before-restore)?\.tmsbackup$")
_SINGAPORE = ZoneInfo("Asia/Singapore")
_BLOCK = 1024 * 1024
_PART = ".part"
_FRESH, _BEFORE_RESTORE = timedelta(days=1), timedelta(days=31)
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "r2"})
# user:password@ of an address, to the last @: a password may hold one, and a slash
_SECRETS = re.compile(r"(://[^/@:]*):.*(?=@)")


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
        """Name it; the folder is made by the first write, a bucket never is."""
        self.url = url
        try:
            self.fs, self.root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError):
            raise BackupError(
                f"No library here can reach {url.split('://', 1)[0]}://; install the one of fsspec (for s3:// the "
                "extra 's3')."
            ) from None
        except Exception:  # each library has errors of its own, whose texts may hold the address with its password
            raise self._unreachable() from None

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a password or anything behind a question mark."""
        if "://" not in self.url:
            return self.url
        address, _, options = self.url.partition("?")
        if "@" in options and "@" not in address:  # it may be a password that holds a question mark
            return _SECRETS.sub(r"\1", f"{address}@").removesuffix("@")
        return _SECRETS.sub(r"\1", address)

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in self._protocols

    @property
    def _protocols(self) -> tuple[str, ...]:
        return self.fs.protocol if isinstance(self.fs.protocol, tuple) else (self.fs.protocol,)

    @property
    def _of_objects(self) -> bool:
        """A store without folders, where an object is there whole or not at all."""
        return not _OBJECT_STORES.isdisjoint(self._protocols)

    def path(self, name: str) -> str:
        """The full path of a file here."""
        return f"{self.root.rstrip('/')}/{name}"

    def put(self, source: Path, name: str) -> None:
        """Bring a file here, whole or not at all."""
        self._bring(name, source.stat().st_size, lambda path: self.fs.put_file(str(source), path))

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all: one that is there already stays until the new one is."""
        self._bring(name, len(content), lambda path: self.fs.pipe_file(path, content))

    def _bring(self, name: str, size: int, bring: Callable[[str], object]) -> None:
        with self._plainly(writing=True):
            self._folder_of(name)
            part = self.path(name if self._of_objects else f"{name}{_PART}")
            bring(part)
            self.fs.invalidate_cache()
            if int(self.fs.info(part)["size"]) != size:
                raise BackupError(f"{name} did not arrive whole at {self.shown}; try again.")
            if part != self.path(name):
                self._rename(part, self.path(name))

    def _rename(self, part: str, path: str) -> None:
        try:
            self.fs.mv(part, path)
        except OSError:  # SMB renames to no name that is taken
            if not self.fs.exists(part) or not self.fs.exists(path):
                raise
            self.fs.rm_file(path)
            self.fs.mv(part, path)

    def read(self, name: str) -> bytes | None:
        """A small file, or None if it is not there."""
        with self._plainly():
            return bytes(self.fs.cat_file(self.path(name))) if self.fs.exists(self.path(name)) else None

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read."""
        with self._plainly():
            file = self.fs.open(self.path(name), "rb")
        try:
            yield _Reading(file, self._plainly)  # type: ignore[misc]  # who reads a backup needs no more of it
        finally:
            file.close()

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
                found.append(Kept(name, _moment(match), size, bool(match.group(2))))
        return sorted(found, key=lambda one: one.made_at)

    def halves(self, before: datetime) -> list[str]:
        """What writes that broke off before that moment have left: parts, and backups without their sum."""
        files = self.names()
        found = []
        for name in files:
            match = _NAME.fullmatch(name.removesuffix(_PART).removesuffix(SUM if name.endswith(_PART) else ""))
            if match and (name.endswith(_PART) or f"{name}{SUM}" not in files) and _moment(match) < before:
                found.append(name)
        return found

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
        if not self._of_objects:  # where "make the folder" may mean "make the bucket": a mistyped one is no new one
            self.fs.makedirs(self.path(name).rsplit("/", 1)[0], exist_ok=True)

    def _unreachable(self) -> BackupError:
        return BackupError(
            f"{self.shown} cannot be reached or written to; see that it is there, that its credentials are right and "
            "that the network lets us through."
        )

    @contextlib.contextmanager
    def _plainly(self, *, writing: bool = False) -> Iterator[None]:
        try:
            yield
        except BackupError:
            raise
        except FileNotFoundError:
            if writing:
                raise BackupError(
                    f"{self.shown} is not there; make the bucket or folder, or correct TMS_BACKUP_URL."
                ) from None
            raise NotTried(
                f"There is no such file at {self.shown}; 'tms backup --list' shows what is there."
            ) from None
        except PermissionError:
            raise BackupError(
                f"{self.shown} refuses us; see that its credentials are right and may {'write' if writing else 'read'} "
                "there."
            ) from None
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BackupError(f"There is no room left at {self.shown}; make room and try again.") from None
            raise self._unreachable() from None
        except Exception:  # each library of fsspec has errors of its own; their texts may hold what is secret
            raise self._unreachable() from None


class _Reading:
    """A file of a place whose reads fail with one sentence."""

    def __init__(self, file: Any, plainly: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._file, self._plainly = file, plainly

    def read(self, size: int = -1) -> bytes:
        with self._plainly():
            return bytes(self._file.read(size))

    def seek(self, offset: int) -> int:
        with self._plainly():
            return int(self._file.seek(offset))


def _moment(match: re.Match[str]) -> datetime:
    """The moment in the name of a backup."""
    stamp = match.group(1)
    return datetime.strptime(stamp[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) + timedelta(milliseconds=int(stamp[15:]))


def to_keep(found: Iterable[Kept], *, daily: int, weekly: int, monthly: int, now: datetime) -> set[str]:
    """The names that retention keeps: the newest of so many days, weeks and months (Singapore time), and the newest.

    What is younger than a day stays, and what was made before a restore for a month: it may hold what somebody damaged,
    so it takes no other one's place.
    """
    ordered = sorted(found, key=lambda one: one.made_at, reverse=True)
    kept = {
        one.name for one in ordered
        if now - one.made_at < (_BEFORE_RESTORE if one.before_restore else _FRESH)
    }  # fmt: skip
    ordered = [one for one in ordered if not one.before_restore]
    kept |= {one.name for one in ordered[:1]}
    for many, form in ((daily, "%Y-%m-%d"), (weekly, "%G-%V"), (monthly, "%Y-%m")):
        seen: set[str] = set()
        for one in ordered:
            period = one.made_at.astimezone(_SINGAPORE).strftime(form)
            if period not in seen and len(seen) < many:
                seen.add(period)
                kept.add(one.name)
    return kept
