"""Courses as the registry and the open directory show them, and SSG's code lists (ssg-api 8.5, 8.6)."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tms_pipeline.ssg.course_run_calls import check_text
from tms_pipeline.ssg.enrolment import filled, iso
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page, PartnerView
from tms_pipeline.ssg.replies import Group, OpenReply, listed, open_reply, rows
from tms_pipeline.ssg.values import EMPTY_LIST, EMPTY_OBJECT, Flag, NeededText, SomeDate, SomeNumber, SomeText
from tms_pipeline.ssg.wire import Reply, Request


class RegistryQuery(Request):
    """A search in the course registry; pages of at most 20 (ssg-api 8.5)."""

    wire_path: ClassVar[str] = "search"
    keyword: str | None = None
    updated_from: dt.date | None = None
    updated_to: dt.date | None = None
    sort_order: Annotated[str, Field(pattern="^(asc|desc)$")] = "desc"
    page: Annotated[int, Field(ge=0)] = 0
    page_size: Annotated[int, Field(ge=1, le=20)] = 20

    def to_body(self) -> dict[str, Any]:
        """The search body; it travels in plain text."""
        updated = filled(**{"from": iso(self.updated_from), "to": iso(self.updated_to)})
        return {
            **filled(keyword=self.keyword),
            "page": self.page,
            "pageSize": self.page_size,
            "details": "FULL",
            "sortBy": {"field": "updatedDate", "order": self.sort_order},
            **({"course": {"meta": {"updatedDate": updated}}} if updated else {}),
        }


class SkillView(Reply):
    """One of a course's skills; SSG's `code` is the likely skill code of assessments (ssg-api 7.1)."""

    shown: ClassVar[tuple[str, ...]] = ("code",)
    code: SomeText = None
    title: SomeText = None
    description: SomeText = None


class PeriodView(Reply):
    """Days on which a funding holds."""

    shown: ClassVar[tuple[str, ...]] = ("start_date", "end_date")
    start_date: SomeDate = None
    end_date: SomeDate = None


class FundingView(Reply):
    """A funding tag of a course and its periods."""

    shown: ClassVar[tuple[str, ...]] = ("code",)
    code: SomeText = None
    description: SomeText = None
    period: Annotated[tuple[PeriodView, ...], EMPTY_LIST] = ()


class RegistryCourse(Reply):
    """A course in the registry: the members that a pipeline needs (ssg-api 8.5)."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number",)
    reference_number: NeededText
    migrated_reference_number: SomeText = None
    title: SomeText = None
    is_active: Flag = False
    training_partner: Annotated[PartnerView, EMPTY_OBJECT] = PartnerView()
    skills: Annotated[tuple[SkillView, ...], EMPTY_LIST] = ()
    unique_skills: Annotated[tuple[SkillView, ...], EMPTY_LIST] = ()
    support: Annotated[tuple[FundingView, ...], EMPTY_LIST] = ()
    total_training_duration_hours: SomeNumber = None
    no_of_training_days: SomeNumber = None
    training_mode: SomeText = None
    programme_type: SomeText = None
    is_course_examinable: Flag = False


class Catalogue(Group):
    """`client.catalogue`. The registry over mTLS, the directory over OAuth2. All raise SsgError."""

    def registry_search(
        self, query: RegistryQuery, *, correlation_id: str | None = None
    ) -> Page[RegistryCourse]:
        """One page of the registry. No hit is an empty page."""

        def read(answer: Answer) -> Page[RegistryCourse]:
            return rows(answer, RegistryCourse, listed(answer.member("courses")), query.page, query.page_size)

        try:
            return self._transport.call(
                "catalogue.registry_search", read, body=query.to_body(), correlation_id=correlation_id
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return Page((), 0, query.page, query.page_size)

    def iter_registry(self, query: RegistryQuery) -> Iterator[RegistryCourse]:
        """Every hit, from the query's page on; raises rather than giving a part of the list."""
        return every(
            lambda page: self.registry_search(query.model_copy(update={"page": page})),
            lambda course: course.reference_number,
            "catalogue.registry_search",
            query.page,
        )

    def registry_details(self, reference: str, *, correlation_id: str | None = None) -> RegistryCourse:
        """A course of the registry. One that is not there raises SSG-NOT-FOUND."""
        return self._transport.call(
            "catalogue.registry_details",
            lambda answer: RegistryCourse.model_validate(answer.member("course")),
            record_id=reference,
            correlation_id=correlation_id,
        )

    def directory(self, reference: str, *, correlation_id: str | None = None) -> OpenReply:
        """A course of the open directory; its members are not documented."""
        return self._open("catalogue.directory", reference, correlation_id)

    def quality(self, reference: str, *, correlation_id: str | None = None) -> OpenReply:
        """Quality ratings by former trainees: `data["quality"]` (ssg-api 8.5)."""
        return self._open("catalogue.quality", reference, correlation_id)

    def outcome(self, reference: str, *, correlation_id: str | None = None) -> OpenReply:
        """Outcome ratings by former trainees: `data["outcome"]` (ssg-api 8.5)."""
        return self._open("catalogue.outcome", reference, correlation_id)

    def _open(self, endpoint: str, reference: str, correlation_id: str | None) -> OpenReply:
        check_text(reference, "courseReferenceNumber", 100, endpoint)
        return self._transport.call(endpoint, open_reply, record_id=reference, correlation_id=correlation_id)


class Codes(Group):
    """`client.codes`. Replies are not documented (ssg-api 8.6), so they come as SSG sent them."""

    def look_up(
        self,
        kind: Literal["grants", "enrolments", "assessments", "error"],
        parameter: str,
        *,
        correlation_id: str | None = None,
    ) -> OpenReply:
        """A code list, e.g. `grants` `fundingComponent`, or what a code means: `error` `TGS-441`."""
        return self._transport.call(
            f"codes.{kind}", open_reply, record_id=parameter, correlation_id=correlation_id
        )
