"""The retry sensor: starts the submit job when something is due."""

import dagster as dg

from assets.jobs import submit_job
from assets.resources import WorkplaceResource
from tms_pipeline.operations.steps import due_now


@dg.sensor(
    job=submit_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts a submit run when retries, unknown outcomes or fresh approvals are due.",
)
def retry_sensor(context: dg.SensorEvaluationContext, workplace: WorkplaceResource) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run a minute at most while anything is due; two runs at once do no harm, as rows are leased."""
    due = due_now(workplace.get())
    if not due.count:
        return dg.SkipReason("nothing is due")
    return dg.RunRequest(run_key=f"due:{due.minute}", tags={"due": str(due.count)})
