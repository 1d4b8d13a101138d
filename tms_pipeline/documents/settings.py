"""The settings as ``.env.example`` tells them, held against what the code has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tms_pipeline.documents.table import row
from tms_pipeline.settings import PROJECT_ROOT, Settings

_SETTING = re.compile(r"^(?P<off>#?)(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")


def settings_table(root: Path) -> str:
    """Every setting by section, with its default."""
    lines: list[str] = []
    for title, rows in _sections(root):
        lines += [f"## {title}", "", "| Setting | Default | What it is |", "|---|---|---|"]
        lines += [row(f"`{name}`", f"`{default}`" if default else "empty", about) for name, default, about in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


def settings_without_line(root: Path) -> Iterator[str]:
    """One line for each setting that ``.env.example`` misses, has too much, or gives another default."""
    defaults = _defaults()
    stated: dict[str, tuple[bool, str]] = {}
    for line in (root / ".env.example").read_text(encoding="utf-8").splitlines():
        if setting := _SETTING.match(line):
            stated[setting["name"]] = (bool(setting["off"]), setting["value"])
    for name, default in defaults.items():
        if name not in stated:
            yield f".env.example: the setting {name} is missing"
        elif not stated[name][0] and not _same(stated[name][1], default):
            yield f".env.example: {name} says {stated[name][1] or 'nothing'}, but its default is {default or 'empty'}"
    for name in stated:
        if name not in defaults:
            yield f".env.example: there is no setting {name}"


def _sections(root: Path) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The settings of ``.env.example`` by section: a comment of one line before an empty line opens one."""
    found: list[tuple[str, list[tuple[str, str, str]]]] = [("The installation", [])]
    defaults = _defaults()
    about: list[str] = []
    opened = False
    for line in (root / ".env.example").read_text(encoding="utf-8").splitlines()[1:]:
        setting = _SETTING.match(line)
        if setting:
            name, value = setting["name"], setting["value"]
            default = value if not setting["off"] or value else ""
            if setting["off"] and name in defaults and not defaults[name]:
                default = ""  # what stands there is an example of a setting that is empty by default
            found[-1][1].append((name, default, " ".join(about)))
            opened = False
            about = []
        elif line.startswith("#"):
            text = line.lstrip("# ").strip()
            if opened and len(text) < 60 and not text.endswith((".", ";", ",")):
                found.append((text.split(":")[0], []))
                opened = False
                if ": " in text:
                    about = [text]
            elif opened and about == [] and not found[-1][1]:
                about = [text]
            else:
                about.append(text)
        elif not line.strip():
            about, opened = [], True
    return [(title, rows) for title, rows in found if rows]


@cache
def _defaults() -> dict[str, str]:
    """Every setting's name in the environment, with its default as text."""
    found = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias if isinstance(field.validation_alias, str) else name.upper()
        default: Any = field.get_default(call_default_factory=True)
        if default is None:
            text = ""
        elif hasattr(default, "get_secret_value"):
            text = str(default.get_secret_value())
        elif isinstance(default, bool):
            text = str(default).lower()
        elif isinstance(default, Path):
            text = str(default.relative_to(PROJECT_ROOT)) if default.is_relative_to(PROJECT_ROOT) else str(default)
        else:
            text = str(default)
        found[alias] = text
    return found


def _same(left: str, right: str) -> bool:
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right
