"""Keeps the documents true: makes their generated parts, and finds what is stale, dead or missing.

``python -m tms_pipeline.operations.docs_check`` prints one line a finding and exits 1 if there is one; ``--write``
brings the generated parts up to date first. A generated part stands between two comments, such as
``<!-- begin generated: columns of enrolment -->`` and ``<!-- end generated -->``; what stands between them is never
edited by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from tms_pipeline.documents.parts import part
from tms_pipeline.documents.settings import settings_without_line
from tms_pipeline.documents.verbs import verbs, verbs_without_page
from tms_pipeline.settings import PROJECT_ROOT

#: Folders that hold no document of ours.
_NOT_OURS = frozenset({".git", ".venv", ".tms", "node_modules", "build", "dist", "__pycache__"})
_PART = re.compile(
    r"^(?P<begin><!-- begin generated: (?P<name>[^\n]+?) -->\n)(?P<body>.*?)(?P<end>^<!-- end generated -->$)",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"^<!-- (?:begin|end) generated", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?:.+?)\1")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_IMAGE = re.compile(r"<img [^>]*?src=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
_SAID_VERB = re.compile(r"`tms ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
_RUN_VERB = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?tms ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", re.MULTILINE)
_TARGET = re.compile(r"(?:`|^(?:\$ )?)make ([a-z][a-z-]*)", re.MULTILINE)


def documents(root: Path) -> list[Path]:
    """Every Markdown file of the project."""
    found = []
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if not any(name in _NOT_OURS or name.startswith(".") for name in parts):
            found.append(path)
    return found


def refreshed(text: str, root: Path) -> str:
    """The document with every generated part made anew; a part that nothing makes stays as it is."""

    def made(match: re.Match[str]) -> str:
        body = part(match["name"], root)
        return match[0] if body is None else f"{match['begin']}{body}\n{match['end']}"

    return _PART.sub(made, text)


def write(root: Path = PROJECT_ROOT) -> list[str]:
    """Bring the generated parts up to date; answers with the documents that changed."""
    changed = []
    for path in documents(root):
        before = path.read_text(encoding="utf-8")
        after = refreshed(before, root)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(str(path.relative_to(root)))
    return changed


def findings(root: Path = PROJECT_ROOT) -> list[str]:
    """One line for each thing that is not true any more."""
    texts = {path: path.read_text(encoding="utf-8") for path in documents(root)}
    found: list[str] = []
    for path, text in texts.items():
        name = str(path.relative_to(root))
        found += _stale(name, text, root)
        found += _dead_links(name, path, text, root, texts)
        if not name.startswith("docs/errors/"):
            found += _unknown_commands(name, text, root)
    found += verbs_without_page(root)
    found += settings_without_line(root)
    return found


def _stale(name: str, text: str, root: Path) -> Iterator[str]:
    parts = list(_PART.finditer(text))
    if 2 * len(parts) != len(_MARK.findall(text)):
        yield f"{name}: a mark of a generated part has no partner"
    for match in parts:
        body = part(match["name"], root)
        if body is None:
            yield f"{name}: nothing makes the generated part '{match['name']}'"
        elif match["body"] != body + "\n":
            yield (
                f"{name}: the generated part '{match['name']}' is stale; "
                "run: python -m tms_pipeline.operations.docs_check --write"
            )


def _dead_links(name: str, path: Path, text: str, root: Path, texts: dict[Path, str]) -> Iterator[str]:
    plain = _CODE.sub("", _FENCE.sub("", text))
    for target in _LINK.findall(plain) + _IMAGE.findall(plain):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (path.parent / unquote(place)).resolve() if place else path.resolve()
        if not file.exists():
            yield f"{name}: the link to {target} is dead"
        elif not file.is_relative_to(root.resolve()):
            yield f"{name}: the link to {target} leads out of the project"
        elif anchor and file.suffix == ".md":
            other = texts.get(file) or texts.get(root / file.relative_to(root.resolve())) or ""
            if anchor not in anchors(other):
                yield f"{name}: the link to {target} is dead, as no heading there is named so"


def anchors(text: str) -> set[str]:
    """The names by which the headings of a document are linked to, as GitHub makes them."""
    found: set[str] = set(_ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        folded = unicodedata.normalize("NFC", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", folded).strip().replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def _unknown_commands(name: str, text: str, root: Path) -> Iterator[str]:
    """Verbs and make targets that a document tells to run and that are not there."""
    known = {verb for verb, _ in verbs()}
    groups = {verb.split()[0] for verb in known if " " in verb}
    for verb, inner in dict.fromkeys(_SAID_VERB.findall(text) + _RUN_VERB.findall(text)):
        if verb not in known and verb not in groups:
            yield f"{name}: there is no verb 'tms {verb}'"
        elif verb in groups and inner and f"{verb} {inner}" not in known:
            yield f"{name}: there is no verb 'tms {verb} {inner}'"
    makefile = root / "Makefile"
    if makefile.exists():
        targets = set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
        for target in dict.fromkeys(_TARGET.findall(text)):
            if target not in targets:
                yield f"{name}: there is no 'make {target}'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the documents, with ``--write`` after bringing the generated parts up to date. Exit 1: findings."""
    parser = argparse.ArgumentParser(prog="docs_check", description="Keeps the documents true")
    parser.add_argument("--write", action="store_true", help="bring the generated parts up to date first")
    parser.add_argument("--root", type=Path, default=PROJECT_ROOT, help="the project's folder")
    given = parser.parse_args(arguments)
    if given.write:
        for name in write(given.root):
            sys.stdout.write(f"wrote {name}\n")
    found = findings(given.root)
    for line in found:
        sys.stdout.write(line + "\n")
    if not found:
        sys.stdout.write(f"{len(documents(given.root))} documents are true.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
