"""Bytes to a running shop, and what it says."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from tests.system.topologies import Shop

PATIENCE: Final = 20.0
"""Seconds in which the shop has to say something, or to close the connection."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        status: its status.
        headers: its headers; of several with one name the values, with commas between.
        body: its body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def connected(shop: Shop) -> Iterator[socket.socket]:
    """A connection to the port that clients ask."""
    host, _, port = shop.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        yield connection


def said_to(shop: Shop, request: bytes) -> bytes:
    """All that the shop says to bytes, until it closes the connection."""
    said = b""
    with connected(shop) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                said += part
    return said


def answers(said: bytes) -> list[Answer]:
    """Part what the shop has said into answers, and check that nothing else is in it."""
    found = []
    while said:
        head, end, said = said.partition(b"\r\n\r\n")
        assert end, head
        first, *rest = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in rest:
            name, colon, value = line.partition(": ")
            assert colon, line
            name = name.lower()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        status = int(first.split()[1])
        bodiless = status in {100, 101, 204, 304}
        length = 0 if bodiless else int(headers["content-length"])
        assert len(said) >= length
        found.append(Answer(status, headers, said[:length]))
        said = said[length:]
    return found
