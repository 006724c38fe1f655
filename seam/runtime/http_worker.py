"""A process that serves HTTP beside others like it, as a supervisor tells it.

It inherits the socket that all of them listen on, and a link to the supervisor. It says there when
it serves, and is told when to end: alone, while the others go on (`LEAVE`), or with all of them
(`END`). A supervisor that is gone says nothing, and means the end as well.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Final

import msgspec

from seam.runtime.http_listener import HttpListener

VARIABLE: Final = "_SEAM_WORKER"
"""Environment variable of the inherited descriptors: that of the listener, and of the link."""

LEAVE: Final = b"l"
END: Final = b"e"


class Worker:
    """What a supervised process has of its supervisor.

    Attributes:
        listener: the socket that all workers listen on.
    """

    def __init__(self, listener: HttpListener, link: socket.socket) -> None:
        """Take over what was inherited."""
        self.listener = listener
        self._link = link

    @staticmethod
    def inherit(host: str) -> Worker | None:
        """Take over what a supervisor left for this process, if one has started it.

        Args:
            host: the interface that the listener was bound to, as it was named.
        """
        given = os.environ.pop(VARIABLE, None)
        if given is None:
            return None
        listener, link = (int(each) for each in given.split(","))
        return Worker(HttpListener.inherit(listener, host), socket.socket(fileno=link))

    def report(self, addresses: Mapping[str, str]) -> None:
        """Tell the supervisor that this process serves, and where."""
        self._link.sendall(msgspec.json.encode(addresses) + b"\n")

    def listen_to_supervisor(self, asked_to_end: asyncio.Event) -> None:
        """Set `asked_to_end` when the supervisor says so, or is gone."""
        loop = asyncio.get_running_loop()
        self._link.setblocking(False)

        def hear() -> None:
            try:
                told = self._link.recv(1)
            except BlockingIOError:
                return
            except OSError:
                told = b""
            self.listener.outlives = told == LEAVE
            asked_to_end.set()
            loop.remove_reader(self._link.fileno())

        loop.add_reader(self._link.fileno(), hear)
