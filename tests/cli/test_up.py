"""``tms up``: everything answers, Ctrl-C stops everything, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from running import begin, free_port, killed, listens, one_sentence, processes_of, tms, wait_until

from tms_pipeline.store.embedded import EmbeddedPostgres


@pytest.fixture
def ports() -> dict[str, int]:
    while True:
        dagster = free_port()
        if not listens(dagster + 1) and not listens(dagster + 2):
            return {"TMS_DAGSTER_PORT": dagster, "TMS_SIMULATOR_PORT": free_port()}


@pytest.fixture
def leftovers(folder: Path) -> Iterator[None]:
    """Ends what a failing test left behind, by number."""
    yield
    for line in processes_of(folder):
        os.kill(int(line.partition(":")[0]), signal.SIGKILL)


def graphql(port: int, query: str, prefix: str = "") -> dict:  # type: ignore[type-arg]
    found: dict = httpx.post(f"http://127.0.0.1:{port}{prefix}/graphql", json={"query": query}, timeout=30).json()["data"]  # type: ignore[type-arg]
    return found


@pytest.mark.usefixtures("leftovers")
def test_up_answers_on_its_ports_and_ctrl_c_leaves_no_process_behind(folder: Path, ports: dict[str, int]) -> None:
    output = folder / "output"
    process = begin(folder / "h", ["up"], output, **{name: str(port) for name, port in ports.items()})
    try:
        wait_until(
            lambda: "Ctrl-C stops everything" in output.read_text() or process.poll() is not None,
            seconds=120, why="up did not come up",
        )  # fmt: skip
        said = output.read_text()
        assert process.poll() is None, said
        dagster, review, simulator = ports["TMS_DAGSTER_PORT"], ports["TMS_DAGSTER_PORT"] + 1, ports["TMS_SIMULATOR_PORT"]
        for port in (dagster, review, simulator):
            assert f"http://127.0.0.1:{port}/" in said
        assert httpx.get(f"http://127.0.0.1:{simulator}/_control/health", timeout=10).json()["status"]
        names = graphql(dagster, "{ assetNodes { groupName } }")["assetNodes"]
        assert {"1_intake", "4_submission", "6_compliance"} <= {node["groupName"] for node in names}
        for port, allowed, prefix in ((dagster, True, ""), (review, False, "/review")):
            found = graphql(port, "{ permissions { permission value } }", prefix)["permissions"]
            values = {item["permission"]: item["value"] for item in found}
            for name in ("launch_pipeline_execution", "edit_sensor", "wipe_assets", "terminate_pipeline_execution"):
                assert values[name] is allowed, (port, name)
        wait_until(
            lambda: all(
                item["healthy"]
                for item in graphql(dagster, "{ instance { daemonHealth { allDaemonStatuses { healthy required } } } }")[
                    "instance"]["daemonHealth"]["allDaemonStatuses"] if item["required"]
            ),
            seconds=40, why="the daemon is not well",
        )  # fmt: skip
        health = httpx.get(f"http://127.0.0.1:{dagster + 2}/health", timeout=20)
        assert health.status_code == 200 and health.json()["checks"]["dagster"]["status"] == "ok", health.text
        assert health.json()["checks"]["ssg"]["reachable"] is True
        second = tms(folder / "h", "up", TMS_DAGSTER_PORT=str(free_port()), TMS_SIMULATOR_PORT=str(free_port()))
        assert second.returncode == 3 and f"already (process {process.pid})" in one_sentence(second.stderr)
        assert process.poll() is None, "a second up stopped the first"
        pid_file = EmbeddedPostgres(folder / "h").data / "postmaster.pid"
        os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGKILL)
        wait_until(
            lambda: "Postgres had stopped by itself" in output.read_text() or process.poll() is not None,
            seconds=30, why="the dead Postgres was not noticed",
        )  # fmt: skip
        assert process.poll() is None, output.read_text()
        assert tms(folder / "h", "migrate", "--check").returncode == 0
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, output.read_text()
    finally:
        killed(process)
    assert "Everything has stopped." in output.read_text()
    assert "Traceback" not in output.read_text()
    wait_until(lambda: processes_of(folder) == [], seconds=10, why=f"left behind: {processes_of(folder)}")
    assert not any(listens(port) for port in (dagster, review, simulator))


def test_down_with_nothing_running_says_so(folder: Path) -> None:
    done = tms(folder / "h", "down")
    assert done.returncode == 0 and "Nothing" in done.stdout


def test_down_leaves_a_process_alone_that_only_has_the_number_of_an_up_that_was_killed(folder: Path) -> None:
    somebody = subprocess.Popen(["sleep", "60"])
    try:
        (folder / "h").mkdir()
        (folder / "h" / "up.json").write_text(f'{{"pid": {somebody.pid}}}')
        done = tms(folder / "h", "down")
        assert done.returncode == 0 and "Nothing" in done.stdout
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()
