"""What generated modules are for the records of contracts, for those that no contract of ours has.

`google.protobuf.Empty` and `google.protobuf.FieldMask` may be what a method takes or gives, and
Empty a field's type.
"""

from __future__ import annotations

from typing import Final

from google.protobuf import empty_pb2, field_mask_pb2

from seam.codec.protojson import JsonValue, read_object, unknown_field, write_field_mask
from seam.codec.wire import Codec, field_mask_fill, field_mask_from_proto
from seam.contract.errors import InvalidField
from seam.contract.records import Empty, FieldMask

__all__ = [
    "EMPTY",
    "FIELD_MASK",
    "empty_fill",
    "empty_from_json",
    "empty_from_proto",
    "empty_to_json",
    "empty_to_proto",
    "field_mask_to_json",
]


def empty_fill(message: empty_pb2.Empty, record: Empty) -> None:
    """Copy a record into an empty `google.protobuf.Empty`."""
    del message, record  # There is nothing to copy.


def empty_to_proto(record: Empty) -> empty_pb2.Empty:
    """Convert a record to `google.protobuf.Empty`."""
    del record  # It has no fields.
    return empty_pb2.Empty()


def empty_from_proto(message: empty_pb2.Empty) -> Empty:
    """Convert `google.protobuf.Empty` to a record."""
    del message  # It has no fields.
    return Empty()


EMPTY: Final = Codec(Empty, empty_pb2.Empty, empty_to_proto, empty_from_proto)


def empty_to_json(record: Empty) -> dict[str, JsonValue]:
    """Convert `google.protobuf.Empty` to a ProtoJSON object."""
    del record  # It has no fields.
    return {}


def empty_from_json(value: object, depth: int = 1) -> Empty:
    """Read `google.protobuf.Empty` from ProtoJSON.

    Args:
        value: the JSON value, which must be an object.
        depth: how many messages enclose the value, itself included.

    Raises:
        InvalidField: the value is no object, or holds something.
    """
    for name, _ in read_object(value, depth):
        try:
            unknown_field()
        except InvalidField as error:
            raise error.under(name) from None
    return Empty()


def _to_proto(record: FieldMask) -> field_mask_pb2.FieldMask:
    message = field_mask_pb2.FieldMask()
    field_mask_fill(message, record.paths)
    return message


def _from_proto(message: field_mask_pb2.FieldMask) -> FieldMask:
    return FieldMask(paths=field_mask_from_proto(message))


FIELD_MASK: Final = Codec(FieldMask, field_mask_pb2.FieldMask, _to_proto, _from_proto)


def field_mask_to_json(record: FieldMask) -> str:
    """Convert `google.protobuf.FieldMask` to a ProtoJSON text.

    Raises:
        InvalidField: a path would be another after a turn through JSON.
    """
    return write_field_mask(record.paths)
