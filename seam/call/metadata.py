"""Metadata: what a caller and a callee say to each other beside the records of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from seam.contract.errors import InvalidField

__all__ = [
    "EMPTY",
    "KEY",
    "MAXIMUM_TRAILING_BYTES",
    "Metadata",
    "MetadataValue",
    "check_all_metadata",
    "check_metadata",
]

MetadataValue = str | bytes
"""Bytes under keys that end in `-bin`, printable ASCII text under all others."""

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})

KEY: Final = re.compile(r"[0-9a-z_.-]+")
"""What names metadata, and baggage."""

MAXIMUM_SENT_BYTES: Final = 4 * 2**10
"""What a caller may say beside its records."""

MAXIMUM_TRAILING_BYTES: Final = 2**10
"""What a callee may say beside its answer."""

_PREFIXES: Final = ("grpc-", "seam-")
_RESERVED: Final = frozenset(
    {
        # What travels with every call.
        "authorization",
        "baggage",
        "traceparent",
        "tracestate",
        # What gRPC says itself, or takes for itself.
        "content-length",
        "content-type",
        "endpoint-load-metrics-bin",
        "lb-cost-bin",
        "te",
        "user-agent",
        # What has no place in HTTP/2: https://www.rfc-editor.org/rfc/rfc9113#section-8.2.2.
        "connection",
        "host",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    }
)
_TEXT: Final = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")


class Metadata:
    """What a caller and a callee say to each other beside the records of a call.

    A caller makes one, hands it to a stub's method, and finds what the callee answered in
    `received` when the call has ended.
    """

    __slots__ = ("received", "sent")

    def __init__(self, sent: Mapping[str, MetadataValue] = EMPTY) -> None:
        """Send `sent` with a call.

        Raises:
            InvalidField: a key or a value cannot travel, or all of them are too large.
        """
        check_all_metadata(sent, MAXIMUM_SENT_BYTES)
        self.sent: Mapping[str, MetadataValue] = MappingProxyType(dict(sent))
        self.received: Mapping[str, MetadataValue] = EMPTY


def check_metadata(key: str, value: MetadataValue) -> None:
    """Check that an item of metadata can travel.

    Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Custom-Metadata.

    Raises:
        InvalidField: the key or the value cannot; says what was expected.
    """
    where = f"metadata[{key!r:.80}]"
    if not KEY.fullmatch(key):
        raise InvalidField(where, "expected a key of lower-case letters, digits, '_', '.' and '-'")
    if key in _RESERVED or key.startswith(_PREFIXES):
        reserved = ", ".join((*(f"{prefix}*" for prefix in _PREFIXES), *sorted(_RESERVED)))
        raise InvalidField(where, f"expected a key that is not reserved ({reserved})")
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise InvalidField(where, "expected bytes, as its key ends in -bin")
    elif not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise InvalidField(
            where, "expected text of printable ASCII characters, with no space at either end"
        )


def check_all_metadata(items: Mapping[str, MetadataValue], maximum: int) -> None:
    """Check that several items of metadata can travel together.

    Args:
        items: the items.
        maximum: how many bytes they may take, as HTTP/2 counts them: with 32 for each item.

    Raises:
        InvalidField: one cannot, or all of them are too large.
    """
    size = 0
    for key, value in items.items():
        check_metadata(key, value)
        # Bytes travel as base64.
        length = (len(value) + 2) // 3 * 4 if isinstance(value, bytes) else len(value)
        size += len(key) + length + 32
    if size > maximum:
        raise InvalidField("metadata", f"expected at most {maximum} bytes, got {size}")
