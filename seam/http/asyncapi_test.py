"""The AsyncAPI document of a process: that of all events which its services publish."""

from __future__ import annotations

from typing import Any

from seam.codec.wellknown_records import FIELD_MASK
from seam.contract import EventDescriptor, FieldMask
from seam.http.asyncapi import asyncapi


def document(*events: str, schema: str) -> dict[str, Any]:
    return {
        "channels": {
            event: {"messages": {event: reference("messages", event)}} for event in events
        },
        "operations": {
            f"publish.{event}": {"action": "send", "channel": {"$ref": f"#/channels/{event}"}}
            for event in events
        },
        "components": {
            "messages": {event: {"payload": reference("schemas", schema)} for event in events},
            "schemas": {schema: {"type": "object"}},
        },
    }


def reference(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}


def event(type_: str, described: dict[str, Any]) -> EventDescriptor[FieldMask]:
    return EventDescriptor(type_, FIELD_MASK, lambda _: "", asyncapi=lambda: described)


def test_events_of_several_contracts_are_in_one_document() -> None:
    a = document("a.v1.X", "a.v1.Y", schema="a.v1.S")
    events = [event("a.v1.X", a), event("a.v1.Y", a)]
    events.append(event("b.v1.X", document("b.v1.X", schema="b.v1.S")))
    found = asyncapi(events, title="Test")
    assert (found["asyncapi"], found["info"]["title"]) == ("3.0.0", "Test")
    assert list(found["channels"]) == ["a.v1.X", "a.v1.Y", "b.v1.X"]
    assert list(found["operations"]) == ["publish.a.v1.X", "publish.a.v1.Y", "publish.b.v1.X"]
    assert list(found["components"]["messages"]) == ["a.v1.X", "a.v1.Y", "b.v1.X"]
    assert list(found["components"]["schemas"]) == ["a.v1.S", "b.v1.S"]


def test_an_event_that_no_service_publishes_is_left_out() -> None:
    found = asyncapi([event("a.v1.X", document("a.v1.X", "a.v1.Y", schema="S"))], title="Test")
    for part in (found["channels"], found["components"]["messages"]):
        assert list(part) == ["a.v1.X"]
    assert list(found["operations"]) == ["publish.a.v1.X"]


def test_an_event_that_nobody_describes_is_left_out() -> None:
    plain = EventDescriptor("a.v1.X", FIELD_MASK, lambda _: "")
    assert asyncapi([plain], title="Test")["channels"] == {}


def test_messages_have_the_headers_of_cloudevents() -> None:
    found = asyncapi([event("a.v1.X", document("a.v1.X", schema="S"))], title="Test")
    (trait,) = found["components"]["messages"]["a.v1.X"]["traits"]
    assert trait == reference("messageTraits", "CloudEvent")
    headers = found["components"]["messageTraits"]["CloudEvent"]["headers"]
    assert {"ce-id", "ce-type", "ce-source", "ce-specversion"} == set(headers["required"])
    assert set(headers["required"]) < set(headers["properties"])


def test_a_channel_is_a_subject_for_each_partition() -> None:
    found = asyncapi([event("a.v1.X", document("a.v1.X", schema="S"))], title="Test")
    channel = found["channels"]["a.v1.X"]
    assert channel["address"] == "events.a.v1.X.{partition}"
    assert list(channel["parameters"]) == ["partition"]


def test_the_generated_part_is_not_changed() -> None:
    described = document("a.v1.X", schema="S")
    asyncapi([event("a.v1.X", described)], title="Test")
    assert described == document("a.v1.X", schema="S")
