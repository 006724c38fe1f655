"""Channel and server options that mean something without a network.

These do: how large a message may be, and how much metadata a side accepts. Options about
connections, keep-alive, ports or compression change nothing that a caller could see in one
process, and are ignored. An option that would change what calls do, and cannot be honoured, is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DEFAULT_RECEIVED: Final = 4 * 1024 * 1024
"""Bytes of the largest message that gRPC accepts unless told otherwise."""

DEFAULT_METADATA: Final = 8 * 1024
"""Bytes of metadata that gRPC accepts for certain unless told otherwise."""

DEFAULT_ABSOLUTE_METADATA: Final = 16 * 1024
"""Bytes of metadata above which gRPC accepts nothing unless told otherwise."""

Options = Iterable[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What one side sends and accepts, in bytes.

    Attributes:
        sent: the largest message that it sends; None for no limit.
        received: the largest message that it accepts; None for no limit.
        metadata: the most metadata that it accepts.
    """

    sent: int | None
    received: int | None
    metadata: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be sent in one direction.

    Attributes:
        sender: `CLIENT` or `SERVER`.
        sent: bytes that the sender may send; None for no limit.
        received: bytes that the other side accepts; None for no limit.
        metadata: bytes of metadata that the other side accepts.
    """

    sender: str
    sent: int | None
    received: int | None
    metadata: int

    def refused_by_sender(self, message: bytes) -> str:
        """Why the message cannot be sent, in gRPC's words; empty when it can."""
        if self.sent is None or len(message) <= self.sent:
            return ""
        return f"{self.sender}: Sent message larger than max ({len(message)} vs. {self.sent})"

    def refused_by_receiver(self, message: bytes) -> str:
        """Why the message is not accepted, in gRPC's words; empty when it is."""
        if self.received is None or len(message) <= self.received:
            return ""
        receiver = "SERVER" if self.sender == "CLIENT" else "CLIENT"
        sizes = f"{len(message)} vs. {self.received}"
        return f"{receiver}: Received message larger than max ({sizes})"

    def refused_metadata(self, size: int) -> str:
        """Why metadata of a size is not accepted, in gRPC's words; empty when it is.

        gRPC has two limits, and refuses what lies between them at random, the more often the
        larger it is. Here it is always refused.
        """
        if size <= self.metadata:
            return ""
        return f"received metadata size exceeds soft limit ({size} vs. {self.metadata})"


def size_limits(options: Options | None) -> SizeLimits:
    """Read the limits of one side from its options.

    Raises:
        NotImplementedError: the options hold a service config with settings for methods.
    """
    given = dict(options or ())
    _refuse_method_settings(given.get("grpc.service_config"))
    return SizeLimits(
        sent=_limit(given.get("grpc.max_send_message_length", -1)),
        received=_limit(given.get("grpc.max_receive_message_length", DEFAULT_RECEIVED)),
        metadata=_metadata_limit(
            _limit(given.get("grpc.max_metadata_size", -1)),
            _limit(given.get("grpc.absolute_max_metadata_size", -1)),
        ),
    )


def _metadata_limit(soft: int | None, absolute: int | None) -> int:
    # Each of the two limits follows the other where it is not given, as in gRPC.
    if absolute is None:
        absolute = max(int((soft or 0) * 1.25), DEFAULT_ABSOLUTE_METADATA)
        return min(DEFAULT_METADATA if soft is None else soft, absolute)
    return min(max(DEFAULT_METADATA, int(absolute * 0.8)) if soft is None else soft, absolute)


def _limit(option: object) -> int | None:
    if not isinstance(option, int):
        raise TypeError(f"a size is a number of bytes, not {option!r}")
    return None if option < 0 else option


def _refuse_method_settings(service_config: object) -> None:
    if isinstance(service_config, str | bytes) and "methodConfig" in json.loads(service_config):
        raise NotImplementedError(
            "grpc.service_config: a channel within the process neither retries calls nor sets "
            "timeouts by method; remove methodConfig, or set timeouts where calls are made"
        )
