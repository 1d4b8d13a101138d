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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tms_pipeline.records.field import Field, FieldType, RecordKind
from tms_pipeline.records.kinds import KINDS, kind_named
from tms_pipeline.settings import PROJECT_ROOT, Settings

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
_SETTING = re.compile(r"^(?P<off>#?)(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$")

#: Types of cells in the words of people who fill in sheets.
_READ_AS = {
    FieldType.TEXT: "text",
    FieldType.CODE: "a code",
    FieldType.NRIC: "NRIC or FIN",
    FieldType.DATE: "a date",
    FieldType.TIME: "a time, 24-hour clock",
    FieldType.MOMENT: "a date and time",
    FieldType.INTEGER: "a whole number",
    FieldType.AMOUNT: "dollars",
    FieldType.HOURS: "hours",
    FieldType.YES_NO: "Yes or No",
    FieldType.CHOICE: "one word of a list",
    FieldType.EMAIL: "an e-mail address",
    FieldType.PHONE: "a phone number",
    FieldType.POSTAL: "six digits",
    FieldType.UEN: "a UEN",
    FieldType.CODES: "codes, with ; between",
}


# -- the generated parts ---------------------------------------------------------------------------------------


def part(name: str, root: Path = PROJECT_ROOT) -> str | None:
    """The text of a generated part, without its marks; None for a name that nothing makes."""
    if name.startswith("columns of "):
        try:
            return columns_of(kind_named(name.removeprefix("columns of ").replace(" ", "_")))
        except KeyError:
            return None
    maker = _MAKERS.get(name)
    return maker(root) if maker else None


def columns_of(kind: RecordKind) -> str:
    """The columns of a record kind as a table for ops."""
    lines = ["| Column | Needed | What it wants | Other headings that work |", "|---|---|---|---|"]
    for field in kind.fields:
        default = _default(field)
        lines.append(
            _row(
                f"**{field.title}**",
                "yes" if field.required else f"no; empty means {default}" if default else "no",
                _wants(field),
                ", ".join(field.aliases),
            )
        )
    if kind.guidance:
        lines += ["", kind.guidance]
    return "\n".join(lines)


def matrix_of_roles() -> str:
    """Who may do what, as matrix.toml says."""
    from tms_pipeline.roles.matrix import matrix

    table = matrix()
    lines = [_row("Task", *table.roles, "What belongs to it"), "|" + "---|" * (len(table.roles) + 2)]
    for task in table.tasks:
        named = [entry.name if entry.sort == "verb" else f"{entry.sort} {entry.name}" for entry in task.entries]
        lines.append(_row(task.what, *(task.cells[role] for role in table.roles), ", ".join(named)))
    return "\n".join(lines)


def purposes() -> str:
    """Every reason for which a sealed value is opened."""
    from tms_pipeline.identity.purposes import PURPOSES

    return "\n".join(["| Purpose | What for, and who |", "|---|---|", *(_row(*item) for item in PURPOSES.items())])


def _wants(field: Field) -> str:
    parts = [_READ_AS[field.type]]
    if field.choices:
        parts.append(": " + "; ".join(_choice(word, others) for word, others in field.choices.items()))
    elif field.minimum is not None and field.maximum is not None:
        parts.append(f", {field.minimum:g} to {field.maximum:g}")
    elif field.max_length is not None and field.type in (FieldType.TEXT, FieldType.CODE):
        parts.append(f", up to {field.max_length} characters")
    text = "".join(parts)
    if field.example:
        text += f", such as {field.example}"
    text += "."
    if field.help:
        text += f" {field.help}"
    if field.personal:
        text += " *Sealed.*"
    return text


def _choice(word: str, others: Sequence[str]) -> str:
    """A choice as people type it: SSG's bare codes are shown by their first name."""
    if not others:
        return word
    shown, *more = others if len(word) <= 2 or word.islower() or word.isupper() else (word, *others)
    more = [other for other in more if other.casefold() != shown.casefold()]
    return f"{shown} (or {', '.join(more)})" if more else shown


def _default(field: Field) -> str:
    if not field.default:
        return ""
    if field.type is FieldType.YES_NO:
        return "Yes" if field.default == "true" else "No"
    others = field.choices.get(field.default)
    return _choice(field.default, others).split(" (or ")[0] if others else field.default


