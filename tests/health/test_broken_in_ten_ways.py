"""An installation is broken in the ways of docs/runbook/README.md; each is named by health or doctor, with its mend.

What a restore says of a corrupt backup, tests of backups hold.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from health_world import beat, certificate_pair, named, run_sql
from running import free_port, wait_until
from starlette.applications import Starlette
from typer.testing import CliRunner

from tms_pipeline.audit.log import append, verify
from tms_pipeline.backups import notes
from tms_pipeline.backups.making import make
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.restoring import restore
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.cli.main import app
from tms_pipeline.health.check import Check, State
from tms_pipeline.health.disk import disk, mend_of
from tms_pipeline.health.doctor import doctor
from tms_pipeline.health.report import Report
from tms_pipeline.health.service import application
from tms_pipeline.health.site import site
from tms_pipeline.identity import keyring
from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.settings import PROJECT_ROOT, Settings, load_settings
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.store.migrations import migrate
from tms_pipeline.workplace import open_workplace

Look = Callable[..., Report]


def get(service: Starlette, path: str) -> httpx.Response:
    """What the service answers."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://health") as client:
            return await client.get(path)

    return asyncio.run(ask())

RUNBOOK = PROJECT_ROOT / "docs" / "runbook"


def tells(found: Report, name: str, *, what: str, mend: str) -> Check:
    """The check says what is wrong and how to mend it, in sentences, with a page that is there."""
    check = named(found, name)
    assert check.state is State.DEGRADED, check
    assert found.status is State.DEGRADED
    assert what in check.sentence and check.sentence.endswith("."), check.sentence
    assert mend in check.remedy and check.remedy.endswith("."), check.remedy
    assert (RUNBOOK / f"{check.runbook}.md").is_file(), check.runbook
    return check


def test_a_well_installation_is_ok(look: Look) -> None:
    found = look()
    assert found.status is State.OK, [check for check in found.checks if not check.fine]
    told = found.as_json()
    assert told["version"] and told["environment"] == "local"
    checks = told["checks"]
    assert set(checks) >= {"db", "migrations", "dagster", "ssg", "queue", "disk", "keys", "nightly"}
    assert checks["db"]["latency_ms"] >= 0 and checks["migrations"]["pending"] == 0
    assert set(checks["dagster"]["heartbeats"]) >= {"SENSOR", "SCHEDULER"}
    assert checks["ssg"]["breaker"] == "closed" and checks["queue"]["oldest_seconds"] == 0
    assert all("remedy" not in check for check in checks.values() if check["status"] == "ok")


def test_a_full_disk_is_named_by_the_room_that_is_left(look: Look) -> None:
    tells(look(disk_free_mb=1e9), "disk", what="MB are free", mend="tms housekeeping")


def test_a_full_quota_is_named_by_a_write_that_fails_though_there_is_room(look: Look, well: Settings) -> None:
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        tells(look(), "disk", what="Nothing can be written", mend="Make room")
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        before = set(well.home.rglob("*"))
        look(ssg_base_url=f"http://127.0.0.1:{free_port()}")
        with pytest.raises(OSError):
            notes.write(well.home, "backup", {})
        assert set(well.home.rglob("*")) - before == set(), "a look leaves halves of files behind"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert named(look(), "disk").fine


@pytest.mark.parametrize(
    ("home", "number", "mend"),
    [("/proc/nothing", errno.ENOENT, "Correct TMS_HOME"), ("/etc/hostname/h", errno.ENOTDIR, "Correct TMS_HOME"),
     ("", errno.EROFS, "Mount it for writing"), ("", errno.EACCES, "user who owns the folder"), ("", errno.EDQUOT, "quota")],
)  # fmt: skip
def test_what_cannot_be_written_to_is_mended_by_why(home: str, number: int, mend: str) -> None:
    assert mend in mend_of(OSError(number, os.strerror(number)))
    if home:
        found = disk(load_settings(_env_file=None, tms_home=Path(home)))
        assert found.state is State.DEGRADED and mend in found.remedy and os.strerror(number).lower() in found.sentence


def test_an_expired_certificate_is_named_and_one_that_soon_will_be(look: Look, tmp_path: Path) -> None:
    tells(look(**certificate_pair(tmp_path, days=-2)), "certificate", what="expired 2", mend="developer portal")
    found = look(**certificate_pair(tmp_path, days=10))
    assert named(found, "certificate").state is State.WARNING and found.status is State.OK


