"""Course runs, as they travel (ssg-api 4.1 to 4.5)."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from tms_pipeline.ssg.codes import TrainingMode, VacancyCode
from tms_pipeline.ssg.course_run_view import CourseRunView
from tms_pipeline.ssg.session import SessionAdd, SessionChange, SessionDelete, SessionUpdate
from tms_pipeline.ssg.trainer import RunTrainer
from tms_pipeline.ssg.values import DateNumber
from tms_pipeline.ssg.venue import Venue, require_venue
from tms_pipeline.ssg.wire import Inside, Request, text


class RegistrationDates(Request):
    """`registrationDates`: opening not after closing; Singapore days."""

    wire_path: ClassVar[str] = "registrationDates"
    opening: DateNumber
    closing: DateNumber

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opening > self.closing:
            raise ValueError("closing: must not be before opening")
        return self


class CourseDates(Request):
    """`courseDates`: start not after end; Singapore days."""

    wire_path: ClassVar[str] = "courseDates"
    start: DateNumber
    end: DateNumber

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("end: must not be before start")
        return self


class ScheduleInfoType(Request):
    """`scheduleInfoType`: only `01` `Description` was ever seen (ssg-api 4.0)."""

    wire_path: ClassVar[str] = "scheduleInfoType"
    code: Annotated[str, text(2)] = "01"
    description: Annotated[str, text(32)] = "Description"


class CourseVacancy(Request):
    """`courseVacancy`; the description follows from the code."""

    wire_path: ClassVar[str] = "courseVacancy"
    code: VacancyCode
    description: Annotated[str | None, Field(max_length=128)] = None

    @model_validator(mode="after")
    def _describe(self) -> Self:
        if not self.description:
            object.__setattr__(self, "description", self.code.description)
        return self


class CourseFile(Request):
    """`file`: the name has a capital N on the wire; the content is base64."""

    wire_path: ClassVar[str] = "file"
    name: Annotated[str, Field(alias="Name", max_length=255)] = ""
    content: str = ""


class RunFields(Request):
    """What a published and an edited run have in common (ssg-api 4.1)."""

    wire_path: ClassVar[str] = "run"
    registration_dates: RegistrationDates
    course_dates: CourseDates
    schedule_info_type: ScheduleInfoType = ScheduleInfoType()
    schedule_info: Annotated[str, text()]
    venue: Venue | None = None
    intake_size: Annotated[int | None, Field(ge=0)] = None
    threshold: Annotated[int | None, Field(ge=0)] = None
    registered_user_count: Annotated[int | None, Field(ge=0)] = None
    mode_of_training: TrainingMode
    course_admin_email: Annotated[str, text(255)]
    course_vacancy: CourseVacancy
    file: CourseFile | None = None
    to_append_course_application_url: Annotated[bool | None, Field(alias="toAppendCourseApplicationURL")] = (
        None
    )
    course_application_url: str | None = None
    not_shown_to_public: bool | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.registration_dates.opening > self.course_dates.start:
            raise ValueError("registrationDates.opening: must not be after courseDates.start")
        require_venue(self.venue, self.mode_of_training)
        seats = (self.intake_size or 0) + (self.threshold or 0)
        if self.intake_size is not None and (self.registered_user_count or 0) > seats:
            raise ValueError("registeredUserCount: must not be more than intakeSize + threshold")
        return self


class CourseRunBody(RunFields):
    """A run to publish. Sessions must lie inside the course dates."""

    wire_path: ClassVar[str] = "course.runs"
    sequence_number: int = 0
    sessions: tuple[SessionAdd, ...] = ()
    trainers: Annotated[
        tuple[Annotated[RunTrainer, Inside("trainer", model=True)], ...], Field(alias="linkCourseRunTrainer")
    ] = ()

    @model_validator(mode="after")
    def _sessions_inside(self) -> Self:
        _inside_course_dates(self.sessions, self.course_dates)
        return self

    def to_wire(self) -> dict[str, Any]:
        """As it travels in `runs`."""
        return _run_to_wire(self, self.sessions, self.trainers)


class CourseRunEdit(RunFields):
    """A changed run. SSG wants the whole of it every time: read, merge, send everything (ssg-api 4.2).

    sessions: only the changed ones, the others stay. trainers: ALL of the run's trainers, because SSG
    replaces the list; an empty one removes them. It has no default on purpose.
    """

    wire_path: ClassVar[str] = "course.run"
    sessions: tuple[SessionUpdate | SessionDelete | SessionAdd, ...] = ()
    trainers: Annotated[
        tuple[Annotated[RunTrainer, Inside("trainer", model=True)], ...], Field(alias="linkCourseRunTrainer")
    ]

    @model_validator(mode="before")
    @classmethod
    def _read_actions(cls, values: Any) -> Any:
        """From wire names: `action` says which kind of change a session is."""
        if not isinstance(values, dict):
            return values
        values = {name: value for name, value in values.items() if name != "action"}
        if "sessions" in values:
            values["sessions"] = tuple(_session_change(session) for session in values["sessions"])
        return values

    @model_validator(mode="after")
    def _sessions_inside(self) -> Self:
        _inside_course_dates(self.sessions, self.course_dates)
        return self

    def to_wire(self) -> dict[str, Any]:
        """As it travels in `run`, with its action."""
        return {"action": "update", **_run_to_wire(self, self.sessions, self.trainers)}

    @classmethod
    def merged(
        cls,
        view: CourseRunView,
        *,
        trainers: Sequence[RunTrainer],
        sessions: Sequence[SessionChange] = (),
        **changes: Any,
    ) -> Self:
        """The whole run as SSG holds it, with `changes` (attribute names) over it.

        Trainers must be given: SSG masks their id numbers, so they cannot be taken from `view`. A street or a
        room that SSG holds and that is longer than today's limit raises ShapeError (ssg-api 4.1).
        """
        values: dict[str, Any] = {
            "registration_dates": {
                "opening": view.registration_opening,
                "closing": view.registration_closing,
            },
            "course_dates": {"start": view.course_start, "end": view.course_end},
            "schedule_info": view.schedule_info or "",
            "venue": {
                name: value
                for name, value in view.venue.model_dump().items()
                if value is not None and name in Venue.model_fields
            },
            "intake_size": view.intake_size,
            "threshold": view.threshold,
            "registered_user_count": view.registered_user_count,
            "mode_of_training": view.mode_of_training,
            "course_admin_email": view.course_admin_email or "",
            "course_vacancy": {"code": view.course_vacancy.code},
        }
        if view.schedule_info_type.code:
            values["schedule_info_type"] = view.schedule_info_type.model_dump(exclude_none=True)
        return cls(**{**values, **changes}, trainers=tuple(trainers), sessions=tuple(sessions))


def _session_change(session: Any) -> Any:
    if not isinstance(session, dict):
        return session
    kinds: dict[str, type[SessionUpdate] | type[SessionDelete]] = {
        "update": SessionUpdate,
        "delete": SessionDelete,
    }
    kind = kinds.get(str(session.get("action")), SessionAdd)
    return kind.model_validate({name: value for name, value in session.items() if name != "action"})


def _inside_course_dates(sessions: Sequence[SessionChange], dates: CourseDates) -> None:
    for session in sessions:
        if isinstance(session, SessionDelete):
            continue
        days = [day for day in (session.start_date, session.end_date) if day]
        if any(not dates.start <= day <= dates.end for day in days):
            raise ValueError("sessions.startDate: every session must lie inside courseDates")


def _run_to_wire(
    run: RunFields, sessions: Sequence[SessionChange], trainers: Sequence[RunTrainer]
) -> dict[str, Any]:
    wire = run.model_dump(by_alias=True, exclude_none=True, exclude={"sessions", "trainers"})
    if sessions:
        wire["sessions"] = [session.to_wire() for session in sessions]
    wire["linkCourseRunTrainer"] = [trainer.to_wire() for trainer in trainers]
    return wire
