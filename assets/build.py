"""Builds the definitions, so that tests and commands can build their own with other resources."""

import dagster as dg

from assets import alarms, compliance, intake, mirror, reconciliation, registers, submission
from assets.console import console
from assets.desk import DESK_JOBS
from assets.housekeeping import housekeeping
from assets.jobs import JOBS
from assets.resources import WorkplaceResource
from assets.vocabulary import on_the_desk
from sensors.alerts import alarm_sensor, run_failed
from sensors.inbox import inbox_sensor
from sensors.retries import retry_sensor
from sensors.schedules import housekeeping_schedule, morning_schedule, nightly_schedule


def build_defs(**overrides: object) -> dg.Definitions:
    """All definitions of the pipeline. ``overrides`` replace resources by name."""
    resources: dict[str, object] = {"workplace": WorkplaceResource(), **overrides}
    return dg.Definitions(
        assets=dg.map_asset_specs(
            on_the_desk,
            [
                *intake.ASSETS,
                *registers.ASSETS,
                *mirror.ASSETS,
                *submission.ASSETS,
                *reconciliation.ASSETS,
                *compliance.ASSETS,
                *alarms.ASSETS,
            ],
        ),
        jobs=[*JOBS, *DESK_JOBS, housekeeping],
        schedules=[nightly_schedule, morning_schedule, housekeeping_schedule],
        sensors=[inbox_sensor, retry_sensor, run_failed, alarm_sensor],
        resources=resources,
        executor=dg.in_process_executor,
        loggers={"console": console},
    )
