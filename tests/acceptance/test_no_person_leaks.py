"""After a demo with faults that echo people and with a crash: no person stands anywhere in clear."""

from __future__ import annotations

from pathlib import Path

import at_ssg
import openpyxl
import pytest
from demo_runs import DemoRun
from leak_scan import copy_to_search, dump, found_in, people_of, unpack
from running import short_folder

from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import BUSINESS, DAGSTER, EmbeddedPostgres


def test_no_person_of_the_term_stands_anywhere_in_clear(faulty: DemoRun, tmp_path: Path) -> None:
    with short_folder() as folder:
        copy_to_search(faulty.home, faulty.output, folder)
        hits = found_in([folder], *people_of(faulty.term), tmp_path)
    assert {file: sorted(values)[:5] for file, values in hits.items()} == {}


@pytest.mark.parametrize("where", ["table", "bytea", "dagster", "log", "page", "workbook"])
def test_a_planted_person_is_found_by_the_same_search(where: str, faulty: DemoRun, tmp_path: Path) -> None:
    person = faulty.term.trainees[3]
    place = tmp_path / "searched"
    place.mkdir()
    if where in ("table", "bytea", "dagster"):
        with EmbeddedPostgres(faulty.home) as server, Database(server.url(DAGSTER if where == "dagster" else BUSINESS)) as db:
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
        book = openpyxl.Workbook()
        book.active["A1"] = f"about {person.name}"  # type: ignore[index]
        book.save(place / "report.xlsx")
        unpack(place, place / "unpacked")
    else:
        said = {"log": f'{{"event": "called +65 {person.phone}"}}', "page": f"<td>{person.birth}</td>"}[where]
        (place / "file").write_text(said)
    assert found_in([place], *people_of(faulty.term), tmp_path / "scratch")


def test_what_the_faults_left_is_right_but_for_the_one_refusal(faulty: DemoRun) -> None:
    found = at_ssg.differences(at_ssg.wanted(faulty.term), at_ssg.held(faulty.term, faulty.state))
    assert found.keys() == {"assessment"}
    assert len(found["assessment"]["missing"]) == 1 and found["assessment"]["too much"] == []
    assert faulty.summary_after_second["dead_letters"] == 1
