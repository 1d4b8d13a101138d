"""The night and the morning."""

import dagster as dg

from assets.desk import morning_digest
from assets.jobs import nightly_sync_job

nightly_schedule = dg.ScheduleDefinition(
    name="nightly",
    job=nightly_sync_job,
    cron_schedule="0 1 * * *",
    execution_timezone="Asia/Singapore",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The nightly sync, at one in the morning in Singapore.",
)
morning_schedule = dg.ScheduleDefinition(
    name="morning",
    job=morning_digest,
    cron_schedule="0 8 * * *",
    execution_timezone="Asia/Singapore",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The digest for ops, at eight in the morning in Singapore: three numbers and one link.",
)
