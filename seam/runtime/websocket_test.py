"""WebSockets over real sockets: how they open and close, and what hostile clients get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close, Frame, Opcode

from seam.http import conversation
from seam.runtime.connection_limits import (
    DEFAULT_CONNECTION_LIMITS,
    ConnectionLimits,
    WebSocketLimits,
)

KEY: Final = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
VERSION: Final = b"Sec-WebSocket-Version: 13\r\n"
UPGRADE: Final = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


def limited(**limits: Any) -> ConnectionLimits:
    return replace(DEFAULT_CONNECTION_LIMITS, websocket=WebSocketLimits(**limits))


async def closing(client: ClientConnection) -> tuple[int, str]:
    """How a connection closes, after what is still to come."""
    try:
        async with asyncio.timeout(10):
            while True:
                await client.recv()
    except ConnectionClosed:
        return client.close_code or 0, client.close_reason or ""


class Raw:
    """A client that says what it likes, and reads when it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True) -> None:
        self.writer.write(Frame(opcode, data, fin).serialize(mask=mask))

    async def send_for_ever(self, opcode: Opcode, data: bytes) -> None:
        async with asyncio.timeout(20):
            while True:
                self.send(opcode, data)
                await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def frame(self) -> tuple[int, bytes]:
        first, length = await self.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        return first & 15, await self.reader.readexactly(length)

    async def closed(self) -> tuple[int, str]:
        """How the server closes; then it says nothing more."""
        async with asyncio.timeout(10):
            while True:
                opcode, data = await self.frame()
                if opcode == Opcode.CLOSE:
                    assert await self.reader.read() == b""
                    parsed = Close.parse(data)
                    return int(parsed.code), parsed.reason


@asynccontextmanager
async def raw(server: Any, *, path: str = "/converse/raw") -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
    try:
        writer.write(b"GET %b HTTP/1.1\r\n" % path.encode() + UPGRADE + KEY + VERSION + b"\r\n")
        client = Raw(reader, writer)
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        # The answer to the opening request.
        await client.frame()
        yield client
    finally:
        writer.close()


async def test_path_and_query_are_the_first_request_and_each_text_is_a_further_one(
    streaming: Callable[..., Any],
) -> None:
    async with streaming() as server, connect(server.websocket("a", "?number=7")) as client:
        first = json.loads(await client.recv())
        assert (first["number"], first["key"]) == (7, "a")
        await client.send('{"number": 8}')
        assert json.loads(await client.recv())["number"] == 8
        await client.send('{"number": 9, "stop": true}')
        assert json.loads(await client.recv())["number"] == 9
        assert await closing(client) == (1000, "")
        assert server.handler.noted("a") == {"converse.ended": 1}


async def test_a_message_may_come_in_fragments_with_pings_between(
    streaming: Callable[..., Any],
) -> None:
    async with streaming() as server, raw(server) as client:
        client.send(Opcode.TEXT, b'{"num', fin=False)
        client.send(Opcode.PING, b"?")
        client.send(Opcode.CONT, b"", fin=False)
        client.send(Opcode.CONT, b'ber": 5}')
        assert await client.frame() == (Opcode.PONG, b"?")
        _, data = await client.frame()
        assert json.loads(data)["number"] == 5


async def test_a_token_may_come_as_a_subprotocol(streaming: Callable[..., Any]) -> None:
    async with (
        streaming() as server,
        connect(server.websocket("t"), subprotocols=["bearer", "a.b.c"]) as client,  # type: ignore[list-item]
    ):
        assert client.subprotocol == "bearer"
        (headers,) = server.headers
        assert headers["authorization"] == "Bearer a.b.c"
        assert "a.b.c" not in headers.get("sec-websocket-protocol", "")


