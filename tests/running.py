"""Real processes for tests: ``tms`` with a state folder of its own, short folders, free ports, who is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tms_pipeline.settings import PROJECT_ROOT, Settings

Done = subprocess.CompletedProcess[str]
TMS = Path(sys.executable).with_name("tms")
_OF_SETTINGS = {
    (field.validation_alias if isinstance(field.validation_alias, str) else name.upper())
    for name, field in Settings.model_fields.items()
}
_OURS = {*_OF_SETTINGS, "TMS_CRASH_AT", "TMS_DAGSTER_DATABASE", "TMS_DAGSTER_POSTGRES_URL", "TMS_DAGSTER_LOG_LEVEL"}


def forget_settings() -> None:
    """Take every setting out of this process's environment: a test must not meet the developer's installation."""
    for name in list(os.environ):
        if name in _OURS or name.startswith("DAGSTER_"):
            del os.environ[name]


@contextlib.contextmanager
def short_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """A folder with a short name that the embedded server's user may pass through; gone afterwards.

    ``in_memory``: in the machine's memory if it has room there, for what is made and dropped a hundred times.
    """
    memory = Path("/dev/shm")
    roomy = in_memory and memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="tms-", dir=memory if roomy else "/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path, **extra: str) -> dict[str, str]:
    """The environment of a process of the installation at ``home``."""
    return {**os.environ, "TMS_HOME": str(home), **extra}


def tms(home: Path, *arguments: str, timeout: float = 300, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a verb of ``tms`` as a person would, away from the project and its ``.env``."""
    home.parent.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(TMS), *arguments],
        env=environment(home, **extra),
        cwd=home.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def begin(home: Path, arguments: Sequence[str], output: Path, **extra: str) -> subprocess.Popen[bytes]:
    """Begin a verb of ``tms`` in a session of its own; both outputs go to the file."""
    with output.open("ab") as log:
        return subprocess.Popen(
            [str(TMS), *arguments],
            env=environment(home, **extra),
            cwd=home.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def one_sentence(text: str) -> str:
    """What a verb said on standard error when it could not run: asserts that it is one plain paragraph."""
    said = [line for line in text.strip().splitlines() if not line.strip().startswith("… ")]
    assert said, "nothing was said"
    assert "Traceback" not in text, text
    assert len(said) == 1, text
    assert said[0].rstrip().endswith((".", ")")), text
    return said[0]


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether anybody answers on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def processes_of(home: Path) -> list[str]:
    """The command lines of processes that name the state folder in their arguments or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            words = (entry / "cmdline").read_bytes()
            if state != "Z" and str(home).encode() in words + (entry / "environ").read_bytes():
                found.append(f"{entry.name}: {words.replace(bytes(1), b' ').decode(errors='replace')[:200]}")
    return found


def wait_until(what: Any, *, seconds: float, why: str) -> None:
    """Wait until ``what()`` is true; fails with ``why``."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.05)


def killed(process: subprocess.Popen[Any]) -> None:
    """Make sure that a process and its session are gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """What a verb with --json printed."""
    return json.loads(done.stdout)


__all__ = [
    "Done", "PROJECT_ROOT", "TMS", "as_json", "begin", "environment", "forget_settings", "free_port", "killed", "listens",
    "one_sentence", "processes_of", "short_folder", "tms", "wait_until",
]  # fmt: skip


def failures_of_three_at_once(act: Callable[[], object]) -> list[BaseException]:
    """Do it in three threads at once; what went wrong in any of them."""
    failed: list[BaseException] = []

    def one() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def as_anybody() -> list[str]:
    """What a command begins with so that the rights of files bind it, also where the superuser runs the tests."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
