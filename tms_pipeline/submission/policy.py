"""The approval policy: what each part of a plan needs before it may go. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from tms_pipeline.records.kinds import KINDS

Mode = Literal["auto", "review", "two-person"]
MODES = ("auto", "review", "two-person")
ACTIONS = ("create", "update", "cancel")


@dataclass(frozen=True)
class Policy:
    """What each part of a plan needs. The most specific rule counts: kind.action, kind, any kind's action, any."""

    rules: tuple[tuple[str, str, Mode], ...]

    def mode(self, kind: str, action: str) -> Mode:
        """What this part needs; a part that no rule names needs a person."""
        for wanted in ((kind, action), (kind, "*"), ("*", action), ("*", "*")):
            for rule_kind, rule_action, mode in self.rules:
                if (rule_kind, rule_action) == wanted:
                    return mode
        return "review"


def policy_of(text: str) -> Policy:
    """The policy of a setting such as ``auto`` or ``enrolment:review,course_run.cancel:two-person,*:auto``.

    Raises ValueError with one sentence for a rule that makes no sense: a policy is never guessed.
    """
    if text.strip() in MODES:
        return Policy((("*", "*", cast(Mode, text.strip())),))
    rules: list[tuple[str, str, Mode]] = []
    for rule in filter(None, (part.strip() for part in text.split(","))):
        part, _, mode = rule.partition(":")
        kind, _, action = part.strip().partition(".")
        action = action or "*"
        if kind not in (*KINDS, "*") or action not in (*ACTIONS, "*") or mode.strip() not in MODES:
            raise ValueError(
                f"TMS_APPROVAL_POLICY: '{rule}' is no rule; write kind.action:mode, such as "
                f"enrolment.cancel:two-person, with a mode of {', '.join(MODES)}."
            )
        if any((kind, action) == known[:2] for known in rules):
            raise ValueError(f"TMS_APPROVAL_POLICY names {part} twice.")
        rules.append((kind, action, cast(Mode, mode.strip())))
    if not rules:
        raise ValueError("TMS_APPROVAL_POLICY is empty; 'auto' approves everything, 'review' nothing by itself.")
    return Policy(tuple(rules))
