"""One page a fault code under ``docs/errors``, made from the catalogue so that the two cannot differ.

``python -m tms_pipeline.records.fault_pages --write`` makes the pages, ``--check`` exits 1 if one is stale, missing
or of a code that is no more. Pages named ``ssg-*.md`` are of SSG's own codes and are not touched.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from tms_pipeline.records.fault import FaultEntry, catalogue

PAGES = Path(__file__).parents[2] / "docs" / "errors"
INDEX = "README.md"
MADE = "<!-- Made by `python -m tms_pipeline.records.fault_pages --write` from tms_pipeline/records/faults.toml. -->"

#: What stands for the words that a check fills in.
WORDS = {"column": "the column", "row": "the row", "sheet": "the sheet", "value": "the code"}

SEVERITIES = {
    "error": (
        "**Error.** What it is about is not taken: a row waits on the sheet *Fix these rows* of the result workbook "
        "until it is corrected and dropped again, while the other rows go on. A fault of the whole file, sheet or "
        "column keeps out all of its rows."
    ),
    "warning": "**Warning.** The row is taken all the same. The sheet *Summary* tells of it, and its cell is yellow.",
}


def pages() -> dict[str, str]:
    """Every page by file name: one a code, and the index."""
    made = {f"{entry.code}.md": _page(entry) for entry in catalogue().values()}
    made[INDEX] = _index()
    return made


def stale(folder: Path = PAGES) -> list[str]:
    """The names of pages that are missing, differ from the catalogue, or are of no code any more."""
    wanted = pages()
    found = {path.name: path for path in folder.glob("*.md")} if folder.is_dir() else {}
    wrong = [
        name for name, text in wanted.items() if name not in found or found[name].read_text(encoding="utf-8") != text
    ]
    return sorted(wrong + [name for name in found if name not in wanted and _is_code(name)])


def write(folder: Path = PAGES) -> list[str]:
    """Bring the folder up to date. Answers with the names of the pages that changed."""
    changed = stale(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return changed


def sections() -> dict[str, list[FaultEntry]]:
    """The entries by the section of the catalogue that they stand in."""
    text = resources.files("tms_pipeline.records").joinpath("faults.toml").read_text(encoding="utf-8")
    entries, found, section, after_blank = catalogue(), dict[str, list[FaultEntry]](), "Others", True
    for line in text.splitlines():
        # The first line of a comment that opens the file or follows a blank line is a title.
        if title := re.fullmatch(r"# ([^.]{1,60})", line):
            section = title[1] if after_blank or not found else section
        if code := re.fullmatch(r"\[([A-Z0-9_]+)\]", line.strip()):
            found.setdefault(section, []).append(entries[code[1]])
        after_blank = not line.strip()
    return found


def _is_code(name: str) -> bool:
    return re.fullmatch(r"[A-Z][A-Z0-9_]*\.md", name) is not None and name != INDEX


def _said(text: str) -> str:
    """A sentence of the catalogue with a stand-in for each word that the check fills in."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda word: f"‹{WORDS.get(word[1], word[1])}›", text)


def _page(entry: FaultEntry) -> str:
    return "\n".join([
        f"# {entry.code}",
        "",
        MADE,
        "",
        "## What it says",
        "",
        f"> {_said(entry.sentence)}",
        "",
        "## When",
        "",
        _said(entry.about) or "See the sentence above.",
        "",
        "## What to do",
        "",
        _said(entry.fix),
        "",
        "## What becomes of the row",
        "",
        SEVERITIES[entry.severity],
        "",
        f"[All codes]({INDEX})",
        "",
    ])  # fmt: skip


def _index() -> str:
    lines = [
        "# Fault codes",
        "",
        MADE,
        "",
        "Every code that a file, row or cell can come back with. The result workbook and its page name the code beside",
        "each sentence. Codes of SSG's own answers have pages named `ssg-…`.",
        "",
    ]
    for section, entries in sections().items():
        lines += [f"## {section}", "", "| Code | Kind | What it says |", "|---|---|---|"]
        lines += [
            f"| [{entry.code}]({entry.code}.md) | {entry.severity} | {_said(entry.sentence).replace('|', '/')} |"
            for entry in entries
        ]
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages. Exit 0: up to date; 1: something is stale (``--check``)."""
    parser = argparse.ArgumentParser(prog="fault_pages", description="Pages of the fault codes under docs/errors")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the pages that are stale or missing")
    what.add_argument("--check", action="store_true", help="exit 1 if a page is stale or missing")
    if parser.parse_args(arguments).write:
        changed = write()
        sys.stdout.write(f"{len(changed)} pages written, {len(pages())} in all.\n")
        return 0
    wrong = stale()
    if wrong:
        sys.stdout.write("Stale or missing under docs/errors: " + ", ".join(wrong) + "\n")
        sys.stdout.write("Run: python -m tms_pipeline.records.fault_pages --write\n")
        return 1
    sys.stdout.write(f"{len(pages())} pages are up to date.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
