"""Enrolments and their fees, as they travel (ssg-api 6)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from tms_pipeline.ssg.codes import EnrolmentStatus, FeeStatus, IdType, SponsorshipType
from tms_pipeline.ssg.party import (
    ContactNumber,
    ContactNumberView,
    CourseAndRun,
    CourseBrief,
    PartnerView,
    TrainingPartner,
)
from tms_pipeline.ssg.values import (
    EMPTY_OBJECT,
    Amount,
    DateText,
    NeededText,
    OldDate,
    RunNumber,
    SomeDate,
    SomeInstant,
    SomeNumber,
    SomeText,
    known,
)
from tms_pipeline.ssg.wire import From, Inside, Reply, Request, text


class EmployerContact(Request):
    """`trainee.employer.contact` on create (ssg-api 6.1)."""

    wire_path: ClassVar[str] = "enrolment.trainee.employer.contact"
    full_name: Annotated[str, text(50)]
    email_address: Annotated[str, text(100)]
    contact_number: ContactNumber


class Employer(Request):
    """`trainee.employer` on create: needed when the sponsor is the employer (ssg-api 6.1)."""

    wire_path: ClassVar[str] = "enrolment.trainee.employer"
    uen: Annotated[str, text(50)]
    contact: EmployerContact


class Fees(Request):
    """`trainee.fees` on create; Singapore dollars (ssg-api 6.1)."""

    wire_path: ClassVar[str] = "enrolment.trainee.fees"
    discount_amount: Annotated[Amount | None, Field(ge=Decimal(0))] = None
    collection_status: FeeStatus

    @model_validator(mode="after")
    def _not_cancelled(self) -> Self:
        if self.collection_status is FeeStatus.CANCELLED:
            raise ValueError("collectionStatus: Cancelled is only known in update and search")
        return self


class EnrolmentTrainee(Request):
    """`trainee` on create (ssg-api 6.1)."""

    wire_path: ClassVar[str] = "enrolment.trainee"
    id: Annotated[str, text(20)]
    id_type: Annotated[IdType, Inside("type")]
    full_name: Annotated[str, text(200)]
    date_of_birth: DateText
    email_address: Annotated[str, text(100)]
    contact_number: ContactNumber
    enrolment_date: DateText | None = None
    sponsorship_type: SponsorshipType
    employer: Employer | None = None
    fees: Fees

    @model_validator(mode="after")
    def _employer_when_sponsored(self) -> Self:
        if self.sponsorship_type is SponsorshipType.EMPLOYER and self.employer is None:
            raise ValueError("employer: needed when sponsorshipType is EMPLOYER")
        return self


class EnrolmentBody(Request):
    """A new enrolment (ssg-api 6.1). `training_partner` left out is the caller's."""

    wire_path: ClassVar[str] = "enrolment"
    training_partner: TrainingPartner | None = None
    course: CourseAndRun
    trainee: EnrolmentTrainee


class TraineeChange(Request):
    """What can change of the trainee: e-mail and phone (ssg-api 6.2, spelling of SC2)."""

    wire_path: ClassVar[str] = "enrolment.trainee"
    email: Annotated[str | None, Field(max_length=100)] = None
    contact_number: ContactNumber | None = None


class EmployerContactChange(Request):
    """What can change of the employer: the contact person (ssg-api 6.2)."""

    wire_path: ClassVar[str] = "enrolment.employer.contact"
    full_name: Annotated[str | None, Field(max_length=50)] = None
    email: Annotated[str | None, Field(max_length=100)] = None
    contact_number: ContactNumber | None = None


class FeesChange(Request):
    """What can change of the fees (ssg-api 6.2)."""

    wire_path: ClassVar[str] = "enrolment.fees"
    discount_amount: Annotated[Amount | None, Field(ge=Decimal(0))] = None
    collection_status: FeeStatus | None = None


class EnrolmentUpdate(Request):
    """A change of an enrolment (ssg-api 6.2). Another `run_id` re-points it to a run of the same course.

    Trainee id, name, birth date, sponsorship, course and partner cannot change: cancel and create again.
    """

    wire_path: ClassVar[str] = "enrolment"
    run_id: Annotated[RunNumber, Inside("run", "id"), Field(alias="course", gt=0, lt=10**20)]
    trainee: TraineeChange | None = None
    employer_contact: Annotated[
        EmployerContactChange | None, Inside("contact", model=True), Field(alias="employer")
    ] = None
    fees: FeesChange | None = None
    enrolment_date: DateText | None = None


