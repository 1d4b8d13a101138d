"""When an alarm is due: what was measured, against the thresholds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tms_pipeline.alarms.alarm import Alarm, rung
from tms_pipeline.compliance.deadlines import alarm_step
from tms_pipeline.compliance.finding import count_words, day_words

FINDINGS = "/review/assets/compliance/findings?view=checks"
SUBMISSIONS = "/review/assets/submission/submissions?view=checks"
LANDING_ROWS = "/review/assets/landing_rows?view=partitions"
ALARMS = "/review/assets/alarms/raised?view=checks"
_GROWTH = (1, 10, 100)
_AGEING = (1, 2, 4, 8)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """From when on something is an alarm (the settings TMS_ALARM_…)."""

    dead_letters: int
    queue_hours: float
    rejected_share: float
    source_days: int
    night_hours: float


@dataclass(frozen=True, kw_only=True)
class OpenDeadline:
    """Records of a run that are not at SSG, with their first last day."""

    rule: str
    title: str
    kind: str
    run_code: str
    last_day: date
    records: int
    money: Decimal | None


@dataclass(frozen=True, kw_only=True)
class UploadNow:
    """An upload of the last days in numbers."""

    upload_id: str
    state: str
    rows: int
    rejected: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The state of the installation at one moment."""

    now: datetime
    today: date
    deadlines: Sequence[OpenDeadline]
    dead_letters: int
    oldest_waiting: datetime | None
    waiting: int
    uploads: Sequence[UploadNow]
    sources: Sequence[tuple[str, datetime]]
    breaker_open_since: datetime | None
    scopes_read: int
    scopes_not_read: int
    failed_runs: Sequence[tuple[str, str]]
    last_night: datetime | None
    first_upload: datetime | None


def due(measured: Measured, thresholds: Thresholds) -> list[Alarm]:
    """Every alarm that stands now, whether it was told before or not."""
    return [
        *_deadlines(measured),
        *_dead_letters(measured, thresholds),
        *_queue(measured, thresholds),
        *_uploads(measured, thresholds),
        *_sources(measured, thresholds),
        *_ssg(measured),
        *_runs(measured),
        *_nights(measured, thresholds),
    ]


def _deadlines(measured: Measured) -> Iterator[Alarm]:
    for item in measured.deadlines:
        left = (item.last_day - measured.today).days
        step = alarm_step(left)
        if step is None:
            continue
        what = count_words(item.records, *_RECORDS.get(item.kind, (item.kind, f"{item.kind}s")))
        figures: dict[str, str | int | float] = {
            "rule": item.title, "run": item.run_code, "records": item.records, "last_day": item.last_day.isoformat(),
            "days_left": left,
        }  # fmt: skip
        if item.money is not None:
            figures["money"] = f"S${item.money:,.2f}"
        yield Alarm(
            topic="deadlines",
            subject=f"{item.rule}|{item.kind}|{item.run_code}|{item.last_day.isoformat()}",
            step=step,
            severity="error" if left <= 3 else "warning",
            role="compliance",
            sentence=f"Run {item.run_code}: {what} not {'Full Payment ' if item.kind == 'fee' else ''}at SSG. "
            f"{_day_words(item.last_day, left)}",
            what_to_do="Send what is missing in, or approve what waits; the findings say which records they are."
            if left >= 0
            else "Send it still, keep the proof of when and why, and ask whether the funding stands.",
            link=FINDINGS,
            figures=figures,
        )


_RECORDS = {
    "course_run": ("course run", "course runs"),
    "session": ("session", "sessions"),
    "enrolment": ("enrolment", "enrolments"),
    "fee": ("fee", "fees"),
    "attendance": ("attendance record", "attendance records"),
    "assessment": ("assessment", "assessments"),
}


def _day_words(day: date, left: int) -> str:
    if left == 0:
        return f"Today, {day_words(day)}, is the last day."
    if left > 0:
        return f"The last day is {day_words(day)}, {count_words(left, 'day', 'days')} from now."
    return f"The last day was {day_words(day)}, {count_words(-left, 'day', 'days')} ago."


def _dead_letters(measured: Measured, thresholds: Thresholds) -> Iterator[Alarm]:
    step = rung(measured.dead_letters, thresholds.dead_letters, _GROWTH)
    if step is not None:
        one = measured.dead_letters == 1
        yield Alarm(
            topic="dead letters",
            subject="all",
            step=step,
            severity="error",
            role="on-call",
            sentence=f"{count_words(measured.dead_letters, 'submission needs', 'submissions need')} a person: SSG "
            f"refused {'it' if one else 'them'}, or {'it was' if one else 'they were'} given up.",
            what_to_do="Look at dead-letters.xlsx or tms dead-letters list: each says why and what mends it.",
            link=SUBMISSIONS,
            figures={"dead_letters": measured.dead_letters},
        )


