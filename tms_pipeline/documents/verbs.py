"""The verbs of ``tms``, as their help tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tms_pipeline.documents.table import row


def verbs_reference() -> str:
    """Every verb with its usage, arguments and options."""
    lines: list[str] = []
    for name, command in verbs():
        arguments = [item for item in command.params if item.param_type_name == "argument"]
        options = [item for item in command.params if item.param_type_name == "option" and item.name != "help"]
        usage = " ".join([f"tms {name}", *(_argument(item) for item in arguments), *(["[OPTIONS]"] if options else [])])
        lines += [f"## tms {name}", "", f"`{usage}`", "", *_paragraphs(command.help or "")]
        if arguments or options:
            lines += ["| | |", "|---|---|"]
            lines += [row(f"`{_argument(item)}`", item.help or "") for item in arguments]
            lines += [row(f"`{_option(item)}`", _about(item)) for item in options]
            lines.append("")
    return "\n".join(lines).rstrip()


@cache
def verbs() -> tuple[tuple[str, Any], ...]:
    """Every verb with its command, groups opened up, in the order of the help. Asked for by every document."""
    import typer.main

    from tms_pipeline.cli.main import app

    def walk(prefix: str, command: Any) -> Iterator[tuple[str, Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            if getattr(inner, "hidden", False):
                continue
            if hasattr(inner, "commands"):
                yield from walk(f"{prefix}{name} ", inner)
            else:
                yield f"{prefix}{name}", inner

    return tuple(walk("", typer.main.get_command(app)))


def verbs_without_page(root: Path) -> Iterator[str]:
    """One line for each verb that the reference or its own help misses."""
    page = root / "docs" / "cli.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    for verb, command in verbs():
        if f"\n## tms {verb}\n" not in text:
            yield f"docs/cli.md: the verb 'tms {verb}' is not documented"
        if not command.help:
            yield f"tms {verb}: the verb has no help"


def _argument(item: Any) -> str:
    text = str(item.name).upper() + ("…" if item.nargs != 1 else "")
    return text if item.required else f"[{text}]"


def _option(item: Any) -> str:
    text = ", ".join(item.opts) + (" / " + ", ".join(item.secondary_opts) if item.secondary_opts else "")
    return text if item.is_flag else f"{text} {str(item.name).strip('_').upper()}"


def _about(item: Any) -> str:
    text = str(item.help or "")
    if item.required:
        return f"{text} Required."
    shown = item.default not in (None, False, "", (), []) and not callable(item.default)
    return f"{text} Default: {item.default}." if shown else text


def _paragraphs(text: str) -> list[str]:
    found: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        found += [" ".join(line.strip() for line in block.splitlines()), ""]
    return found
