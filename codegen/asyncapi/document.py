"""What a contract says of its events in an AsyncAPI 3.0 document.

How events travel is the runtime's: it adds the addresses of channels, and the CloudEvents headers.

Source: AsyncAPI 3.0, https://www.asyncapi.com/docs/reference/specification/v3.0.0. Its schemas are
those of JSON Schema draft 07, https://json-schema.org/draft-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import names
from codegen.contract.comments import first_sentence
from codegen.openapi.schemas import Schemas, prose

if TYPE_CHECKING:
    from codegen.contract.model import ContractFile, Message
    from codegen.openapi.schemas import Json

__all__ = ["document"]


def document(file: ContractFile) -> dict[str, Json]:
    """The `channels`, `operations` and `components` of a contract's AsyncAPI document.

    Each event is a message, alone in a channel, to which its service sends it. All three are called
    after the event in full.
    """
    schemas = Schemas(file.types)
    messages: dict[str, Json] = {
        event.full_name: _message(file, event, schemas) for event in file.events
    }
    referred = schemas.referred()
    return {
        "channels": {event.full_name: _channel(event) for event in file.events},
        "operations": {
            names.publish_operation(event.full_name): _operation(event) for event in file.events
        },
        "components": {
            "messages": messages,
            "schemas": {name: _as_draft_7(referred[name]) for name in sorted(referred)},
        },
    }


def _channel(event: Message) -> Json:
    name = event.full_name
    return {"messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def _operation(event: Message) -> Json:
    name = event.full_name
    operation: dict[str, Json] = {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
    if event.comment:
        operation["summary"] = first_sentence(event.comment)
    operation["messages"] = [{"$ref": f"#/channels/{name}/messages/{name}"}]
    return operation


def _message(file: ContractFile, event: Message, schemas: Schemas) -> Json:
    assert event.event is not None
    key = event.event.key
    form = (
        f"On the wire it is the Protocol Buffers message `{event.full_name}` of `{file.path}`; the "
        "schema shows its ProtoJSON form. Events with the same "
        f"`{key.json_name}` arrive in the order in which they were published. "
        f"Services that may subscribe: {', '.join(event.event.subscribers) or 'none'}."
    )
    message: dict[str, Json] = {"name": event.full_name, "title": event.name}
    if event.comment:
        message["summary"] = first_sentence(event.comment)
    message["description"] = "\n\n".join(filter(None, [prose(event.comment), form]))
    message["contentType"] = "application/protobuf"
    message["payload"] = schemas.of(event.full_name)
    return message


def _as_draft_7(schema: Json) -> Json:
    """A schema of OpenAPI 3.1 as one of draft 07 for readers who may be older than the publisher.

    In draft 07 what stands beside a reference is ignored. Objects are open, because subscribers
    skip the fields that they do not know.
    """
    if isinstance(schema, list):
        return [_as_draft_7(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: _as_draft_7(value)
        for key, value in schema.items()
        if (key, value) != ("additionalProperties", False)
    }
    # A field can be called `$ref`, too; its value is a schema.
    if isinstance(found.get("$ref"), str) and len(found) > 1:
        return {"allOf": [{"$ref": found.pop("$ref")}], **found}
    return found
