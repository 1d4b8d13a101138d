"""Assessment: what a trainee achieved in a course run."""

from __future__ import annotations

from tms_pipeline.records.course_run import RUN_CODE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.trainee import NRIC
from tms_pipeline.records.vocabulary import GRADE, RESULT, RUN_STATUS

ASSESSMENT = RecordKind(
    name="assessment",
    title="Assessment",
    plural="Assessments",
    order=8,
    key=("run_code", "nric", "skill_code"),
    signature=("run_code", "nric", "result", "assessment_date"),
    parents=(Parent(kind="enrolment", fields=("run_code", "nric")),),
    fields=(
        RUN_CODE,
        NRIC,
        # Not compared: SSG was seen to answer an empty skill code after a create that carried one (ssg-api 7.1).
        Field(
            name="skill_code",
            title="Skill Code",
            type=FieldType.CODE,
            aliases=("Competency Code", "TSC Code"),
            max_length=30,
            default="",
            help="Empty: the course has one assessment only.",
        ),
        required(
            name="assessment_date",
            title="Assessment Date",
            type=FieldType.DATE,
            at_ssg=True,
            aliases=("Date of Assessment", "Assessed On", "Exam Date"),
        ),
        required(
            name="result",
            title="Result",
            type=FieldType.CHOICE,
            choices=RESULT,
            at_ssg=True,
            aliases=("Assessment Result", "Outcome", "C/NYC", "Competency"),
        ),
        Field(
            name="score",
            title="Score",
            type=FieldType.INTEGER,
            minimum=0,
            maximum=100,
            at_ssg=True,
            aliases=("Marks", "Score (%)"),
        ),
        Field(name="grade", title="Grade", type=FieldType.CHOICE, choices=GRADE, at_ssg=True),
        Field(
            name="assessor_code",
            title="Assessor Code",
            type=FieldType.CODE,
            aliases=("Assessor", "Assessed By"),
            max_length=20,
        ),
        Field(
            name="assessment_status",
            title="Assessment Status",
            type=FieldType.CHOICE,
            choices={"confirmed": RUN_STATUS["confirmed"], "voided": ("Void", "Voided", "Cancelled")},
            default="confirmed",
        ),
    ),
    guidance="One row a trainee, course run and skill code. To take one back, drop the row with the status Void.",
)
