"""Mirror: what SSG holds, read before anything is planned and read again after everything was sent."""

import dagster as dg

from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, told_plainly
from tms_pipeline.operations import steps
from tms_pipeline.records.kinds import KINDS


@dg.asset(
    name="seen_before",
    key_prefix=["mirror"],
    group_name="mirror",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[dg.AssetKey(["register", name]) for name in KINDS],
    description="What SSG held before this sync. A scope that could not be read is left as it was and not planned.",
)
def seen_before(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Read SSG."""
    with told_plainly():
        return dg.MaterializeResult(metadata=steps.read_ssg(workplace.get(), context.run_id, context.log.info))


@dg.asset(
    name="seen_after",
    key_prefix=["mirror"],
    group_name="mirror",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[dg.AssetKey(["submission", "submissions"])],
    description="What SSG holds after this sync: the proof, read back.",
)
def seen_after(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Read SSG again."""
    with told_plainly():
        return dg.MaterializeResult(metadata=steps.read_ssg(workplace.get(), context.run_id, context.log.info))


ASSETS = [seen_before, seen_after]
