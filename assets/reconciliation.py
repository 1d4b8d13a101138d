"""Reconciliation: whether the two sides agree."""

import dagster as dg

from assets.mirror import grants, seen_after
from assets.resources import WorkplaceResource
from assets.vocabulary import REVIEWERS, counts, table, told_plainly
from tms_pipeline.operations import desk, steps

_KEY = dg.AssetKey(["reconciliation", "discrepancies"])


@dg.asset(
    key_prefix=["reconciliation"],
    group_name="reconciliation",
    kinds={"postgres"},
    owners=REVIEWERS,
    deps=[seen_after, grants],
    check_specs=[
        dg.AssetCheckSpec("both_sides_agree", asset=_KEY, description="No record is missing, differs or stands twice"),
        dg.AssetCheckSpec("everything_was_read", asset=_KEY, description="Every scope of SSG could be read"),
    ],
    description=(
        "Do we and SSG hold the same? Every record compared both ways, field by field, with what was just read "
        "from SSG: missing there, missing here, differs, stands twice, outcome unknown, waiting, withheld.\n\n"
        "*by_class* says how many and since when; each record with both values is in the reconciliation workbook. "
        "What could not be read counts as not read, never as missing."
    ),
)
def discrepancies(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Compare both sides, field by field."""
    with told_plainly():
        found = steps.compare(workplace.get(), context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "by_class": table(desk.discrepancies(workplace.get()), none="no discrepancy: both sides agree"),
            "trend": dg.MetadataValue.md(desk.trend_chart(workplace.get())),
            **counts(found.classes),
            "matched": found.matched,
            "review": found.review_id,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="both_sides_agree",
                passed=found.disagreements == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"discrepancies": found.disagreements},
            ),
            dg.AssetCheckResult(
                check_name="everything_was_read",
                passed=found.not_read == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"scopes_not_read": found.not_read},
            ),
        ],
    )


ASSETS = [discrepancies]
