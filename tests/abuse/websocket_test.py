"""Floods and half-open connections on the WebSockets of a running shop.

`seam/runtime/websocket_test.py` has every frame that is none, inside of one process.
"""

from __future__ import annotations

import json
import os
import socket
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from websockets.frames import Frame, Opcode

from seam.http.streams import MAXIMUM_OF_ONE
from tests.abuse.conftest import Attacked
from tests.abuse.http_test import descriptors, served
from tests.abuse.raw import answers, connected, said_to
from tests.system.accounts_test import Person
from tests.system.processes import free_port
from tests.system.topologies import SERVICES, SOURCES, Launch, Shop, wait_until

HEAD: Final = (
    b"\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.fixture
def person(monolith: Attacked) -> Person:
    return Person(monolith.shop)


def handshake(person: Person, chat: str, *more: bytes) -> bytes:
    token = person.tokens["accessToken"].encode()
    lines = [b"Sec-WebSocket-Key: " + b64encode(os.urandom(16)), b"Authorization: Bearer " + token]
    path = b"GET /v1/chats/%b:talk HTTP/1.1" % chat.encode()
    return path + HEAD + b"".join(b"%b\r\n" % line for line in [*lines, *more]) + b"\r\n"


@contextmanager
def talking(shop: Shop, person: Person, chat: str) -> Iterator[socket.socket]:
    """A WebSocket, byte by byte."""
    with connected(shop) as connection:
        connection.sendall(handshake(person, chat))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield connection


def chat_of(person: Person) -> str:
    chat: str = person.ask("POST", "/v1/chats").json()["chatId"]
    return chat


def until_closed(connection: socket.socket) -> bytes:
    said = b""
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            said += part
    return said


def frames(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


@pytest.mark.parametrize(
    "flood",
    [
        frames(Opcode.PING, b"x" * 125) * 20_000,
        frames(Opcode.TEXT, b"") * 20_000,
        frames(Opcode.TEXT, b'{"message": {"messageId": "1", "text": "spam"}}') * 5_000,
        frames(Opcode.TEXT, b"{", fin=False) + frames(Opcode.CONT, b"", fin=False) * 50_000,
        frames(Opcode.TEXT, b"x" * 10_000_000),
        frames(Opcode.TEXT, b"x", fin=False) + frames(Opcode.CONT, b"x" * 60_000, fin=False) * 100,
    ],
    ids=["pings", "empty texts", "messages", "empty fragments", "a huge frame", "huge fragments"],
)
def test_a_flood_is_cut_off_and_others_are_served(
    monolith: Attacked, person: Person, flood: bytes
) -> None:
    with talking(monolith.shop, person, chat_of(person)) as connection:
        with suppress(ConnectionError):
            connection.sendall(flood)
        served(monolith, 5)
        until_closed(connection)
    assert "Traceback" not in monolith.logs()


def test_who_leaves_websockets_half_open_has_so_many_and_takes_nobodys_place(
    monolith: Attacked, person: Person
) -> None:
    chat, other = chat_of(person), Person(monolith.shop)
    with descriptors(2_000), ExitStack() as stack:
        seen: Counter[int] = Counter()
        for _ in range(MAXIMUM_OF_ONE + 50):
            connection = stack.enter_context(connected(monolith.shop))
            connection.sendall(handshake(person, chat))
            seen[int(connection.recv(65_536).split()[1])] += 1
        assert seen == {101: MAXIMUM_OF_ONE, 429: 50}
        # Who shops, and who else talks, is not held up.
        served(monolith)
        with talking(monolith.shop, other, chat_of(other)) as connection:
            said = {"message": {"messageId": "1", "text": "hello"}}
            connection.sendall(frames(Opcode.TEXT, json.dumps(said).encode()))
            assert b"hello" in connection.recv(65_536)
    # What they held is free again when they have gone.
    wait_until(lambda: _opens(monolith, person, chat))


def _opens(monolith: Attacked, person: Person, chat: str) -> bool:
    with connected(monolith.shop) as connection:
        connection.sendall(handshake(person, chat))
        return connection.recv(65_536).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    "more",
    [
        b"Origin: https://evil.example",
        b"Origin: null",
        b"Origin: http://shop.evil.example",
        b"Origin: http://shop\r\nOrigin: https://evil.example",
        b"Sec-WebSocket-Protocol: bearer, stolen",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
    ],
)
def test_a_handshake_that_asks_for_something_else_opens_nothing(
    monolith: Attacked, person: Person, more: bytes
) -> None:
    request = handshake(person, chat_of(person), more, b"Connection: close") + b"0\r\n\r\n"
    for answer in answers(said_to(monolith.shop, request)):
        assert 400 <= answer.status < 500, answer


def test_a_chat_of_somebody_else_is_closed_before_anything_is_said(
    monolith: Attacked, person: Person
) -> None:
    chat = chat_of(Person(monolith.shop))
    with talking(monolith.shop, person, chat) as connection:
        said = until_closed(connection)
    assert b"ChatNotFound" in said


@pytest.fixture
def limited_shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that one address may ask sixty times a day."""
    topology = tmp_path / "limited.toml"
    services = ", ".join(f'"{name}"' for name in SERVICES)
    topology.write_text(
        f'[process.shop]\nservices = [{services}]\nhttp = "127.0.0.1:{free_port()}"\n'
        '[http]\nrate_limit_by_address = "60/day"\n'
        '[settings.notifications]\nsmtp = "smtp://127.0.0.1:9"\nsender = "shop@example.com"\n'
    )
    command = [*SOURCES, "--topology", str(topology), "--data", str(tmp_path / "data")]
    shop = Shop([Launch("shop", command, listens=1)], tmp_path)
    yield shop
    shop.close()


def test_a_flood_of_handshakes_is_counted_like_any_requests(limited_shop: Shop) -> None:
    key = b"Sec-WebSocket-Key: " + b64encode(os.urandom(16)) + b"\r\n\r\n"
    request = b"GET /v1/chats/1:talk HTTP/1.1" + HEAD + key
    seen = []
    for _ in range(70):
        with connected(limited_shop) as connection:
            connection.sendall(request)
            seen.append(int(connection.recv(65_536).split()[1]))
    # Without a token it is opened, and closed at once: pages are not told why a handshake failed.
    assert set(seen[:60]) == {101}
    assert set(seen[60:]) == {429}
