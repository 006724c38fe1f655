"""Metadata as it arrives on the other side.

Only header names and values that HTTP/2 can carry are legal: names of lower-case letters,
digits, `-`, `_` and `.`; printable ASCII as values, or any bytes when the name ends in `-bin`
(https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). Names that the protocol uses
itself are taken from the sender and never arrive.
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
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-internal-encoding-request",
        "grpc-message",
        "grpc-status",
        "grpc-timeout",
        "te",
        "user-agent",
    }
)


class Metadatum(NamedTuple):
    """One name with one value, as both sides receive it."""

    key: str
    value: Value


USER_AGENT: Final = Metadatum("user-agent", f"grpc-python-asyncio/{grpc.__version__} (in process)")


class InvalidMetadataError(ValueError):
    """Metadata holds a name or a value that cannot be sent."""


def received(sent: Iterable[tuple[str, Value]]) -> Pairs:
    """What arrives of metadata that is sent.

    Args:
        sent: pairs of name and value, or a `grpc.aio.Metadata`.

    Raises:
        TypeError: a name or a value has the wrong type.
        InvalidMetadataError: a name or a value has characters that cannot be sent.
    """
    return tuple(_received(name, value) for name, value in sent if name not in _OF_THE_PROTOCOL)


def from_client(metadata: Iterable[tuple[str, Value]] | None) -> Pairs:
    """What a server receives of the metadata that a call is made with.

    Names keep the order of their first value, and values follow their name: the client's
    `grpc.aio.Metadata` is a mapping.

    Raises:
        TypeError: a name or a value has the wrong type.
        InvalidMetadataError: a name or a value has characters that cannot be sent.
    """
    if not metadata:
        return (USER_AGENT,)
    if not isinstance(metadata, grpc.aio.Metadata):
        metadata = grpc.aio.Metadata(*metadata)
    return (USER_AGENT, *received(metadata))


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


def _is_pair(item: object) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], str | bytes)
    )


def _received(name: object, value: object) -> Metadatum:
    if not isinstance(name, str):
        raise TypeError(f"Expected str as the name of metadata, not {type(name)}")
    if not _NAME.fullmatch(name):
        raise InvalidMetadataError(
            f"metadata name {name!r}: only lower-case letters, digits, '-', '_' and '.' can be sent"
        )
    if name.endswith("-bin"):
        if not isinstance(value, bytes):
            raise TypeError(f'Binary metadata key="{name}" expected bytes, got {type(value)}')
        return Metadatum(name, value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(f"Expected str as the value of metadata {name!r}, not {type(value)}")
    if not _VALUE.fullmatch(value):
        raise InvalidMetadataError(
            f"metadata {name!r}: the value {value!r} is not printable ASCII; "
            "give a name that ends in '-bin' and bytes"
        )
    return Metadatum(name, value)
