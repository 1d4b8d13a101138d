"""The two kinds of model: requests refuse what SSG would refuse, replies take what SSG is known to send.

Neither shows a value in `repr`, in `str` or in an error.
"""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from tms_pipeline.ssg.errors import ShapeError

SINGAPORE = ZoneInfo("Asia/Singapore")


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _RefusingMeta(ModelMetaclass):
    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **values: Any) -> Any:
            try:
                return super().__call__(*args, **values)
            except ValidationError as error:
                refusal = _refusal(cls, error)
            raise refusal


def _refusal(model: "type[Request]", error: ValidationError) -> ShapeError:
    """The ShapeError for a pydantic error: wire names and rules, never a value."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        names = [_wire_name(model, detail["loc"])] if detail["loc"] else []
        message = detail["msg"].removeprefix("Value error, ")
        field, _, limit = message.partition(": ")
        if detail["type"] != "value_error" or not limit:
            field, limit = "", message
        found.append((".".join([model.wire_path, *names, field]).strip(".").replace("..", "."), limit))
    return ShapeError(found[0][0], found[0][1], fields=[name for name, _ in found])


def _wire_name(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    parts = []
    for part in location:
        known = model.model_fields.get(str(part))
        parts.append((known.alias or str(part)) if known else to_camel(str(part)))
    return ".".join(parts)


class Quiet(BaseModel):
    """A model whose `repr` names only the members in `shown`."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name, None)) for name in self.shown)

    def __str__(self) -> str:
        return self.__repr__()


class Request(Quiet, metaclass=_RefusingMeta):
    """A body, or a part of one. Building it wrong raises ShapeError; it cannot change afterwards."""

    wire_path: ClassVar[str] = ""
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
        validate_default=False,
    )

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """As pydantic's, from wire names or attribute names. Raises ShapeError."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            refusal = _refusal(cls, error)
        raise refusal

    def to_wire(self) -> dict[str, Any]:
        """The JSON object as it travels; members that are None are left out."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Reply(Quiet):
    """What SSG answered. Unknown members are ignored, missing ones are None or empty."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


# ---- parts of request models ----


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


class Text:
    """Marks a text of at most `maximum` characters, not blank unless `blank` is true."""

    def __init__(self, maximum: int | None = None, *, blank: bool = False) -> None:
        self.maximum = maximum
        self.blank = blank

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        plain = core_schema.str_schema(max_length=self.maximum)
        return plain if self.blank else core_schema.no_info_after_validator_function(_not_blank, plain)


def text(maximum: int | None = None) -> Text:
    """A required, non-blank text of at most `maximum` characters."""
    return Text(maximum)


def free_text(maximum: int) -> Text:
    """A text that may be empty, of at most `maximum` characters."""
    return Text(maximum, blank=True)


class Inside:
    """Marks a value that travels inside one or more single-member objects: `Inside("run", "id")`.

    model: the value is an object itself, so one without the name is taken as the value.
    """

    def __init__(self, *names: str, model: bool = False) -> None:
        self.names = names
        self.model = model

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        inner = handler(source)
        return core_schema.no_info_before_validator_function(
            self.unwrap,
            inner,
            serialization=core_schema.wrap_serializer_function_ser_schema(self.wrap, schema=inner),
        )

    def unwrap(self, value: Any) -> Any:
        for name in self.names:
            if isinstance(value, Mapping) and not (self.model and name not in value):
                value = value.get(name)
        return value

    def wrap(self, value: Any, serialise: Callable[[Any], Any]) -> Any:
        inner = serialise(value)
        for name in reversed(self.names):
            inner = {name: inner}
        return inner


class From(Inside):
    """As `Inside`, for replies: the value is taken out and stays out."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return core_schema.no_info_before_validator_function(self.unwrap, handler(source))


