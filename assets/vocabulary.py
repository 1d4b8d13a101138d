"""What all assets share: partitions, groups, owners, failures that tell no value."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping

import dagster as dg
from dagster_shared.utils.warnings import PreviewWarning

from tms_pipeline.operations.failures import sentence_of
from tms_pipeline.ssg.errors import SsgError

# One partition an upload, keyed by upload id: never the file name, which may hold people's names.
UPLOADS = dg.DynamicPartitionsDefinition(name="upload")
OWNERS = ["team:operations"]
REVIEWERS = ["team:compliance"]


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


def counts(values: Mapping[str, int]) -> dict[str, int]:
    """Counts as metadata: numbers are plotted over time by Dagster."""
    return {name.replace(" ", "_"): int(value) for name, value in values.items()}