def _queue(measured: Measured, thresholds: Thresholds) -> Iterator[Alarm]:
    if measured.oldest_waiting is None:
        return
    hours = (measured.now - measured.oldest_waiting).total_seconds() / 3600
    step = rung(hours, thresholds.queue_hours, _AGEING)
    if step is not None:
        yield Alarm(
            topic="queue",
            subject="all",
            step=step,
            severity="error" if step else "warning",
            role="on-call",
            sentence=f"{count_words(measured.waiting, 'approved submission waits', 'approved submissions wait')} to be "
            f"sent or found at SSG, the oldest for {count_words(int(hours), 'hour', 'hours')}.",
            what_to_do="See that the retry sensor or tms submit runs, that SSG answers, that no kill switch is set.",
            link=SUBMISSIONS,
            figures={"waiting": measured.waiting, "oldest_hours": int(hours)},
        )


def _uploads(measured: Measured, thresholds: Thresholds) -> Iterator[Alarm]:
    for upload in measured.uploads:
        much = upload.rows >= 20 and upload.rejected >= upload.rows * thresholds.rejected_share
        if upload.state in ("held", "refused"):
            said = f"Upload {upload.upload_id} was {upload.state}: nothing of it was taken in."
        elif much:
            said = (
                f"Upload {upload.upload_id}: {upload.rejected:,} of {upload.rows:,} rows were rejected "
                f"({upload.rejected / upload.rows:.0%})."
            )
        else:
            continue
        yield Alarm(
            topic="rejected rows",
            subject=upload.upload_id,
            step=0,
            severity="warning",
            role="ops",
            sentence=said,
            what_to_do="Open its result workbook, mend the sheet Fix these rows, and drop it again.",
            link=f"/review/assets/landing_rows?view=partitions&partition={upload.upload_id}",
            figures={"rows": upload.rows, "rejected": upload.rejected},
        )


def _sources(measured: Measured, thresholds: Thresholds) -> Iterator[Alarm]:
    if not thresholds.source_days:
        return
    for source, last in measured.sources:
        days = (measured.now - last).days
        step = rung(days, thresholds.source_days, _AGEING)
        if step is not None:
            yield Alarm(
                topic="sources",
                subject=source,
                step=step,
                severity="warning",
                role="ops",
                sentence=f"The source '{source}' has sent no file for {count_words(days, 'day', 'days')}.",
                what_to_do="Ask whoever sends it whether a file is missing, and whether it lies in the right folder.",
                link=LANDING_ROWS,
                figures={"days": days},
            )


def _ssg(measured: Measured) -> Iterator[Alarm]:
    down = measured.breaker_open_since
    if down is not None or (measured.scopes_not_read and not measured.scopes_read):
        since = "" if down is None else f" since {day_words(down.date())}, {down:%H:%M}"
        yield Alarm(
            topic="ssg", subject="all", step=1, severity="error", role="on-call", urgent=True,
            sentence=f"SSG does not answer{since}; nothing is lost, and nothing is sent until it does.",
            what_to_do="See the certificate, the connection and SSG's notices; submissions go on by themselves.",
            link=ALARMS,
        )  # fmt: skip
    elif measured.scopes_not_read:
        yield Alarm(
            topic="ssg", subject="all", step=0, severity="warning", role="on-call",
            sentence=f"{count_words(measured.scopes_not_read, 'part', 'parts')} of SSG could not be read last time; "
            "nothing was changed there.",
            what_to_do="Run tms reconcile once SSG is well; the next night reads them again by itself.",
            link="/review/assets/reconciliation/discrepancies?view=checks",
            figures={"scopes_not_read": measured.scopes_not_read, "scopes_read": measured.scopes_read},
        )  # fmt: skip


def _runs(measured: Measured) -> Iterator[Alarm]:
    for run_id, job in measured.failed_runs:
        yield Alarm(
            topic="runs", subject=run_id, step=0, severity="error", role="on-call", urgent=True,
            sentence=f"A run of the job {job} failed.",
            what_to_do="The run says in which step and why; what it finished stands, and it may be started again.",
            link=f"/review/runs/{run_id}",
            figures={"job": job},
        )  # fmt: skip


def _nights(measured: Measured, thresholds: Thresholds) -> Iterator[Alarm]:
    since = measured.last_night or measured.first_upload
    if since is None:
        return
    hours = (measured.now - since).total_seconds() / 3600
    step = rung(hours, thresholds.night_hours, _AGEING)
    if step is not None:
        said = f"for {count_words(int(hours), 'hour', 'hours')}" if measured.last_night else "yet"
        yield Alarm(
            topic="nights", subject="all", step=step, severity="error", role="on-call", urgent=True,
            sentence=f"No nightly sync has finished {said}.",
            what_to_do="See under Automation that the schedule is on and the daemon runs, or start tms sync.",
            link="/review/jobs/nightly_sync",
            figures={"hours": int(hours)},
        )  # fmt: skip
