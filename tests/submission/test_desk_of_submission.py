"""Submission from Dagster: forms for approval, hold, release and retry; what waits as metadata; progress as events."""

from __future__ import annotations

import dagster as dg
import pytest
from submission_world import World, enrolment, fee, key

from assets.desk import approve_plan, hold_changes, release_changes, retry_dead_letters
from assets.submission import ASSETS
from tms_pipeline.operations.steps import waiting_for_people

_now: list[World] = []


class Place(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The installation of the test, where Dagster would open that of its environment."""

    def get(self) -> object:
        return _now[0].workplace


@pytest.fixture
def desk(site, term_template):  # type: ignore[no-untyped-def]
    with site.world(term_template, TMS_APPROVAL_POLICY="enrolment:review,*:auto") as world:
        _now[:] = [world]
        yield world


def _launch(job: dg.JobDefinition, **form: object) -> dg.ExecuteInProcessResult:
    ((op, _),) = job.run_config["ops"].items() if job.run_config else (("", None),)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance, raise_on_error=False, resources={"workplace": Place()},
            run_config={"ops": {op: {"config": form}}},
        )  # fmt: skip


def _said(done: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    return str(failed.step_failure_data.user_failure_data.description)


def _metadata(done: dg.ExecuteInProcessResult) -> dict[str, object]:
    (output,) = [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    return {name: item.value for name, item in output.step_output_data.metadata.items()}


def test_assets_show_progress_and_what_waits_and_a_form_approves_it(desk: World) -> None:
    told: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(ASSETS, instance=instance, resources={"workplace": Place()})
        told = [entry.user_message for entry in instance.all_logs(done.run_id) if not entry.is_dagster_event]
    assert done.success
    assert any(line.startswith("plan P-") and "18 changes" in line for line in told)
    assert any("sent 10 of " in line and "10 accepted" in line for line in told), told
    shown = done.asset_materializations_for_node("submission__submissions")[0].metadata
    (waits,) = shown["waits_for_people"].value.records
    assert (waits.data["what"], waits.data["waits_for"], waits.data["changes"]) == (
        "enrolment create",
        "approval (review)",
        3,
    )
    wrong = _launch(approve_plan, plan_id=waits.data["plan"], plan_hash="0" * 16, person="Ada", parts=[])
    assert not wrong.success and "is not the one that was looked at" in _said(wrong)
    approved = _launch(
        approve_plan, plan_id=waits.data["plan"], plan_hash=waits.data["hash"], person="Ada", parts=["enrolment"]
    )
    assert approved.success and _metadata(approved) == {"ready": 3, "still_waiting": "nothing"}
    assert desk.states("enrolment") == {"ready": 3}
    assert desk.rows("SELECT DISTINCT approved_by FROM outbox.submission WHERE kind = 'enrolment'") == [("review: Ada",)]


def test_forms_hold_and_release_and_the_table_says_what_is_held(desk: World) -> None:
    desk.plan()
    held = _launch(hold_changes, kind="trainer", action="", key="", person="Ada", reason="the venue asked")
    assert held.success and _metadata(held) == {"stay_here_now": 2}
    rows = [row for row in waiting_for_people(desk.workplace) if row["what"] == "trainer create"]
    assert rows and rows[0]["waits_for"] == "release (held by a person)" and rows[0]["changes"] == 2
    assert "the venue asked" not in str(rows), "a person's words stay out of Dagster"
    freed = _launch(release_changes, kind="trainer", action="", key="", person="Ada", reason="they agreed")
    assert freed.success and _metadata(freed) == {"free_again": 2}
    assert set(desk.states("trainer")) == {"planned"}
    for form, sentence in (
        ({"kind": "", "person": "Ada", "reason": "r"}, "Fill in kind"),
        ({"kind": "cat", "person": "Ada", "reason": "r"}, "'cat' is never submitted"),
    ):
        refused = _launch(hold_changes, action="", key="", **form)
        assert not refused.success and sentence in _said(refused)
    log = desk.rows("SELECT action, actor FROM audit.entry WHERE action IN ('held', 'released') ORDER BY seq")
    assert log == [("held", "Ada"), ("released", "Ada")]


def test_a_form_sends_dead_letters_of_one_code_again(desk: World) -> None:
    desk.fault("error_in_200", "trainer.add", code="TGS-406 - Invalid course reference number", times=2)
    desk.submit()
    assert desk.states("trainer") == {"rejected": 2}
    done = _launch(retry_dead_letters, error_code="SSG-TGS-406", person="Ada", reason="SSG was mended")
    assert done.success and _metadata(done) == {"under_way_again": 2}
    desk.submit()
    assert desk.states("trainer") == {"accepted": 2}


def test_a_kind_has_a_guard_of_its_own(site, term_template) -> None:  # type: ignore[no-untyped-def]
    """One withdrawn enrolment is too many here, while fees and everything else keep the common guard."""
    with site.world(term_template, TMS_GUARD_KINDS="enrolment:0,0%; attendance: 50, 20%") as world:
        world.night()
        world.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
        world.upload("fee", fee("A", "T2"))
        world.forget_calls()
        world.night()
        assert world.writes() == {"enrolment.fees": 1}
        held = world.submission("enrolment", key("B", "T3"))
        assert held["state"] == "held" and "more than 0 and more than 0%" in held["reason"]
