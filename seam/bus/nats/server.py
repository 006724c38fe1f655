"""Answers calls that come in over NATS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from google.rpc.status_pb2 import Status
from nats.aio.msg import Msg

from seam.bus.nats.callee import IncomingCall, answering_of
from seam.bus.nats.connection import Connection, connecting
from seam.bus.nats.protocol import (
    Done,
    Open,
    Ping,
    all_calls_subject,
    decode,
    encode,
)
from seam.bus.registry import HandlerRegistry
from seam.contract.descriptors import ServiceDescriptor
from seam.contract.errors import Code, StatusError

_ENDED: Final = encode(Done(0, None, None, {}))


@asynccontextmanager
async def serve_nats(
    url: str,
    services: Sequence[ServiceDescriptor],
    registry: HandlerRegistry,
    *,
    problem: Callable[[], str | None] = lambda: None,
    grace: float,
) -> AsyncIterator[NatsServer]:
    """Answer calls over NATS until the block ends, then finish those under way.

    Args:
        url: of the NATS server, `nats://HOST:PORT`. It need not be there yet.
        services: the contract services to answer.
        registry: where their handlers are registered.
        problem: what is wrong with this process although it answers calls, for those who ask.
        grace: seconds that calls under way have at the end.
    """
    server = NatsServer(url, services, registry, problem)
    async with connecting(server.connection):
        for service in services:
            await server.serve(service.name)
        try:
            yield server
        finally:
            await asyncio.gather(*(server.leave(service.name) for service in services))
            await server.finish(grace)


class NatsServer:
    """Answers the calls of contract services over one connection."""

    def __init__(
        self,
        url: str,
        services: Sequence[ServiceDescriptor],
        registry: HandlerRegistry,
        problem: Callable[[], str | None],
    ) -> None:
        """Prepare to answer; see `serve_nats`."""
        self.connection = Connection(url, self)
        self._problem = problem
        self._methods = {
            service.name: {
                method.name: answering_of(method, registry) for method in service.methods
            }
            for service in services
        }
        self._calls: dict[int, IncomingCall] = {}
        self._number = 0

    async def serve(self, service: str) -> None:
        """Take a share of the calls of a contract service."""
        await self.connection.listen(all_calls_subject(service), partial(self._take, service))

    async def leave(self, service: str) -> None:
        """Leave the calls of a contract service to others; those under way go on."""
        await self.connection.stop_listening(all_calls_subject(service))

    async def finish(self, seconds: float) -> None:
        """Wait for calls under way, and end those that take longer."""
        tasks = [call.task for call in self._calls.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for call in tuple(self._calls.values()):
            call.end(StatusError(Code.UNAVAILABLE, f"{call.owner} is not available"))
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    def received(self, number: int, message: Msg) -> None:
        """See `Party`."""
        call = self._calls.get(number)
        if call is not None:
            call.received(message)

    def tick(self) -> None:
        """See `Party`."""
        for call in tuple(self._calls.values()):
            call.tick()

    def lost(self) -> None:
        """See `Party`."""
        for call in tuple(self._calls.values()):
            call.cancel()

    def _take(self, service: str, message: Msg) -> None:
        """Begin to answer a call."""
        frame = decode(message.data)
        if isinstance(frame, Ping):
            self.connection.post(message.reply, self._pong())
            return
        if not isinstance(frame, Open) or not message.reply:
            return
        answering = self._methods[service].get(frame.method)
        if answering is None:
            error = Status(
                code=Code.UNIMPLEMENTED, message=f"{service} has no method {frame.method!r:.80}"
            )
            done = Done(0, None, error.SerializeToString(), {})
            self.connection.post(message.reply, encode(done))
            return
        self._number += 1
        call = IncomingCall(self.connection, self._number, message, answering, frame)
        self._calls[self._number] = call
        # Not in the task itself, which does not even begin if it is cancelled at once.
        call.task.add_done_callback(partial(self._forget, self._number))

    def _pong(self) -> bytes:
        problem = self._problem()
        if problem is None:
            return _ENDED
        status = Status(code=Code.UNAVAILABLE, message=problem)
        return encode(Done(0, None, status.SerializeToString(), {}))

    def _forget(self, number: int, _: asyncio.Task[None]) -> None:
        del self._calls[number]
