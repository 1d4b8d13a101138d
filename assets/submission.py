"""Submission: the plan of what SSG does not know yet, and the submissions that follow from it."""

import dagster as dg

from assets.mirror import seen_before
from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, told_plainly
from tms_pipeline.operations import steps


def _table(rows: list[dict[str, str | int | float | None]]) -> dg.MetadataValue:
    if not rows:
        return dg.MetadataValue.text("nothing")
    columns = [dg.TableColumn(name, "string" if isinstance(value, str) else "int") for name, value in rows[0].items()]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema(columns=columns),
    )


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
    description="The differences between registers and mirror, in the order in which they are sent, hashed.",
)
def plan(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Plan."""
    with told_plainly():
        made = steps.make_plan(workplace.get(), context.run_id)
    return dg.MaterializeResult(
        metadata={
            "plan_id": made.plan_id,
            "plan_hash": made.plan_hash,
            "changes": made.changes,
            "withheld": made.withheld,
            "by_kind": _table(made.by_kind),
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
    description="Each change on its way to SSG, with its idempotency key, correlation id and state.",
)
def submissions(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Approve by policy and work the outbox off."""
    with told_plainly():
        done = steps.submit(workplace.get(), context.run_id, context.log.info)
    return dg.MaterializeResult(
        metadata={
            "sent": _table(done.by_kind),
            "accepted_now": done.accepted,
            "stopped": done.stopped or "no",
            "waits_for_people": _table(steps.waiting_for_people(workplace.get())),
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
