"""Rules as dated, sourced data: what binds whom, from when to when, and how sure we are of it.

Pure: reads YAML of this package and nothing else. What public sources do not establish is marked
``uncertain`` and is a setting: an overlay folder replaces the value (docs/compliance.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

RULES_FOLDER = Path(__file__).parent / "rules"
CONFIDENCES = ("sourced", "old", "third-party", "uncertain")
COUNTED = (
    "before run start", "after run start", "after run end", "after assessment", "on the session day", ""
)
# What the value of a rule may be: a range of numbers, or one of some words.
VALUES: Mapping[str, tuple[int, int] | tuple[str, ...]] = {
    "attendance-rate": (0, 100),
    "attendance-rate-basis": ("sessions", "hours"),
    "near-window": (0, 90),
    "minimum-assessments": (0, 20),
}
WHOLE_NUMBERS = ("near-window", "minimum-assessments")
UNITS = ("calendar days", "working days")
MOST_DAYS = 3_660
# A filter that says more about the money outweighs one that says less: an in-house IBF course follows IBF.
_WEIGHT = {"provider_type": 1, "funding_body": 2, "mode": 4}


class RuleError(ValueError):
    """The rules cannot be used; the message names the file and the rule and says what to correct."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule with one value, over one stretch of time, for those whom it binds."""

    id: str
    title: str
    kind: str
    value: int | float | str
    unit: str
    in_force_from: date
    in_force_to: date | None = None
    binds: Mapping[str, tuple[str, ...]]
    counted: str = ""
    checked: bool = True
    source: str
    source_date: str
    confidence: str
    sentence: str
    what_to_do: str
    when_missed: str = ""

    @property
    def days(self) -> int:
        """The value as a number of days. Raises RuleError when the rule is not about days."""
        if isinstance(self.value, int):
            return self.value
        raise RuleError(f"The rule {self.id} has the value '{self.value}', which is no number of days.")

    def in_force(self, on: date) -> bool:
        """Whether the rule is in force on that day; both ends count."""
        return self.in_force_from <= on and (self.in_force_to is None or on <= self.in_force_to)

    def binding(self, facts: Mapping[str, str | None]) -> bool:
        """Whether every filter of the rule holds the fact of its name."""
        return all(facts.get(name) in values for name, values in self.binds.items())

    @property
    def weight(self) -> int:
        """How specific the rule is; of two that bind the heavier one decides."""
        return sum(_WEIGHT[name] for name in self.binds)

    @property
    def whom(self) -> str:
        """Whom it binds, in words."""
        if not self.binds:
            return "everybody"
        return "; ".join(f"{name.replace('_', ' ')} {' or '.join(self.binds[name])}" for name in sorted(self.binds))


class _Entry(dict[str, Any]):
    """One entry of a file, which knows the line of each of its keys."""

    line = 0
    lines: dict[str, int]

    def place(self, key: str | None = None) -> int:
        """The line of a key, or of the entry."""
        return self.lines.get(key, self.line) if key else self.line


class _Lines(yaml.SafeLoader):
    """Reads YAML as always, and keeps where each entry and key stands."""


def _with_lines(loader: yaml.SafeLoader, node: yaml.MappingNode) -> _Entry:
    entry = _Entry()
    entry.line = node.start_mark.line + 1
    entry.lines = {}
    for key_node, _ in node.value:
        key = str(loader.construct_object(key_node))
        if key in entry.lines:
            raise RuleError(f"line {key_node.start_mark.line + 1}, {key}: stands twice in one rule.")
        entry.lines[key] = key_node.start_mark.line + 1
    entry.update({str(key): value for key, value in loader.construct_mapping(node, deep=True).items()})
    return entry


_Lines.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _with_lines)


def load_rules(folder: Path = RULES_FOLDER, overlay: Path | None = None) -> tuple[Rule, ...]:
    """All rules of the folder; those of the overlay, a file or a folder, take the place of their like.

    Alike are rules of the same id, filters and ``in_force_from``; an overlay entry needs only ``id``, ``binds``,
    ``in_force_from`` and what changes. Raises RuleError for a rule that is incomplete or in doubt.
    """
    rules = _read(folder)
    if overlay is not None:
        rules = _laid_over(rules, overlay)
    _refuse_doubt(rules)
    return tuple(sorted(rules, key=_order))


