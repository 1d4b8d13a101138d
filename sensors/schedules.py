"""The night."""

import dagster as dg

from assets.jobs import nightly_sync_job

nightly_schedule = dg.ScheduleDefinition(
    name="nightly",
    job=nightly_sync_job,
    cron_schedule="0 1 * * *",
    execution_timezone="Asia/Singapore",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The nightly sync, at one in the morning in Singapore.",
)
