"""Refuses requests beyond a rate limit, before anything else is done for them.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, and `Retry-After`
of RFC 9110.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from seam.call.context import current_call
from seam.contract import Code
from seam.http.client_address import ClientAddresses, subscriber
from seam.http.problem import send_problem
from seam.http.rate_limits.limiter import Limiter, Refusal
from seam.http.rate_limits.local import LocalLimiter

NEVER_COUNTED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What those who look after the process ask."""

_TRY_AGAIN_LATER: Final = 1013
"""Source: https://www.iana.org/assignments/websocket/websocket.xhtml, close codes."""


def limited(app: ASGIApp, limiter: Limiter, key_of: Callable[[Scope], str]) -> ASGIApp:
    """Wrap an application so that it is not asked more often than a limit allows.

    Args:
        app: the application.
        limiter: counts requests.
        key_of: under what a request is counted; "" when it is not.
    """
    if isinstance(limiter, LocalLimiter):
        return _limited_at_once(app, limiter.count, key_of)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        key = "" if scope["path"] in NEVER_COUNTED else key_of(scope)
        refusal = await limiter.hit(key) if key else None
        if refusal is None:
            await app(scope, receive, send)
        else:
            await _refuse(scope, send, refusal)

    return answer


def _limited_at_once(
    app: ASGIApp, count: Callable[[str], Refusal | None], key_of: Callable[[Scope], str]
) -> ASGIApp:
    """As `limited`, where nothing is waited for: no coroutine stands around the application's."""

    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        key = "" if scope["path"] in NEVER_COUNTED else key_of(scope)
        refusal = count(key) if key else None
        if refusal is None:
            return app(scope, receive, send)
        return _refuse(scope, send, refusal)

    return answer


def by_address(addresses: ClientAddresses) -> Callable[[Scope], str]:
    """Count by where requests come from: an address of IPv4, or a network of 2^64 of IPv6."""

    def key(scope: Scope) -> str:
        return subscriber(addresses.of(scope))

    return key


def by_principal(_: Scope) -> str:
    """Count by who asks; what nobody in particular asks is not counted."""
    call = current_call.get()
    return "" if call is None else call.principal.subject


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    if scope["type"] != ScopeType.HTTP:
        reason = "rate limit"
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": reason})
        return
    name, rate, seconds = refusal
    amount = f"{rate.amount:,} requests in {rate.seconds:,} s"
    await send_problem(
        send,
        429,
        Code.RESOURCE_EXHAUSTED,
        detail=f"too many requests of one {name}; expected at most {amount}",
        headers=[
            (b"retry-after", b"%d" % seconds),
            (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name.encode(), *rate)),
            (b"ratelimit", b'"%b";r=0;t=%d' % (name.encode(), seconds)),
        ],
    )
