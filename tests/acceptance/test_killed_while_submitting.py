"""SIGKILL during the submission stage, then the sync again: the same end, nothing twice at SSG."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import at_ssg
import httpx
import pytest
from running import begin, environment, killed, tms

from tms_pipeline.examples.layout import SETUP
from tms_pipeline.examples.term import Term
from tms_pipeline.operations.simulator_process import simulator, state
from tms_pipeline.settings import load_settings

Copy = Callable[[], tuple[Path, dict[str, str]]]


@pytest.fixture
def world(copy_of_prepared: Copy) -> Iterator[tuple[Path, dict[str, str]]]:
    """An installation with the first files taken in, and a simulator of its own that outlives the killed process."""
    home, extra = copy_of_prepared()
    with simulator(load_settings(_env_file=None, tms_home=home)) as url:
        yield home, {**extra, "SSG_BASE_URL": url}


def kill_at(world: tuple[Path, dict[str, str]], point: str) -> None:
    home, extra = world
    done = tms(home, "sync", **extra, TMS_CRASH_AT=point)
    assert done.returncode == -signal.SIGKILL, f"{point} was never reached: {done.stdout}{done.stderr}"


def writes(url: str) -> int:
    found: int = sum(httpx.get(f"{url}/_control/counts").json()["writes"].values())
    return found


def assert_same_end(world: tuple[Path, dict[str, str]], term: Term) -> None:
    home, extra = world
    done = tms(home, "sync", **extra)
    assert done.returncode == 0, done.stdout + done.stderr
    want, have = at_ssg.wanted(term, stage=SETUP), at_ssg.held(term, state(extra["SSG_BASE_URL"]))
    assert at_ssg.differences(want, have) == {}


def assert_nothing_is_left_to_send(world: tuple[Path, dict[str, str]]) -> None:
    home, extra = world
    before = writes(extra["SSG_BASE_URL"])
    again = tms(home, "sync", **extra)
    assert again.returncode == 0, again.stdout + again.stderr
    assert writes(extra["SSG_BASE_URL"]) == before


@pytest.mark.parametrize("point", ["after_intent:25", "after_call:1", "after_call:90"])
def test_killed_at_a_crash_point_the_next_sync_ends_the_same(
    point: str, world: tuple[Path, dict[str, str]], term: Term
) -> None:
    kill_at(world, point)
    assert_same_end(world, term)


def test_killed_at_a_random_moment_the_next_sync_ends_the_same(
    world: tuple[Path, dict[str, str]], term: Term, tmp_path: Path
) -> None:
    home, extra = world
    url = extra["SSG_BASE_URL"]
    goal = random.SystemRandom().randint(1, sum(at_ssg.counts(at_ssg.wanted(term, stage=SETUP)).values()) - 10)
    print(f"killed after {goal} writes")
    process = begin(home, ["sync"], tmp_path / "output", **extra)
    try:
        end = time.monotonic() + 60
        while writes(url) < goal:
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "output").read_text()
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    finally:
        killed(process)
    assert_same_end(world, term)
    assert_nothing_is_left_to_send(world)


def test_two_syncs_at_once_send_nothing_twice(world: tuple[Path, dict[str, str]], term: Term, tmp_path: Path) -> None:
    home, extra = world
    both = [begin(home, ["sync"], tmp_path / str(number), **extra) for number in range(2)]
    try:
        ends = [process.wait(120) for process in both]
    except subprocess.TimeoutExpired:
        for process in both:
            killed(process)
        raise
    assert ends == [0, 0], "\n".join([(tmp_path / str(number)).read_text() for number in range(2)])
    assert_same_end(world, term)


def test_the_environment_of_the_tests_holds_no_setting_of_the_developer(tmp_path: Path) -> None:
    assert "DATABASE_URL" not in environment(tmp_path)
