"""Compliance: deadlines, attendance and the rest of the rules, and the reports that reviewers read."""

import dagster as dg

from assets.reconciliation import discrepancies
from assets.resources import WorkplaceResource
from assets.vocabulary import REVIEWERS, counts, links, table, told_plainly
from tms_pipeline.operations import desk, steps

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
    description=(
        "Is the funding safe? Every rule that SSG or IBF sets, held against every course run: last days missed and "
        "near, attendance below the share, trainees not assessed, fees not collected, too many trainees.\n\n"
        "Begin with the table *what_to_do_first*. The sentences, records and sums of each finding stand in the "
        "compliance workbook; where a rule comes from is in *reviewer.md*, Deadlines."
    ),
)
def findings(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Review compliance by the dated rules."""
    with told_plainly():
        found = steps.review(workplace.get(), context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "last_days": dg.MetadataValue.md(desk.deadline_chart(workplace.get())),
            "what_to_do_first": table(desk.first_things(workplace.get()), none="nothing puts funding at risk"),
            **counts(found),
        },
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
    description=(
        "The report on paper: one page and the workbooks, with the numbers of the last reviews. The metadata says "
        "where each file is. To write one course run's page anew, an operator starts *rebuild_report_for_run*."
    ),
)
def reports(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Write the reports."""
    place = workplace.get()
    with told_plainly():
        paths = steps.report(place)
    return dg.MaterializeResult(metadata=links(desk.addresses(place, paths)))


ASSETS = [findings, reports]
