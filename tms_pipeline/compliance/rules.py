"""Rules as dated, sourced data: what binds whom, from when to when, and how sure we are of it.

Pure: reads YAML of this package and nothing else. What public sources do not establish is marked
``uncertain`` and is a setting: an overlay folder replaces the value (docs/compliance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def load_rules(folder: Path = RULES_FOLDER, overlay: Path | None = None) -> tuple[Rule, ...]:
    """All rules of the folder; those of the overlay folder take the place of their like.

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


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        raise RuleError(f"{path.name} is no YAML; correct its indentation and quotes.") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError(f"{path.name} must be a list of rules.")
    return entries


def _filters(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        str(name): tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for name, value in (entry.get("binds") or {}).items()
    }


def _rule(entry: dict[str, Any], path: Path) -> Rule:
    name = f"{path.name}, rule {entry.get('id', '(without id)')}"
    values = {**entry, "binds": _filters(entry), "source_date": str(entry.get("source_date", "undated"))}
    try:
        rule = Rule(**values)
    except TypeError as error:
        raise RuleError(f"{name}: {str(error).removeprefix('Rule.__init__() ')}.") from None
    if rule.confidence not in CONFIDENCES:
        raise RuleError(f"{name}: confidence must be one of {', '.join(CONFIDENCES)}.")
    if rule.counted not in COUNTED:
        raise RuleError(f"{name}: counted must be one of {', '.join(filter(None, COUNTED))}.")
    if unknown := set(rule.binds) - set(_WEIGHT):
        raise RuleError(f"{name}: binds knows no '{sorted(unknown)[0]}'; it knows {', '.join(_WEIGHT)}.")
    if not isinstance(rule.in_force_from, date) or not isinstance(rule.in_force_to, date | None):
        raise RuleError(f"{name}: in_force_from and in_force_to must be dates written as 2026-01-31.")
    if rule.in_force_to is not None and rule.in_force_to < rule.in_force_from:
        raise RuleError(f"{name}: in_force_to lies before in_force_from.")
    if rule.counted and not isinstance(rule.value, int):
        raise RuleError(f"{name}: value must be a whole number of days.")
    return rule


def _laid_over(rules: list[Rule], overlay: Path) -> list[Rule]:
    by_identity = {(rule.id, tuple(sorted(rule.binds.items())), rule.in_force_from): rule for rule in rules}
    for path in sorted(overlay.glob("*.yaml")):
        for entry in _entries(path):
            identity = (str(entry.get("id")), tuple(sorted(_filters(entry).items())), entry.get("in_force_from"))
            base = by_identity.get(identity)  # type: ignore[arg-type]
            before = {} if base is None else {name: getattr(base, name) for name in base.__dataclass_fields__}
            before["binds"] = {name: list(values) for name, values in before.get("binds", {}).items()}
            by_identity[identity] = _rule({**before, **entry}, path)  # type: ignore[index]
    return list(by_identity.values())


def _refuse_doubt(rules: list[Rule]) -> None:
    """Two rules of one id and the same filters may not be in force on the same day."""
    for number, one in enumerate(rules):
        for other in rules[number + 1 :]:
            if one.id != other.id or one.binds != other.binds:
                continue
            first, second = sorted((one, other), key=lambda rule: rule.in_force_from)
            if first.in_force(second.in_force_from):
                raise RuleError(
                    f"The rule {one.id} ({one.whom}) has two values on {second.in_force_from}; "
                    "give the older one an in_force_to before that day."
                )
