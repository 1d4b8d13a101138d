"""Assessments at SSG (ssg-api 7)."""

from collections.abc import Iterator
from typing import Any

from tms_pipeline.ssg.assessment import AssessmentBody, AssessmentQuery, AssessmentUpdate, AssessmentView
from tms_pipeline.ssg.codes import IdType
from tms_pipeline.ssg.course_run_calls import check_text
from tms_pipeline.ssg.enrolment_calls import check_id_number
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page, WriteReply
from tms_pipeline.ssg.replies import Group, listed, rows, with_times, write_reply


class Assessments(Group):
    """`client.assessments`. All raise SsgError; what a request breaks raises ShapeError."""

    def create(self, body: AssessmentBody, *, correlation_id: str | None = None) -> WriteReply:
        """Record one assessment; the reply has the ASM reference (ssg-api 7.1).

        An `unknown` error must be followed by a search, never by a second create.
        """
        check_id_number(
            self._transport.config.check_id_numbers and body.trainee.id_type is not IdType.OTHERS,
            body.trainee.id,
            "assessment.trainee.id",
            "assessments.create",
        )
        return self._transport.call(
            "assessments.create",
            lambda answer: write_reply(answer, "assessment"),
            body={"assessment": self._with_partner(body)},
            correlation_id=correlation_id,
        )

    def update(
        self, reference: str, body: AssessmentUpdate, *, correlation_id: str | None = None
    ) -> WriteReply:
        """Change an assessment (ssg-api 7.2). Course, run, trainee id and partner cannot change."""
        return self._change("assessments.update", "update", reference, body, correlation_id)

    def void(
        self, reference: str, body: AssessmentUpdate | None = None, *, correlation_id: str | None = None
    ) -> WriteReply:
        """Void an assessment for good (ssg-api 7.2). SSG's sample sends the last values too."""
        return self._change("assessments.void", "void", reference, body or AssessmentUpdate(), correlation_id)

    def view(self, reference: str, *, correlation_id: str | None = None) -> AssessmentView:
        """An assessment by its reference (ssg-api 7.3). One that is not there raises SSG-NOT-FOUND."""

        def read(answer: Answer) -> AssessmentView:
            record = answer.member("assessment") or answer.data
            return AssessmentView.model_validate(with_times(record, answer.meta))

        return self._transport.call(
            "assessments.view", read, record_id=reference, correlation_id=correlation_id
        )

    def search(self, query: AssessmentQuery, *, correlation_id: str | None = None) -> Page[AssessmentView]:
        """One page of a search (ssg-api 7.4). No hit is an empty page, whether SSG says 200 or 404."""

        def read(answer: Answer) -> Page[AssessmentView]:
            records: list[Any] = [
                with_times(item.get("assessment", item), item.get("meta")) for item in listed(answer.data)
            ]
            return rows(answer, AssessmentView, records, query.page, query.page_size)

        try:
            return self._transport.call(
                "assessments.search", read, body=query.to_body(self._partner), correlation_id=correlation_id
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return Page((), 0, query.page, query.page_size)

    def iter_search(self, query: AssessmentQuery) -> Iterator[AssessmentView]:
        """Every hit of a search, from its page on; raises rather than giving a part of the list."""
        return every(
            lambda page: self.search(query.model_copy(update={"page": page})),
            lambda row: row.reference_number,
            "assessments.search",
            query.page,
        )

    def _change(
        self, endpoint: str, action: str, reference: str, body: AssessmentUpdate, correlation_id: str | None
    ) -> WriteReply:
        check_text(reference, "assessmentReferenceNumber", 100, endpoint)
        return self._transport.call(
            endpoint,
            lambda answer: write_reply(answer, "assessment", reference),
            record_id=reference,
            body={"assessment": {"action": action, **body.to_wire()}},
            correlation_id=correlation_id,
        )
