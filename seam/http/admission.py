"""Lets requests in: within the limits of address and principal, with a token that holds.

All of it happens before anything else is done for a request, in one place, since every request pays
for it. Who asks is known to all behind (routes, streams, logs) and travels on with the calls that
the request leads to, whose callees verify the token anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any, Final

from litestar.types import ASGIApp, Receive, Scope, Send

from seam.auth import Authenticator
from seam.call.context import CallContext, current_call
from seam.call.metadata import EMPTY
from seam.call.principal import ANONYMOUS
from seam.contract.errors import StatusError
from seam.http.bearer import AS_USUAL, AUTHORIZATION, principal_of, refuse_token
from seam.http.client_address import ClientAddresses, subscriber
from seam.http.exchange import EXCHANGE, Exchange
from seam.http.rate_limits.limiter import Limiter, Limiters, Refusal
from seam.http.rate_limits.local import LocalLimiter
from seam.http.rate_limits.refusing import refuse_for_now

NEVER_COUNTED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What those who look after the process ask."""


def admitted(
    app: ASGIApp,
    authenticator: Authenticator,
    limiters: Limiters,
    addresses: ClientAddresses,
    *,
    open_paths: Collection[str] = (),
) -> ASGIApp:
    """Wrap an application so that it answers only what may be asked.

    Args:
        app: the application. In it, `current_principal` is who asks.
        authenticator: tells who a token speaks of.
        limiters: how often it may be asked.
        addresses: tells where requests come from.
        open_paths: paths at which nobody is asked for a token, because they are not for users.
    """
    by_address, count_address = limiters.by_address, _at_once(limiters.by_address)
    by_principal, count_principal = limiters.by_principal, _at_once(limiters.by_principal)
    subscriber_of = addresses.subscriber
    # Without proxies that are believed, who sends a request is the client.
    direct = not addresses.believes_proxies
    has_limits = by_address is not None or by_principal is not None
    known = authenticator.known

    async def admit(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        seen: Any = scope
        exchange: Exchange = seen[EXCHANGE]
        counted = has_limits and path not in NEVER_COUNTED
        if by_address is not None and counted:
            client = scope["client"]
            key = subscriber(client[0]) if direct and client else subscriber_of(scope)
            if key:
                refusal = count_address(key) if count_address else await by_address.hit(key)
                if refusal is not None:
                    await refuse_for_now(send, refusal)
                    return
        principal = ANONYMOUS
        sent = exchange.headers.get(AUTHORIZATION)
        if sent is not None and path not in open_paths:
            # Most tokens were verified before, which is all there is to know.
            found = None
            # Of one header alone, which all of them are if each has a name of its own.
            if len(exchange.headers) == len(seen["headers"]) and sent.startswith(AS_USUAL):
                found = known(sent[len(AS_USUAL) :].decode("latin-1"))
            if found is None:
                try:
                    found = await principal_of(scope["headers"], authenticator)
                except StatusError as error:
                    await refuse_token(send, error)
                    return
            principal = found
            if by_principal is not None and counted and (subject := principal.subject):
                refusal = (
                    count_principal(subject) if count_principal else await by_principal.hit(subject)
                )
                if refusal is not None:
                    await refuse_for_now(send, refusal)
                    return
        call = CallContext(
            math.inf, exchange.traceparent, principal, EMPTY, EMPTY, "", exchange.tracestate
        )
        before = current_call.set(call)
        try:
            await app(scope, receive, send)
        finally:
            current_call.reset(before)

    return admit


def _at_once(limiter: Limiter | None) -> Callable[[str], Refusal | None] | None:
    """What counts without waiting for anything, if the limiter can."""
    return limiter.count if isinstance(limiter, LocalLimiter) else None