def parse_date(value: Any) -> Any:
    """A date from 20251120, "20251120", "2025-11-20" or a timestamp's text; "" and 0 are None."""
    if value is None or isinstance(value, dt.date):
        return value
    text_value = str(value).strip()
    if text_value in ("", "0"):
        return None
    if re.fullmatch(r"\d{8}", text_value):
        return dt.date(int(text_value[:4]), int(text_value[4:6]), int(text_value[6:]))
    if re.match(r"\d{4}-\d{2}-\d{2}($|[T ])", text_value):
        return dt.date.fromisoformat(text_value[:10])
    raise ValueError("must be a date, YYYYMMDD or YYYY-MM-DD")


def parse_time(value: Any) -> Any:
    """A time from "HH:mm" or "HH:mm:ss"; "" is None."""
    if value is None or isinstance(value, dt.time):
        return value
    text_value = str(value).strip()
    if not text_value:
        return None
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text_value):
        raise ValueError("must be a time, HH:mm or HH:mm:ss")
    return dt.time.fromisoformat(text_value.zfill(5) if text_value.count(":") == 1 else text_value.zfill(8))


def _compact(day: dt.date) -> str:
    return day.isoformat().replace("-", "")


_READ_DATE = BeforeValidator(parse_date)
DateNumber = Annotated[dt.date, _READ_DATE, PlainSerializer(lambda day: int(_compact(day)))]
DateDigits = Annotated[dt.date, _READ_DATE, PlainSerializer(_compact)]
DateText = Annotated[dt.date, _READ_DATE, PlainSerializer(dt.date.isoformat)]
TimeText = Annotated[dt.time, BeforeValidator(parse_time), PlainSerializer(lambda at: at.strftime("%H:%M"))]
Amount = Annotated[Decimal, PlainSerializer(float)]
RunNumber = Annotated[int, PlainSerializer(str)]

# ---- parts of reply models ----


def _plain_text(value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a text")
    return str(value)


def _number(value: Any) -> Any:
    if value is None or isinstance(value, Decimal):
        return value
    text_value = str(value).replace(",", "").strip()
    if not text_value:
        return None
    try:
        number = Decimal(text_value)
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not number.is_finite():
        raise ValueError("must be a number")
    return number


def _whole(value: Any) -> Any:
    number = _number(None if isinstance(value, Mapping | list | bool) else value)
    if number is None:
        return None
    if number != number.to_integral_value() or math.fabs(number.adjusted()) > 18:
        raise ValueError("must be a whole number")
    return int(number)


def _yes(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return bool(value)
    return str(value).strip().casefold() in ("yes", "true", "1", "y")


def parse_instant(value: Any) -> Any:
    """A moment in UTC, from ISO with zone or from Singapore's local text (ssg-api 3.1); "" is None."""
    if value is None or isinstance(value, dt.datetime):
        return value
    text_value = str(value).strip()
    if not text_value:
        return None
    moment = dt.datetime.fromisoformat(text_value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=SINGAPORE)).astimezone(dt.UTC)


def _members(value: Any) -> Any:
    return () if value is None or value == "" or value == {} else value


def _object(value: Any) -> Any:
    return {} if value is None or value == "" or value == [] else value


def known(codes: type[Any]) -> BeforeValidator:
    """Give a code its official spelling; one that is not in the list passes as it is."""

    def spell(value: Any) -> Any:
        value = _plain_text(value)
        try:
            return None if value is None else codes(value).value
        except ValueError:
            return value

    return BeforeValidator(spell)


SomeText = Annotated[str | None, BeforeValidator(_plain_text)]
SomeDate = Annotated[dt.date | None, _READ_DATE]
SomeTime = Annotated[dt.time | None, BeforeValidator(parse_time)]
SomeInstant = Annotated[dt.datetime | None, BeforeValidator(parse_instant)]
SomeNumber = Annotated[Decimal | None, BeforeValidator(_number)]
SomeInt = Annotated[int | None, BeforeValidator(_whole)]
WholeNumber = Annotated[int, BeforeValidator(_whole)]
NeededText = Annotated[str, BeforeValidator(_plain_text)]
Flag = Annotated[bool, BeforeValidator(_yes)]
EMPTY_LIST = BeforeValidator(_members)
EMPTY_OBJECT = BeforeValidator(_object)
