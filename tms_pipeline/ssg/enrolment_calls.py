"""Enrolments and fees at SSG (ssg-api 6)."""

from collections.abc import Iterator
from typing import Any

from tms_pipeline.ssg.codes import FeeStatus, IdType
from tms_pipeline.ssg.course_run_calls import check_text
from tms_pipeline.ssg.enrolment import EnrolmentBody, EnrolmentQuery, EnrolmentUpdate, EnrolmentView
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import ShapeError, SsgError
from tms_pipeline.ssg.id_number import check_letter_fits
from tms_pipeline.ssg.paging import every
from tms_pipeline.ssg.party import Page, WriteReply
from tms_pipeline.ssg.replies import Group, listed, rows, with_times, write_reply


class Enrolments(Group):
    """`client.enrolments`. All raise SsgError; what a request breaks raises ShapeError."""

    def create(self, body: EnrolmentBody, *, correlation_id: str | None = None) -> WriteReply:
        """Enrol one trainee in one run; the reply has the ENR reference (ssg-api 6.1).

        SSG has no idempotency key: an `unknown` error must be followed by a search, never by a second create.
        """
        check_id_number(
            self._transport.config.check_id_numbers and body.trainee.id_type is not IdType.OTHERS,
            body.trainee.id,
            "enrolment.trainee.id",
            "enrolments.create",
        )
        return self._transport.call(
            "enrolments.create",
            lambda answer: write_reply(answer, "enrolment"),
            body={"enrolment": self._with_partner(body)},
            correlation_id=correlation_id,
        )

    def update(
        self, reference: str, body: EnrolmentUpdate, *, correlation_id: str | None = None
    ) -> WriteReply:
        """Change an enrolment (ssg-api 6.2). A cancelled one raises SSG-TGS-439 (permanent)."""
        return self._change(
            "enrolments.update", reference, {"action": "Update", **body.to_wire()}, correlation_id
        )

    def cancel(self, reference: str, run_id: int, *, correlation_id: str | None = None) -> WriteReply:
        """Cancel an enrolment for good (ssg-api 6.2). Cancelled before raises `already_done`."""
        if run_id <= 0:
            raise ShapeError("enrolment.course.run.id", "more than 0", endpoint="enrolments.cancel")
        body = {"action": "Cancel", "course": {"run": {"id": str(run_id)}}}
        return self._change("enrolments.cancel", reference, body, correlation_id)

    def update_fee(
        self, reference: str, collection_status: FeeStatus | str, *, correlation_id: str | None = None
    ) -> WriteReply:
        """Set the fee collection status (ssg-api 6.3). The reply has no status of the enrolment."""
        try:
            status = FeeStatus(collection_status)
        except ValueError:
            status = None
        if status is None:
            raise ShapeError(
                "enrolment.fees.collectionStatus",
                "one of " + ", ".join(FeeStatus),
                endpoint="enrolments.update_fee",
            )
        return self._change(
            "enrolments.update_fee", reference, {"fees": {"collectionStatus": status}}, correlation_id
        )

    def view(self, reference: str, *, correlation_id: str | None = None) -> EnrolmentView:
        """An enrolment by its reference (ssg-api 6.4). One that is not there raises SSG-NOT-FOUND."""
        return self._transport.call(
            "enrolments.view",
            lambda answer: EnrolmentView.model_validate(with_times(answer.member("enrolment"), answer.meta)),
            record_id=reference,
            correlation_id=correlation_id,
        )

    def search(self, query: EnrolmentQuery, *, correlation_id: str | None = None) -> Page[EnrolmentView]:
        """One page of a search (ssg-api 6.5). No hit is an empty page, whether SSG says 200 or 404."""

        def read(answer: Answer) -> Page[EnrolmentView]:
            records = [
                with_times(item["enrolment"], item.get("meta"))
                if "enrolment" in item
                else with_times(item, {})
                for item in listed(answer.data)
            ]
            return rows(answer, EnrolmentView, records, query.page, query.page_size)

        try:
            return self._transport.call(
                "enrolments.search", read, body=query.to_body(self._partner), correlation_id=correlation_id
            )
        except SsgError as error:
            if error.code != "SSG-NOT-FOUND":
                raise
        return Page((), 0, query.page, query.page_size)

    def iter_search(self, query: EnrolmentQuery) -> Iterator[EnrolmentView]:
        """Every hit of a search, from its page on; raises rather than giving a part of the list."""
        return every(
            lambda page: self.search(query.model_copy(update={"page": page})),
            lambda row: row.reference_number,
            "enrolments.search",
            query.page,
        )

    def _change(
        self, endpoint: str, reference: str, body: dict[str, Any], correlation_id: str | None
    ) -> WriteReply:
        check_text(reference, "enrolmentReferenceNumber", 100, endpoint)
        return self._transport.call(
            endpoint,
            lambda answer: write_reply(answer, "enrolment", reference),
            record_id=reference,
            body={"enrolment": body},
            correlation_id=correlation_id,
        )


def check_id_number(check: bool, number: str, field: str, endpoint: str) -> None:
    """Raise ShapeError (SSG-ID-NUMBER) when the check letter is wrong. The number is not in the error."""
    if check and not check_letter_fits(number):
        raise ShapeError(
            field, "the check letter does not fit the digits", endpoint=endpoint, entry_id="SSG-ID-NUMBER"
        )
