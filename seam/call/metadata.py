"""Metadata: what a caller and a callee say to each other beside the records of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from seam.contract.errors import InvalidField

__all__ = ["EMPTY", "KEY", "Metadata", "MetadataValue", "check_metadata"]

MetadataValue = str | bytes
"""Bytes under keys that end in `-bin`, printable ASCII text under all others."""

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})

KEY: Final = re.compile(r"[0-9a-z_.-]+")
"""What names metadata, and baggage."""

_RESERVED: Final = ("baggage", "grpc-", "seam-", "traceparent", "user-agent")
_TEXT: Final = re.compile(r"[\x20-\x7e]*")


class Metadata:
    """What a caller and a callee say to each other beside the records of a call.

    A caller makes one, hands it to a stub's method, and finds what the callee answered in
    `received` when the call has ended.
    """

    __slots__ = ("received", "sent")

    def __init__(self, sent: Mapping[str, MetadataValue] = EMPTY) -> None:
        """Send `sent` with a call.

        Raises:
            InvalidField: a key or a value cannot travel.
        """
        for key, value in sent.items():
            check_metadata(key, value)
        self.sent: Mapping[str, MetadataValue] = MappingProxyType(dict(sent))
        self.received: Mapping[str, MetadataValue] = EMPTY


def check_metadata(key: str, value: MetadataValue) -> None:
    """Check that an item of metadata can travel.

    Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Custom-Metadata.

    Raises:
        InvalidField: the key or the value cannot; says what was expected.
    """
    if not KEY.fullmatch(key) or key.startswith(_RESERVED):
        raise InvalidField(
            f"metadata[{key!r}]",
            "expected a key of lower-case letters, digits, '_', '.' and '-' that is not reserved "
            f"({', '.join(_RESERVED)})",
        )
    if key.endswith("-bin"):
        if not isinstance(value, bytes):
            raise InvalidField(f"metadata[{key!r}]", "expected bytes, as its key ends in -bin")
    elif not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise InvalidField(f"metadata[{key!r}]", "expected text of printable ASCII characters")
