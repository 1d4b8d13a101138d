"""Opening: a dropped file is opened in a process of its own, under limits, and comes back as grids of cells.

Whatever the file does to that process (crash, abort, endless loop, all memory) ends as a FileRefused with one
plain sentence; the caller's process never parses a byte of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import stat
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tms_pipeline.intake.framing import LENGTH, BadFrame, decode_coded, decode_column, unpacked_bytes
from tms_pipeline.intake.grid import Coded, Grid
from tms_pipeline.records.fault import Fault, fault

if TYPE_CHECKING:
    from tms_pipeline.settings import Settings

# .txt is what Excel writes as Unicode Text.
EXTENSIONS = (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".txt")
TEXTS = (".csv", ".tsv", ".txt")
# Files that people drop and that hold no table we can read, with the way to one that we can.
_OTHERS = {
    ".numbers": "Apple Numbers documents (in Numbers choose File, Export To, Excel)",
    ".gsheet": "links to Google Sheets (in Google Sheets choose File, Download, Microsoft Excel)",
    ".xlsb": "binary Excel workbooks (.xlsb)",
    ".doc": "Word documents",
    ".docx": "Word documents",
    ".pdf": "PDF documents",
    ".zip": "archives (take the files out first)",
    ".eml": "e-mails (save the attachment)",
    ".msg": "e-mails (save the attachment)",
}
READER = Path(__file__).with_name("reader_child.py")
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a dropped file may cost. Sizes in bytes, times in seconds."""

    max_bytes: int = 100 * MIB
    max_rows: int = 200_000
    max_columns: int = 200
    max_inflated_bytes: int = 512 * MIB
    max_ratio: int = 100
    max_entries: int = 1_000
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 60
    wall_seconds: int = 120


def limits_of(settings: Settings) -> Limits:
    """The limits of this installation: rows and bytes as set, and what reading may cost grows with them."""
    usual, size = Limits(), settings.upload_max_mb * MIB
    times = max(1.0, settings.upload_max_rows / usual.max_rows, size / usual.max_bytes)
    return Limits(
        max_bytes=size,
        max_rows=settings.upload_max_rows,
        max_inflated_bytes=int(usual.max_inflated_bytes * times),
        memory_bytes=int(usual.memory_bytes * times),
        cpu_seconds=int(usual.cpu_seconds * times),
        wall_seconds=int(usual.wall_seconds * times),
    )


class FileRefused(Exception):
    """The file cannot be taken in; ``fault`` says why and what to do, ``str()`` is its sentence."""

    def __init__(self, found: Fault) -> None:
        super().__init__(found.sentence)
        self.fault = found


@dataclass(kw_only=True)
class OpenedFile:
    """What a file holds: its format (the extension without the dot), its sheets, and warnings about the whole."""

    format: str
    grids: list[Grid]
    warnings: list[Fault] = field(default_factory=list)
    reader_peak_bytes: int = 0
    reader_cpu_seconds: float = 0.0


def open_upload(path: Path, *, name: str, limits: Limits | None = None) -> OpenedFile:
    """Reads the file at ``path``; ``name`` is what it was called when dropped, and only its extension counts.

    Raises FileRefused with one sentence for every file that cannot be taken in.
    """
    limits = limits or Limits()
    extension = Path(name.replace("\\", "/")).suffix.lower()
    descriptor = _open_safely(path, limits)
    try:
        if extension not in EXTENSIONS:
            kind = f"{extension[:12]} files" if extension else "files without an extension"
            raise refused("FILE_KIND_UNKNOWN", kind=_OTHERS.get(extension, kind))
        opened = _read_in_child(descriptor, extension, limits)
    finally:
        os.close(descriptor)
    if not any(len(grid.numbers) for grid in opened.grids):
        raise refused("FILE_EMPTY")
    return opened


def refused(code: str, **words: object) -> FileRefused:
    """The refusal of that code."""
    sheet = words.pop("sheet", None)
    filling: dict[str, Any] = words
    return FileRefused(fault(code, sheet=str(sheet) if sheet else None, **filling))