def test_the_key_of_another_certificate_is_named(look: Look, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    pair = certificate_pair(tmp_path, days=200) | {"ssg_key_file": certificate_pair(tmp_path / "other", days=200)["ssg_key_file"]}
    tells(look(**pair), "certificate", what="does not belong", mend="SSG_KEY_FILE")


@pytest.mark.parametrize("ring", keyring.NAMES)
def test_the_key_ring_of_another_installation_is_named(ring: str, look: Look, well: Settings, tmp_path: Path) -> None:
    assert named(look(), "keys").fine
    keyring.create(tmp_path)
    place = well.home / "keys" / f"{ring}.ring.json"
    shutil.copy(place, tmp_path / "kept")
    shutil.copy(tmp_path / "keys" / place.name, place)
    try:
        tells(look(), "keys", what=f"'{ring}' is not the one", mend="from its copy")
    finally:
        shutil.copy(tmp_path / "kept", place)
    assert named(look(), "keys").fine


def test_foreign_or_new_rings_never_write_into_the_audit_log(look: Look, well: Settings, tmp_path: Path) -> None:
    with open_workplace(well) as place, place.db.transaction() as connection:
        append(connection, place.rings.audit.key, place.actor(), "did", "thing", "T")
    assert named(look(), "keys").fine
    keyring.create(tmp_path)
    ours, lost = well.home / "keys", well.home / "lost"
    shutil.copytree(ours, lost)
    try:
        shutil.copy(tmp_path / "keys" / "audit.ring.json", ours)
        with pytest.raises(KeyringError, match="'audit' is not the one.*from its copy"), open_workplace(well):
            pass
        shutil.rmtree(ours)
        with pytest.raises(KeyringError, match="missing, and this database is in use"), open_workplace(well):
            pass
        assert not ours.exists(), "new rings were made behind everybody's back"
    finally:
        shutil.rmtree(ours, ignore_errors=True)
        lost.rename(ours)
    with open_workplace(well) as place, place.db.transaction() as connection:
        assert verify(connection, place.rings.audit.key)[1] is None


def test_a_stopped_daemon_is_named(look: Look, well: Settings) -> None:
    beat(well, seconds_ago=1000)
    try:
        tells(look(), "dagster", what="daemon is down: no heartbeat for 17 minutes", mend="tms up")
    finally:
        beat(well)


def test_two_daemons_are_named(look: Look, well: Settings) -> None:
    beat(well, ids=("one", "other"))
    try:
        tells(look(), "dagster", what="Two daemons", mend="tms doctor")
    finally:
        beat(well)


def test_two_daemons_that_overwrite_each_others_beats_are_named_at_the_third_look_and_a_restart_is_not(
    look: Look, well: Settings
) -> None:
    for who in ("first", "restarted"):
        beat(well, ids=(who,))
        assert named(look(), "dagster").fine
    beat(well, ids=("first",))
    tells(look(), "dagster", what="Two daemons", mend="tms doctor")
    (well.home / "health" / "daemons.json").unlink()
    beat(well)
    assert named(look(), "dagster").fine


def test_half_a_migration_is_named_and_a_schema_that_is_too_new(look: Look, well: Settings) -> None:
    server = EmbeddedPostgres(well.home)
    run_sql(well, "CREATE DATABASE half")
    url = server.url("half")
    address = {"database_url": type(well.sentry_dsn)(url.render_as_string(hide_password=False)), "dagster_database": "dagster"}
    migrate(url, "0004")
    check = tells(look(**address), "migrations", what="(0005", mend="tms migrate")
    assert check.facts["pending"] >= 5 and check.facts["current"] == "0004"
    migrate(url)
    half = well.model_copy(update=address)
    run_sql(half, "UPDATE schema_version SET version_num = '9999'")
    newer = named(look(**address), "migrations")
    assert newer.fine and "works with it" in newer.sentence
    run_sql(half, "UPDATE operations.compatibility SET oldest = '9998'")
    tells(look(**address), "migrations", what="too old", mend="newer version")


def test_a_wrong_clock_is_named_by_the_time_that_ssg_tells(look: Look, host: Callable[[str], str]) -> None:
    now = dt.datetime.now(dt.UTC)
    assert named(look(ssg_base_url=host(format_datetime(now, usegmt=True))), "clock").fine
    behind = host(format_datetime(now - dt.timedelta(minutes=10), usegmt=True))
    tells(look(ssg_base_url=behind), "clock", what="clock of SSG is 10 minutes behind ours", mend="NTP")


def test_ssg_down_is_named_and_asked_once_a_minute_only(look: Look, host: Callable[[str], str], well: Settings) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    tells(look(ssg_base_url=dead), "ssg", what="cannot be reached", mend="goes on by itself")
    kept = json.loads((well.home / "health" / "ssg.json").read_text())
    look(ssg_base_url=dead)
    assert json.loads((well.home / "health" / "ssg.json").read_text())["at"] == kept["at"]


def test_an_open_breaker_and_the_switch_are_named(look: Look, host: Callable[[str], str], well: Settings) -> None:
    base_url = host(format_datetime(dt.datetime.now(dt.UTC), usegmt=True))
    run_sql(well, "INSERT INTO ssg.breaker (credential, failures, opened_at) VALUES ('c', 10, now() - interval '5 minutes')")
    try:
        tells(look(ssg_base_url=base_url), "ssg", what="breaker is open since 5 minutes", mend="probe")
        run_sql(well, "INSERT INTO ssg.switch (name, stopped, reason, set_by) VALUES ('ssg', true, 'made up', 'a person')")
        stopped = named(look(ssg_base_url=base_url), "ssg")
        assert stopped.state is State.WARNING and "tms allow" in stopped.remedy
    finally:
        run_sql(well, "DELETE FROM ssg.breaker", "DELETE FROM ssg.switch")


def test_a_stuck_queue_is_named_and_one_that_flows_is_not(look: Look, well: Settings) -> None:
    run_sql(
        well,
        "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
        "VALUES ('P', 'h', 'c', 1, 0, 0, '{}')",
        "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, correlation_id, "
        "created_at) VALUES ('P', 'fee', 'k', 'update', 1, 'x', 'i', 'c', now() - interval '2 days')",
        "UPDATE outbox.submission SET state = 'ready', approved_until = now() + interval '1 day', "
        "next_attempt_at = now() - interval '1 hour'",
    )
    assert named(look(), "queue").facts["depth"] == 1 and named(look(), "queue").fine
    run_sql(well, "UPDATE outbox.submission SET next_attempt_at = now() - interval '30 hours'")
    check = tells(look(), "queue", what="1 submissions are due, the oldest for 30.0 hours", mend="tms submit")
    assert check.facts["oldest_seconds"] == pytest.approx(30 * 3600, abs=60)
    run_sql(well, "UPDATE outbox.submission SET next_attempt_at = now(), lease_owner = 'gone', lease_until = now() - interval '1 hour'")
    tells(look(), "queue", what="a worker that is gone", mend="tms submit")
    run_sql(well, "DELETE FROM outbox.submission", "DELETE FROM outbox.plan")


def test_a_missed_night_is_named(look: Look, well: Settings) -> None:
    run_sql(well, "UPDATE outbox.nightly SET started_at = now() - interval '3 days', finished_at = now() - interval '3 days'")
    tells(look(), "nightly", what="3.0 days ago", mend="tms sync")
    run_sql(well, "UPDATE outbox.nightly SET finished_at = now()")


def test_a_corrupt_backup_is_named_by_the_doctor_until_there_is_a_good_one(well: Settings) -> None:
    def of_the_doctor() -> Check:
        with site(well, start=False) as place:
            return named(doctor(place, load=False), "backup file")

    with open_workplace(well) as place:
        name = make(place, actor=place.actor()).name
        assert of_the_doctor().fine
        unasked = CliRunner().invoke(app, ["restore", name], env={"TMS_HOME": str(well.home)}, input="")
        assert unasked.exit_code == 1 and "Nothing was changed." in unasked.stdout and "--force" in unasked.stderr
        with (well.home / "backups" / name).open("r+b") as file:
            file.seek(20_000)
            file.write(b"\0" * 8)
        check = of_the_doctor()
        assert check.state is State.WARNING and f"{name} was changed" in check.sentence
        assert "tms backup" in check.remedy and (RUNBOOK / f"{check.runbook}.md").is_file()
        with pytest.raises(BackupError, match="its sha256 is another; take another one"):
            restore(place, Place(well.backup_place), name, actor=place.actor())
        make(place, actor=place.actor())
        assert of_the_doctor().fine
    shutil.rmtree(well.home / "backups")
    (well.home / "backup.json").unlink()


def test_what_does_not_count_here_is_shown_and_degrades_nothing(look: Look, well: Settings) -> None:
    beat(well, seconds_ago=1000)
    found = look(health_skip="dagster,archive")
    beat(well)
    assert named(found, "dagster").state is State.DEGRADED and found.status is State.OK
    assert found.as_json()["checks"]["dagster"]["counts"] is False


def test_a_killed_postgres_is_named_and_liveness_stays(well: Settings) -> None:
    service = application(well, keep_seconds=0)
    assert get(service, "/health").status_code == get(service, "/ready").status_code == 200
    pid = int((EmbeddedPostgres(well.home).data / "postmaster.pid").read_text().split("\n")[0])
    (well.home / "up.json").write_text(json.dumps({"pid": os.getpid()}))
    os.kill(pid, signal.SIGKILL)
    try:
        wait_until(lambda: get(service, "/health").status_code == 503, seconds=10, why="health did not notice")
        told = get(service, "/health").json()
        assert told["status"] == "degraded"
        db = told["checks"]["db"]
        assert "embedded Postgres does not answer" in db["sentence"] and "tms up" in db["remedy"]
        assert db["runbook"] == "docs/runbook/postgres-down.md" and db["latency_ms"] is None
        assert get(service, "/ready").status_code == 503
        assert get(service, "/live").json()["status"] == "ok"
        metrics = get(service, "/metrics")
        assert metrics.status_code == 200
        assert "tms_database_up 0.0" in metrics.text and 'tms_health{check="db"} 2.0' in metrics.text
        assert "tms_submissions" not in metrics.text, "what cannot be counted is not zero"
    finally:
        (well.home / "up.json").unlink()
    with EmbeddedPostgres(well.home):
        assert get(service, "/health").json()["checks"]["db"]["status"] == "ok"


