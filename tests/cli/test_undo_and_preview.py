"""Undo of an upload and preview of a refused file, by the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import short_folder, tms

COURSES = "Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,{fee}\n"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One installation for all of them."""
    with short_folder() as folder:
        yield folder / "h"


def test_a_preview_of_a_refused_file_is_a_finding_too(home: Path) -> None:
    empty = home.parent / "empty.xlsx"
    empty.write_bytes(b"")
    assert tms(home, "intake", str(empty), "--dry-run").returncode == 1


def test_undo_takes_an_upload_back(home: Path) -> None:
    file = home.parent / "undo.csv"
    file.write_text(COURSES.format(fee="481.00"))
    upload = json.loads(tms(home, "intake", str(file), "--json").stdout)[0]["upload"]
    done = tms(home, "intake", "undo", upload, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["counts"]["reversed"] == 1
    assert said["told"] == ["Taken back: 1 reversed."]
    assert tms(home, "intake", "undo", upload).returncode == 3


def test_a_template_of_no_kind_is_a_slip_of_usage(home: Path) -> None:
    slipped = tms(home, "template", "nonsense", "-o", str(home.parent / "t.xlsx"))
    assert slipped.returncode == 2
    assert "'nonsense' is no record kind; the kinds are course," in slipped.stderr
