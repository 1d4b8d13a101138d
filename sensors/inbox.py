"""The inbox sensor: receives files that stand still and asks for one intake run an upload."""

import json

import dagster as dg

from assets.jobs import intake_job
from assets.resources import WorkplaceResource
from assets.vocabulary import UPLOADS
from tms_pipeline.intake.receiving import receive_inbox, received_uploads


@dg.sensor(
    job=intake_job,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Receives files from the inbox into the sealed archive and starts an intake run for each.",
)
def inbox_sensor(context: dg.SensorEvaluationContext, workplace: WorkplaceResource) -> dg.SensorResult | dg.SkipReason:
    """One look into the inbox. The cursor holds hashes of names with size and time, nothing else."""
    place = workplace.get()
    before = {key: tuple(value) for key, value in json.loads(context.cursor or "{}").items()}
    try:
        seen = receive_inbox(place, before)
    except OSError:
        # A look that failed is not an empty inbox: keep the cursor, say so, look again.
        return dg.SkipReason("the inbox could not be read; nothing was changed")
    uploads = received_uploads(place)
    return dg.SensorResult(
        cursor=json.dumps(seen.looks),
        dynamic_partitions_requests=(
            [UPLOADS.build_add_request([upload_id for upload_id, _ in uploads])] if uploads else []
        ),
        run_requests=[
            # The attempt is part of the run key: a used key never runs again.
            dg.RunRequest(partition_key=upload_id, run_key=f"{upload_id}:{attempt}", tags={"upload": upload_id})
            for upload_id, attempt in uploads
        ],
        skip_reason=None if uploads else f"nothing to take in; {seen.waiting} files are still being written",
    )
