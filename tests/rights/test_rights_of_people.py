"""Rights of people: subject access, the clock, corrections, consent; and that every sealed column is sealed."""

from __future__ import annotations

import json
import stat
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from submission_world import NRICS, World, enrolment, run, trainee

from tms_pipeline.audit.log import append
from tms_pipeline.cli.summary_words import say_summary
from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.opening import CannotOpen, open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.operations.summary import summary
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.rights import keeping
from tms_pipeline.rights.access import export
from tms_pipeline.rights.consent import give_again, take_effect, withdraw
from tms_pipeline.rights.corrections import correct
from tms_pipeline.rights.requests import record, requests
from tms_pipeline.workplace import Workplace

T1, T2, T3 = "HB-00001", "HB-00002", "HB-00003"


def test_subject_access_gives_everything_of_one_person_and_nothing_of_another(ours: World, tmp_path: Path) -> None:
    ours.upload("trainee", trainee("T1", email="newer@example.test"))
    ours.upload("enrolment", enrolment(
        "B", "T1", sponsorship_type="Employer", employer_uen="201912345K", employer_contact_name="Some Body",
        employer_contact_email="hr@example.test", employer_contact_phone="91112222"))  # fmt: skip
    with ours.workplace.db.transaction() as connection:
        record(connection, ours.workplace, T1, "access", actor=ours.actor(), received_on=date(2026, 11, 10))
        key = ours.workplace.rings.audit.key
        append(connection, key, ours.actor(), "resolved", "enrolment", f"A|{T1}", how="ours")
        append(connection, key, ours.actor(), "dead letter discarded", "submission", "7", record=f"A|1|{T1}")
        append(connection, key, ours.actor(), "dead letter discarded", "submission", "8", record=f"A|1|{T2}")
    # A grant of an enrolment of theirs that only SSG made: known by the mark of the number alone.
    ours.execute(
        "INSERT INTO mirror.grants (ssg_ref, enrolment_reference, status, seen_at) "
        "SELECT 'GRN-1', ssg_ref, 'Processing', now() FROM mirror.enrolment WHERE key = %s", f"A|{T1}"
    )
    ours.execute("UPDATE mirror.enrolment SET key = NULL, trainee_ref = NULL WHERE key = %s", f"A|{T1}")
    (tmp_path / "out").mkdir()
    (tmp_path / "victim").write_text("")
    for end in (".xlsx", ".json"):  # as somebody could lay it into a shared folder: the link is replaced, not followed
        (tmp_path / "out" / f"one{end}").symlink_to(tmp_path / "victim")
    book, text, counts = export(ours.workplace, T1, tmp_path / "out" / "one.xlsx", actor=ours.actor("officer"))
    assert {stat.S_IMODE(path.lstat().st_mode) for path in (book, text)} == {0o600}
    assert (tmp_path / "victim").read_text() == "" and not book.is_symlink()
    kept = json.loads(text.read_text())["kept"]
    assert kept["trainee"][0]["nric"] == NRICS["T1"] and kept["trainee"][0]["full_name"] == "Trainee Number 1"
    assert kept["trainee"][0]["birth_date"] == "1980-01-01"
    assert [row["email"] for row in kept["trainee before"]] == ["trainee1@example.test"]
    assert {row["run_code"] for row in kept["enrolment"]} == {"A", "B"}
    assert len(kept["attendance"]) == 2 and len(kept["assessment"]) == 1 and len(kept["fee"]) == 1
    assert [row["ssg_ref"] for row in kept["grants at SSG"]] == ["GRN-1"] and len(kept["fee at SSG"]) == 1
    assert kept["enrolment at SSG"] and kept["submissions"] and kept["calls to SSG"]
    assert {row["sheet"] for row in kept["files that named them"]} and kept["requests"][0]["about"] == "access"
    done = [(row["action"], row["about"]) for row in kept["who did and saw what"]]
    assert ("resolved", f"A|{T1}") in done and ("dead letter discarded", "7") in done and len(done) == len(set(done))
    assert kept["who did and saw what"][-1]["action"] == "subject access exported"
    whole = text.read_text()
    for other in ("Trainee Number 2", NRICS["T2"], "Some Body", "hr@example.test", "91112222", T2):
        assert other not in whole, other
    assert "it is another person's" in whole
    pages = openpyxl.load_workbook(book)
    assert counts["trainee"] == 1 and {"About this file", "trainee", "who did and saw what"} <= set(pages.sheetnames)
    assert NRICS["T1"] in [cell.value for cell in pages["trainee"][2]]
    assert requests(ours.workplace, open_only=True) == []


