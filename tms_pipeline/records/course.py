"""Course: what the provider may run; SSG's registry owns it, so it is compared and never submitted."""

from __future__ import annotations

from tms_pipeline.records.field import Field, FieldType, RecordKind, required
from tms_pipeline.records.vocabulary import FUNDING_BODY, PROVIDER_TYPE

# Source: ssg-api 9.3. Legacy references (INT-TF…, TGS-TF…) are still accepted by SSG.
COURSE_REFERENCE_PATTERN = r"^(TGS-\d{10}|TGS-TF\d{8}|INT-TF\d{8})$"

COURSE_REFERENCE = required(
    name="course_reference",
    title="Course Reference",
    type=FieldType.CODE,
    aliases=(
        "Course Reference Number",
        "Course Reference Code",
        "Course Ref",
        "Course Ref No",
        "TGS Ref",
        "TGS Code",
        "Course Code",
        "TGS No",
        "TGS Reference",
    ),
    pattern=COURSE_REFERENCE_PATTERN,
    max_length=100,
    at_ssg=True,
    example="TGS-2026000101",
    help="The TGS reference on the course's approval letter.",
)

COURSE = RecordKind(
    name="course",
    title="Course",
    plural="Courses",
    order=0,
    key=("course_reference",),
    signature=("course_reference", "course_title", "full_course_fee"),
    submitted=False,
    fields=(
        COURSE_REFERENCE,
        required(
            name="course_title",
            title="Course Title",
            aliases=("Title", "Course Name", "Name of Course"),
            max_length=200,
            at_ssg=True,
            example="Food Hygiene for Hawkers",
        ),
        Field(
            name="skill_code",
            title="Skill Code",
            type=FieldType.CODE,
            aliases=("Competency Code", "TSC Code"),
            max_length=30,
            example="FSS-FSE-1001-1.1",
            help="Only for WSQ courses.",
        ),
        required(
            name="full_course_fee",
            title="Full Course Fee",
            type=FieldType.AMOUNT,
            aliases=("Course Fee", "Fee before subsidy", "Full Fee"),
            minimum=0,
            maximum=100000,
            example="480.00",
        ),
        Field(
            name="duration_hours",
            title="Duration (Hours)",
            type=FieldType.HOURS,
            aliases=("Training Hours", "Total Hours"),
            minimum=0,
            maximum=5000,
            example="16",
        ),
        Field(
            name="provider_type",
            title="Provider Type",
            type=FieldType.CHOICE,
            choices=PROVIDER_TYPE,
            default="public",
            help="Decides which deadlines bind.",
        ),
        Field(name="funding_body", title="Funding Body", type=FieldType.CHOICE, choices=FUNDING_BODY, default="SSG"),
        Field(
            name="minimum_assessments",
            title="Assessments Needed",
            type=FieldType.INTEGER,
            aliases=("No of Assessments",),
            minimum=0,
            maximum=50,
            default="1",
        ),
    ),
    guidance="One row a course. SSG must know the course already; the pipeline compares and never submits it.",
)
