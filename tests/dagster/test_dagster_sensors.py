"""Ticks of sensors against a real instance: files become partitions and runs, once each, with a small cursor."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from sheets import Record, workbook

from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.people import wrong_letter
from tms_pipeline.examples.term import Term
from tms_pipeline.intake.service import upload_id_of
from tms_pipeline.operations.dagster_run import run_job
from tms_pipeline.operations.failures import RunFailed
from tms_pipeline.workplace import Workplace

NAME = "Tan Ah Kow S9999001A.xlsx"


@pytest.fixture
def people(term: Term) -> list[Record]:
    return list(expected(term).records["trainee"])


@pytest.fixture
def tick(
    defs: dg.Definitions, instance: dg.DagsterInstance, installation: Workplace
) -> Callable[..., dg.SensorResult | dg.SkipReason | dg.RunRequest]:
    """One tick of a sensor, with the partitions added as the daemon would."""

    def run(cursor: str | None = None, name: str = "inbox_sensor"):  # type: ignore[no-untyped-def]
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources=defs.resources, repository_def=defs.get_repository_def()
        ) as context:
            result = defs.resolve_sensor_def(name)(context)
        for request in getattr(result, "dynamic_partitions_requests", None) or []:
            instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        return result

    return run


def drop(place: Workplace, content: bytes, name: str = NAME) -> str:
    import hashlib

    path = place.home / "inbox" / name
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return upload_id_of(hashlib.sha256(content).hexdigest())


def requests_of(result: dg.SensorResult) -> list[tuple[str | None, str | None]]:
    return [(request.partition_key, request.run_key) for request in result.run_requests or []]


def test_a_dropped_file_becomes_a_partition_and_one_run_request(
    tick, installation: Workplace, instance: dg.DagsterInstance, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    upload = drop(installation, workbook(trainee=people[:3]))
    result = tick()
    assert requests_of(result) == [(upload, f"{upload}:1")]
    assert list(instance.get_dynamic_partitions("upload")) == [upload]
    assert not any((installation.home / "inbox").iterdir())
    said = f"{result.cursor}{result.run_requests}{list(instance.get_dynamic_partitions('upload'))}"
    assert "Tan" not in said and "S9999001A" not in said


def test_until_the_run_has_begun_the_same_run_is_asked_for_under_the_same_key(
    tick, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    drop(installation, workbook(trainee=people[:3]))
    first = tick()
    assert requests_of(tick(first.cursor)) == requests_of(first)


def test_the_same_bytes_again_make_no_second_run(
    tick, defs: dg.Definitions, instance: dg.DagsterInstance, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    content = workbook(trainee=people[:3])
    upload = drop(installation, content)
    first = tick()
    run_job(defs, instance, "intake", partition=upload)
    drop(installation, content, "the same under another name.xlsx")
    second = tick(first.cursor)
    assert requests_of(second) == []
    assert not any((installation.home / "inbox").iterdir())
    assert installation.db.value("SELECT count(*) FROM intake.upload") == 1


def test_the_cursor_stays_small_and_holds_no_name(tick, installation: Workplace) -> None:  # type: ignore[no-untyped-def]
    for number in range(30):
        drop(installation, f"not yet {number}".encode(), f"Tan Ah Kow {number}.xlsx")
    cursor = tick().cursor
    assert cursor is not None and "Tan" not in cursor
    assert len(cursor) < 30 * 80
    assert len(json.loads(cursor)) == 30
    assert json.loads(tick(tick(cursor).cursor).cursor) == {}, "what was taken must leave the cursor"


def test_a_file_that_is_still_being_written_waits_for_a_second_look(
    tick, installation: Workplace, people: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TMS_STABLE_SECONDS", "1")
    content = workbook(trainee=people[:3])
    drop(installation, content[:100])
    first = tick()
    assert requests_of(first) == [] and "1" in str(first.skip_reason)
    upload = drop(installation, content)
    second = tick(first.cursor)
    assert requests_of(second) == []
    assert requests_of(tick(second.cursor)) == [(upload, f"{upload}:1")]


def test_an_inbox_that_cannot_be_read_is_no_empty_inbox(
    tick, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    inbox = installation.home / "inbox"
    inbox.rmdir()
    inbox.write_text("somebody put a file in its place")
    result = tick('{"kept": [1, 2]}')
    assert isinstance(result, dg.SkipReason), "a result would replace the cursor"
    assert "could not be read" in str(result.skip_message)
    inbox.unlink()
    inbox.mkdir()
    drop(installation, workbook(trainee=people[:3]))
    assert len(requests_of(tick('{"kept": [1, 2]}'))) == 1


def test_what_does_not_belong_in_an_inbox_is_left_alone(tick, installation: Workplace, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    inbox = installation.home / "inbox"
    secret = tmp_path / "secret.xlsx"
    secret.write_bytes(b"not ours")
    (inbox / "link.xlsx").symlink_to(secret)
    (inbox / "folder").symlink_to(tmp_path, target_is_directory=True)
    for name in ("~$open.xlsx", ".hidden.xlsx", "half.xlsx.part", "x.crdownload", "y.tmp"):
        (inbox / name).write_bytes(b"half")
    assert requests_of(tick()) == []
    assert len(list(inbox.iterdir())) == 7 and secret.exists()


def test_the_retry_sensor_asks_only_when_something_is_due(tick, installation: Workplace) -> None:  # type: ignore[no-untyped-def]
    assert isinstance(tick(name="retry_sensor"), dg.SkipReason)
    with installation.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
            "VALUES ('P', 'h', 'c', 1, 0, 0, '{}')"
        )
        connection.execute(
            "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, "
            "correlation_id) VALUES ('P', 'fee', 'k', 'update', 1, 'x', 'i', 'c')"
        )
        connection.execute("UPDATE outbox.submission SET state = 'ready', approved_until = now() + interval '1 hour'")
    request = tick(name="retry_sensor")
    assert isinstance(request, dg.RunRequest) and request.run_key
    with installation.db.transaction() as connection:
        connection.execute("UPDATE outbox.submission SET next_attempt_at = now() + interval '1 hour'")
    assert isinstance(tick(name="retry_sensor"), dg.SkipReason)


def fail_a_run(defs: dg.Definitions, instance: dg.DagsterInstance, place: Workplace, upload: str) -> dg.DagsterRun:
    """Run the intake of an upload whose original was lost from the archive."""
    hidden = place.home / "archive"
    hidden.rename(place.home / "elsewhere")
    try:
        with pytest.raises(RunFailed):
            run_job(defs, instance, "intake", partition=upload)
    finally:
        (place.home / "elsewhere").rename(hidden)
    (record, *_) = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    return record.dagster_run


def test_a_failed_upload_is_offered_again_under_its_next_attempt(
    tick, defs: dg.Definitions, instance: dg.DagsterInstance, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    upload = drop(installation, workbook(trainee=people[:3]))
    first = tick()
    run = fail_a_run(defs, instance, installation, upload)
    event = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records[0].event_log_entry
    assert event.dagster_event is not None
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failed", dagster_instance=instance, dagster_run=run, dagster_event=event.dagster_event,
    ).for_run_failure()  # fmt: skip
    defs.resolve_sensor_def("run_failed")(context)
    again = tick(first.cursor)
    assert requests_of(again) == [(upload, f"{upload}:2")]
    said = installation.db.rows("SELECT entity_key, details::text FROM audit.entry WHERE action = 'run failed'")
    assert [key for key, _ in said] == [run.run_id]
    run_job(defs, instance, "intake", partition=upload)
    assert installation.db.value("SELECT state FROM intake.upload") == "taken in"
    assert requests_of(tick(again.cursor)) == []


def test_a_bad_upload_does_not_break_the_others(
    tick, defs: dg.Definitions, instance: dg.DagsterInstance, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    bad = drop(installation, b"PK\x03\x04 this is no workbook", "bad.xlsx")
    spoiled = {**people[0], "nric": wrong_letter(people[0]["nric"] or "")}
    half = drop(installation, workbook(trainee=[spoiled, people[1]]), "half.xlsx")
    good = drop(installation, workbook(trainee=people[2:6]), "good.xlsx")
    asked = {upload for upload, _ in requests_of(tick())}
    assert asked == {bad, half, good}
    checks = {upload: checks_of(defs, instance, upload) for upload in (bad, half, good)}
    assert checks[good] == dict.fromkeys(checks[good], True)
    assert {name for name, passed in checks[half].items() if not passed} == {"trainee_rows"}
    assert {name for name, passed in checks[bad].items() if not passed} == {"file_was_taken"}
    states = dict(installation.db.rows("SELECT upload_id, state FROM intake.upload"))
    assert states == {bad: "refused", half: "taken in", good: "taken in"}
    assert installation.db.value("SELECT count(*) FROM register.trainee") == 5


def checks_of(defs: dg.Definitions, instance: dg.DagsterInstance, upload: str) -> dict[str, bool]:
    """The checks of one upload's partition, as Dagster keeps them."""
    run_id = run_job(defs, instance, "intake", partition=upload)
    found = {}
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records:
        event = record.event_log_entry.dagster_event
        assert event is not None
        evaluation = event.asset_check_evaluation_data
        assert evaluation.partition == upload
        found[evaluation.check_name] = evaluation.passed
    return found