def _settings_table(root: Path) -> str:
    lines: list[str] = []
    for title, rows in _sections(root):
        lines += [f"## {title}", "", "| Setting | Default | What it is |", "|---|---|---|"]
        lines += [_row(f"`{name}`", f"`{default}`" if default else "empty", about) for name, default, about in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


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


def _verbs_reference(_: Path) -> str:
    lines: list[str] = []
    for name, command in _verbs():
        arguments = [item for item in command.params if item.param_type_name == "argument"]
        options = [item for item in command.params if item.param_type_name == "option" and item.name != "help"]
        usage = " ".join([f"tms {name}", *(_argument(item) for item in arguments), *(["[OPTIONS]"] if options else [])])
        lines += [f"## tms {name}", "", f"`{usage}`", "", *_paragraphs(command.help or "")]
        if arguments or options:
            lines += ["| | |", "|---|---|"]
            lines += [_row(f"`{_argument(item)}`", item.help or "") for item in arguments]
            lines += [_row(f"`{_option(item)}`", _about(item)) for item in options]
            lines.append("")
    return "\n".join(lines).rstrip()


def _verbs() -> list[tuple[str, Any]]:
    """Every verb with its command, groups opened up, in the order of the help."""
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

    return list(walk("", typer.main.get_command(app)))


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


def _mappings(root: Path) -> str:
    import yaml

    lines = ["| Layout | `--mapping` | What comes out of it |", "|---|---|---|"]
    for path in sorted((root / "tms_pipeline" / "mappings").glob("*.yaml")):
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        kinds = [KINDS[name].plural for name in found.get("kinds", ())]
        out = ", ".join(kinds) if kinds else "what its questions ask for"
        lines.append(_row(found["title"], f"`{found['name']}`", out))
    return "\n".join(lines)


def _deadlines(root: Path) -> str:
    import yaml

    source = root / "tms_pipeline" / "compliance" / "rules" / "deadlines.yaml"
    lines = ["| Rule | Binds | Days | Source, and how sure it is |", "|---|---|---|---|"]
    for rule in yaml.safe_load(source.read_text(encoding="utf-8")):
        binds = ", ".join(f"{value}" for value in rule.get("binds", {}).values()) or "all"
        days = f"{rule['value']} {rule['unit']} {rule['counted']}" if "counted" in rule else f"{rule['value']}"
        about = f"{rule['source']} Dated {rule['source_date']}. **{rule['confidence'].capitalize()}.**"
        lines.append(_row(rule["title"], binds, days, about))
    return "\n".join(lines)


def _standards(root: Path) -> str:
    import yaml

    source = root / "tms_pipeline" / "compliance" / "rules" / "standards.yaml"
    lines = ["| Standard | What it says | Source, and how sure it is |", "|---|---|---|"]
    for rule in yaml.safe_load(source.read_text(encoding="utf-8")):
        checked = "" if rule.get("checked", True) else " For information; it is not checked."
        about = f"{rule['source']} Dated {rule['source_date']}. **{rule['confidence'].capitalize()}.**"
        lines.append(_row(rule["title"], f"{rule['sentence']}{checked}", about))
    return "\n".join(lines)


def _states(_: Path) -> str:
    from tms_pipeline.submission.states import MOVES

    lines = ["| State | Where it can go |", "|---|---|"]
    for start, ends in MOVES.items():
        lines.append(_row(f"`{start}`", ", ".join(f"`{end}`" for end in MOVES if end in ends) or "nowhere; it is over"))
    return "\n".join(lines)


def _crash_points(_: Path) -> str:
    from tms_pipeline.submission.crashpoints import POINTS

    return "\n".join(
        ["| Crash point | The moment |", "|---|---|", *(_row(f"`{name}`", about) for name, about in POINTS.items())]
    )


def _record_kinds(_: Path) -> str:
    lines = ["| Order | Record kind | Natural key | Parents | Sent to SSG |", "|--:|---|---|---|---|"]
    for kind in KINDS.values():
        lines.append(
            _row(
                str(kind.order),
                kind.title,
                ", ".join(kind.field(name).title for name in kind.key),
                ", ".join(KINDS[parent.kind].title.lower() for parent in kind.parents),
                "yes" if kind.submitted else "no",
            )
        )
    return "\n".join(lines)


#: The promises of the design, and the tests beside those of their name that prove part of them.
_PROMISES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("No accepted row is lost: the balance holds for every upload.", ()),
    ("One change, one live record at SSG, at every crash point and under every fault.", ("tests/crash",)),
    ("An unknown outcome is never sent again before a successful search.", ()),
    ("A failed or empty read changes nothing.", ()),
    ("The same file again submits nothing.", ()),
    ("Order per trainee and run is kept; a dead letter holds only its descendants.", ()),
    ("What was sent is what was approved; an approval is a ceiling.", ()),
    ("Withheld changes are always visible.", ()),
    ("Every byte sent can be traced, from SSG's reference to file, sheet and row.", ()),
    ("The audit log cannot be edited unseen; a broken entry is located, a cut tail is caught.", ()),
    ("No identity number outside sealed columns, anywhere.", ("tests/identity",)),
    ("A restore is safe, from an older dump too.", ()),
    ("A hostile file costs one rejection, never a process.", ("tests/intake_reading/test_hostile_files.py",)),
)


