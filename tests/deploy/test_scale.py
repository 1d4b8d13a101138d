"""Past one machine: runs go to a queue by a setting, and workers on several hosts send each record once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from running import free_port, listens, wait_until

from tms_pipeline.operations import dagster_home
from tms_pipeline.settings import PROJECT_ROOT
from tms_pipeline.workplace import Workplace

NEEDS = shutil.which("ip") and os.geteuid() == 0


@pytest.mark.skipif(shutil.which("redis-server") is None and "TMS_REQUIRE_REDIS" not in os.environ, reason="Redis is not installed (apt: redis-server)")
def test_a_setting_sends_runs_to_the_queue_and_nothing_secret_to_a_file(place: Workplace, folder: Path) -> None:
    port = free_port()
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                             stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_until(lambda: listens(port), seconds=20, why="Redis does not answer")
        plain = yaml.safe_load((dagster_home.prepare(place) / "dagster.yaml").read_text())
        assert "run_launcher" not in plain
        broker = f"redis://127.0.0.1:{port}/0"
        scaled = Workplace(
            place.settings.model_copy(update={"scale_broker": type(place.settings.token)(broker)}), place.db, place.rings,
            place.dagster_url,
        )  # fmt: skip
        home = dagster_home.prepare(scaled)
        text = (home / "dagster.yaml").read_text()
        assert yaml.safe_load(text)["run_launcher"]["class"] == "QueueRunLauncher" and broker not in text
        # Dagster itself reads it and reaches the queue; in a process of its own, as its settings are of the process.
        done = subprocess.run(
            [sys.executable, "-c", "import dagster as dg\nwith dg.DagsterInstance.get() as found:\n"
             "    launcher = found.run_launcher\n    print(type(launcher).__name__, launcher.celery.connection().ensure_connection(max_retries=2).as_uri())"],
            env={**os.environ, **dagster_home.environment(scaled, home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "QueueRunLauncher" in done.stdout and f"127.0.0.1:{port}" in done.stdout, done.stdout + done.stderr[-300:]
    finally:
        redis.terminate()
        redis.wait(20)


@pytest.mark.skipif(not NEEDS, reason="network namespaces need root and ip (apt: iproute2)")
@pytest.mark.skipif("TMS_SCALE_SHOW" not in os.environ, reason="a minute long: set TMS_SCALE_SHOW=1")
def test_one_host_is_killed_and_one_cut_off_and_ssg_holds_each_record_once() -> None:
    done = subprocess.run([sys.executable, str(PROJECT_ROOT / "deploy" / "scale" / "hosts.py")], capture_output=True,
                          text=True, check=False, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
