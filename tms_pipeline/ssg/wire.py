"""The two kinds of model: requests refuse what SSG would refuse, replies take what SSG is known to send.

Neither shows a value in `repr`, in `str` or in an error.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from tms_pipeline.ssg.errors import ShapeError

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

    if not TYPE_CHECKING:  # type checkers know that the models are frozen

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(
                f"{type(self).__name__}.{name} is frozen"
            )  # pydantic's error shows the value


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
        """The value out of its objects."""
        for name in self.names:
            if isinstance(value, Mapping) and not (self.model and name not in value):
                value = value.get(name)
        return value

    def wrap(self, value: Any, serialise: Callable[[Any], Any]) -> Any:
        """The value in its objects again."""
        inner = serialise(value)
        for name in reversed(self.names):
            inner = {name: inner}
        return inner


class From(Inside):
    """As `Inside`, for replies: the value is taken out and stays out."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return core_schema.no_info_before_validator_function(self.unwrap, handler(source))
