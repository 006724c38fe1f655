"""The HTTP application of a process: routes of its APIs, health and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Response, get

from seam.bus import Channel
from seam.contract import ServiceDescriptor
from seam.http.api import HttpApi
from seam.http.problem import exception_handlers

OPENAPI_VERSION: Final = "3.1.0"


def application(
    apis: Sequence[HttpApi[Any]],
    channel: Callable[[ServiceDescriptor], Channel],
    readiness: Callable[[], Awaitable[Mapping[str, Any]]],
    *,
    title: str,
) -> Litestar:
    """Make the application.

    Args:
        apis: the APIs whose routes it serves.
        channel: gives the channel to whoever answers a contract service.
        readiness: gives the document of `/readyz`; its `ready` says whether requests are welcome.
        title: title of the OpenAPI document.
    """
    schema = msgspec.json.encode(openapi(apis, title=title))

    @get("/healthz", media_type=MediaType.JSON)
    async def healthz() -> Response[bytes]:
        """Whether the process runs."""
        return _json(b'{"status":"ok"}')

    @get("/readyz", media_type=MediaType.JSON)
    async def readyz() -> Response[bytes]:
        """Whether the process and all that it needs can take requests."""
        state = await readiness()
        return _json(msgspec.json.encode(state), status=200 if state["ready"] else 503)

    @get("/schema", media_type=MediaType.JSON)
    async def openapi_document() -> Response[bytes]:
        """The OpenAPI document of all routes."""
        return _json(schema)

    errors = {error: fields for api in apis for error, fields in api.errors.items()}
    return Litestar(
        route_handlers=[
            healthz,
            readyz,
            openapi_document,
            *(api.routes(channel(api.descriptor)) for api in apis),
        ],
        exception_handlers=exception_handlers(errors),
        openapi_config=None,
        logging_config=None,
    )


def openapi(apis: Sequence[HttpApi[Any]], *, title: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of several APIs as one."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for api in apis:
        paths.update(api.openapi["paths"])
        schemas.update(api.openapi["components"]["schemas"])
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": title, "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _json(body: bytes, *, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=MediaType.JSON)
