"""What all assets share: partitions, groups, owners, failures that tell no value."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import dagster as dg
from dagster_shared.utils.warnings import PreviewWarning

from tms_pipeline.operations.failures import sentence_of
from tms_pipeline.ssg.errors import SsgError

# One partition an upload, keyed by upload id: never the file name, which may hold people's names.
UPLOADS = dg.DynamicPartitionsDefinition(name="upload")
OWNERS = ["team:operations"]
REVIEWERS = ["team:compliance"]
# Groups in the order of the flow: Dagster sorts them by name.
FLOW = ("intake", "registers", "mirror", "submission", "reconciliation", "compliance", "alarms")
# The night begins at one; what it makes must be new by three.
NIGHTLY = frozenset({"mirror", "submission", "reconciliation", "compliance", "alarms"})
_FRESH = dg.FreshnessPolicy.cron(
    deadline_cron="0 3 * * *", lower_bound_delta=timedelta(hours=3), timezone="Asia/Singapore"
)


def group(name: str) -> str:
    """The name of a stage's group, with its place in the flow."""
    return f"{FLOW.index(name) + 1}_{name}"


def on_the_desk(spec: dg.AssetSpec) -> dg.AssetSpec:
    """An asset as the UI shows it: its group with its place, tags to search by, and when it is stale."""
    stage = str(spec.group_name)
    tags = {
        **spec.tags,
        "stage": stage,
        "made": "nightly" if stage in NIGHTLY else "per-upload",
        "reader": "compliance" if spec.owners == REVIEWERS else "operations",
        "sends_to_ssg": "yes" if spec.key.path[-1] == "submissions" else "no",
    }
    return spec.replace_attributes(
        group_name=group(stage), tags=tags, freshness_policy=_FRESH if stage in NIGHTLY else ...
    )


def upload_check(name: str, asset: str, *, description: str, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check with a result a partition, so that a file that failed shows as failed for ever.

    Checks with partitions are a preview of Dagster 1.13; the warning about that is owned here and nowhere else.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=PreviewWarning)
        return dg.AssetCheckSpec(
            name=name, asset=asset, description=description, blocking=blocking, partitions_def=UPLOADS
        )


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what went wrong into a failure with a code and a sentence, without the cause and its values."""
    try:
        yield
    except Exception as error:
        text = sentence_of(error)
        if text is None:
            raise  # Dagster masks it, and its own log keeps it
        code = error.code if isinstance(error, SsgError) else type(error).__name__
        failure = dg.Failure(description=text, metadata={"code": code}, allow_retries=False)
    else:
        return
    raise failure from None


def table(rows: Sequence[Mapping[str, str | int | float | None]], *, none: str = "nothing") -> dg.MetadataValue:
    """Rows as a small table; a few words when there are none."""
    if not rows:
        return dg.MetadataValue.text(none)
    columns = [dg.TableColumn(name, "string" if isinstance(value, str) else "int") for name, value in rows[0].items()]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(row)) for row in rows], schema=dg.TableSchema(columns=columns)
    )


def links(found: Mapping[str, tuple[str, bool]]) -> dict[str, dg.MetadataValue]:
    """Reports as links behind a proxy, as paths elsewhere."""
    return {
        name: dg.MetadataValue.url(where) if is_address else dg.MetadataValue.path(where)
        for name, (where, is_address) in found.items()
    }


def counts(values: Mapping[str, int]) -> dict[str, int]:
    """Counts as metadata: numbers are plotted over time by Dagster."""
    return {name.replace(" ", "_"): int(value) for name, value in values.items()}
