"""What a contract says of streams over HTTP: which can be bound, and where one goes on.

A method that answers with a stream is bound by `get`: to server-sent events when it takes one
request, to a WebSocket when it takes a stream of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.contract.model import Enum, Field, Kind, Message, Presence, Resume, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    request: Message | Enum | None,
    response: Message | Enum | None,
    refuse: Callable[[str], None],
) -> Resume | None:
    """Read where a stream goes on.

    Args:
        spec: the option `(contract.v1.method)`.
        kind: whether the method has streams.
        http: how it is bound to HTTP.
        request: the message that it takes.
        response: the message that it answers with.
        refuse: is told what is wrong.
    """
    if spec is None or not spec.HasField("resume"):
        return None
    option = getattr(spec, "resume", None)
    if kind is not Kind.SERVER_STREAMING:
        refuse("resume is for a method that answers one request with a stream")
        return None
    found: list[Field] = []
    for side, message in (("request", request), ("response", response)):
        name = str(getattr(option, f"{side}_field", ""))
        field = _field(message, name)
        if field is None:
            refuse(
                f"resume names {name!r} as {side}_field; expected an int64, uint64 or string of the"
                f" {side} that is always there"
            )
            return None
        found.append(field)
    if found[0].type is not found[1].type:
        refuse("resume names fields of two types; expected one type")
        return None
    if any(found[0] in binding.path_fields for binding in http):
        refuse(f"resume names {found[0].name} as request_field, which the path binds")
        return None
    return Resume(*found)


def _field(message: Message | Enum | None, name: str) -> Field | None:
    if not isinstance(message, Message):
        return None
    for field in message.fields:
        if field.name == name:
            plain = field.is_single and field.presence is Presence.ALWAYS
            return field if plain and field.type in _POSITIONS else None
    return None
