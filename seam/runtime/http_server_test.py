"""The HTTP port over real sockets: what clients may do to it, and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from litestar.types import Receive, Scope, Send

from seam.http.last_resort import always_answered
from seam.runtime.connection_limits import ConnectionLimits
from seam.runtime.http_server import serve_http
from seam.runtime.topology import Address

SHORT: Final = ConnectionLimits(
    head_seconds=0.3, body_seconds=0.5, idle_seconds=0.4, unread_seconds=0.3
)
GET: Final = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: x\r\n"


@dataclass
class Application:
    """Answers with the path and the body; waits, reads or does not as the path says."""

    seen: list[str] = field(default_factory=list)
    left: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"])
        self.seen.append(path)
        if path == "/wait":
            await self.release.wait()
        body, more = b"", path != "/unread"
        while more:
            event: Any = await receive()
            if event["type"] == "http.disconnect":
                self.left += 1
                return
            body += event["body"]
            more = event["more_body"]
        names = [name.decode() for name, _ in scope["headers"]]
        answer = json.dumps({"path": path, "bytes": len(body), "headers": names}).encode()
        if path == "/large":
            answer = b"x" * 30_000_000
        length = str(len(answer)).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer, "more_body": False})


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_problem(self) -> bool:
        return (
            self.headers["content-type"] == "application/problem+json"
            and json.loads(self.body)["status"] == self.status
        )


class Client:
    """One connection, on which a test says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, *parts: bytes, gap: float = 0.0) -> None:
        for part in parts:
            self.writer.write(part)
            with suppress(ConnectionError):
                await self.writer.drain()
            await asyncio.sleep(gap)

    async def answer(self) -> Answer:
        async with asyncio.timeout(10):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = [line.partition(": ") for line in lines[1:] if line]
            headers = {name: value for name, _, value in pairs}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(lines[0].split()[1]), headers, body)

    async def seconds_until_closed(self) -> float:
        """How long the server takes to say nothing more and close."""
        begun = time.monotonic()
        async with asyncio.timeout(10):
            assert await self.reader.read() == b""
        return time.monotonic() - begun


@dataclass
class Server:
    app: Application
    address: Address
    stack: AsyncExitStack

    async def client(self) -> Client:
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        self.stack.callback(writer.close)
        return Client(reader, writer)


@asynccontextmanager
async def served(limits: ConnectionLimits = SHORT, *, grace: float = 10.0) -> AsyncIterator[Server]:
    app = Application()
    async with AsyncExitStack() as clients:
        any_port = Address("127.0.0.1", 0)
        async with serve_http(always_answered(app), any_port, grace=grace, limits=limits) as bound:
            yield Server(app, bound, clients)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with served() as running:
        yield running


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if record.name.startswith(("seam", "uvic"))
    ]


DRIP: Final = [bytes([each]) for each in GET * 3]


@pytest.mark.parametrize(
    ("parts", "gap"),
    [([b"GET / HTTP/1.1\r\nHost: x\r\n"], 0.0), (DRIP[:24], 0.03), ([GET + GET[:10]], 0.0)],
    ids=["half", "drip by drip", "the second of two"],
)
async def test_a_head_that_does_not_come_in_time_is_answered_and_the_connection_closed(
    server: Server, parts: Sequence[bytes], gap: float
) -> None:
    client = await server.client()
    begun = time.monotonic()
    speaking = asyncio.create_task(client.say(*parts, gap=gap))
    if parts[0].startswith(GET):
        assert (await client.answer()).status == 200
    answer = await client.answer()
    assert (answer.status, answer.is_problem) == (408, True)
    assert 0.25 < time.monotonic() - begun < 2
    assert await client.seconds_until_closed() < 2
    await speaking


