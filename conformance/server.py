"""A process of its own for the handler: `python -m conformance.server ADDRESS`.

It prints `listening on ADDRESS` with the port that was bound, and serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from conformance.handler import Conformance
from conformance.issuer import POLICY, SERVICE
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import BELIEVED, GrpcChannel, HandlerRegistry, open_channel, servicer
from seam.bus.grpc.server import make_server
from seam.bus.nats import NatsChannel, open_nats, serve_nats


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[str]:
    """Serve a new handler until the block ends.

    Args:
        address: HOST:PORT, where port 0 lets the system choose, or unix:PATH, for gRPC;
            nats://HOST:PORT of a NATS server.

    Yields:
        The address with the port that was bound.
    """
    handler = Conformance()
    registry = HandlerRegistry(policy=POLICY)
    registry.register(register_conformance(handler))
    if address.startswith("nats:"):
        async with (
            serve_nats(address, [CONFORMANCE], registry, grace=1),
            open_nats(address) as caller,
        ):
            handler.itself = ConformanceStub(NatsChannel(caller).called_by(SERVICE))
            yield address
        return
    server = make_server()
    server.add_generic_rpc_handlers([servicer(CONFORMANCE, registry, callers=BELIEVED)])
    port = server.add_insecure_port(address)
    await server.start()
    unix = address.startswith("unix:")
    bound = address if unix else f"{address.rpartition(':')[0]}:{port}"
    async with open_channel(bound, [CONFORMANCE]) as connection:
        handler.itself = ConformanceStub(GrpcChannel(connection).called_by(SERVICE))
        yield bound
    await server.stop(grace=1)


async def main(address: str) -> None:
    """Serve until SIGTERM."""
    asked_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end.set)
    async with serving(address) as bound:
        sys.stdout.write(f"listening on {bound}\n")
        sys.stdout.flush()
        await asked_to_end.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
