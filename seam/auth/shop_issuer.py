"""The shop's own issuer: the service `authentication`, which is asked for its keys over the bus.

The seam knows no service, and this one by its contract alone, as one knows `grpc.health.v1`: a
service of this name answers `authentication.v1.Authentication/GetKeys` with its public keys. Field
1 of the answer is a text, so on the wire it is a `google.protobuf.StringValue`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from google.protobuf.empty_pb2 import Empty as EmptyMessage
from google.protobuf.wrappers_pb2 import StringValue

from seam.bus.channel import Channel, UnaryCall
from seam.codec.wire import Codec
from seam.contract.access import NOBODY
from seam.contract.descriptors import (
    IdempotencyLevel,
    Kind,
    MethodDescriptor,
    ServiceDescriptor,
)
from seam.contract.records import Empty, Record

if TYPE_CHECKING:
    # What verifies tokens is loaded by processes that accept some.
    from seam.auth.key_source import Fetch

__all__ = ["AUTHENTICATION", "keys_over"]


class Keys(Record):
    """The public keys.

    Attributes:
        jwks: a JSON Web Key Set.
    """

    jwks: str


def _to_empty(_: Empty) -> EmptyMessage:
    return EmptyMessage()


def _from_empty(_: EmptyMessage) -> Empty:
    return Empty()


def _to_text(keys: Keys) -> StringValue:
    return StringValue(value=keys.jwks)


def _from_text(message: StringValue) -> Keys:
    return Keys(jwks=message.value)


GET_KEYS: Final = MethodDescriptor(
    service="authentication.v1.Authentication",
    name="GetKeys",
    kind=Kind.UNARY,
    request=Codec(Empty, EmptyMessage, _to_empty, _from_empty),
    response=Codec(Keys, StringValue, _to_text, _from_text),
    timeout=2.0,
    idempotency_level=IdempotencyLevel.NO_SIDE_EFFECTS,
    errors=(),
    # What holds is what the contract of the service says.
    access=NOBODY,
)

AUTHENTICATION: Final = ServiceDescriptor(GET_KEYS.service, (GET_KEYS,))


def keys_over(channel: Callable[[], Channel]) -> Fetch:
    """What asks the service for its keys.

    Args:
        channel: gives the channel to it, by reference within a process; it is asked once, when keys
            are fetched first.
    """
    calls: list[UnaryCall[Empty, Keys]] = []

    async def fetch() -> bytes:
        if not calls:
            calls.append(channel().unary(GET_KEYS))
        return (await calls[0](Empty(), None, None)).jwks.encode()

    return fetch
