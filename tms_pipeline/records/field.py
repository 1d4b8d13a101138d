"""What a record kind is made of: fields with the titles that ops type, and how each is read and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FieldType(StrEnum):
    """How a cell of this field is read and written canonically (always as text; see ``canonical``)."""

    TEXT = "text"
    CODE = "code"  # an identifier of ours or SSG's: trimmed, upper case, no inner spaces
    NRIC = "nric"
    DATE = "date"  # canonical form YYYY-MM-DD
    TIME = "time"  # canonical form HH:MM
    MOMENT = "moment"  # a date with a time of day, canonical form YYYY-MM-DDTHH:MM:SS
    INTEGER = "integer"
    AMOUNT = "amount"  # dollars, canonical form with two decimals
    HOURS = "hours"  # canonical form with at most one decimal
    YES_NO = "yes_no"  # canonical "true" or "false"
    CHOICE = "choice"
    EMAIL = "email"
    PHONE = "phone"  # canonical: national digits, without the country code
    POSTAL = "postal"  # six digits
    UEN = "uen"
    CODES = "codes"  # several codes in one cell, canonical "A;B" sorted


class Requirement(StrEnum):
    """Whether a heading and a value must be there."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column of a record kind.

    ``at_ssg`` marks a field that SSG holds too, so that it takes part in the diff.
    ``personal`` marks a field that is stored sealed, with a keyed mark for comparison.
    ``choices`` maps each canonical word to the other words that mean it (compared without case).
    """

    name: str
    title: str
    type: FieldType = FieldType.TEXT
    aliases: tuple[str, ...] = ()
    requirement: Requirement = Requirement.OPTIONAL
    personal: bool = False
    at_ssg: bool = False
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: str | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    example: str = ""
    help: str = ""

    @property
    def required(self) -> bool:
        """True if a row without this value is rejected."""
        return self.requirement is Requirement.REQUIRED


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A record that must be known before this one: ``kind`` found by these fields of the child."""

    kind: str
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RecordKind:
    """A record kind: its fields, natural key, parents and place in the order of submission.

    ``key`` names the fields whose canonical values, joined by ``|``, make the key. The field ``nric``
    stands in a key as the trainee reference, so that a key never holds a personal value.
    ``signature`` names the fields whose headings, all found, tell that a sheet holds this kind.
    ``order`` is the place in a plan: parents first.
    """

    name: str
    title: str
    plural: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    signature: tuple[str, ...]
    order: int
    parents: tuple[Parent, ...] = ()
    submitted: bool = True
    guidance: str = ""

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError for an unknown one."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(f"{self.name} has no field {name}")

    @property
    def names(self) -> tuple[str, ...]:
        """All field names, in the order of the columns."""
        return tuple(item.name for item in self.fields)

    @property
    def ssg_fields(self) -> tuple[Field, ...]:
        """The fields that SSG holds too: what the diff compares."""
        return tuple(item for item in self.fields if item.at_ssg)

    @property
    def personal_fields(self) -> tuple[Field, ...]:
        """The fields that are stored sealed."""
        return tuple(item for item in self.fields if item.personal)

    @property
    def plain_fields(self) -> tuple[Field, ...]:
        """The fields that are stored as they are."""
        return tuple(item for item in self.fields if not item.personal)


def required(**values: object) -> Field:
    """A field that every row must have."""
    return Field(requirement=Requirement.REQUIRED, **values)  # type: ignore[arg-type]
