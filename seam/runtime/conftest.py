"""What all tests of processes share."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import uvloop
from litestar import Litestar, Response, get

from conformance.handler import Conformance
from conformance.v1.conformance import Chunk, DownloadRequest, RefusedError
from conformance.v1.conformance_bus import ConformanceStub, register_conformance
from conformance.v1.conformance_json import chunk_from_json, chunk_to_json, refused_to_json
from seam.bus import Bulkhead, HandlerRegistry, InProcessChannel, Limits
from seam.codec.protojson import read_int32, read_object, read_string
from seam.http import Conversation, EventStream, HttpRequest, Query, bind_path, last_event_id
from seam.http.handshake import handshakes_as_requests
from seam.http.last_resort import always_answered
from seam.http.problem import exception_handlers
from seam.http.routing import as_sent
from seam.runtime.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from seam.runtime.http_server import serve_http
from seam.runtime.topology import Address
from seam.testing.access import EVERYBODY
from seam.testing.databases import postgres_server
from seam.testing.nats import nats_server, stoppable_nats

__all__ = [
    "nats_server",
    "postgres_server",
    "pytest_asyncio_loop_factories",
    "stoppable_nats",
]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that processes have."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Streaming:
    """A server of streams: `/download` gives events, and `/converse/KEY` is a WebSocket."""

    address: Address
    handler: Conformance
    headers: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where requests go."""
        return f"http://{self.address}"

    def websocket(self, key: str, query: str = "") -> str:
        """Where handshakes go."""
        return f"ws://{self.address}/converse/{key}{query}"

    async def noted(self, key: str, event: str) -> None:
        """Wait until the handler has noted an event."""
        async with asyncio.timeout(10):
            while not self.handler.noted(key).get(event):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
def streaming() -> Callable[..., Any]:
    """Serves streams."""

    @asynccontextmanager
    async def serve(
        limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
        *,
        seconds: float | None = None,
        allowed_origins: tuple[str, ...] = (),
    ) -> AsyncIterator[Streaming]:
        handler = Conformance()
        registry = HandlerRegistry(policy=EVERYBODY)
        # A stream counts among the calls that are answered at a time.
        bulkhead = Bulkhead("conformance", Limits(concurrent=2_000))
        registry.register(register_conformance(handler), bulkhead)
        stub = ConformanceStub(InProcessChannel(registry, strict=True))
        headers: list[Mapping[str, str]] = []

        @get("/plain")
        async def plain() -> Response[bytes]:
            return Response(b"{}", media_type="application/json")

        @get("/download")
        async def download(request: HttpRequest) -> EventStream[Chunk]:
            query = Query(request)
            first = last_event_id(request, read_int32, -1) + 1
            message = DownloadRequest(
                count=query.one(read_int32, 3, "count") - first,
                size=query.one(read_int32, 1, "size"),
                pause=timedelta(milliseconds=query.one(read_int32, 0, "pause")),
                refuse_after=query.one(read_int32, None, "refuse"),
                key=query.one(read_string, "", "key"),
            )
            query.finish()
            return EventStream(
                lambda: stub.download(message, timeout=seconds),
                chunk_to_json,
                lambda record: record.number + first,
            )

        @get("/converse/{key:str}")
        async def converse(request: HttpRequest) -> Conversation[Chunk, Chunk]:
            headers.append(dict(request.headers))
            key = request.path_params["key"]
            query = Query(request)
            number = query.one(read_int32, 0, "number")
            message = Chunk(number=number, data=b"", stop=False, refuse=False, key=key)
            query.finish()

            def read_frame(frame: object) -> Chunk:
                body = dict(read_object(frame))
                bind_path(body, key, "key")
                return chunk_from_json(body)

            return Conversation(
                lambda requests: stub.converse(requests, timeout=seconds),
                message,
                read_frame,
                chunk_to_json,
            )

        app = Litestar(
            [plain, download, converse],
            exception_handlers=exception_handlers({RefusedError: refused_to_json}),
            openapi_config=None,
            logging_config=None,
        )
        wrapped = handshakes_as_requests(always_answered(as_sent(app)), allowed_origins)
        any_port = Address("127.0.0.1", 0)
        async with serve_http(wrapped, any_port, grace=5.0, limits=limits) as bound:
            yield Streaming(bound, handler, headers)
        gc.collect()

    return serve
