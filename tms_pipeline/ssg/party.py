"""Who and what an enrolment, assessment or grant is about: partner, course, contact, page."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import Field

from tms_pipeline.ssg.codes import IdType
from tms_pipeline.ssg.values import (
    EMPTY_OBJECT,
    NeededText,
    OldInt,
    RunNumber,
    SomeDate,
    SomeInstant,
    SomeNumber,
    SomeText,
    known,
)
from tms_pipeline.ssg.wire import From, Inside, Reply, Request, free_text, text

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list. `total` counts the rows of all pages; pages count from 0."""

    items: tuple[Row, ...]
    total: int
    page: int
    page_size: int


class TrainingPartner(Request):
    """`trainingPartner`: left out, the client writes the caller's (ssg-api 6.1, 14.4)."""

    wire_path: ClassVar[str] = "trainingPartner"
    uen: Annotated[str, text(20)]
    code: Annotated[str, text(20)]


class CourseAndRun(Request):
    """`course`: the reference and the run's number, which travels as text (ssg-api 6.1, 7.1)."""

    wire_path: ClassVar[str] = "course"
    reference_number: Annotated[str, text(100)]
    run_id: Annotated[RunNumber, Inside("id"), Field(alias="run", gt=0, lt=10**20)]


class ContactNumber(Request):
    """`contactNumber` of a trainee or employer (ssg-api 6.1)."""

    wire_path: ClassVar[str] = "contactNumber"
    country_code: Annotated[str, text(5)] = "+65"
    area_code: Annotated[str, free_text(10)] = ""
    phone_number: Annotated[str, text(20)]


class PartnerView(Reply):
    """A training partner or conferring institute in a reply."""

    shown: ClassVar[tuple[str, ...]] = ("code",)
    code: SomeText = None
    uen: SomeText = None
    name: SomeText = None


class RunBrief(Reply):
    """The run inside a course in a reply; `id` is None for an old run whose id is no number."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    id: OldInt = None
    start_date: SomeDate = None
    end_date: SomeDate = None


class CourseBrief(Reply):
    """The course inside an enrolment, assessment or grant."""

    shown: ClassVar[tuple[str, ...]] = ("reference_number", "run")
    reference_number: SomeText = None
    title: SomeText = None
    run: Annotated[RunBrief, EMPTY_OBJECT] = RunBrief()


class ContactNumberView(Reply):
    """A phone number in a reply; `phone_number` is also read from `phone`, `mobile` is attendance's."""

    country_code: SomeText = None
    area_code: SomeText = None
    phone_number: SomeText = None
    mobile: SomeText = None


class CodeView(Reply):
    """A code and what SSG calls it."""

    shown: ClassVar[tuple[str, ...]] = ("code",)
    code: SomeText = None
    description: SomeText = None


class PersonView(Reply):
    """The trainee of an assessment or grant: `id_type` whether SSG sends a text or an object."""

    id_type: Annotated[str | None, known(IdType), From("type")] = None
    id: SomeText = None
    full_name: SomeText = None


class GrantAmount(Reply):
    """Singapore dollars (ssg-api 8.1)."""

    shown: ClassVar[tuple[str, ...]] = ("estimated", "paid", "recovery")
    estimated: SomeNumber = None
    paid: SomeNumber = None
    recovery: SomeNumber = None


class WriteReply(Reply):
    """What SSG answers to a create or a change. Times are aware, in UTC."""

    shown: ClassVar[tuple[str, ...]] = ("reference", "status")
    reference: NeededText
    status: SomeText = None
    created_on: SomeInstant = None
    updated_on: SomeInstant = None
