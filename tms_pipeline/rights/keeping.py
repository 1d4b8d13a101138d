"""Keeping: how long each kind is kept, as dated rules from YAML. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent / "rules" / "retention.yaml"
KINDS = ("trainee", "attendance", "audit", "landing", "original", "result")
_SPAN = re.compile(r"^(\d{1,4}) (year|years|month|months|day|days)$")


@dataclass(frozen=True)
class Keep:
    """How long one kind is kept from a day on."""

    kind: str
    keep: str
    after: str
    in_force_from: date
    does: str
    source: str

    def last_day_gone(self, today: date) -> date:
        """What began on this day or before is kept no longer."""
        return minus(today, self.keep)


def minus(day: date, span: str) -> date:
    """The day so long before: ``5 years``, ``3 months``, ``90 days``. Raises ValueError for anything else."""
    found = _SPAN.match(span)
    if not found:
        raise ValueError(f"'{span}' is no span of time; write it as 5 years, 18 months or 90 days.")
    count, unit = int(found[1]), found[2][0]
    if unit == "d":
        return day - timedelta(days=count)
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def load(overlay: Path | None = None, *, result_days: float = 90) -> list[Keep]:
    """All rules; those of the overlay replace ours of the same kind, from the day on which the first of them begins.

    Raises ValueError with one sentence.
    """
    rules = _read(HERE, {})
    if overlay is not None:
        theirs = _read(overlay, {rule.kind: rule for rule in rules})
        # What a house lets begin on a day to come leaves ours in force until then: no kind is without a rule.
        begins: dict[str, date] = {}
        for rule in theirs:
            begins[rule.kind] = min(begins.get(rule.kind, date.max), rule.in_force_from)
        rules = [rule for rule in rules if rule.in_force_from < begins.get(rule.kind, date.max)] + theirs
    return [
        Keep(r.kind, f"{max(int(result_days), 1)} days", r.after, r.in_force_from, r.does, r.source)
        if r.keep == "setting" else r
        for r in rules
    ]  # fmt: skip


def in_force(rules: Iterable[Keep], today: date) -> dict[str, Keep]:
    """The rule of each kind that counts on the day."""
    found: dict[str, Keep] = {}
    for rule in sorted(rules, key=lambda rule: rule.in_force_from):
        if rule.in_force_from <= today:
            found[rule.kind] = rule
    return found


def _read(path: Path, before: dict[str, Keep]) -> list[Keep]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [_rule(item, before) for item in raw]
    except OSError:
        raise ValueError(f"The rules of retention in {path} cannot be read; correct TMS_RETENTION_RULES.") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path} is no list of rules with kind and keep; see docs/retention.md.") from None


def _rule(item: dict[str, Any], before: dict[str, Keep]) -> Keep:
    kind = str(item["kind"])
    if kind not in KINDS:
        raise ValueError(f"There is no rule of retention for '{kind[:30]}'; there are {', '.join(KINDS)}.")
    ours = before.get(kind)
    keep = str(item["keep"])
    if keep != "setting":
        minus(date(2026, 1, 1), keep)
    begins = item.get("in_force_from", date(2021, 1, 1))
    if not isinstance(begins, date):
        raise ValueError(f"in_force_from of '{kind}' is no day; write it as 2026-01-01.")
    return Keep(
        kind=kind,
        keep=keep,
        after=str(item.get("after", ours.after if ours else "")),
        in_force_from=begins,
        does=str(item.get("does", ours.does if ours else "")),
        source=str(item.get("source", "House rule.")),
    )
