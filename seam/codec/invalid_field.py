"""Finds the field at fault when a record cannot be written as a Protocol Buffers message.

Generated converters copy blindly, because looking first would cost every call. When protobuf
refuses a value, this module tries the fields of the record one by one, and says which one it was.

How fields are called in Python is not known here, and need not be: the attributes of a record stand
in the order of the message's members, and their annotations name the classes of nested records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message_factory import GetMessageClass

from seam.codec.wellknown import check_paths, duration_parts, timestamp_parts
from seam.contract.errors import InvalidField
from seam.contract.records import Record

if TYPE_CHECKING:
    from google.protobuf.descriptor import OneofDescriptor
    from google.protobuf.message import Message

__all__ = ["WRONG_VALUE", "find_invalid_field"]

WRONG_VALUE: Final = (TypeError, ValueError, AttributeError, OverflowError)
"""What converters raise when a record holds a value of the wrong type, or one out of range."""


def find_invalid_field(
    record: object, record_type: type[Record], message_type: type[Message], error: Exception
) -> InvalidField:
    """Find the field at fault.

    Args:
        record: what could not be converted.
        record_type: what it should have been.
        message_type: the message that it should have become.
        error: what the converter raised; its text is used when no single field is at fault.
    """
    if not isinstance(record, record_type):
        return InvalidField("", f"expected {record_type.__name__}, got {type(record).__name__}")
    message = message_type.DESCRIPTOR
    assert isinstance(message, Descriptor)  # Its stub also names the class that implements it.
    found = _in_record(record, record_type, message)
    if found is not None:
        return found
    reason = error.reason if isinstance(error, InvalidField) else str(error)
    return InvalidField("", f"cannot be written as {message.full_name}: {reason}")


def _in_record(
    record: object, record_type: type[Record], message: Descriptor
) -> InvalidField | None:
    """The first field of a record that its message refuses."""
    if not isinstance(record, record_type):
        return InvalidField(
            "", f"expected a record of {message.full_name}, got {type(record).__name__}"
        )
    for info, member in zip(msgspec.structs.fields(record_type), _members(message), strict=True):
        value = getattr(record, info.name)
        refusal = (
            _in_field(member, value, _types(info)[0], required=info.required)
            if isinstance(member, FieldDescriptor)
            else _in_oneof(member, value, _types(info))
        )
        if refusal is not None:
            return refusal
    return None


def _members(message: Descriptor) -> Iterator[FieldDescriptor | OneofDescriptor]:
    """What became the attributes of a record, in their order: fields and oneofs."""
    declared = DescriptorProto()
    message.CopyToProto(declared)
    seen: set[str] = set()
    for field, declaration in zip(message.fields, declared.field, strict=True):
        oneof = field.containing_oneof
        # An optional field is in a oneof of its own, which the contract does not declare.
        if oneof is None or declaration.proto3_optional:
            yield field
        elif oneof.name not in seen:
            seen.add(oneof.name)
            yield oneof


def _types(info: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    """The types of an attribute's values, without None."""
    types = get_args(info.type)
    if NoneType not in types:
        return (info.type,)
    return tuple([each for each in types if each is not NoneType])


def _in_oneof(
    oneof: OneofDescriptor, case: object, types: tuple[type[Record], ...]
) -> InvalidField | None:
    if case is None:
        return None
    for field, case_type in zip(oneof.fields, types, strict=True):
        if isinstance(case, case_type):
            (value,) = msgspec.structs.fields(case_type)
            refusal = _refusal(field, getattr(case, value.name), value.type)
            return None if refusal is None else refusal.under(field.name)
    reason = f"expected a case of the oneof, got {type(case).__name__}"
    return InvalidField(oneof.name, reason)


def _in_field(
    field: FieldDescriptor, value: object, type_: object, *, required: bool
) -> InvalidField | None:
    for path, element, item, item_type in _entries(field, value, type_, required=required):
        refusal = _refusal(element, item, item_type)
        if refusal is not None:
            return refusal.under(path)
    return None


def _entries(
    field: FieldDescriptor, value: object, type_: object, *, required: bool
) -> Iterator[tuple[str, FieldDescriptor, object, object]]:
    """The single values of a field: where they stand, what describes them, and their types."""
    if not field.is_repeated:
        if value is not None or required:
            yield field.name, field, value, type_
        return
    item_type = next((each for each in reversed(get_args(type_)) if each is not Ellipsis), type_)
    if isinstance(value, Mapping) and field.message_type is not None:
        key_field, value_field = field.message_type.fields
        for key, item in value.items():
            yield f"{field.name}[{key}]", key_field, key, None
            yield f"{field.name}[{key}]", value_field, item, item_type
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield f"{field.name}[{index}]", field, item, item_type
    else:
        # No list of a single value can be refused for its shape, so the value stands for it.
        yield field.name, field, value, item_type


def _refusal(field: FieldDescriptor, value: object, type_: object) -> InvalidField | None:
    """Why a value cannot be a single value of a field; None when it can."""
    message = field.message_type
    if message is not None:
        check = _VALUES.get(message.full_name)
        if check is not None:
            return check(value)
        if message.file.name == "google/protobuf/wrappers.proto":
            return _refusal(message.fields_by_name["value"], value, type_)
        assert isinstance(type_, type)
        return _in_record(value, type_, message)
    if value is None:
        return InvalidField("", "expected a value, got None")
    holder = field.containing_type
    assert holder is not None  # Only extensions stand outside of a message.
    try:
        GetMessageClass(holder)(**{field.name: [value] if field.is_repeated else value})
    except WRONG_VALUE as error:
        return InvalidField("", f"{value!r} was refused: {error}")
    return None


def _refused(check: Callable[[Any], object], expected: type, value: object) -> InvalidField | None:
    """Why a value that is no message in Python is refused."""
    if not isinstance(value, expected):
        return InvalidField("", f"expected a {expected.__name__}, got {value!r}")
    try:
        check(value)
    except InvalidField as error:
        return error
    return None


_VALUES: Final[Mapping[str, Callable[[object], InvalidField | None]]] = {
    "google.protobuf.Duration": partial(_refused, duration_parts, timedelta),
    "google.protobuf.FieldMask": partial(_refused, check_paths, tuple),
    "google.protobuf.Timestamp": partial(_refused, timestamp_parts, datetime),
}
