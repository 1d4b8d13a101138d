"""Attendance of sessions, as it travels (ssg-api 5)."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from tms_pipeline.ssg.codes import AttendanceStatus, IdCode, SurveyLanguage, TrainingMode
from tms_pipeline.ssg.party import CodeView, ContactNumberView
from tms_pipeline.ssg.session import SessionView
from tms_pipeline.ssg.values import EMPTY_LIST, EMPTY_OBJECT, Amount, Flag, SomeInt, SomeNumber, SomeText
from tms_pipeline.ssg.wire import Inside, Reply, Request, text


class AttendanceContact(Request):
    """`contactNumber` here: codes are numbers, the area code may be null (ssg-api 5.2)."""

    wire_path: ClassVar[str] = "course.attendance.trainee.contactNumber"
    mobile: Annotated[str | None, Field(max_length=15)] = None
    area_code: Annotated[int | None, Field(ge=0, le=99999)] = None
    country_code: Annotated[int, Field(ge=1, le=999)] = 65

    def to_wire(self) -> dict[str, Any]:
        """As it travels: the area code even when it is null."""
        return {"mobile": self.mobile or "", "areaCode": self.area_code, "countryCode": self.country_code}


class AttendanceTrainee(Request):
    """`trainee`: e-mail or mobile is needed, one of them is enough (ssg-api 5.2)."""

    wire_path: ClassVar[str] = "course.attendance.trainee"
    id: Annotated[str, text(50)]
    name: Annotated[str, text(66)]
    email: Annotated[str | None, Field(max_length=320)] = None
    id_type: Annotated[IdCode, Inside("code")]
    contact_number: AttendanceContact = AttendanceContact()
    number_of_hours: Annotated[Amount | None, Field(ge=Decimal("0.5"), le=Decimal("8.0"))] = None
    survey_language: Annotated[SurveyLanguage, Inside("code")] = SurveyLanguage.ENGLISH

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not (self.email or "").strip() and not (self.contact_number.mobile or "").strip():
            raise ValueError("email: email or contactNumber.mobile is needed")
        return self


class AttendanceBody(Request):
    """One trainee's attendance of one session (ssg-api 5.2). The same again changes the same row.

    mode_of_training: of the session; it does not travel. For mode 4 the hours are needed (0.5 to 8.0).
    """

    wire_path: ClassVar[str] = "course.attendance"
    session_id: Annotated[str, text(300)]
    course_reference: Annotated[str, text(100)]
    status: AttendanceStatus
    trainee: AttendanceTrainee
    mode_of_training: TrainingMode | None = None

    @model_validator(mode="after")
    def _hours_on_the_job(self) -> Self:
        if self.mode_of_training is TrainingMode.ON_THE_JOB and self.trainee.number_of_hours is None:
            raise ValueError("trainee.numberOfHours: needed for modeOfTraining 4, 0.5 to 8.0")
        return self

    def to_body(self, uen: str, corppass_id: str) -> dict[str, Any]:
        """The whole body, in the caller's name."""
        trainee = self.trainee.to_wire()
        trainee["contactNumber"] = self.trainee.contact_number.to_wire()
        return {
            "uen": uen,
            "corppassId": corppass_id,
            "course": {
                "sessionID": self.session_id,
                "referenceNumber": self.course_reference,
                "attendance": {"status": {"code": self.status}, "trainee": trainee},
            },
        }


_STATUS_CODES = {status.description.casefold(): status for status in AttendanceStatus}


class AttendanceTraineeView(Reply):
    """`trainee` of an attendance row (ssg-api 5.1)."""

    id: SomeText = None
    name: SomeText = None
    email: SomeText = None
    id_type: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    contact_number: Annotated[ContactNumberView, EMPTY_OBJECT] = ContactNumberView()
    survey_language: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    individual_id: SomeText = None
    account_type: SomeText = None
    attendee_type: SomeText = None


class AttendanceRow(Reply):
    """One row of a session's attendance (ssg-api 5.1)."""

    shown: ClassVar[tuple[str, ...]] = ("id", "status")
    id: SomeText = None
    entry_mode: SomeText = None
    status: SomeText = None
    nric: SomeText = None
    number_of_hours: SomeNumber = None
    edited_by_tp: Annotated[Flag, Field(alias="editedByTP")] = False
    sent_to_traqom: SomeText = None
    manually_added: Flag = False
    error_message: SomeText = None
    trainee: Annotated[AttendanceTraineeView, EMPTY_OBJECT] = AttendanceTraineeView()

    @property
    def status_code(self) -> AttendanceStatus | None:
        """The upload code for the status text, None for a text that is not in the list."""
        return _STATUS_CODES.get((self.status or "").casefold())

    @property
    def trainee_id(self) -> str | None:
        """The trainee's id, from the trainee or from the row."""
        return self.trainee.id or self.nric


class SessionAttendance(SessionView):
    """A session with its attendance rows; the list may be empty."""

    run_id: SomeInt = None
    attendance: Annotated[tuple[AttendanceRow, ...], EMPTY_LIST] = ()
