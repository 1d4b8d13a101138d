"""Grants: SSG makes them from enrolments, we only read (ssg-api 8.1)."""

import datetime as dt
import re
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from tms_pipeline.ssg.enrolment import course_filter, filled, paging
from tms_pipeline.ssg.party import (
    CodeView,
    CourseBrief,
    GrantAmount,
    PartnerView,
    PersonView,
    TrainingPartner,
)
from tms_pipeline.ssg.values import EMPTY_OBJECT, NeededText, SomeDate, SomeInstant, SomeText
from tms_pipeline.ssg.wire import From, Reply, Request


class GrantQuery(Request):
    """A search (ssg-api 8.1). Members left out do not filter; dates are inclusive Singapore days.

    The largest page is not documented; 100 as in the other searches (ssg-api 10, read 2026-11-21).
    """

    wire_path: ClassVar[str] = "search"
    enrolment_reference: Annotated[str | None, Field(max_length=100)] = None
    trainee_id: Annotated[str | None, Field(max_length=20)] = None
    employer_uen: Annotated[str | None, Field(max_length=50)] = None
    course_reference: Annotated[str | None, Field(max_length=100)] = None
    run_id: Annotated[int | None, Field(gt=0, lt=10**20)] = None
    updated_from: dt.date | None = None
    updated_to: dt.date | None = None
    sort_by: Annotated[str, Field(pattern="^(updatedOn|createdOn)$")] = "updatedOn"
    sort_order: Annotated[str, Field(pattern="^(asc|desc)$")] = "desc"
    page: Annotated[int, Field(ge=0)] = 0
    page_size: Annotated[int, Field(ge=1, le=100)] = 100

    def to_body(self, partner: TrainingPartner) -> dict[str, Any]:
        """The search body; its root is the plural `grants`."""
        return {
            "grants": filled(
                enrolment=filled(referenceNumber=self.enrolment_reference),
                trainee=filled(id=self.trainee_id),
                employer=filled(uen=self.employer_uen),
                trainingPartner=partner.to_wire(),
                course=course_filter(self.course_reference, self.run_id),
            ),
            **paging(self),
        }


class GrantView(Reply):
    """A grant as SSG holds it. Status texts seen: Grant Processing, Completed, Cancelled (ssg-api 8.1)."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number", "status")
    reference_number: NeededText
    status: SomeText = None
    reason: SomeText = None
    funding_scheme: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    funding_component: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    grant_amount: Annotated[GrantAmount, EMPTY_OBJECT] = GrantAmount()
    disbursement_date: SomeDate = None
    training_partner: Annotated[PartnerView, EMPTY_OBJECT] = PartnerView()
    course: Annotated[CourseBrief, EMPTY_OBJECT] = CourseBrief()
    trainee: Annotated[PersonView, EMPTY_OBJECT] = PersonView()
    enrolment_reference: Annotated[SomeText, From("referenceNumber"), Field(alias="enrolment")] = None
    created_on: SomeInstant = None
    updated_on: SomeInstant = None

    @model_validator(mode="before")
    @classmethod
    def _any_reason(cls, values: Any) -> Any:
        """SSG's reasons travel under a name that no source shows (its ledger has sub-statuses, ssg-api 8.1).

        So every member whose name speaks of a reason or a sub-status is taken as it came, with its name.
        """
        if not isinstance(values, dict):
            return values
        found = [f"{name}: {said}" for name, value in values.items() if _SPEAKS.search(name) and (said := _said(value))]
        return {**values, "reason": "; ".join(found) or None}


_SPEAKS = re.compile(r"reason|sub_?status", re.IGNORECASE)
_ID_NUMBER = re.compile(r"[STFGM]\d{7}[A-Z]", re.IGNORECASE)


def _said(value: Any) -> str:
    """A text, or the description and code of a coded value; an identity number in it is left out."""
    if isinstance(value, dict):
        value = " ".join(str(value[name]) for name in ("code", "description") if value.get(name))
    return _ID_NUMBER.sub("(number)", str(value))[:200].strip() if isinstance(value, str | int) else ""
