"""The HTTP application of a process: routes of its APIs, health, OpenAPI and AsyncAPI documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Response, Router, get
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from seam.auth import NO_ISSUER, Authenticator
from seam.bus import Channel
from seam.contract import EventDescriptor, IdempotencyLevel, ServiceDescriptor
from seam.http.admission import admitted
from seam.http.api import HttpApi
from seam.http.asyncapi import asyncapi
from seam.http.client_address import ClientAddresses
from seam.http.gateway import gateway
from seam.http.handshake import handshakes_as_requests
from seam.http.last_resort import always_answered
from seam.http.limits import MAXIMUM_BODY_BYTES
from seam.http.problem import exception_handlers
from seam.http.rate_limits.limiter import UNLIMITED, Limiters
from seam.http.routing import as_sent
from seam.http.settings import DEFAULT_HTTP_SETTINGS, HttpSettings
from seam.http.static_site import StaticSite, with_sites

OPENAPI_VERSION: Final = "3.1.0"

NOT_FOR_USERS: Final = frozenset(
    {"/healthz", "/readyz", "/metrics", "/schema", "/schema/asyncapi.json"}
)
"""Paths that tell of the process. Whom they are for is a matter of the proxy before it."""

PROMETHEUS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"

_VARIABLE: Final = re.compile(r"\{[^}]*\}")
_NUMBER: Final = re.compile(r"\.\d+$")

_DOCUMENTS: Final = ("openapi", "asyncapi")


def application(
    apis: Sequence[HttpApi[Any]],
    channel: Callable[[ServiceDescriptor], Channel],
    readiness: Callable[[], Awaitable[Mapping[str, Any]]],
    *,
    title: str,
    events: Sequence[EventDescriptor[Any]] = (),
    metrics: Callable[[], Awaitable[bytes]] | None = None,
    authenticator: Authenticator = NO_ISSUER,
    settings: HttpSettings = DEFAULT_HTTP_SETTINGS,
    limiters: Limiters = UNLIMITED,
    sites: Sequence[StaticSite] = (),
) -> ASGIApp:
    """Make the application.

    Args:
        apis: the APIs whose routes it serves.
        channel: gives the channel to a contract service.
        readiness: gives the document of `/readyz`; its `ready` says whether requests are welcome.
        title: title of the documents.
        events: what the services publish.
        metrics: gives what `/metrics` answers.
        authenticator: tells who asks; by default nobody can sign in.
        settings: how HTTP is served.
        limiters: how often it may be asked.
        sites: files that browsers load beside what the APIs answer.

    Raises:
        MissingSiteError: a site has no files.
        ValueError: two APIs bind the same path and method, or give two meanings to one schema; or
            a file of a site has the path of a route.
    """
    schema = msgspec.json.encode(openapi(apis, title=title))
    events_schema = msgspec.json.encode(asyncapi(events, title=title))

    @get("/healthz", media_type=MediaType.JSON)
    async def healthz() -> Response[bytes]:
        """Whether the process runs."""
        return _json(b'{"status":"ok"}')

    @get("/readyz", media_type=MediaType.JSON)
    async def readyz() -> Response[bytes]:
        """Whether the process and all that it needs can take requests."""
        state = await readiness()
        return _json(msgspec.json.encode(state), status=200 if state["ready"] else 503)

    @get("/schema", name="openapi", media_type=MediaType.JSON)
    async def openapi_document() -> Response[bytes]:
        """The OpenAPI document of all routes."""
        return _json(schema)

    @get("/schema/asyncapi.json", name="asyncapi", media_type=MediaType.JSON)
    async def asyncapi_document() -> Response[bytes]:
        """The AsyncAPI document of all events."""
        return _json(events_schema)

    @get("/metrics", media_type=MediaType.TEXT)
    async def figures() -> Response[bytes]:
        """Figures of the process, for Prometheus."""
        text = b"" if metrics is None else await metrics()
        return Response(text, headers={"content-type": PROMETHEUS_TEXT})

    errors = {error: fields for api in apis for error, fields in api.errors.items()}
    routers = [api.routes(channel(api.descriptor)) for api in apis]
    app = Litestar(
        # In one router, so that services may have a path in common.
        route_handlers=[
            Router(
                "/",
                route_handlers=[
                    healthz,
                    readyz,
                    figures,
                    openapi_document,
                    asyncapi_document,
                    *routers,
                ],
            ),
        ],
        exception_handlers=exception_handlers(errors),
        request_max_body_size=MAXIMUM_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )
    safe = {*_DOCUMENTS, *_safe_routes(apis, routers)}
    taken = [route.path for route in app.routes]
    let_in = admitted(
        with_sites(as_sent(app, safe=safe), sites, taken),
        authenticator,
        limiters,
        ClientAddresses(settings.trusted_proxies),
        open_paths=NOT_FOR_USERS,
    )
    door = gateway(always_answered(let_in), settings)
    return handshakes_as_requests(door, settings.allowed_origins)


def _safe_routes(apis: Sequence[HttpApi[Any]], routers: Sequence[Router]) -> Iterator[str]:
    """Names of the route handlers that call methods without side effects."""
    safe = {
        f"{api.descriptor.name}.{method.name}"
        for api in apis
        for method in api.descriptor.methods
        if method.idempotency_level is IdempotencyLevel.NO_SIDE_EFFECTS
        and not method.kind.server_streaming
    }
    for router in routers:
        for route in router.routes:
            handlers = route.route_handlers if isinstance(route, HTTPRoute) else ()
            for name in (handler.name or "" for handler in handlers):
                # A further binding of a method has a number behind the method's name.
                if _NUMBER.sub("", name) in safe:
                    yield name


def openapi(apis: Sequence[HttpApi[Any]], *, title: str) -> dict[str, Any]:
    """Make the OpenAPI 3.1 document of several APIs as one.

    Paths that differ only in what their variables are called are one path, called as the first.
    Operations are called after service and method, and after the package where that is not enough.

    Raises:
        ValueError: two APIs bind the same path and method, or give two meanings to one schema.
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    schemes: dict[str, Any] = {}
    called: dict[str, str] = {}
    bound: dict[tuple[str, str], str] = {}
    uses = Counter(each["operationId"] for api in apis for _, _, each in _operations(api))
    for api in apis:
        name = api.descriptor.name
        for path, verb, operation in _operations(api):
            shape = _VARIABLE.sub("{}", path)
            if (verb, shape) in bound:
                other = bound[verb, shape]
                raise ValueError(f"{verb.upper()} {path} is bound by {other} and by {name}")
            bound[verb, shape] = name
            first = called.setdefault(shape, path)
            identifier = operation["operationId"]
            if uses[identifier] > 1:
                identifier = f"{name.rpartition('.')[0]}.{identifier}"
            paths.setdefault(first, {})[verb] = {
                **_with_variables(operation, path, first),
                "operationId": identifier,
            }
        for schema, meaning in api.openapi["components"]["schemas"].items():
            if schemas.setdefault(schema, meaning) != meaning:
                raise ValueError(f"{name}: the schema {schema} has another meaning in another API")
        # Those of all contracts are written by one generator.
        schemes |= api.openapi["components"].get("securitySchemes", {})
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": title, "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas, **({"securitySchemes": schemes} if schemes else {})},
    }


def _operations(api: HttpApi[Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Path, verb and description of an API's operations, which services of one contract share."""
    for path, operations in api.openapi["paths"].items():
        for verb, operation in operations.items():
            if api.descriptor.name in operation["tags"]:
                yield path, verb, operation


def _with_variables(operation: Mapping[str, Any], path: str, first: str) -> Mapping[str, Any]:
    """An operation whose path variables are called as those of an equal path."""
    if path == first:
        return operation
    renamed = dict(zip(_VARIABLE.findall(path), _VARIABLE.findall(first), strict=True))
    parameters = [
        {**each, "name": renamed[f"{{{each['name']}}}"][1:-1]} if each["in"] == "path" else each
        for each in operation["parameters"]
    ]
    return {**operation, "parameters": parameters}


def _json(body: bytes, *, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type=MediaType.JSON)
