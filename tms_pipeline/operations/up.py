"""Everything at once on one machine: Postgres, simulator, Dagster's webserver and daemon, until Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from tms_pipeline.health.site import noted_up, process_of_up
from tms_pipeline.operations import dagster_home
from tms_pipeline.operations.at_work import at_work
from tms_pipeline.operations.simulator_process import nearby, simulator
from tms_pipeline.settings import PROJECT_ROOT, Settings, SettingsError, load_settings
from tms_pipeline.store.embedded import EmbeddedPostgres

_READY_SECONDS = 90.0
_STOP_SECONDS = 90.0
# A server that dies again sooner than this is ill, and starting it once more would only hide it.
_WELL_SECONDS = 60.0
# The same with a proxy before it (deploy/proxy/) and without, so that links in mails fit both.
REVIEW_PREFIX = "/review"


class PortTaken(SettingsError):
    """A port that we need is another's."""


def run_everything(*, say: Callable[[str], None]) -> None:
    """Start all processes, say where they answer, wait for Ctrl-C or SIGTERM, stop all of them.

    Raises RunsAlready and PortTaken before anything is started, SettingsError when a process does not come up.
    """
    settings = load_settings()
    with _only_one(settings):
        _run_everything(settings, say=say)


def _run_everything(settings: Settings, *, say: Callable[[str], None]) -> None:
    review_port = settings.dagster_port + 1
    for port, name in ((settings.dagster_port, "TMS_DAGSTER_PORT"), (review_port, "TMS_DAGSTER_PORT")):
        _must_be_free(port, name)
    _must_be_free(settings.health_port, "TMS_HEALTH_PORT")
    simulate = settings.ssg_env == "simulator" and not settings.ssg_base_url
    if simulate:
        _must_be_free(settings.simulator_port, "TMS_SIMULATOR_PORT")
    stop = _Stop()
    with contextlib.ExitStack() as stack:
        stack.enter_context(stop)
        if simulate:
            base_url = stack.enter_context(simulator(settings, port=settings.simulator_port))
            settings = settings.model_copy(update={"ssg_base_url": base_url})
            say(f"SSG simulator      {base_url}/")
        workplace = stack.enter_context(at_work(settings))
        home = dagster_home.prepare(workplace)
        environment = {
            **os.environ,
            **dagster_home.environment(workplace, home),
            "SSG_BASE_URL": settings.ssg_base_url,
            "PYTHONPATH": str(PROJECT_ROOT),
        }
        Path(workplace.settings.inbox_url).mkdir(mode=0o700, parents=True, exist_ok=True)
        demo_day = settings.home / "demo.json"
        if demo_day.exists() and not settings.today:
            environment["TMS_TODAY"] = json.loads(demo_day.read_text(encoding="utf-8"))["today"]
        bin_folder = Path(sys.executable).parent
        pid_file = settings.home / "up.json"
        pid_file.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        stack.callback(pid_file.unlink, missing_ok=True)
        workspace = str(PROJECT_ROOT / "workspace.yaml")
        logs = workplace.folder("logs")
        children = stack.enter_context(_Children(logs, environment))
        children.start("daemon", [str(bin_folder / "dagster-daemon"), "run", "-w", workspace])
        children.start(
            "webserver",
            [
                str(bin_folder / "dagster-webserver"),
                "-h",
                "127.0.0.1",
                "-p",
                str(settings.dagster_port),
                "-w",
                workspace,
            ],
        )
        children.start(
            "webserver-review",
            [
                str(bin_folder / "dagster-webserver"),
                "-h",
                "127.0.0.1",
                "-p",
                str(review_port),
                "--read-only",
                "--path-prefix",
                REVIEW_PREFIX,
                "-w",
                workspace,
            ],
        )
        children.start("health", [str(bin_folder / "tms"), "serve-health"])
        for address in (f"{settings.dagster_port}", f"{review_port}{REVIEW_PREFIX}"):
            _wait_for(f"http://127.0.0.1:{address}/server_info", children, stop)
        _wait_for(f"http://127.0.0.1:{settings.health_port}/live", children, stop)
        if stop.asked:
            return
        say(f"Dagster UI         http://127.0.0.1:{settings.dagster_port}/")
        say(f"for reviewers      http://127.0.0.1:{review_port}{REVIEW_PREFIX}/   (read-only)")
        say(f"health             http://127.0.0.1:{settings.health_port}/health   (and /metrics)")
        say(f"inbox              {workplace.settings.inbox_url}")
        say("Switch the inbox sensor and the nightly schedule on under Automation. Ctrl-C stops everything.")
        server = stack.enter_context(_Server(settings, say))
        while not stop.asked:
            dead = children.dead()
            if dead:
                raise SettingsError(f"The {dead} stopped by itself; its last words are in {logs / (dead + '.log')}.")
            server.look()
            time.sleep(0.3)
        say("Stopping …")
    say("Everything has stopped.")


