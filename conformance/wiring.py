"""The handler and a way to it, over each transport, for tests of the bus."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conformance import server as server_module
from conformance.handler import Conformance
from conformance.issuer import POLICY, SERVICE
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import (
    BELIEVED,
    Bulkhead,
    GrpcChannel,
    HandlerRegistry,
    InProcessChannel,
    Interceptor,
    open_channel,
    servicer,
)
from seam.bus.grpc.server import make_server
from seam.bus.nats import NatsChannel, open_nats, serve_nats
from seam.testing.nats import NatsServer

TRANSPORTS: Final = ("by reference", "strict", "gRPC", "NATS")


@dataclass(frozen=True, slots=True)
class Wiring:
    """A handler and a way to it.

    Attributes:
        stub: calls the handler over the transport.
        direct: calls it past the transport and past all interceptors.
        address: where it answers over gRPC; "" where it does not.
    """

    stub: ConformanceStub
    direct: ConformanceStub
    address: str = ""


@asynccontextmanager
async def wired(
    transport: str,
    *,
    client: Sequence[Interceptor] = (),
    server: Sequence[Interceptor] = (),
    bulkhead: Bulkhead | None = None,
    handler: Conformance | None = None,
) -> AsyncIterator[Wiring]:
    """Bind a handler and connect to it.

    Args:
        transport: one of `TRANSPORTS`.
        client: client interceptors, outermost first.
        server: server interceptors, outermost first.
        bulkhead: counts the handler's calls; by default one of its own.
        handler: answers; by default a new one.
    """
    handler = handler or Conformance()
    registration = register_conformance(handler)
    aside = HandlerRegistry(policy=POLICY)
    aside.register(registration)
    direct = handler.itself = ConformanceStub(InProcessChannel(aside).called_by(SERVICE))
    registry = HandlerRegistry(server_interceptors=server, policy=POLICY)
    registry.register(registration, bulkhead)
    if transport == "NATS":
        with nats_server() as url:
            async with serve_nats(url, [CONFORMANCE], registry, grace=0), open_nats(url) as caller:
                remote = NatsChannel(caller, client_interceptors=client)
                yield Wiring(ConformanceStub(remote), direct)
        return
    if transport != "gRPC":
        strict = transport == "strict"
        local = InProcessChannel(registry, strict=strict, client_interceptors=client)
        yield Wiring(ConformanceStub(local), direct)
        return
    async with (
        listening(registry) as address,
        open_channel(address, [CONFORMANCE]) as connection,
    ):
        channel = GrpcChannel(connection, client_interceptors=client)
        yield Wiring(ConformanceStub(channel), direct, address)


@contextmanager
def nats_server() -> Iterator[str]:
    """Run a NATS server until the block ends; gives its URL."""
    with tempfile.TemporaryDirectory(prefix="nats-") as directory:
        server = NatsServer(Path(directory))
        try:
            server.start()
            yield server.url
        finally:
            server.kill()


@asynccontextmanager
async def listening(registry: HandlerRegistry) -> AsyncIterator[str]:
    """Answer over gRPC what is registered; gives the address."""
    running = make_server()
    running.add_generic_rpc_handlers([servicer(CONFORMANCE, registry, callers=BELIEVED)])
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await running.stop(grace=None)


class ServerProcess:
    """The handler in a process of its own, which can be killed and started again.

    Attributes:
        address: where it listens, the same each time.
    """

    def __init__(self, address: str) -> None:
        """Describe a process that is not yet running; see `server_process`."""
        self.address = address
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process's number while it runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            server_module.__name__,
            self.address,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = (await asyncio.wait_for(self._process.stdout.readline(), 20)).decode()
        if not line.startswith("listening on "):
            raise RuntimeError(f"the server did not start: {line!r}")
        self.address = line.removeprefix("listening on ").strip()

    async def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def server_process(address: str = "127.0.0.1:0") -> AsyncIterator[ServerProcess]:
    """Run the handler in a process of its own until the block ends.

    Args:
        address: where it listens, see `conformance.server.serving`.
    """
    process = ServerProcess(address)
    try:
        await process.start()
        yield process
    finally:
        await process.kill()
