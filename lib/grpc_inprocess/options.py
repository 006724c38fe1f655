"""Channel and server options that mean something without a network.

Two do: how large a message may be. Options about connections, keep-alive, ports or compression
change nothing that a caller could see in one process, and are ignored. An option that would
change what calls do, and cannot be honoured, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DEFAULT_RECEIVED: Final = 4 * 1024 * 1024
"""Bytes of the largest message that gRPC accepts unless told otherwise."""

Options = Iterable[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class MessageSizes:
    """The largest messages of one side, in bytes; None for no limit."""

    sent: int | None
    received: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest messages of one direction.

    Attributes:
        sender: `CLIENT` or `SERVER`.
        sent: bytes that the sender may send; None for no limit.
        received: bytes that the other side accepts; None for no limit.
    """

    sender: str
    sent: int | None
    received: int | None

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


def message_sizes(options: Options | None) -> MessageSizes:
    """Read the limits of one side from its options.

    Raises:
        NotImplementedError: the options hold a service config with settings for methods.
    """
    given = dict(options or ())
    _refuse_method_settings(given.get("grpc.service_config"))
    return MessageSizes(
        sent=_limit(given.get("grpc.max_send_message_length", -1)),
        received=_limit(given.get("grpc.max_receive_message_length", DEFAULT_RECEIVED)),
    )


def _limit(option: object) -> int | None:
    if not isinstance(option, int):
        raise TypeError(f"a message length is a number of bytes, not {option!r}")
    return None if option < 0 else option


def _refuse_method_settings(service_config: object) -> None:
    if isinstance(service_config, str | bytes) and "methodConfig" in json.loads(service_config):
        raise NotImplementedError(
            "grpc.service_config: a channel within the process neither retries calls nor sets "
            "timeouts by method; remove methodConfig, or set timeouts where calls are made"
        )
