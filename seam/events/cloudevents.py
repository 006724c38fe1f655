"""Events as messages of NATS: one in a message, or several of one partition in one.

One event is a message in CloudEvents' binary mode: headers say what it is, and the data is its
message. Several are a message in CloudEvents' JSON batch format. What a broker and its clients
spend on a message, they spend on some hundreds of events then. The broker takes a message or does
not, so its events are written all together, or none of them is.

Sources: CloudEvents over NATS, binary mode,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md;
JSON batches,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md; the attribute
`traceparent`,
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from seam.events.event import Event

MAXIMUM_MESSAGE_BYTES: Final = 256 * 1024
"""What several events may take in one message; one alone always takes less."""

MAXIMUM_MESSAGE_EVENTS: Final = 500
"""The most events in one message; its subscribers handle all of them in one transaction."""

BATCH_TYPE: Final = "application/cloudevents-batch+json"
"""The content type of a message that holds several events."""

COUNT: Final = "Seam-Event-Count"
"""The header that says how many events a message holds; without it, it holds one."""

_DATA_TYPE: Final = "application/protobuf"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLAIN: Final = "!#$&'()*+,/:;=?@[]<>\\^`{|}"
_DIGEST_BYTES: Final = 16


class Message(NamedTuple):
    """What is written into a stream.

    Attributes:
        subject: its subject.
        headers: its headers.
        data: its data.
    """

    subject: str
    headers: dict[str, str]
    data: bytes


class _Envelope(msgspec.Struct, frozen=True):
    """An event in a batch."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data_base64: bytes
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    datacontenttype: str = _DATA_TYPE
    specversion: Literal["1.0"] = "1.0"


_ENCODER: Final = msgspec.json.Encoder()
_BATCH: Final = msgspec.json.Decoder(list[_Envelope])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ITEM: Final = msgspec.json.Decoder(_Envelope)


def subject_of(event_type: str, partition: int) -> str:
    """The subject of messages that hold one event of a type, of one partition."""
    return f"events.{event_type}.{partition}"


def batch_subject_of(owner: str, partition: int) -> str:
    """The subject of messages that hold several events of a service, of one partition."""
    return f"events.{owner}.batch.{partition}"


def messages_of(
    owner: str, partition: int, events: Sequence[Event], maximum: int = MAXIMUM_MESSAGE_BYTES
) -> Iterator[Message]:
    """Put events of one partition into as few messages as hold them.

    Args:
        owner: the service that has published them.
        partition: their partition.
        events: the events, in order.
        maximum: bytes of a message that holds several of them.
    """
    encoded: list[bytes] = []
    first, size = 0, 0
    for number, event in enumerate(events):
        item = _ENCODER.encode(_envelope(event))
        full = len(encoded) == MAXIMUM_MESSAGE_EVENTS or size + len(item) + 2 > maximum
        if encoded and full:
            yield _message(owner, partition, events[first:number], encoded)
            encoded, first, size = [], number, 0
        encoded.append(item)
        size += len(item) + 1
    if encoded:
        yield _message(owner, partition, events[first:], encoded)


def events_of(
    headers: Mapping[str, str], sequence: int, data: bytes
) -> tuple[list[Event], list[str]]:
    """Read the events of a message as it comes from a stream.

    Args:
        headers: its headers.
        sequence: its place in the stream, which becomes the position of its events.
        data: its data.

    Returns:
        The events, in order; and why there are not more of them, if something cannot be read.
    """
    if headers.get("content-type") != BATCH_TYPE:
        try:
            return [_event_of_headers(headers, sequence, data)], []
        except ValueError as error:
            return [], [str(error)]
    try:
        return [_event(each, sequence) for each in _BATCH.decode(data)], []
    except ValueError:
        return _readable(sequence, data)


def count_of(headers: Mapping[str, str]) -> int:
    """How many events a message holds, by its headers."""
    count = headers.get(COUNT, "1")
    return int(count) if count.isdecimal() else 1


def _message(
    owner: str, partition: int, events: Sequence[Event], encoded: Sequence[bytes]
) -> Message:
    if len(events) == 1:
        (event,) = events
        return Message(subject_of(event.type, partition), _headers(event), event.data)
    # Another choice of events must have another id: the broker drops a message whose id it knows,
    # and an event that a message had in addition would be lost with it.
    ids = blake2b("\n".join(each.id for each in events).encode(), digest_size=_DIGEST_BYTES)
    headers = {"Nats-Msg-Id": ids.hexdigest(), "content-type": BATCH_TYPE, COUNT: str(len(events))}
    return Message(batch_subject_of(owner, partition), headers, b"[" + b",".join(encoded) + b"]")


def _headers(event: Event) -> dict[str, str]:
    headers = {
        "Nats-Msg-Id": event.id,
        "ce-specversion": "1.0",
        "ce-id": event.id,
        "ce-type": event.type,
        "ce-source": _source(event),
        "ce-subject": quote(event.key, safe=_PLAIN),
        "ce-time": _time(event).isoformat(),
        "content-type": _DATA_TYPE,
    }
    if event.traceparent:
        headers["ce-traceparent"] = event.traceparent
    return headers


def _envelope(event: Event) -> _Envelope:
    return _Envelope(
        event.id,
        event.type,
        _source(event),
        event.key,
        _time(event),
        event.data,
        event.traceparent or msgspec.UNSET,
    )


def _source(event: Event) -> str:
    return f"/{event.type.partition('.')[0]}"


def _time(event: Event) -> datetime:
    return _EPOCH + event.time * _MICROSECOND


def _microseconds(time: datetime, name: str) -> int:
    if time.tzinfo is None:
        raise ValueError(f"{name} has no zone")
    return (time - _EPOCH) // _MICROSECOND


def _event_of_headers(headers: Mapping[str, str], sequence: int, data: bytes) -> Event:
    try:
        return Event(
            sequence,
            headers["ce-id"],
            headers["ce-type"],
            unquote(headers["ce-subject"]),
            _microseconds(datetime.fromisoformat(headers["ce-time"]), "ce-time"),
            headers.get("ce-traceparent", ""),
            data,
        )
    except KeyError as error:
        raise ValueError(f"it has no header {error.args[0]}") from None


def _event(envelope: _Envelope, sequence: int) -> Event:
    return Event(
        sequence,
        envelope.id,
        envelope.type,
        envelope.subject,
        _microseconds(envelope.time, "time"),
        envelope.traceparent or "",
        envelope.data_base64,
    )


def _readable(sequence: int, data: bytes) -> tuple[list[Event], list[str]]:
    """Read of a batch what can be read."""
    events: list[Event] = []
    problems: list[str] = []
    try:
        items = _ITEMS.decode(data)
    except (ValueError, RecursionError) as error:
        return [], [f"it is no batch: {error}"]
    for number, item in enumerate(items, start=1):
        try:
            events.append(_event(_ITEM.decode(item), sequence))
        except ValueError as error:
            problems.append(f"event {number} of its batch: {error}")
    return events, problems
