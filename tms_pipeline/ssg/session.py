"""Sessions of a course run, as they travel (ssg-api 4.1, 4.2, 4.6)."""

import datetime as dt
from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from tms_pipeline.ssg.codes import TrainingMode
from tms_pipeline.ssg.values import (
    EMPTY_OBJECT,
    DateDigits,
    Flag,
    NeededText,
    SomeDate,
    SomeText,
    SomeTime,
    TimeText,
)
from tms_pipeline.ssg.venue import SessionVenue, VenueView, require_venue
from tms_pipeline.ssg.wire import Reply, Request, text


class SessionAdd(Request):
    """A new session, at publish or in an edit (ssg-api 4.1).

    Left out, `end_date` is `start_date`, and the times of modes 2 and 4 are 00:00 and 23:59. Only those modes
    may end on another day.
    """

    wire_path: ClassVar[str] = "sessions"
    start_date: DateDigits
    end_date: DateDigits
    start_time: TimeText
    end_time: TimeText
    mode_of_training: TrainingMode
    venue: SessionVenue | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        start = values.get("start_date", values.get("startDate"))
        if start is not None and values.get("end_date", values.get("endDate")) is None:
            values.pop("endDate", None)
            values["end_date"] = start
        mode = str(values.get("mode_of_training", values.get("modeOfTraining")))
        if mode in ("2", "4"):
            for name, wire_name, moment in (
                ("start_time", "startTime", dt.time(0, 0)),
                ("end_time", "endTime", dt.time(23, 59)),
            ):
                if values.get(name, values.get(wire_name)) is None:
                    values.pop(wire_name, None)
                    values[name] = moment
        return values

    @model_validator(mode="after")
    def _times_and_venue(self) -> Self:
        check_times(self.start_date, self.end_date, self.start_time, self.end_time, self.mode_of_training)
        require_venue(self.venue, self.mode_of_training)
        return self


class SessionUpdate(Request):
    """A changed session: its id and what changes (ssg-api 4.2)."""

    wire_path: ClassVar[str] = "sessions"
    session_id: Annotated[str, text(300)]
    start_date: DateDigits | None = None
    end_date: DateDigits | None = None
    start_time: TimeText | None = None
    end_time: TimeText | None = None
    mode_of_training: TrainingMode | None = None
    venue: SessionVenue | None = None

    @model_validator(mode="after")
    def _times_in_order(self) -> Self:
        check_times(self.start_date, self.end_date, self.start_time, self.end_time, self.mode_of_training)
        if self.venue is not None and self.mode_of_training is not None:
            require_venue(self.venue, self.mode_of_training)
        return self

    def to_wire(self) -> dict[str, Any]:
        """As it travels, with its action."""
        return {"action": "update", **super().to_wire()}


class SessionDelete(Request):
    """A session to delete; SSG's sample carries its end date (ssg-api 4.2)."""

    wire_path: ClassVar[str] = "sessions"
    session_id: Annotated[str, text(300)]
    end_date: DateDigits

    def to_wire(self) -> dict[str, Any]:
        """As it travels, with its action."""
        return {"action": "delete", **super().to_wire()}


def check_times(
    start_date: dt.date | None,
    end_date: dt.date | None,
    start_time: dt.time | None,
    end_time: dt.time | None,
    mode: TrainingMode | None,
) -> None:
    """Raise ValueError when a session ends before it starts, or on another day in a mode that may not."""
    if start_date and end_date:
        if end_date < start_date:
            raise ValueError("endDate: must not be before startDate")
        if end_date != start_date and mode is not None and mode.needs_venue:
            raise ValueError("endDate: must be startDate unless modeOfTraining is 2 or 4")
    same_day = end_date is None or start_date is None or start_date == end_date
    if same_day and start_time and end_time and end_time <= start_time:
        raise ValueError("endTime: must be after startTime on the same day")


class SessionView(Reply):
    """A session as SSG holds it; dates and times are Singapore's (ssg-api 4.6)."""

    shown: ClassVar[tuple[str, ...]] = ("id",)
    id: NeededText
    start_date: SomeDate = None
    end_date: SomeDate = None
    start_time: SomeTime = None
    end_time: SomeTime = None
    mode_of_training: SomeText = None
    venue: Annotated[VenueView, EMPTY_OBJECT] = VenueView()
    attendance_taken: Flag = False
    deleted: Flag = False


SessionChange = SessionAdd | SessionUpdate | SessionDelete
