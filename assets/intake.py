"""Intake: an upload becomes landing rows; good rows reach the registers, the file goes back with what to fix."""

import dagster as dg

from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, UPLOADS, counts, told_plainly, upload_check
from tms_pipeline.intake import results
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import Taken, take_in
from tms_pipeline.operations import desk
from tms_pipeline.records.kinds import KINDS

_ASSET = "landing_rows"
_CHECKS = [
    upload_check(
        "rows_balance",
        _ASSET,
        blocking=True,
        description="No row is lost: rows = accepted + unchanged + rejected + superseded",
    ),
    upload_check("file_was_taken", _ASSET, description="The file opens, has headings we know, and is not held"),
    *(
        upload_check(f"{kind.name}_rows", _ASSET, description=f"{kind.plural}: every row passes its pandera model")
        for kind in KINDS.values()
    ),
]


@dg.asset(
    name=_ASSET,
    group_name="intake",
    kinds={"excel", "pandas", "postgres"},
    owners=OWNERS,
    partitions_def=UPLOADS,
    check_specs=_CHECKS,
    description=(
        "What did ops send, and what became of it? One partition an upload, named by its upload id, as the result "
        "page shows it; file names are not shown, because people name files after people.\n\n"
        "Every row is accepted, unchanged, rejected or superseded, and none is lost. Under *Checks* stands what was "
        "wrong, by code and count; the code's page in docs/errors says what mends it."
    ),
)
def landing_rows(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Take one upload in."""
    place = workplace.get()
    with told_plainly():
        state = results.state_of(place, context.partition_key)
        if state == "received":
            taken = take_in(place, context.partition_key, actor=place.actor(context.run.run_id, name="dagster"))
        else:
            context.log.info("upload %s was taken in before; its balance is checked again", context.partition_key)
            taken = None
        balance = results.balance_of(place, context.partition_key)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": balance["rows"],
            **counts({name: value for name, value in balance.items() if name != "rows"}),
            "state": results.state_of(place, context.partition_key),
            **desk.about_upload(place, context.partition_key),
        },
        check_results=_results(place, context.partition_key, taken, balance),
    )


def _results(place: object, upload_id: str, taken: Taken | None, balance: dict[str, int]) -> list[dg.AssetCheckResult]:
    rows = balance["rows"]
    sum_of = sum(
        value for name, value in balance.items() if name in ("accepted", "unchanged", "rejected", "superseded")
    )
    state = results.state_of(place, upload_id)  # type: ignore[arg-type]
    found = [
        dg.AssetCheckResult(check_name="rows_balance", passed=rows == sum_of, metadata={**counts(balance)}),
        dg.AssetCheckResult(
            check_name="file_was_taken",
            passed=state == "taken in",
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"state": state},
        ),
    ]
    by_kind = results.faults_by_kind(place, upload_id, taken)  # type: ignore[arg-type]
    for kind in KINDS.values():
        codes = by_kind.get(kind.name, {})
        found.append(
            dg.AssetCheckResult(
                check_name=f"{kind.name}_rows",
                passed=not codes,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    **counts(codes),
                    "records": (taken.evaluation.checked.get(kind.name, (0, {}))[0] if taken else 0),
                },
            )
        )
    return found


@dg.asset(
    group_name="intake",
    kinds={"excel"},
    owners=OWNERS,
    partitions_def=UPLOADS,
    deps=[landing_rows],
    description=(
        "What must ops mend? The workbook that goes back to them, in their own columns: what went in and, cell by "
        "cell, what to fix and how. The page beside it tells the same without any cell of theirs."
    ),
)
def result_workbook(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Write the result workbook and page of one upload, and of older ones whose waiting rows could now go in."""
    place = workplace.get()
    with told_plainly():
        moved = look_again(place, actor=place.actor(context.run.run_id, name="dagster"))
        for upload_id in moved:
            if upload_id != context.partition_key:
                results.hand_back(place, upload_id)
        paths = results.hand_back(place, context.partition_key)
    return dg.MaterializeResult(
        metadata={
            # The page is named by the upload id; the workbook beside it as ops named theirs, perhaps after a person.
            "page": dg.MetadataValue.path(str(paths.page)),
            "folder_of_workbook": dg.MetadataValue.path(str(paths.workbook.parent)),
            "uploads_looked_at_again": len(moved),
        }
    )


ASSETS = [landing_rows, result_workbook]
