"""Mirror: what SSG holds, read before anything is planned and read again after everything was sent."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, REVIEWERS, told_plainly
from tms_pipeline.operations import steps
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.workplace import Workplace


def _as_tables(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata with its lists of lines shown as tables."""
    return {name: _table(value) if isinstance(value, list) else value for name, value in metadata.items()}


def _table(rows: list[dict[str, Any]]) -> dg.MetadataValue:
    if not rows:
        return dg.MetadataValue.text("nothing")
    types = {str: "string", int: "int", float: "float"}
    columns = [dg.TableColumn(name, types[type(value)]) for name, value in rows[0].items()]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=dg.TableSchema(columns=columns))


def _read(
    step: Callable[[Workplace, str, Callable[[str], None]], dict[str, Any]],
    context: dg.AssetExecutionContext,
    workplace: WorkplaceResource,
) -> dg.MaterializeResult:
    """Read a part of SSG, and show what came of it."""
    with told_plainly():
        return dg.MaterializeResult(metadata=_as_tables(step(workplace.get(), context.run.run_id, context.log.info)))


@dg.asset(
    name="seen_before",
    key_prefix=["mirror"],
    group_name="mirror",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[dg.AssetKey(["register", name]) for name in KINDS],
    description=(
        "What did SSG hold before the night's work? Read from SSG, part by part. A part that could not be read is "
        "left as it was, and nothing is planned for it."
    ),
)
def seen_before(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Read SSG."""
    return _read(steps.read_ssg, context, workplace)


@dg.asset(
    name="seen_after",
    key_prefix=["mirror"],
    group_name="mirror",
    kinds={"postgres"},
    owners=OWNERS,
    deps=[dg.AssetKey(["submission", "submissions"])],
    description=(
        "What does SSG hold now? Read back after everything was sent: the proof, and what the reconciliation "
        "compares with."
    ),
)
def seen_after(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Read SSG again."""
    return _read(steps.read_ssg, context, workplace)


@dg.asset(
    name="grants",
    key_prefix=["mirror"],
    group_name="mirror",
    kinds={"postgres"},
    owners=REVIEWERS,
    deps=[seen_after],
    description="The grants that SSG made from our enrolments: expected, processing, approved, paid, cancelled.",
)
def grants(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Read grants."""
    return _read(steps.read_grants, context, workplace)


ASSETS = [seen_before, seen_after, grants]
