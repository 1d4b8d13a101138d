"""Every fault code has a page that says what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tms_pipeline.records import fault_pages
from tms_pipeline.records.fault import catalogue


def test_pages_are_up_to_date() -> None:
    assert fault_pages.stale() == [], "run: python -m tms_pipeline.records.fault_pages --write"


def test_every_code_is_in_the_index_once() -> None:
    listed = [entry.code for entries in fault_pages.sections().values() for entry in entries]
    assert sorted(listed) == sorted(catalogue())
    index = fault_pages.pages()["README.md"]
    assert all(f"[{code}]({code}.md)" in index for code in catalogue())


def test_pages_say_what_to_do_and_leave_no_brace_open() -> None:
    for name, text in fault_pages.pages().items():
        assert "{" not in text, name
        if name != "README.md":
            entry = catalogue()[name.removesuffix(".md")]
            assert "## What to do" in text
            assert ("**Error.**" in text) is (entry.severity == "error")


def test_stale_missing_and_orphaned_pages_are_found(tmp_path: Path) -> None:
    fault_pages.write(tmp_path)
    assert fault_pages.stale(tmp_path) == []
    (tmp_path / "FILE_EMPTY.md").write_text("old")
    (tmp_path / "VALUE_MISSING.md").unlink()
    (tmp_path / "CODE_OF_OLD.md").write_text("gone")
    (tmp_path / "ssg-tgs-405.md").write_text("somebody else's")
    assert fault_pages.stale(tmp_path) == ["CODE_OF_OLD.md", "FILE_EMPTY.md", "VALUE_MISSING.md"]
    assert len(fault_pages.write(tmp_path)) == 3
    assert fault_pages.stale(tmp_path) == []
    assert (tmp_path / "ssg-tgs-405.md").exists()
    assert fault_pages.write(tmp_path) == []


def test_command_line_exits(capsys: pytest.CaptureFixture[str]) -> None:
    assert fault_pages.main(["--check"]) == 0
    assert "up to date" in capsys.readouterr().out
    with pytest.raises(SystemExit) as usage:
        fault_pages.main([])
    assert usage.value.code == 2
