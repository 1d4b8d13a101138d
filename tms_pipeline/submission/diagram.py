"""The diagram of the state machine in docs/submission.md, generated from the table: ``--check`` or ``--write``."""

from __future__ import annotations

import sys
from pathlib import Path

from tms_pipeline.settings import PROJECT_ROOT
from tms_pipeline.submission.states import DEAD_LETTER, MOVES

PAGE = PROJECT_ROOT / "docs" / "submission.md"
_BEGIN, _END = "<!-- states: begin -->", "<!-- states: end -->"


def diagram() -> str:
    """The moves as a mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> planned", "    [*] --> held"]
    lines += [f"    {start} --> {end}" for start, ends in MOVES.items() for end in sorted(ends)]
    lines += [f"    {state} --> [*]" for state, ends in MOVES.items() if not ends]
    lines.append(f"    class {','.join(sorted(DEAD_LETTER))} dead_letter")
    lines.append("    classDef dead_letter stroke-dasharray: 4 3")
    return "\n".join([*lines, "```"])


def table() -> str:
    """The moves as a table."""
    rows = [f"| {start} | {', '.join(sorted(ends)) or 'nowhere: it is over'} |" for start, ends in MOVES.items()]
    return "\n".join(["| From | To |", "|---|---|", *rows])


def with_diagram(page: str) -> str:
    """The page with diagram and table of today. Raises ValueError when it has no place for them."""
    head, begin, rest = page.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} needs the lines {_BEGIN} and {_END}")
    return f"{head}{_BEGIN}\n\n{diagram()}\n\n{table()}\n\n{_END}{tail}"


def main(arguments: list[str], page: Path = PAGE) -> int:
    """``--write`` the page, or ``--check`` it: 1 if it is not that of the table."""
    text = page.read_text(encoding="utf-8")
    fresh = with_diagram(text)
    if arguments == ["--write"]:
        page.write_text(fresh, encoding="utf-8")
        return 0
    if arguments != ["--check"]:
        sys.stderr.write("usage: python -m tms_pipeline.submission.diagram --check|--write\n")
        return 2
    if fresh != text:
        sys.stderr.write(f"{page} is not that of the table; run python -m tms_pipeline.submission.diagram --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
