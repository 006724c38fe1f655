"""Lets the opening handshake of a WebSocket be a request like any other.

It is one: a GET, with a path, a query and headers. What lies behind (routes, limits, tokens, the
form of refusals) then treats it as it treats requests, and only what answers with a WebSocket knows
the difference.

Browsers let a page say neither `Authorization` nor any other header of its own here. So the token
may also come as the second of two subprotocols, `bearer, TOKEN`; it is moved to `Authorization`,
and nothing behind sees it anywhere else. And browsers send handshakes from any page, so that the
page's `Origin` has to be the server's own, or one that is allowed.

Source: https://www.rfc-editor.org/rfc/rfc6455.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from seam.contract import Code
from seam.http.problem import send_problem
from seam.http.text import shown

BEARER: Final = "bearer"
"""The subprotocol that is spoken: records as text, after a token."""

_SUBPROTOCOLS: Final = "subprotocols"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SCHEMES: Final = {"ws": "http", "wss": "https"}


def handshakes_as_requests(app: ASGIApp, allowed_origins: Collection[str] = ()) -> ASGIApp:
    """Wrap an application that answers requests, so that it answers handshakes as well.

    Args:
        app: the application.
        allowed_origins: where pages of others may come from, such as `https://shop.example`.
    """
    allowed = {origin.lower() for origin in allowed_origins}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            await app(scope, receive, send)
            return

        async def send_as_handshake(message: Message) -> None:
            if message["type"].startswith("http.response."):
                renamed: Any = {**message, "type": f"websocket.{message['type']}"}
                message = renamed
            await send(message)

        async def receive_as_request() -> Any:  # noqa: ANN401 (one of many messages)
            message = await receive()
            if message["type"] == "websocket.connect":
                return {"type": "http.request", "body": b"", "more_body": False}
            return message

        request: Any = {
            **scope,
            "type": ScopeType.HTTP,
            "method": "GET",
            "scheme": _SCHEMES.get(scope["scheme"], "http"),
        }
        refusal = _move_token(request) or _check_origin(request, allowed)
        if refusal is not None:
            await send_problem(send_as_handshake, *refusal[:2], detail=refusal[2])
            return
        await app(request, receive_as_request, send_as_handshake)

    return answer


def is_handshake(scope: Scope) -> bool:
    """Whether a request is the opening handshake of a WebSocket."""
    return _SUBPROTOCOLS in scope


def subprotocol_of(scope: Scope) -> str | None:
    """What a server that accepts a handshake answers as the subprotocol, if anything."""
    offered: Any = scope.get(_SUBPROTOCOLS, ())
    return BEARER if BEARER in offered else None


_Refusal = tuple[int, Code, str]


def _move_token(request: Any) -> _Refusal | None:  # noqa: ANN401 (a scope of two kinds)
    offered: list[str] = request[_SUBPROTOCOLS]
    if not offered or offered[0] != BEARER:
        return None
    if len(offered) != 2:
        detail = "Sec-WebSocket-Protocol: expected bearer and a token"
        return 400, Code.INVALID_ARGUMENT, detail
    headers = [each for each in request["headers"] if each[0] != b"sec-websocket-protocol"]
    if any(name == b"authorization" for name, _ in headers):
        detail = "Sec-WebSocket-Protocol: the token is in Authorization already"
        return 400, Code.INVALID_ARGUMENT, detail
    headers.append((b"authorization", b"Bearer " + offered[1].encode("latin-1")))
    request["headers"] = headers
    request[_SUBPROTOCOLS] = [BEARER]
    return None


def _check_origin(request: Any, allowed: Collection[str]) -> _Refusal | None:  # noqa: ANN401
    origins = [value for name, value in request["headers"] if name == b"origin"]
    if not origins:
        # No browser: those always say it.
        return None
    hosts = [value for name, value in request["headers"] if name == b"host"]
    origin = origins[0].decode("latin-1").lower()
    if len(origins) == 1 and (origin in allowed or _is_own(origin, hosts)):
        return None
    return 403, Code.PERMISSION_DENIED, f"Origin: {shown(origin)} is not allowed"


def _is_own(origin: str, hosts: list[bytes]) -> bool:
    """Whether a page comes from the host that is asked; TLS may end before this process."""
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"//{hosts[0].decode('latin-1').lower()}")
        ports = page.port, asked.port
    except (ValueError, IndexError):
        return False
    default = _DEFAULT_PORTS.get(page.scheme)
    if default is None or not page.hostname or len(hosts) != 1:
        return False
    same_port = (ports[0] or default) == (ports[1] or default)
    return page.hostname == asked.hostname and same_port
