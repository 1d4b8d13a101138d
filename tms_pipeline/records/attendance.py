"""Attendance: whether a trainee came to a session."""

from __future__ import annotations

from tms_pipeline.records.course_run import RUN_CODE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.session import SESSION_NO
from tms_pipeline.records.trainee import NRIC
from tms_pipeline.records.vocabulary import ATTENDANCE_MARK

# What SSG is told: somebody who came, late or not, is Confirmed; who did not come has no record there
# (ssg-api 5.0: 1 Confirmed, 4 TP Voided; 5.1: Confirmed counts as present).
PRESENT_MARKS = frozenset({"present", "late"})
STATUS_CONFIRMED = "1"
STATUS_VOIDED = "4"

ATTENDANCE = RecordKind(
    name="attendance",
    title="Attendance",
    plural="Attendance",
    order=7,
    key=("run_code", "session_no", "nric"),
    signature=("run_code", "session_no", "nric", "mark"),
    parents=(
        Parent(kind="session", fields=("run_code", "session_no")),
        Parent(kind="enrolment", fields=("run_code", "nric")),
    ),
    fields=(
        RUN_CODE,
        SESSION_NO,
        NRIC,
        required(
            name="mark",
            title="Attendance",
            type=FieldType.CHOICE,
            choices=ATTENDANCE_MARK,
            aliases=(
                "Attended?",
                "Present?",
                "Attendance Mark",
                "Attendance Status",
                "Are you present?",
                "I am attending today",
            ),
        ),
        Field(
            name="hours",
            title="Hours",
            type=FieldType.HOURS,
            minimum=0.5,
            maximum=8.0,
            aliases=("Number of Hours", "Hours Attended"),
            help="Only for On-the-Job sessions, 0.5 to 8.",
        ),
        Field(
            name="marked_at",
            title="Marked At",
            type=FieldType.MOMENT,
            aliases=("Timestamp", "Completion time", "Submitted at"),
            help="A later answer replaces an earlier one.",
        ),
    ),
    guidance="One row a trainee and session. Late counts as present at SSG; an absent trainee has no record there.",
)
