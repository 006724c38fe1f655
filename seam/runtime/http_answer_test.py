"""What goes out on a connection: whole answers at once, streams as they come, and no header that
somebody else has written.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

import pytest

from seam.runtime.http_listener import HttpListener
from seam.runtime.http_server import serve_http
from seam.runtime.topology import Address

ANYWHERE: Final = Address("127.0.0.1", 0)
GET: Final = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSE: Final = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

Headers = Sequence[tuple[bytes, bytes]]


def application(headers: Headers, *bodies: bytes, status: int = 200) -> Any:
    async def answer(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [*headers]})
        for number, body in enumerate(bodies, 1):
            more = number < len(bodies)
            await send({"type": "http.response.body", "body": body, "more_body": more})

    return answer


async def said(app: Any, request: bytes = CLOSE) -> bytes:
    async with serve_http(app, ANYWHERE, grace=5) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(request)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer


async def test_a_whole_answer_has_its_headers_as_they_were_given() -> None:
    answer = await said(application([(b"content-length", b"2"), (b"x-a", b"b: c")], b"ok"))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, date, *others = head.split(b"\r\n")
    assert status == b"HTTP/1.1 200 OK"
    assert date.startswith(b"date: ")
    assert others == [b"content-length: 2", b"x-a: b: c", b"connection: close"]
    assert body == b"ok"


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_says_nothing_of_one(status: int) -> None:
    answer = await said(application([(b"x-a", b"b")], b"", status=status))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"x-a: b\r\nconnection: close\r\n\r\n")


async def test_head_is_answered_without_the_body() -> None:
    app = application([(b"content-length", b"2")], b"ok")
    answer = await said(app, CLOSE.replace(b"GET", b"HEAD"))
    assert b"content-length: 2\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "bodies", [(b"ok", b""), (b"o", b"k"), (b"ok",)], ids=["late end", "parts", "no length"]
)
async def test_a_stream_goes_out_in_chunks(bodies: Sequence[bytes]) -> None:
    answer = await said(application([(b"x-a", b"b")], *bodies))
    assert b"transfer-encoding: chunked" in answer
    assert answer.endswith(b"0\r\n\r\n")
    assert b"date: " in answer


async def test_the_head_of_a_stream_is_sent_before_there_is_a_body() -> None:
    release = asyncio.Event()

    async def stream(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await release.wait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async with serve_http(stream, ANYWHERE, grace=5) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(GET)
        async with asyncio.timeout(10):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        release.set()
        writer.close()


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"b\r\nset-cookie: c=d"),
        (b"x-a", b"b\nset-cookie: c=d"),
        (b"x-a", b"b\rset-cookie: c=d"),
        (b"x-a\r\nset-cookie", b"c=d"),
        (b"x-a", b"b\0set-cookie"),
    ],
)
async def test_no_header_ends_a_line(header: tuple[bytes, bytes], caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL)
    answer = await said(application([(b"content-length", b"2"), header], b"ok"))
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"set-cookie" not in answer


async def test_one_connection_gets_its_answers_in_order() -> None:
    number = 0

    async def count(_: Any, __: Any, send: Any) -> None:
        nonlocal number
        number += 1
        body = b"%d" % number
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    answer = await said(count, GET * 4 + CLOSE)
    assert [part[:1] for part in answer.split(b"\r\n\r\n")[1:]] == [b"1", b"2", b"3", b"4", b"5"]


async def test_who_is_about_to_leave_says_so_with_every_answer() -> None:
    listener = HttpListener.bind(ANYWHERE)
    app = application([(b"content-length", b"2")], b"ok")
    async with serve_http(app, listener, grace=5) as address:
        early_reader, early = await asyncio.open_connection(address.host, address.port)
        early.write(GET)
        assert b"connection: close" not in await early_reader.readuntil(b"ok")
        listener.leave()
        late_reader, late = await asyncio.open_connection(address.host, address.port)
        for reader, writer in ((early_reader, early), (late_reader, late)):
            writer.write(GET)
            async with asyncio.timeout(10):
                assert b"connection: close" in await reader.read()
            writer.close()
