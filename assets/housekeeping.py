"""Housekeeping: what nothing else ends, once a month."""

import dagster as dg

from assets.jobs import TAGS
from assets.resources import WorkplaceResource
from assets.vocabulary import told_plainly
from tms_pipeline.health.housekeeping import tidy_by_run


@dg.op(
    description="Remove ended runs past TMS_DAGSTER_RUN_DAYS with their events, old results, forgotten scratch files."
)
def tidy(context: dg.OpExecutionContext, workplace: WorkplaceResource) -> None:
    """Tidy up."""
    with told_plainly():
        done = tidy_by_run(workplace.get(), context.instance, context.run.run_id)
    context.add_output_metadata(done)


@dg.job(
    tags=TAGS,
    executor_def=dg.in_process_executor,
    description="Once a month: old runs of Dagster, old results, scratch files.",
)
def housekeeping() -> None:
    """Tidy up once a month."""
    tidy()
