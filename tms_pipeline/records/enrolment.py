"""Enrolment: one trainee in one course run, the record that SSG pays by."""

from __future__ import annotations

from tms_pipeline.records.course_run import RUN_CODE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.trainee import NRIC
from tms_pipeline.records.vocabulary import ENROLMENT_STATUS, SPONSORSHIP

ENROLMENT = RecordKind(
    name="enrolment",
    title="Enrolment",
    plural="Enrolments",
    order=5,
    key=("run_code", "nric"),
    signature=("run_code", "nric", "sponsorship_type"),
    parents=(Parent(kind="course_run", fields=("run_code",)), Parent(kind="trainee", fields=("nric",))),
    fields=(
        RUN_CODE,
        NRIC,
        required(
            name="enrolment_date",
            title="Enrolment Date",
            type=FieldType.DATE,
            at_ssg=True,
            aliases=("Date Enrolled", "Registration Date", "Date of Registration", "Date of Enrolment", "Enrolled On"),
        ),
        required(
            name="sponsorship_type",
            title="Sponsorship Type",
            type=FieldType.CHOICE,
            choices=SPONSORSHIP,
            at_ssg=True,
            aliases=("Sponsorship", "Sponsor", "Sponsor Type", "Type of Sponsorship", "Sponsored By", "Who pays"),
        ),
        Field(
            name="employer_uen",
            title="Employer UEN",
            type=FieldType.UEN,
            at_ssg=True,
            max_length=50,
            aliases=("UEN of Employer", "Company UEN"),
            help="Needed when the employer sponsors.",
        ),
        Field(
            name="employer_contact_name",
            title="Employer Contact Name",
            personal=True,
            at_ssg=True,
            max_length=50,
            aliases=("Employer Contact", "HR Contact"),
        ),
        Field(
            name="employer_contact_email",
            title="Employer Contact Email",
            type=FieldType.EMAIL,
            personal=True,
            at_ssg=True,
            max_length=100,
            aliases=("Employer Email", "Employer Contact Email Address"),
        ),
        Field(
            name="employer_contact_phone",
            title="Employer Contact Phone",
            type=FieldType.PHONE,
            personal=True,
            at_ssg=True,
            max_length=20,
            aliases=("Employer Phone", "Employer Contact Telephone No."),
        ),
        Field(
            name="discount_amount",
            title="Discount Amount",
            type=FieldType.AMOUNT,
            default="0.00",
            at_ssg=True,
            minimum=0,
            maximum=100000,
            aliases=("Course Fee Discount Amount", "Discount"),
        ),
        Field(
            name="enrolment_status",
            title="Enrolment Status",
            type=FieldType.CHOICE,
            choices=ENROLMENT_STATUS,
            default="confirmed",
            aliases=("Enrolled Status",),
        ),
    ),
    guidance="One row a trainee and course run. To withdraw somebody, drop the row again with the status Withdrawn.",
)
