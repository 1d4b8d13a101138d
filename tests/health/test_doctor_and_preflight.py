"""The doctor names what is wrong with a Dagster deployment; preflight asks SSG and the mail server for real."""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml
from aiosmtpd.controller import Controller
from health_world import certificate_pair, named, run_sql
from running import free_port, killed, wait_until

from tms_pipeline.health.check import Check, State
from tms_pipeline.health.doctor import INSTIGATORS, doctor
from tms_pipeline.health.housekeeping import prune_runs
from tms_pipeline.health.preflight import preflight
from tms_pipeline.health.site import site
from tms_pipeline.operations.simulator_process import simulator
from tms_pipeline.settings import PROJECT_ROOT, Settings
from tms_pipeline.workplace import open_workplace

RUNBOOK = PROJECT_ROOT / "docs" / "runbook"
Doctor = Callable[..., list[Check]]


@pytest.fixture
def ask(well: Settings) -> Doctor:
    """The doctor's look at the installation, with settings changed; ports of its own, so that neighbours do not matter."""

    def look(**changed: object) -> list[Check]:
        ports = {"dagster_port": free_port(), "health_port_given": free_port()}
        with site(well.model_copy(update={**ports, **changed}), start=False) as place:
            found = list(doctor(place, load=False))
        for check in found:
            assert check.fine or (RUNBOOK / f"{check.runbook}.md").is_file(), check
        return found

    return look


def told(check: Check, *words: str) -> None:
    assert not check.fine, check
    for word in words:
        assert word in f"{check.sentence} {check.remedy}", check


def test_a_fresh_installation_has_its_sensors_off_and_nothing_else(ask: Doctor) -> None:
    found = ask()
    assert [check.name for check in found if not check.fine] == ["sensors"]
    assert set(named(found, "sensors").facts["off"]) == set(INSTIGATORS)


