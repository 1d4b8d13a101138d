"""The desk: jobs with a form, for what a person decides. Who it was is written into the audit log, not into Dagster."""

import dagster as dg
from pydantic import Field

from assets.jobs import CONFIG, TAGS
from assets.resources import WorkplaceResource
from assets.vocabulary import links, told_plainly
from tms_pipeline.alarms.standing import send_digest
from tms_pipeline.operations import desk, steps


class ApprovePlan(dg.Config):
    """What a person approves: one plan, by its hash, as it was looked at."""

    plan_id: str = Field(description="The plan, as the asset submission/plan shows it, such as P-20261121….")
    plan_hash: str = Field(description="Its hash, or the first 16 digits of it.")
    person: str = Field(description="Your name as the audit log shall keep it.")
    parts: list[str] = Field(
        default=[], description="Only these parts, such as enrolment or course_run.cancel; empty: all of it."
    )


class RetryDeadLetters(dg.Config):
    """Which dead letters go out again."""

    error_code: str = Field(description="All dead letters with this code, such as SSG-TGS-406.")
    person: str = Field(description="Your name as the audit log shall keep it.")
    reason: str = Field(description="Why they will succeed now.")


@dg.op(description="Approve a plan, bound to its hash; then the submit job or the retry sensor sends it.")
def approve(context: dg.OpExecutionContext, config: ApprovePlan, workplace: WorkplaceResource) -> None:
    """Approve."""
    with told_plainly():
        desk.must_be_filled_in(plan_id=config.plan_id, plan_hash=config.plan_hash, person=config.person)
        done = steps.approve_as(
            workplace.get(), context.run.run_id, config.plan_id, config.plan_hash, config.person, config.parts
        )
    context.add_output_metadata(done)


@dg.op(description="Send dead letters of one error code again; what may be at SSG already is searched for first.")
def retry(context: dg.OpExecutionContext, config: RetryDeadLetters, workplace: WorkplaceResource) -> None:
    """Retry."""
    with told_plainly():
        desk.must_be_filled_in(error_code=config.error_code, person=config.person, reason=config.reason)
        count = steps.retry_as(workplace.get(), context.run.run_id, config.error_code, config.person, config.reason)
    context.add_output_metadata({"under_way_again": count})


class HoldOrRelease(dg.Config):
    """What is held back from SSG, or let go again: a kind, a kind and an action, or one record."""

    kind: str = Field(description="The record kind, such as enrolment.")
    action: str = Field(default="", description="create, update or cancel; empty: all of them.")
    key: str = Field(default="", description="One record, by our key as the reports show it; empty: all of the kind.")
    person: str = Field(description="Your name as the audit log shall keep it.")
    reason: str = Field(description="Why; the audit log keeps it.")


def _what(config: HoldOrRelease) -> dict[str, str]:
    return {"kind": config.kind, "action": config.action, "key": config.key}


@dg.op(description="Hold changes back from SSG, now and in plans to come, until they are released.")
def hold(context: dg.OpExecutionContext, config: HoldOrRelease, workplace: WorkplaceResource) -> None:
    """Hold."""
    with told_plainly():
        desk.must_be_filled_in(kind=config.kind, person=config.person, reason=config.reason)
        count = steps.hold_as(workplace.get(), context.run.run_id, _what(config), config.person, config.reason)
    context.add_output_metadata({"stay_here_now": count})


@dg.op(description="Release what a person held or a guard withheld; it still needs the approval that its policy wants.")
def release(context: dg.OpExecutionContext, config: HoldOrRelease, workplace: WorkplaceResource) -> None:
    """Release."""
    with told_plainly():
        desk.must_be_filled_in(kind=config.kind, person=config.person, reason=config.reason)
        count = steps.release_as(workplace.get(), context.run.run_id, _what(config), config.person, config.reason)
    context.add_output_metadata({"free_again": count})


class RebuildReportForRun(dg.Config):
    """Which course run's page is written again."""

    run_code: str = Field(description="The course run as ops call it, such as WOK-2611-A.")


@dg.op(description="Write the status page and sheet of one course run: its whole life on one page.")
def rebuild_run(context: dg.OpExecutionContext, config: RebuildReportForRun, workplace: WorkplaceResource) -> None:
    """Write the page of one run."""
    place = workplace.get()
    with told_plainly():
        desk.must_be_filled_in(run_code=config.run_code)
        paths = desk.rebuild_for_run(place, config.run_code)
    context.add_output_metadata(links(desk.addresses(place, paths)))


@dg.op(description="Send the morning's digest to the addresses of ops, once a day; nothing is sent where none is set.")
def digest(context: dg.OpExecutionContext, workplace: WorkplaceResource) -> None:
    """Send it."""
    with told_plainly():
        done = send_digest(workplace.get())
    context.add_output_metadata({"messages_sent": done.sent, "messages_kept": done.kept})


@dg.op(description="Write the reports again from the last reviews.")
def rebuild(context: dg.OpExecutionContext, workplace: WorkplaceResource) -> None:
    """Rebuild."""
    place = workplace.get()
    with told_plainly():
        paths = steps.report(place)
    context.add_output_metadata(links(desk.addresses(place, paths)))


def _button(name: str, op: dg.OpDefinition, description: str, **fields: object) -> dg.JobDefinition:
    """A job of one step. ``fields`` are what the Launchpad shows to be filled in; what is left empty is refused."""
    config = {**CONFIG, "ops": {op.name: {"config": fields}}} if fields else CONFIG

    @dg.job(name=name, tags=TAGS, config=config, description=description)
    def button() -> None:
        op()

    return button


_WHAT_AND_WHY = {"kind": "", "action": "", "key": "", "person": "", "reason": ""}
approve_plan = _button(
    "approve_plan", approve, "Approve a plan by a form: which plan, its hash, who approves.",
    plan_id="", plan_hash="", person="", parts=[],
)  # fmt: skip
retry_dead_letters = _button(
    "retry_dead_letters", retry, "Retry dead letters by a form: which error code, who asks, why.",
    error_code="", person="", reason="",
)  # fmt: skip
hold_changes = _button(
    "hold_changes", hold, "Hold changes back from SSG by a form: which kind, action or record, who asks, why.",
    **_WHAT_AND_WHY,
)  # fmt: skip
release_changes = _button(
    "release_changes", release,
    "Release held or withheld changes by a form: which kind, action or record, who asks, why.", **_WHAT_AND_WHY,
)  # fmt: skip
rebuild_reports = _button("rebuild_reports", rebuild, "Write the reports for reviewers again.")
rebuild_report_for_run = _button(
    "rebuild_report_for_run", rebuild_run, "Write the page of one course run again by a form: which run.", run_code=""
)
morning_digest = _button("morning_digest", digest, "Send ops the three numbers of the morning.")
DESK_JOBS = [
    approve_plan,
    hold_changes,
    release_changes,
    retry_dead_letters,
    rebuild_reports,
    rebuild_report_for_run,
    morning_digest,
]