def _promises(root: Path) -> str:
    """Each promise with the tests that bear its number; what has none says so."""
    named: dict[int, set[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for number in re.findall(r"^def test_promise_(\d+)_", path.read_text(encoding="utf-8"), re.MULTILINE):
            named.setdefault(int(number), set()).add(path.relative_to(root).as_posix())
    lines = ["| | Promise | Test |", "|--:|---|---|"]
    for number, (promise, others) in enumerate(_PROMISES, start=1):
        places = sorted(named.get(number, ())) + [place for place in others if (root / place).exists()]
        tests = ", ".join(f"[{place.removeprefix('tests/').removesuffix('.py')}]({place})" for place in places)
        if number not in named:
            tests += f"{'; ' if tests else ''}no test of its name yet"
        lines.append(_row(str(number), promise, tests))
    return "\n".join(lines)


def _classes(_: Path) -> str:
    from tms_pipeline.reports.words import CLASSES

    return _meanings("Class", CLASSES)


def _standings(_: Path) -> str:
    from tms_pipeline.reports.words import STANDINGS

    return _meanings("Standing", STANDINGS)


def _meanings(title: str, found: Mapping[str, str]) -> str:
    return "\n".join([f"| {title} | Meaning |", "|---|---|", *(_row(name, meaning) for name, meaning in found.items())])


def _runbook() -> Any:
    from tms_pipeline.health import runbook

    return runbook


_MAKERS: dict[str, Callable[[Path], str]] = {
    "matrix of roles": lambda _: matrix_of_roles(),
    "purposes of opening": lambda _: purposes(),
    "settings": _settings_table,
    "verbs": _verbs_reference,
    "mappings": _mappings,
    "deadlines": _deadlines,
    "standards": _standards,
    "states": _states,
    "crash points": _crash_points,
    "record kinds": _record_kinds,
    "promises": _promises,
    "discrepancy classes": _classes,
    "standings": _standings,
    "alerts": lambda root: _runbook().alerts_table(root),
    "alarm topics": lambda root: _runbook().alarms_table(root),
    "error codes": lambda root: _runbook().codes_table(root),
    "metrics": lambda root: _runbook().metrics_table(root),
}


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


# -- the checks ------------------------------------------------------------------------------------------------


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
    found += _verbs_without_page(root)
    found += _settings_without_line(root)
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
        file = (path.parent / _unquoted(place)).resolve() if place else path.resolve()
        if not file.exists():
            yield f"{name}: the link to {target} is dead"
        elif not file.is_relative_to(root.resolve()):
            yield f"{name}: the link to {target} leads out of the project"
        elif anchor and file.suffix == ".md":
            other = texts.get(file) or texts.get(root / file.relative_to(root.resolve())) or ""
            if anchor not in anchors(other):
                yield f"{name}: the link to {target} is dead, as no heading there is named so"


def _unquoted(place: str) -> str:
    from urllib.parse import unquote

    return unquote(place)


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
    verbs = {verb for verb, _ in _verbs()}
    groups = {verb.split()[0] for verb in verbs if " " in verb}
    for verb, inner in dict.fromkeys(_SAID_VERB.findall(text) + _RUN_VERB.findall(text)):
        if verb not in verbs and verb not in groups:
            yield f"{name}: there is no verb 'tms {verb}'"
        elif verb in groups and inner and f"{verb} {inner}" not in verbs:
            yield f"{name}: there is no verb 'tms {verb} {inner}'"
    makefile = root / "Makefile"
    if makefile.exists():
        targets = set(re.findall(r"^([a-z][a-z-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))
        for target in dict.fromkeys(_TARGET.findall(text)):
            if target not in targets:
                yield f"{name}: there is no 'make {target}'"


def _verbs_without_page(root: Path) -> Iterator[str]:
    page = root / "docs" / "cli.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    for verb, command in _verbs():
        if f"\n## tms {verb}\n" not in text:
            yield f"docs/cli.md: the verb 'tms {verb}' is not documented"
        if not command.help:
            yield f"tms {verb}: the verb has no help"


def _settings_without_line(root: Path) -> Iterator[str]:
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


def _same(left: str, right: str) -> bool:
    try:
        return float(left) == float(right)
    except ValueError:
        return left == right


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
