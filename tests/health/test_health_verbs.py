"""The verbs of who is on call as they are typed: words, JSON, exit codes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from health_world import beat
from running import free_port
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.health import service
from tms_pipeline.settings import Settings

Verb = Callable[..., tuple[int, str]]


@pytest.fixture
def verb(well: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Verb]:
    """Runs a verb in this process; returns its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    environment = {
        "TMS_HOME": str(well.home), "TMS_DISK_FREE_MB": "1", "TMS_DAGSTER_PORT": str(free_port()),
        "TMS_HEALTH_PORT": str(free_port()),
    }  # fmt: skip

    def run(*words: str, **extra: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, words, env={**environment, **extra}, catch_exceptions=False)
        return done.exit_code, done.stdout

    yield run


def test_health_is_zero_when_well_and_one_when_degraded_with_mend_and_page(verb: Verb, well: Settings) -> None:
    code, said = verb("health")
    assert code == 0 and said.startswith("ok: local")
    code, told = verb("health", "--json")
    assert code == 0 and json.loads(told)["status"] == "ok"
    beat(well, seconds_ago=900)
    code, said = verb("health", TMS_RUNBOOK_URL="https://runbook.example/")
    assert code == 1 and "WRONG  dagster: Dagster's daemon is down" in said
    assert "https://runbook.example/daemon-down.md" in said
    code, told = verb("health", "--json")
    assert code == 1 and json.loads(told)["checks"]["dagster"]["runbook"] == "docs/runbook/daemon-down.md"
    assert verb("health", TMS_HEALTH_SKIP="dagster")[0] == 0
    beat(well)


def test_doctor_and_metrics_and_migrate_say_it_as_json_and_as_text(verb: Verb, tmp_path: Path) -> None:
    code, told = verb("doctor", "--quick", "--json")
    assert code == 1, "sensors are off"
    assert {"name", "status", "sentence"} <= json.loads(told)[0].keys()
    assert verb("metrics")[1].startswith("# HELP tms_")
    assert verb("metrics", "-o", str(tmp_path / "tms.prom")) == (0, "") and (tmp_path / "tms.prom").stat().st_size > 1000
    code, told = verb("migrate", "--check", "--json")
    assert code == 0 and json.loads(told)["pending_count"] == 0


def test_housekeeping_says_what_it_would_remove_and_removes_it(verb: Verb, well: Settings) -> None:
    old = well.home / "tmp" / "left-behind"
    old.parent.mkdir(exist_ok=True)
    old.write_text("x")
    import os

    os.utime(old, (0, 0))
    assert "0 runs of Dagster and 1 scratch files would be removed." in verb("housekeeping", "--dry-run")[1]
    assert old.exists()
    assert json.loads(verb("housekeeping", "--json")[1])["scratch_files"] == 1
    assert not old.exists()


def test_who_is_asked_to_stop_before_the_first_answer_stops(well: Settings) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ended = threading.Event()
    times: list[int] = []

    def ask() -> None:
        while signal.getsignal(signal.SIGTERM) is before[signal.SIGTERM]:
            time.sleep(0.0001)
        while not ended.is_set():
            times.append(1)
            os.kill(os.getpid(), signal.SIGTERM)
            ended.wait(10)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        service.serve(well.model_copy(update={"health_port_given": free_port()}))
    finally:
        ended.set()
        asking.join()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(times) == 1, "asking once is enough"
