"""Mapping files: YAML to mappings, with every mistake named by file, line and key; drafts of new ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tms_pipeline.intake.headings import heading_key
from tms_pipeline.intake.mappings import Join, LookUp, Mapping, Split
from tms_pipeline.records.kinds import KINDS

KEYS = (
    "name",
    "title",
    "source",
    "fingerprint",
    "automatic",
    "only",
    "kinds",
    "columns",
    "ignore",
    "values",
    "split",
    "join",
    "constants",
    "dates",
    "dates_proven_by",
    "same_as",
    "look_up",
    "only_when",
    "form",
)
ORDERS = ("DMY", "MDY", "YMD")
TIME_RANGE = "time range"
FIELD_NAMES = frozenset(item.name for kind in KINDS.values() for item in kind.fields)
# What look-ups may go by beside our own fields.
LOOK_UP_NAMES = FIELD_NAMES | {"ssg_run_id", "course_title"}
LONGEST_FILE = 200_000


class MappingError(Exception):
    """A mistake in a mapping file: ``str()`` names the file, the line and the key."""

    def __init__(self, file: str, line: int, key: str, what: str) -> None:
        super().__init__(f"{file}, line {line}, {key or 'the file'}: {what}")
        self.file, self.line, self.key, self.what = file, line, key, what


class _Node:
    """A part of the file that knows its line and key."""

    def __init__(self, file: str, node: yaml.Node, key: str = "") -> None:
        self.file, self.node, self.key = file, node, key

    def error(self, what: str) -> MappingError:
        return MappingError(self.file, self.node.start_mark.line + 1, self.key, what)

    def text(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error("must be one word or text")
        return str(self.node.value)

    def truth(self) -> bool:
        if self.text() not in ("true", "false"):
            raise self.error("must be true or false")
        return self.text() == "true"

    def items(self) -> dict[str, _Node]:
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("must be a list of 'key: value'")
        found: dict[str, _Node] = {}
        for key, value in self.node.value:
            name = _Node(self.file, key, self.key).text()
            if name in found:
                raise _Node(self.file, key, self._path(name)).error("is there twice")
            found[name] = _Node(self.file, value, self._path(name))
        return found

    def each(self) -> list[_Node]:
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("must be a list")
        return [_Node(self.file, value, f"{self.key}[{index}]") for index, value in enumerate(self.node.value, 1)]

    def one_or_more(self) -> list[_Node]:
        return self.each() if isinstance(self.node, yaml.SequenceNode) else [self]

    def one_of(self, allowed: object, what: str) -> str:
        text = self.text()
        if text not in allowed:  # type: ignore[operator]
            near = suggestion_of(text, list(allowed))  # type: ignore[call-overload]
            raise self.error(f"'{text}' is no {what}" + (f"; did you mean '{near}'?" if near else ""))
        return text

    def _path(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name


def suggestion_of(text: str, known: list[str]) -> str | None:
    """The known word that is closest, if one is close."""
    from rapidfuzz import process

    found = process.extractOne(text, known, score_cutoff=70)
    return found[0] if found else None


def load_mapping(path: Path) -> Mapping:
    """The mapping in that file. Raises MappingError with file, line and key."""
    file = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(file, 1, "", f"cannot be read ({type(error).__name__})") from None
    if len(text) > LONGEST_FILE:
        raise MappingError(file, 1, "", "is far too long")
    return parse_mapping(text, file)


def parse_mapping(text: str, file: str) -> Mapping:
    """The mapping in that text. Raises MappingError with file, line and key."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", "") or "is not YAML")
        raise MappingError(file, mark.line + 1 if mark else 1, "", what) from None
    if root is None:
        raise MappingError(file, 1, "", "is empty")
    try:
        return _mapping(_Node(file, root))
    except RecursionError:
        raise MappingError(file, 1, "", "refers to itself") from None


