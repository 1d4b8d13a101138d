"""Trainer: who teaches a run; SSG keeps trainers in the provider's profile."""

from __future__ import annotations

from tms_pipeline.records.field import Field, FieldType, RecordKind, required
from tms_pipeline.records.vocabulary import SALUTATION, TRAINER_ROLE

TRAINER = RecordKind(
    name="trainer",
    title="Trainer",
    plural="Trainers",
    order=1,
    key=("trainer_code",),
    signature=("trainer_code", "trainer_nric", "trainer_name"),
    fields=(
        required(
            name="trainer_code",
            title="Trainer Code",
            type=FieldType.CODE,
            aliases=("Trainer No", "Trainer Ref"),
            max_length=20,
            pattern=r"^[A-Z0-9][A-Z0-9-]*$",
            example="TR-01",
        ),
        required(
            name="trainer_name",
            title="Trainer Name",
            aliases=("Name of Trainer",),
            personal=True,
            at_ssg=True,
            max_length=66,
        ),
        required(
            name="trainer_nric",
            title="Trainer NRIC/FIN",
            type=FieldType.NRIC,
            aliases=("Trainer ID Number", "Trainer NRIC", "Trainer ID"),
            personal=True,
        ),
        required(
            name="trainer_email",
            title="Trainer Email",
            type=FieldType.EMAIL,
            aliases=("Trainer E-mail",),
            personal=True,
            at_ssg=True,
            max_length=320,
        ),
        Field(name="salutation", title="Salutation", type=FieldType.CHOICE, choices=SALUTATION, default="1"),
        Field(
            name="trainer_role",
            title="Role",
            type=FieldType.CHOICE,
            choices=TRAINER_ROLE,
            aliases=("Trainer Role",),
            default="trainer",
            at_ssg=True,
        ),
        required(
            name="domain",
            title="Domain Area of Practice",
            aliases=("Area of Practice", "Domain", "Expertise"),
            max_length=1000,
            at_ssg=True,
            example="Cooked food and hygiene",
        ),
        Field(name="experience", title="Experience", max_length=1000, at_ssg=True),
    ),
    guidance="One row a trainer. A course run names its trainers by trainer code.",
)
