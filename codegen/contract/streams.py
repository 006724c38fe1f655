"""What a contract says of streams over HTTP: which can be bound, and where one goes on.

A method that answers with a stream is bound by `get`: to server-sent events when it takes one
request, to a WebSocket when it takes a stream of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import (
    Enum,
    Field,
    Kind,
    Message,
    Presence,
    Resume,
    Scalar,
    TypeRef,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message as ProtoMessage

    from codegen.contract.model import HttpBinding

__all__ = ["read_resume", "refuse_stream"]

_POSITIONS = (Scalar.INT64, Scalar.UINT64, Scalar.STRING)


def refuse_stream(kind: Kind, bindings: Sequence[HttpBinding]) -> str | None:
    """Why a method cannot have its HTTP rule, or None when it can.

    Args:
        kind: whether the method has streams.
        bindings: what its rule binds.
    """
    if kind is Kind.UNARY:
        return None
    if any(binding.verb != "get" for binding in bindings):
        return "a stream is bound by get: to server-sent events, or to a WebSocket"
    if kind is Kind.BIDIRECTIONAL:
        for binding in bindings:
            for field in binding.unbound:
                if field.presence is Presence.REQUIRED or field.repeated or field.map is not None:
                    return f"the opening request would lack {field.name}; let it be optional"
    return None


def read_resume(
    spec: ProtoMessage | None,
    kind: Kind,
    *,
    http: Sequence[HttpBinding],
    request: TypeRef,
    response: TypeRef,
    types: Mapping[str, Message | Enum],
    refuse: Callable[[str], None],
) -> Resume | None:
    """Read where a stream goes on.

    Args:
        spec: the option `(contract.v1.method)`.
        kind: whether the method has streams.
        http: how it is bound to HTTP.
        request: the message that it takes.
        response: the message that it answers with.
        types: all messages, by full name.
        refuse: is told what is wrong.
    """
    if spec is None or not spec.HasField("resume"):
        return None
    option = getattr(spec, "resume", None)
    if kind not in (Kind.SERVER_STREAMING, Kind.BIDIRECTIONAL):
        refuse("resume is for a method that answers with a stream, to one request or to a stream")
        return None
    asked = str(getattr(option, "request_field", ""))
    told = str(getattr(option, "response_field", ""))
    after = _position(types.get(request.full_name), asked)
    # An event has its position in any case; what is heard in a conversation need not have one.
    *outer, inner = told.split(".") if kind is Kind.BIDIRECTIONAL else [told]
    within: list[Field] = []
    at = types.get(response.full_name)
    for name in outer:
        part = _part(at, name)
        if part is None:
            refuse(f"resume names {told!r} as response_field; {name} is no single message there")
            return None
        within.append(part)
        at = types.get(part.type.full_name) if isinstance(part.type, TypeRef) else None
    position = _position(at, inner)
    for side, name, field in (("request", asked, after), ("response", told, position)):
        if field is None:
            refuse(
                f"resume names {name!r} as {side}_field; expected an int64, uint64 or string of the"
                f" {side} that is always there"
            )
            return None
    assert after is not None
    assert position is not None
    if after.type is not position.type:
        refuse("resume names fields of two types; expected one type")
        return None
    if any(after in binding.path_fields for binding in http):
        refuse(f"resume names {after.name} as request_field, which the path binds")
        return None
    return Resume(after, position, tuple(within))


def _position(message: Message | Enum | None, name: str) -> Field | None:
    """A field that can be a position."""
    if isinstance(message, Message):
        for field in message.fields:
            if field.name == name:
                plain = field.is_single and field.presence is Presence.ALWAYS
                return field if plain and field.type in _POSITIONS else None
    return None


def _part(message: Message | Enum | None, name: str) -> Field | None:
    """A field that holds one message, be it one of a oneof."""
    if isinstance(message, Message):
        for field in message.all_fields:
            if field.name == name:
                return field if field.is_single and isinstance(field.type, TypeRef) else None
    return None