def _mapping(root: _Node) -> Mapping:
    items = root.items()
    for name, node in items.items():
        if name not in KEYS:
            near = suggestion_of(name, list(KEYS))
            raise node.error("is no key of a mapping" + (f"; did you mean '{near}'?" if near else ""))
    if "name" not in items or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", items["name"].text()):
        raise items.get("name", root).error("a name of small letters, digits and hyphens is needed")
    if "fingerprint" not in items or not items["fingerprint"].each():
        raise items.get("fingerprint", root).error("a fingerprint of at least one heading is needed")

    def take(name: str, reader: Callable[[_Node], Any], otherwise: Any) -> Any:
        return reader(items[name]) if name in items else otherwise

    def texts(node: _Node) -> tuple[str, ...]:
        return tuple(one.text() for one in node.each())

    return Mapping(
        name=items["name"].text(),
        title=take("title", _Node.text, ""),
        fingerprint=texts(items["fingerprint"]),
        automatic=take("automatic", _Node.truth, True),
        only=take("only", _Node.truth, False),
        form=take("form", _Node.truth, False),
        kinds=take("kinds", lambda node: tuple(one.one_of(KINDS, "record kind") for one in node.each()), ()),
        columns=take("columns", _columns, {}),
        ignore=take("ignore", texts, ()),
        values=take("values", _values, {}),
        splits=take("split", lambda node: tuple(map(_split, node.each())), ()),
        join=take("join", lambda node: tuple(map(_join, node.each())), ()),
        constants=take(
            "constants", lambda node: {_field(name, one): one.text() for name, one in node.items().items()}, {}
        ),
        dates=take(
            "dates",
            lambda node: {_field(name, one): one.one_of(ORDERS, "date order") for name, one in node.items().items()},
            {},
        ),
        dates_proven_by=take("dates_proven_by", texts, ()),
        same_as=take("same_as", lambda node: {name: texts(one) for name, one in node.items().items()}, {}),
        look_ups=take("look_up", lambda node: tuple(map(_look_up, node.each())), ()),
        only_when=take(
            "only_when", lambda node: {_kind(name, one): one.text() for name, one in node.items().items()}, {}
        ),
    )


def _field(name: str, node: _Node, known: frozenset[str] = FIELD_NAMES) -> str:
    if name not in known:
        near = suggestion_of(name, sorted(known))
        raise node.error(f"'{name}' is no field" + (f"; did you mean '{near}'?" if near else ""))
    return name


def _kind(name: str, node: _Node) -> str:
    if name not in KINDS:
        raise node.error(f"'{name}' is no record kind")
    return name


def _columns(node: _Node) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    keys: dict[str, str] = {}
    for heading, fields in node.items().items():
        key = heading_key(heading)
        if not key or key in keys:
            raise fields.error(f"reads the same as '{keys.get(key, '')}'")
        keys[key] = heading
        found[heading] = tuple(_field(one.text(), one) for one in fields.one_or_more())
    return found


def _values(node: _Node) -> dict[str, dict[str, str]]:
    found = {}
    for name, words in node.items().items():
        _field(name, words)
        found[name] = {word: to.text() for word, to in words.items().items()}
    return found


def _need(node: _Node, allowed: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, _Node]:
    items = node.items()
    for name, one in items.items():
        if name not in allowed:
            raise one.error(f"is none of {', '.join(allowed)}")
    for name in needed:
        if name not in items:
            raise node.error(f"'{name}' is missing")
    return items


def _split(node: _Node) -> Split:
    items = _need(node, ("from", "into", "form", "pattern", "example"), ("from", "into"))
    into = tuple(_field(one.text(), one) for one in items["into"].each())
    pattern: re.Pattern[str] | None = None
    if "pattern" in items:
        try:
            pattern = re.compile(items["pattern"].text(), re.IGNORECASE)
        except re.error as error:
            raise items["pattern"].error(f"is no pattern ({error})") from None
        if set(pattern.groupindex) != set(into):
            raise items["pattern"].error(f"must have the groups {', '.join(into)}")
    elif "form" not in items or items["form"].text() != TIME_RANGE or len(into) != 2:
        raise node.error(f"needs a pattern, or 'form: {TIME_RANGE}' into two fields")
    example = items["example"].text() if "example" in items else "14 to 18"
    return Split(heading=items["from"].text(), into=into, pattern=pattern, example=example)


def _join(node: _Node) -> Join:
    items = _need(node, ("from", "into", "with"), ("from", "into"))
    into = _field(items["into"].text(), items["into"])
    return Join(
        into=into,
        headings=tuple(one.text() for one in items["from"].each()),
        between=items["with"].text() if "with" in items else " ",
    )


def _look_up(node: _Node) -> LookUp:
    items = _need(node, ("into", "by", "days", "otherwise"), ("into", "by"))
    days = items["days"].text() if "days" in items else "45"
    if not days.isdecimal() or int(days) > 366:
        raise items["days"].error("must be a number of days, at most 366")
    by = {_field(name, one, frozenset(LOOK_UP_NAMES)): one.text() for name, one in items["by"].items().items()}
    return LookUp(
        into=_field(items["into"].text(), items["into"]),
        by=by,
        days=int(days),
        otherwise=items["otherwise"].text() if "otherwise" in items else None,
    )


def check_mappings(paths: list[Path]) -> list[str]:
    """What is wrong with these files, one line each; empty when all are right."""
    wrong, names = [], dict[str, str]()
    for path in paths:
        try:
            mapping = load_mapping(path)
        except MappingError as error:
            wrong.append(str(error))
            continue
        if mapping.name in names:
            wrong.append(f"{path.name}, line 1, name: '{mapping.name}' is also the name in {names[mapping.name]}")
        names[mapping.name] = path.name
    return wrong
