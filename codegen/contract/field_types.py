"""The types that fields of messages have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum as PythonEnum
from typing import TypeAlias

__all__ = [
    "FieldType",
    "MapType",
    "Scalar",
    "TypeRef",
    "WellKnown",
    "Wrapper",
]


class Scalar(PythonEnum):
    """The scalar types; the value is the type's name in a contract."""

    DOUBLE = "double"
    FLOAT = "float"
    INT64 = "int64"
    UINT64 = "uint64"
    INT32 = "int32"
    FIXED64 = "fixed64"
    FIXED32 = "fixed32"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    UINT32 = "uint32"
    SFIXED32 = "sfixed32"
    SFIXED64 = "sfixed64"
    SINT32 = "sint32"
    SINT64 = "sint64"

    @property
    def python(self) -> str:
        """The Python type that holds the scalar."""
        named = {"double": "float", "float": "float", "bool": "bool", "string": "str"}
        return "bytes" if self is Scalar.BYTES else named.get(self.value, "int")

    @property
    def default(self) -> str:
        """The value of an absent field, as a Python literal."""
        defaults = {"str": '""', "bytes": 'b""', "bool": "False", "float": "0.0"}
        return defaults.get(self.python, "0")

    @property
    def json_kind(self) -> str:
        """Which of the kinds that ProtoJSON tells apart it is, such as `int32` for `sint32`."""
        kinds = {
            "fixed64": "uint64",
            "fixed32": "uint32",
            "sfixed32": "int32",
            "sfixed64": "int64",
            "sint32": "int32",
            "sint64": "int64",
        }
        return kinds.get(self.value, self.value)


class WellKnown(PythonEnum):
    """The well-known messages that have a Python type of their own."""

    TIMESTAMP = "timestamp"
    DURATION = "duration"
    FIELD_MASK = "field_mask"

    @property
    def python(self) -> str:
        """The Python type that holds the message."""
        types = {WellKnown.TIMESTAMP: "datetime", WellKnown.DURATION: "timedelta"}
        return types.get(self, "tuple[str, ...]")


@dataclass(frozen=True)
class Wrapper:
    """A message of google/protobuf/wrappers.proto: a scalar that can be absent."""

    scalar: Scalar


@dataclass(frozen=True)
class TypeRef:
    """A message or enum by its full name, and where its record is generated."""

    full_name: str
    name: str
    module: str
    is_enum: bool


FieldType: TypeAlias = Scalar | WellKnown | Wrapper | TypeRef
"""The type of a field's single values."""


@dataclass(frozen=True)
class MapType:
    """The key of a map field; the values' type is the field's."""

    key: Scalar
