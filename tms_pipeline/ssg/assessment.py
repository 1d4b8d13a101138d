"""Assessments, as they travel (ssg-api 7)."""

import datetime as dt
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tms_pipeline.ssg.codes import AssessmentResult, Grade, IdType
from tms_pipeline.ssg.enrolment import course_filter, filled, paging
from tms_pipeline.ssg.party import CourseAndRun, CourseBrief, PartnerView, PersonView, TrainingPartner
from tms_pipeline.ssg.values import (
    EMPTY_OBJECT,
    DateText,
    NeededText,
    SomeDate,
    SomeInstant,
    SomeInt,
    SomeText,
)
from tms_pipeline.ssg.wire import From, Inside, Reply, Request, text


class AssessmentTrainee(Request):
    """`trainee`: here `idType` is a plain text, unlike in an enrolment (ssg-api 7.0)."""

    wire_path: ClassVar[str] = "assessment.trainee"
    id_type: IdType
    id: Annotated[str, text(20)]
    full_name: Annotated[str, text(200)]


class AssessmentBody(Request):
    """A new assessment (ssg-api 7.1). `training_partner` left out is the caller's."""

    wire_path: ClassVar[str] = "assessment"
    training_partner: TrainingPartner | None = None
    course: CourseAndRun
    trainee: AssessmentTrainee
    result: AssessmentResult
    score: Annotated[int | None, Field(ge=0, le=100)] = None
    grade: Grade | None = None
    assessment_date: DateText
    skill_code: Annotated[str | None, Field(max_length=30)] = None
    conferring_institute_code: Annotated[
        str | None, Inside("code"), Field(alias="conferringInstitute", max_length=20)
    ] = None


class AssessmentUpdate(Request):
    """A change of an assessment, or the last values of one to void (ssg-api 7.2)."""

    wire_path: ClassVar[str] = "assessment"
    full_name: Annotated[str | None, Inside("fullName"), Field(alias="trainee", max_length=200)] = None
    result: AssessmentResult | None = None
    score: Annotated[int | None, Field(ge=0, le=100)] = None
    grade: Grade | None = None
    assessment_date: DateText | None = None
    skill_code: Annotated[str | None, Field(max_length=30)] = None


class AssessmentQuery(Request):
    """A search (ssg-api 7.4). Members left out do not filter; dates are inclusive Singapore days."""

    wire_path: ClassVar[str] = "search"
    course_reference: Annotated[str | None, Field(max_length=50)] = None
    run_id: Annotated[int | None, Field(gt=0, lt=10**20)] = None
    trainee_id: Annotated[str | None, Field(max_length=20)] = None
    skill_code: Annotated[str | None, Field(max_length=30)] = None
    enrolment_reference: Annotated[str | None, Field(max_length=100)] = None
    updated_from: dt.date | None = None
    updated_to: dt.date | None = None
    sort_by: Annotated[str, Field(pattern="^(updatedOn|createdOn|assessmentDate)$")] = "updatedOn"
    sort_order: Annotated[str, Field(pattern="^(asc|desc)$")] = "desc"
    page: Annotated[int, Field(ge=0)] = 0
    page_size: Annotated[int, Field(ge=1, le=100)] = 100

    def to_body(self, partner: TrainingPartner) -> dict[str, Any]:
        """The search body; its root is the plural `assessments`."""
        return {
            "assessments": filled(
                trainingPartner=partner.to_wire(),
                course=course_filter(self.course_reference, self.run_id),
                trainee=filled(id=self.trainee_id),
                skillCode=self.skill_code,
                enrolment=filled(referenceNumber=self.enrolment_reference),
            ),
            **paging(self),
        }


class AssessmentView(Reply):
    """An assessment as SSG holds it (ssg-api 7.3, 7.4). A voided one has the result `Void`."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number", "result")
    reference_number: NeededText
    training_partner: Annotated[PartnerView, EMPTY_OBJECT] = PartnerView()
    course: Annotated[CourseBrief, EMPTY_OBJECT] = CourseBrief()
    trainee: Annotated[PersonView, EMPTY_OBJECT] = PersonView()
    result: SomeText = None
    score: SomeInt = None
    grade: SomeText = None
    assessment_date: SomeDate = None
    skill_code: SomeText = None
    conferring_institute: Annotated[PartnerView, EMPTY_OBJECT] = PartnerView()
    enrolment_reference: Annotated[SomeText, From("referenceNumber"), Field(alias="enrolment")] = None
    created_on: SomeInstant = None
    updated_on: SomeInstant = None