def test_another_dagster_home_is_named(ask: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    told(named(ask(), "DAGSTER_HOME"), "another folder", "unset")


@pytest.mark.parametrize(("change", "words"), [
    ({"storage": {"postgres": {"postgres_url": "postgresql://u:p@h/d"}}}, "wrong scheme"),
    ({"storage": {"postgres": {"postgres_url": "postgresql+psycopg://u:p@h/d"}}}, "wrong scheme"),
    ({"storage": {"postgres": {"postgres_db": {"hostname": "h"}}}}, "wrong scheme"),
    ({"storage": {"sqlite": {"base_dir": "x"}}}, "SQLite"),
    ({"run_monitoring": {"enabled": False}}, "monitoring is off"),
    ({"run_monitoring": {"enabled": True, "max_resume_run_attempts": 3, "free_slots_after_run_end_seconds": 60}}, "resume"),
])  # fmt: skip
def test_a_dagster_yaml_made_by_hand_is_named(change: dict, words: str, ask: Doctor, well: Settings) -> None:  # type: ignore[type-arg]
    path = well.home / "dagster" / "dagster.yaml"
    kept = path.read_text()
    try:
        path.write_text(yaml.safe_dump({**yaml.safe_load(kept), **change}))
        told(named(ask(), "dagster.yaml"), words, "tms up")
    finally:
        path.write_text(kept)


def test_stuck_runs_and_leaked_places_in_pools_are_named(ask: Doctor, well: Settings) -> None:
    body = "INSERT INTO runs (run_id, pipeline_name, status, start_time, update_timestamp, run_body) VALUES "
    run_sql(
        well,
        body + "('aaaaaaaa-1', 'nightly_sync', 'STARTED', extract(epoch FROM now()) - 9000, now(), '')",
        body + "('bbbbbbbb-2', 'intake', 'SUCCESS', 0, now() - interval '1 day', '')",
        "INSERT INTO concurrency_slots (concurrency_key, run_id, step_key, deleted) VALUES ('ssg', 'bbbbbbbb-2', 's', false)",
        dagster=True,
    )
    try:
        found = ask()
        told(named(found, "runs"), "nightly_sync is started for 2.5 hours (aaaaaaaa)", "Terminate")
        told(named(found, "pools"), "ssg", "Free slots")
    finally:
        run_sql(well, "DELETE FROM concurrency_slots", "DELETE FROM runs", dagster=True)
    assert named(ask(), "runs").fine and named(ask(), "pools").fine


def test_a_run_that_never_starts_is_stuck_too(ask: Doctor, well: Settings) -> None:
    run_sql(
        well,
        "INSERT INTO runs (run_id, pipeline_name, status, create_timestamp, update_timestamp, run_body) VALUES "
        "('cccccccc-3', 'submit', 'QUEUED', (now() AT TIME ZONE 'UTC') - interval '1 hour', "
        "(now() AT TIME ZONE 'UTC') - interval '1 hour', '')",
        dagster=True,
    )
    try:
        told(named(ask(), "runs"), "submit is queued for 60 minutes")
    finally:
        run_sql(well, "DELETE FROM runs", dagster=True)


def test_a_taken_port_is_named(ask: Doctor) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told(named(ask(dagster_port=other.getsockname()[1]), "ports"), "taken", "TMS_DAGSTER_PORT")


def test_what_a_killed_up_left_behind_is_named(ask: Doctor, well: Settings) -> None:
    note = well.home / "up.json"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    note.write_text(json.dumps({"pid": gone.pid}))
    try:
        told(named(ask(), "stale pid"), "up.json", "tms up")
    finally:
        note.unlink()


def test_two_daemons_on_this_host_are_named_by_their_numbers(ask: Doctor, well: Settings, tmp_path: Path) -> None:
    # Two processes of that name and environment are enough: what counts is who runs, not what it does.
    program = tmp_path / "dagster-daemon"
    program.write_text("import time\ntime.sleep(60)\n")
    environment = {**os.environ, "TMS_HOME": str(well.home)}
    two = [subprocess.Popen([sys.executable, str(program), "run"], env=environment, start_new_session=True) for _ in "ab"]
    try:
        wait_until(lambda: not named(ask(), "daemons").fine, seconds=10, why="the daemons were not seen")
        check = named(ask(), "daemons")
        assert set(check.facts["pids"]) == {process.pid for process in two}
        told(check, *(str(process.pid) for process in two))
    finally:
        for process in two:
            killed(process)


def test_folders_that_others_may_read_are_named(ask: Doctor, well: Settings) -> None:
    folder = well.home / "archive"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    try:
        told(named(ask(), "permissions"), "archive", "chmod")
    finally:
        folder.chmod(0o700)


def test_a_state_folder_that_everybody_may_write_into_is_named(ask: Doctor, well: Settings) -> None:
    before = well.home.stat().st_mode & 0o777
    well.home.chmod(before | 0o002)
    try:
        told(named(ask(), "permissions"), f"write into: {well.home}.", "chmod o-w")
    finally:
        well.home.chmod(before)


def test_growth_past_its_limit_is_told_as_a_warning(ask: Doctor, well: Settings) -> None:
    inbox = well.home / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "big.xlsx").write_bytes(bytes(200_000))
    found = named(ask(inbox_limit_mb=0.1), "inbox")
    assert found.state is State.WARNING and found.facts["files"] == 1
    (inbox / "big.xlsx").unlink()


@dg.op
def nothing() -> None: ...


@dg.job
def idle() -> None:
    nothing()


def test_old_ended_runs_go_with_their_events_and_young_or_running_ones_stay(instance: dg.DagsterInstance, well: Settings) -> None:
    ids = [idle.execute_in_process(instance=instance).run_id for _ in range(3)]
    run_sql(
        well,
        f"UPDATE runs SET create_timestamp = now() - interval '100 days' WHERE run_id IN ('{ids[0]}', '{ids[1]}')",
        f"UPDATE runs SET status = 'STARTED' WHERE run_id = '{ids[1]}'",
        dagster=True,
    )
    assert prune_runs(instance, days=90, dry_run=True) == 1
    assert prune_runs(instance, days=90) == 1
    assert instance.get_run_by_id(ids[0]) is None and instance.all_logs(ids[0]) == []
    assert all(instance.get_run_by_id(run_id) is not None and instance.all_logs(run_id) for run_id in ids[1:])
    run_sql(well, "DELETE FROM runs", dagster=True)


