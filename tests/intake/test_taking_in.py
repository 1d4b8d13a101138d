"""What becomes of the rows of an upload, in Postgres: balance, hold, preview, supersession, waiting rows."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from sheets import Record, drop, workbook

from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.people import wrong_letter
from tms_pipeline.examples.term import Term
from tms_pipeline.intake import archive, landing
from tms_pipeline.intake.preview import preview
from tms_pipeline.intake.receiving import receive_inbox
from tms_pipeline.intake.results import balance_of, preview_of, result_of
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import receive, take_in, upload_id_of
from tms_pipeline.intake.upload_result import UploadResult
from tms_pipeline.workplace import Workplace

KINDS = ("course", "trainer", "course_run", "session", "trainee", "enrolment", "fee", "attendance", "assessment")


@pytest.fixture(scope="session")
def records(term: Term) -> dict[str, list[Record]]:
    return {kind: list(found) for kind, found in expected(term).records.items()}


def parents(records: dict[str, list[Record]]) -> dict[str, list[Record]]:
    return {kind: records[kind] for kind in ("course", "trainer", "course_run", "session", "trainee")}


def spoiled(record: Record) -> Record:
    return {**record, "nric": wrong_letter(record["nric"] or "")}


def everything(place: Workplace) -> dict[str, tuple[int, str | None]]:
    """Every table with its row count and a fingerprint that changes when a row is written, even with equal values (the
    transaction that wrote it counts), and where every sequence stands."""
    tables = place.db.rows(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    found = {}
    for (table,) in tables:
        row = place.db.rows(
            f"SELECT count(*), md5(string_agg(t::text || t.xmin::text || t.ctid::text, '|' ORDER BY t.ctid)) FROM {table} t"
        )[0]
        found[table] = (row[0], row[1])
    for name, last in place.db.rows("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences"):
        found[name] = (last or 0, None)
    return found


def what_changed(result: UploadResult) -> dict[int, tuple[list[str], list[tuple[str, str, str]]]]:
    """Row to what it made and what it changed, as the result workbook shows it."""
    return {row.row: (list(row.made), list(row.changes)) for table in result.tables for row in table.rows}


def files_under(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_promise_1_no_row_is_lost_every_file_of_a_term_balances_as_its_answers_say(
    place: Workplace, term: Term, files: dict[str, list[Path]]
) -> None:
    for path in (*files["setup"], *files["results"]):
        drop(place, path.read_bytes(), path.name)
    for count in expected(term).files:
        (upload_id,) = place.db.rows("SELECT upload_id FROM intake.upload WHERE file_name = %s", (count.file,))[0]
        balance = balance_of(place, upload_id)
        assert balance == {
            "rows": count.rows, "accepted": count.accepted, "unchanged": count.unchanged,
            "rejected": count.rejected, "superseded": count.superseded,
        }, count.file  # fmt: skip
    for kind in KINDS:
        assert place.db.value(f"SELECT count(*) FROM register.{kind}") == len(expected(term).records[kind]), kind


@pytest.mark.parametrize(
    ("rows", "bad", "state"), [(20, 2, "taken in"), (20, 3, "held"), (19, 18, "taken in"), (40, 4, "taken in")]
)
def test_an_upload_is_held_past_a_tenth_of_faults_from_twenty_rows_on(
    rows: int, bad: int, state: str, place: Workplace, records: dict[str, list[Record]]
) -> None:
    people = [spoiled(record) if number < bad else record for number, record in enumerate(records["trainee"][:rows])]
    taken = drop(place, workbook(trainee=people))
    assert taken.state == state
    assert taken.counts()["rejected"] == bad
    assert place.db.value("SELECT count(*) FROM register.trainee") == (0 if state == "held" else rows - bad)
    assert place.db.value("SELECT count(*) FROM intake.rejection WHERE code = 'NRIC_CHECK_LETTER'") == bad


def test_rows_that_only_wait_for_another_file_do_not_hold_an_upload(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    waiting = records["enrolment"][:30]
    taken = drop(place, workbook(enrolment=waiting))
    assert (taken.state, taken.counts()["rejected"]) == ("taken in", 30)
    bad = [{**record, "enrolment_date": None} if number < 4 else record for number, record in enumerate(waiting)]
    held = drop(place, workbook(enrolment=bad))
    assert held.state == "held" and "4 of 30" in held.sentence


def test_a_held_upload_leaves_no_trace_in_registers_and_goes_in_when_released(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    people = [spoiled(record) if number < 5 else record for number, record in enumerate(records["trainee"][:20])]
    held = drop(place, workbook(trainee=people))
    assert held.state == "held" and "5 of 20" in held.sentence
    assert place.db.value("SELECT count(*) FROM identity.trainee") == 0
    assert place.db.value("SELECT count(*) FROM intake.landing_row WHERE waiting") == 0
    released = take_in(place, held.upload_id, actor=place.actor(), hold=False)
    assert released.state == "taken in" and released.counts()["accepted"] == 15
    assert place.db.value("SELECT count(*) FROM register.trainee") == 15
    assert place.db.value("SELECT count(*) FROM intake.landing_row") == 20
    assert place.db.value("SELECT count(*) FROM intake.rejection WHERE severity = 'error'") == 5


def test_a_preview_writes_nothing_and_says_what_taking_in_then_does(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    drop(place, workbook(**parents(records)))
    first, second, third = records["enrolment"][:3]
    drop(place, workbook(enrolment=[first]))
    changed = {**first, "discount_amount": "77.00"}
    content = workbook(enrolment=[changed, second, {**third, "run_code": "NOWHERE-1"}])
    before, files = everything(place), files_under(place.home)
    shown = preview(place, "rows.xlsx", content, actor=place.actor())
    assert everything(place) == before
    assert files_under(place.home) == files
    assert shown.state == "preview"
    assert shown.sentence.startswith("2 of 3 rows were taken in (1 new, 1 changed)")
    wanted = {"rows": 3, "accepted": 2, "unchanged": 0, "rejected": 1, "superseded": 0}
    assert shown.counts() == wanted
    changes = [item for items in shown.evaluation.changes.values() for item in items]
    assert [(item.field, item.was, item.becomes) for item in changes] == [
        ("discount_amount", first["discount_amount"], "77.00")
    ]
    previewed = what_changed(preview_of(place, shown, "rows.xlsx"))
    taken = drop(place, content)
    assert taken.counts() == wanted
    assert what_changed(result_of(place, taken.upload_id)) == previewed
    assert sorted(previewed.values()) == [
        ([], []), ([], [("Discount Amount", first["discount_amount"], "77.00")]), (["enrolment"], []),
    ]  # fmt: skip
    assert place.db.value("SELECT count(*) FROM register.enrolment WHERE discount_amount = 77") == 1


def test_a_preview_of_an_unreadable_file_writes_nothing(place: Workplace) -> None:
    before = everything(place)
    shown = preview(place, "rows.xlsx", b"PK\x03\x04 no zip at all", actor=place.actor())
    assert shown.file_faults and shown.counts()["rows"] == 0
    assert everything(place) == before


def test_the_same_bytes_again_are_known_and_open_no_second_upload(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    content = workbook(course=records["course"])
    taken = drop(place, content)
    registers = place.db.rows("SELECT * FROM register.course ORDER BY key")
    again, new = receive(place, "another name.xlsx", content, source="inbox", actor=place.actor())
    assert (again, new) == (taken.upload_id, False)
    with pytest.raises(LookupError):
        take_in(place, again, actor=place.actor())
    assert place.db.value("SELECT count(*) FROM intake.upload") == 1
    assert place.db.rows("SELECT * FROM register.course ORDER BY key") == registers


def test_the_same_rows_in_other_bytes_are_unchanged(place: Workplace, records: dict[str, list[Record]]) -> None:
    drop(place, workbook(**parents(records), enrolment=records["enrolment"]))
    before = {kind: place.db.rows(f"SELECT * FROM register.{kind} ORDER BY key") for kind in KINDS}
    taken = drop(place, workbook("somebody else", **parents(records), enrolment=records["enrolment"]))
    rows = sum(len(found) for found in parents(records).values()) + len(records["enrolment"])
    assert taken.counts() == {"rows": rows, "accepted": 0, "unchanged": rows, "rejected": 0, "superseded": 0}
    assert {kind: place.db.rows(f"SELECT * FROM register.{kind} ORDER BY key") for kind in KINDS} == before


def test_a_row_typed_twice_counts_once_and_the_second_is_superseded(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    person = records["trainee"][0]
    taken = drop(place, workbook(trainee=[person, person]))
    assert taken.counts() == {"rows": 2, "accepted": 1, "unchanged": 0, "rejected": 0, "superseded": 1}
    assert place.db.value("SELECT row_number FROM intake.landing_row WHERE status = 'superseded'") == 3


def test_two_rows_that_contradict_each_other_are_both_rejected(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    person = records["trainee"][0]
    taken = drop(place, workbook(trainee=[person, {**person, "full_name": "Somebody Else"}, records["trainee"][1]]))
    assert taken.counts() == {"rows": 3, "accepted": 1, "unchanged": 0, "rejected": 2, "superseded": 0}
    codes = place.db.rows("SELECT row_number, code FROM intake.rejection WHERE severity = 'error' ORDER BY row_number")
    assert codes == [(2, "ROWS_CONTRADICT"), (3, "ROWS_CONTRADICT")]


def test_of_two_answers_of_one_trainee_the_later_one_stands(place: Workplace, records: dict[str, list[Record]]) -> None:
    drop(place, workbook(**parents(records), enrolment=records["enrolment"]))
    mark = next(record for record in records["attendance"] if record["marked_at"])
    day = (mark["marked_at"] or "")[:10]
    early = {**mark, "mark": "present", "marked_at": f"{day}T08:55:00"}
    late = {**mark, "mark": "late", "marked_at": f"{day}T09:20:00"}
    taken = drop(place, workbook(attendance=[late, early]))
    assert taken.counts() == {"rows": 2, "accepted": 1, "unchanged": 0, "rejected": 0, "superseded": 1}
    assert place.db.value("SELECT mark FROM register.attendance") == "late"


def test_a_row_whose_parent_is_unknown_waits_and_goes_in_when_the_parent_comes(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    enrolments = records["enrolment"][:5]
    first = drop(place, workbook(enrolment=enrolments))
    assert first.counts()["rejected"] == 5
    assert look_again(place, actor=place.actor()) == []
    drop(place, workbook(trainee=records["trainee"]))
    assert look_again(place, actor=place.actor()) == []
    assert place.db.value("SELECT count(*) FROM register.enrolment") == 0
    drop(place, workbook(course=records["course"], trainer=records["trainer"], course_run=records["course_run"]))
    assert look_again(place, actor=place.actor()) == [first.upload_id]
    assert balance_of(place, first.upload_id) == {
        "rows": 5, "accepted": 5, "unchanged": 0, "rejected": 0, "superseded": 0,
    }  # fmt: skip
    assert place.db.value("SELECT count(*) FROM intake.rejection WHERE severity = 'error'") == 0
    assert place.db.value("SELECT count(*) FROM register.enrolment WHERE upload_id = %s", (first.upload_id,)) == 5
    assert look_again(place, actor=place.actor()) == []


def test_a_row_with_a_fault_of_its_own_does_not_go_in_when_its_parent_comes(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    bad = {**records["enrolment"][0], "enrolment_date": "31/02/2026"}
    first = drop(place, workbook(enrolment=[bad]))
    drop(place, workbook(**parents(records)))
    assert look_again(place, actor=place.actor()) == []
    assert balance_of(place, first.upload_id)["rejected"] == 1
    assert place.db.value("SELECT count(*) FROM register.enrolment") == 0


def test_a_later_file_of_the_same_record_is_not_undone_by_an_older_row_that_waited(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    old = {**records["enrolment"][0], "discount_amount": "10.00"}
    drop(place, workbook(enrolment=[old]))
    drop(place, workbook(**parents(records)))
    drop(place, workbook(enrolment=[{**old, "discount_amount": "99.00"}]))
    assert len(look_again(place, actor=place.actor())) == 1
    assert place.db.value("SELECT discount_amount FROM register.enrolment") == 99
    assert place.db.rows("SELECT status, waiting FROM intake.landing_row WHERE note = 'looked at again'") == [
        ("superseded", False)
    ]


def test_a_held_upload_that_is_released_late_does_not_undo_a_later_file(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    people = [spoiled(record) if number < 5 else record for number, record in enumerate(records["trainee"][:20])]
    held = drop(place, workbook(trainee=people))
    person = people[10]
    drop(place, workbook(trainee=[{**person, "email": "newer@example.com"}]))
    before = place.db.rows("SELECT key, email_mark FROM register.trainee")
    released = take_in(place, held.upload_id, actor=place.actor(), hold=False)
    assert released.counts() == {"rows": 20, "accepted": 14, "unchanged": 0, "rejected": 5, "superseded": 1}
    assert set(before) <= set(place.db.rows("SELECT key, email_mark FROM register.trainee"))


def test_a_late_row_does_not_change_what_a_newer_file_only_confirmed(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    person, run = records["trainee"][10], records["course_run"][0]
    drop(place, workbook(course=records["course"], trainer=records["trainer"], course_run=[run], trainee=[person]))
    before = place.db.rows("SELECT row_hash FROM register.trainee UNION ALL SELECT row_hash FROM register.course_run")
    older = {**person, "email": "older@example.com"}
    held = drop(place, workbook(trainee=[*(spoiled(record) for record in records["trainee"][:20] if record != person), older]))
    waiting = drop(place, workbook(course_run=[{**run, "trainer_codes": "NEW", "intake_size": "7"}]))
    newer = drop(place, workbook("another", course_run=[run], trainee=[person]))
    assert newer.counts()["unchanged"] == 2
    released = take_in(place, held.upload_id, actor=place.actor(), hold=False)
    assert released.counts() == {"rows": 20, "accepted": 0, "unchanged": 0, "rejected": 19, "superseded": 1}
    assert balance_of(place, held.upload_id) == released.counts()
    drop(place, workbook(trainer=[{**records["trainer"][0], "trainer_code": "NEW"}]))
    look_again(place, actor=place.actor())
    assert balance_of(place, waiting.upload_id)["superseded"] == 1
    after = place.db.rows("SELECT row_hash FROM register.trainee UNION ALL SELECT row_hash FROM register.course_run")
    assert after == before
    assert balance_of(place, newer.upload_id)["accepted"] == 2, "they stand on that file now"


def test_one_upload_taken_in_by_two_at_once_is_taken_in_once(place: Workplace, records: dict[str, list[Record]]) -> None:
    upload_id, _ = receive(place, "rows.xlsx", workbook(trainee=records["trainee"]), source="inbox", actor=place.actor())
    ends: Counter[str] = Counter()

    def run() -> None:
        try:
            take_in(place, upload_id, actor=place.actor())
            ends["taken in"] += 1
        except LookupError:
            ends["too late"] += 1

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == {"taken in": 1, "too late": 2}
    assert place.db.value("SELECT count(*) FROM intake.landing_row") == len(records["trainee"])


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.xlsx", b""), ("text.xlsx", b"this is no workbook"), ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
     ("notes.csv", b"a,b,c\n1,2,3\n"), ("notes.csv", b"\x00\x01\x02"), ("page.pdf", b"%PDF-1.4")],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence_and_a_fix(
    name: str, content: bytes, place: Workplace
) -> None:
    taken = drop(place, content, name)
    assert taken.state == "refused"
    state, sentence, rows = place.db.rows("SELECT state, sentence, rows FROM intake.upload")[0]
    assert (state, rows) == ("refused", 0) and sentence.endswith(".") and len(sentence) > 30
    assert place.db.value("SELECT count(*) FROM intake.rejection") == 1


def test_landing_rows_and_the_original_can_be_read_back_as_they_were_typed(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    person = records["trainee"][0]
    content = workbook(trainee=[person])
    taken = drop(place, content)
    with place.db.transaction() as connection:
        ((_, grid, _),) = landing.landed(connection, place.rings, taken.upload_id)
    assert person["nric"] in grid.rows[1][1] and person["full_name"] in grid.rows[1][1]
    stored = list((place.home / "archive").rglob("*.sealed"))
    assert len(stored) == 1
    assert content not in stored[0].read_bytes() and stored[0].read_bytes()[:2] != b"PK"
    from tms_pipeline.identity.data_keys import data_keys

    subject = landing.subject_of(taken.upload_id)
    with place.db.transaction() as connection:
        key = data_keys(connection, place.rings.data, [subject], make=False)[subject]
    assert archive.original(place.home / "archive", stored[0].stem, key) == content


def test_promise_13_hostile_files_among_good_ones_cost_one_rejection_each(
    place: Workplace, records: dict[str, list[Record]]
) -> None:
    hostile = {
        "bomb.xlsx": bomb(), "cut off.xlsx": workbook(course=records["course"])[:900], "nothing.csv": b"\x00\x01\x02",
        "letter.xlsx": b"%PDF-1.7", "page.xls": b"<html><table><tr><td>1</td></tr></table></html>",
    }  # fmt: skip
    for name, content in hostile.items():
        refused = drop(place, content, name)
        assert refused.state == "refused", name
        assert place.db.value("SELECT count(*) FROM intake.rejection WHERE upload_id = %s", (refused.upload_id,)) == 1
    good = drop(place, workbook(course=records["course"]))
    assert good.counts()["accepted"] == len(records["course"])
    assert place.db.value("SELECT count(*) FROM intake.upload") == len(hostile) + 1


def bomb() -> bytes:
    """A small archive that unpacks to a thousand times its size."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", bytes(64 << 20))
    return held.getvalue()


def test_a_file_that_was_destroyed_is_told_so_and_stops_no_other(place: Workplace) -> None:
    """A restored older backup no longer knows the upload; that its key was shredded is kept."""
    inbox = Path(place.settings.inbox_url)
    inbox.mkdir(parents=True, exist_ok=True)
    heading = b"Course Reference,Course Title,Full Course Fee\n"
    (inbox / "a.csv").write_bytes(heading + b"TGS-2026000100,Made Up,480\n")
    (inbox / "b.csv").write_bytes(heading + b"TGS-2026000101,Made Up,480\n")
    subject = landing.subject_of(upload_id_of(hashlib.sha256((inbox / "a.csv").read_bytes()).hexdigest()))
    with place.db.transaction() as connection:
        connection.execute(
            "INSERT INTO identity.data_key (subject, ring_version, shredded_at) VALUES (%s, 1, now())", (subject,)
        )
    found = receive_inbox(place, {}, stable_seconds=0)
    assert (found.failed, len(found.uploads)) == (1, 1)
    assert "was destroyed here" in (inbox / "a.csv.note.txt").read_text() and not (inbox / "b.csv").exists()
