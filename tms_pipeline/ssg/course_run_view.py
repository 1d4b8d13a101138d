"""Course runs as SSG answers them (ssg-api 4.4, 4.5)."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from tms_pipeline.ssg.party import CodeView
from tms_pipeline.ssg.trainer import RunTrainerView
from tms_pipeline.ssg.values import EMPTY_LIST, EMPTY_OBJECT, Flag, SomeDate, SomeInt, SomeText, WholeNumber
from tms_pipeline.ssg.venue import VenueView
from tms_pipeline.ssg.wire import From, Reply


class SupportView(Reply):
    """One funding tag of a course and the days it holds (ssg-api 4.4: `support`, 4.5: `supportCode`)."""

    shown: ClassVar[tuple[str, ...]] = ("tagging_code",)
    category: SomeText = None
    tagging_code: SomeText = None
    tagging_description: SomeText = None
    period_from: SomeDate = None
    period_to: SomeDate = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, values: Any) -> Any:
        period = values.get("period") if isinstance(values, dict) else None
        if not isinstance(period, dict):
            return values
        return {
            "category": values.get("category"),
            "taggingCode": period.get("taggingCode"),
            "taggingDescription": period.get("taggingDescription"),
            "periodFrom": period.get("from"),
            "periodTo": period.get("to"),
        }


class CourseHead(Reply):
    """The course that a run belongs to."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number",)
    reference_number: SomeText = None
    external_reference_number: SomeText = None
    title: SomeText = None
    delete_flag: Flag = False
    expire_flag: Flag = False
    supports: Annotated[tuple[SupportView, ...], EMPTY_LIST] = ()

    @model_validator(mode="before")
    @classmethod
    def _either_list(cls, values: Any) -> Any:
        if isinstance(values, dict) and "supports" not in values and "support" in values:
            return {**values, "supports": values["support"]}
        return values


class CourseRunView(Reply):
    """A run as SSG holds it, whether its dates came nested (4.4) or flat (4.5). Singapore days."""

    shown: ClassVar[tuple[str, ...]] = ("id", "reference_number")
    id: WholeNumber
    reference_number: SomeText = None
    sequence_number: SomeInt = None
    registration_opening: Annotated[SomeDate, Field(alias="registrationOpeningDate")] = None
    registration_closing: Annotated[SomeDate, Field(alias="registrationClosingDate")] = None
    course_start: Annotated[SomeDate, Field(alias="courseStartDate")] = None
    course_end: Annotated[SomeDate, Field(alias="courseEndDate")] = None
    schedule_info_type: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    schedule_info: SomeText = None
    venue: Annotated[VenueView, EMPTY_OBJECT] = VenueView()
    intake_size: SomeInt = None
    threshold: SomeInt = None
    registered_user_count: SomeInt = None
    mode_of_training: SomeText = None
    course_admin_email: SomeText = None
    course_vacancy: Annotated[CodeView, EMPTY_OBJECT] = CodeView()
    attendance_taken: Flag = False
    organization_key: SomeText = None
    qr_code_link: SomeText = None
    trainers: Annotated[
        tuple[Annotated[RunTrainerView, From("trainer", model=True)], ...],
        EMPTY_LIST,
        Field(alias="linkCourseRunTrainer"),
    ] = ()
    course: CourseHead = CourseHead()

    @model_validator(mode="before")
    @classmethod
    def _flatten_dates(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        for name, members in (
            (
                "registrationDates",
                {"opening": "registrationOpeningDate", "closing": "registrationClosingDate"},
            ),
            ("courseDates", {"start": "courseStartDate", "end": "courseEndDate"}),
        ):
            nested = values.get(name)
            if isinstance(nested, dict):
                for member, flat in members.items():
                    values.setdefault(flat, nested.get(member))
        return values


@dataclass(frozen=True)
class CourseRunPage:
    """One page of the runs of a course. `total` counts the runs of all pages; pages count from 0."""

    course: CourseHead
    runs: tuple[CourseRunView, ...]
    total: int
    page: int
    page_size: int
