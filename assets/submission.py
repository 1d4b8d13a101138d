"""Submission: the plan of what SSG does not know yet, and the submissions that follow from it."""

import dagster as dg

from assets.mirror import seen_before
from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, table, told_plainly
from tms_pipeline.operations import steps


@dg.asset(
    key_prefix=["submission"],
    group_name="submission",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[seen_before],
    check_specs=[
        dg.AssetCheckSpec(
            "nothing_withheld",
            asset=dg.AssetKey(["submission", "plan"]),
            description="No cancellation is withheld by a guard; a withheld one waits for a person",
        ),
    ],
    description=(
        "What shall be sent? The differences between what we hold and what SSG holds, in the order in which they "
        "are sent. An approval names *plan_id* and *plan_hash* and holds for exactly this plan.\n\n"
        "*withheld* counts cancellations that the guard keeps back because there are too many at once."
    ),
)
def plan(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Plan."""
    with told_plainly():
        made = steps.make_plan(workplace.get(), context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "plan_id": made.plan_id,
            "plan_hash": made.plan_hash,
            "changes": made.changes,
            "withheld": made.withheld,
            "by_kind": table(made.by_kind),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="nothing_withheld",
                passed=made.withheld == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"withheld": made.withheld},
            )
        ],
    )


@dg.asset(
    key_prefix=["submission"],
    group_name="submission",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[plan],
    pool="ssg",
    check_specs=[
        dg.AssetCheckSpec(
            "no_dead_letters",
            asset=dg.AssetKey(["submission", "submissions"]),
            description="No submission needs a person",
        ),
        dg.AssetCheckSpec(
            "no_unknown_outcomes",
            asset=dg.AssetKey(["submission", "submissions"]),
            description="Of every submission it is known whether SSG did it",
        ),
    ],
    description=(
        "What was sent, and what did SSG say? Every change on its way to SSG by kind and state. *waits_for_people* "
        "lists what needs an approval or a release, with the plan and hash to approve. SSG's reference of each record "
        "is in the submissions workbook."
    ),
)
def submissions(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Approve by policy and work the outbox off."""
    with told_plainly():
        done = steps.submit(workplace.get(), context.run.run_id, context.log.info)
    return dg.MaterializeResult(
        metadata={
            "sent": table(done.by_kind),
            "accepted_now": done.accepted,
            "stopped": done.stopped or "no",
            "waits_for_people": table(steps.waiting_for_people(workplace.get())),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="no_dead_letters",
                passed=done.dead_letters == 0,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"dead_letters": done.dead_letters},
            ),
            dg.AssetCheckResult(
                check_name="no_unknown_outcomes",
                passed=done.unknown == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"unknown_outcomes": done.unknown},
            ),
        ],
    )


ASSETS = [plan, submissions]
