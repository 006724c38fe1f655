"""Fills Protocol Buffers messages with random values that records can hold. For tests."""

from __future__ import annotations

import math
import random
import struct
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

__all__ = ["fill", "random_scalar"]

_DEEPEST = 3
_LETTERS = 'abc XYZ019_-äß€😀"\\/\n\t\x00\x7f<>&'
_PATHS = ("a", "name", "price_each", "author.first_name", "*", "lines.0.sku", "_hidden", "x1.y_z")


def fill(rng: random.Random, message: Message, depth: int = 0) -> None:
    """Set random fields of a message.

    Args:
        rng: makes the choices.
        message: an empty message.
        depth: how many messages enclose it.
    """
    match message:
        case Timestamp():
            message.seconds = _edge(rng, -62135596800, 253402300799)
            # A datetime holds microseconds.
            message.nanos = _edge(rng, 0, 999_999) * 1000
        case Duration():
            micros = _edge(rng, -315576000000 * 10**6, 315576000000 * 10**6)
            sign = -1 if micros < 0 else 1
            message.seconds = sign * (abs(micros) // 10**6)
            message.nanos = sign * (abs(micros) % 10**6) * 1000
        case FieldMask():
            message.paths.extend(rng.choices(_PATHS, k=rng.randint(0, 3)))
        case _:
            descriptor = message.DESCRIPTOR
            assert isinstance(descriptor, Descriptor)  # Its stub names another class as well.
            for field in descriptor.fields:
                if rng.random() < 0.6:
                    _fill_field(rng, message, field, depth)


def _fill_field(rng: random.Random, message: Message, field: FieldDescriptor, depth: int) -> None:
    nested = field.message_type
    value: Any = getattr(message, field.name)
    if nested is not None and nested.GetOptions().map_entry:
        key_field, value_field = nested.fields
        for _ in range(rng.randint(0, 2)):
            key = random_scalar(rng, key_field)
            if value_field.message_type is None:
                value[key] = random_scalar(rng, value_field)
            elif depth < _DEEPEST:
                fill(rng, value[key], depth + 1)
    elif field.is_repeated:
        for _ in range(rng.randint(0, 2)):
            if nested is None:
                value.append(random_scalar(rng, field))
            elif depth < _DEEPEST:
                fill(rng, value.add(), depth + 1)
    elif nested is None:
        setattr(message, field.name, random_scalar(rng, field))
    elif depth < _DEEPEST:
        value.SetInParent()
        fill(rng, value, depth + 1)


def random_scalar(rng: random.Random, field: FieldDescriptor) -> object:
    """A value of a field that is no message."""
    if field.enum_type is not None:
        return rng.choice([*field.enum_type.values_by_number, 1234, -(2**31), 2**31 - 1])
    match field.cpp_type:
        case field.CPPTYPE_INT32:
            return _edge(rng, -(2**31), 2**31 - 1)
        case field.CPPTYPE_INT64:
            return _edge(rng, -(2**63), 2**63 - 1)
        case field.CPPTYPE_UINT32:
            return _edge(rng, 0, 2**32 - 1)
        case field.CPPTYPE_UINT64:
            return _edge(rng, 0, 2**64 - 1)
        case field.CPPTYPE_BOOL:
            return rng.random() < 0.5
        case field.CPPTYPE_DOUBLE:
            return _float(rng, "<d")
        case field.CPPTYPE_FLOAT:
            return _float(rng, "<f")
    if field.type == field.TYPE_BYTES:
        return rng.randbytes(rng.randint(0, 5))
    return "".join(rng.choices(_LETTERS, k=rng.randint(0, 5)))


def _edge(rng: random.Random, low: int, high: int) -> int:
    """A number that is often small, or at the edge."""
    match rng.randint(0, 3):
        case 0:
            return rng.randint(low, high)
        case 1:
            return rng.choice((low, high, min(max(low, -1), high), 0))
        case _:
            return min(max(rng.randint(-1000, 1000), low), high)


def _float(rng: random.Random, layout: str) -> float:
    match rng.randint(0, 3):
        case 0:
            return rng.choice((0.0, -0.0, math.inf, -math.inf, math.nan, 0.1, 1e10))
        case 1:
            value: float = struct.unpack(layout, rng.randbytes(struct.calcsize(layout)))[0]
            # Not every pattern of a NaN survives being copied.
            return math.nan if math.isnan(value) else value
        case _:
            rounded: float = struct.unpack(layout, struct.pack(layout, rng.uniform(-9, 9)))[0]
            return rounded
