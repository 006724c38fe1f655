"""An event on its way from the publisher's outbox to a subscriber."""

from __future__ import annotations

import secrets
import time
from typing import Final
from zlib import crc32

import msgspec

PARTITIONS: Final = 8
"""Parts of a service's events that are delivered apart from each other: the most replicas that
share the work. It is written into outboxes and subjects, so it stays what it is."""

_LOW: Final = (1 << 62) - 1


class Event(msgspec.Struct, frozen=True):
    """An event in its wire form, with what CloudEvents calls its context attributes.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md

    Attributes:
        position: where it stands among others: in the outbox, or its sequence in the stream.
        id: what no other event has.
        type: full name of its message, such as `orders.v1.OrderConfirmed`.
        key: what it is about; events of one service with the same key stay in order.
        time: when it was published, in microseconds since the epoch.
        traceparent: W3C trace context of what published it; "" when that was not traced.
        data: its message.
    """

    position: int
    id: str
    type: str
    key: str
    time: int
    traceparent: str
    data: bytes


def partition_of(key: str) -> int:
    """The partition of the events with a key."""
    return crc32(key.encode()) % PARTITIONS


def new_id(now: int) -> str:
    """Make an id; ids that are made later come later, so that an index of them grows at its end.

    Source: RFC 9562, UUID version 7.

    Args:
        now: microseconds since the epoch.
    """
    random = secrets.randbits(74)
    value = (now // 1000) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & _LOW
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def microseconds() -> int:
    """Now, in microseconds since the epoch."""
    return time.time_ns() // 1000
