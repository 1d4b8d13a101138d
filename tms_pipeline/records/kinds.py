"""The nine record kinds, by name, in the order in which a plan submits them."""

from __future__ import annotations

from tms_pipeline.records.assessment import ASSESSMENT
from tms_pipeline.records.attendance import ATTENDANCE
from tms_pipeline.records.course import COURSE
from tms_pipeline.records.course_run import COURSE_RUN
from tms_pipeline.records.enrolment import ENROLMENT
from tms_pipeline.records.fee import FEE
from tms_pipeline.records.field import RecordKind
from tms_pipeline.records.session import SESSION
from tms_pipeline.records.trainee import TRAINEE
from tms_pipeline.records.trainer import TRAINER

KINDS: dict[str, RecordKind] = {
    kind.name: kind
    for kind in sorted(
        (COURSE, TRAINER, COURSE_RUN, SESSION, TRAINEE, ENROLMENT, FEE, ATTENDANCE, ASSESSMENT),
        key=lambda kind: kind.order,
    )
}
SUBMITTED: tuple[RecordKind, ...] = tuple(kind for kind in KINDS.values() if kind.submitted)


def kind_named(name: str) -> RecordKind:
    """The record kind of that name. Raises KeyError naming the known kinds."""
    try:
        return KINDS[name]
    except KeyError:
        raise KeyError(f"'{name}' is no record kind; the kinds are {', '.join(KINDS)}") from None
