"""Dates, times, amounts and texts in the forms that SSG sends and takes (ssg-api 3.1, 14.5)."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer

SINGAPORE = ZoneInfo("Asia/Singapore")


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


def _or_none(read: Callable[[Any], Any]) -> BeforeValidator:
    """For members that old records at SSG are known to hold in other forms: what cannot be read is None."""

    def lenient(value: Any) -> Any:
        try:
            return read(value)
        except ValueError:
            return None

    return BeforeValidator(lenient)


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
OldDate = Annotated[dt.date | None, _or_none(parse_date)]
OldInt = Annotated[int | None, _or_none(_whole)]
SomeTime = Annotated[dt.time | None, BeforeValidator(parse_time)]
SomeInstant = Annotated[dt.datetime | None, BeforeValidator(parse_instant)]
SomeNumber = Annotated[Decimal | None, BeforeValidator(_number)]
SomeInt = Annotated[int | None, BeforeValidator(_whole)]
WholeNumber = Annotated[int, BeforeValidator(_whole)]
NeededText = Annotated[str, BeforeValidator(_plain_text)]
Flag = Annotated[bool, BeforeValidator(_yes)]
EMPTY_LIST = BeforeValidator(_members)
EMPTY_OBJECT = BeforeValidator(_object)
