"""The leak scan finds what was planted, of each sort and in each place, says where, and never what."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from running import Done, short_folder
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.leaks.patterns import NRIC_SHAPED, Known, Patterns, right_check_letter
from tms_pipeline.leaks.people import of_file, of_registers
from tms_pipeline.leaks.scan import Leak, leak_scan
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

# Made up, never issued; the check letter is right.
SHAPED = make_nric("S", 9912345)
SECRET = "a client secret of nobody"


@pytest.fixture(scope="module")
def site(
    prepared: tuple[str, Path], make_database: Callable[..., str], drop_database: Callable[[str], None]
) -> Iterator[Workplace]:
    """An installation with people, and a temp folder of its own."""
    with short_folder() as folder:
        shutil.copytree(prepared[1], folder / "h")
        (folder / "temp").mkdir()
        before, tempfile.tempdir = tempfile.tempdir, str(folder / "temp")
        url = make_database(prepared[0])
        settings = load_settings(
            _env_file=None, tms_home=folder / "h", database_url=url, TMS_TODAY="2026-11-21", ssg_client_secret=SECRET
        )
        with open_workplace(settings) as place:
            yield place
        tempfile.tempdir = before
        drop_database(url)


@pytest.fixture(scope="module")
def people(site: Workplace) -> dict[str, Known]:
    """One value of each sort that stands in a register."""
    return {item.sort: item for item in of_registers(site)}


@pytest.fixture(scope="module")
def clean(site: Workplace) -> list[Leak]:
    return leak_scan(site).leaks


def planted(site: Workplace, people: dict[str, Known]) -> dict[str, str]:
    """Plant a value of somebody in every sort of place; the place as the scan should name it, and the sort."""
    nric, name, phone = people["nric"].value, people["name"].value, people["phone"].value
    with site.owner_db.transaction() as connection:
        connection.execute("CREATE TABLE public.planted (said text, js jsonb, raw bytea, packed bytea, born date, marks text[])")
        connection.execute(
            "INSERT INTO public.planted VALUES (%s, %s, %s, %s, %s, %s)",
            (f"about {name.upper()}", json.dumps({"deep": [nric.lower()]}), b"\x00\x01" + nric.encode() + b"\x00",
             zlib.compress(f"body of {people['e-mail'].value}".encode()), people["birth date"].value, [phone]),
        )  # fmt: skip
        connection.execute("UPDATE outbox.plan SET counts = %s", (json.dumps({"x": nric}),))
    logs, reports = site.folder("logs"), site.folder("reports")
    (logs / "planted.jsonl").write_text(f'{{"event": "called +65 {phone[:4]} {phone[4:]}"}}\n')
    (logs / "wide.log").write_text("".join(chr(ord(c) + 0xFEE0) for c in nric))
    (logs / "odd.log").write_bytes(f"{nric} in another alphabet".encode("utf-16-le"))
    (logs / "old.log.gz").write_bytes(gzip.compress(f"name={name}".encode()))
    (logs / "shaped.log").write_text(f"somebody we do not know: {SHAPED}.")
    (logs / "secret.log").write_text(f"connecting with {SECRET}")
    (logs / "long.log").write_bytes(b"x" * ((4 << 20) - 4) + b" " + nric.encode() + b" tail")
    (reports / f"{nric}.html").write_text("<p>nothing in it</p>")
    book = openpyxl.Workbook()
    book.active["A1"] = name  # type: ignore[index]
    book.save(reports / "planted.xlsx")
    site.folder("dagster").joinpath("compute.out").write_text(people["birth date"].value)
    Path(tempfile.gettempdir(), "left-behind").write_text(nric)
    return {
        "public.planted.said": "name", "public.planted.js": "nric", "public.planted.raw": "nric",
        "public.planted.packed": "e-mail", "public.planted.born": "birth date", "public.planted.marks": "phone",
        "file logs/planted.jsonl": "phone", "file logs/wide.log": "nric", "file logs/odd.log": "nric",
        "file logs/old.log.gz (unpacked)": "name", "file logs/shaped.log": NRIC_SHAPED, "file logs/secret.log": "secret",
        "file logs/long.log": "nric", f"name of reports/{nric}.html": "nric", "file reports/planted.xlsx": "name",
        "file dagster/compute.out": "birth date", "left-behind": "nric", "arguments of process": "nric",
        "environment of process": "name",
    }  # fmt: skip


def test_an_installation_with_people_is_clean_where_nothing_was_planted(clean: list[Leak]) -> None:
    assert clean == []


@pytest.fixture(scope="module")
def found(site: Workplace, people: dict[str, Known], clean: list[Leak]) -> tuple[dict[str, str], list[Leak]]:
    plants = planted(site, people)
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", str(site.home), people["nric"].value],
        env={**os.environ, "WHO": people["name"].value, "SSG_CLIENT_SECRET": SECRET},
    )
    try:
        time.sleep(0.2)
        leaks = leak_scan(site).leaks
    finally:
        sleeper.kill()
        sleeper.wait()
        with site.owner_db.transaction() as connection:
            connection.execute("DROP TABLE public.planted")
        for path in site.folder("logs").iterdir():
            path.unlink()
        shutil.rmtree(site.home / "reports")
        (site.home / "dagster" / "compute.out").unlink()
        Path(tempfile.gettempdir(), "left-behind").unlink()
    return plants, leaks


@pytest.mark.parametrize("number", range(19))
def test_a_planted_value_is_found_and_its_place_is_named(
    number: int, found: tuple[dict[str, str], list[Leak]]
) -> None:
    plants, leaks = found
    assert len(plants) == 19
    where, sort = list(plants.items())[number]
    assert [leak for leak in leaks if where in leak.where and leak.what == sort], (where, [leak.where for leak in leaks])


def test_nothing_else_is_found_and_no_value_is_told(
    found: tuple[dict[str, str], list[Leak]], people: dict[str, Known]
) -> None:
    plants, leaks = found
    odd = [leak for leak in leaks if not any(where in leak.where for where in plants)]
    assert {leak.where for leak in odd} <= {"database", *(leak.where for leak in odd if "postgres/" in leak.where)}
    for leak in leaks:
        said = str(vars(leak)) if not leak.where.startswith("name of") else leak.what
        assert not [item.sort for item in people.values() if item.value.lower() in said.lower()]
    assert not [leak for leak in leaks if leak.what == "secret" and leak.where.startswith("environment")]


def test_the_verb_says_where_exits_one_and_notes_itself_in_the_audit_log(
    site: Workplace, clean: list[Leak], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = tmp_path / "people.csv"
    listed.write_text("Full Name,NRIC\nSomebody Elsewhere,S9999001A\n")
    monkeypatch.chdir(tmp_path)
    assert site.settings.database_url is not None
    environment = {"TMS_HOME": str(site.home), "DATABASE_URL": site.settings.database_url.get_secret_value()}

    def scan(*more: str) -> Done:
        done = CliRunner().invoke(app, ["leak-scan", *more], env=environment, catch_exceptions=False)
        return subprocess.CompletedProcess(more, done.exit_code, done.stdout, done.stderr)

    page = site.folder("reports") / "page.html"
    page.write_text("<td>somebody elsewhere</td>")
    done = scan("--people", str(listed))
    assert done.returncode == 1 and "file reports/page.html: name of row 1, 1 times" in done.stdout
    assert "Somebody Elsewhere" not in done.stdout + done.stderr
    page.unlink()
    done = scan("--json")
    assert done.returncode == 0 and json.loads(done.stdout)["leaks"] == []
    actions = {row[0] for row in site.db.rows("SELECT action FROM audit.entry")}
    assert {"leak scan begun", "leak scan ended"} <= actions
    assert scan("--people", str(tmp_path / "none.csv")).returncode == 3


@pytest.mark.parametrize(
    ("text", "hit"),
    [(SHAPED, True), (SHAPED.lower(), True), (f"({SHAPED})", True), (f"{SHAPED[:8]}{chr(ord(SHAPED[8]) ^ 1)}", False),
     (f"x{SHAPED}", False), (f"{SHAPED}F", False), (f"{SHAPED[:8]}6{SHAPED[8]}", False)],
)  # fmt: skip
def test_the_shape_of_an_nric_counts_with_a_right_check_letter_only(text: str, hit: bool) -> None:
    assert bool(Patterns([]).found_in(text.encode())) == hit


def test_check_letters_are_those_of_the_checks_of_intake() -> None:
    for prefix in "STFGM":
        for serial in (0, 1, 1234567, 9999999):
            assert right_check_letter(make_nric(prefix, serial).lower().encode())


def test_a_word_inside_another_is_no_find() -> None:
    known = [Known("phone", "91234567"), Known("name", "Li Wei"), Known("nric", "S9999001A", word=False)]
    patterns = Patterns(known)
    for text in ("191234567", "912345678", "a91234567", "Mali Weiss"):
        assert patterns.found_in(text.encode()) == {}
    for text in ("tel:91234567", "LI WEI.", "nricS9999001A"):
        assert patterns.found_in(text.encode())


def test_a_list_of_people_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for name, content in (("a.json", "{"), ("b.json", '"x"'), ("c.json", "[1]")):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match="no list of people"):
            of_file(tmp_path / name)
