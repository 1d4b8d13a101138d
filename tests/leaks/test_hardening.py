"""Settings and start-up refuse what would send data past a check; secrets stand in no config, argument or traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import Done, one_sentence
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.operations import simulator_process
from tms_pipeline.operations.tracebacks import render
from tms_pipeline.settings import Settings, SettingsError, load_settings
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.connection import Connection

CANARY = "canary-of-nobody-8d1f"
SECRETS = {
    "SSG_CLIENT_SECRET": f"{CANARY}-1", "SSG_ENCRYPTION_KEY": f"{CANARY}-2", "TMS_PROXY_SECRET": f"{CANARY}-3",
    "TMS_TOKEN": f"{CANARY}-4", "DATABASE_URL": f"postgresql://tms:{CANARY}-5@127.0.0.1:1/tms",
}  # fmt: skip


def settings_for(folder: Path, **given: object) -> Settings:
    return load_settings(_env_file=None, tms_home=folder, **given)


REAL = {
    "environment": "production", "ssg_env": "production", "ssg_base_url": "https://api.ssg-wsg.sg", "ssg_uen": "200012345A",
    "ssg_encryption_key": "cmVhbCBrZXkgb2Ygbm9ib2R5LCAzMiBieXRlcyBsb25n", "ssg_corppass_id": "x", "ssg_client_id": "x",
}  # fmt: skip


@pytest.fixture
def real(tmp_path: Path) -> dict[str, object]:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o600)
    return {**REAL, "ssg_cert_file": tmp_path / "cert.pem", "ssg_key_file": tmp_path / "key.pem"}


@pytest.mark.parametrize(
    ("url", "fine"),
    [("postgresql://tms:x@db.example/tms", False), ("postgresql://tms:x@db.example/tms?sslmode=require", False),
     ("postgresql://tms:x@10.1.2.3/tms?sslmode=verify-ca", False), ("postgresql:///tms?host=db.example", False),
     ("postgresql://tms:x@127.0.0.1.example/tms", False),
     ("postgresql://tms:x@db.example/tms?sslmode=verify-full", True), ("postgresql://tms:x@localhost/tms", True),
     ("postgresql:///tms?host=/var/run/postgresql", True), ("postgresql://tms:x@127.0.0.1:5433/tms", True)],
)  # fmt: skip
def test_production_reaches_postgres_over_the_network_with_a_checked_certificate_only(
    url: str, fine: bool, real: dict[str, object], tmp_path: Path
) -> None:
    if fine:
        settings_for(tmp_path, **real, database_url=url)
        return
    with pytest.raises(SettingsError, match="sslmode=verify-full") as refused:
        settings_for(tmp_path, **real, database_url=url)
    assert ":x@" not in one_sentence(str(refused.value))


def test_elsewhere_a_test_server_needs_no_certificate(tmp_path: Path) -> None:
    settings_for(tmp_path, database_url="postgresql://tms:x@db.example/tms")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o666])
def test_a_private_key_that_others_may_read_stops_the_start(mode: int, real: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "key.pem").chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        settings_for(tmp_path, **real)


def test_no_setting_switches_the_check_of_certificates_off() -> None:
    names = {*Settings.model_fields, *ClientConfig.__dataclass_fields__}
    assert not [name for name in names if "verify" in name or "insecure" in name]
    connection = Connection(ClientConfig(base_url="https://ssg.invalid", uen="x", encryption_key="x"))
    try:
        assert connection._tls is not None
        assert connection._tls.check_hostname and connection._tls.verify_mode.name == "CERT_REQUIRED"
    finally:
        connection.close()


@pytest.mark.parametrize("given", [{"ENVIRONMENT": "production"}, {"SSG_ENV": "uat"}, {"SSG_ENV": "production"}])
def test_the_simulator_never_runs_beside_the_real_ssg(given: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tms_pipeline.ssg.simulator", "--port", "0", "--ready-file", str(tmp_path / "r")],
        env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "never runs beside it" in one_sentence(done.stderr)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])
def test_the_simulator_and_its_control_pages_listen_on_this_machine_only(host: str) -> None:
    from tms_pipeline.ssg.simulator.config import ConfigError, load

    with pytest.raises(ConfigError, match="loopback only"):
        load(host=host)


def test_the_key_of_the_simulator_is_no_argument_and_it_gets_no_other_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    settings = settings_for(tmp_path, database_url=None, ssg_encryption_key=f"{CANARY}-key")
    assert CANARY not in " ".join(simulator_process.command(settings, port=1))
    given = simulator_process.environment(settings)
    assert [name for name, value in given.items() if CANARY in value] == ["SSG_SIMULATOR_KEY"]


def test_secrets_stand_in_no_text_of_settings_or_client(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, ssg_client_secret=f"{CANARY}-1", ssg_encryption_key=f"{CANARY}-2", TMS_PROXY_SECRET=f"{CANARY}-3",
        TMS_TOKEN=f"{CANARY}-4", database_url=f"postgresql://tms:{CANARY}-5@localhost/tms",
    )  # fmt: skip
    config = ClientConfig(
        base_url="https://x", uen="x", encryption_key=f"{CANARY}-2", client_id="x", client_secret=f"{CANARY}-1"
    )
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()} {config!r}"


def test_secrets_stand_in_no_traceback_and_no_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["summary"], env={**SECRETS, "TMS_HOME": str(tmp_path / "h")}, catch_exceptions=False)
    ended = Done((), done.exit_code, done.stdout, done.stderr)
    assert ended.returncode == 3 and CANARY not in one_sentence(ended.stderr) + ended.stdout
    for path in (tmp_path / "h").rglob("*"):
        assert not path.is_file() or CANARY not in path.read_text(errors="replace")
    import psycopg

    try:
        psycopg.connect(SECRETS["DATABASE_URL"], connect_timeout=1)
    except psycopg.OperationalError as error:
        assert CANARY not in render(type(error), error, error.__traceback__)


def test_secrets_stand_in_no_definition_of_dagster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    from assets.build import build_defs

    repository = build_defs().get_repository_def()
    for job in repository.get_all_jobs():
        said = json.dumps([job.tags, job.run_tags, job.run_config, str(job.get_job_snapshot())], default=str)
        assert CANARY not in said, job.name


def test_the_bill_of_materials_is_the_lock_and_the_same_every_time(tmp_path: Path) -> None:
    from tms_pipeline.operations.materials import bill

    lock = Path(__file__).parents[2] / "requirements.lock"
    once, again = bill(lock.read_text()), bill(lock.read_text())
    assert once == again
    found = json.loads(once)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    names = {item["name"]: item for item in found["components"]}
    pinned = [line for line in lock.read_text().splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert len(found["components"]) == len(pinned) > 50
    assert names["psycopg"]["purl"].startswith("pkg:pypi/psycopg@3.")
    assert all(len(item["hashes"][0]["content"]) == 64 for item in found["components"])
