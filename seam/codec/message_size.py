"""How large messages, metadata and errors may be, on every transport.

gRPC carries 8 KiB of metadata each way unless it is told otherwise (`grpc.max_metadata_size`), and
other people's programs are not told. What we send fits into that, with some room for what gRPC
itself says.
"""

from __future__ import annotations

from typing import Any, Final

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError

MAXIMUM_MESSAGE_BYTES: Final = 4 * 2**20
"""The largest message that crosses the wire: what gRPC accepts unless it is told otherwise."""

MAXIMUM_ERROR_BYTES: Final = 3 * 2**10
"""The record of a typed error, as it is written."""

MAXIMUM_ERROR_TEXT_BYTES: Final = 2**10
"""The text of an error, in UTF-8. What is longer is cut."""


def check_message_size(method: MethodDescriptor[Any, Any], payload: bytes) -> None:
    """Check that a message can travel.

    Args:
        method: the method whose request or response it is.
        payload: the message as it is written.

    Raises:
        StatusError: RESOURCE_EXHAUSTED, because it is too large.
    """
    if len(payload) > MAXIMUM_MESSAGE_BYTES:
        raise StatusError(
            Code.RESOURCE_EXHAUSTED,
            f"{method.full_name}: a message of {len(payload)} bytes; "
            f"at most {MAXIMUM_MESSAGE_BYTES} can travel",
        )


def check_error_size(method: MethodDescriptor[Any, Any], payload: bytes) -> None:
    """Check that a typed error's record can travel.

    Args:
        method: the method that fails with it.
        payload: the record as it is written.

    Raises:
        StatusError: INTERNAL, because it is too large.
    """
    if len(payload) > MAXIMUM_ERROR_BYTES:
        raise StatusError(
            Code.INTERNAL,
            f"{method.full_name}: an error of {len(payload)} bytes; "
            f"at most {MAXIMUM_ERROR_BYTES} can travel",
        )


def fitting_text(text: str) -> str:
    """The text of an error as it travels: Unicode text of bounded length."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAXIMUM_ERROR_TEXT_BYTES:
        return data.decode()
    return data[: MAXIMUM_ERROR_TEXT_BYTES - 3].decode("utf-8", "ignore") + "…"