@pytest.fixture(scope="module")
def ssg(well: Settings) -> Iterator[str]:
    with simulator(well) as base_url:
        yield base_url


@pytest.fixture
def before_the_night(well: Settings, ssg: str) -> Callable[..., list[Check]]:
    def look(**changed: object) -> list[Check]:
        with open_workplace(well.model_copy(update={"ssg_base_url": ssg, **changed})) as place:
            found = list(preflight(place))
        for check in found:
            assert check.fine or (RUNBOOK / f"{check.runbook}.md").is_file(), check
        return found

    return look


def test_preflight_asks_ssg_and_all_is_well(before_the_night: Callable[..., list[Check]]) -> None:
    found = before_the_night()
    assert all(check.fine for check in found), [check for check in found if not check.fine]
    assert {"settings", "permissions", "db", "keys", "disk", "encryption", "ssg", "token", "clock of SSG", "mail"} <= {
        check.name for check in found
    }
    assert "a search with our certificate and key works" in named(found, "ssg").sentence


def test_preflight_names_a_wrong_key_that_is_well_formed_and_one_that_is_not(before_the_night: Callable[..., list[Check]], well: Settings) -> None:
    secret = type(well.sentry_dsn)
    told(named(before_the_night(ssg_encryption_key=secret("bm90IHRoZSByaWdodCBrZXkgYnV0IDMyIGJ5dGVzISE=")), "ssg"), "SSG-")
    told(named(before_the_night(ssg_encryption_key=secret("short")), "encryption"), "base64 of 32 bytes", "portal")


def test_preflight_names_ssg_down_a_wrong_token_and_an_expired_certificate(
    before_the_night: Callable[..., list[Check]], host: Callable[[str], str], well: Settings, ssg: str, tmp_path: Path
) -> None:
    told(named(before_the_night(ssg_base_url=f"http://127.0.0.1:{free_port()}"), "ssg"), "SSG-")
    wrong = {"ssg_oauth_url": ssg, "ssg_client_id": "nobody", "ssg_client_secret": type(well.sentry_dsn)("wrong")}
    told(named(before_the_night(**wrong), "token"), "SSG-")
    told(named(before_the_night(**certificate_pair(tmp_path, days=-1)), "certificate"), "expired")
    gone = before_the_night(ssg_cert_file=tmp_path / "gone.crt", ssg_key_file=tmp_path / "gone.key")
    told(named(gone, "certificate"), "SSG_CERT_FILE")
    told(named(gone, "ssg"), f"{tmp_path / 'gone.crt'} cannot be used", "SSG_KEY_FILE")
    assert named(gone, "mail").fine, "what cannot be read ends the list"


def test_preflight_sends_nothing_while_the_switch_is_on(before_the_night: Callable[..., list[Check]], well: Settings) -> None:
    run_sql(well, "INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES ('ssg', true, 'made up', 'a person')")
    try:
        found = before_the_night(ssg_base_url=f"http://127.0.0.1:{free_port()}")
        assert named(found, "ssg").state is State.WARNING and "not asked" in named(found, "ssg").sentence
    finally:
        run_sql(well, "DELETE FROM ssg.switch")


def test_preflight_asks_the_mail_server(before_the_night: Callable[..., list[Check]]) -> None:
    class Sink: ...

    server = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        at = {"smtp_host": "127.0.0.1", "smtp_port": server.port}
        assert named(before_the_night(**at, smtp_security="none"), "mail").fine
        told(named(before_the_night(**at, smtp_security="starttls"), "mail"), "TLS")
    finally:
        server.stop()
    told(named(before_the_night(**at, smtp_security="none"), "mail"), "does not answer")


def test_a_wrong_clock_is_named_before_the_night(well: Settings, host: Callable[[str], str]) -> None:
    ahead = host(format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(hours=3), usegmt=True))
    with open_workplace(well.model_copy(update={"ssg_base_url": ahead})) as place:
        told(named(preflight(place), "clock of SSG"), "3.0 hours ahead")
