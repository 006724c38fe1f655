"""Messages to bytes and back, with gRPC's rules for what goes wrong on the way.

On the server an error ends the RPC. On the client gRPC logs it and goes on: with an empty
message in place of one that could not be serialized, with None in place of one that could not
be parsed. The same happens here, so that a service which leaves the process does not change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

_LOGGER: Final = logging.getLogger(__name__)

Serializer = Callable[[Any], bytes] | None
"""From message to bytes; None when messages are bytes already."""
Deserializer = Callable[[Any], Any] | None
"""From bytes to message; None when messages are bytes."""


def serialized_by_server(serializer: Serializer, message: object) -> bytes:
    """The bytes of a response; text becomes UTF-8 and None nothing when messages are bytes.

    Raises:
        TypeError: messages are bytes and this one is not; also whatever the serializer raises.
    """
    if isinstance(message, str):
        message = message.encode()
    return _as_bytes(message if serializer is None else serializer(message))


def parsed_by_server(deserializer: Deserializer, message: bytes) -> Any:  # noqa: ANN401
    """The request in `message`. Whatever the deserializer raises passes through."""
    return message if deserializer is None else deserializer(message)


def serialized_by_client(serializer: Serializer, message: object) -> bytes:
    """The bytes of a request; none when the serializer fails, which is logged.

    Raises:
        TypeError: what would be sent is not bytes.
    """
    if serializer is None:
        return _as_bytes(message)
    try:
        serialized = serializer(message)
    except Exception:
        _LOGGER.exception("Exception serializing message!")
        return b""
    return _as_bytes(serialized)


def parsed_by_client(deserializer: Deserializer, message: bytes | None) -> Any:  # noqa: ANN401
    """The response in `message`; None when the deserializer fails, which is logged.

    A server may end a call well without any message: then there is None to parse, as in gRPC.
    """
    if deserializer is None:
        return message
    try:
        return deserializer(message)
    except Exception:
        _LOGGER.exception("Exception deserializing message!")
        return None


def _as_bytes(message: object) -> bytes:
    if message is None:
        return b""
    if not isinstance(message, bytes):
        raise TypeError(f"Expected bytes, got {type(message).__name__}")
    return message
