"""Finds the field at fault when a record cannot be written as a Protocol Buffers message.

Generated converters copy blindly, because looking first would cost every call. When protobuf
refuses a value, this module tries the fields of the record one by one, and says which one it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass

from seam.codec.wellknown import duration_parts, timestamp_parts
from seam.contract.errors import InvalidField
from seam.contract.records import Record

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor
    from google.protobuf.message import Message

__all__ = ["WRONG_VALUE", "find_invalid_field"]

WRONG_VALUE: Final = (TypeError, ValueError, AttributeError, OverflowError)
"""What converters raise when a record holds a value of the wrong type, or one out of range."""

_WELL_KNOWN: Final[Mapping[str, type]] = {
    "google.protobuf.Duration": timedelta,
    "google.protobuf.Timestamp": datetime,
}


def find_invalid_field(
    record: object, record_type: type[Record], message_type: type[Message], error: Exception
) -> InvalidField:
    """Finds the field at fault.

    Args:
        record: What could not be converted.
        record_type: What it should have been.
        message_type: The message that it should have become.
        error: What the converter raised; its text is used when no single field is at fault.
    """
    if not isinstance(record, record_type):
        return InvalidField("", f"expected {record_type.__name__}, got {type(record).__name__}")
    message = message_type.DESCRIPTOR
    assert isinstance(message, Descriptor)  # Its stub also names the class that implements it.
    found = _in_record(record, message)
    if found is not None:
        return found
    reason = error.reason if isinstance(error, InvalidField) else str(error)
    return InvalidField("", f"cannot be written as {message.full_name}: {reason}")


def _in_record(record: object, message: Descriptor) -> InvalidField | None:
    """The first field of a record that its message refuses."""
    # A nested message's record is called after all messages around it.
    class_name = message.full_name.removeprefix(f"{message.file.package}.").replace(".", "")
    if not isinstance(record, Record) or type(record).__name__ != class_name:
        return InvalidField(
            "", f"expected a record of {message.full_name}, got {type(record).__name__}"
        )
    for oneof in message.oneofs:
        case = _named(record, oneof.name)
        expected = {_case_class(record, field) for field in oneof.fields}
        if _is_real(oneof) and case is not None and type(case).__name__ not in expected:
            reason = f"expected a case of the oneof, got {type(case).__name__}"
            return InvalidField(oneof.name, reason)
    for field in message.fields:
        for path, element, value in _entries(record, field):
            refusal = _refusal(element, value)
            if refusal is not None:
                return refusal.under(path)
    return None


def _entries(
    record: Record, field: FieldDescriptor
) -> Iterator[tuple[str, FieldDescriptor, object]]:
    """The single values of a field: where they stand, what describes them, and the values."""
    value = _attribute(record, field)
    if not field.is_repeated:
        if value is not None or field.name in _required(record):
            yield field.name, field, value
    elif isinstance(value, Mapping) and field.message_type is not None:
        key_field, value_field = field.message_type.fields
        for key, item in value.items():
            yield f"{field.name}[{key}]", key_field, key
            yield f"{field.name}[{key}]", value_field, item
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield f"{field.name}[{index}]", field, item
    else:
        # No list of a single value can be refused for its shape, so the value stands for it.
        yield field.name, field, value


def _attribute(record: Record, field: FieldDescriptor) -> object:
    """The value of a field in a record; None also when a oneof holds another case."""
    oneof = field.containing_oneof
    if oneof is None or not _is_real(oneof):
        return _named(record, field.name)
    case = _named(record, oneof.name)
    is_this_case = type(case).__name__ == _case_class(record, field)
    return getattr(case, "value", None) if is_this_case else None


def _is_real(oneof: OneofDescriptor) -> bool:
    """Whether the contract declares the oneof: an optional field is in one of its own as well."""
    return not oneof.name.startswith("_")


def _case_class(record: Record, field: FieldDescriptor) -> str:
    """The name of the class that wraps a field of a oneof."""
    oneof = field.containing_oneof
    assert oneof is not None
    return type(record).__name__ + _camel(oneof.name) + _camel(field.name)


def _named(record: Record, name: str) -> object:
    # Names that Python needs for itself got a "_".
    return getattr(record, name if hasattr(record, name) else f"{name}_", None)


def _required(record: Record) -> set[str]:
    """The fields that must have a value, by their names in the contract."""
    fields = msgspec.structs.fields(type(record))
    return {name for each in fields if each.required for name in (each.name, each.name.rstrip("_"))}


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _refusal(field: FieldDescriptor, value: object) -> InvalidField | None:
    """Why a value cannot be a single value of a field; None when it can."""
    message = field.message_type
    if message is not None:
        expected = _WELL_KNOWN.get(message.full_name)
        if expected is None and message.file.name == "google/protobuf/wrappers.proto":
            return _refusal(message.fields_by_name["value"], value)
        if expected is None:
            return _in_record(value, message)
        if not isinstance(value, expected):
            return InvalidField("", f"expected a {expected.__name__}, got {value!r}")
        try:
            if isinstance(value, datetime):
                timestamp_parts(value)
            elif isinstance(value, timedelta):
                duration_parts(value)
        except InvalidField as error:
            return error
        return None
    if value is None:
        return InvalidField("", "expected a value, got None")
    holder = field.containing_type
    assert holder is not None  # Only extensions stand outside of a message.
    try:
        GetMessageClass(holder)(**{field.name: [value] if field.is_repeated else value})
    except WRONG_VALUE as error:
        return InvalidField("", f"{value!r} was refused: {error}")
    return None
