"""Where a run or a session is held (ssg-api 4.1)."""

from typing import Annotated, ClassVar

from pydantic import Field

from tms_pipeline.ssg.codes import TrainingMode
from tms_pipeline.ssg.values import Flag, SomeText
from tms_pipeline.ssg.wire import Reply, Request


class Venue(Request):
    """`venue`. Floor, unit, postal code and room are needed unless the mode of training is 2 or 4."""

    wire_path: ClassVar[str] = "venue"
    block: Annotated[str | None, Field(max_length=10)] = None
    street: Annotated[str | None, Field(max_length=32)] = None
    floor: Annotated[str | None, Field(max_length=3)] = None
    unit: Annotated[str | None, Field(max_length=5)] = None
    building: Annotated[str | None, Field(max_length=66)] = None
    postal_code: Annotated[str | None, Field(max_length=6)] = None
    room: Annotated[str | None, Field(max_length=255)] = None
    wheel_chair_access: bool | None = None


class SessionVenue(Venue):
    """A session's `venue`; `primary_venue` copies the run's."""

    primary_venue: bool | None = None


class VenueView(Reply):
    """A venue in a reply: unset members are None, whether SSG wrote null or "" (ssg-api 4.6)."""

    shown: ClassVar[tuple[str, ...]] = ("room",)
    block: SomeText = None
    street: SomeText = None
    floor: SomeText = None
    unit: SomeText = None
    building: SomeText = None
    postal_code: SomeText = None
    room: SomeText = None
    wheel_chair_access: Flag = False


def require_venue(venue: Venue | None, mode: TrainingMode) -> None:
    """Raise ValueError naming the first member that this mode needs and that is blank."""
    if not mode.needs_venue or (isinstance(venue, SessionVenue) and venue.primary_venue):
        return
    for name, wire_name in (
        ("floor", "floor"),
        ("unit", "unit"),
        ("postal_code", "postalCode"),
        ("room", "room"),
    ):
        if not (getattr(venue, name, None) or "").strip():
            raise ValueError(f"venue.{wire_name}: needed unless modeOfTraining is 2 or 4")
