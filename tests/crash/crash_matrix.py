"""The crash matrix: every crash point x every fault of SSG x every kind of change, in processes killed with SIGKILL."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from crash_child import CRASH_PACE
from nursery import Nursery
from submission_world import (
    World,
    assessment,
    attendance,
    enrolment,
    fee,
    keep,
    restore,
    run,
    session,
    trainee,
    trainer,
)

from tms_pipeline.mirror.pull import PullResult
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.records.kinds import SUBMITTED
from tms_pipeline.submission.approvals import approve_plan
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
            faults[n % len(faults)],
            changes[n * 7 % len(changes)],
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


# ---- the beginnings: what was sent before the case, kept once and put back for each ----

# Each create begins where its parents are at SSG already; updates and cancels begin where everything is.
STAGES: dict[str, tuple[str, ...]] = {
    "trainer.create": (),
    "course_run.create": ("trainer",),
    "session.create": ("course_run",),
    "enrolment.create": ("session",),
    "attendance.create": ("enrolment",),
    "assessment.create": (),
}


def prepare(world: World) -> None:
    """Make all beginnings in a world in which the term is taken in and nothing was sent (kept as "term")."""
    second_wave(world)
    keep(world, "second")
    restore(world, "term")
    for change, parts in STAGES.items():
        if parts:
            plan_id, plan = world.plan()
            approve_plan(world.workplace, plan_id, plan.hash, actor=world.actor(), parts=parts)
            done = world.work(patience=0.2)
            assert set(done.outcomes) == {"accepted"}, done
        _keep_both(world, _beginning(change))
    done = world.submit()
    assert set(done.outcomes) == {"accepted"}, done
    world.pull()
    restore(world, "second", only=("register",))
    _keep_both(world, "everything")


def _beginning(change: str) -> str:
    return "before_" + change.partition(".")[0] if change in FIRST else "everything"


def _keep_both(world: World, name: str) -> None:
    keep(world, name)
    world.keep_ssg(name)


def prove(world: World, nursery: Nursery, case: Case) -> bool:
    """Run one case from its beginning to quiescence and check what SSG holds; True if the child died at the point.

    Raises AssertionError.
    """
    beginning = _beginning(case.change)
    restore(world, beginning, only=("finding", "mirror", "outbox", "register", "ssg"))
    world.put_back_ssg(beginning)
    kind, action = case.change.split(".")
    if case.fault != "none":
        endpoint = LOOKS[kind] if case.fault in READING else endpoint_there(kind, action)
        world.fault(case.fault, endpoint, times=1, **FAULTS[case.fault])
    named = case.point in ("after_plan", "after_approval")
    where = case.point if named else f"{case.point}@{case.change}"
    if case.point == "after_search":
        # A search takes an unknown outcome first.
        nursery.killed(world, f"after_call@{case.change}")
    reached = nursery.killed(world, where)
    pulled = settle(world)
    armed = world.ssg("GET", "faults")["faults"]
    world.mend()
    # A read that was struck is made again.
    if case.fault in READING or pulled.failed() or any(not fault["fired"] for fault in armed):
        pulled = settle(world)
    check(world, case, pulled)
    return reached


def endpoint_there(kind: str, action: str) -> str:
    """The simulator's own name of the call, which knows nothing of the client's."""
    family, _, name = ENDPOINTS[kind, action].partition(".")
    return f"{family.removesuffix('s')}.{'fees' if name == 'update_fee' else name}"


def settle(world: World) -> PullResult:
    """Resume to quiescence, as the following nights and a person at the dead letters would; returns the last read."""
    before: object = None
    for _ in range(12):
        plan_id, plan = world.plan()
        states = world.states()
        if not plan.changes and not set(states) - {"accepted", "superseded"}:
            pulled = world.pull()
            if not world.plan()[1].changes:
                return pulled
        elif (states, plan.hash) == before and not set(states) & {"unknown", "retry", "sending"}:
            return world.pull()  # what is left waits for what somebody else took away
        else:
            before = (states, plan.hash)
            world.approve(plan_id, plan)
            world.work(patience=0.5, pace=CRASH_PACE)
            for letter in dead_letters(world.workplace):
                retry(world.workplace, letter.submission_id, reason="SSG was mended", actor=world.actor())
    # What the last retry began is brought to its end: a call that names no id is looked for a second later, and twice.
    world.work(patience=1.5, pace=CRASH_PACE)
    return world.pull()


def check(world: World, case: Case, pulled: PullResult) -> None:
    stuck = set(world.states()) - {"accepted", "superseded"}
    found = reconcile(world.workplace, pulled, actor=world.actor())["counts"]["discrepancies"]
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
assert CRASH_PACE.max_attempts > 1
