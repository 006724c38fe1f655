"""Messages and enums of a contract, and what its options say of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum as PythonEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from codegen.contract.field_types import FieldType, MapType
    from codegen.contract.problems import Location

__all__ = [
    "Enum",
    "EnumValue",
    "ErrorSpec",
    "EventSpec",
    "Field",
    "Member",
    "Message",
    "OneOf",
    "Presence",
    "Rules",
]


class Presence(PythonEnum):
    """Whether a field can be absent."""

    ALWAYS = "always"
    """It has no presence: absent means the default."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True)
class Rules:
    """Which values a field accepts, as `(contract.v1.rules)` says; None and "" say nothing.

    Those of a value hold for each single value of a repeated field.
    """

    min_length: int | None = None
    """Characters of a string, bytes of bytes."""

    max_length: int | None = None
    pattern: str = ""
    """What a whole string matches."""

    minimum: float | None = None
    maximum: float | None = None
    """An `int` where the field holds integers."""

    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True)
class Field:
    """A field of a message, or one case of a oneof."""

    name: str
    attribute: str
    json_name: str
    number: int
    type: FieldType
    comment: str
    location: Location
    presence: Presence = Presence.ALWAYS
    repeated: bool = False
    map: MapType | None = None
    case_class: str = ""
    """The class that wraps the value, for a case of a oneof."""

    rules: Rules | None = None

    @property
    def is_single(self) -> bool:
        """Whether the field is neither repeated nor a map."""
        return not self.repeated and self.map is None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that ProtoJSON accepts: lowerCamelCase, and the contract's own."""
        return tuple(dict.fromkeys((self.json_name, self.name)))


@dataclass(frozen=True)
class OneOf:
    """A oneof: an attribute that holds one of several cases, or None."""

    name: str
    attribute: str
    alias: str
    cases: tuple[Field, ...]
    comment: str
    location: Location


Member: TypeAlias = Field | OneOf
"""What becomes one attribute of a record."""


@dataclass(frozen=True)
class ErrorSpec:
    """What `(contract.v1.error)` says of an error message."""

    code: str
    text: str
    retry_after: Field | None = None
    """The integer that says after how many seconds to ask again."""


@dataclass(frozen=True)
class EventSpec:
    """What `(contract.v1.event)` says of an event message."""

    key: Field
    """The string that is always there whose value orders events."""

    subscribers: tuple[str, ...]
    """Services that may subscribe, by name."""

    location: Location
    """Where the option stands."""


@dataclass(frozen=True)
class Message:
    """A message of a contract."""

    full_name: str
    name: str
    proto_path: str
    """The name in the `_pb2` module, such as `Outer.Inner`."""

    module: str
    members: tuple[Member, ...]
    comment: str
    location: Location
    error: ErrorSpec | None = None
    event: EventSpec | None = None
    fallible: bool = False
    """Whether a well-formed message can still be no valid record."""

    ruled: bool = False
    """Whether a field of it, or of what it holds at any depth, has rules."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields outside of oneofs."""
        return tuple(member for member in self.members if isinstance(member, Field))

    @property
    def all_fields(self) -> tuple[Field, ...]:
        """All fields, those of oneofs included, in the contract's order."""
        found: list[Field] = []
        for member in self.members:
            found.extend(member.cases if isinstance(member, OneOf) else [member])
        return tuple(found)


@dataclass(frozen=True)
class EnumValue:
    """One value of an enum."""

    name: str
    attribute: str
    number: int
    comment: str
    location: Location


@dataclass(frozen=True)
class Enum:
    """An enum of a contract."""

    full_name: str
    name: str
    module: str
    values: tuple[EnumValue, ...]
    comment: str
    location: Location
