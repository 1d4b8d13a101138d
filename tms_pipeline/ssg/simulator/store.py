"""What the simulated SSG holds: records by kind, indexes, and an append-only journal (ssg-api 14.1).

Every mutation is one JSON line, written before the answer leaves, so a SIGKILL loses no acknowledged write.
The journal is compacted when the simulator starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .envelopes import Json

KINDS = (
    "courses",
    "runs",
    "sessions",
    "trainers",
    "attendance",
    "enrolments",
    "assessments",
    "grants",
    "claims",
    "applications",
    "sequences",
    "control",
)
SHOWN = KINDS[:10]

INDEXES: dict[str, tuple[str, Callable[[Json], str]]] = {
    "run_by_course": ("runs", lambda r: str(r["course"])),
    "session_by_run": ("sessions", lambda r: str(r["runId"])),
    "attendance_by_session": ("attendance", lambda r: str(r["sessionId"])),
    "trainer_by_uen": ("trainers", lambda r: str(r["uen"])),
    "enrolment_by_uen": ("enrolments", lambda r: str(r["uen"])),
    "enrolment_by_run": ("enrolments", lambda r: str(r["runId"])),
    "enrolment_by_trainee": ("enrolments", lambda r: str(r["traineeId"]).upper()),
    "assessment_by_uen": ("assessments", lambda r: str(r["uen"])),
    "assessment_by_run": ("assessments", lambda r: str(r["runId"])),
    "assessment_by_trainee": ("assessments", lambda r: str(r["traineeId"]).upper()),
    "grant_by_enrolment": ("grants", lambda r: str(r["enrolment"])),
    "grant_by_uen": ("grants", lambda r: str(r["uen"])),
    "application_by_uen": ("applications", lambda r: str(r["uen"])),
}


class Store:
    """Records by kind and key. Records are replaced, never changed in place, so a rollback is exact."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.kinds: dict[str, dict[str, Json]] = {kind: {} for kind in KINDS}
        self.indexes: dict[str, dict[str, dict[str, None]]] = {name: {} for name in INDEXES}
        self._by_kind: dict[str, list[tuple[str, Callable[[Json], str]]]] = {kind: [] for kind in KINDS}
        for name, (kind, key_of) in INDEXES.items():
            self._by_kind[kind].append((name, key_of))
        self._depth = 0
        self._ops: list[list[Any]] = []
        self._undo: list[tuple[str, str, Json | None]] = []
        self._journal: int | None = None
        self.commits = 0
        self._lock_file: int | None = None
        if path is not None:
            self._claim(path)
            self._load(path)
            self._compact(path)

    # Reading
    def get(self, kind: str, key: Any) -> Json | None:
        """One record, or None."""
        return self.kinds[kind].get(str(key))

    def all(self, kind: str) -> list[Json]:
        """All records of a kind, oldest first."""
        return list(self.kinds[kind].values())

    def find(self, index: str, value: Any) -> list[Json]:
        """The records of an index entry, oldest first, without a scan."""
        records = self.kinds[INDEXES[index][0]]
        return [records[key] for key in self.indexes[index].get(str(value), ())]

    # Writing
    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one journal line, flushed before the block is left."""
        with self.lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if not self._depth:
                    self._roll_back()
                raise
            self._depth -= 1
            if not self._depth:
                self._commit()

    def put(self, kind: str, key: Any, record: Json) -> None:
        """Add or replace a record."""
        with self.transaction():
            name = str(key)
            self._undo.append((kind, name, self.kinds[kind].get(name)))
            self._ops.append([kind, name, record])
            self._apply(kind, name, record)

    def delete(self, kind: str, key: Any) -> None:
        """Remove a record, if it is there."""
        name = str(key)
        if name in self.kinds[kind]:
            with self.transaction():
                self._undo.append((kind, name, self.kinds[kind][name]))
                self._ops.append([kind, name, None])
                self._apply(kind, name, None)

    def next_number(self, name: str, start: int = 1) -> int:
        """The next number of a sequence; never given twice, not even after a restart."""
        with self.transaction():
            current = self.get("sequences", name)
            value = int(current["value"]) + 1 if current else start
            self.put("sequences", name, {"value": value})
            return value

    def clear(self) -> None:
        """Forget everything, the sequences too."""
        with self.transaction():
            for kind in KINDS:
                for key in list(self.kinds[kind]):
                    self.delete(kind, key)

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    # Inside
    def _apply(self, kind: str, key: str, record: Json | None) -> None:
        records = self.kinds[kind]
        old = records.get(key)
        for index, key_of in self._by_kind[kind]:
            before = key_of(old) if old is not None else None
            after = key_of(record) if record is not None else None
            if before == after:
                continue
            entries = self.indexes[index]
            if before is not None:
                entries[before].pop(key, None)
                if not entries[before]:
                    del entries[before]
            if after is not None:
                entries.setdefault(after, {})[key] = None
        if record is None:
            records.pop(key, None)
        else:
            records[key] = record

    def _roll_back(self) -> None:
        for kind, key, old in reversed(self._undo):
            self._apply(kind, key, old)
        self._ops, self._undo = [], []

    def _commit(self) -> None:
        if self._ops:
            self.commits += 1
            if self._journal is not None:
                line = json.dumps(self._ops, separators=(",", ":")).encode() + b"\n"
                view = memoryview(line)
                while view:
                    view = view[os.write(self._journal, view) :]
        self._ops, self._undo = [], []

    def _claim(self, path: Path) -> None:
        """One simulator to a state file; the lock goes with the process, however it ends."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_file)
            raise OSError("another simulator uses it") from error

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # a write cut short by SIGKILL was never acknowledged
                for kind, key, record in json.loads(line):
                    self._apply(kind, key, record)

    def _compact(self, path: Path) -> None:
        temporary = path.with_name(path.name + ".new")
        with temporary.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            for kind, records in self.kinds.items():
                for key, record in records.items():
                    out.write(json.dumps([[kind, key, record]]).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        self._journal = os.open(path, os.O_WRONLY | os.O_APPEND)
