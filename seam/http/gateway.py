"""What the front door does with every request and every answer, around the application.

A request gets an id and a trace context. An answer gets
the headers that keep browsers safe and tell caches what they may keep. The answers of methods that
a contract says to be without side effects are told apart by an entity tag, so that a client which
holds one is told so with 304, and are compressed for clients that want it. Files of a site
(`seam.http.static_site`) say themselves what may be kept. Of any other answer nothing is kept
anywhere.

All of this costs every request, so that what does not depend on it is made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from seam.http.client_address import FORWARDED_PROTO, ClientAddresses
from seam.http.compression import MINIMUM_BYTES, compressed, is_compressible, takes_gzip
from seam.http.cors import Cors, Header, is_preflight, preflight_headers
from seam.http.entity_tag import GZIP_MARK, digest, is_held
from seam.http.exchange import EXCHANGE, REQUEST_ID, TRACEPARENT, Exchange, exchange_of
from seam.http.security_headers import (
    PAGE_HEADERS,
    SECURITY_HEADERS,
    strict_transport_security,
)
from seam.http.settings import HttpSettings
from seam.http.static_site import PAGE

SAFE: Final = "safe"
"""Set in the beginning of an answer: its method is without side effects, by its contract."""

_NO_STORE: Final = (b"cache-control", b"no-store")
_REVALIDATED: Final = (b"cache-control", b"no-cache")
_REVALIDATED_PRIVATELY: Final = (b"cache-control", b"private, no-cache")


def gateway(app: ASGIApp, settings: HttpSettings) -> ASGIApp:
    """Wrap an application into what the front door does.

    Args:
        app: the application. It answers HEAD as GET; the body is left out here.
        settings: how HTTP is served.
    """
    door = _Door(settings)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        seen: Any = scope
        exchange = exchange_of(seen["headers"])
        seen[EXCHANGE] = exchange
        await app(scope, receive, _Answer(door, scope, exchange, send).send)

    return answer


class _Door:
    """What is the same for all answers."""

    def __init__(self, settings: HttpSettings) -> None:
        self.cors = Cors(settings) if settings.allowed_origins else None
        self.vary: Header = (
            b"vary",
            b"accept-encoding, authorization" + (b", origin" if self.cors else b""),
        )
        self.plain = SECURITY_HEADERS
        self.over_tls = (strict_transport_security(settings.hsts_seconds),)
        self.secure = (*SECURITY_HEADERS, *self.over_tls)
        self._addresses = ClientAddresses(settings.trusted_proxies)

    def fixed(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        if scope["scheme"] == "https":
            return self.secure
        if headers.get(FORWARDED_PROTO) == b"https" and self._addresses.is_trusted_peer(scope):
            return self.secure
        return self.plain

    def of_page(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        secure = self.fixed(scope, headers) is self.secure
        return (*PAGE_HEADERS, *self.over_tls) if secure else PAGE_HEADERS


class _Answer:
    """The answer to one request on its way out."""

    __slots__ = ("_door", "_exchange", "_held", "_scope", "_send")

    def __init__(
        self,
        door: _Door,
        scope: HTTPScope,
        exchange: Exchange,
        send: Send,
    ) -> None:
        self._door = door
        self._scope = scope
        self._exchange = exchange
        self._send = send
        self._held: HTTPResponseStartEvent | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message.get(SAFE) and message["status"] == 200:
                # What its headers are depends on its body.
                self._held = message
                return
            if message.get(PAGE):
                await self._begin_page(message)
                return
            all_headers = [*message["headers"], _NO_STORE]
            if self._door.cors is not None:
                all_headers.append((b"vary", b"origin"))
            await self._begin(message, message["status"], all_headers)
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._held is not None:
            held, self._held = self._held, None
            await self._answer_safe(held, message["body"])
        elif self._scope["method"] == "HEAD":
            message["body"] = b""
            await self._send(message)
        else:
            await self._send(message)

    async def _answer_safe(self, start: HTTPResponseStartEvent, body: bytes) -> None:
        given = self._exchange.headers
        private = b"authorization" in given
        kept = [_REVALIDATED_PRIVATELY if private else _REVALIDATED, self._door.vary]
        of_body = digest(body)
        wants_gzip = len(body) >= MINIMUM_BYTES and takes_gzip(given.get(b"accept-encoding", b""))
        own = list(start["headers"])
        if wants_gzip:
            wants_gzip = any(
                name == b"content-type" and is_compressible(value) for name, value in own
            )
        mark = GZIP_MARK if wants_gzip else b""
        kept.append((b"etag", b'"%b%b"' % (of_body, mark)))
        sent = given.get(b"if-none-match")
        if sent is not None and is_held(sent, of_body):
            await self._begin(start, 304, kept)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if wants_gzip:
            body = await compressed(body)
            own = [header for header in own if header[0] != b"content-length"]
            own.append((b"content-length", b"%d" % len(body)))
            own.append((b"content-encoding", b"gzip"))
        await self._begin(start, 200, [*own, *kept])
        if self._scope["method"] == "HEAD":
            body = b""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _begin_page(self, start: HTTPResponseStartEvent) -> None:
        exchange = self._exchange
        headers = [
            *start["headers"],
            *self._door.of_page(self._scope, exchange.headers),
            (REQUEST_ID, exchange.request_id.encode()),
        ]
        await self._send(
            {"type": "http.response.start", "status": start["status"], "headers": headers}
        )

    async def _begin(
        self, start: HTTPResponseStartEvent, status: int, headers: list[Header]
    ) -> None:
        door, exchange = self._door, self._exchange
        given = exchange.headers
        headers += door.fixed(self._scope, given)
        headers.append((REQUEST_ID, exchange.request_id.encode()))
        headers.append((TRACEPARENT, exchange.traceparent.encode()))
        if door.cors is not None and (origin := given.get(b"origin")) is not None:
            allowed = door.cors.headers(origin)
            headers += allowed
            if allowed and status == 204 and is_preflight(self._scope["method"], given):
                headers += preflight_headers(list(start["headers"]))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
