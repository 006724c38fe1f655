"""How large a message may be."""

from __future__ import annotations

from typing import Any, Final

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError

MAXIMUM_MESSAGE_BYTES: Final = 4 * 2**20
"""The largest message that crosses the wire: what gRPC accepts unless it is told otherwise."""


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