def test_no_file_name_and_no_person_stands_in_events_tags_or_metadata(
    tick, defs: dg.Definitions, instance: dg.DagsterInstance, installation: Workplace, people: list[Record]
) -> None:  # type: ignore[no-untyped-def]
    spoiled = {**people[0], "nric": wrong_letter(people[0]["nric"] or ""), "email": "no address"}
    uploads = [
        drop(installation, workbook(trainee=[spoiled, *people[1:6]]), NAME),
        drop(installation, b"no workbook", "Lim Bee Hoon g9999999x.xlsx"),
    ]
    first = tick()
    for request in first.run_requests:
        run_job(defs, instance, "intake", partition=request.partition_key, tags=dict(request.tags))
    failing = drop(installation, workbook(trainee=people[7:9]), "Siti binti Rahman.xlsx")
    tick(first.cursor)
    fail_a_run(defs, instance, installation, failing)
    said = "".join(
        entry.to_json()
        for run in instance.get_runs()
        for entry in instance.all_logs(run.run_id)
    ) + "".join(f"{run.tags}{run.run_config}" for run in instance.get_runs())  # fmt: skip
    assert len(instance.get_runs()) == 3 and all(upload in said for upload in uploads)
    names = ["Tan Ah Kow", "Lim Bee Hoon", "Siti binti", "S9999001A", "g9999999x"]
    fields = ("nric", "full_name", "phone", "birth_date")
    values = [person[field] for person in [spoiled, *people[:9]] for field in fields]
    assert [value for value in [*names, *values] if value and value in said] == []
