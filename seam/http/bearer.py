"""Who asks over HTTP: the token in the header `Authorization`.

It is verified at the door, so that all behind it (limits, routes, streams) knows who asks, and it
travels on with the calls that the request leads to, whose callees verify it anew.

Source: https://www.rfc-editor.org/rfc/rfc6750.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from lib.http_status import HTTP_STATUS
from seam.auth import Authenticator
from seam.call.context import CallContext, current_call
from seam.call.principal import Principal, check_principal
from seam.contract.errors import Code, StatusError
from seam.http.problem import TOKEN_REFUSED, send_problem

__all__ = ["signed_in"]

_HEADER: Final = b"authorization"
_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)

_AS_USUAL: Final = b"Bearer "
"""What stands before the token, as almost every client writes it."""

_OUTSIDE: Final = CallContext(math.inf)

_POLICY_VIOLATION: Final = 1008
"""Source: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1."""


def signed_in(
    app: ASGIApp, authenticator: Authenticator, *, open_paths: Collection[str] = ()
) -> ASGIApp:
    """Let an application know who asks, and refuse who proves it badly.

    Args:
        app: the application. In it, `current_principal` is who asks.
        authenticator: tells who a token speaks of.
        open_paths: paths at which nobody is asked, because they are not for users.
    """
    known = authenticator.known

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        # A process that begins or ends tells so in a scope without headers.
        sent = [value for name, value in scope.get("headers", ()) if name == _HEADER]
        if not sent or scope["path"] in open_paths:
            await app(scope, receive, send)
            return
        # Most requests come with a token that was verified before, which is all there is to know.
        principal = None
        if len(sent) == 1 and sent[0].startswith(_AS_USUAL):
            principal = known(sent[0][len(_AS_USUAL) :].decode("latin-1"))
        if principal is None:
            try:
                principal = await _principal(sent, authenticator)
            except StatusError as error:
                await _refuse(scope, send, error)
                return
        # What `call_scope` does, without what it checks: a verified token can travel.
        outer = current_call.get() or _OUTSIDE
        before = current_call.set(
            CallContext(outer.deadline, outer.traceparent, principal, outer.baggage)
        )
        try:
            await app(scope, receive, send)
        finally:
            current_call.reset(before)

    return ask


async def _principal(sent: Sequence[bytes], authenticator: Authenticator) -> Principal:
    read = _BEARER.fullmatch(sent[0].decode("latin-1").strip(" \t"))
    if len(sent) > 1 or read is None:
        raise StatusError(Code.UNAUTHENTICATED, "Authorization: expected one header, Bearer TOKEN")
    principal = authenticator.known(read[1]) or await authenticator.verify(read[1])
    check_principal(principal)
    return principal


async def _refuse(scope: Scope, send: Send, error: StatusError) -> None:
    if scope["type"] == ScopeType.WEBSOCKET:
        await send(
            {"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": error.message[:100]}
        )
        return
    headers = []
    if error.code is Code.UNAUTHENTICATED:
        headers.append((b"www-authenticate", TOKEN_REFUSED.encode()))
    status = HTTP_STATUS[error.code.name]
    await send_problem(send, status, error.code, headers=headers, detail=error.message)
