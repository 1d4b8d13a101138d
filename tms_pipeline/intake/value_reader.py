"""The value reader: a process beside the look through a workbook, so that both cores of a small machine work.

The look (see ``workbook_xml``) and the fast reader each go once over the whole file. The fast reader begins at once,
in a process of its own under the same limits, and says nothing until the look has found nothing to refuse. What a
hostile file does to it (a far cell that would fill all memory) is a death of that process, which we take as ours.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from tms_pipeline.intake.refusal import Refusal
from tms_pipeline.intake.sheet_look import SheetLook

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

    from tms_pipeline.intake.spreadsheets import Early
    from tms_pipeline.intake.table_rows import Emit

SAID, NOT_WANTED = 0, 9


class SeparatePlace(io.RawIOBase):
    """A file read by position: two processes share a descriptor and, with it, the place where it stands."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor, self.at = descriptor, 0
        self.size = os.fstat(descriptor).st_size

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The place of this reader."""
        return self.at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the place of this reader only."""
        self.at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.size}[whence])
        return self.at

    def readinto(self, buffer: Any) -> int:
        """Reads from the place of this reader."""
        piece = os.pread(self.descriptor, len(buffer), self.at)
        buffer[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)


def read_beside(
    file: IO[bytes],
    first: str | None,
    look: Callable[[], list[SheetLook]],
    emit: Emit,
    refuse: Callable[[Refusal], None],
) -> bool:
    """Looks and reads at once; sends the sheets by ``emit`` from the other process, or its refusal by ``refuse``.

    ``first`` names the sheet that is read before the look is over. Raises Refusal when the look finds something;
    ends this process as the other one ended, if that was by a signal. Returns whether the sheets were sent.
    """
    ready, go = os.pipe()
    beside = os.fork()
    if beside == 0:
        os.close(go)
        os._exit(_read(file, first, ready, emit, refuse))
    os.close(ready)
    try:
        looks = pickle.dumps(look())
    except BaseException:
        os.close(go)
        os.kill(beside, signal.SIGKILL)
        os.waitpid(beside, 0)
        raise
    # A broken pipe: it died, and its end says of what.
    with contextlib.suppress(BrokenPipeError), open(go, "wb") as pipe:
        pipe.write(looks)
    code = os.waitstatus_to_exitcode(os.waitpid(beside, 0)[1])
    if code < 0:
        os.kill(os.getpid(), -code)
    if code not in (SAID, NOT_WANTED):
        os._exit(abs(code))
    return code == SAID


def _read(
    file: IO[bytes],
    first: str | None,
    ready: int,
    emit: Emit,
    refuse: Callable[[Refusal], None],
) -> int:
    """The life of the other process; its exit code. A refusal waits for the look too, whose word comes first."""
    refusal: Refusal | None = None
    workbook: CalamineWorkbook | None = None
    early: Early | None = None
    try:
        from tms_pipeline.intake.spreadsheets import open_workbook, packed, read_sheets, sheet_of

        file.seek(0)
        workbook = open_workbook(file)
        sheet = sheet_of(workbook, first) if first is not None else None
        if first is not None and sheet is not None:
            early = (first, sheet, packed(sheet))
        del sheet
    except Exception as error:
        refusal = _refusal_of(error)
    with open(ready, "rb") as pipe:
        answer = pipe.read()
    if not answer:
        return NOT_WANTED
    if refusal is None and workbook is not None:
        try:
            # From the process that we come from, which has no more to hide than we have.
            looks = pickle.loads(answer)  # noqa: S301
            read_sheets(workbook, looks, emit, early=early)
            return SAID
        except Exception as error:
            refusal = _refusal_of(error)
    refuse(refusal or Refusal("FILE_READER_FAILED", detail="nothing read"))
    return NOT_WANTED


def _refusal_of(error: Exception) -> Refusal:
    """What ops are told of whatever a reader raised."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, MemoryError | RecursionError):
        return Refusal("FILE_TOO_HUNGRY")
    return Refusal("FILE_READER_FAILED", detail=type(error).__name__)
