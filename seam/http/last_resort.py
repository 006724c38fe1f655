"""Answers for an application that fails, or that has to end before it has answered."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from seam.contract import Code
from seam.http.exchange import request_id_of
from seam.http.problem import send_problem
from seam.http.text import shown

log = logging.getLogger(__name__)


def always_answered(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that every request is answered, and every refusal is a problem."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        started = False

        def begin(message: Message) -> Awaitable[None]:
            nonlocal started
            started = True
            return send(message)

        try:
            await app(scope, receive, begin)
        except asyncio.CancelledError:
            log.warning("%s was cut off, as the process ends", _where(scope))
            if not started:
                await send_problem(send, 503, Code.UNAVAILABLE, detail="the process ends")
        except Exception as error:
            identifier = uuid.uuid4().hex
            log.error(  # noqa: TRY400
                "%s failed, request id %s, error id %s",
                _where(scope),
                request_id_of(scope),
                identifier,
                exc_info=error,
            )
            if not started:
                detail = f"internal error {identifier}"
                await send_problem(send, 500, Code.INTERNAL, detail=detail)

    return answer


def _where(scope: Scope) -> str:
    return f"{scope.get('method')} {shown(str(scope['path']))}"