class EnrolmentQuery(Request):
    """A search (ssg-api 6.5). Members left out do not filter; dates are inclusive Singapore days."""

    wire_path: ClassVar[str] = "search"
    status: EnrolmentStatus | None = None
    course_reference: Annotated[str | None, Field(max_length=100)] = None
    run_id: Annotated[int | None, Field(gt=0, lt=10**20)] = None
    trainee_id: Annotated[str | None, Field(max_length=20)] = None
    id_type: IdType | None = None
    sponsorship_type: SponsorshipType | None = None
    enrolment_date: dt.date | None = None
    employer_uen: Annotated[str | None, Field(max_length=50)] = None
    fee_collection_status: FeeStatus | None = None
    updated_from: dt.date | None = None
    updated_to: dt.date | None = None
    sort_by: Annotated[str, Field(pattern="^(updatedOn|createdOn)$")] = "updatedOn"
    sort_order: Annotated[str, Field(pattern="^(asc|desc)$")] = "desc"
    page: Annotated[int, Field(ge=0)] = 0
    page_size: Annotated[int, Field(ge=1, le=100)] = 100

    def to_body(self, partner: TrainingPartner) -> dict[str, Any]:
        """The search body, with the caller as the partner."""
        trainee = {
            "id": self.trainee_id,
            "idType": {"type": self.id_type} if self.id_type else None,
            "sponsorshipType": self.sponsorship_type,
            "enrolmentDate": iso(self.enrolment_date),
            "employer": {"uen": self.employer_uen} if self.employer_uen else None,
            "fees": {"feeCollectionStatus": self.fee_collection_status}
            if self.fee_collection_status
            else None,
        }
        return {
            "enrolment": filled(
                status=self.status,
                trainingPartner=partner.to_wire(),
                course=course_filter(self.course_reference, self.run_id),
                trainee=filled(**trainee),
            ),
            **paging(self),
        }


def iso(day: dt.date | None) -> str | None:
    """A day as YYYY-MM-DD."""
    return None if day is None else day.isoformat()


def filled(**members: Any) -> dict[str, Any]:
    """Only the members that say something."""
    return {name: value for name, value in members.items() if value not in (None, "", {})}


def course_filter(reference: str | None, run_id: int | None) -> dict[str, Any]:
    """The `course` part of a search."""
    return filled(referenceNumber=reference, run={"id": str(run_id)} if run_id else None)


def paging(query: Any) -> dict[str, Any]:
    """`meta`, `sortBy` and `parameters`, the same in all three searches (ssg-api 6.5, 7.4, 8.1)."""
    meta = filled(lastUpdateDateFrom=iso(query.updated_from), lastUpdateDateTo=iso(query.updated_to))
    return {
        **({"meta": meta} if meta else {}),
        "sortBy": {"field": query.sort_by, "order": query.sort_order},
        "parameters": {"page": query.page, "pageSize": query.page_size},
    }


class EmployerContactView(Reply):
    """`employer.contact` in a reply."""

    full_name: SomeText = None
    contact_number: Annotated[ContactNumberView, EMPTY_OBJECT] = ContactNumberView()
    email: Annotated[SomeText, From("full")] = None


class EmployerView(Reply):
    """`employer` in a reply: all None for an INDIVIDUAL."""

    uen: SomeText = None
    name: SomeText = None
    contact: Annotated[EmployerContactView, EMPTY_OBJECT] = EmployerContactView()


class FeesView(Reply):
    """`fees` in a reply; Singapore dollars."""

    shown: ClassVar[tuple[str, ...]] = ("discount_amount", "collection_status")
    discount_amount: SomeNumber = None
    collection_status: Annotated[str | None, known(FeeStatus)] = None


class EnrolmentTraineeView(Reply):
    """`trainee` in a reply; `email` is read from `email.full`. An incomplete birth date is None."""

    id: SomeText = None
    id_type: Annotated[str | None, known(IdType), From("type")] = None
    full_name: SomeText = None
    date_of_birth: OldDate = None
    contact_number: Annotated[ContactNumberView, EMPTY_OBJECT] = ContactNumberView()
    email: Annotated[SomeText, From("full")] = None
    sponsorship_type: Annotated[str | None, known(SponsorshipType)] = None
    employer: Annotated[EmployerView, EMPTY_OBJECT] = EmployerView()
    fees: Annotated[FeesView, EMPTY_OBJECT] = FeesView()
    enrolment_date: SomeDate = None


class EnrolmentView(Reply):
    """An enrolment as SSG holds it (ssg-api 6.4). Codes in their official spelling, times in UTC."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number", "status")
    reference_number: NeededText
    status: Annotated[str | None, known(EnrolmentStatus)] = None
    training_partner: Annotated[PartnerView, EMPTY_OBJECT] = PartnerView()
    course: Annotated[CourseBrief, EMPTY_OBJECT] = CourseBrief()
    trainee: Annotated[EnrolmentTraineeView, EMPTY_OBJECT] = EnrolmentTraineeView()
    created_on: SomeInstant = None
    updated_on: SomeInstant = None
