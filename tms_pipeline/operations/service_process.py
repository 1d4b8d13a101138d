"""One process of an installation in the foreground, as systemd, compose and Kubernetes run it.

What ``tms up`` starts together on one machine is here one by one, with the code location as a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from tms_pipeline.operations import dagster_home
from tms_pipeline.operations.up import REVIEW_PREFIX
from tms_pipeline.settings import PROJECT_ROOT, Settings, SettingsError, load_settings
from tms_pipeline.workplace import open_workplace

CODE_PORT = 4266
NAMES = ("code", "webserver", "review", "daemon", "worker")
ASK_THE_CODE = ("webserver", "review", "daemon")
# Read by dagster_celery on a worker. The address stays in the environment; a run is taken off the queue when it begins,
# so that none is ever begun a second time behind our back.
_CELERY = f"""import os

broker_url = os.environ["{dagster_home.BROKER}"]
result_backend = os.environ["{dagster_home.BACKEND}"]
worker_prefetch_multiplier = 1
task_acks_late = False
worker_max_tasks_per_child = 200
worker_disable_prefetch = True
broker_connection_retry_on_startup = True
worker_hijack_root_logger = False
worker_redirect_stdouts = False
"""


def run_process(name: str, *, host: str, port: int, code: str) -> int:
    """Run the process until it ends or we are asked to stop; returns its exit code. Raises SettingsError."""
    settings = load_settings()
    if name not in NAMES:
        raise SettingsError(f"There is no process '{name}'; there are {', '.join(NAMES)}.")
    if name == "worker" and not settings.scale_broker.get_secret_value():
        raise SettingsError("A worker takes runs from a queue: set TMS_SCALE_BROKER, as docs/scale.md says.")
    with open_workplace(settings) as workplace:
        home = dagster_home.prepare(workplace)
        environment = {**os.environ, **dagster_home.environment(workplace, home), "PYTHONPATH": str(PROJECT_ROOT)}
        if name == "worker":
            dagster_home.write_whole(home / "dagster_celery_config.py", _CELERY)
            environment["PYTHONPATH"] += f":{home}"
        if name in ASK_THE_CODE:
            dagster_home.write_whole(workspace_file(home, name), workspace(code))
        # The workplace stays open as long as the child lives: with the embedded Postgres we are its user.
        return _supervise(command(settings, name, host=host, port=port, home=home), environment)


def workspace_file(home: Path, name: str) -> Path:
    """Each process that asks the code location has a file of its own, as Dagster reads it again and again: who is
    started later with another address must not change where the others look."""
    return home / f"workspace-{name}.yaml"


def workspace(code: str) -> str:
    """The workspace file of a code location that is a process of its own. Its name is the one that ``tms up`` has, as
    switched-on sensors and schedules belong to a name. Raises SettingsError for an address that is not HOST:PORT."""
    host, _, port = code.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"'{code}' is no address of a code location; write it as HOST:PORT.")
    server = {"host": host, "port": int(port), "location_name": "tms_pipeline"}
    return yaml.safe_dump({"load_from": [{"grpc_server": server}]})


def command(settings: Settings, name: str, *, host: str, port: int, home: Path) -> list[str]:
    """The command line of a process; ``home`` is Dagster's, with the workspace file in it."""
    programs = Path(sys.executable).parent
    at_code = ["-w", str(workspace_file(home, name))]
    if name == "code":
        return [str(programs / "dagster"), "code-server", "start", "-h", host, "-p", str(port or CODE_PORT),
                "-m", "tms_pipeline.definitions", "--location-name", "tms_pipeline"]  # fmt: skip
    if name == "daemon":
        return [str(programs / "dagster-daemon"), "run", *at_code]
    if name == "worker":
        return [str(programs / "celery"), "-A", "dagster_celery.app", "worker", "-Q", "dagster", "-c",
                str(settings.scale_runs), "--loglevel", "warning", "--without-gossip", "--without-mingle",
                # Another name each time: who is started again does not answer for the runs of the one before.
                "-n", f"{secrets.token_hex(4)}@%h"]  # fmt: skip
    webserver = [str(programs / "dagster-webserver"), "-h", host]
    if name == "review":
        return [*webserver, "-p", str(port or settings.dagster_port + 1), "--read-only", "--path-prefix", REVIEW_PREFIX,
                *at_code]  # fmt: skip
    return [*webserver, "-p", str(port or settings.dagster_port), *at_code]


def _supervise(arguments: list[str], environment: dict[str, str]) -> int:
    asked = False

    def hand_on(number: int, _: object) -> None:
        nonlocal asked
        asked = True
        child.send_signal(signal.SIGTERM)

    child = subprocess.Popen(  # noqa: S603  (our own environment's programs)
        arguments, env=environment, cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
        preexec_fn=_default_signals,
    )  # fmt: skip
    before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Whatever the child started stays in its session: none of it may stay behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGTERM)
    return 0 if asked and code in (0, 1, -signal.SIGTERM) else abs(code)


def _default_signals() -> None:
    # Dagster copies the SIGINT handler to SIGTERM, and a shell's background jobs ignore SIGINT: then it never stops.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
