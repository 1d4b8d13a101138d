"""Attendance marks that mean one thing in one office and the opposite in the next: asked about, never guessed.

A cross is 'absent' beside P or a tick, and 'present' in a list where people cross the box of whoever came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tms_pipeline.intake.readings import Reading, choice_key, shown

CROSSES = frozenset({"x", "✗", "✘", "×", "☒"})


def unclear_crosses(readings: Mapping[Any, Reading], values: Mapping[Any, Any]) -> dict[Any, Reading]:
    """The readings of a column of marks, by key, that hold a cross while no other mark says what it stands for.

    A cross counts as absent only beside a mark for present and without any other mark for absent.
    """
    words = {key: choice_key(shown(value)) for key, value in values.items() if isinstance(value, str)}
    crosses = [key for key, word in words.items() if word in CROSSES and readings[key].text is not None]
    if not crosses:
        return {}
    marked = [key for key in readings if key not in crosses and readings[key].text is not None]
    present = any(readings[key].text == "present" for key in marked)
    absent = any(readings[key].text == "absent" for key in marked)
    if present and not absent:
        return {}
    return {key: Reading(None, "MARK_UNCLEAR", {"value": words[key]}) for key in crosses}
