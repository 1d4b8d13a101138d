"""A simulator as a real process."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .world import KEY, UEN

SECONDS_TO_START = 20.0


class Simulator:
    """The process, and its control API."""

    def __init__(self, url: str, ready: dict[str, Any]) -> None:
        self.url = url
        self.ready = ready
        self._control = httpx.Client(base_url=f"{url}/_control", timeout=10, trust_env=False)

    def close(self) -> None:
        self._control.close()

    def control(self, method: str, name: str, body: Any = None) -> Any:
        answer = self._control.request(method, f"/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, endpoint: str, kind: str, **params: Any) -> None:
        self.control("POST", "faults", {"endpoint": endpoint, "kind": kind, **params})

    def calm(self) -> None:
        self.control("DELETE", "faults")


@contextlib.contextmanager
def running_simulator(folder: Path, *arguments: str) -> Iterator[Simulator]:
    ready_file = folder / "ready.json"
    command = [
        sys.executable,
        "-m",
        "tms_pipeline.ssg.simulator",
        "--port",
        "0",
        "--ready-file",
        str(ready_file),
    ]
    process = subprocess.Popen(
        [*command, "--uen", UEN, "--key", KEY, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not ready_file.exists() or not ready_file.read_text().strip():
            if process.poll() is not None or time.monotonic() > deadline:
                error = (
                    process.stderr.read().decode()
                    if process.poll() is not None and process.stderr
                    else "slow"
                )
                raise RuntimeError(f"the simulator did not start: {error}")
            time.sleep(0.02)
        ready = json.loads(ready_file.read_text())
        simulator = Simulator(ready["base_url"], ready)
        yield simulator
        simulator.close()
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """The one simulator, as at its start."""
    simulator_process.control("POST", "reset")
    return simulator_process


@pytest.fixture
def start_simulator(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Simulator]]:
    """Starts another one, with options of its own."""
    return lambda *arguments: running_simulator(tmp_path, *arguments)
