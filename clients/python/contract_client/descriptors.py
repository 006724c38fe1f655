"""How records become ProtoJSON and back: each is described once, in the module that holds it.

An answer is read as a client must that is older than its server: members that nobody knows are
left out, and unknown values of enums are kept. A request leaves out what is at its default, so that
an older server is not asked about fields that it does not have.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from contract_client import scalars
from contract_client.records import Empty, FieldMask, OpenEnum, Record
from contract_client.scalars import JsonValue

__all__ = [
    "BOOL",
    "BYTES",
    "DOUBLE",
    "DURATION",
    "FIELD_MASK",
    "FLOAT",
    "INT32",
    "INT64",
    "STRING",
    "TIMESTAMP",
    "UINT32",
    "UINT64",
    "Case",
    "Field",
    "InvalidJsonError",
    "ListField",
    "MapField",
    "Member",
    "OneOf",
    "ValueType",
    "describe",
    "enum",
    "fields_of",
    "from_json",
    "message",
    "to_json",
    "written",
]

R = TypeVar("R", bound=Record)
T = TypeVar("T")
M = TypeVar("M")

_MAX_DEPTH: Final = 100

_NUMBER: Final = re.compile(r"-?[0-9]{1,20}")
"""A value of an enum that has no name here."""


class InvalidJsonError(ValueError):
    """A value that a message cannot hold: in JSON, or in a record that is to become JSON.

    Args:
        path: where it is wrong, such as `items[2].price`; empty for the whole.
        reason: what is wrong.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason

    def under(self, name: str) -> InvalidJsonError:
        """The same, seen from what holds the value under `name`."""
        separator = "" if not self.path or self.path.startswith("[") else "."
        return InvalidJsonError(f"{name}{separator}{self.path}", self.reason)


@dataclass(frozen=True)
class ValueType:
    """A type of single values.

    Attributes:
        read: makes a value of JSON that is so many messages deep. Raises ValueError.
        write: makes JSON of a value, with defaults or without them. Raises ValueError.
        read_key: the same for a key of a map, which is text.
        default: what is left out of requests.
    """

    read: Callable[[JsonValue, int], Any]
    write: Callable[[Any, bool], JsonValue]
    read_key: Callable[[str], Any]
    default: object = None


def _scalar(
    read: Callable[[JsonValue], Any], write: Callable[[Any], JsonValue], default: object
) -> ValueType:
    return ValueType(lambda value, _: read(value), lambda value, _: write(value), read, default)


def _bool_key(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f'expected "true" or "false", got {text!r}')
    return text == "true"


def _integer(low: int, high: int, *, as_text: bool = False) -> ValueType:
    write = scalars.integer_writer(low, high, as_text=as_text)
    return _scalar(scalars.integer_reader(low, high), write, 0)


INT32: Final = _integer(-(2**31), 2**31 - 1)
UINT32: Final = _integer(0, 2**32 - 1)
INT64: Final = _integer(-(2**63), 2**63 - 1, as_text=True)
UINT64: Final = _integer(0, 2**64 - 1, as_text=True)
FLOAT: Final = _scalar(scalars.read_float, scalars.write_float, 0.0)
DOUBLE: Final = _scalar(scalars.read_double, scalars.write_double, 0.0)
BOOL: Final = ValueType(
    lambda value, _: scalars.read_bool(value),
    lambda value, _: scalars.write_bool(value),
    _bool_key,
    default=False,
)
STRING: Final = _scalar(scalars.read_string, scalars.write_string, "")
BYTES: Final = _scalar(scalars.read_bytes, scalars.write_bytes, b"")
TIMESTAMP: Final = _scalar(scalars.read_timestamp, scalars.write_timestamp, None)
DURATION: Final = _scalar(scalars.read_duration, scalars.write_duration, None)
FIELD_MASK: Final = _scalar(scalars.read_field_mask, scalars.write_field_mask, None)


def enum(type_: type[OpenEnum], numbers: Mapping[int, str]) -> ValueType:
    """The values of an enum.

    Args:
        type_: the class.
        numbers: the names that the contract has, by number.
    """

    def read(value: JsonValue) -> OpenEnum:
        if isinstance(value, str) and value and not (value[0].isdigit() or value[0] == "-"):
            return type_(value)
        number: int = INT32.read(value, 0)
        return type_(numbers.get(number, str(number)))

    def write(value: str) -> JsonValue:
        text = scalars.write_string(value)
        return INT32.write(int(text), False) if _NUMBER.fullmatch(text) else text

    return _scalar(read, write, type_(numbers[0]))


