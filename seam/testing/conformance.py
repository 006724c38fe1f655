"""The handler that shows how calls behave; tests look at it over every transport."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from datetime import timedelta

from conformance.v1.conformance import (
    EchoRequest,
    EchoResponse,
    FailRequest,
    FailResponse,
    Failure,
    ObserveRequest,
    ObserveResponse,
    Refused,
    RefusedError,
    RelayRequest,
    RelayResponse,
    Undeclared,
    UndeclaredError,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import ConformanceStub

from seam.context import remaining
from seam.errors import Code, StatusError

visible: ContextVar[str] = ContextVar("visible", default="")
"""Set by callers and by the handler; neither must see what the other set."""


class Conformance:
    """Handler of `conformance.v1.Conformance`."""

    def __init__(self) -> None:
        """Make a handler without a way to itself; `Relay` needs `itself`."""
        self.itself: ConformanceStub | None = None
        self.waits_begun = 0
        self.waits_cancelled = 0

    async def echo(self, request: EchoRequest) -> EchoResponse:
        """Answer with the payload."""
        return EchoResponse(payload=request.payload)

    async def fail(self, request: FailRequest) -> FailResponse:
        """Fail in the way that was asked for."""
        match request.failure:
            case Failure.DECLARED:
                raise RefusedError(Refused(reason="it was asked for"))
            case Failure.UNDECLARED:
                raise UndeclaredError(Undeclared(secret="swordfish"))  # noqa: S106
            case Failure.STATUS:
                raise StatusError(Code.RESOURCE_EXHAUSTED, "no more of it")
            case Failure.UNEXPECTED:
                raise RuntimeError("the password is swordfish")
        return FailResponse()

    async def wait(self, request: WaitRequest) -> WaitResponse:
        """Wait, and count it when the wait is cut short."""
        self.waits_begun += 1
        try:
            await asyncio.sleep((request.span or timedelta()).total_seconds())
        except asyncio.CancelledError:
            self.waits_cancelled += 1
            raise
        return WaitResponse()

    async def observe(self, _: ObserveRequest) -> ObserveResponse:
        """Tell what is seen here, and leave something that must not be seen outside."""
        seen = visible.get()
        visible.set("set by the handler")
        left = remaining()
        return ObserveResponse(
            remaining=None if left is None else timedelta(seconds=left), context_variable=seen
        )

    async def relay(self, request: RelayRequest) -> RelayResponse:
        """Call `Wait` from inside of a call."""
        assert self.itself is not None
        limit = None if request.limit is None else request.limit.total_seconds()
        try:
            await self.itself.wait(WaitRequest(span=request.span), timeout=limit)
        except StatusError as error:
            return RelayResponse(code=int(error.code))
        return RelayResponse(code=0)
