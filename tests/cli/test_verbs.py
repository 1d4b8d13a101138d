"""Every verb: its help, its JSON, its exit code."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import openpyxl
import psycopg
import pytest
import typer
from running import Done, as_json, tms
from sheets import workbook
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.people import wrong_letter
from tms_pipeline.examples.term import Term

Run = Callable[..., Done]


def verbs(
    group: click.Group | None = None, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    group = group or typer.main.get_group(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, (*above, name))  # type: ignore[arg-type]
        else:
            yield (*above, name), command


ALL = dict(verbs())
READING = {words for words, command in ALL.items() if any(option.name == "json_" for option in command.params)}
# What a verb must be told, for those that can be tried on any installation.
TOLD = {("trace",): ["trainee"], ("dead-letters", "show"): ["1"], ("report",): ["reconciliation"]}
TO_TRY = {
    words for words in READING - {("sync",), ("intake",), ("preflight",), ("doctor",), ("housekeeping",), ("restore",)}
    if words in TOLD or not any(option.required for option in ALL[words].params)
}  # fmt: skip


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_verb_explains_itself_and_each_of_its_options(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*words, "--help"])
    assert shown.exit_code == 0
    assert len((ALL[words].help or "").strip()) > 10
    for option in ALL[words].params:
        assert getattr(option, "help", None) or option.name == "help", f"{option.name} has no help"


def test_the_verbs_of_this_issue_are_there() -> None:
    wanted = {
        "demo", "up", "down", "sync", "intake", "template", "plan", "approve", "submit", "reconcile", "compliance",
        "report", "summary", "migrate", "simulator", "keys init", "audit verify", "audit show",
    }  # fmt: skip
    assert wanted <= {" ".join(words) for words in ALL}
    assert {"summary", "audit verify", "audit show", "reconcile", "compliance", "plan"} <= {
        " ".join(w) for w in READING
    }


@pytest.fixture(scope="module")
def worked(
    prepared: tuple[str, Path], make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Done]:
    """An installation that has synced once; tests only read it."""
    import shutil

    home = tmp_path_factory.mktemp("worked") / "h"
    shutil.copytree(prepared[1], home)
    extra = {"DATABASE_URL": make_database(prepared[0]), "TMS_TODAY": "2026-11-21"}
    assert tms(home, "sync", **extra).returncode == 0

    def run(*arguments: str, **more: str) -> Done:
        return tms(home, *arguments, **{**extra, **more})

    run.environment = {"TMS_HOME": str(home), **extra}  # type: ignore[attr-defined]
    return run


@pytest.mark.parametrize("words", sorted(TO_TRY), ids=" ".join)
def test_every_reading_verb_prints_json_and_nothing_else_with_json(
    words: tuple[str, ...], worked: Run, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.chdir(folder)
    env = worked.environment  # type: ignore[attr-defined]
    done = CliRunner().invoke(app, [*words, *TOLD.get(words, []), "--json"], env=env, catch_exceptions=False)
    assert "Traceback" not in done.stderr
    if done.exit_code == 3:
        assert words in {("trace",), ("dead-letters", "show")}, done.stderr
        assert done.stdout == ""
    else:
        assert done.exit_code in (0, 1), done.stderr
        assert isinstance(json.loads(done.stdout), dict | list)


def test_the_summary_says_the_same_in_words_and_in_json(worked: Run, term: Term) -> None:
    found, words = as_json(worked("summary", "--json")), worked("summary").stdout
    for upload in found["uploads"]:
        assert upload["file"] in words and str(upload["rows"]) in words
    for count in found["submissions"].values():
        assert all(str(number) in words for number in count.values())
    assert {item["file"]: item["accepted"] for item in found["uploads"]} == {
        count.file: count.accepted for count in expected(term, stage="setup").files
    }


def test_a_deadline_missed_is_exit_one_and_none_is_exit_zero(
    worked: Run, copy_of_prepared: Callable[[], tuple[Path, dict[str, str]]]
) -> None:
    home, extra = copy_of_prepared()
    nothing_sent = tms(home, "compliance", "--json", **extra)
    assert as_json(nothing_sent)["missed"] > 0
    assert nothing_sent.returncode == 1
    all_sent = worked("compliance", "--json", TMS_TODAY="2027-02-01")
    assert (as_json(all_sent)["missed"], as_json(all_sent)["near"]) == (0, 0)
    assert all_sent.returncode == 0


def test_agreement_of_both_sides_is_exit_zero(worked: Run) -> None:
    done = worked("reconcile", "--json")
    assert done.returncode == 0, done.stdout
    assert as_json(done)["discrepancies"] == {}


def test_intake_of_a_good_file_is_exit_zero_and_the_same_again_changes_nothing(
    run: Run, term: Term, tmp_path: Path
) -> None:
    path = tmp_path / "courses.xlsx"
    path.write_bytes(workbook(course=expected(term).records["course"]))
    done = run("intake", str(path), "--json")
    assert (done.returncode, as_json(done)[0]["accepted"]) == (0, 4)
    again = run("intake", str(path), "--json")
    assert again.returncode == 0
    assert as_json(again)[0]["state"] == "already taken in"
    assert run("sync").returncode == 0


def test_intake_of_a_faulty_row_is_exit_one_and_names_row_column_and_remedy(
    run: Run, term: Term, tmp_path: Path
) -> None:
    good, other = expected(term).records["trainee"][:2]
    bad = {**other, "nric": wrong_letter(other["nric"] or "")}
    path = tmp_path / "people.xlsx"
    path.write_bytes(workbook(trainee=[good, bad]))
    shown = run("intake", str(path), "--dry-run")
    assert shown.returncode == 1 and "NRIC_CHECK_LETTER" in shown.stdout
    assert as_json(run("summary", "--json"))["uploads"] == []
    done = run("intake", str(path), "--json")
    assert done.returncode == 1
    (outcome,) = as_json(done)
    assert (outcome["accepted"], outcome["rejected"]) == (1, 1)
    (fault,) = [item for item in outcome["faults"] if item["severity"] == "error"]
    assert (fault["sheet"], fault["row"], fault["column"]) == ("Trainees", 3, "NRIC/FIN")
    assert fault["sentence"] and fault["fix"]
    assert (bad["nric"] or "") not in done.stdout + done.stderr + shown.stdout
    assert Path(outcome["workbook"]).exists()


def test_a_template_opens_with_our_headings(run: Run, tmp_path: Path) -> None:
    done = run("template", "trainee", "enrolment", "-o", str(tmp_path / "t.xlsx"))
    assert done.returncode == 0, done.stderr
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    headings = {cell.value for page in book for row in page.iter_rows(max_row=5) for cell in row if cell.value}
    assert any(str(heading).startswith("NRIC/FIN") for heading in headings)
    assert run("intake", str(tmp_path / "t.xlsx"), "--dry-run").returncode in (0, 1)


def test_keys_are_listed_without_any_key(run: Run) -> None:
    assert run("keys", "init").returncode == 0
    done = run("keys", "list")
    assert done.returncode == 0 and "data" in done.stdout
    assert max(map(len, done.stdout.split())) < 20, "that could be a key"


def test_migrate_says_where_the_database_stands(make_database: Callable[..., str], folder: Path) -> None:
    extra = {"DATABASE_URL": make_database(None)}
    pending = tms(folder / "h", "migrate", "--check", **extra)
    assert pending.returncode == 1 and "pending" in pending.stdout
    assert tms(folder / "h", "migrate", **extra).returncode == 0
    assert tms(folder / "h", "migrate", "--check", **extra).returncode == 0


def test_audit_verify_is_exit_one_when_the_log_was_edited(make_database: Callable[..., str], folder: Path) -> None:
    url = make_database()
    run = functools.partial(tms, folder / "h", DATABASE_URL=url)
    assert run("stop", "--reason", "a drill").returncode == 0
    assert run("audit", "verify").returncode == 0
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit.entry SET actor = 'nobody' WHERE seq = 1")
    done = run("audit", "verify", "--json")
    assert done.returncode == 1 and as_json(done)["broken"][0]["sentence"] == "entry 1 was changed"


def test_wrong_usage_is_exit_two(run: Run) -> None:
    for words in (["nonsense"], ["summary", "--nonsense"], ["template"], ["approve"], ["audit", "show", "--last", "x"]):
        done = run(*words)
        assert done.returncode == 2, words
        assert "Traceback" not in done.stderr
