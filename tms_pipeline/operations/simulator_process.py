"""The SSG simulator as a process of its own: the embedded default for demo, tests and first steps."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tms_pipeline.settings import Settings, SettingsError
from tms_pipeline.store.locking import alone, locked

_START_SECONDS = 20.0


def folder(settings: Settings) -> Path:
    """Where the simulator keeps its state."""
    return settings.home / "simulator"


def nearby() -> httpx.Client:
    """For plain HTTP on this machine: no proxy, and no authority is trusted, as reading the world's takes 25 ms."""
    return httpx.Client(trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def running(settings: Settings) -> str | None:
    """The address of this installation's simulator if one answers, else None."""
    try:
        facts = json.loads((folder(settings) / "ready.json").read_text(encoding="utf-8"))
        os.kill(int(facts["pid"]), 0)
        with nearby() as http:
            http.get(f"{facts['base_url']}/_control/health", timeout=2).raise_for_status()
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return None
    return str(facts["base_url"])


def command(settings: Settings, *, port: int, faults: Path | None = None) -> list[str]:
    """The command line that starts the simulator of this installation."""
    place = folder(settings)
    arguments = [
        sys.executable,
        "-m",
        "tms_pipeline.ssg.simulator",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--uen",
        settings.uen,
        "--state-file",
        str(place / "state.jsonl"),
        "--ready-file",
        str(place / "ready.json"),
    ]
    if (place / "data.json").exists():
        arguments += ["--data", str(place / "data.json")]
    if faults is not None:
        arguments += ["--faults", str(faults)]
    return arguments


def environment(settings: Settings) -> dict[str, str]:
    """The simulator's environment: its key, as arguments are shown to everybody on the machine, and no other secret."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSG_", "TMS_", "DATABASE_URL"))}
    return {**kept, "TMS_HOME": str(settings.home), "SSG_SIMULATOR_KEY": settings.encryption_key}


@contextlib.contextmanager
def simulator(settings: Settings, *, port: int = 0, faults: Path | None = None) -> Iterator[str]:
    """The address of this installation's simulator: started by the first who needs it, stopped by the last.

    Raises SettingsError when it does not start.
    """
    place = folder(settings)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with using(settings) as users:
        with locked(place / "start.lock"):
            base_url = running(settings) or _start(settings, port, faults)
        try:
            yield base_url
        finally:
            with locked(place / "start.lock"):
                if alone(users):
                    _stop(settings)


@contextlib.contextmanager
def using(settings: Settings) -> Iterator[int]:
    """Count as a user of the simulator, so that nobody else stops it; yields the lock that says so."""
    users = os.open(folder(settings) / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield users
    finally:
        os.close(users)


def _start(settings: Settings, port: int, faults: Path | None) -> str:
    place = folder(settings)
    ready = place / "ready.json"
    ready.unlink(missing_ok=True)
    with open(place / "simulator.log", "ab") as log:
        process = subprocess.Popen(  # noqa: S603  (our own module)
            command(settings, port=port, faults=faults),
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    end = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            raise SettingsError(
                f"The SSG simulator does not start; its last words are in {place / 'simulator.log'}. "
                "If its port is taken, choose another with TMS_SIMULATOR_PORT."
            )
        time.sleep(0.02)
    return str(json.loads(ready.read_text(encoding="utf-8"))["base_url"])


def _stop(settings: Settings) -> None:
    if running(settings) is None:
        return  # it has stopped by itself, and its number may be another process's by now
    ready = folder(settings) / "ready.json"
    pid = int(json.loads(ready.read_text(encoding="utf-8"))["pid"])
    for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if _gone(pid):
                ready.unlink(missing_ok=True)
                return
            time.sleep(0.01)


def _gone(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    except ChildProcessError:  # another process started it
        with contextlib.suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
    return False


def state(base_url: str) -> dict[str, Any]:
    """Everything that the simulator holds; simulated people only."""
    with nearby() as http:
        reply = http.get(f"{base_url}/_control/state", timeout=60)
    reply.raise_for_status()
    found: dict[str, Any] = reply.json()
    return found


def seed_courses(base_url: str, settings: Settings, courses: list[tuple[str, str, str | None, Any]]) -> None:
    """Tell the simulator of the courses that the provider keeps: SSG's registry would know them already."""
    if not courses:
        return
    told = [
        {
            "referenceNumber": reference,
            "externalReferenceNumber": reference,
            "title": title,
            "uen": settings.uen,
            "skillCodes": [skill] if skill else [],
            # Grants are shares of the course's fee.
            **({"trainingCost": float(fee)} if fee else {}),
        }
        for reference, title, skill, fee in courses
    ]
    with nearby() as http:
        reply = http.post(f"{base_url}/_control/seed", json={"courses": told}, timeout=30)
    reply.raise_for_status()