@pytest.mark.parametrize(
    ("parts", "gap"),
    [
        ([b"Content-Length: 20\r\n\r\n", b"{"], 0.0),
        ([b"Content-Length: 60\r\n\r\n", *[b" "] * 30], 0.03),
        ([b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\n \r\n"] * 30], 0.03),
        ([b"Transfer-Encoding: chunked\r\n\r\n0\r\n", *[b"a: b\r\n"] * 30], 0.03),
    ],
    ids=["half", "drip by drip", "chunk by chunk", "trailer by trailer"],
)
async def test_a_body_that_does_not_come_in_time_is_answered_and_the_connection_closed(
    server: Server, parts: Sequence[bytes], gap: float
) -> None:
    client = await server.client()
    begun = time.monotonic()
    speaking = asyncio.create_task(client.say(POST, *parts, gap=gap))
    answer = await client.answer()
    assert (answer.status, answer.is_problem) == (408, True)
    assert 0.45 < time.monotonic() - begun < 2
    assert await client.seconds_until_closed() < 2
    await speaking
    # The application is not left waiting.
    assert (server.app.seen, server.app.left) == (["/"], 1)


@pytest.mark.parametrize("said", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
async def test_a_client_that_asks_nothing_is_left_without_a_word(
    server: Server, said: bytes
) -> None:
    client = await server.client()
    await client.say(said)
    assert 0.2 < await client.seconds_until_closed() < 2


async def test_a_connection_is_kept_between_requests_for_as_long_as_it_may_be_idle(
    server: Server,
) -> None:
    client = await server.client()
    for _ in range(4):
        # Longer in all than a head may take.
        await client.say(GET)
        assert (await client.answer()).status == 200
        await asyncio.sleep(0.2)
    assert 0.1 < await client.seconds_until_closed() < 2


async def test_a_request_that_takes_long_to_answer_is_not_taken_for_one_that_takes_long_to_come(
    server: Server,
) -> None:
    client = await server.client()
    await client.say(GET.replace(b" /", b" /wait"), GET, POST + b"Content-Length: 3\r\n\r\n123")
    await asyncio.sleep(1)
    server.app.release.set()
    assert [(await client.answer()).status for _ in range(3)] == [200] * 3


HOSTILE: Final = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "words": (b"BLAH\r\n\r\n", 400),
    "version": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "method": (b"FOO / HTTP/1.1\r\n\r\n", 400),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no path": (b"GET http://x HTTP/1.1\r\n\r\n", 400),
    "target not ASCII": (b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400),
    "NUL in target": (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
    "NUL in header": (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nfoo\r\n\r\n", 400),
    "space before colon": (b"GET / HTTP/1.1\r\nfoo : x\r\n\r\n", 400),
    "folded header": (b"GET / HTTP/1.1\r\nfoo: x\r\n y\r\n\r\n", 400),
    "large header": (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "larger header": (b"GET / HTTP/1.1\r\nX: " + b"a" * 3_000_000, 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 12_000 + b"\r\n", 431),
    "large target": (b"GET /" + b"a" * 3_000_000, 431),
    "length and chunks": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 2\r\n\r\n{}", 400),
    "negative length": (POST + b"Content-Length: -2\r\n\r\n{}", 400),
    "signed length": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "length of 23 digits": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}", 400),
    "gzip": (POST + b"Transfer-Encoding: gzip\r\n\r\n{}", 400),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    "chunk of no size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400),
    "chunk of any size": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 18 + b"\r\n", 400),
    "chunk that goes on": (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n", 400),
}


@pytest.mark.parametrize(("request_", "status"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_no_request_is_refused_as_a_problem_and_the_connection_closed(
    server: Server, request_: bytes, status: int
) -> None:
    client = await server.client()
    speaking = asyncio.create_task(client.say(request_))
    answer = await client.answer()
    assert (answer.status, answer.is_problem) == (status, True), answer
    assert answer.headers["connection"] == "close"
    assert await client.seconds_until_closed() < 2
    await speaking


@pytest.mark.parametrize(
    "parts",
    [
        [b"2;" + b"a" * 200_000, b"a" * 200_000, b"\r\n{}\r\n0\r\n\r\n"],
        [b"2\r\n{}\r\n0\r\n", b"a: b\r\n" * 40_000, b"a: b\r\n" * 40_000, b"\r\n"],
    ],
    ids=["chunk extension", "trailers"],
)
async def test_what_is_said_beside_the_content_of_a_body_is_bounded(
    server: Server, parts: Sequence[bytes]
) -> None:
    client = await server.client()
    speaking = asyncio.create_task(
        client.say(POST + b"Transfer-Encoding: chunked\r\n\r\n", *parts, gap=0.05)
    )
    answer = await client.answer()
    assert (answer.status, answer.is_problem) == (400, True)
    await speaking


async def test_trailers_are_not_taken_for_headers(server: Server) -> None:
    client = await server.client()
    await client.say(
        POST + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\nprincipal: root\r\n\r\n"
    )
    answer = json.loads((await client.answer()).body)
    assert answer == {"path": "/", "bytes": 2, "headers": ["host", "transfer-encoding"]}


async def test_a_body_in_small_chunks_is_read(server: Server) -> None:
    client = await server.client()
    chunks = b"1\r\n \r\n" * 50_000 + b"0\r\n\r\n"
    parts = [chunks[at : at + 10_000] for at in range(0, len(chunks), 10_000)]
    await client.say(POST + b"Transfer-Encoding: chunked\r\n\r\n", *parts)
    assert json.loads((await client.answer()).body)["bytes"] == 50_000


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked", b"Content-Length: 100000000"])
async def test_a_body_that_nobody_reads_is_cut_off_and_the_answer_arrives(
    server: Server, framing: bytes
) -> None:
    client = await server.client()
    await client.say(b"POST /unread HTTP/1.1\r\n" + framing + b"\r\n\r\n")
    answering = asyncio.create_task(client.answer())
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    begun = time.monotonic()
    with suppress(ConnectionError):
        while True:
            client.writer.write(chunk)
            await client.writer.drain()
            # Slower than a machine can, as a network is.
            await asyncio.sleep(0.001)
    assert time.monotonic() - begun < 5
    assert (await answering).status == 200
    assert server.app.seen == ["/unread"]


async def test_a_body_is_asked_for_when_somebody_wants_it(server: Server) -> None:
    client = await server.client()
    await client.say(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (await client.answer()).status == 100
    await client.say(b"{}")
    assert (await client.answer()).status == 200
    unread = await server.client()
    await unread.say(b"POST /unread HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (await unread.answer()).status == 200


async def test_requests_in_one_go_are_answered_in_their_order(server: Server) -> None:
    client = await server.client()
    paths = [f"/{number}" for number in range(20)]
    await client.say(b"".join(GET.replace(b" /", f" {path}".encode()) for path in paths))
    answers = [json.loads((await client.answer()).body)["path"] for _ in paths]
    assert answers == paths


@pytest.mark.parametrize(
    "after",
    [b"BAD\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ids=["no request", "bad body"],
)
async def test_a_refusal_is_not_taken_for_the_answer_to_a_request_before_it(
    server: Server, after: bytes
) -> None:
    client = await server.client()
    await client.say(GET.replace(b" /", b" /wait") + GET + after)
    await asyncio.sleep(0.1)
    server.app.release.set()
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]
    assert await client.seconds_until_closed() < 2


async def test_requests_in_one_go_are_so_many_and_no_more() -> None:
    async with served(replace(SHORT, pipelined=5)) as server:
        client = await server.client()
        await client.say(GET * 5_000)
        # The first is answered while the others wait.
        assert [(await client.answer()).status for _ in range(6)] == [200] * 6
        assert await client.seconds_until_closed() < 2
        assert len(server.app.seen) == 6


async def test_another_protocol_that_is_offered_is_left_alone(server: Server) -> None:
    client = await server.client()
    offer = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    await client.say(offer + GET)
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await client.seconds_until_closed() < 2


async def test_connections_are_so_many_and_no_more() -> None:
    async with served(replace(SHORT, connections=3, head_seconds=5)) as server:
        clients = [await server.client() for _ in range(3)]
        await asyncio.sleep(0.1)
        answer = await (await server.client()).answer()
        assert (answer.status, answer.is_problem) == (503, True)
        clients.pop().writer.close()
        await asyncio.sleep(0.1)
        admitted = await server.client()
        await admitted.say(GET)
        assert (await admitted.answer()).status == 200


async def test_a_client_that_does_not_take_its_answer_is_left(server: Server) -> None:
    client = await server.client()
    client.reader._transport.pause_reading()  # type: ignore[attr-defined]
    await client.say(GET.replace(b" /", b" /large"))
    await asyncio.sleep(1)
    client.reader._transport.resume_reading()  # type: ignore[attr-defined]
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.answer()


async def test_the_log_has_one_line_for_a_reason_to_cut_off_clients_and_no_traceback(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(5):
        client = await server.client()
        await client.say(b"BAD\r\n\r\n")
        await client.answer()
        leaving = await server.client()
        await leaving.say(POST + b"Content-Length: 20\r\n\r\n{")
        leaving.writer.transport.abort()
    await asyncio.sleep(0.1)
    lines = logged(caplog)
    assert len(lines) == 2
    assert lines[0].endswith("not a valid HTTP/1.1 request")
    assert lines[1].endswith("it left in the middle of its request")
    assert not any(record.exc_info for record in caplog.records)


async def test_connections_without_a_whole_request_do_not_hold_up_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    patient = ConnectionLimits()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served(patient))
        idle, silent, head, body = [await server.client() for _ in range(4)]
        await idle.say(GET)
        await idle.answer()
        await head.say(GET[:20])
        await body.say(POST + b"Content-Length: 20\r\n\r\n{")
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        ending = asyncio.create_task(stack.aclose())
        for client in (head, body):
            answer = await client.answer()
            assert (answer.status, answer.is_problem) == (503, True)
        for client in (idle, silent):
            await client.seconds_until_closed()
        await ending
        assert time.monotonic() - begun < 1
    assert len(logged(caplog)) == 1
    assert not any(record.exc_info for record in caplog.records)


async def test_requests_under_way_are_finished_at_the_end_and_their_connections_closed() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served())
        client = await server.client()
        await client.say(GET.replace(b" /", b" /wait"), GET)
        await asyncio.sleep(0.1)
        ending = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0.3)
        assert not ending.done()
        server.app.release.set()
        assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        assert await client.seconds_until_closed() < 1
        await asyncio.wait_for(ending, 1)


async def test_requests_that_take_longer_than_the_grace_are_told_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served(grace=0.2))
        client = await server.client()
        await client.say(GET.replace(b" /", b" /wait"))
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        ending = asyncio.create_task(stack.aclose())
        answer = await client.answer()
        assert (answer.status, answer.is_problem) == (503, True)
        await ending
        assert time.monotonic() - begun < 2
    assert logged(caplog) == [
        "cut off 1 requests that took too long to finish",
        "GET /wait was cut off, as the process ends",
    ]
    assert not any(record.exc_info for record in caplog.records)


async def test_what_the_kernel_has_accepted_is_served_at_the_end_and_nobody_is_reset() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(served())
        where = (server.address.host, server.address.port)
        # None of them is taken, as the event loop is not given the time.
        waiting = [socket.create_connection(where) for _ in range(50)]
        for each in waiting:
            each.sendall(GET)
        await stack.aclose()
        for each in waiting:
            assert (await asyncio.to_thread(_said_to, each)).startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(where)


def _said_to(client: socket.socket) -> bytes:
    answer = b""
    with client:
        client.settimeout(5)
        while part := client.recv(65_536):
            answer += part
    return answer
