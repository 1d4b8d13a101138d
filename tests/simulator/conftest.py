"""A real simulator process on a free port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from simulator_wire import DATA, ROOT, Sim, Start


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start simulators; all are stopped at the end."""
    held: list[Sim] = []

    def begin(*arguments: str, data: Any = DATA, folder: Path | None = None) -> Sim:
        place = folder or tmp_path_factory.mktemp("sim")
        ready = place / "ready.json"
        ready.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "tms_pipeline.ssg.simulator",
            "--port",
            "0",
            "--ready-file",
            str(ready),
        ]
        if data is not None:
            (place / "data.json").write_text(json.dumps(data))
            command += ["--data", str(place / "data.json")]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, stderr=(place / "stderr").open("ab"), env={**os.environ}
        )
        while not ready.exists():
            assert process.poll() is None, (place / "stderr").read_text()
            assert time.perf_counter() - began < 10, "the simulator did not start"
            time.sleep(0.01)
        sim = Sim(process, json.loads(ready.read_text()), time.perf_counter() - began)
        held.append(sim)
        return sim

    yield begin
    for sim in held:
        sim.http.close()
        if sim.process.poll() is None:
            sim.process.send_signal(signal.SIGTERM)
    for sim in held:
        sim.process.wait(5)


@pytest.fixture(scope="session")
def shared(start: Start) -> Sim:
    """One process for all tests of a session."""
    return start()


@pytest.fixture
def sim(shared: Sim) -> Sim:
    """The shared process, reset."""
    shared.control("reset", {})
    return shared
