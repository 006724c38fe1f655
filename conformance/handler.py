"""The handler that shows how calls behave."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Final

from msgspec import structs

from conformance.v1.conformance import (
    AcceptRequest,
    AcceptResponse,
    AddRequest,
    AddResponse,
    Chunk,
    DownloadRequest,
    EchoRequest,
    EchoResponse,
    EnterRequest,
    EnterResponse,
    FailRequest,
    FailResponse,
    Failure,
    IncludeRequest,
    IncludeResponse,
    JournalRequest,
    JournalResponse,
    ObserveRequest,
    ObserveResponse,
    Refused,
    RefusedError,
    RelayRequest,
    RelayResponse,
    Undeclared,
    UndeclaredError,
    UploadResponse,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.call.context import Baggage, current_call, remaining
from seam.contract.errors import Code, StatusError

TENANT: Final = Baggage("tenant")

STATUSES: Final = {
    Failure.STATUS: (Code.RESOURCE_EXHAUSTED, "no more of it"),
    Failure.OK: (Code.OK, "the password is swordfish"),
    Failure.LATE: (Code.DEADLINE_EXCEEDED, "it took too long"),
    Failure.UNIMPLEMENTED: (Code.UNIMPLEMENTED, "not here"),
    Failure.NO_UNICODE: (Code.ABORTED, "half of \ud83d a pair, and a whole one: \U0001f600"),
    Failure.LONG_TEXT: (Code.ABORTED, "ü" * 100_000),
}
"""The plain statuses with which `Fail` may be told to fail."""

visible: ContextVar[str] = ContextVar("visible", default="")
"""Set by callers and by the handler; neither must see what the other set."""


class _ControlFlow(BaseException):
    """Is no `Exception`."""


class Conformance:
    """Handler of `conformance.v1.Conformance`."""

    def __init__(self) -> None:
        """Make a handler without a way to itself; `Relay` needs `itself`."""
        self.itself: ConformanceStub | None = None
        self._events: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._numbers: Counter[str] = Counter()
        self._sets: defaultdict[str, set[str]] = defaultdict(set)

    async def echo(self, request: EchoRequest) -> EchoResponse:
        """Answer with the payload."""
        return EchoResponse(payload=request.payload)

    async def fail(self, request: FailRequest) -> FailResponse:
        """Fail in the way that was asked for."""
        await _fail(request.failure)
        return FailResponse()

    async def accept(self, request: AcceptRequest) -> AcceptResponse:
        """Note that a request has come through."""
        self._note(request.key, "accepted")
        return AcceptResponse(answer=request.answer)

    async def accept_each(
        self, requests: AsyncIterator[AcceptRequest]
    ) -> AsyncIterator[AcceptResponse]:
        """Note each request that has come through."""
        async for request in requests:
            yield await self.accept(request)

    async def wait(self, request: WaitRequest) -> WaitResponse:
        """Wait, and note it when the wait is cut short."""
        span = _seconds(request.span)
        self._note(request.key, "wait.begun")
        try:
            async with asyncio.timeout(_seconds(request.patience) or None):
                try:
                    if request.in_background:
                        async with asyncio.TaskGroup() as tasks:
                            tasks.create_task(self._wait_in_background(span, request.key))
                    else:
                        await asyncio.sleep(span)
                except asyncio.CancelledError:
                    self._note(request.key, "wait.cancelled")
                    await asyncio.sleep(_seconds(request.tidy))
                    self._note(request.key, "wait.tidied")
                    if not request.ignore:
                        raise
        except TimeoutError:
            return WaitResponse(gave_up=True)
        return WaitResponse(gave_up=False)

    async def observe(self, request: ObserveRequest) -> ObserveResponse:
        """Tell what is seen here, and leave something that must not be seen outside."""
        call = current_call.get()
        assert call is not None
        seen = visible.get()
        visible.set("set by the handler")
        for key, value in request.respond.items():
            call.set_trailing_metadata(key, value)
        await asyncio.sleep(_seconds(request.wait))
        if request.refuse:
            raise RefusedError(Refused(reason="it was asked for"))
        left = remaining()
        return ObserveResponse(
            remaining=None if left is None else timedelta(seconds=left),
            context_variable=seen,
            trace=call.traceparent,
            trace_state=call.tracestate,
            principal=call.principal.subject,
            caller=call.caller,
            tenant=TENANT.get(),
            metadata={k: v for k, v in call.metadata.items() if isinstance(v, str)},
            binary_metadata={k: v for k, v in call.metadata.items() if isinstance(v, bytes)},
        )

    async def relay(self, request: RelayRequest) -> RelayResponse:
        """Call from inside of a call."""
        assert self.itself is not None
        limit = None if request.limit is None else request.limit.total_seconds()
        if request.depth > 0:
            deeper = structs.replace(request, depth=request.depth - 1)
            return await self.itself.relay(deeper, timeout=limit)
        if not request.when_cancelled:
            return await self._make_inner_calls(request, limit)
        self._note(request.key, "relay.begun")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await self._make_inner_calls(request, limit)
            raise
        raise AssertionError("it was not cancelled")

    async def _make_inner_calls(self, request: RelayRequest, limit: float | None) -> RelayResponse:
        assert self.itself is not None
        seen = await self.itself.observe(ObserveRequest(respond={}, refuse=False))
        wait = WaitRequest(span=request.span, key=request.key, in_background=False)
        code = Code.OK
        try:
            await self.itself.wait(wait, timeout=limit)
        except StatusError as error:
            code = error.code
        self._note(request.key, f"relay.{code.name}")
        entered = None
        if request.enter:
            entered = await self.itself.enter_as_service(EnterRequest(key=request.key))
        return RelayResponse(code=int(code), innermost=seen, entered=entered)

    async def add(self, request: AddRequest) -> AddResponse:
        """Add one."""
        self._note(request.key, "add")
        self._numbers[request.key] += 1
        return AddResponse(number=self._numbers[request.key])

    async def include(self, request: IncludeRequest) -> IncludeResponse:
        """Add a name."""
        self._note(request.key, "include")
        self._sets[request.key].add(request.name)
        return IncludeResponse(size=len(self._sets[request.key]))

    async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
        """Send chunks."""
        data = bytes(request.size)
        pause = _seconds(request.pause)
        try:
            for number in range(request.count):
                if request.refuse_after == number:
                    raise RefusedError(Refused(reason="it was asked for"))
                if pause:
                    await asyncio.sleep(pause)
                self._note(request.key, "download.sent")
                yield _chunk(number, data)
            if request.failure is not None:
                await _fail(request.failure)
        finally:
            await asyncio.sleep(_seconds(request.tidy))
            self._note(request.key, "download.ended")

    async def upload(self, requests: AsyncIterator[Chunk]) -> UploadResponse:
        """Read chunks."""
        count, size, in_order, key, tidy = 0, 0, True, "", 0.0
        try:
            async for chunk in requests:
                key, tidy = chunk.key, _seconds(chunk.tidy)
                self._note(key, "upload.received")
                if chunk.refuse:
                    raise RefusedError(Refused(reason="it was asked for"))
                if chunk.failure is not None:
                    await _fail(chunk.failure)
                in_order = in_order and chunk.number == count
                count, size = count + 1, size + len(chunk.data)
                if chunk.stop:
                    break
            tidy = 0.0
            self._note(key, "upload.completed")
            return UploadResponse(count=count, size=size, in_order=in_order)
        finally:
            await asyncio.sleep(tidy)
            self._note(key, "upload.ended")

    async def converse(self, requests: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        """Answer each chunk."""
        key = ""
        try:
            async for chunk in requests:
                key = chunk.key
                if chunk.refuse:
                    raise RefusedError(Refused(reason="it was asked for"))
                if chunk.failure is not None:
                    await _fail(chunk.failure)
                yield chunk
                if chunk.stop:
                    return
        finally:
            self._note(key, "converse.ended")

    async def journal(self, request: JournalRequest) -> JournalResponse:
        """Tell what was noted."""
        return JournalResponse(events=self.noted(request.key))

    async def enter_signed_in(self, request: EnterRequest) -> EnterResponse:
        """Tell who was let in."""
        return self._entered(request)

    async def enter_with_role(self, request: EnterRequest) -> EnterResponse:
        """Tell who was let in."""
        return self._entered(request)

    async def enter_as_service(self, request: EnterRequest) -> EnterResponse:
        """Tell who was let in."""
        return self._entered(request)

    async def watch_signed_in(self, request: EnterRequest) -> AsyncIterator[EnterResponse]:
        """Tell who was let in."""
        yield self._entered(request)

    async def meet_as_service(
        self, requests: AsyncIterator[EnterRequest]
    ) -> AsyncIterator[EnterResponse]:
        """Tell who was let in, each time."""
        async for request in requests:
            yield self._entered(request)

    def _entered(self, request: EnterRequest) -> EnterResponse:
        call = current_call.get()
        assert call is not None
        self._note(request.key, "entered")
        principal = call.principal
        return EnterResponse(
            principal=principal.subject, roles=tuple(sorted(principal.roles)), caller=call.caller
        )

    def noted(self, key: str) -> dict[str, int]:
        """How often each event was noted under a key."""
        return dict(self._events[key])

    async def _wait_in_background(self, span: float, key: str) -> None:
        try:
            await asyncio.sleep(span)
        except asyncio.CancelledError:
            self._note(key, "background.cancelled")
            raise

    def _note(self, key: str, event: str) -> None:
        self._events[key][event] += 1


async def _fail(failure: Failure) -> None:
    match failure:
        case Failure.DECLARED:
            raise RefusedError(Refused(reason="it was asked for"))
        case Failure.UNDECLARED:
            raise UndeclaredError(Undeclared(secret="swordfish"))  # noqa: S106
        case Failure.UNEXPECTED:
            raise RuntimeError("the password is swordfish")
        case Failure.CANCELLED_TASK:
            task = asyncio.create_task(asyncio.sleep(60))
            task.cancel()
            await task
        case Failure.CANCELLED_ITSELF:
            itself = asyncio.current_task()
            assert itself is not None
            itself.cancel()
            await asyncio.sleep(60)
        case Failure.LARGE_RECORD:
            raise RefusedError(Refused(reason="ü" * 100_000))
        case Failure.CONTROL_FLOW:
            raise _ControlFlow("the password is swordfish")
        case status if status in STATUSES:
            raise StatusError(*STATUSES[status])


def _seconds(span: timedelta | None) -> float:
    return 0.0 if span is None else span.total_seconds()


def _chunk(number: int, data: bytes) -> Chunk:
    return Chunk(number=number, data=data, stop=False, refuse=False, key="")
