"""Processes of this installation on this host, as /proc tells them (Linux; elsewhere none are found)."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process: its number, its parent's, its command line."""

    pid: int
    parent: int
    words: tuple[str, ...]

    @property
    def is_dagster(self) -> bool:
        """Whether it is a program of Dagster's."""
        return any(Path(word).name.startswith("dagster") for word in self.words[:3])

    @property
    def is_daemon(self) -> bool:
        """Whether it is Dagster's daemon itself."""
        return any(Path(word).name == "dagster-daemon" for word in self.words[:3]) and "run" in self.words


def processes(home: Path) -> list[Process]:
    """Processes whose environment names this state folder, but for our own."""
    mark = f"TMS_HOME={home}\0".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(entry.name)
            state, parent = (entry / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[:2]
            if pid == os.getpid() or state == "Z" or mark not in (entry / "environ").read_bytes() + b"\0":
                continue
            words = (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            found.append(Process(pid, int(parent), tuple(words)))
    return sorted(found, key=lambda process: process.pid)
