"""Alarms: what people must hear of in time, one check a topic."""

import dagster as dg

from assets.resources import WorkplaceResource
from assets.vocabulary import OWNERS, counts, table, told_plainly
from tms_pipeline.alarms.alarm import TOPICS
from tms_pipeline.operations import desk

_KEY = dg.AssetKey(["alarms", "raised"])
# A check fails while an alarm of its topic is open; what only warns is shown in yellow.
_CHECKS = {topic: f"no_alarm_about_{topic.replace(' ', '_')}" for topic in TOPICS}


@dg.asset(
    name="raised",
    key_prefix=["alarms"],
    group_name="alarms",
    kinds={"postgres", "email"},
    owners=OWNERS,
    deps=[dg.AssetKey(["compliance", "reports"])],
    check_specs=[
        *(
            dg.AssetCheckSpec(name, asset=_KEY, description=f"No open alarm: {TOPICS[topic]}")
            for topic, name in _CHECKS.items()
        ),
        dg.AssetCheckSpec(
            "every_message_arrived", asset=_KEY, description="Every mail and webhook was taken by its receiver"
        ),
    ],
    description=(
        "What a person must hear of: last days 14, 7, 3 and 1 days away and after, dead letters, a queue that ages, "
        "rejected uploads, silent sources, SSG down, failed runs, nights that did not run.\n\n"
        "Each is told once, by mail or webhook to who is set up for it. The table shows what is open now; "
        "`tms alarms ack` says that somebody takes care."
    ),
)
def raised(context: dg.AssetExecutionContext, workplace: WorkplaceResource) -> dg.MaterializeResult:
    """Look, record what is new, send what is due."""
    place = workplace.get()
    with told_plainly():
        done = desk.raise_alarms(place, context.run.run_id)
        not_delivered = desk.not_delivered(place)
    return dg.MaterializeResult(
        metadata={
            "open_alarms": table(desk.open_alarms(place), none="no alarm is open"),
            "new": len(done.raised),
            "open": sum(done.standing.values()),
            "handed_on": done.escalated,
            "messages_sent": done.delivered.sent,
            "messages_kept": done.delivered.kept,
            **({"why_not_sent": " ".join(done.delivered.why)} if done.delivered.why else {}),
        },
        check_results=[
            *(
                dg.AssetCheckResult(
                    check_name=name,
                    passed=done.standing.get(topic, 0) == 0,
                    severity=dg.AssetCheckSeverity.ERROR if done.errors.get(topic) else dg.AssetCheckSeverity.WARN,
                    metadata=counts({"open": done.standing.get(topic, 0), "errors": done.errors.get(topic, 0)}),
                )
                for topic, name in _CHECKS.items()
            ),
            dg.AssetCheckResult(
                check_name="every_message_arrived",
                passed=not_delivered == 0,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"not_arrived": not_delivered},
            ),
        ],
    )


ASSETS = [raised]
