"""What people are told of a failure, and a simulator that several processes share."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from running import TMS, environment, listens, processes_of, wait_until

from tms_pipeline.operations.failures import sentence_of
from tms_pipeline.operations.simulator_process import running, simulator
from tms_pipeline.settings import SettingsError, load_settings
from tms_pipeline.submission.approvals import ApprovalRefused

USER = """
import sys
from pathlib import Path
from tms_pipeline.operations.simulator_process import simulator
from tms_pipeline.settings import load_settings
with simulator(load_settings(_env_file=None, tms_home=Path(sys.argv[1]))) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    "error",
    [ValueError("time data '30/02/1988' does not match format '%d/%m/%Y'"), KeyError("S9999001A"),
     ValueError("invalid literal for int() with base 10: 'S9999001A'"), IndexError("list index out of range"),
     ValueError("1 validation error\nnric\n  input was 'S9999001A'."), RuntimeError("S9999001A is odd."),
     psycopg.errors.UniqueViolation("Key (nric)=(S9999001A) already exists.")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_the_text_of_a_librarys_error_is_told_to_nobody(error: Exception) -> None:
    assert sentence_of(error) is None


@pytest.mark.parametrize(
    "error",
    [SettingsError("SSG_BASE_URL is empty; set it."), ApprovalRefused("Plan P was replaced by a newer one; look at that."),
     LookupError("There is no upload U-1; 'tms summary' lists them.")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_sentence_of_ours_is_told(error: Exception) -> None:
    assert sentence_of(error) == str(error)


def test_an_operating_systems_error_names_the_file() -> None:
    with pytest.raises(OSError) as caught:
        Path("/nothing/here").read_bytes()
    assert sentence_of(caught.value) == "/nothing/here cannot be used: No such file or directory."


def test_a_full_disk_is_a_sentence_also_where_no_file_is_named() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    of_a_library = RuntimeError("the workbook could not be written")
    of_a_library.__context__ = full
    for error in (full, of_a_library, psycopg.errors.DiskFull("could not extend file")):
        told = sentence_of(error)
        assert told is not None and "full" in told and "ake room" in told and told.endswith("."), error


def test_who_reads_may_go_away_and_the_verb_ends_with_its_own_code(folder: Path) -> None:
    (folder / "h").mkdir()
    (folder / "h").chmod(0o700)
    for verb in (["health", "--json"], ["health"]):
        reading, writing = os.pipe()
        os.close(reading)
        # No Postgres there, so health is degraded: 1, whoever reads it.
        done = subprocess.run(
            [str(TMS), *verb], env=environment(folder / "h", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing"),
            stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False, cwd=folder,
        )  # fmt: skip
        os.close(writing)
        assert (done.returncode, done.stderr) == (1, "")


def test_nothing_of_ours_is_open_to_others_whatever_the_umask(folder: Path) -> None:
    subprocess.run(
        ["sh", "-c", f"umask 000 && exec '{TMS}' metrics -o '{folder / 'below' / 'm.prom'}'"], cwd=folder,
        env=environment(folder / "below" / "h", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing"), capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    made = [folder / "below", *(folder / "below").rglob("*")]
    assert folder / "below" / "m.prom" in made
    assert [path for path in made if path.lstat().st_mode & 0o022 and not path.is_symlink()] == []


def user_of(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(home),
    )  # fmt: skip


def test_two_processes_share_one_simulator_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = user_of(folder / "h"), None
    try:
        assert first.stdout is not None
        url = first.stdout.readline().strip()
        second = user_of(folder / "h")
        assert second.stdout is not None and second.stdout.readline().strip() == url
        first.communicate("")
        assert httpx.get(f"{url}/_control/health", timeout=5).status_code == 200, "it was stopped under a user"
        second.communicate("")
        wait_until(lambda: not listens(int(url.rpartition(":")[2])), seconds=10, why="the last user did not stop it")
    finally:
        for process in (first, second):
            if process is not None:
                process.kill()
                process.communicate()
    assert processes_of(folder) == []


def test_a_simulator_whose_user_was_killed_is_stopped_by_the_next(folder: Path) -> None:
    settings = load_settings(_env_file=None, tms_home=folder / "h")
    process = user_of(folder / "h")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    process.kill()
    process.communicate()
    assert running(settings) == url
    with simulator(settings) as found:
        assert found == url
    assert running(settings) is None
    assert processes_of(folder) == []
