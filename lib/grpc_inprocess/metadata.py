"""Metadata as it arrives on the other side.

Only header names and values that HTTP/2 can carry are legal: names of lower-case letters,
digits, `-`, `_` and `.`; printable ASCII as values, or any bytes when the name ends in `-bin`
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). Names that the protocol or
gRPC's own telemetry uses are taken from the sender and never arrive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

import grpc

Value = str | bytes
Pairs = tuple[tuple[str, Value], ...]

_NAME: Final = re.compile(r"[a-z0-9_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")
_OF_THE_PROTOCOL: Final = frozenset(
    {
        "content-type",
        "endpoint-load-metrics-bin",
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-internal-encoding-request",
        "grpc-message",
        "grpc-server-stats-bin",
        "grpc-status",
        "grpc-tags-bin",
        "grpc-timeout",
        "grpc-trace-bin",
        "lb-cost-bin",
        "te",
        "x-envoy-peer-metadata",
    }
)
_OF_REQUESTS: Final = _OF_THE_PROTOCOL | {"grpc-previous-rpc-attempts", "user-agent"}

_ENTRY: Final = 32
"""Bytes that HTTP/2 counts for each entry beside its name and value (RFC 9113, 10.5.1)."""
_RESPONSE_HEADERS: Final = 191
"""Bytes of a response's headers that are no metadata: status, content type and such."""


class Metadatum(NamedTuple):
    """One name with one value, as both sides receive it."""

    key: str
    value: Value


USER_AGENT: Final = Metadatum("user-agent", f"grpc-python-asyncio/{grpc.__version__} (in process)")
_REQUEST_HEADERS: Final = 464 - sum(map(len, USER_AGENT)) - _ENTRY
"""Bytes of a request's headers that are no pairs here: scheme, authority, deadline and such."""


class InvalidMetadataError(ValueError):
    """Metadata holds a name or a value that cannot be sent."""


def received(
    sent: Iterable[tuple[str, Value]], dropped: frozenset[str] = _OF_THE_PROTOCOL
) -> Pairs:
    """What arrives of metadata that is sent.

    Args:
        sent: pairs of name and value, or a `grpc.aio.Metadata`.
        dropped: names that do not arrive.

    Raises:
        TypeError: a name or a value has the wrong type.
        InvalidMetadataError: a name or a value has characters that cannot be sent.
        UnicodeEncodeError: a name or a value has a lone surrogate.
    """
    return tuple(_received(name, value) for name, value in sent if name not in dropped)


def from_client(metadata: Iterable[tuple[str, Value]] | None) -> Pairs:
    """What a server receives of the metadata that a call is made with.

    Names keep the order of their first value, and values follow their name: the client's
    `grpc.aio.Metadata` is a mapping.

    Raises:
        TypeError: a name or a value has the wrong type.
        InvalidMetadataError: a name or a value has characters that cannot be sent.
        UnicodeEncodeError: a name or a value has a lone surrogate.
    """
    if not metadata:
        return (USER_AGENT,)
    if not isinstance(metadata, grpc.aio.Metadata):
        metadata = grpc.aio.Metadata(*metadata)
    return (USER_AGENT, *received(metadata, _OF_REQUESTS))


def request_size(method: str, metadata: Pairs) -> int:
    """Bytes that a request's headers count as over HTTP/2.

    Args:
        method: full name of the method.
        metadata: as `from_client` makes it.
    """
    return _REQUEST_HEADERS + len(method) + _size(metadata)


def response_size(metadata: Pairs, details: str = "") -> int:
    """Bytes that a response's headers or trailers count as over HTTP/2.

    Args:
        metadata: initial or trailing metadata.
        details: the status text; characters that are percent-encoded count three times.

    Raises:
        UnicodeEncodeError: the text has a lone surrogate, and cannot be sent.
    """
    text = details.encode()
    escaped = sum(not 32 <= byte <= 126 or byte == 37 for byte in text)
    return _RESPONSE_HEADERS + len(text) + 2 * escaped + _size(metadata)


def checked_trailing(metadata: object) -> Pairs:
    """Trailing metadata as a tuple.

    Raises:
        TypeError: it is not an iterable of pairs of text with text or bytes.
    """
    if isinstance(metadata, Iterable) and not isinstance(metadata, dict):
        pairs = tuple(metadata)
        if all(map(_is_pair, pairs)):
            return pairs
    raise TypeError(
        "Invalid trailing metadata type, expected "
        f"Tuple[Tuple[str, Union[str, bytes]]...]: {metadata}"
    )


def _size(metadata: Pairs) -> int:
    size = 0
    for name, value in metadata:
        size += len(name) + len(value) + _ENTRY
    return size


def _is_pair(item: object) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], str | bytes)
    )


def _received(name: object, value: object) -> Metadatum:
    if not isinstance(name, str):
        name = _text(name)
    if not _NAME.fullmatch(name):
        name.encode()  # Raises for a lone surrogate, as gRPC does.
        raise InvalidMetadataError(
            f"metadata name {name!r}: only lower-case letters, digits, '-', '_' and '.' can be sent"
        )
    if name.endswith("-bin"):
        if not isinstance(value, bytes):
            raise TypeError(f'Binary metadata key="{name}" expected bytes, got {type(value)}')
        return Metadatum(name, value)
    if not isinstance(value, str):
        value = "" if value is None else _text(value)
    if not _VALUE.fullmatch(value):
        value.encode()  # Likewise.
        raise InvalidMetadataError(
            f"metadata {name!r}: the value {value!r} is not printable ASCII; "
            "give a name that ends in '-bin' and bytes"
        )
    return Metadatum(name, value)


def _text(given: object) -> str:
    if not isinstance(given, bytes):
        raise TypeError(f"Expected str, not {type(given)}")
    return given.decode("latin-1")