def message(type_: type[Record]) -> ValueType:
    """The records of a message."""

    def write(value: Record, defaults: bool) -> JsonValue:
        if not isinstance(value, type_):
            raise ValueError(f"expected {type_.__name__}, got {scalars.shown(value)}")
        return to_json(value, defaults=defaults)

    return ValueType(
        lambda value, depth: from_json(type_, value, depth), write, scalars.read_string
    )


class Member(ABC):
    """What becomes one attribute of a record."""

    attribute: str
    names: tuple[str, ...]

    @abstractmethod
    def read(self, name: str, value: JsonValue, depth: int) -> Any:  # noqa: ANN401 (of any type)
        """What the attribute holds; `name` is the one that JSON gives the value by."""

    @abstractmethod
    def write(self, value: Any, *, defaults: bool) -> Iterable[tuple[str, JsonValue]]:  # noqa: ANN401
        """The members of the JSON object that the attribute becomes."""


class Field(Member):
    """A single value.

    Args:
        attribute: where the record has it.
        type_: what it is.
        names: what JSON calls it, if not the same; the first is written.
        optional: whether it can be absent.
    """

    def __init__(
        self, attribute: str, type_: ValueType, *names: str, optional: bool = False
    ) -> None:
        self.attribute = attribute
        self.type = type_
        self.names = names or (attribute,)
        self.optional = optional

    def read(self, name: str, value: JsonValue, depth: int) -> Any:  # noqa: ANN401
        """Read the value."""
        del name
        return self.type.read(value, depth)

    def write(self, value: Any, *, defaults: bool) -> Iterable[tuple[str, JsonValue]]:  # noqa: ANN401
        """Write the value; nothing when it is absent, or as good as absent."""
        if value is None or not (self.optional or defaults or self._says_something(value)):
            return
        yield self.names[0], self.type.write(value, defaults)

    def _says_something(self, value: object) -> bool:
        # A zero with a sign is equal to the default, and is another value all the same.
        is_signed_zero = isinstance(value, float) and math.copysign(1.0, value) < 0
        return value != self.type.default or is_signed_zero


class ListField(Member):
    """A repeated field; the arguments are those of Field."""

    def __init__(self, attribute: str, type_: ValueType, *names: str) -> None:
        self.attribute = attribute
        self.type = type_
        self.names = names or (attribute,)

    def read(self, name: str, value: JsonValue, depth: int) -> Any:  # noqa: ANN401
        """Read all values."""
        del name
        if not isinstance(value, list):
            raise InvalidJsonError("", f"expected an array, got {scalars.shown(value)}")
        return tuple([_at(f"[{i}]", self.type.read, item, depth) for i, item in enumerate(value)])

    def write(self, value: Any, *, defaults: bool) -> Iterable[tuple[str, JsonValue]]:  # noqa: ANN401
        """Write all values."""
        if not isinstance(value, (tuple, list)):
            raise InvalidJsonError("", f"expected a tuple or a list, got {scalars.shown(value)}")
        if value or defaults:
            write = self.type.write
            yield (
                self.names[0],
                [_at(f"[{i}]", write, item, defaults) for i, item in enumerate(value)],
            )


class MapField(Member):
    """A map.

    Args:
        attribute: where the record has it.
        key: what the keys are.
        type_: what the values are.
        names: what JSON calls it, if not the same; the first is written.
    """

    def __init__(self, attribute: str, key: ValueType, type_: ValueType, *names: str) -> None:
        self.attribute = attribute
        self.key = key
        self.type = type_
        self.names = names or (attribute,)

    def read(self, name: str, value: JsonValue, depth: int) -> Any:  # noqa: ANN401
        """Read all entries."""
        del name
        if not isinstance(value, dict):
            raise InvalidJsonError("", f"expected an object, got {scalars.shown(value)}")
        return {
            _at(f"[{key}]", lambda text, _: self.key.read_key(text), key, depth): _at(
                f"[{key}]", self.type.read, item, depth
            )
            for key, item in value.items()
        }

    def write(self, value: Any, *, defaults: bool) -> Iterable[tuple[str, JsonValue]]:  # noqa: ANN401
        """Write all entries."""
        if not isinstance(value, Mapping):
            raise InvalidJsonError("", f"expected a mapping, got {scalars.shown(value)}")
        if value or defaults:
            yield self.names[0], dict(self._entry(*entry, defaults) for entry in value.items())

    def _entry(self, key: object, value: object, defaults: bool) -> tuple[str, JsonValue]:
        place = f"[{scalars.shown(key)}]"
        written = _at(place, self.key.write, key, defaults)
        text = str(written).lower() if isinstance(written, bool) else str(written)
        return text, _at(place, self.type.write, value, defaults)


