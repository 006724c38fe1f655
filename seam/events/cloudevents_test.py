"""Events come back from messages as they were, however many share one, and whatever is amiss."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.events.broker import Broker
from seam.events.cloudevents import (
    BATCH_TYPE,
    MAXIMUM_MESSAGE_BYTES,
    MAXIMUM_MESSAGE_EVENTS,
    Message,
    count_of,
    events_of,
    messages_of,
)
from seam.events.event import Event, new_id
from seam.events.publishing import MAXIMUM_DATA_BYTES, MAXIMUM_KEY
from seam.events.stream import Stream, stream_of
from seam.testing.nats import NatsServer

NOW = 1_700_000_000_123_456
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENT = st.builds(
    Event,
    position=st.just(7),
    id=st.integers(0, 1 << 40).map(new_id),
    type=st.sampled_from(["sales.v1.Sold", "sales.v1.Returned"]),
    key=TEXT,
    time=st.integers(0, 4_000_000_000_000_000),
    traceparent=st.sampled_from(["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
    data=st.binary(max_size=200),
)


def event(number: int, data: bytes = b"", key: str = "a") -> Event:
    return Event(7, new_id(NOW + number), "sales.v1.Sold", key, NOW, "", data)


def read(message: Message) -> list[Event]:
    events, problems = events_of(message.headers, 7, message.data)
    assert not problems
    assert len(events) == count_of(message.headers)
    return events


@given(st.lists(EVENT, max_size=30), st.integers(1, 5000))
def test_events_come_back_in_order_however_they_are_cut(events: list[Event], maximum: int) -> None:
    messages = list(messages_of("sales", 3, events, maximum))
    assert [each for message in messages for each in read(message)] == events
    assert all(len(each.data) <= maximum for each in messages if count_of(each.headers) > 1)


def test_a_message_is_bounded_in_bytes_and_in_events() -> None:
    # A control character takes six bytes of JSON.
    largest = [event(n, bytes(MAXIMUM_DATA_BYTES), "\x01" * MAXIMUM_KEY) for n in range(20)]
    messages = list(messages_of("sales", 0, largest))
    assert max(len(each.data) for each in messages) <= MAXIMUM_MESSAGE_BYTES
    assert max(len(read(each)) for each in messages) > 1
    small = [event(n) for n in range(2 * MAXIMUM_MESSAGE_EVENTS + 1)]
    counts = [count_of(each.headers) for each in messages_of("sales", 0, small)]
    assert counts == [MAXIMUM_MESSAGE_EVENTS, MAXIMUM_MESSAGE_EVENTS, 1]


def test_messages_have_one_id_only_if_they_hold_the_same_events() -> None:
    one, two, three, four = (event(n) for n in range(4))
    choices = [[one], [one, two], [one, two, three], [one, three], [one, two, four], [two, one]]
    messages = [next(messages_of("sales", 0, each)) for each in choices]
    assert len({each.headers["Nats-Msg-Id"] for each in messages}) == len(choices)
    again = next(messages_of("sales", 0, [one, two]))
    assert again == messages[1]


def test_several_events_are_a_batch_of_cloudevents() -> None:
    (message,) = messages_of("sales", 3, [event(0, b"\x08\x01", "täglich"), event(1)])
    assert message.subject == "events.sales.batch.3"
    first, second = json.loads(message.data)
    assert {name: value for name, value in first.items() if name != "id"} == {
        "specversion": "1.0",
        "type": "sales.v1.Sold",
        "source": "/sales",
        "subject": "täglich",
        "time": datetime.fromtimestamp(NOW / 1e6, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/protobuf",
        "data_base64": "CAE=",
    }
    assert first["id"] != second["id"]


@dataclass
class Damage:
    """What is done to the second of three events, and what is said of it."""

    name: str
    value: object
    reason: str


@pytest.mark.parametrize(
    "damage",
    [
        Damage("id", None, "Expected `str`, got `null`"),
        Damage("time", "2026-01-01T00:00:00", "time has no zone"),
        Damage("data_base64", "%%%", "Invalid base64"),
        Damage("specversion", "2.0", "Invalid enum value '2.0'"),
    ],
)
def test_of_a_batch_what_can_be_read_is_read(damage: Damage) -> None:
    events = [event(n) for n in range(3)]
    (message,) = messages_of("sales", 0, events)
    items = json.loads(message.data)
    items[1][damage.name] = damage.value
    found, problems = events_of(message.headers, 7, json.dumps(items).encode())
    assert found == [events[0], events[2]]
    (problem,) = problems
    assert problem.startswith("event 2 of its batch:")
    assert damage.reason in problem


def test_attributes_of_later_versions_are_passed_over() -> None:
    events = [event(n) for n in range(2)]
    (message,) = messages_of("sales", 0, events)
    items = [{**each, "later": {"a": 1}} for each in json.loads(message.data)]
    assert events_of(message.headers, 7, json.dumps(items).encode()) == (events, [])


@pytest.mark.parametrize(
    "data", [b"", b"{", b"{}", b"[", b"\xff", b"[" * 100_000, b"[1, null]", b'["\xff"]', b"[{}]"]
)
def test_what_is_no_batch_holds_no_event_and_does_not_raise(data: bytes) -> None:
    found, problems = events_of({"content-type": BATCH_TYPE}, 7, data)
    assert not found
    assert problems


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ce-id", None, "it has no header ce-id"),
        ("ce-time", "2026-01-01T00:00:00", "ce-time has no zone"),
        ("ce-time", "soon", "Invalid isoformat string: 'soon'"),
    ],
)
def test_a_message_without_what_an_event_has_is_none(
    name: str, value: str | None, reason: str
) -> None:
    (message,) = messages_of("sales", 0, [event(0)])
    headers = {key: each for key, each in message.headers.items() if key != name}
    if value is not None:
        headers[name] = value
    assert events_of(headers, 7, message.data) == ([], [reason])


@pytest.mark.parametrize("count", ["", "-1", "x", "٣x"])
def test_a_count_that_is_none_counts_as_one(count: str) -> None:
    assert count_of({"Seam-Event-Count": count}) == 1


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("key", ["order 1", " spaces ", "100 %", "täglich", "a\nb: c", ""])
async def test_any_key_comes_back_from_the_stream(
    nats_server: NatsServer, key: str, count: int
) -> None:
    events = [
        Event(0, f"id-{key.encode().hex()}-{n}-{count}", "keys.v1.Used", key, NOW, "", b"")
        for n in range(count)
    ]
    broker = Broker(nats_server.url)
    await broker.connect()
    try:
        sequence = await Stream(broker, "keys").publish(3, events)
        message = await broker.client.jetstream().get_msg(stream_of("keys"), sequence)
        assert events_of(message.headers or {}, 0, message.data or b"") == (events, [])
    finally:
        await broker.client.close()