def _open_safely(path: Path, limits: Limits) -> int:
    """A descriptor of an ordinary file. Links are not followed, pipes and devices are not waited for."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            raise refused("FILE_IS_LINK")
        if stat.S_ISDIR(status.st_mode):
            raise refused("FILE_IS_FOLDER")
        if not stat.S_ISREG(status.st_mode):
            raise refused("FILE_NOT_ORDINARY")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise refused("FILE_MISSING") from None
    except (OSError, ValueError):
        raise refused("FILE_UNREADABLE") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise refused("FILE_NOT_ORDINARY")
        if status.st_size == 0:
            raise refused("FILE_EMPTY")
        if status.st_size > limits.max_bytes:
            raise refused("FILE_TOO_LARGE", limit=limits.max_bytes // MIB)
    except FileRefused:
        os.close(descriptor)
        raise
    return descriptor


def _read_in_child(descriptor: int, extension: str, limits: Limits) -> OpenedFile:
    """The answer of the reading process, understood as it comes. Raises FileRefused when it dies, hangs or lies."""
    settings = json.dumps({**asdict(limits), "extension": extension})
    # Nothing of our environment: it holds passwords and keys.
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-I", "-X", "utf8", str(READER), settings]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and script
        command,
        stdin=descriptor,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
        pipesize=MIB,
    ) as process:
        answer = _Answer(process, limits)
        try:
            opened = _understand(answer, extension)
            answer.finish()
        except (BadFrame, ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError):
            if answer.ended and (code := answer.finish()):
                raise _died(code, limits) from None
            raise refused("FILE_READER_FAILED", detail="no answer that we trust") from None
        finally:
            _end(process)
    return opened


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and the one beside it, which share a group of their own."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class _Answer:
    """The frames that the process writes, one by one. Bounded in time and in size."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        assert process.stdout is not None
        self.process, self.limits = process, limits
        self.descriptor = process.stdout.fileno()
        self.deadline = time.monotonic() + limits.wall_seconds
        self.left = limits.memory_bytes
        self.ended = False
        os.set_blocking(self.descriptor, False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.descriptor, selectors.EVENT_READ)

    def block(self) -> memoryview:
        """The next frame. Raises BadFrame at the end of the answer, FileRefused past a limit."""
        (size,) = LENGTH.unpack(self._exactly(LENGTH.size))
        self.spend(size + LENGTH.size)
        return self._exactly(size)

    def spend(self, size: int) -> None:
        """Count what the answer takes here, before it does. Raises FileRefused past the limit of memory."""
        self.left -= size
        if self.left < 0:
            raise refused("FILE_TOO_HUNGRY", limit=self.limits.memory_bytes // 1_000_000)

    def _exactly(self, size: int) -> memoryview:
        view = memoryview(bytearray(size))
        at = 0
        while at < size:
            try:
                got = os.readv(self.descriptor, [view[at:]])
            except BlockingIOError:
                seconds = self.deadline - time.monotonic()
                if seconds <= 0 or not self.selector.select(seconds):
                    raise self._too_slow() from None
                continue
            if not got:
                self.ended = True
                raise BadFrame("the answer ends")
            at += got
        return view

    def finish(self) -> int:
        """Waits for the end of the process and returns its exit code. Raises FileRefused when it does not end."""
        self.selector.close()
        try:
            return self.process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise self._too_slow() from None

    def _too_slow(self) -> FileRefused:
        return refused("FILE_TOO_SLOW", limit=self.limits.wall_seconds)


def _died(code: int, limits: Limits) -> FileRefused:
    """What the end of the process means. The fast reader aborts when it cannot have the memory it asks for."""
    if code == -signal.SIGXCPU:
        return refused("FILE_TOO_SLOW", limit=limits.cpu_seconds)
    if code in (-signal.SIGABRT, -signal.SIGKILL):
        return refused("FILE_TOO_HUNGRY", limit=limits.memory_bytes // 1_000_000)
    return refused("FILE_READER_FAILED", detail=f"signal {-code}" if code < 0 else f"exit {code}")


def _understand(answer: _Answer, extension: str) -> OpenedFile:
    """The answer as grids. Nothing in it is trusted: whatever does not fit raises an error, which is a refusal."""
    grids: list[Grid] = []
    while True:
        head = json.loads(bytes(answer.block()))
        if "refused" in head:
            raise refused(head["refused"], **head["words"])
        if "done" in head:
            found = [fault(code, **words) for code, words in head["warnings"]]
            return OpenedFile(
                format=extension[1:],
                grids=grids,
                warnings=found,
                reader_peak_bytes=head["peak_bytes"],
                reader_cpu_seconds=head["cpu_seconds"],
            )
        grids.append(_grid(head["sheet"], answer, text=extension in TEXTS))


def _grid(facts: dict[str, Any], answer: _Answer, *, text: bool) -> Grid:
    count = int(facts["count"])
    if facts["rows"] is not None:
        numbers = np.arange(facts["rows"][0], facts["rows"][1] + 1, dtype=np.int64)
    else:
        numbers = np.array(facts["row_numbers"], dtype=np.int64)
    if len(numbers) != count:
        raise BadFrame("row numbers of the wrong length")
    columns = []
    coded: dict[int, Coded] = {}
    for index in range(int(facts["columns"])):
        head = json.loads(bytes(answer.block()))
        # A few letters a cell on their way are many times that here, and the reading process may hold them as bytes.
        answer.spend(unpacked_bytes(head["parts"], count))
        pieces = [answer.block() for _ in range(int(head["blocks"]))]
        once = decode_coded(head["parts"], iter(pieces), count)
        if once is not None:
            coded[index] = Coded(*once)
        columns.append(decode_column(head["parts"], iter(pieces), count) if once is None else once[0][once[1]])
    return Grid(
        sheet=str(facts["name"]),
        hidden=bool(facts["hidden"]),
        numbers=numbers,
        columns=columns,
        coded=coded,
        hidden_rows=frozenset(facts["hidden_rows"]),
        hidden_columns=frozenset(facts["hidden_columns"]),
        merged=[(area[0], area[1], area[2], area[3]) for area in facts["merged"]],
        problems={(row, column): str(code) for row, column, code in facts["problems"]},
        epoch_1904=bool(facts["epoch_1904"]),
        text=text,
    )
