"""The reading process: opens one hostile file under limits and answers with tables as plain values.

Run as a script, with the file as its standard input and the limits as its one argument (JSON). It never sees the
parent's environment, writes no file, and its answer on standard output is frames (see ``framing``): first JSON for
each sheet, then its columns; last a closing frame. A refusal is one frame.
"""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import IO, Any

if __name__ == "__main__":
    # Started with -I from a path: neither the working directory nor PYTHONPATH is looked at.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    # A machine that shuts down asks everybody to end. Ending here would read as the file's fault, and refuse it: who
    # started us ends us, and reads the file again another time.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

from tms_pipeline.intake.framing import Encoded, frames
from tms_pipeline.intake.refusal import Refusal

ZIP = b"PK\x03\x04"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# From this many letters on, reading text by blocks pays for loading numpy.
PLAIN_FROM = 500_000
TEXT_KINDS = frozenset({".csv", ".tsv", ".txt"})
# What the first bytes say, for files that are no spreadsheet at all.
_OTHER = (
    (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"Rar!", "an archive"), (b"7z\xbc\xaf", "an archive"), (b"\x1f\x8b", "an archive"),
    (b"PK\x05\x06", "an empty archive"),
    (b"MZ", "a program"), (b"\x7fELF", "a program"), (b"{\\rtf", "a text document"),
)  # fmt: skip


def set_limits(limits: dict[str, int]) -> None:
    """Puts the limits of the operating system on this process, before a byte of the file is read."""
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # A second more before the hard limit, so that the signal tells processor time from a kill.
        above = ceiling + (kind == resource.RLIMIT_CPU and (hard == resource.RLIM_INFINITY or ceiling < hard))
        resource.setrlimit(kind, (ceiling, above))


