"""The crash matrix: every crash point x every fault of SSG x every kind of change, in processes killed with SIGKILL."""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_world import (
    PACE,
    Site,
    World,
    assessment,
    attendance,
    enrolment,
    fee,
    restore,
    run,
    session,
    trainee,
    trainer,
)

from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.submission.crashpoints import POINTS
from tms_pipeline.submission.dead_letters import dead_letters, retry
from tms_pipeline.submission.sending import ENDPOINTS

# Every fault of the simulator, with what makes it quick. "none" is the crash alone.
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "timeout_before_commit": {},
    "reset_before_commit": {},
    "timeout_after_commit": {},
    "reset_after_commit": {},
    "429": {"retry_after": 0},
    "500": {},
    "502": {},
    "503": {},
    "version_expired": {},
    "error_in_200": {},
    "non_json": {},
    "truncated": {},
    "wrong_encryption": {},
    "page_failing": {},
    "slow": {"seconds": 0.1},
    "duplicate": {},
    "cancelled_elsewhere": {"when": "after"},
    "edited_elsewhere": {"when": "after"},
    "empty_page": {},
}
# Faults of reading strike the search; all others strike the call itself.
READING = {"page_failing", "empty_page"}
# After these, SSG holds what somebody else made of it: to be shown, and never to be overwritten.
ELSEWHERE = {"duplicate", "cancelled_elsewhere", "edited_elsewhere"}
LOOKS = {
    "trainer": "trainer.list",
    "course_run": "course_run.by_*",
    "session": "session.list",
    "enrolment": "enrolment.[sv]*",
    "fee": "enrolment.view",
    "attendance": "attendance.view",
    "assessment": "assessment.[sv]*",
}
FIRST = (
    "trainer.create",
    "course_run.create",
    "session.create",
    "enrolment.create",
    "attendance.create",
    "assessment.create",
)
SECOND = (
    "trainer.update",
    "course_run.update",
    "course_run.cancel",
    "session.update",
    "session.cancel",
    "enrolment.update",
    "enrolment.cancel",
    "fee.update",
    "attendance.cancel",
    "assessment.update",
    "assessment.cancel",
)
CHANGES = (*FIRST, *SECOND)
# Calls there are that no plan makes: present and late are one to SSG, so attendance is created or voided.
NEVER_PLANNED = {"attendance.update"}
# Live records, and all that were ever made, when everything is done.
EXPECTED = {
    1: (
        {"trainers": 2, "runs": 3, "sessions": 5, "enrolments": 3, "attendance": 3, "assessments": 2},
        {"trainers": 2, "runs": 3, "sessions": 5, "enrolments": 3, "attendance": 3, "assessments": 2},
    ),
    # Run C is gone with its session; T3 has left; T2 was enrolled anew under her right name.
    2: (
        {"trainers": 2, "runs": 2, "sessions": 3, "enrolments": 2, "attendance": 3, "assessments": 1},
        {"trainers": 2, "runs": 3, "sessions": 5, "enrolments": 4, "attendance": 4, "assessments": 2},
    ),
}


@dataclass(frozen=True)
class Case:
    point: str
    fault: str
    change: str

    @property
    def wave(self) -> int:
        return 1 if self.change in FIRST else 2

    def __str__(self) -> str:
        return f"{self.point} x {self.fault} x {self.change}"


def all_cases() -> list[Case]:
    return [Case(point, fault, change) for point in POINTS for fault in FAULTS for change in CHANGES]


