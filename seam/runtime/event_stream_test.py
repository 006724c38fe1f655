"""Server-sent events over real sockets: how they begin, resume and end, and who is cut off."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from seam.http import event_stream, streams


def parsed(text: str) -> list[dict[str, str]]:
    """The events of a stream, without its comments."""
    events = []
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n") if line and line[0] != ":"]
        fields = {name: value for name, _, value in lines}
        if fields and "retry" not in fields:
            events.append(fields)
    return events


async def read(streaming: Callable[..., Any], query: str, **headers: str) -> httpx.Response:
    async with streaming() as server, httpx.AsyncClient(timeout=20) as client:
        return await client.get(f"{server.url}/download?{query}", headers=headers)


def numbers(events: list[dict[str, str]]) -> list[int]:
    return [json.loads(each["data"])["number"] for each in events if "event" not in each]


async def test_each_record_is_an_event_with_its_position_and_the_end_is_said(
    streaming: Callable[..., Any],
) -> None:
    response = await read(streaming, "count=3")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-store"
    assert response.text.startswith("retry: 2000\n\n")
    events = parsed(response.text)
    assert [each.get("id") for each in events] == ["0", "1", "2", None]
    assert numbers(events) == [0, 1, 2]
    assert events[-1] == {"event": "end", "data": "{}"}


async def test_a_stream_of_nothing_is_an_end(streaming: Callable[..., Any]) -> None:
    response = await read(streaming, "count=0")
    assert parsed(response.text) == [{"event": "end", "data": "{}"}]


async def test_a_client_goes_on_after_the_last_event_that_it_had(
    streaming: Callable[..., Any],
) -> None:
    response = await read(streaming, "count=5", **{"Last-Event-ID": "2"})
    assert [each.get("id") for each in parsed(response.text)] == ["3", "4", None]


@pytest.mark.parametrize("given", ["x", "%ff", "9" * 400, "1.5"])
async def test_a_last_event_that_is_none_is_refused(
    streaming: Callable[..., Any], given: str
) -> None:
    response = await read(streaming, "count=5", **{"Last-Event-ID": given})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "last-event-id"


async def test_what_is_refused_at_once_is_a_problem(streaming: Callable[..., Any]) -> None:
    response = await read(streaming, "refuse=0")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"] == "Refused"


async def test_an_error_after_the_beginning_is_an_event_and_the_end(
    streaming: Callable[..., Any],
) -> None:
    response = await read(streaming, "refuse=2&count=9")
    assert response.status_code == 200
    events = parsed(response.text)
    assert numbers(events) == [0, 1]
    assert events[-1]["event"] == "error"
    assert json.loads(events[-1]["data"])["error"] == "Refused"


async def test_a_quiet_stream_begins_and_shows_that_it_is_alive(
    streaming: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "OPENING_SECONDS", 0.05)
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.05)
    response = await read(streaming, "count=1&pause=600")
    assert response.text.split("\n").count(": ") >= 3
    assert numbers(parsed(response.text)) == [0]


async def test_a_stream_that_has_lasted_as_long_as_it_may_ends_without_an_event(
    streaming: Callable[..., Any],
) -> None:
    async with streaming(seconds=0.3) as server, httpx.AsyncClient(timeout=20) as client:
        response = await client.get(f"{server.url}/download?count=999&pause=50")
        events = parsed(response.text)
        assert 0 < len(events) < 999
        assert all("event" not in each for each in events)


async def test_a_server_that_leaves_ends_its_streams_at_once(streaming: Callable[..., Any]) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        async with streaming() as server:
            url = f"{server.url}/download?count=9999&pause=20&key=left"
            request = client.build_request("GET", url)
            response = await client.send(request, stream=True)
            await server.noted("left", "download.sent")
        text = (await response.aread()).decode()
        assert "event" not in text
        assert server.handler.noted("left")["download.ended"] == 1


async def test_a_client_that_leaves_ends_the_call(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, httpx.AsyncClient(timeout=20) as client:
        url = f"{server.url}/download?count=9999&pause=20&key=gone"
        async with client.stream("GET", url):
            await server.noted("gone", "download.sent")
        await server.noted("gone", "download.ended")


async def test_a_client_that_does_not_read_is_cut_off_and_not_waited_for(
    streaming: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(event_stream, "UNREAD_SECONDS", 0.3)
    caplog.set_level("INFO")
    async with streaming() as server:
        with socket.create_connection((server.address.host, server.address.port)) as client:
            client.sendall(
                b"GET /download?count=2000&size=100000&key=slow HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            await server.noted("slow", "download.ended")
        # What was sent lies in sockets; the rest was never made.
        assert server.handler.noted("slow")["download.sent"] < 500
    lines = [each.getMessage() for each in caplog.records if each.name.startswith("seam")]
    assert [line.partition(": ")[2] for line in lines] == ["it does not read its stream"]


async def test_head_is_answered_without_a_call(streaming: Callable[..., Any]) -> None:
    async with streaming() as server, httpx.AsyncClient(timeout=20) as client:
        response = await client.head(f"{server.url}/download?key=head")
        assert (response.status_code, response.content) == (200, b"")
        assert server.handler.noted("head") == {}


async def test_streams_are_so_many_and_no_more(
    streaming: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams.Streams.__init__, "__defaults__", (2, 2))
    async with streaming() as server, httpx.AsyncClient(timeout=20) as client:
        url = f"{server.url}/download?count=9999&pause=20"
        async with client.stream("GET", url), client.stream("GET", url):
            refused = await client.get(url)
            assert (refused.status_code, refused.json()["code"]) == (503, "UNAVAILABLE")
        async with asyncio.timeout(10):
            while (await client.get(f"{server.url}/download?count=1")).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_connections_are_let_go_of_whose_clients_acknowledge_nothing(
    streaming: Callable[..., Any],
) -> None:
    async with streaming() as server:
        address = (server.address.host, server.address.port)
        with socket.create_connection(address) as client:
            client.sendall(b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(10):
                while 60_000 not in accepted_timeouts(client.getsockname()):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)


def accepted_timeouts(peer: tuple[str, int]) -> list[int]:
    """TCP_USER_TIMEOUT, in milliseconds, of this process's connections from a client."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            duplicate = socket.socket(fileno=os.dup(int(link.name)))
        except OSError:
            continue
        with duplicate, suppress(OSError):
            if duplicate.getpeername() == peer:
                found.append(duplicate.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
    return found