class Answer:
    """What has been read so far, written to the pipe sheet by sheet."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out = out

    def sheet(self, facts: dict[str, Any], columns: list[Encoded], numbers: list[int]) -> None:
        """Sends one sheet: its facts, then its columns one by one, dropping each once it is sent."""
        whole = bool(numbers) and numbers[-1] - numbers[0] + 1 == len(numbers)
        facts["rows"] = [numbers[0], numbers[-1]] if whole else None
        facts["row_numbers"] = None if whole else numbers
        facts["columns"] = len(columns)
        facts["count"] = len(numbers)
        self.frame({"sheet": facts})
        for index, (parts, blocks) in enumerate(columns):
            columns[index] = ([], [])
            self.frame({"parts": parts, "blocks": len(blocks)})
            for piece in frames(blocks):
                self.out.write(piece)
            self.out.flush()  # the parent unpacks this column while we pack the next
        self.out.flush()

    def refuse(self, refusal: Refusal, limits: dict[str, int]) -> None:
        """Sends a refusal."""
        if refusal.code == "FILE_TOO_HUNGRY":
            refusal.words["limit"] = limits["memory_bytes"] // 1_000_000
        self.frame({"refused": refusal.code, "words": refusal.words})
        self.out.flush()

    def frame(self, message: dict[str, Any]) -> None:
        """Sends one frame of JSON."""
        for piece in frames([json.dumps(message).encode()]):
            self.out.write(piece)


def sniff(head: bytes, extension: str) -> str:
    """What the file is by its first bytes: zip, compound or text. Raises Refusal when the name says otherwise."""
    for mark, kind in _OTHER:
        if head.startswith(mark):
            raise Refusal("FILE_KIND_UNKNOWN", kind=kind)
    actual = "zip" if head.startswith(ZIP) else "compound" if head.startswith(COMPOUND) else "text"
    if actual == "text":
        start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
        if start.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<body", b"<meta")):
            raise Refusal("FILE_HTML", extension=extension)
        if start.startswith(b"<?xml") or (start.startswith(b"<") and extension not in TEXT_KINDS):
            kind = (
                "an old XML spreadsheet"
                if b"urn:schemas-microsoft-com:office:spreadsheet" in start
                else "a web page or XML"
            )
            raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual=kind)
        if extension not in TEXT_KINDS:
            if head[:1] == b"\x00" or b"\x00\x00\x00" in head[:64]:
                raise Refusal("FILE_DAMAGED", part="its beginning")
            raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="plain text")
    return actual


def read(file: IO[bytes], extension: str, limits: dict[str, int], answer: Answer) -> list[Any]:
    """Reads the file and sends its sheets. Returns warnings as [code, words]. Raises Refusal."""
    head = file.read(4096)
    file.seek(0)
    if not head:
        raise Refusal("FILE_EMPTY")
    actual = sniff(head, extension)
    if actual == "zip":
        if not _read_archive(file, extension, limits, answer):
            raise Said
        return []
    if actual == "compound":
        from tms_pipeline.intake.compound import read_compound

        read_compound(file, extension, limits, answer.sheet)
        return []
    from tms_pipeline.intake.delimited import decode, read_rows
    from tms_pipeline.intake.sheet_look import SheetLook
    from tms_pipeline.intake.table_rows import emit_rows

    text, warnings = decode(file.read(), extension)
    if len(text) >= PLAIN_FROM and _read_plain(text, extension, limits, answer):
        return [list(warned) for warned in warnings]
    rows = read_rows(
        text, extension, max_rows=limits["max_rows"], max_columns=limits["max_columns"], warnings=warnings
    )
    emit_rows(SheetLook(name=extension[1:].upper()), rows, answer.sheet)
    return [list(warned) for warned in warnings]


def _read_plain(text: str, extension: str, limits: dict[str, int], answer: Answer) -> bool:
    """Sends the sheet of a text without quotation marks; False when it must be read cell by cell."""
    from tms_pipeline.intake.delimited import separator_of
    from tms_pipeline.intake.sheet_look import SheetLook

    try:
        from tms_pipeline.intake.plain_text import read_plain
    except ImportError:  # the memory that we may have does not hold numpy
        return False
    separator, skipped = separator_of(text, extension)
    plain = None
    if not skipped:
        plain = read_plain(text.encode(), separator, max_rows=limits["max_rows"], max_columns=limits["max_columns"])
    if plain is None:
        return False
    look = SheetLook(name=extension[1:].upper())
    answer.sheet({"name": look.name, "hidden": look.hidden, **look.facts()}, *plain)
    return True


class Said(Exception):
    """A refusal has gone out already."""


def _read_archive(file: IO[bytes], extension: str, limits: dict[str, int], answer: Answer) -> bool:
    """Sends the sheets, or a refusal that only the reading of the values found; returns whether it was the sheets."""
    from tms_pipeline.intake.container import Container
    from tms_pipeline.intake.value_reader import SeparatePlace, read_beside

    container = Container(
        io.BufferedReader(SeparatePlace(file.fileno())),
        max_entries=limits["max_entries"],
        max_inflated_bytes=limits["max_inflated_bytes"],
        max_ratio=limits["max_ratio"],
    )
    if container.has("xl/workbook.xml"):
        if extension not in (".xlsx", ".xlsm"):
            raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="an Excel workbook (.xlsx)")
        from tms_pipeline.intake.workbook_xml import look_through, refuse_dangers, sheet_parts

        refuse_dangers(container)
        parts = sheet_parts(container)
        first = parts[0].name if parts else None
    elif container.has("xl/workbook.bin"):
        raise Refusal("FILE_KIND_UNKNOWN", kind="binary Excel workbooks (.xlsb)")
    elif container.has("content.xml") and container.has("mimetype"):
        if extension != ".ods" or b"spreadsheet" not in container.read("mimetype", 200):
            raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="an OpenDocument file")
        from tms_pipeline.intake.opendocument import look_through

        first = None
    elif any(name.lower().startswith("word/") for name in container.names):
        raise Refusal("FILE_KIND_UNKNOWN", kind="Word documents")
    elif any(name.lower().startswith("ppt/") for name in container.names):
        raise Refusal("FILE_KIND_UNKNOWN", kind="PowerPoint files")
    elif any(name.lower().endswith(".iwa") for name in container.names):
        raise Refusal("FILE_KIND_UNKNOWN", kind="Apple Numbers documents (in Numbers choose File, Export To, Excel)")
    elif extension in (".xlsx", ".xlsm", ".ods"):
        raise Refusal("FILE_DAMAGED", part="the list of sheets")
    else:
        raise Refusal("FILE_WRONG_EXTENSION", extension=extension, actual="an archive")
    return read_beside(
        file,
        first,
        lambda: look_through(container, limits),
        answer.sheet,
        lambda refusal: answer.refuse(refusal, limits),
    )


def _own_peak(told: int) -> int:
    """The most memory that we held, in KiB. What the system tells otherwise counts the process that started us too."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return told
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), told)


def main() -> int:
    """The whole life of the process. Always answers, unless it is killed."""
    from defusedxml import DefusedXmlException

    if not issubclass(DefusedXmlException, ValueError):  # the guard is there, and is the one that we know
        raise SystemExit(3)
    limits = json.loads(sys.argv[1])
    set_limits(limits)
    gc.disable()  # short-lived, and its lists of cells would be walked again and again
    answer = Answer(sys.stdout.buffer)
    # The same open file as our standard input, so that nothing on disk can be swapped in between.
    file = os.fdopen(os.dup(0), "rb")
    try:
        warnings = read(file, limits["extension"], limits, answer)
    except Said:
        os._exit(0)
    except Refusal as refusal:
        answer.refuse(refusal, limits)
    except (MemoryError, RecursionError):
        answer.refuse(Refusal("FILE_TOO_HUNGRY"), limits)
    except Exception as error:
        answer.frame({"refused": "FILE_READER_FAILED", "words": {"detail": type(error).__name__}})
    else:
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        answer.frame(
            {
                "done": True,
                "warnings": warnings,
                "peak_bytes": max(_own_peak(usages[0].ru_maxrss), usages[1].ru_maxrss) * 1024,
                "cpu_seconds": sum(usage.ru_utime + usage.ru_stime for usage in usages),
            }
        )
    sys.stdout.buffer.flush()
    # No clean-up: freeing millions of cells one by one costs more than reading a small file.
    os._exit(0)


if __name__ == "__main__":
    main()
