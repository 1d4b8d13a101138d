"""The desk's forms, as a person fills them in: a real plan approved and sent, a real dead letter retried, by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_fixtures import bench, site, term_template
from submission_world import TODAY, World, restore, run

from tms_pipeline.submission.planning import plan_now

__all__ = ["bench", "site", "term_template"]


@pytest.fixture
def office(bench: World, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[World]:
    """A provider with a term to be sent, where everything wants a person's approval; Dagster opens the same place."""
    restore(bench, "term")
    bench.reset_ssg()
    monkeypatch.chdir(folder)
    settings = bench.workplace.settings
    assert settings.database_url is not None
    for name, value in {
        "TMS_HOME": str(settings.tms_home), "DATABASE_URL": settings.database_url.get_secret_value(),
        "SSG_BASE_URL": str(settings.ssg_base_url), "TMS_TODAY": TODAY, "TMS_APPROVAL_POLICY": "*:review",
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1", "TMS_DAGSTER_LOG_LEVEL": "CRITICAL",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    own = settings.model_copy(update={"approval_policy": "*:review"})
    yield World(bench.site, bench.database, type(bench.workplace)(own, bench.workplace.db, bench.workplace.rings,
                                                                  bench.workplace.dagster_url))  # fmt: skip


def launch(
    defs: dg.Definitions, instance: dg.DagsterInstance, job: str, op: str, **form: Any
) -> dg.ExecuteInProcessResult:
    """Fill in the form and press the button."""
    found = defs.resolve_job_def(job)
    return found.execute_in_process(
        instance=instance, run_config={"ops": {op: {"config": form}}}, raise_on_error=False
    )


def said(done: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """The metadata of the run, as the UI shows it."""
    found: dict[str, Any] = {}
    for event in done.all_events:
        if event.is_successful_output and event.step_output_data.metadata:
            found |= {name: value.value for name, value in event.step_output_data.metadata.items()}
    return found


def test_a_plan_is_approved_by_form_in_part_and_whole_and_then_goes_to_ssg(
    office: World, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    plan_id, plan = plan_now(office.workplace, actor=office.actor())
    wrong = launch(defs, instance, "approve_plan", "approve", plan_id=plan_id, plan_hash="0" * 16, person="Mei Ling")
    assert not wrong.success and office.states() == {"planned": len(plan.changes)}
    done = launch(defs, instance, "approve_plan", "approve", plan_id=plan_id, plan_hash=plan.hash[:16],
                  person="Mei Ling", parts=["trainer"])  # fmt: skip
    assert done.success and said(done)["ready"] == 2
    assert office.states("trainer") == {"ready": 2} and set(office.states("course_run")) == {"planned"}
    whole = {"plan_id": plan_id, "plan_hash": plan.hash, "person": "Mei Ling"}
    assert launch(defs, instance, "approve_plan", "approve", **whole).success
    assert set(office.states()) == {"ready"}
    approved = {row[0] for row in office.rows("SELECT approved_by FROM outbox.approval WHERE plan_id = %s", plan_id)}
    audited = {row[0] for row in office.rows("SELECT actor FROM audit.entry WHERE entity_key = %s", plan_id)}
    assert approved == {"Mei Ling"} and "Mei Ling" in audited
    told = " ".join(str(event) for event in done.all_events)
    assert "Mei Ling" not in told, "who it was stands in the audit log, not in Dagster's events"
    assert set(office.work().outcomes) == {"accepted"} and len(office.held("runs")) == 3


def test_a_dead_letter_is_retried_by_form_and_arrives(
    office: World, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    office.upload("course_run", run("D", "2026-12-14", "2026-12-15", trainer_codes=""))
    office.fault("error_in_200", "course_run.publish", code="TGS-406 - Invalid course reference number",
                 body_contains="20261214")  # fmt: skip
    plan_id, plan = plan_now(office.workplace, actor=office.actor())
    launch(defs, instance, "approve_plan", "approve", plan_id=plan_id, plan_hash=plan.hash, person="Mei Ling")
    office.work()
    office.mend()
    dead = office.submission("course_run", "D")
    assert dead["state"] == "rejected"
    form = {"error_code": dead["error_code"], "person": "Siti"}
    refused = launch(defs, instance, "retry_dead_letters", "retry", **form, reason=" ")
    assert not refused.success and office.submission("course_run", "D")["state"] == "rejected"
    done = launch(defs, instance, "retry_dead_letters", "retry", **form, reason="SSG knows the course now")
    assert done.success and said(done) == {"under_way_again": 1}
    why = "SELECT actor FROM audit.entry WHERE details::text LIKE %s"
    assert ("Siti",) in office.rows(why, "%SSG knows the course now%")
    office.work()
    assert office.submission("course_run", "D")["state"] == "accepted"


def test_what_is_held_by_form_stays_here_until_it_is_released(
    office: World, defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    plan_now(office.workplace, actor=office.actor())
    form = {"kind": "session", "action": "", "key": "", "person": "Siti", "reason": "rooms are being changed"}
    held = launch(defs, instance, "hold_changes", "hold", **form)
    assert held.success and said(held)["stay_here_now"] == 5
    assert office.states("session") == {"held": 5}
    freed = launch(defs, instance, "release_changes", "release", **form)
    assert freed.success and "held" not in office.states("session")
