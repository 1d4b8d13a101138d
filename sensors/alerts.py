"""What happens when a run fails: a note in the audit log, and the upload is offered again."""

import dagster as dg

from tms_pipeline.operations.steps import run_has_failed
from tms_pipeline.workplace import open_workplace


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Keeps ids of the failed run, never its error text, and offers a failed upload again.",
)
def run_failed(context: dg.RunFailureSensorContext) -> None:
    """Tell who is on call which run failed."""
    run = context.dagster_run
    with open_workplace() as place:
        run_has_failed(place, run_id=run.run_id, job=run.job_name, upload_id=run.tags.get("dagster/partition"))
