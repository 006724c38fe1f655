"""Hostile bytes to every route of the shop, over a real socket: whatever comes, no 5xx, and
refusals are problems.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seam.runtime.connection_limits import ConnectionLimits
from seam.runtime.http_server import serve_http
from seam.runtime.topology import Address
from tests.http.hostile_input_test import BODIES, opened, routes

SHORT: Final = ConnectionLimits(head_seconds=0.2, body_seconds=0.2, idle_seconds=0.1)

LINES: Final = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: 5, 5",
            b"Content-Length: -1",
            b"Content-Length: 99999999",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Content-Type: application/json",
            b"Content-Type: application/json; charset=utf-16",
            b"Content-Encoding: gzip",
            b"Expect: 100-continue",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
            b"Connection: close",
            b"Host: a\r\nHost: b",
            b"X: a\0b",
            b"X : y",
            b" folded",
            b"X: " + b"a" * 70_000,
            b"X: \xff\xfe",
            b"\r\nGET / HTTP/1.1",
        ]
    ),
)
CONTENTS: Final = st.one_of(
    BODIES,
    BODIES.map(lambda body: b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)),
    st.sampled_from(
        [b"zz\r\n{}\r\n", b"f" * 17 + b"\r\n", b"-1\r\n", b"2;" + b"a" * 500, b"0\r\n"]
    ),
)
VERSIONS: Final = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b""])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[Address]:
    async with opened(tmp_path) as app:
        anywhere = Address("127.0.0.1", 0)
        async with serve_http(app, anywhere, grace=5, limits=SHORT) as bound:
            yield bound


async def said_to(address: Address, request: bytes) -> bytes:
    """All that the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    answer = b""
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                answer += part
    writer.close()
    return answer


def answers(said: bytes, *, head: bool = False) -> list[Answer]:
    """Part what a server has said into answers, and check that nothing else is in it."""
    found = []
    while said:
        lines, end, said = said.partition(b"\r\n\r\n")
        assert end, lines
        first, *rest = lines.decode("ascii").split("\r\n")
        headers = {name: value for name, _, value in (line.partition(": ") for line in rest)}
        status = int(first.split()[1])
        length = (
            0 if head or status == 100 else int(headers["content-length"] if status != 204 else 0)
        )
        found.append(Answer(status, headers, said[:length]))
        assert len(said) >= length
        said = said[length:]
    return found


def check(answer: Answer, request: bytes) -> None:
    assert answer.status < 500, (answer, request[:500])
    if answer.status >= 400:
        assert answer.headers["content-type"] == "application/problem+json", request[:500]
        assert json.loads(answer.body)["status"] == answer.status


async def known_routes(address: Address) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        return await routes(client)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_no_bytes_are_answered_with_a_failure_or_in_another_form(
    address: Address, data: st.DataObject
) -> None:
    requests = []
    for verb, path in await known_routes(address):
        target = path.replace("{", "").replace("}", "").encode()
        lines = data.draw(st.lists(LINES, max_size=3))
        first = b"%b %b %b" % (verb.upper().encode(), target, data.draw(VERSIONS))
        request = b"\r\n".join([first, *lines, b"", data.draw(CONTENTS)])
        at = data.draw(st.integers(0, min(len(request), 200)))
        noise = data.draw(st.one_of(st.just(b""), st.binary(max_size=4)))
        requests.append(request[:at] + noise + request[at:])
    all_said = await asyncio.gather(*(said_to(address, request) for request in requests))
    for request, said in zip(requests, all_said, strict=True):
        for answer in answers(said):
            check(answer, request)


JSON: Final = b"POST /v1/carts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"

REQUESTS: Final = {
    "chunks": (JSON + CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", [200]),
    "length and chunks": (
        JSON + b"Content-Length: 2\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
        [400],
    ),
    "asks before": (JSON + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", [100, 200]),
    "asks in vain": (JSON + b"Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n", [413]),
    "UTF-16": (JSON + b"Content-Length: 6\r\n\r\n" + "{}".encode("utf-16"), [400]),
    "said to be UTF-16": (
        JSON.replace(b"json", b"json; charset=utf-16") + b"Content-Length: 2\r\n\r\n{}",
        [415],
    ),
    "text": (
        JSON.replace(b"application/json", b"text/plain") + b"Content-Length: 2\r\n\r\n{}",
        [415],
    ),
    "gzip": (JSON + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", [415]),
    "too large": (JSON + b"Content-Length: 5000000\r\n\r\n" + b" " * 5_000_000, [413]),
    "too large in chunks": (JSON + CHUNKED + (b"10000\r\n" + b" " * 65_536 + b"\r\n") * 80, [413]),
    "a path too long": (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n", [414]),
    "a query too long": (b"GET /v1/inventory?query=" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n", [414]),
    "3,000 words": (b"GET /v1/inventory?query=a" + b"+a" * 3_000 + b" HTTP/1.1\r\n\r\n", [400]),
    "too many parameters": (b"GET /v1/inventory?" + b"a=1&" * 3_000 + b" HTTP/1.1\r\n\r\n", [400]),
    "options": (b"OPTIONS /v1/carts HTTP/1.1\r\n\r\n", [204]),
    "a number of 10,000 digits": (
        JSON + b"Content-Length: 10006\r\n\r\n" + b'{"a":' + b"9" * 10_000 + b"}",
        [400],
    ),
    "nested": (JSON + b"Content-Length: 400000\r\n\r\n" + b"[" * 400_000, [400]),
    "lone surrogate": (JSON + b'Content-Length: 12\r\n\r\n{"\\ud800":1}', [400]),
    "NaN": (JSON + b"Content-Length: 9\r\n\r\n" + b'{"a":NaN}', [400]),
}


@pytest.mark.parametrize(("request_", "expected"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_requests_are_answered_over_a_socket_as_they_are_without(
    address: Address, request_: bytes, expected: list[int]
) -> None:
    found = answers(await said_to(address, request_))
    assert [answer.status for answer in found] == expected
    for answer in found:
        check(answer, request_)


async def test_head_has_the_headers_of_get_and_no_body(address: Address) -> None:
    get = b"GET /v1/inventory?pageSize=1 HTTP/1.1\r\n\r\n"
    [with_body] = answers(await said_to(address, get))
    [without] = answers(await said_to(address, get.replace(b"GET", b"HEAD")), head=True)
    assert without.status == 200
    assert without.headers["content-length"] == str(len(with_body.body)) != "0"


async def test_options_name_the_methods_of_a_path(address: Address) -> None:
    [answer] = answers(await said_to(address, b"OPTIONS /v1/carts HTTP/1.1\r\n\r\n"))
    assert answer.headers["allow"] == "OPTIONS, POST"
