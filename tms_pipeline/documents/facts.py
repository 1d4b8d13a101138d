"""Tables of what the code and the rule files say: roles, purposes, mappings, deadlines, states, classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tms_pipeline.documents.table import row
from tms_pipeline.records.kinds import KINDS


def matrix_of_roles() -> str:
    """Who may do what, as matrix.toml says."""
    from tms_pipeline.roles.matrix import matrix

    table = matrix()
    lines = [row("Task", *table.roles, "What belongs to it"), "|" + "---|" * (len(table.roles) + 2)]
    for task in table.tasks:
        named = [entry.name if entry.sort == "verb" else f"{entry.sort} {entry.name}" for entry in task.entries]
        lines.append(row(task.what, *(task.cells[role] for role in table.roles), ", ".join(named)))
    return "\n".join(lines)


def purposes() -> str:
    """Every reason for which a sealed value is opened."""
    from tms_pipeline.identity.purposes import PURPOSES

    return "\n".join(["| Purpose | What for, and who |", "|---|---|", *(row(*item) for item in PURPOSES.items())])


def mappings(root: Path) -> str:
    """The layouts of sheets that are known."""
    import yaml

    lines = ["| Layout | `--mapping` | What comes out of it |", "|---|---|---|"]
    for path in sorted((root / "tms_pipeline" / "mappings").glob("*.yaml")):
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        kinds = [KINDS[name].plural for name in found.get("kinds", ())]
        out = ", ".join(kinds) if kinds else "what its questions ask for"
        lines.append(row(found["title"], f"`{found['name']}`", out))
    return "\n".join(lines)


def deadlines(root: Path) -> str:
    """The deadlines, with their sources."""
    import yaml

    source = root / "tms_pipeline" / "compliance" / "rules" / "deadlines.yaml"
    lines = ["| Rule | Binds | Days | Source, and how sure it is |", "|---|---|---|---|"]
    for rule in yaml.safe_load(source.read_text(encoding="utf-8")):
        binds = ", ".join(f"{value}" for value in rule.get("binds", {}).values()) or "all"
        days = f"{rule['value']} {rule['unit']} {rule['counted']}" if "counted" in rule else f"{rule['value']}"
        about = f"{rule['source']} Dated {rule['source_date']}. **{rule['confidence'].capitalize()}.**"
        lines.append(row(rule["title"], binds, days, about))
    return "\n".join(lines)


def standards(root: Path) -> str:
    """The standards, with their sources."""
    import yaml

    source = root / "tms_pipeline" / "compliance" / "rules" / "standards.yaml"
    lines = ["| Standard | What it says | Source, and how sure it is |", "|---|---|---|"]
    for rule in yaml.safe_load(source.read_text(encoding="utf-8")):
        checked = "" if rule.get("checked", True) else " For information; it is not checked."
        about = f"{rule['source']} Dated {rule['source_date']}. **{rule['confidence'].capitalize()}.**"
        lines.append(row(rule["title"], f"{rule['sentence']}{checked}", about))
    return "\n".join(lines)


def states() -> str:
    """The states of a submission, and where each can go."""
    from tms_pipeline.submission.states import MOVES

    lines = ["| State | Where it can go |", "|---|---|"]
    for start, ends in MOVES.items():
        lines.append(row(f"`{start}`", ", ".join(f"`{end}`" for end in MOVES if end in ends) or "nowhere; it is over"))
    return "\n".join(lines)


def crash_points() -> str:
    """The moments at which tests kill a worker."""
    from tms_pipeline.submission.crashpoints import POINTS

    return "\n".join(
        ["| Crash point | The moment |", "|---|---|", *(row(f"`{name}`", about) for name, about in POINTS.items())]
    )


def classes() -> str:
    """The classes of discrepancies."""
    from tms_pipeline.reports.words import CLASSES

    return _meanings("Class", CLASSES)


def standings() -> str:
    """The standings of obligations."""
    from tms_pipeline.reports.words import STANDINGS

    return _meanings("Standing", STANDINGS)


def _meanings(title: str, found: Mapping[str, str]) -> str:
    return "\n".join([f"| {title} | Meaning |", "|---|---|", *(row(name, meaning) for name, meaning in found.items())])
