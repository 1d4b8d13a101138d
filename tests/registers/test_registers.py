"""Registers: typed rows with their source and history, personal values sealed, hashes that follow the content."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sheets import Record, drop, workbook

from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.term import Term
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.submission.record import load
from tms_pipeline.workplace import Workplace


@pytest.fixture(scope="session")
def records(term: Term) -> dict[str, list[Record]]:
    return {kind: list(found) for kind, found in expected(term).records.items()}


@pytest.fixture
def filled(place: Workplace, records: dict[str, list[Record]]) -> Workplace:
    names = ("course", "trainer", "course_run", "session", "trainee", "enrolment")
    drop(place, workbook(**{name: records[name] for name in names}))
    return place


def test_a_changed_row_keeps_the_version_before_it_with_its_source(
    filled: Workplace, records: dict[str, list[Record]]
) -> None:
    run = records["course_run"][0]
    key = run["run_code"]
    first = filled.db.rows("SELECT upload_id, sheet, row_number, valid_from FROM register.course_run WHERE key = %s", (key,))
    taken = drop(filled, workbook(course_run=[{**run, "intake_size": "12"}]))
    now = filled.db.rows(
        "SELECT version, intake_size, upload_id, sheet, row_number, valid_from FROM register.course_run WHERE key = %s", (key,)
    )
    assert now[0][:5] == (2, 12, taken.upload_id, KINDS["course_run"].plural, 2)
    history = filled.db.rows(
        "SELECT version, intake_size, upload_id, sheet, row_number, valid_from, valid_to FROM register.course_run_history"
    )
    assert len(history) == 1
    assert history[0][:2] == (1, int(run["intake_size"] or 0))
    assert history[0][2:6] == first[0]
    assert history[0][6] == now[0][5], "the old version must end when the new one begins"
    assert [(c.field, c.was, c.becomes) for cs in taken.evaluation.changes.values() for c in cs] == [
        ("intake_size", run["intake_size"], "12")
    ]
    assert filled.db.value("SELECT count(*) FROM register.course_run WHERE version > 1") == 1


def test_an_unchanged_row_touches_nothing(filled: Workplace, records: dict[str, list[Record]]) -> None:
    before = filled.db.rows("SELECT key, xmin::text, version FROM register.session ORDER BY key")
    drop(filled, workbook(session=records["session"]))
    assert filled.db.rows("SELECT key, xmin::text, version FROM register.session ORDER BY key") == before
    assert filled.db.value("SELECT count(*) FROM register.session_history") == 0


def test_values_are_typed_as_the_record_kind_says(filled: Workplace, records: dict[str, list[Record]]) -> None:
    run = records["course_run"][0]
    row = filled.db.rows(
        "SELECT start_date, intake_size, wheelchair_access, postal_code FROM register.course_run WHERE key = %s",
        (run["run_code"],),
    )[0]
    assert row[0].isoformat() == run["start_date"]
    assert row[1:] == (int(run["intake_size"] or 0), run["wheelchair_access"] == "true", run["postal_code"])
    amounts = {row[0] for row in filled.db.rows("SELECT discount_amount FROM register.enrolment")}
    assert amounts == {Decimal(record["discount_amount"] or "0") for record in records["enrolment"]}


def test_no_key_holds_an_nric_and_one_trainee_has_one_reference_everywhere(
    filled: Workplace, records: dict[str, list[Record]]
) -> None:
    nrics = {record["nric"] for record in records["trainee"]}
    references = {row[0] for row in filled.db.rows("SELECT trainee_ref FROM identity.trainee")}
    assert len(references) == len(nrics)
    keys = [row[0] for row in filled.db.rows("SELECT key FROM register.trainee UNION ALL SELECT key FROM register.enrolment")]
    assert not [key for key in keys for nric in nrics if nric and nric in key]
    assert {row[0] for row in filled.db.rows("SELECT trainee_ref FROM register.enrolment")} <= references


def test_the_hundred_thousandth_trainee_has_a_reference_of_their_own(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    with place.db.transaction() as connection:
        connection.execute("SELECT setval('identity.trainee_number', 99998)")
    drop(place, workbook(trainee=records["trainee"][:3]))
    found = {row[0] for row in place.db.rows("SELECT key FROM register.trainee")}
    assert found == {"HB-99999", "HB-100000", "HB-100001"}


def test_personal_values_open_for_a_submission_as_they_were_typed(
    filled: Workplace, records: dict[str, list[Record]]
) -> None:
    wanted = next(record for record in records["enrolment"] if record["sponsorship_type"] == "EMPLOYER")
    person = next(record for record in records["trainee"] if record["nric"] == wanted["nric"])
    for (key,) in filled.db.rows("SELECT key FROM register.enrolment WHERE run_code = %s", (wanted["run_code"],)):
        with filled.db.transaction() as connection:
            opened = load(connection, filled.rings, "enrolment", key)
        assert opened is not None
        assert (person["nric"] or "") not in repr(opened) and (person["full_name"] or "") not in repr(opened)
        if opened.values["nric"] == person["nric"]:
            names = ("full_name", "birth_date", "email", "phone")
            assert {name: opened.values[name] for name in names} == {name: person[name] for name in names}
            names = ("employer_uen", "employer_contact_name", "employer_contact_email", "employer_contact_phone")
            assert {name: opened.values[name] for name in names} == {name: wanted[name] for name in names}
            return
    pytest.fail("the enrolment is not in its register")


def test_a_changed_trainee_changes_what_ssg_should_hold_of_their_enrolments_only(
    filled: Workplace, records: dict[str, list[Record]]
) -> None:
    enrolled = {record["nric"] for record in records["enrolment"]}
    person = next(record for record in records["trainee"] if record["nric"] in enrolled)
    before = dict(filled.db.rows("SELECT key, ssg_hash FROM register.enrolment"))
    drop(filled, workbook(trainee=[{**person, "email": "moved@example.com"}]))
    changed = {key for key, value in filled.db.rows("SELECT key, ssg_hash FROM register.enrolment") if before[key] != value}
    reference = filled.db.value("SELECT trainee_ref FROM register.trainee WHERE version = 2")
    assert changed == {
        row[0] for row in filled.db.rows("SELECT key FROM register.enrolment WHERE trainee_ref = %s", (reference,))
    }
    assert changed


def test_a_field_that_ssg_does_not_hold_changes_the_row_but_not_what_ssg_should_hold(
    filled: Workplace, records: dict[str, list[Record]]
) -> None:
    person = records["trainee"][0]
    other = "TM" if person["survey_language"] != "TM" else "EL"
    before = dict(filled.db.rows("SELECT key, own_hash FROM register.trainee"))
    taken = drop(filled, workbook(trainee=[{**person, "survey_language": other}]))
    assert taken.counts()["accepted"] == 1
    assert dict(filled.db.rows("SELECT key, own_hash FROM register.trainee")) == before


def test_a_cancelled_run_is_kept_and_no_longer_live(filled: Workplace, records: dict[str, list[Record]]) -> None:
    run = next(record for record in records["course_run"] if record["run_status"] == "confirmed")
    drop(filled, workbook(course_run=[{**run, "run_status": "cancelled"}]))
    assert filled.db.rows(
        "SELECT live, version FROM register.course_run WHERE key = %s", (run["run_code"],)
    ) == [(False, 2)]
