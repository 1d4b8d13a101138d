"""Promise 2 at every crash point, under every fault, for every kind of change; TMS_CRASH_MATRIX=full runs them all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from crash_matrix import CHANGES, FAULTS, NEVER_PLANNED, Case, Nursery, all_cases, prepare, prove, quick_cases
from submission_world import Site, World

from tms_pipeline.ssg.simulator.faults import KINDS as SIMULATOR_FAULTS
from tms_pipeline.submission.crashpoints import POINTS
from tms_pipeline.submission.sending import ENDPOINTS

FULL = os.environ.get("TMS_CRASH_MATRIX") == "full"
QUICK = int(os.environ.get("TMS_CRASH_CASES", "24"))
# i/n: every n-th case from the i-th, for machines that share the matrix.
PART, _, PARTS = os.environ.get("TMS_CRASH_PART", "0/1").partition("/")
# Only cases with these words, such as "empty_page x session", of the whole matrix.
ONLY = os.environ.get("TMS_CRASH_ONLY", "")
# Shares of the whole, so that several processes of one machine can take them.
SHARES = 16 if FULL else 1
MOST_FAILURES_TOLD = 20


@pytest.fixture(scope="session")
def prepared(site: Site, term_template: str) -> Iterator[World]:
    with site.world(term_template) as world, world.client() as client:
        world.kept = client
        prepare(world)
        yield world


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


def test_every_point_fault_and_call_has_a_case() -> None:
    for cases in (all_cases(), quick_cases(max(QUICK, 24))):
        assert {case.point for case in cases} == set(POINTS)
        assert {case.fault for case in cases} == {"none", *SIMULATOR_FAULTS}
        assert {case.change for case in cases} | NEVER_PLANNED == {f"{kind}.{action}" for kind, action in ENDPOINTS}
    assert set(FAULTS) - {"none"} == set(SIMULATOR_FAULTS)
    assert len(all_cases()) == len(POINTS) * len(FAULTS) * len(CHANGES)


@pytest.mark.crash
@pytest.mark.parametrize("share", range(SHARES))
def test_killed_everywhere_nothing_is_lost_and_nothing_doubled(
    prepared: World, nursery: Nursery, share: int, record_property: Callable[[str, object], None]
) -> None:
    cases, begun, reached, failed = _chosen(), time.monotonic(), 0, []
    cases = cases[int(PART) :: int(PARTS)][share::SHARES]
    done = 0
    for case in cases:
        done += 1
        try:
            reached += prove(prepared, nursery, case)
        except AssertionError as error:
            failed.append(f"{case}: {error}")
            if len(failed) > MOST_FAILURES_TOLD:
                break
    # The summary of the run adds the shares up (conftest.py).
    record_property("crash cases", (done, reached, len(failed), time.monotonic() - begun))
    assert not failed, "\n".join(failed)
    assert reached > len(cases) / 2


def _chosen() -> list[Case]:
    if ONLY:
        return [case for case in all_cases() if ONLY in str(case)]
    return all_cases() if FULL else quick_cases(QUICK)
