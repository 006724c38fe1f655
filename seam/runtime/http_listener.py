"""The socket on which a process takes connections, alone or together with others."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from seam.runtime.topology import Address

_SO_ATTACH_FILTER: Final = 26
_DROP_SYN: Final = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x45, 0, 1, 0x02),  # unless SYN is one of them, skip
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep
)
"""A classic BPF program: code, jump if true, jump if false, operand."""


class HttpListener:
    """A socket that listens.

    Attributes:
        socket: the socket.
        address: where it listens, with the port that was bound.
        is_shared: whether it was inherited, and other processes take connections from it as well.
        outlives: whether they will when this process has left.
    """

    def __init__(self, listening: socket.socket, host: str, *, is_shared: bool = False) -> None:
        """Listen on `listening`.

        Args:
            listening: a bound socket.
            host: the interface, as it was named.
            is_shared: whether other processes take connections from it as well.
        """
        self.socket = listening
        self.address = Address(host, listening.getsockname()[1])
        self.is_shared = is_shared
        self.outlives = False
        self._leave: list[Callable[[], None]] = []

    @staticmethod
    def bind(address: Address) -> HttpListener:
        """Bind an address.

        Raises:
            OSError: it cannot be bound.
        """
        if address.is_unix:
            raise OSError("HTTP is served on HOST:PORT only")
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
        except OSError:
            listening.close()
            raise
        return HttpListener(listening, address.host)

    @staticmethod
    def inherit(descriptor: int, host: str) -> HttpListener:
        """Take over a socket that the process that started this one has bound.

        Args:
            descriptor: its file descriptor.
            host: the interface, as it was named.
        """
        return HttpListener(socket.socket(fileno=descriptor), host, is_shared=True)

    def on_leave(self, leave: Callable[[], None]) -> None:
        """Call `leave` when the process is about to leave."""
        self._leave.append(leave)

    def leave(self) -> None:
        """Let clients go elsewhere with their next request."""
        for leave in self._leave:
            leave()

    def refuse_new(self) -> None:
        """Let nobody in any more, but keep those who are.

        The kernel drops the first packet of a connection, so that who tries again later finds that
        nobody listens, and takes none of those under way from us.

        Source: https://www.kernel.org/doc/html/latest/networking/filter.html
        """
        if sys.platform != "linux":
            return
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
        instructions = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(instructions))
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