@pytest.mark.parametrize(
    ("protocols", "headers", "status"),
    [
        (["bearer"], {}, 400),
        (["bearer", "a", "b"], {}, 400),
        (["bearer", "a"], {"Authorization": "Bearer b"}, 400),
    ],
)
async def test_a_token_that_is_not_one_is_refused(
    streaming: Callable[..., Any], protocols: list[Any], headers: dict[str, str], status: int
) -> None:
    async with streaming() as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.websocket("t"), subprotocols=protocols, additional_headers=headers)
        assert refused.value.response.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://{host}", 101),
        ("HTTP://{host}", 101),
        ("https://shop.example", 101),
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("https://{host}.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("\xff", 403),
    ],
)
async def test_pages_of_others_open_nothing(
    streaming: Callable[..., Any], origin: str, status: int
) -> None:
    async with streaming(allowed_origins=("https://shop.example",)) as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        host = str(server.address)
        said = f"Origin: {origin.format(host=host)}\r\n".encode("latin-1")
        head = UPGRADE.replace(b"x\r\n", host.encode() + b"\r\n", 1) + said + KEY + VERSION
        writer.write(b"GET /converse/o HTTP/1.1\r\n" + head + b"\r\n")
        line = await reader.readline()
        assert int(line.split()[1]) == status
        writer.close()


async def test_a_request_for_a_websocket_is_told_to_open_one(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, httpx.AsyncClient() as client:
        response = await client.get(f"{server.url}/converse/a")
        assert (response.status_code, response.headers["upgrade"]) == (426, "websocket")
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/plain", 200), ("/download", 400), ("/none", 404), ("/converse/a?number=x", 400)],
)
async def test_a_handshake_that_leads_to_no_websocket_is_answered_as_a_request(
    streaming: Callable[..., Any], path: str, status: int
) -> None:
    async with streaming() as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{server.address}{path}")
        response = refused.value.response
        assert response.status_code == status
        kind = "application/json" if status == 200 else "application/problem+json"
        assert response.headers["content-type"] == kind
        json.loads(response.body)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n",
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + b"\r\n",
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + KEY + KEY + b"\r\n",
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + b"Sec-WebSocket-Key: ?\r\n\r\n",
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + b"Sec-WebSocket-Key: AAAA\r\n\r\n",
        b"GET /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + KEY + b"\r\n\x81\x00",
    ],
    ids=["no version", "no key", "two keys", "no Base64", "short key", "frames too early"],
)
async def test_a_handshake_that_is_none_is_refused(
    streaming: Callable[..., Any], request_: bytes
) -> None:
    async with streaming() as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        writer.write(request_)
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in answer
        assert server.headers == []
        writer.close()


@pytest.mark.parametrize("method", [b"POST", b"GET"])
async def test_a_handshake_with_a_body_is_a_request(
    streaming: Callable[..., Any], method: bytes
) -> None:
    async with streaming() as server:
        reader, writer = await asyncio.open_connection(server.address.host, server.address.port)
        body = b"Content-Length: 2\r\n\r\n{}"
        writer.write(method + b" /converse/a HTTP/1.1\r\n" + UPGRADE + VERSION + KEY + body)
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert answer.split()[1] in {b"405", b"426"}
        writer.close()


def fragments(size: int, count: int) -> list[tuple[Opcode, bytes, bool]]:
    first = [(Opcode.TEXT, b"x" * size, False)]
    return first + [(Opcode.CONT, b"x" * size, False)] * count


NESTED: Final = b'{"failure":' * 9_000

