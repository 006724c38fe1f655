"""What generated `_json` modules are made of: ProtoJSON readers and writers.

Source: ProtoJSON, https://protobuf.dev/programming-guides/json. Values are those of a JSON library:
None, bool, int, float, str, list and dict.

The text decides what is accepted, not `google.protobuf.json_format`, which takes more: numbers with
underscores, spaces and signs, base64 in mixed alphabets, times in many spellings, `""` for an empty
message.
Readers raise InvalidField, whose path grows while it passes through the callers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, Union

from seam.codec.protojson_field_mask import read_field_mask, write_field_mask
from seam.codec.protojson_scalars import (
    read_bool,
    read_bool_text,
    read_bytes,
    read_double,
    read_enum,
    read_float,
    read_int32,
    read_int64,
    read_string,
    read_uint32,
    read_uint64,
    show,
    write_bool_key,
    write_bytes,
    write_double,
    write_float,
)
from seam.codec.protojson_time import read_duration, read_timestamp, write_duration, write_timestamp
from seam.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView

__all__ = [
    "JsonValue",
    "given_twice",
    "read_at",
    "read_bool",
    "read_bool_text",
    "read_bytes",
    "read_double",
    "read_duration",
    "read_enum",
    "read_field_mask",
    "read_float",
    "read_int32",
    "read_int64",
    "read_list",
    "read_map",
    "read_message_list",
    "read_message_map",
    "read_object",
    "read_string",
    "read_timestamp",
    "read_uint32",
    "read_uint64",
    "unknown_field",
    "write_bool_key",
    "write_bytes",
    "write_double",
    "write_duration",
    "write_field_mask",
    "write_float",
    "write_timestamp",
]

JsonValue = Union[None, bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]"]
"""What a JSON library encodes."""

K = TypeVar("K")
T = TypeVar("T")

# json_format's limit, so that no client can exhaust the stack.
_MAX_DEPTH: Final = 100


def read_object(value: object, depth: int = 1) -> ItemsView[str, object]:
    """The fields of a message.

    Args:
        value: the JSON value.
        depth: how many messages enclose the value, itself included.

    Raises:
        InvalidField: the value is no object, or lies deeper than 100 messages.
    """
    if not isinstance(value, dict):
        raise InvalidField("", f"expected an object, got {show(value)}")
    if depth > _MAX_DEPTH:
        raise InvalidField("", f"expected at most {_MAX_DEPTH} messages inside each other")
    return value.items()


def unknown_field(*known: str) -> NoReturn:
    """Refuse a field that the message does not have.

    Args:
        known: the names of the fields that it has.

    Raises:
        InvalidField: always.
    """
    expected = f"expected one of {', '.join(known)}" if known else "the message has no fields"
    raise InvalidField("", f"unknown field; {expected}")


def given_twice(*names: str) -> NoReturn:
    """Refuse a second value for one field or one oneof.

    Args:
        names: the names of which only one may be given.

    Raises:
        InvalidField: always.
    """
    raise InvalidField("", f"expected only one of {', '.join(names)}")


def read_at(name: str, read: Callable[[object], T], value: object) -> T:
    """A value that stands alone, such as a path variable.

    Raises:
        InvalidField: the value is refused; the path begins with the name.
    """
    try:
        return read(value)
    except InvalidField as error:
        raise error.under(name) from None


def read_list(value: object, read: Callable[[object], T]) -> tuple[T, ...]:
    """A repeated field whose elements are no messages.

    Raises:
        InvalidField: the value is no array, or an element is refused.
    """
    if not isinstance(value, (list, tuple)):
        raise InvalidField("", f"expected an array, got {show(value)}")
    items: list[T] = []
    try:
        for item in value:
            items.append(read(item))  # noqa: PERF401 (the length is the index at fault)
    except InvalidField as error:
        raise error.under(f"[{len(items)}]") from None
    return tuple(items)


def read_message_list(value: object, read: Callable[[object, int], T], depth: int) -> tuple[T, ...]:
    """A repeated field of messages.

    Args:
        value: the JSON value.
        read: reads one element.
        depth: the depth of the elements.

    Raises:
        InvalidField: the value is no array, or an element is refused.
    """
    return read_list(value, lambda item: read(item, depth))


def read_map(
    value: object, read_key: Callable[[object], K], read: Callable[[object], T]
) -> dict[K, T]:
    """A map field whose values are no messages.

    Raises:
        InvalidField: the value is no object, or a key or value is refused.
    """
    if not isinstance(value, dict):
        raise InvalidField("", f"expected an object, got {show(value)}")
    items: dict[K, T] = {}
    for key, item in value.items():
        try:
            items[read_key(key)] = read(item)
        except InvalidField as error:
            raise error.under(f"[{key}]") from None
    return items


def read_message_map(
    value: object, read_key: Callable[[object], K], read: Callable[[object, int], T], depth: int
) -> dict[K, T]:
    """A map field whose values are messages.

    Args:
        value: the JSON value.
        read_key: reads a key.
        read: reads a value.
        depth: the depth of the values.

    Raises:
        InvalidField: the value is no object, or a key or value is refused.
    """
    return read_map(value, read_key, lambda item: read(item, depth))
