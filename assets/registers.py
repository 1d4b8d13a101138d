"""Registers: the accepted truth, one asset a record kind."""

from collections.abc import Iterator

import dagster as dg

from assets.intake import landing_rows
from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, UPLOADS
from tms_pipeline.intake import results
from tms_pipeline.records.kinds import KINDS


def _columns(name: str) -> dg.TableSchema:
    kind = KINDS[name]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(field.name, "sealed" if field.personal else field.type.value, description=field.title)
            for field in kind.fields
        ]
    )


@dg.multi_asset(
    name="registers",
    specs=[
        dg.AssetSpec(
            key=dg.AssetKey(["register", kind.name]),
            group_name="registers",
            kinds={"postgres"},
            owners=OWNERS,
            deps=[landing_rows],
            description=(
                f"What we hold true: {kind.plural.lower()}. The rows that were accepted, with their history and "
                "the file, sheet and row that each came from. Only ops change them, by a file; SSG's answers never do. "
                "Columns marked *sealed* hold no readable value."
            ),
            metadata={"dagster/column_schema": _columns(kind.name), "dagster/table_name": f"register.{kind.name}"},
        )
        for kind in KINDS.values()
    ],
    partitions_def=UPLOADS,
)
def registers(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> Iterator[dg.MaterializeResult]:
    """Report what the upload left in each register; the rows were written in the upload's own transaction."""
    place = workplace.get()
    for kind in KINDS.values():
        total, from_upload = results.register_counts(place, kind.name, context.partition_key)
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["register", kind.name]),
            metadata={"dagster/row_count": total, "rows_of_this_upload": from_upload},
        )


ASSETS = [registers]