HOSTILE: Final[dict[str, tuple[list[tuple[Opcode, bytes, bool]], int]]] = {
    "binary": ([(Opcode.BINARY, b"{}", True)], 1003),
    "no UTF-8": ([(Opcode.TEXT, b"\xff", True)], 1007),
    "half a character": ([(Opcode.TEXT, b'"\xe2\x82', True)], 1007),
    "no JSON": ([(Opcode.TEXT, b"hello", True)], 1008),
    "nothing": ([(Opcode.TEXT, b"", True)], 1008),
    "nested": ([(Opcode.TEXT, NESTED[:60_000], True)], 1008),
    "a list": ([(Opcode.TEXT, b"[]", True)], 1008),
    "an unknown field": ([(Opcode.TEXT, b'{"other": 1}', True)], 1008),
    "a wrong type": ([(Opcode.TEXT, b'{"number": "x"}', True)], 1008),
    "NaN": ([(Opcode.TEXT, b'{"number": NaN}', True)], 1008),
    "10,000 digits": ([(Opcode.TEXT, b'{"number": %b}' % (b"9" * 10_000), True)], 1008),
    "a member twice": ([(Opcode.TEXT, b'{"number": 1, "number": 2}', True)], 1008),
    "what the path says": ([(Opcode.TEXT, b'{"key": "raw"}', True)], 1008),
    "too large": ([(Opcode.TEXT, b"x" * 65_537, True)], 1009),
    "too large in pieces": (fragments(1_000, 66), 1009),
    "a continuation of nothing": ([(Opcode.CONT, b"{}", True)], 1002),
    "a message in a message": ([(Opcode.TEXT, b"{", False), (Opcode.TEXT, b"}", True)], 1002),
    "a ping that is too large": ([(Opcode.PING, b"x" * 126, True)], 1002),
    "a close in a message": (
        [(Opcode.TEXT, b"{", False), (Opcode.CLOSE, Close(1000, "").serialize(), True)],
        1002,
    ),
    "a close with half a code": ([(Opcode.CLOSE, b"\x03", True)], 1002),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_frame_closes_the_connection_and_ends_the_call(
    streaming: Callable[..., Any], name: str
) -> None:
    frames, code = HOSTILE[name]
    async with streaming(limited(closing_seconds=0.2)) as server:
        async with raw(server) as client:
            for opcode, data, fin in frames:
                head = Frame(opcode, b"", fin).serialize(mask=True)[:1]
                if opcode is Opcode.PING or len(data) < 126:
                    size = bytes([128 | min(len(data), 125)])
                    if len(data) >= 126:
                        size = bytes([128 | 126]) + len(data).to_bytes(2, "big")
                    client.writer.write(head + size + bytes(4) + data)
                else:
                    client.send(opcode, data, fin=fin)
            closed, reason = await client.closed()
        assert closed == code
        assert len(reason.encode()) <= 123
        await server.noted("raw", "converse.ended")


@pytest.mark.parametrize(
    "data",
    [b"\x81\x02{}", b"\xc1\x82\0\0\0\0{}", b"\x83\x80\0\0\0\0", b"\x81\xff" + b"\xff" * 12],
    ids=["without a mask", "with a reserved bit", "with a reserved opcode", "of 2^64 bytes"],
)
async def test_what_is_no_frame_closes_the_connection(
    streaming: Callable[..., Any], data: bytes
) -> None:
    async with streaming() as server, raw(server) as client:
        client.writer.write(data)
        assert (await client.closed())[0] in {1002, 1009}
        await server.noted("raw", "converse.ended")


async def test_a_flood_of_frames_is_cut_off(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, raw(server) as client:
        for _ in range(5_000):
            client.send(Opcode.PING, b"")
        assert await client.closed() == (1008, "too many frames")
        await server.noted("raw", "converse.ended")


async def test_pings_of_a_client_that_does_not_read_are_answered_so_often_and_no_more(
    streaming: Callable[..., Any],
) -> None:
    limits = limited(frames=1_000_000, frames_seconds=1.0, unread_seconds=30.0)
    async with streaming(limits) as server, raw(server) as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionError):
            await client.send_for_ever(Opcode.PING, b"x" * 125)
        await server.noted("raw", "converse.ended")


async def test_a_client_that_does_not_answer_pings_is_gone(
    streaming: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with streaming(limited(ping_seconds=0.1)) as server, raw(server) as client:
        await server.noted("raw", "converse.ended")
        assert (await client.frame())[0] == Opcode.PING
    assert any("does not answer pings" in each.getMessage() for each in caplog.records)


async def test_a_client_that_answers_pings_stays(streaming: Callable[..., Any]) -> None:
    async with (
        streaming(limited(ping_seconds=0.05)) as server,
        connect(server.websocket("idle")) as client,
    ):
        await client.recv()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.recv(), 0.5)
        await client.send('{"number": 3}')
        assert json.loads(await client.recv())["number"] == 3


async def test_a_client_that_does_not_read_is_cut_off_and_not_waited_for(
    streaming: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    limits = limited(unread_seconds=0.3, frames=1_000_000, frames_seconds=1.0)
    async with streaming(limits) as server, raw(server) as client:
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        record = b'{"data": "%b"}' % (b"A" * 60_000)
        with pytest.raises(ConnectionError):
            await client.send_for_ever(Opcode.TEXT, record)
        await server.noted("raw", "converse.ended")
    assert any("does not read its stream" in each.getMessage() for each in caplog.records)


async def test_a_client_that_sends_faster_than_it_reads_is_held_up_and_not_taken_for_gone(
    streaming: Callable[..., Any],
) -> None:
    limits = limited(ping_seconds=1.0, unread_seconds=30.0, frames=1_000_000, frames_seconds=1.0)
    count, data = 400, b"A" * 40_000
    async with streaming(limits) as server, raw(server) as client:
        # The answer to this ping lies behind what the server does not read meanwhile.
        assert (await client.frame())[0] == Opcode.PING
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(count):
            client.send(Opcode.TEXT, b'{"number": %d, "data": "%b"}' % (number, data))
        client.send(Opcode.PONG, b"")
        await asyncio.sleep(2.5)
        client.reader._transport.resume_reading()  # type: ignore[attr-defined]
        numbers: list[int] = []
        async with asyncio.timeout(20):
            while len(numbers) < count:
                opcode, answer = await client.frame()
                if opcode == Opcode.PING:
                    client.send(Opcode.PONG, answer)
                else:
                    numbers.append(json.loads(answer)["number"])
        assert numbers == list(range(count))


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        ('{"refuse": true}', 1008, "Refused: Refused, because it was asked for."),
        ('{"failure": "FAILURE_UNDECLARED"}', 1011, "INTERNAL: internal error "),
    ],
)
async def test_how_a_call_fails_is_told_by_how_the_connection_closes(
    streaming: Callable[..., Any], failure: str, code: int, reason: str
) -> None:
    async with streaming() as server, connect(server.websocket("f")) as client:
        await client.send(failure)
        closed, told = await closing(client)
        assert closed == code
        assert told.startswith(reason)