class Case:
    """One case of a oneof.

    Args:
        record: the class that holds the value.
        type_: what the value is.
        names: what JSON calls it; the first is written.
    """

    def __init__(self, record: type[Record], type_: ValueType, *names: str) -> None:
        self.record = record
        self.type = type_
        self.names = names


class OneOf(Member):
    """One of several.

    Args:
        attribute: where the record has it.
        cases: what it can be.
    """

    def __init__(self, attribute: str, *cases: Case) -> None:
        self.attribute = attribute
        self.names = tuple(name for case in cases for name in case.names)
        self._by_name = {name: case for case in cases for name in case.names}
        self._by_record = {case.record: case for case in cases}

    def read(self, name: str, value: JsonValue, depth: int) -> Any:  # noqa: ANN401
        """Read the case that has the name."""
        case = self._by_name[name]
        record: Any = case.record
        return record(case.type.read(value, depth))

    def write(self, value: Any, *, defaults: bool) -> Iterable[tuple[str, JsonValue]]:  # noqa: ANN401
        """Write the case that is there."""
        if value is not None:
            case = self._by_record.get(type(value))
            if case is None:
                classes = ", ".join(each.__name__ for each in self._by_record)
                raise InvalidJsonError("", f"expected {classes}, got {scalars.shown(value)}")
            yield case.names[0], case.type.write(value.value, defaults)


@dataclass(frozen=True)
class _Descriptor:
    members: tuple[Member, ...]
    by_name: dict[str, Member] = field(default_factory=dict)


_DESCRIPTORS: Final[dict[type[Record], _Descriptor]] = {Empty: _Descriptor(())}


def describe(record: type[Record], *members: Member) -> None:
    """State what a record is in JSON. Generated modules do this for each of theirs."""
    by_name = {name: member for member in members for name in member.names}
    _DESCRIPTORS[record] = _Descriptor(members, by_name)


def fields_of(record: type[Record]) -> Mapping[str, Member]:
    """The members of a record, by every name that they have in JSON."""
    return _DESCRIPTORS[record].by_name


def from_json(record: type[R], value: JsonValue, depth: int = 1) -> R:
    """Read a record.

    Args:
        record: its class.
        value: the JSON value.
        depth: how many messages enclose the value, itself included.

    Raises:
        InvalidJsonError: the value is no such record.
    """
    if issubclass(record, FieldMask):
        # The one message that is a text in JSON.
        return record(paths=_at("", FIELD_MASK.read, value, depth))
    if not isinstance(value, dict):
        raise InvalidJsonError("", f"expected an object, got {scalars.shown(value)}")
    if depth > _MAX_DEPTH:
        raise InvalidJsonError("", f"expected at most {_MAX_DEPTH} messages inside each other")
    known = _DESCRIPTORS[record].by_name
    found: dict[str, Any] = {}
    for name, item in value.items():
        member = known.get(name)
        if member is None or item is None:
            continue
        if member.attribute in found:
            raise InvalidJsonError(name, "given more than once")
        try:
            found[member.attribute] = member.read(name, item, depth + 1)
        except InvalidJsonError as error:
            raise error.under(name) from None
        except (ValueError, OverflowError) as error:
            raise InvalidJsonError(name, str(error)) from None
    try:
        return record(**found)
    except TypeError:
        needed = {each.name for each in msgspec.structs.fields(record) if each.required}
        missing = ", ".join(sorted(needed - found.keys()))
        raise InvalidJsonError(missing, "required, but absent") from None


def to_json(record: Record, *, defaults: bool = True) -> dict[str, JsonValue]:
    """Write a record.

    Args:
        record: the record.
        defaults: whether to write fields that hold their defaults.

    Raises:
        InvalidJsonError: an attribute holds what its field cannot.
    """
    return {
        name: value
        for member in _DESCRIPTORS[type(record)].members
        for name, value in written(member, record, defaults=defaults)
    }


def written(member: Member, record: Record, *, defaults: bool) -> list[tuple[str, JsonValue]]:
    """What an attribute of a record becomes.

    Args:
        member: what the attribute is.
        record: the record.
        defaults: whether to write it if it holds its default.

    Raises:
        InvalidJsonError: it holds what its field cannot.
    """
    value = getattr(record, member.attribute)
    return _at(
        member.attribute, lambda held, _: list(member.write(held, defaults=defaults)), value, 0
    )


def _at(name: str, convert: Callable[[Any, M], T], value: object, more: M) -> T:
    """Convert what is found under a name, which an error then tells."""
    try:
        return convert(value, more)
    except InvalidJsonError as error:
        raise error.under(name) from None
    except (ValueError, OverflowError) as error:
        raise InvalidJsonError(name, str(error)) from None
