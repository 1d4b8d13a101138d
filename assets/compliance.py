"""Compliance: deadlines, attendance and the rest of the rules, and the reports that reviewers read."""

import dagster as dg

from assets.reconciliation import discrepancies
from assets.resources import WorkplaceResource
from assets.vocabulary import REVIEWERS, counts, told_plainly
from tms_pipeline.operations import steps

_KEY = dg.AssetKey(["compliance", "findings"])


@dg.asset(
    key_prefix=["compliance"],
    group_name="compliance",
    kinds={"postgres"},
    owners=REVIEWERS,
    deps=[discrepancies],
    check_specs=[
        dg.AssetCheckSpec("no_deadline_missed", asset=_KEY, description="No record is past its last day"),
        dg.AssetCheckSpec("no_deadline_near", asset=_KEY, description="No last day falls in the next 14 days"),
    ],
    description="What puts funding at risk: deadlines missed and near, attendance below the share, fees, capacity.",
)
def findings(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Review compliance by the dated rules."""
    with told_plainly():
        found = steps.review(workplace.get(), context.run_id)
    return dg.MaterializeResult(
        metadata=counts(found),
        check_results=[
            dg.AssetCheckResult(
                check_name="no_deadline_missed",
                passed=found.get("missed", 0) == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"missed": found.get("missed", 0)},
            ),
            dg.AssetCheckResult(
                check_name="no_deadline_near",
                passed=found.get("near", 0) == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"near": found.get("near", 0)},
            ),
        ],
    )


@dg.asset(
    key_prefix=["compliance"],
    group_name="compliance",
    kinds={"excel"},
    owners=REVIEWERS,
    deps=[findings, discrepancies],
    description="The workbooks and the page for reviewers, written from the last reviews.",
)
def reports(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Write the reports."""
    with told_plainly():
        paths = steps.report(workplace.get())
    return dg.MaterializeResult(metadata={path.stem: dg.MetadataValue.path(str(path)) for path in paths})


ASSETS = [findings, reports]
