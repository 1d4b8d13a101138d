"""The check of documents finds what is stale, dead or missing, and passes what is true."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tms_pipeline.operations import docs_check
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.settings import PROJECT_ROOT

FOLDERS = ("docs", "deploy", "benchmarks/results", "examples", "tms_pipeline/roles", "tms_pipeline/mappings", "tms_pipeline/compliance/rules", "tests/promises", ".ci")
FILES = (".env.example", "Makefile", "LICENSE", "pyproject.toml")
# The pages of the codes are many and made by others: their index stands for them.
NOT_NEEDED = shutil.ignore_patterns("__pycache__", "*.pyc", "[A-Z]*_*.md", "ssg-[a-z]*-*.md", "ssg-oauth.md")
# Its index of them likewise.
INDEX_OF_CODES = "docs/runbook/error-codes.md"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The documents and what they are made from, in a folder of their own, with all generated parts fresh."""
    for name in FOLDERS:
        shutil.copytree(PROJECT_ROOT / name, tmp_path / name, ignore=NOT_NEEDED)
    for path in [*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / name for name in FILES)]:
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "docs" / "errors" / "README.md").write_text("# Fault codes\n", encoding="utf-8")
    (tmp_path / INDEX_OF_CODES).write_text("# Error codes\n", encoding="utf-8")
    docs_check.write(tmp_path)
    return tmp_path


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_documents_of_this_project_are_true() -> None:
    assert docs_check.findings() == []


def test_a_fresh_copy_has_no_findings(copy: Path) -> None:
    assert docs_check.findings(copy) == []
    assert docs_check.write(copy) == []


def test_a_stale_part_is_found_and_made_anew(copy: Path) -> None:
    replace(copy / "docs" / "ops.md", "| **NRIC/FIN** | yes |", "| **NRIC/FIN** | no |")
    (found,) = docs_check.findings(copy)
    assert found.startswith("docs/ops.md: the generated part 'columns of") and "--write" in found
    assert docs_check.write(copy) == ["docs/ops.md"]
    assert docs_check.findings(copy) == []


def test_a_part_that_nothing_makes_and_a_mark_without_partner_are_found(copy: Path) -> None:
    page = copy / "docs" / "glossary.md"
    page.write_text("<!-- begin generated: wishes -->\n<!-- end generated -->\n<!-- begin generated: states -->\n")
    assert docs_check.findings(copy) == [
        "docs/glossary.md: a mark of a generated part has no partner",
        "docs/glossary.md: nothing makes the generated part 'wishes'",
    ]


def test_dead_links_pictures_and_anchors_are_found(copy: Path) -> None:
    page = copy / "docs" / "ops.md"
    page.write_text(
        page.read_text(encoding="utf-8")
        + "\n[gone](gone.md) ![gone](pictures/gone.png) [no heading](ops.md#no-such-heading)\n"
        + "[fine](ops.md#correct-it) [also fine](../README.md#promises)\n"
        + "`[not a link](nowhere.md)` [outside](https://example.com/nowhere)\n\n```\n[nor this](nowhere.md)\n```\n",
        encoding="utf-8",
    )
    assert docs_check.findings(copy) == [
        "docs/ops.md: the link to gone.md is dead",
        "docs/ops.md: the link to pictures/gone.png is dead",
        "docs/ops.md: the link to ops.md#no-such-heading is dead, as no heading there is named so",
    ]


def test_a_picture_that_goes_away_is_found(copy: Path) -> None:
    (copy / "docs" / "pictures" / "desk-plan.png").unlink()
    assert docs_check.findings(copy) == ["docs/reviewer.md: the link to pictures/desk-plan.png is dead"]


def test_a_picture_in_html_is_looked_at_too(copy: Path) -> None:
    (copy / "docs" / "pictures" / "asset-graph.png").unlink()
    assert docs_check.findings(copy) == ["README.md: the link to docs/pictures/asset-graph.png is dead"]


def test_a_link_out_of_the_project_is_found(copy: Path) -> None:
    (copy.parent / "secret.md").write_text("x")
    replace(copy / "CONTRIBUTING.md", "(docs/glossary.md)", "(../secret.md)")
    assert docs_check.findings(copy) == ["CONTRIBUTING.md: the link to ../secret.md leads out of the project"]


def test_verbs_and_targets_that_are_not_there_are_found(copy: Path) -> None:
    page = copy / "docs" / "on-call.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nRun `tms fly`, `tms audit burn` and `make coffee`.\n")
    assert docs_check.findings(copy) == [
        "docs/on-call.md: there is no verb 'tms fly'",
        "docs/on-call.md: there is no verb 'tms audit burn'",
        "docs/on-call.md: there is no 'make coffee'",
    ]


def test_a_verb_without_documentation_is_found(copy: Path) -> None:
    replace(copy / "docs" / "cli.md", "## tms summary\n", "## tms summery\n")
    assert "docs/cli.md: the verb 'tms summary' is not documented" in docs_check.findings(copy)


def test_a_setting_without_line_one_too_many_and_another_default_are_found(copy: Path) -> None:
    env = copy / ".env.example"
    replace(env, "#SSG_UEN=\n", "")
    replace(env, "TMS_GUARD_COUNT=10", "TMS_GUARD_COUNT=11")
    env.write_text(env.read_text(encoding="utf-8") + "TMS_NO_SUCH=1\n")
    docs_check.write(copy)
    assert docs_check.findings(copy) == [
        ".env.example: the setting SSG_UEN is missing",
        ".env.example: TMS_GUARD_COUNT says 11, but its default is 10",
        ".env.example: there is no setting TMS_NO_SUCH",
    ]


def test_exit_codes(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_check.main(["--root", str(copy)]) == 0
    assert capsys.readouterr().out.endswith("documents are true.\n")
    replace(copy / "docs" / "ops.md", "| **Session No** | yes |", "| **Session No** | never |")
    assert docs_check.main(["--root", str(copy)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert docs_check.main(["--root", str(copy), "--write"]) == 0
    assert capsys.readouterr().out.startswith("wrote docs/ops.md\n")


def test_every_record_kind_has_its_table_for_ops() -> None:
    text = (PROJECT_ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        assert f"<!-- begin generated: columns of {kind.name.replace('_', ' ')} -->" in text


def test_pictures_are_small_and_each_is_used() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in docs_check.documents(PROJECT_ROOT))
    pictures = sorted((PROJECT_ROOT / "docs" / "pictures").glob("*"))
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size < 400_000, picture.name
        assert f"pictures/{picture.name}" in pages, picture.name
