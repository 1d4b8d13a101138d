"""SkillsFuture Credit claims (ssg-api 8.3). The provider needs a subscription of its own."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field

from tms_pipeline.ssg.codes import ClaimCancelCode
from tms_pipeline.ssg.course_run_calls import check_text
from tms_pipeline.ssg.enrolment_calls import check_id_number
from tms_pipeline.ssg.envelope import Answer
from tms_pipeline.ssg.errors import ShapeError
from tms_pipeline.ssg.replies import Group, OpenReply, open_reply
from tms_pipeline.ssg.values import Amount, DateText, SomeDate, SomeNumber, SomeText
from tms_pipeline.ssg.wire import Reply, Request, text

FILE_TYPES = ("pdf", "doc", "docx", "tif", "jpg", "jpeg", "png", "xls", "xlsm", "xlsx")


class ClaimIndividual(Request):
    """Who claims; the phone numbers travel as numbers, as in SSG's sample."""

    wire_path: ClassVar[str] = "claimRequest.individual"
    nric: Annotated[str, text(9)]
    mobile_number: Annotated[int | None, Field(ge=0, le=99_999_999)] = None
    home_number: Annotated[int | None, Field(ge=0, le=99_999_999)] = None
    email: Annotated[str | None, Field(max_length=241)] = None


class ClaimCourse(Request):
    """What is claimed for; the fee in Singapore dollars."""

    wire_path: ClassVar[str] = "claimRequest.course"
    id: Annotated[str, text(50)]
    run_id: Annotated[str | None, Field(max_length=50)] = None
    start_date: DateText
    fee: Annotated[Amount, Field(ge=Decimal(0), le=Decimal("999999.99"), decimal_places=2)]


class ClaimRequest(Request):
    """A claim to hand to the payment gateway."""

    wire_path: ClassVar[str] = "claimRequest"
    individual: ClaimIndividual
    course: ClaimCourse
    additional_information: Annotated[str | None, Field(max_length=512)] = None


class ClaimAttachment(Request):
    """A supporting document: its size in MB as text, its content in base64."""

    wire_path: ClassVar[str] = "attachments"
    file_name: Annotated[str, text(255)]
    file_size: Annotated[str, text(20)]
    file_type: Annotated[str, Field(pattern="^(" + "|".join(FILE_TYPES) + ")$")]
    attachment_id: str
    attachment_byte: Annotated[str, text()]


class ClaimStatus(Reply):
    """What the payment gateway answered, decrypted (ssg-api 8.3)."""

    shown: ClassVar[tuple[str, ...]] = ("transaction_status", "claim_id")
    transaction_status: SomeText = None
    nric: SomeText = None
    course_id: SomeText = None
    run_id: SomeText = None
    start_date: SomeDate = None
    claim_id: SomeText = None
    amount: SomeNumber = None
    claim_date: SomeDate = None
    additional_information: SomeText = None


class Credit(Group):
    """`client.credit`. All raise SsgError."""

    def encrypt_request(self, claim: ClaimRequest, *, correlation_id: str | None = None) -> OpenReply:
        """The text that the browser posts to the payment gateway (the reply is not documented)."""
        return self._transport.call(
            "credit.encrypt_request",
            open_reply,
            body={"claimRequest": claim.to_wire()},
            correlation_id=correlation_id,
        )

    def decrypt_request(self, encrypted: str, *, correlation_id: str | None = None) -> ClaimStatus:
        """What the browser brought back from the payment gateway."""

        def read(answer: Answer) -> ClaimStatus:
            return ClaimStatus(
                transactionStatus=answer.member("claimRequestStatus", "transactionStatus"),
                nric=answer.member("claimRequestStatus", "individual", "nric"),
                courseId=answer.member("claimRequestStatus", "course", "id"),
                runId=answer.member("claimRequestStatus", "course", "runId"),
                startDate=answer.member("claimRequestStatus", "course", "startDate"),
                claimId=answer.member("claimRequestStatus", "claim", "id"),
                amount=answer.member("claimRequestStatus", "claim", "amount"),
                claimDate=answer.member("claimRequestStatus", "claim", "date"),
                additionalInformation=answer.member("claimRequestStatus", "additionalInformation"),
            )

        return self._transport.call(
            "credit.decrypt_request",
            read,
            body={"claimRequestStatus": encrypted},
            correlation_id=correlation_id,
        )

    def supporting_documents(
        self,
        claim_id: str,
        nric: str,
        attachments: Sequence[ClaimAttachment],
        *,
        correlation_id: str | None = None,
    ) -> None:
        """Upload documents for a claim."""
        endpoint = "credit.supporting_documents"
        self._check_nric(nric, endpoint)
        if not attachments:
            raise ShapeError("attachments", "at least one", endpoint=endpoint)
        self._transport.call(
            endpoint,
            lambda answer: None,
            record_id=claim_id,
            body={"nric": nric, "attachments": [attachment.to_wire() for attachment in attachments]},
            correlation_id=correlation_id,
        )

    def view_claim(self, claim_id: str, nric: str, *, correlation_id: str | None = None) -> OpenReply:
        """A claim as SSG holds it (the reply is not documented). The id number travels in the URL."""
        self._check_nric(nric, "credit.view_claim")
        return self._transport.call(
            "credit.view_claim",
            open_reply,
            record_id=claim_id,
            query={"nric": nric},
            correlation_id=correlation_id,
        )

    def cancel_claim(
        self, claim_id: str, nric: str, code: ClaimCancelCode | str, *, correlation_id: str | None = None
    ) -> None:
        """Cancel a claim, with the reason. The path has no `/cancel` (ssg-api 8.3, 14.4)."""
        endpoint = "credit.cancel_claim"
        self._check_nric(nric, endpoint)
        try:
            reason = ClaimCancelCode(code)
        except ValueError:
            reason = None
        if reason is None:
            raise ShapeError("claimCancelCode", "51 to 55", endpoint=endpoint)
        body: dict[str, Any] = {"nric": nric, "claimCancelCode": reason}
        self._transport.call(
            endpoint, lambda answer: None, record_id=claim_id, body=body, correlation_id=correlation_id
        )

    def _check_nric(self, nric: str, endpoint: str) -> None:
        check_text(nric, "nric", 9, endpoint)
        check_id_number(self._transport.config.check_id_numbers, nric, "nric", endpoint)