@cache
def package_rules() -> tuple[Rule, ...]:
    """The rules that come with the project, read once a process."""
    return load_rules()


def rule_for(
    rule_id: str,
    *,
    on: date,
    provider_type: str | None,
    funding_body: str | None,
    mode: str | None = None,
    rules: Iterable[Rule] | None = None,
) -> Rule | None:
    """The rule of that id that binds on that day (for a run: its start date), the most specific one, or None."""
    facts = {"provider_type": provider_type, "funding_body": funding_body, "mode": mode}
    bound = [
        rule
        for rule in (package_rules() if rules is None else rules)
        if rule.id == rule_id and rule.in_force(on) and rule.binding(facts)
    ]
    return max(bound, key=lambda rule: rule.weight, default=None)


def _order(rule: Rule) -> tuple[str, int, str, date]:
    return (rule.id, rule.weight, rule.whom, rule.in_force_from)


def _read(folder: Path) -> list[Rule]:
    found: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        found += [_rule(entry, path) for entry in _entries(path)]
    if not found:
        raise RuleError(f"The folder {folder} holds no rules; it should hold *.yaml files.")
    return found


def _entries(path: Path) -> list[_Entry]:
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=_Lines)  # noqa: S506  (a SafeLoader)
    except RuleError as error:
        raise RuleError(f"{path.name}, {error}") from None
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise RuleError(f"{path.name}{line}: this is no YAML; correct its indentation and quotes.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise RuleError(f"{path.name} is no YAML text; save it as UTF-8.") from None
    except OSError:
        raise RuleError(f"The rules in {path} cannot be read; correct the path or its rights.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, _Entry) for entry in entries):
        raise RuleError(f"{path.name} must be a list of rules, each beginning with '- id:'.")
    return entries


def _filters(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    binds = entry.get("binds") or {}
    if not isinstance(binds, dict):
        return {"binds": (str(binds),)}
    return {
        str(name): tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for name, value in binds.items()
    }


def _rule(entry: _Entry, path: Path, base: Rule | None = None) -> Rule:
    def wrong(key: str | None, what: str) -> RuleError:
        of = f"rule {entry['id']}" if entry.get("id") else "a rule without id"
        return RuleError(f"{path.name}, line {entry.place(key)}, {of}{f', {key}' if key else ''}: {what}")

    known = {one.name: one for one in fields(Rule)}
    for key in entry:
        if key not in known:
            raise wrong(key, f"there is no such key; the keys are {', '.join(known)}.")
    before = {} if base is None else {name: getattr(base, name) for name in known}
    values = {**before, **entry, "binds": _filters(entry)}
    if base is not None and "value" in entry:
        # What the rule says must not contradict its new value.
        if "sentence" not in entry:
            values["sentence"] = re.sub(rf"\b{re.escape(str(base.value))}\b", str(entry["value"]), base.sentence)
        if "source" not in entry:
            values["source"] = f"The provider's own rules ({path.name}) in place of: {base.source}"
    if base is not None and "unit" in entry and "sentence" not in entry:
        values["sentence"] = values["sentence"].replace(base.unit, str(entry["unit"]))
    values["source_date"] = str(values.get("source_date", "undated"))
    needed = [one.name for one in known.values() if one.default is MISSING]
    if lacking := [name for name in needed if name not in values]:
        raise wrong(None, f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} missing.")
    for key in ("id", "title", "kind", "unit", "source", "confidence", "sentence", "what_to_do", "when_missed"):
        if not isinstance(values.get(key, ""), str):
            raise wrong(key, "must be a text.")
    rule = Rule(**values)
    if rule.confidence not in CONFIDENCES:
        raise wrong("confidence", f"confidence must be one of {', '.join(CONFIDENCES)}.")
    if rule.counted not in COUNTED:
        raise wrong("counted", f"counted must be one of {', '.join(filter(None, COUNTED))}.")
    if not isinstance(rule.checked, bool):
        raise wrong("checked", "must be true or false.")
    if unknown := set(rule.binds) - set(_WEIGHT):
        raise wrong("binds", f"binds knows no '{sorted(unknown)[0]}'; it knows {', '.join(_WEIGHT)}.")
    for key, day in (("in_force_from", rule.in_force_from), ("in_force_to", rule.in_force_to)):
        # A moment is a date as well to Python, but no day.
        if type(day) is not date and not (key == "in_force_to" and day is None):
            raise wrong(key, "in_force_from and in_force_to must be dates written as 2026-01-31.")
    if rule.in_force_to is not None and rule.in_force_to < rule.in_force_from:
        raise wrong("in_force_to", "in_force_to lies before in_force_from.")
    if isinstance(rule.value, bool) or not isinstance(rule.value, int | float | str):
        raise wrong("value", "must be a number or a word.")
    if (rule.counted or (base is not None and isinstance(base.value, int))) and not isinstance(rule.value, int | float):
        raise wrong("value", "value must be a whole number of days." if rule.counted else "must be a number.")
    if rule.counted and (not isinstance(rule.value, int) or not 0 <= rule.value <= MOST_DAYS):
        raise wrong("value", f"value must be a whole number of days, {MOST_DAYS:,} at most.")
    if rule.counted and rule.unit not in UNITS:
        # Anything else would be shown as it is written and counted as calendar days.
        raise wrong("unit", f"must be {' or '.join(UNITS)}.")
    if allowed := VALUES.get(rule.id):
        low, high = allowed
        if isinstance(low, str):
            if rule.value not in allowed:
                raise wrong("value", f"must be one of {', '.join(map(str, allowed))}.")
        elif not isinstance(rule.value, int | float) or not low <= rule.value <= high:  # type: ignore[operator]
            raise wrong("value", f"must be a number from {low} to {high}.")
        elif rule.id in WHOLE_NUMBERS and not isinstance(rule.value, int):
            raise wrong("value", "must be a whole number.")
    return rule


def overlay_files(overlay: Path) -> list[Path]:
    """The files of an overlay: itself, or every ``*.yaml`` and ``*.yml`` of a folder. Raises RuleError for none."""
    if overlay.is_dir():
        found = sorted([*overlay.glob("*.yaml"), *overlay.glob("*.yml")])
        if not found:
            raise RuleError(f"The folder {overlay} holds no rules; it should hold *.yaml files.")
        return found
    if not overlay.exists():
        raise RuleError(f"The rules {overlay} are not there; correct TMS_RULES or leave it empty.")
    return [overlay]


def _laid_over(rules: list[Rule], overlay: Path) -> list[Rule]:
    by_identity = {(rule.id, tuple(sorted(rule.binds.items())), rule.in_force_from): rule for rule in rules}
    ids = {rule.id for rule in rules}
    places: dict[tuple[object, ...], str] = {}
    for path in overlay_files(overlay):
        for entry in _entries(path):
            if entry.get("id") not in ids:
                # A rule that no check asks for would say nothing, which its author would not expect.
                raise RuleError(
                    f"{path.name}, line {entry.place('id')}, id: no check knows the rule '{entry.get('id', '')}'; "
                    f"the rules are {', '.join(sorted(ids))}."
                )
            identity = (str(entry.get("id")), tuple(sorted(_filters(entry).items())), entry.get("in_force_from"))
            base = by_identity.get(identity)  # type: ignore[arg-type]
            by_identity[identity] = _rule(entry, path, base)  # type: ignore[index]
            places[identity] = f"{path.name}, line {entry.place('in_force_from')}, in_force_from"
    for mine, place in places.items():
        others = [other for known, other in by_identity.items() if known != mine]
        if (both := _doubt([by_identity[mine]], others)) is not None:  # type: ignore[index]
            raise RuleError(f"{place}: {both}")
    return list(by_identity.values())


def _refuse_doubt(rules: list[Rule]) -> None:
    """Two rules of one id and the same filters may not be in force on the same day."""
    for number, one in enumerate(rules):
        if (both := _doubt([one], rules[number + 1 :])) is not None:
            raise RuleError(both)


def _doubt(some: list[Rule], others: list[Rule]) -> str | None:
    """Which two rules are in force on one day, in a sentence."""
    for one in some:
        for other in others:
            if one.id != other.id or one.binds != other.binds:
                continue
            first, second = sorted((one, other), key=lambda rule: rule.in_force_from)
            if first.in_force(second.in_force_from):
                return (
                    f"The rule {one.id} ({one.whom}) has two values on {second.in_force_from}; "
                    "give the older one an in_force_to before that day."
                )
    return None
