"""Promise 2 at every crash point, under every fault, for every kind of change; TMS_CRASH_MATRIX=full runs them all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from crash_matrix import CHANGES, FAULTS, NEVER_PLANNED, all_cases, prove, quick_cases, second_wave
from submission_world import Site, World, keep, restore

from tms_pipeline.ssg.simulator.faults import KINDS as SIMULATOR_FAULTS
from tms_pipeline.submission.crashpoints import POINTS
from tms_pipeline.submission.sending import ENDPOINTS

FULL = os.environ.get("TMS_CRASH_MATRIX") == "full"
QUICK = int(os.environ.get("TMS_CRASH_CASES", "48"))


@pytest.fixture(scope="module")
def prepared(site: Site, term_template: str) -> Iterator[World]:
    with site.world(term_template) as world:
        second_wave(world)
        keep(world, "second")
        restore(world, "term")
        yield world


def test_every_point_fault_and_call_has_a_case() -> None:
    for cases in (all_cases(), quick_cases(QUICK)):
        assert {case.point for case in cases} == set(POINTS)
        assert {case.fault for case in cases} == {"none", *SIMULATOR_FAULTS}
        assert {case.change for case in cases} | NEVER_PLANNED == {f"{kind}.{action}" for kind, action in ENDPOINTS}
    assert set(FAULTS) - {"none"} == set(SIMULATOR_FAULTS)
    assert len(all_cases()) == len(POINTS) * len(FAULTS) * len(CHANGES)


@pytest.mark.crash
def test_killed_everywhere_nothing_is_lost_and_nothing_doubled(
    prepared: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, begun, reached, failed = (all_cases() if FULL else quick_cases(QUICK)), time.monotonic(), 0, []
    part, _, parts = os.environ.get("TMS_CRASH_PART", "0/1").partition("/")
    cases = cases[int(part) :: int(parts)]
    for case in cases:
        try:
            reached += prove(prepared, case).reached
        except AssertionError as error:
            failed.append(str(error))
            if len(failed) > 20:
                break
    with capsys.disabled():
        print(
            f"\ncrash matrix: {len(cases)} of {len(all_cases())} cases, {reached} killed at their point, "
            f"{len(failed)} failed, {time.monotonic() - begun:.0f} s"
        )
    assert not failed, "\n".join(failed)
    assert reached > len(cases) / 2
