"""The gate before SSG: the spacing holds across processes, a burst is bounded, the kill switch stops everybody."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tms_pipeline.settings import Settings
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.submission.gate import BREAKER_FAILURES, Gate, set_switch
from tms_pipeline.workplace import Workplace, open_workplace

CALLS = """
import sys, time
from tms_pipeline.settings import load_settings
from tms_pipeline.submission.gate import Gate
from tms_pipeline.workplace import open_workplace
settings = load_settings(_env_file=None, tms_home=sys.argv[1], database_url=sys.argv[2])
with open_workplace(settings) as place:
    gate = Gate(place, spacing_seconds=0.1)
    for _ in range(10):
        gate.before("enrolments.create")
        print(time.time())
"""


def test_two_processes_together_keep_the_spacing(settings: Settings) -> None:
    with open_workplace(settings):
        url = settings.database_url.get_secret_value() if settings.database_url else ""
        running = [
            subprocess.Popen([sys.executable, "-c", CALLS, str(settings.home), url], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        moments = sorted(float(line) for process in running for line in process.communicate(timeout=60)[0].split())
    assert len(moments) == 20
    # Twenty calls of one credential have nineteen spacings between them, whoever made them.
    assert moments[-1] - moments[0] >= 19 * 0.1 - 0.15


def test_a_burst_goes_out_at_once_and_then_the_spacing_counts(settings: Settings) -> None:
    with open_workplace(settings.model_copy(update={"ssg_burst": 3})) as place:
        gate = Gate(place, spacing_seconds=0.4)
        moments = []
        for _ in range(4):
            gate.before("enrolments.create")
            moments.append(time.monotonic())
        assert moments[2] - moments[0] < 0.4
        assert moments[3] - moments[2] > 0.2


def test_the_kill_switch_stops_every_gate_until_calls_are_allowed_again(place: Workplace) -> None:
    one, other = Gate(place, spacing_seconds=0.001), Gate(place, spacing_seconds=0.001)
    set_switch(place, stopped=True, reason="test", actor=place.actor())
    for gate in (one, other):
        with pytest.raises(SsgError) as stopped:
            gate.before("enrolments.create")
        assert stopped.value.code == "SSG-KILL-SWITCH"
    set_switch(place, stopped=False, reason="test over", actor=place.actor())
    one.before("enrolments.create")


def test_failures_in_a_row_open_the_breaker_for_every_process_and_success_closes_it(place: Workplace) -> None:
    failing, other = Gate(place, spacing_seconds=0.001), Gate(place, spacing_seconds=0.001)
    for _ in range(BREAKER_FAILURES):
        failing.after("enrolments.create", "retryable", 0.1)
    with pytest.raises(SsgError) as opened:
        other.before("enrolments.create")
    assert opened.value.code == "SSG-BREAKER-OPEN"
    failing.after("enrolments.create", "ok", 0.1)
    other.before("enrolments.create")


def test_a_refusal_by_ssg_is_no_failure_of_ssg(place: Workplace) -> None:
    gate = Gate(place, spacing_seconds=0.001)
    for _ in range(BREAKER_FAILURES * 2):
        gate.after("enrolments.create", "permanent", 0.1)
    gate.before("enrolments.create")
