"""Another process that this one calls over NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from seam.bus import Channel, Interceptor
from seam.bus.nats import NatsChannel
from seam.bus.nats.caller import AwayError, Caller
from seam.contract import ServiceDescriptor
from seam.runtime.peers import HEALTH_TIMEOUT
from seam.runtime.topology import Process


class NatsPeer:
    """One other process, or several that are alike and share their calls."""

    def __init__(self, process: Process, url: str) -> None:
        """Begin to connect to the NATS server over which `process` answers."""
        self.name = process.name
        self.services = process.services
        self.called: set[str] = set()
        self._caller = Caller(url)
        self.address = self._caller.connection.address
        self._caller.connection.start()

    def channel(
        self, descriptor: ServiceDescriptor, client_interceptors: Sequence[Interceptor]
    ) -> Channel:
        """The channel to one of its contract services."""
        self.called.add(descriptor.name)
        return NatsChannel(self._caller, client_interceptors=client_interceptors)

    async def problem(self) -> str | None:
        """Why the peer cannot take calls, or None when it can."""
        problems = await asyncio.gather(*(self._problem(name) for name in self.called))
        return next((problem for problem in problems if problem), None)

    async def close(self) -> None:
        """Leave the NATS server."""
        await self._caller.connection.close()

    async def _problem(self, name: str) -> str | None:
        try:
            return await self._caller.ping(name, HEALTH_TIMEOUT)
        except AwayError as error:
            return f"unreachable: {error.reason or 'the NATS server is away'}"
        except TimeoutError:
            return "unreachable: no answer"
