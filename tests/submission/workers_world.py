"""What a worker finds, and what SSG and the outbox hold once workers are done."""

from __future__ import annotations

from submission_world import World


def ready(world: World) -> None:
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)


def expected(world: World) -> None:
    assert set(world.states()) <= {"accepted", "superseded"}, world.states()
    assert len(world.held("enrolments", live=False)) == 3 and len(world.held("runs", live=False)) == 3
    assert len(world.held("sessions", live=False)) == 5 and len(world.held("assessments", live=False)) == 2
