"""The AsyncAPI document of a process: the events that its services publish, and how they travel.

What an event is, its contract says; the generated part of the document comes with its descriptor.
How events travel is the same for all: CloudEvents in binary mode, or several as a JSON batch, over
subjects of NATS where there is a broker.

Sources: AsyncAPI 3.0, https://www.asyncapi.com/docs/reference/specification/v3.0.0. CloudEvents'
binding to NATS, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from seam.contract import EventDescriptor

ASYNCAPI_VERSION: Final = "3.0.0"

_TRAIT: Final = "CloudEvent"

_PARTITION: Final = (
    "A number that follows from the key: events with the same key have the same one."
)

_BATCH: Final = (
    "Events that wait together are one message of the subject `events.{owner}.batch.{{partition}}`,"
    " in CloudEvents' JSON batch format, each with its message as `data_base64`."
)

_HEADERS: Final[Mapping[str, Mapping[str, str]]] = {
    "ce-specversion": {"const": "1.0", "description": "The version of CloudEvents."},
    "ce-id": {
        "format": "uuid",
        "description": "Names the event. One that comes twice has the same.",
    },
    "ce-type": {"description": "The event's full name, which is the name of the message."},
    "ce-source": {"format": "uri-reference", "description": "The service that publishes it."},
    "ce-subject": {"description": "The key: events with the same one arrive in order."},
    "ce-time": {"format": "date-time", "description": "When it was published."},
    "ce-traceparent": {"description": "What it is part of, as W3C Trace Context has it."},
}


def asyncapi(events: Sequence[EventDescriptor[Any]], *, title: str) -> dict[str, Any]:
    """Make the AsyncAPI 3.0 document of several events as one.

    Events whose descriptors come without a document are left out.

    Args:
        events: what the services publish.
        title: title of the document.
    """
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for event in events:
        document = event.asyncapi()
        if not document:
            continue
        channels[event.type] = {
            "address": f"events.{event.type}.{{partition}}",
            "description": _BATCH.format(owner=event.owner),
            "parameters": {"partition": {"description": _PARTITION}},
            **document["channels"][event.type],
        }
        message = document["components"]["messages"][event.type]
        trait = {"$ref": f"#/components/messageTraits/{_TRAIT}"}
        messages[event.type] = {**message, "traits": [trait]}
        channel = {"$ref": f"#/channels/{event.type}"}
        operations |= {
            name: operation
            for name, operation in document["operations"].items()
            if operation["channel"] == channel
        }
        schemas |= document["components"]["schemas"]
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": title, "version": "1"},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "messageTraits": {_TRAIT: {"headers": _headers()}},
            "schemas": schemas,
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", **said} for name, said in _HEADERS.items()},
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source"],
    }
