"""The night, the morning, and the first of the month. All start stopped: what they do reaches beyond this machine."""

from functools import partial

import dagster as dg

from assets.desk import morning_digest
from assets.housekeeping import housekeeping
from assets.jobs import nightly_sync_job

_in_singapore = partial(
    dg.ScheduleDefinition,
    execution_timezone="Asia/Singapore",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)

nightly_schedule = _in_singapore(
    name="nightly",
    job=nightly_sync_job,
    cron_schedule="0 1 * * *",
    description="The nightly sync, at one in the morning in Singapore.",
)
morning_schedule = _in_singapore(
    name="morning",
    job=morning_digest,
    cron_schedule="0 8 * * *",
    description="The digest for ops, at eight in the morning in Singapore: three numbers and one link.",
)
housekeeping_schedule = _in_singapore(
    name="housekeeping",
    job=housekeeping,
    cron_schedule="0 3 1 * *",
    description="On the first of the month, at three in the morning in Singapore.",
)