async def test_a_call_that_has_lasted_as_long_as_it_may_is_told_to_connect_again(
    streaming: Callable[..., Any],
) -> None:
    async with streaming(seconds=0.2) as server, connect(server.websocket("d")) as client:
        assert (await closing(client))[0] == 1012


async def test_a_server_that_leaves_closes_its_websockets_at_once(
    streaming: Callable[..., Any],
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(streaming())
        client = await connect(server.websocket("bye"))
        await client.recv()
        ending = asyncio.create_task(closing(client))
        async with asyncio.timeout(4):
            await stack.aclose()
        assert (await ending)[0] == 1001
        assert server.handler.noted("bye") == {"converse.ended": 1}


async def test_what_was_sent_before_a_client_left_on_purpose_is_handled(
    streaming: Callable[..., Any],
) -> None:
    async with streaming() as server:
        async with connect(server.websocket("p")) as client:
            for number in range(20):
                await client.send(f'{{"number": {number}}}')
        await server.noted("p", "converse.ended")


async def test_a_call_does_not_outlive_a_client_for_long(
    streaming: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "CLOSING_SECONDS", 0.1)
    async with streaming() as server:
        async with connect(server.websocket("l")) as client:
            await client.send('{"number": 1}')
        await server.noted("l", "converse.ended")


async def test_a_client_that_is_lost_ends_the_call(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, raw(server) as client:
        client.writer.transport.abort()
        await server.noted("raw", "converse.ended")


async def test_a_thousand_idle_clients_are_served(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw(server)) for _ in range(1_000)]
        for client in clients:
            client.send(Opcode.TEXT, b'{"number": 4}')
        for client in clients:
            _, data = await client.frame()
            assert json.loads(data)["number"] == 4
        async with httpx.AsyncClient() as other:
            assert (await other.get(f"{server.url}/plain")).status_code == 200


async def test_a_client_may_shut_its_side_down_without_a_word(
    streaming: Callable[..., Any],
) -> None:
    async with streaming() as server, raw(server) as client:
        client.writer.write_eof()
        await server.noted("raw", "converse.ended")
