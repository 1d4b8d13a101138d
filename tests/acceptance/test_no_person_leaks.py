"""After demos, one of them with faults that echo people and with a crash: no person stands anywhere in clear."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import at_ssg
import pytest
from demo_runs import DemoRun
from leak_scan import dump, found_in, people_of, unpack
from running import short_folder

from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import BUSINESS, DAGSTER, EmbeddedPostgres

pytestmark = pytest.mark.xdist_group("demos")
# What ops get back is theirs; the samples are the demo's input; the simulator plays SSG.
EXCEPTED = ("samples", "results/*.xlsx", "simulator/state.jsonl", "simulator/data.json")


def copy_to_search(home: Path, into: Path) -> None:
    """Everything under the state folder but what is excepted, and both databases, as files to search."""
    shutil.copytree(
        home, into / "home", ignore=shutil.ignore_patterns("samples", "run", "*.sock"), ignore_dangling_symlinks=True
    )
    for pattern in EXCEPTED:
        for path in (into / "home").glob(pattern):
            path.unlink()
    unpack(into / "home", into / "unpacked")
    with EmbeddedPostgres(home) as server:
        for name, least in ((BUSINESS, 5000), (DAGSTER, 300)):
            with Database(server.url(name)) as db:
                assert dump(db, into / "tables" / name) > least, f"database {name} seems not to be searched"


@pytest.fixture(scope="module")
def searched(demo: DemoRun, faulty: DemoRun) -> Iterator[dict[str, Path]]:
    with short_folder() as folder:
        for name, run in (("plain", demo), ("faulty", faulty)):
            (folder / name / "output").mkdir(parents=True)
            outputs = run.output or [run.first.stdout, run.first.stderr, run.second.stdout, run.second.stderr]
            for number, text in enumerate(outputs):
                (folder / name / "output" / f"{number}.txt").write_text(text)
            copy_to_search(run.home, folder / name)
        yield {"plain": folder / "plain", "faulty": folder / "faulty"}


@pytest.mark.parametrize("name", ["plain", "faulty"])
def test_no_person_of_the_term_stands_anywhere_in_clear(
    name: str, searched: dict[str, Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run: DemoRun = request.getfixturevalue("demo" if name == "plain" else "faulty")
    hits = found_in([searched[name]], *people_of(run.term), tmp_path)
    assert {file: sorted(values)[:5] for file, values in hits.items()} == {}


@pytest.mark.parametrize("where", ["table", "bytea", "dagster", "log", "page", "workbook"])
def test_a_planted_person_is_found_by_the_same_search(where: str, demo: DemoRun, tmp_path: Path) -> None:
    person = demo.term.trainees[3]
    place = tmp_path / "searched"
    place.mkdir()
    if where in ("table", "bytea", "dagster"):
        with EmbeddedPostgres(demo.home) as server, Database(server.url(DAGSTER if where == "dagster" else BUSINESS)) as db:
            kind = "bytea" if where == "bytea" else "jsonb"
            value = person.nric.encode() if where == "bytea" else f'{{"said": "{person.nric.lower()}"}}'
            with db.transaction() as connection:
                connection.execute(f"CREATE TABLE public.planted (value {kind})")
                connection.execute("INSERT INTO public.planted VALUES (%s)", (value,))
            try:
                dump(db, place / "tables")
            finally:
                with db.transaction() as connection:
                    connection.execute("DROP TABLE public.planted")
    elif where == "workbook":
        import openpyxl

        book = openpyxl.Workbook()
        book.active["A1"] = f"about {person.name}"  # type: ignore[index]
        book.save(place / "report.xlsx")
        unpack(place, place / "unpacked")
    else:
        said = {"log": f'{{"event": "called +65 {person.phone}"}}', "page": f"<td>{person.birth}</td>"}[where]
        (place / "file").write_text(said)
    assert found_in([place], *people_of(demo.term), tmp_path / "scratch")


def test_what_the_faults_left_is_right_but_for_the_one_refusal(faulty: DemoRun) -> None:
    found = at_ssg.differences(at_ssg.wanted(faulty.term), at_ssg.held(faulty.term, faulty.state))
    assert found.keys() == {"assessment"}
    assert len(found["assessment"]["missing"]) == 1 and found["assessment"]["too much"] == []
    assert faulty.summary_after_second["dead_letters"] == 1
