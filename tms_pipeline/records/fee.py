"""Fee: whether a trainee's course fee has been collected, as SSG wants to know it."""

from __future__ import annotations

from tms_pipeline.records.course_run import RUN_CODE
from tms_pipeline.records.field import Field, FieldType, Parent, RecordKind, required
from tms_pipeline.records.trainee import NRIC
from tms_pipeline.records.vocabulary import FEE_STATUS

FEE = RecordKind(
    name="fee",
    title="Fee",
    plural="Fees",
    order=6,
    key=("run_code", "nric"),
    signature=("run_code", "nric", "collection_status"),
    parents=(Parent(kind="enrolment", fields=("run_code", "nric")),),
    fields=(
        RUN_CODE,
        NRIC,
        required(
            name="collection_status",
            title="Fee Collection Status",
            type=FieldType.CHOICE,
            choices=FEE_STATUS,
            at_ssg=True,
            aliases=("Fee Status", "Payment Status", "Collection Status", "Paid?"),
        ),
        Field(
            name="amount_collected",
            title="Amount Collected",
            type=FieldType.AMOUNT,
            minimum=0,
            maximum=100000,
            aliases=("Amount Paid", "Nett Fee Paid", "Amount"),
        ),
        Field(name="collected_on", title="Collected On", type=FieldType.DATE, aliases=("Payment Date", "Date Paid")),
        Field(
            name="receipt_no", title="Receipt No", type=FieldType.CODE, aliases=("Receipt", "Invoice No"), max_length=40
        ),
    ),
    guidance="One row an enrolment. SSG keeps the status only; amounts and receipts stay with us.",
)