def test_the_clock_runs_thirty_days_from_the_day_the_request_came_and_the_summary_shows_it(
    ours: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with ours.workplace.db.transaction() as connection:
        record(connection, ours.workplace, T1, "access", actor=ours.actor(), received_on=date(2026, 11, 20))
        record(connection, ours.workplace, T2, "access", actor=ours.actor(), received_on=date(2026, 10, 20))
        with pytest.raises(ValueError, match="still to come"):
            record(connection, ours.workplace, T2, "access", actor=ours.actor(), received_on=date(2026, 12, 20))
        with pytest.raises(LookupError, match="no trainee"):
            record(connection, ours.workplace, "HB-99999", "access", actor=ours.actor())
    assert [(one["trainee"], one["days_left"]) for one in requests(ours.workplace)] == [(T2, -2), (T1, 29)]
    shown = summary(ours.workplace)
    assert shown["requests_of_people"] == {"open": 2, "overdue": 1, "next_due": date(2026, 11, 19)}
    say_summary(shown, home="home")
    assert "Requests of people: 2 open, 1 overdue, the next to be answered by 2026-11-19" in capsys.readouterr().out


def test_a_correction_goes_through_the_checks_keeps_the_old_value_and_reaches_the_next_plan(ours: World) -> None:
    upload_id = correct(ours.workplace, T1, "full_name", "Trainee Corrected", actor=ours.actor("officer"))
    assert ours.rows("SELECT upload_id, version FROM register.trainee WHERE trainee_ref = %s", T1) == [(upload_id, 2)]
    with ours.workplace.db.transaction() as connection, opening_for("trial"):
        key = data_keys(connection, ours.workplace.rings.data, [f"trainee:{T1}"], make=False)[f"trainee:{T1}"]
        row = connection.execute("SELECT full_name_sealed FROM register.trainee WHERE trainee_ref = %s", (T1,)).fetchone()
        assert row and open_sealed(key, bytes(row[0]), place("register.trainee", "full_name", T1)) == b"Trainee Corrected"
    assert [one["answer"] for one in requests(ours.workplace)] == [f"put right by upload {upload_id}"]
    # A try that failed and the next one are one request.
    assert len(requests(ours.workplace)) == 1
    assert [change.key for change in ours.plan()[1].changes if change.kind == "enrolment"] == [f"A|{T1}"]
    for field, value, said in (("birth_date", "yesterday", "not taken"), ("nric", "S1", "cannot be corrected"),
                               ("full_name", "Trainee Corrected", "made before")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            correct(ours.workplace, T1, field, value, actor=ours.actor("officer"))


def test_a_withdrawn_consent_takes_the_contact_details_out_and_no_later_file_brings_them_back(ours: World) -> None:
    actor = ours.actor("officer")

    def details() -> list[tuple[object, ...]]:
        return ours.rows("SELECT count(email_sealed), count(phone_mark) FROM (SELECT trainee_ref, email_sealed, phone_mark "
                         "FROM register.trainee UNION ALL SELECT trainee_ref, email_sealed, phone_mark "
                         "FROM register.trainee_history) x WHERE trainee_ref = %s", T1)  # fmt: skip

    ours.upload("trainee", trainee("T1", email="newer@example.test"))
    assert details() == [(2, 2)]
    assert withdraw(ours.workplace, T1, actor=actor, reason="by letter")
    assert details() == [(0, 0)]
    ours.upload("trainee", trainee("T1", email="again@example.test"))
    assert details() == [(0, 0)]
    assert not [change for change in ours.plan()[1].changes if T1 in change.key and change.kind == "enrolment"]
    give_again(ours.workplace, T1, actor=actor)
    ours.upload("trainee", trainee("T1", email="again@example.test", phone="90000007"))
    assert ours.value("SELECT count(email_sealed) FROM register.trainee WHERE trainee_ref = %s", T1) == 1


def test_a_withdrawal_waits_until_the_course_under_way_is_over_because_ssg_needs_the_details(ours: World) -> None:
    actor = ours.actor("officer")
    assert not withdraw(ours.workplace, T3, actor=actor)
    assert ours.value("SELECT count(email_sealed) FROM register.trainee WHERE trainee_ref = %s", T3) == 1
    assert take_effect(ours.workplace, actor=actor) == []
    ours.upload("course_run", run("B", "2026-11-10", "2026-11-12", registration_close="2026-11-01"))
    # Over, but a mark has not come yet, and SSG takes none without e-mail or phone.
    assert take_effect(ours.workplace, actor=actor) == []
    given = ours.workplace

    def on(day: str) -> Workplace:
        return Workplace(given.settings.model_copy(update={"today": day}), given.db, given.rings, given.dagster_url)

    assert take_effect(on("2027-02-08"), actor=actor) == []  # the last day of a mark of a make-up session
    assert take_effect(on("2027-02-09"), actor=actor) == [T3]
    assert ours.value("SELECT count(email_sealed) FROM register.trainee WHERE trainee_ref = %s", T3) == 0
    with pytest.raises(ValueError, match="already"):
        withdraw(ours.workplace, T3, actor=actor)


def test_every_personal_field_is_sealed_bound_to_its_place_and_never_twice_the_same(ours: World) -> None:
    """No personal field has a column of its own; a value swapped between rows or columns does not open."""
    personal = {(kind.name, field.name) for kind in KINDS.values() for field in kind.personal_fields}
    assert {("trainee", "nric"), ("trainee", "birth_date"), ("trainee", "phone"), ("trainee", "email"),
            ("enrolment", "employer_contact_name"), ("enrolment", "employer_contact_email"),
            ("enrolment", "employer_contact_phone"), ("trainer", "trainer_nric")} <= personal  # fmt: skip
    columns = {
        (schema, table, name)
        for schema, table, name in ours.rows("SELECT table_schema, table_name, column_name FROM information_schema.columns")
    }
    assert not [(schema, table, name) for schema, table, name in columns
                if schema in ("register", "mirror", "outbox", "intake", "finding", "audit") and name in {f for _, f in personal}]  # fmt: skip
    with ours.workplace.db.transaction() as connection, opening_for("trial"):
        keys = data_keys(connection, ours.workplace.rings.data, [f"trainee:{T1}", f"trainee:{T2}"], make=False)
        rows = {
            ref: (bytes(name), bytes(email))
            for ref, name, email in connection.execute(
                "SELECT trainee_ref, full_name_sealed, email_sealed FROM register.trainee WHERE trainee_ref = ANY(%s)",
                ([T1, T2],),
            )
        }
        for ref, (name, email) in rows.items():
            other = T2 if ref == T1 else T1
            here = place("register.trainee", "full_name", ref)
            assert open_sealed(keys[f"trainee:{ref}"], name, here)
            for moved in (email, rows[other][0]):
                for key in keys.values():
                    with pytest.raises(CannotOpen):
                        open_sealed(key, moved, here)
    nonces = [bytes(row[0])[1:13] for row in ours.rows("SELECT full_name_sealed FROM register.trainee")]
    assert len(set(nonces)) == len(nonces)


def test_rules_are_dated_and_a_house_may_have_its_own(tmp_path: Path) -> None:
    ours = keeping.in_force(keeping.load(result_days=30), date(2026, 11, 21))
    assert {kind: rule.keep for kind, rule in ours.items()} == {
        "trainee": "5 years", "attendance": "6 years", "audit": "7 years", "landing": "730 days", "original": "365 days",
        "result": "30 days",
    }  # fmt: skip
    assert all(rule.source for rule in ours.values())
    assert keeping.minus(date(2028, 2, 29), "5 years") == date(2023, 2, 28)
    assert keeping.minus(date(2026, 3, 31), "1 month") == date(2026, 2, 28)
    file = tmp_path / "rules.yaml"
    file.write_text("- {kind: trainee, keep: 3 years, in_force_from: 2021-01-01}\n"
                    "- {kind: trainee, keep: 2 years, in_force_from: 2027-01-01, source: new contract}\n")  # fmt: skip
    rules = keeping.load(file)
    assert keeping.in_force(rules, date(2026, 12, 31))["trainee"].keep == "3 years"
    assert keeping.in_force(rules, date(2027, 1, 1))["trainee"].keep == "2 years"
    # One that begins on a day to come leaves ours in force until then.
    file.write_text("- {kind: trainee, keep: 7 years, in_force_from: 2028-01-01}")
    assert keeping.in_force(keeping.load(file), date(2027, 12, 31))["trainee"].keep == "5 years"
    assert keeping.in_force(keeping.load(file), date(2028, 1, 1))["trainee"].keep == "7 years"
    for wrong, said in (("- {kind: lunch, keep: 3 years}", "no rule"), ("- {kind: audit, keep: long}", "no span"),
                        ("kind", "no list"), ("- {kind: audit, keep: 1 year, in_force_from: soon}", "no day")):  # fmt: skip
        file.write_text(wrong)
        with pytest.raises(ValueError, match=said):
            keeping.load(file)
