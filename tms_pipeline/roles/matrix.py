"""The matrix: roles by tasks, read from ``matrix.toml``, the one place where rights are written. Pure."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MANAGE, VIEW, OWN_RUNS, FEES, NONE = "manage", "view", "own runs", "fees", "none"
CELLS = (MANAGE, VIEW, OWN_RUNS, FEES, NONE)
# The sorts of entry that a task lists, and what each needs: "see" is enough with any cell but none.
_SORTS = {"see": "verb", "do": "verb", "jobs": "job", "reports": "report", "pages": "page"}
_DOING = ("do", "jobs")


class NotAllowed(Exception):
    """The person may not do this; the message is one sentence that says who may, or what to do."""


class NoCell(NotAllowed):
    """An entry of the core without a cell in the matrix: a developer has to add one."""


@dataclass(frozen=True)
class Entry:
    """One verb, job, report or page: what it needs, and the cell of each role."""

    sort: str
    name: str
    task: str
    doing: bool
    open: bool
    cells: dict[str, str]

    def allows(self, role: str | None) -> bool:
        """Whether the role may use it, if only within its own runs or fees."""
        cell = self.cells.get(role or "", NONE)
        return cell == MANAGE or (not self.doing and cell != NONE)

    @property
    def allowed(self) -> list[str]:
        """The roles that may use it."""
        return [role for role in self.cells if self.allows(role)]


@dataclass(frozen=True)
class Task:
    """One row of the matrix."""

    name: str
    what: str
    cells: dict[str, str]
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Matrix:
    """The whole table."""

    roles: tuple[str, ...]
    tasks: tuple[Task, ...]
    entries: dict[tuple[str, str], Entry]

    def entry(self, sort: str, name: str) -> Entry:
        """The entry of that name. Raises NoCell, for developers, when the matrix lacks it."""
        found = self.entries.get((sort, name))
        if found is None:
            raise NoCell(
                f"The {sort} '{name}' has no cell in tms_pipeline/roles/matrix.toml, so nobody may use it; "
                "add it to a task there."
            )
        return found


def read(text: str) -> Matrix:
    """The matrix of a text in the form of ``matrix.toml``. Raises ValueError for one that makes no sense."""
    raw = tomllib.loads(text)
    roles = tuple(raw["roles"])
    tasks: list[Task] = []
    entries: dict[tuple[str, str], Entry] = {}
    for row in raw["task"]:
        given = row["cells"]
        unknown = set(row) - {"name", "what", "cells", "open", *_SORTS}
        if len(given) != len(roles) or not set(given) <= set(CELLS) or unknown:
            raise ValueError(f"matrix.toml: the task '{row['name']}' needs a cell of {', '.join(CELLS)} for each role.")
        cells = dict(zip(roles, given, strict=True))
        own = []
        for key, sort in _SORTS.items():
            for name in row.get(key, ()):
                if (sort, name) in entries:
                    raise ValueError(f"matrix.toml names the {sort} '{name}' twice.")
                entry = Entry(sort, name, row["name"], key in _DOING, bool(row.get("open")), cells)
                entries[sort, name] = entry
                own.append(entry)
        tasks.append(Task(row["name"], row["what"], cells, tuple(own)))
    return Matrix(roles, tuple(tasks), entries)


@cache
def matrix() -> Matrix:
    """The matrix that this version ships; nothing can be changed in it at run time."""
    return read(Path(__file__).with_name("matrix.toml").read_text(encoding="utf-8"))
