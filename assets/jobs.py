"""The named jobs. Every one has a longest run time; none is retried by Dagster, as retries are rows in Postgres."""

import dagster as dg

from assets.vocabulary import group

TAGS = {"dagster/max_runtime": "7200", "dagster/retry_on_asset_or_op_failure": "false"}
# Without this Dagster logs to the console by its own default logger, past our redaction.
CONFIG: dict[str, dict[str, dict[str, dict[str, str]]]] = {"loggers": {"console": {"config": {}}}}
_SUBMISSION = dg.AssetSelection.groups(group("submission"))
_MIRROR = dg.AssetSelection.groups(group("mirror"))
_RECONCILIATION = dg.AssetSelection.groups(group("reconciliation"))
_COMPLIANCE = dg.AssetSelection.groups(group("compliance"))
_ALARMS = dg.AssetSelection.groups(group("alarms"))

intake_job = dg.define_asset_job(
    "intake",
    selection=dg.AssetSelection.groups(group("intake"), group("registers")),
    tags=TAGS,
    config=CONFIG,
    description="Take one upload in and hand it back with what to fix.",
)
nightly_sync_job = dg.define_asset_job(
    "nightly_sync",
    selection=_MIRROR | _SUBMISSION | _RECONCILIATION | _COMPLIANCE | _ALARMS,
    tags=TAGS,
    config=CONFIG,
    description="Read SSG, plan, submit, read again, reconcile, review compliance, report, raise alarms.",
)
submit_job = dg.define_asset_job(
    "submit",
    selection=dg.AssetSelection.assets(["submission", "submissions"]),
    tags=TAGS,
    config=CONFIG,
    description="Work off what is approved and due: retries, unknown outcomes, new approvals.",
)
reconcile_job = dg.define_asset_job(
    "reconcile",
    selection=dg.AssetSelection.assets(["mirror", "seen_after"], ["mirror", "grants"]) | _RECONCILIATION | _COMPLIANCE,
    tags=TAGS,
    config=CONFIG,
    description="Read SSG and compare, without sending anything.",
)
JOBS = [intake_job, nightly_sync_job, submit_job, reconcile_job]
