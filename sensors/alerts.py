"""What happens when a run fails, and the watch over everything else that people must hear of."""

import dagster as dg

from assets.resources import WorkplaceResource
from tms_pipeline.alarms.watch import watch
from tms_pipeline.operations.steps import run_has_failed
from tms_pipeline.workplace import open_workplace


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Keeps ids of the failed run, never its error text, offers a failed upload again, and raises an alarm.",
)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Tell who is on call which run failed."""
    run = context.dagster_run
    with open_workplace() as place:
        run_has_failed(place, run_id=run.run_id, job=run.job_name, upload_id=run.tags.get("dagster/partition"))
        watch(place, correlation_id=run.run_id.replace("-", ""))


@dg.sensor(
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Looks every five minutes: raises alarms, sends what is due, hands on what nobody acknowledged.",
)
def alarm_sensor(context: dg.SensorEvaluationContext, workplace: WorkplaceResource) -> dg.SkipReason:
    """Look once. It needs no run: what it did stands in the alarms' own tables and in this tick."""
    done = watch(workplace.get())
    why = " ".join(done.delivered.why)
    return dg.SkipReason(
        f"{len(done.raised)} new alarms, {sum(done.standing.values())} open; {done.delivered.sent} messages sent, "
        f"{done.delivered.kept} kept. {why}".strip()
    )
