"""The rules of migrations: expand first, contract one release later, and say so.

Old workers and new schema live side by side for one release, so a migration may add, but not take away, rename or
demand. One that does must bear ``-- contract: REVISION, why`` in a comment of its own, where REVISION is the oldest
release (its newest migration) whose code still works afterwards, and must raise ``operations.compatibility`` to it.
What is released is fixed for ever by its hash in ``sql/migrations/released.txt``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tms_pipeline.store.queries import SQL_ROOT

RELEASED = "released.txt"
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_CONTRACT = re.compile(r"^-- contract: (?P<oldest>\d{4}), (?P<why>\S.*)$", re.MULTILINE)
_RAISES = re.compile(r"UPDATE\s+operations\.compatibility\s+SET\s+oldest\s*=\s*'(?P<oldest>\d{4})'", re.IGNORECASE)
# What an old worker would stumble over, and what to do instead.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bDROP\s+(TABLE|COLUMN|SCHEMA|VIEW|FUNCTION|TYPE|SEQUENCE)\b", re.I),
     "takes something away that code of the release before may use"),
    (re.compile(r"\bRENAME\b", re.I), "renames something; add the new one beside it and fill both"),
    (re.compile(r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b", re.I),
     "changes the type of a column; add a new column beside it"),
    (re.compile(r"\bSET\s+NOT\s+NULL\b", re.I), "demands a value that code of the release before does not give"),
    (re.compile(r"\bDROP\s+DEFAULT\b", re.I), "takes a default away that code of the release before relies on"),
    (re.compile(r"\bTRUNCATE\s+(?:TABLE\s+)?[a-z]+\.", re.I), "empties a table"),
)  # fmt: skip
_ADDED = re.compile(r"\bADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(?P<column>[^,;]+)", re.I)
_NOT_NULL = re.compile(r"\bNOT\s+NULL\b", re.I)
_HAS_VALUE = re.compile(r"\b(DEFAULT|GENERATED)\b", re.I)
_CONSTRAINT = re.compile(r"^\s*(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b", re.I)


@dataclass(frozen=True)
class Breach:
    """A migration that breaks a rule."""

    migration: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"sql/migrations/{self.migration}.sql:{self.line}: {self.sentence}"


def breaches(folder: Path = SQL_ROOT / "migrations") -> list[Breach]:
    """Every breach in the migrations of the folder; released ones are only held against their hash."""
    fixed = _released(folder)
    found: list[Breach] = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        name, raw = path.stem, path.read_text(encoding="utf-8")
        if name in fixed:
            if hashlib.sha256(raw.encode()).hexdigest() != fixed[name]:
                found.append(Breach(name, 1, "was changed after its release; what is released is never edited."))
            continue
        found += rules_of(name, raw)
    found += [Breach(name, 1, "was released and is gone.") for name in fixed if not (folder / f"{name}.sql").exists()]
    return found


def rules_of(name: str, raw: str) -> Iterator[Breach]:
    """The breaches of one migration that is not released yet."""
    marked = _CONTRACT.search(raw)
    if marked:
        raised = _RAISES.search(raw)
        if raised is None or raised["oldest"] != marked["oldest"]:
            needed = f"oldest = '{marked['oldest']}'"
            yield Breach(
                name, _line(raw, marked.start()), f"contracts, so it must raise operations.compatibility to {needed}."
            )
        return
    made_here = {match.lower() for match in re.findall(r"\bCREATE\s+TABLE\s+([a-z_.]+)", raw, re.I)}
    bare = _blank(_TEXT, _blank(_COMMENT, raw))
    for pattern, sentence in _RULES:
        for match in pattern.finditer(bare):
            yield Breach(name, _line(raw, match.start()), f"{sentence}; or mark it '-- contract: REVISION, why'.")
    for statement in re.finditer(r"\bALTER\s+TABLE\s+(?:ONLY\s+)?(?P<table>[a-z_.%I]+)(?P<rest>[^;]*)", bare, re.I):
        if statement["table"].lower() in made_here:
            continue
        for added in _ADDED.finditer(statement["rest"]):
            column = added["column"]
            if _NOT_NULL.search(column) and not _HAS_VALUE.search(column) and not _CONSTRAINT.match(column):
                yield Breach(
                    name, _line(raw, statement.start("rest") + added.start()),
                    "adds a column that is NOT NULL and has no default; code of the release before cannot fill it.",
                )  # fmt: skip


def _released(folder: Path) -> dict[str, str]:
    found = {}
    for line in (folder / RELEASED).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            digest, name = line.split()
            found[name] = digest
    return found


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with what matches blanked out, every line where it was."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
