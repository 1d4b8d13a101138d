"""The promises of the design, each with the tests that prove it."""

from __future__ import annotations

import re
from pathlib import Path

from tms_pipeline.documents.table import row

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


def promises(root: Path) -> str:
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
        lines.append(row(str(number), promise, tests))
    return "\n".join(lines)
