"""The shop in one process without its guards: no token check, policy, limit or trace.

Nothing of it can be switched off where a shop runs, so it is replaced here, before anything starts.
Every other line is the shop's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from unittest.mock import patch

from litestar.types import ASGIApp, Receive, Scope, Send

from director.monolith import SERVICES
from seam.auth import Authenticator, Policy
from seam.call.context import CallContext, current_call
from seam.http import application, gateway
from seam.http.exchange import Exchange
from seam.runtime import hosting, main
from seam.testing.access import EVERYBODY


def _everybody(_: Authenticator) -> Policy:
    return EVERYBODY


def _unasked(app: ASGIApp, *_: object, **__: object) -> ASGIApp:
    async def admit(scope: Scope, receive: Receive, send: Send) -> None:
        # Calls have a context, whoever asks.
        before = current_call.set(CallContext(math.inf))
        try:
            await app(scope, receive, send)
        finally:
            current_call.reset(before)

    return admit


def _untraced(headers: Iterable[tuple[bytes, bytes]]) -> Exchange:
    return Exchange(dict(headers), "none", "")


if __name__ == "__main__":
    with (
        patch.object(hosting, "ContractPolicy", _everybody),
        # A function, which has the name of its module.
        patch.dict(application.__globals__, admitted=_unasked),
        patch.object(gateway, "exchange_of", _untraced),
    ):
        main("bare", SERVICES, whole_system=True)