def quick_cases(count: int) -> list[Case]:
    """Spread evenly: every point, fault and change several times, in pairs that do not repeat."""
    points, faults, changes = list(POINTS), list(FAULTS), list(CHANGES)
    return [
        Case(
            points[n % len(points)],
            faults[(n + n // len(points)) % len(faults)],
            changes[(n * 7 + n // len(changes)) % len(changes)],
        )
        for n in range(count)
    ]


def second_wave(world: World) -> None:
    """Every update and cancel there is, and a change of identity."""
    world.upload("trainer", trainer("TR-02", experience="Ten years at the wok"))
    world.upload(
        "course_run",
        run("B", "2026-12-07", "2026-12-08", schedule_info="Two days, 10am to 6pm"),
        run("C", "2026-12-07", "2026-12-08", run_status="Cancelled"),
    )
    world.upload(
        "session",
        session("B", 1, "2026-12-07", start_time="10:00", end_time="18:00"),
        session("B", 2, "2026-12-08", session_status="Cancelled"),
    )
    world.upload("trainee", trainee("T1", email="moved@example.test"), trainee("T2", full_name="Trainee Renamed"))
    world.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    world.upload("fee", fee("A", "T2"))
    world.upload("attendance", attendance("A", 1, "T2", "Absent"), attendance("A", 2, "T2", "Present"))
    world.upload(
        "assessment",
        assessment("A", "T1", score="90", grade="A"),
        assessment("A", "T2", result="Fail", score="30", grade="F", assessment_status="Void"),
    )


# ---- the child that is killed ----

# The fork server imports the child's module once; it takes its path from here.
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["crash_child"])


def killed_child(world: World, at: str) -> bool:
    """Plan, approve and work in a process of its own that kills itself at the point; True if it got there."""
    import crash_child

    site: Site = world.site
    process = _context.Process(
        target=crash_child.work,
        args=(str(site.home), str(site.server.socket), site.ssg, world.database, at),
    )
    process.start()
    process.join(60)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"the child at {at} hangs")
    code = process.exitcode
    process.close()
    assert code in (0, -9), f"the child at {at} failed with {code}"
    return code == -9


@dataclass
class Verdict:
    reached: bool
    writes: dict[str, int]


def prove(world: World, case: Case) -> Verdict:
    """Run one case from the beginning to quiescence and check what SSG holds; raises AssertionError."""
    restore(world, "term")
    world.reset_ssg()
    if case.wave == 2:
        done = world.submit(patience=0.3)
        assert set(done.outcomes) == {"accepted"}, done
        restore(world, "second", only=("register",))
    world.forget_calls()
    kind, action = case.change.split(".")
    if case.fault != "none":
        endpoint = LOOKS[kind] if case.fault in READING else endpoint_there(kind, action)
        world.fault(case.fault, endpoint, times=1, **FAULTS[case.fault])
    named = case.point in ("after_plan", "after_approval")
    where = case.point if named else f"{case.point}@{case.change}"
    reached = False
    if case.point == "after_search":
        # A search takes an unknown outcome first.
        killed_child(world, f"after_call@{case.change}")
    reached = killed_child(world, where)
    settle(world)
    world.mend()
    settle(world)
    check(world, case)
    return Verdict(reached, world.writes())


def endpoint_there(kind: str, action: str) -> str:
    """The simulator's own name of the call, which knows nothing of the client's."""
    family, _, name = ENDPOINTS[kind, action].partition(".")
    return f"{family.removesuffix('s')}.{'fees' if name == 'update_fee' else name}"


def settle(world: World) -> None:
    """Resume to quiescence, as the following nights and a person at the dead letters would."""
    for _ in range(8):
        world.submit(patience=0.4)
        for letter in dead_letters(world.workplace):
            retry(world.workplace, letter.submission_id, reason="SSG was mended", actor=world.actor())
        world.pull()
        _, plan = world.plan()
        if not plan.changes and not (set(world.states()) - {"accepted", "superseded"}):
            return


def check(world: World, case: Case) -> None:
    stuck = set(world.states()) - {"accepted", "superseded"}
    found = world.reconcile()
    state = world.ssg("GET", "state")
    live = {kind: len(world.held(kind, state=state)) for kind in EXPECTED[1][0]}
    made = {kind: len(world.held(kind, state=state, live=False)) for kind in EXPECTED[1][0]}
    wanted_live, wanted_made = EXPECTED[case.wave]
    if case.fault in ELSEWHERE:
        # What somebody else did there is shown, and our own calls made each record once.
        # A run or session that was deleted before we knew its number leaves no trace at SSG, so it is made anew.
        traceless = case.change in ("course_run.create", "session.create") and live == wanted_live
        if (live, made) != (wanted_live, wanted_made) and not traceless:
            assert found, f"{case}: SSG holds {live}, made {made}, and nobody is told"
        shown = {"differs", "missing there", "missing here", "duplicated there", "waiting", "dead letter"}
        assert set(found) <= shown, found
        assert all(count <= wanted_made[kind] + 2 for kind, count in made.items()), f"{case}: made {made}"
        return
    assert not stuck, f"{case}: {world.states()} left"
    assert live == wanted_live, f"{case}: SSG holds {live}"
    assert made == wanted_made, f"{case}: made at SSG {made}"
    assert found == {}, f"{case}: {found}"


def kinds_covered() -> set[str]:
    return {change.partition(".")[0] for change in CHANGES}


assert kinds_covered() == {kind.name for kind in SUBMITTED}
assert os.environ.get("TMS_CRASH_AT") is None
assert PACE.max_attempts > 1
