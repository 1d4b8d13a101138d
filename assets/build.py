"""Builds the definitions, so that tests and commands can build their own with other resources."""

import dagster as dg

from assets import compliance, intake, mirror, reconciliation, registers, submission
from assets.console import console
from assets.desk import DESK_JOBS
from assets.jobs import JOBS
from assets.resources import WorkplaceResource
from sensors.alerts import run_failed
from sensors.inbox import inbox_sensor
from sensors.retries import retry_sensor
from sensors.schedules import nightly_schedule


def build_defs(**overrides: object) -> dg.Definitions:
    """All definitions of the pipeline. ``overrides`` replace resources by name."""
    resources: dict[str, object] = {"workplace": WorkplaceResource(), **overrides}
    return dg.Definitions(
        assets=[
            *intake.ASSETS,
            *registers.ASSETS,
            *mirror.ASSETS,
            *submission.ASSETS,
            *reconciliation.ASSETS,
            *compliance.ASSETS,
        ],
        jobs=[*JOBS, *DESK_JOBS],
        schedules=[nightly_schedule],
        sensors=[inbox_sensor, retry_sensor, run_failed],
        resources=resources,
        executor=dg.in_process_executor,
        loggers={"console": console},
    )
