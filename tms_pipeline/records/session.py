"""Session: one sitting of a course run, the unit of attendance."""

from __future__ import annotations

from tms_pipeline.records.course_run import MODE, RUN_CODE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.vocabulary import RUN_STATUS

SESSION_NO = required(
    name="session_no",
    title="Session No",
    type=FieldType.INTEGER,
    aliases=("Session", "Session Number", "Lesson", "Lesson No", "Which session is this?", "Day"),
    minimum=1,
    maximum=500,
    example="1",
    help="1 for the first session of the run, 2 for the second, and so on.",
)

SESSION = RecordKind(
    name="session",
    title="Session",
    plural="Sessions",
    order=3,
    key=("run_code", "session_no"),
    signature=("run_code", "session_no", "session_date", "start_time", "end_time"),
    parents=(Parent(kind="course_run", fields=("run_code",)),),
    fields=(
        RUN_CODE,
        SESSION_NO,
        required(
            name="session_date",
            title="Session Date",
            type=FieldType.DATE,
            aliases=("Date of Session", "Lesson Date"),
            at_ssg=True,
        ),
        required(
            name="start_time",
            title="Start Time",
            type=FieldType.TIME,
            aliases=("From", "Time From", "Begins"),
            at_ssg=True,
            example="09:00",
        ),
        required(
            name="end_time",
            title="End Time",
            type=FieldType.TIME,
            aliases=("To", "Time To", "Ends"),
            at_ssg=True,
            example="17:00",
        ),
        MODE,
        Field(
            name="session_status",
            title="Session Status",
            type=FieldType.CHOICE,
            choices=RUN_STATUS,
            default="confirmed",
        ),
    ),
    guidance="One row a session. Sessions must lie inside the dates of their course run.",
)