def stop_everything(settings: Settings) -> bool:
    """Stop what ``tms up`` started elsewhere; whether there was something to stop.

    Raises SettingsError when it is another user's, or does not stop.
    """
    pid = process_of_up(settings.home)  # a note that a killed one left may name somebody else's process by now
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    except PermissionError:
        raise SettingsError(f"'tms up' runs as another user (process {pid}); stop it as that user.") from None
    end = time.monotonic() + _STOP_SECONDS
    while process_of_up(settings.home) == pid:
        if time.monotonic() > end:
            raise SettingsError(
                f"'tms up' (process {pid}) has not stopped in {_STOP_SECONDS:.0f} seconds; what holds it is in the "
                f"folder {settings.home / 'logs'}."
            )
        time.sleep(0.1)
    return True


class RunsAlready(SettingsError):
    """``tms up`` runs for this state folder already."""


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Whatever its ports: a second daemon would run every sensor and schedule twice."""
    settings.home.mkdir(mode=0o711, parents=True, exist_ok=True)
    descriptor = os.open(settings.home / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = noted_up(settings.home)
            raise RunsAlready(
                f"'tms up' runs for {settings.home} already{f' (process {pid})' if pid else ''}; there must be one for "
                "an installation. Verbs work beside it; 'tms down' stops it."
            ) from None
        yield
    finally:
        os.close(descriptor)


class _Server:
    """The embedded Postgres, started again when it died: while we live, who are its parent, no other process can."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._server = EmbeddedPostgres(settings.home) if settings.database_url is None else None
        self._say = say
        self._began = -_WELL_SECONDS

    def __enter__(self) -> _Server:
        return self

    def look(self) -> None:
        """Raises SettingsError or DatabaseError when it does not stay up."""
        server = self._server
        if server is None or not server.died():
            return
        log = server.data / "server.log"
        if time.monotonic() - self._began < _WELL_SECONDS:
            raise SettingsError(f"The embedded Postgres stops again and again; its last words are in {log}.")
        self._began = time.monotonic()
        server.release()
        server.acquire()
        self._say(f"Postgres had stopped by itself and was started again; its last words are in {log}.")

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.release()


class _Stop:
    """Whether somebody asked us to stop: Ctrl-C, SIGTERM, or the terminal that went away."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> _Stop:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _ask(self, *_: object) -> None:
        self.asked = True


class _Children:
    """Child processes, each with its own session so that Ctrl-C reaches only us, and all of them stopped by us."""

    def __init__(self, logs: Path, environment: dict[str, str]) -> None:
        self._logs, self._environment = logs, environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> _Children:
        return self

    def start(self, name: str, arguments: list[str]) -> None:
        with open(self._logs / f"{name}.log", "ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  (our own environment's programs)
                arguments,
                env=self._environment,
                cwd=PROJECT_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_default_signals,
            )

    def dead(self) -> str | None:
        return next((name for name, process in self._running.items() if process.poll() is not None), None)

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 20
        for process in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
        for process in self._running.values():
            # Whatever a child started stays in its session: none of it may stay behind.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _default_signals() -> None:
    # Dagster copies the SIGINT handler to SIGTERM, and a shell's background jobs ignore SIGINT: then it never stops.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _must_be_free(port: int, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(
                f"Port {port} is taken by another program; stop it or choose another with {setting}."
            ) from None


def _wait_for(url: str, children: _Children, stop: _Stop) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not stop.asked:
        dead = children.dead()
        if dead or time.monotonic() > end:
            raise SettingsError(f"The {dead or 'webserver'} does not come up; see the logs in the state folder.")
        with contextlib.suppress(httpx.HTTPError), nearby() as http:
            if http.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.2)
