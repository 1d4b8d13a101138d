from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_fixtures import *  # noqa: F403


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cases of the crash matrix ran, added up over its shares and the processes that took them."""
    found = [
        tuple(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "crash cases"
    ]
    if found:
        cases, reached, failed, seconds = (sum(column) for column in zip(*found, strict=True))
        terminalreporter.write_line(
            f"crash matrix: {cases} cases, {reached} killed at their point, {failed} failed, {seconds:.0f} s of work"
        )
